"""A ResNet-50 without its skips, guided by a ResNet-50 with them."""

import torch

from . import images
from .base import Experiment
from .images import GUIDES, IMAGES, row_transformer


def convnet(config, task, seed):
    return channels_last(images.convnet(config, task, seed))


def resnet(config, task, seed):
    return channels_last(images.resnet(config, task, seed))


def channels_last(network):
    """The network with its weights in the order in which a CPU convolves few channels fastest."""
    return network.to(memory_format=torch.channels_last)


EXPERIMENT = Experiment(
    name="deep-convnet",
    about="a convolutional net of many layers without skips on images; its guide is a ResNet",
    recipe=4,
    target=convnet,
    guide=resnet,
    other=row_transformer,
    residual=True,
    shifted=True,
    sizes={
        "smoke": IMAGES["smoke"] | {"depth": 14, "width": 4, "dropout": 0.0, "guide_depth": 14},
        "fast": {
            "depth": 50, "width": 8, "dropout": 0.0, "epochs": 20,
            "guide_depth": 50, "guide_width": 8, "guide_epochs": 20, "guide_lr": 3e-3,
        },
        "full": IMAGES["full"] | {"depth": 50, "width": 64, "dropout": 0.0, "guide_depth": 50},
        "paper": IMAGES["paper"] | {"depth": 50, "width": 64, "dropout": 0.0, "guide_depth": 50},
    },
    compared={
        ("untrainable", "fast"): (
            "base", "base-tuned", "base-residual", "shifted-init", "guide-alone", "guide-untrained", *GUIDES),
    },
    recipes={
        "init": ("default", "he"), "shift": (0.0, 1.0), "weight_decay": (0.0, 1e-4),
        "schedule": (None, "cosine"),
    },
    candidates={
        ("untrainable", "fast"): (
            {}, {"epochs": 30, "guide_epochs": 30},
            {"depth": 14, "guide_depth": 14},
            {"data": "placed-digits", "canvas": 16, "copies": 1, "epochs": 10, "guide_epochs": 10},
        ),
    },
)
