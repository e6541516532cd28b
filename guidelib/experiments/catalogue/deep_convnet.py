"""A ResNet-50 without its skips, guided by a ResNet-50 with them."""

from .base import Experiment
from .images import IMAGES, convnet, resnet, row_transformer

EXPERIMENT = Experiment(
    name="deep-convnet",
    about="a convolutional net of many layers without skips on images; its guide is a ResNet",
    recipe=4,
    target=convnet,
    guide=resnet,
    other=row_transformer,
    residual=True,
    sizes={
        "smoke": IMAGES["smoke"] | {"depth": 14, "width": 4, "dropout": 0.0, "guide_depth": 14},
        "fast": {
            "depth": 50, "width": 8, "dropout": 0.0, "epochs": 6,
            "guide_depth": 50, "guide_width": 8, "guide_epochs": 12,
        },
        "full": IMAGES["full"] | {"depth": 50, "width": 64, "dropout": 0.0, "guide_depth": 50},
        "paper": IMAGES["paper"] | {"depth": 50, "width": 64, "dropout": 0.0, "guide_depth": 50},
    },
)
