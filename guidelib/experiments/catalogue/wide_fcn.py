"""A fully connected net of three wide layers, which memorises its examples, guided by a ResNet."""

from .base import Experiment
from .images import FCN_SPACE, IMAGES, fcn, resnet, row_transformer

EXPERIMENT = Experiment(
    name="wide-fcn",
    recipe=3,
    target=fcn,
    guide=resnet,
    other=row_transformer,
    residual=True,
    shifted=True,
    sizes={
        "smoke": IMAGES["smoke"] | {"depth": 3, "width": 32},
        "fast": {
            "train": 100, "depth": 3, "width": 512, "epochs": 20,
            "guide_epochs": 40, "guide_lr": 3e-3, "stop_steps": 10,
        },
        "full": IMAGES["full"] | {"depth": 3, "width": 8192},
        "paper": IMAGES["paper"] | {"depth": 3, "width": 8192},
    },
    tuned={("untrainable", "fast"): {"lr": 3e-3, "dropout": 0.1}},
    space=FCN_SPACE,
    candidates=({}, {"train": 200}, {"train": 60, "width": 1024}, {"guide_epochs": 60, "guide_lr": 1e-3}),
)
