"""The fully connected net of deep-fcn, guided by a vision transformer."""

from .base import Experiment
from .images import FCN_RECIPES, GUIDES, IMAGES, fcn, small_resnet, vit

EXPERIMENT = Experiment(
    name="deep-fcn-vit",
    about="a fully connected net of many layers on images; its guide is a vision Transformer",
    recipe=4,
    target=fcn,
    guide=vit,
    other=small_resnet,
    residual=True,
    shifted=True,
    mirrored=True,
    sizes={
        "smoke": IMAGES["smoke"] | {"guide_depth": 2, "guide_width": 8, "guide_heads": 2},
        "fast": {  # the target's numbers are those of deep-fcn
            "width": 192, "epochs": 20, "batch_size": 64, "stop_steps": 80,
            "guide_depth": 4, "guide_width": 32, "guide_heads": 4, "guide_epochs": 20, "guide_lr": 3e-3,
        },
        "full": IMAGES["full"] | {"guide_depth": 12, "guide_width": 768, "guide_heads": 12},
        "paper": IMAGES["paper"] | {"guide_depth": 12, "guide_width": 768, "guide_heads": 12},
    },
    compared={
        ("untrainable", "fast"): ("base", "base-tuned", "guide-alone", "guide-untrained", *GUIDES),
    },
    recipes=FCN_RECIPES,
    candidates={("untrainable", "fast"): ({"guide_lr": 1e-3}, {})},
)
