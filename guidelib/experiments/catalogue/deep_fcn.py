"""A fully connected net of 50 layers, which hardly learns alone, guided by a ResNet."""

from itertools import product

from .base import Experiment
from .images import FCN_SPACE, IMAGES, fcn, resnet, row_transformer

# Each condition has its own settings: guide, control and base each got the same number of trials in the
# search "equal", on seeds that no result is reported on, chosen on validation. What is not named here is the
# size's.
THROUGHOUT = {
    "untrained": {"lr": 3e-3, "weight": 1.0},
    "trained": {"lr": 3e-3, "weight": 3.0},
    "identity": {"lr": 3e-3, "weight": 1.0},
    "data-gram": {"lr": 3e-3, "weight": 3.0},
    "shuffled": {"lr": 3e-3, "weight": 1.0},
    "shuffled-layers": {"lr": 3e-3, "weight": 3.0},
    # BatchNorm as in eval is the identity in an untrained net: 50 such layers end in features that no longer
    # tell examples apart.
    "same-family": {"lr": 3e-3, "weight": 1.0, "guide_norm": "batch"},
    "other-family": {"lr": 3e-3, "weight": 1.0},
}
STOPPED = {  # let go after a quarter of the steps, and until then as throughout
    f"{name}-stopped": settings | {"stop_steps": 80} for name, settings in THROUGHOUT.items()
}
WARMED_UP = {
    "untrained-warm-up": {"lr": 1e-3},
    "trained-warm-up": {"lr": 2e-3},
    "identity-warm-up": {"lr": 3e-3},
    "data-gram-warm-up": {"lr": 2e-3},
    "shuffled-warm-up": {"lr": 2e-3},
    "shuffled-layers-warm-up": {"lr": 2e-3},
    "same-family-warm-up": {"lr": 2e-3, "guide_norm": "batch"},
    "other-family-warm-up": {"lr": 2e-3},
    "fresh-noise-warm-up": {"lr": 2e-3},
}
UNGUIDED = {
    "base": {"lr": 3e-3},
    "shifted-init": {"lr": 1e-3},
    "dimension-kept": {"lr": 3e-3, "weight": 1.0},
}
NOT_SEARCHED = {  # as the condition that they are read beside
    "base-residual": {"lr": 3e-3},
    "distilled": {"lr": 3e-3},
    "distilled-untrained": {"lr": 3e-3},
}

# Six trials for every side. Guidance throughout: two learning rates and three weights. What has no weight
# (the base, the shifted biases and the training after a warm-up): six learning rates. The base with any
# recipe that needs no guide: two learning rates and three initialisations, without dropout.
WEIGHT_TRIALS = tuple(
    {"lr": lr, "weight": weight} for lr, weight in product((1e-3, 3e-3), (1.0, 3.0, 10.0)))
RATE_TRIALS = tuple({"lr": lr} for lr in (3e-4, 1e-3, 2e-3, 3e-3, 5e-3, 1e-2))
TUNED_TRIALS = tuple(
    {"lr": lr, "dropout": 0.0, "init": init}
    for lr, init in product((1e-3, 3e-3), ("default", "he", "orthogonal")))

EXPERIMENT = Experiment(
    name="deep-fcn",
    recipe=3,
    target=fcn,
    guide=resnet,
    other=row_transformer,
    residual=True,
    shifted=True,
    sizes={
        "smoke": IMAGES["smoke"],
        "fast": {
            "width": 256, "epochs": 40, "batch_size": 128,
            "guide_epochs": 12, "warm_up_steps": 300, "warm_up_lr": 1e-3, "stop_steps": 300,
        },
        "full": IMAGES["full"],
        "paper": IMAGES["paper"],
    },
    regimes={
        ("overfit", "smoke"): {"depth": 4, "train": 120, "dropout": 0.0},
        ("overfit", "fast"): {
            "train": 200, "depth": 20, "dropout": 0.0, "batch_size": 64,
            "guide_epochs": 6, "warm_up_steps": 100, "warm_up_lr": 3e-3, "stop_steps": 40,
        },
    },
    tuned={
        ("untrainable", "fast"): {"lr": 3e-3, "dropout": 0.0, "init": "orthogonal"},
        ("overfit", "fast"): {"lr": 3e-3, "init": "orthogonal"},
    },
    own={("untrainable", "fast"): UNGUIDED | THROUGHOUT | STOPPED | WARMED_UP | NOT_SEARCHED},
    fresh={("untrainable", "fast"): (10, 11, 12, 13, 14)},
    split_by_seed={("untrainable", "fast")},
    space=FCN_SPACE,
    candidates=({}, {"depth": 30}),
    trials={
        "base": RATE_TRIALS,
        "base-tuned": TUNED_TRIALS,
        "shifted-init": RATE_TRIALS,
        "dimension-kept": WEIGHT_TRIALS,
        **dict.fromkeys(THROUGHOUT, WEIGHT_TRIALS),
        **dict.fromkeys(WARMED_UP, RATE_TRIALS),
    },
)
