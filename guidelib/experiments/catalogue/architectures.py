"""Any of four families guided by any of them, each the same whether target or guide: how near are they?

The digits stand at random places, which a convolution makes nothing of and a fully connected net does.
"""

from ... import networks
from .base import Experiment
from .images import row_transformer


def fcn(task, seed):
    return networks.FCN(inputs=task.input_shape[1] ** 2, outputs=task.classes, depth=8, width=128, seed=seed)


def convnet(task, seed, *, skips=False):
    return networks.ResNet(channels=1, outputs=task.classes, width=8, skips=skips, seed=seed)


def resnet(task, seed):
    return convnet(task, seed, skips=True)


def vit(task, seed):
    return networks.ViT(inputs=task.input_shape, outputs=task.classes, patch=4, width=32, depth=4, heads=4,
                        seed=seed)


FAMILIES = {"fully connected": fcn, "convolutional": convnet, "ResNet": resnet, "Transformer": vit}


def target(config, task, seed):
    return family(config.family)(task, seed)


def guide(config, task, seed):
    return family(config.guide_family)(task, seed)


def family(name):
    """How a family's network is built; ValueError lists those there are."""
    if name not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise ValueError(f"no family {name!r}: family and guide_family are each one of {known}")
    return FAMILIES[name]


EXPERIMENT = Experiment(
    name="architectures",
    about="a net of one family on images, guided by one of another; `guidelib study architectures` runs all",
    recipe=1,
    target=target,
    guide=guide,
    other=row_transformer,
    sizes={
        "smoke": {
            "data": "placed-digits", "canvas": 16, "copies": 1, "train": 100, "validation": 50,
            "family": "fully connected", "guide_family": "ResNet", "epochs": 2, "batch_size": 32,
            "guide_epochs": 1, "warm_up_steps": 4, "stop_steps": 2,
        },
        "fast": {
            "data": "placed-digits", "canvas": 16, "copies": 2, "train": 500, "validation": 300,
            "family": "fully connected", "guide_family": "ResNet", "epochs": 12, "batch_size": 64,
            "guide_epochs": 12, "guide_lr": 3e-3,
        },
    },
)
