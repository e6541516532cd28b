"""What the experiments on images share: sizes, a search space, and the networks that play in them."""

from math import prod

from ... import networks

IMAGES = {
    "smoke": {
        "data": "digits", "train": 200, "validation": 100,
        "depth": 6, "width": 32, "epochs": 3, "batch_size": 32,
        "guide_width": 4, "guide_epochs": 2, "warm_up_steps": 10, "stop_steps": 4,
    },
    "full": {
        "data": "cifar10", "train": 45000, "validation": 5000,
        "depth": 48, "width": 1024, "epochs": 30, "batch_size": 256, "lr": 1e-4,
        "guide_width": 64, "guide_epochs": 30, "warm_up_steps": 300, "warm_up_lr": 1e-3, "stop_steps": 300,
    },
    "paper": {
        "data": "imagenet", "train": 1281167, "validation": 50000,
        "depth": 48, "width": 1024, "epochs": 100, "batch_size": 256, "lr": 1e-4,
        "guide_width": 64, "guide_epochs": 100, "warm_up_steps": 300, "stop_steps": 300,
    },
}
GUIDES = ("untrained", "trained", "identity", "data-gram", "shuffled", "same-family")
FCN_RECIPES = {
    "dropout": (0.0, 0.1), "init": ("default", "orthogonal", "looks-linear"), "shift": (0.0, 1.0),
    "weight_decay": (0.0, 1e-4), "schedule": (None, "cosine"),
}

RESNETS = {  # depth in the usual count: (block, blocks)
    14: ("bottleneck", (1, 1, 1, 1)),
    18: ("basic", (2, 2, 2, 2)),
    50: ("bottleneck", (3, 4, 6, 3)),
}


def fcn(config, task, seed):
    return networks.FCN(
        inputs=prod(task.input_shape), outputs=task.classes, depth=config.depth, width=config.width,
        norm=config.norm, dropout=config.dropout, init=config.init, residual=config.residual, seed=seed)


def convnet(config, task, seed):
    """A ResNet without its skips, and with them where the residual base is asked for."""
    block, blocks = layout(config.depth)
    return networks.ResNet(
        channels=task.input_shape[0], outputs=task.classes, width=config.width, block=block, blocks=blocks,
        skips=config.residual, init=config.init, stem=stem(task), seed=seed)


def resnet(config, task, seed):
    block, blocks = layout(config.guide_depth or 18)
    return networks.ResNet(
        channels=task.input_shape[0], outputs=task.classes, width=config.guide_width, block=block,
        blocks=blocks, stem=stem(task), seed=seed)


def small_resnet(config, task, seed):
    return networks.ResNet(channels=task.input_shape[0], outputs=task.classes, width=8, seed=seed)


def vit(config, task, seed):
    side = task.input_shape[1]
    patch = max(side // 4, 1) if side < 224 else 16
    return networks.ViT(
        inputs=task.input_shape, outputs=task.classes, patch=patch, width=config.guide_width,
        depth=config.guide_depth, heads=config.guide_heads, seed=seed)


def row_transformer(config, task, seed):
    return networks.RowTransformer(
        inputs=task.input_shape, outputs=task.classes, depth=4, width=64, seed=seed)


def stem(task):
    return "imagenet" if task.input_shape[1] >= 128 else "small"


def layout(depth):
    """(block, blocks) of a ResNet by its depth in the usual count; ValueError lists those there are."""
    if depth not in RESNETS:
        known = ", ".join(map(str, RESNETS))
        raise ValueError(f"a ResNet has depth {known}, received {depth}")
    return RESNETS[depth]
