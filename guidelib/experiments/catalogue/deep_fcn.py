"""A fully connected net of 50 layers, which hardly learns alone, guided by a ResNet."""

from .base import Experiment
from .images import FCN_RECIPES, GUIDES, IMAGES, fcn, resnet, row_transformer

UNGUIDED = ("base", "base-longer", "base-tuned", "base-residual", "shifted-init", "looks-linear-init",
            "guide-alone", "guide-untrained")
MORE = ("other-family", "fresh-noise")
ON_REAL_IMAGES = ("base", "base-longer", "shifted-init", "guide-alone", "untrained", "trained", "shuffled",
                  "data-gram", "untrained-warm-up", "shuffled-warm-up")
FIRST = dict.fromkeys(("untrained", "shuffled"), {"layers": "first-5"})

EXPERIMENT = Experiment(
    name="deep-fcn",
    about="a fully connected net of many layers on images; its guide is a ResNet",
    recipe=4,
    target=fcn,
    guide=resnet,
    other=row_transformer,
    residual=True,
    shifted=True,
    mirrored=True,
    sizes={
        "smoke": IMAGES["smoke"],
        "fast": {
            "width": 192, "epochs": 20, "batch_size": 64,
            "guide_epochs": 12, "warm_up_steps": 300, "warm_up_lr": 1e-3, "stop_steps": 80,
        },
        "overnight": {
            "data": "cifar10", "train": 10000, "validation": 1000, "test": 5000,
            "depth": 48, "width": 256, "dropout": 0.0, "epochs": 15, "batch_size": 128,
            "guide_epochs": 10, "warm_up_steps": 300, "stop_steps": 300,
        },
        "full": IMAGES["full"],
        "paper": IMAGES["paper"],
    },
    regimes={
        ("overfit", "smoke"): {"depth": 4, "train": 120, "dropout": 0.0},
        ("overfit", "fast"): {
            "train": 100, "depth": 10, "dropout": 0.0, "epochs": 80,
            "guide_epochs": 24, "warm_up_steps": 100, "warm_up_lr": 3e-3, "stop_steps": 40,
        },
    },
    compared={
        ("untrainable", "fast"): (
            *UNGUIDED, "balanced-init", *GUIDES, *MORE, "shifted-untrained", "shifted-trained",
            *(f"{guide}-warm-up" for guide in (*GUIDES, *MORE)), "moved-as-far",
            *(f"{guide}-stopped" for guide in GUIDES),
            "trained-otherwise", "dimension-kept", "distilled", "distilled-untrained", "distilled-other",
            "distilled-uniform"),
        ("overfit", "fast"): (
            "base", "base-longer", "base-tuned", "guide-alone", "dimension-kept", "distilled",
            "distilled-uniform", *GUIDES,
            "untrained-noise-fed", "shuffled-noise-fed", "untrained-warm-up",
            *(f"{guide}-warm-up" for guide in GUIDES[2:]), "moved-as-far"),
        ("untrainable", "overnight"): ON_REAL_IMAGES,
        ("untrainable", "full"): ON_REAL_IMAGES,
    },
    varied={("untrainable", "overnight"): FIRST, ("untrainable", "full"): FIRST},
    recipes=FCN_RECIPES,
    candidates={
        ("untrainable", "fast"): (
            {"width": 256, "batch_size": 128, "epochs": 40}, {"width": 192, "batch_size": 64, "epochs": 20},
            {"width": 128, "batch_size": 64, "epochs": 20}, {"width": 128, "batch_size": 128, "epochs": 40},
        ),
        ("overfit", "fast"): (
            {"depth": 20, "train": 200, "epochs": 40}, {"depth": 10, "train": 200, "epochs": 40},
            {"depth": 20, "train": 200}, {"depth": 10, "train": 200}, {}, {"epochs": 160},
            {"depth": 20, "data": "placed-digits", "canvas": 16, "copies": 2, "train": 200, "epochs": 40},
            {"depth": 20, "data": "placed-digits", "canvas": 16, "copies": 2, "train": 500, "epochs": 20,
             "guide_epochs": 12},
        ),
    },
)
