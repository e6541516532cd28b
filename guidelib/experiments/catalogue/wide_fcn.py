"""A fully connected net of a few wide layers, which memorises its examples, guided by a ResNet.

Its digits stand at random places: then what a convolution knows, that a place means nothing, is worth
something, and a guide that has learnt it is better than the target.
"""

from .base import Experiment
from .images import FCN_RECIPES, GUIDES, IMAGES, fcn, resnet, row_transformer

COMPARED = ("base", "base-tuned", "guide-alone", "guide-untrained", *GUIDES, "distilled",
            "distilled-untrained", "distilled-uniform")

EXPERIMENT = Experiment(
    name="wide-fcn",
    about="a fully connected net of few, wide layers on images; its guide is a ResNet",
    recipe=4,
    target=fcn,
    guide=resnet,
    other=row_transformer,
    residual=True,
    shifted=True,
    mirrored=True,
    sizes={
        "smoke": IMAGES["smoke"] | {"depth": 3, "width": 32},
        "fast": {
            "data": "placed-digits", "canvas": 16, "copies": 2, "train": 1000, "validation": 300,
            "depth": 4, "width": 512, "epochs": 12, "batch_size": 128, "lr": 1e-3,
            "guide_width": 8, "guide_epochs": 16, "guide_lr": 6e-3, "stop_steps": 80,
        },
        "full": IMAGES["full"] | {"depth": 3, "width": 8192},
        "paper": IMAGES["paper"] | {"depth": 3, "width": 8192},
    },
    regimes={
        ("overfit", "fast"): {"canvas": 24, "depth": 3, "epochs": 24},
    },
    compared={("untrainable", "fast"): COMPARED, ("overfit", "fast"): COMPARED},
    recipes=FCN_RECIPES,
    candidates={
        ("untrainable", "fast"): (
            {"guide_width": 12, "epochs": 20, "guide_epochs": 10, "guide_lr": 3e-3},
            {"guide_width": 8, "epochs": 20, "guide_epochs": 10, "guide_lr": 3e-3},
            {"guide_width": 8, "epochs": 12, "guide_epochs": 12, "guide_lr": 3e-3},
            {"guide_width": 8, "epochs": 20, "guide_epochs": 20, "guide_lr": 3e-3, "train": 500},
            {"guide_width": 8, "epochs": 12, "guide_epochs": 16, "guide_lr": 6e-3},
        ),
        ("overfit", "fast"): ({"epochs": 12}, {"epochs": 12, "train": 500}, {}, {"dropout": 0.0}),
    },
)
