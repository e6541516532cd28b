"""The fully connected net of deep-fcn, guided by a vision transformer."""

from .base import Experiment
from .images import IMAGES, fcn, small_resnet, vit

EXPERIMENT = Experiment(
    name="deep-fcn-vit",
    about="a fully connected net of many layers on images; its guide is a vision Transformer",
    recipe=4,
    target=fcn,
    guide=vit,
    other=small_resnet,
    residual=True,
    shifted=True,
    sizes={
        "smoke": IMAGES["smoke"] | {"guide_depth": 2, "guide_width": 8, "guide_heads": 2},
        "fast": {"guide_depth": 4, "guide_width": 32, "guide_heads": 4, "guide_epochs": 20},
        "full": IMAGES["full"] | {"guide_depth": 12, "guide_width": 768, "guide_heads": 12},
        "paper": IMAGES["paper"] | {"guide_depth": 12, "guide_width": 768, "guide_heads": 12},
    },
)
