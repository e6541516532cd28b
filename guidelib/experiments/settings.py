"""The numbers of each experiment at each size: what differs from the defaults of Config, and the settings found by searches."""

from difflib import get_close_matches

EXPERIMENTS = ("deep-fcn", "wide-fcn", "deep-convnet", "deep-fcn-vit", "copy-paste", "parity", "language-model")
RECIPES = dict.fromkeys(EXPERIMENTS, 2)  # raised, each for itself, whenever the numbers of an experiment change
PROFILES = ("smoke", "fast", "full", "paper")
SEEDS = {"smoke": (0, 1), "fast": (0, 1, 2, 3, 4), "full": (0, 1, 2, 3, 4), "paper": (0, 1, 2, 3, 4)}
FRESH = {("deep-fcn", "untrainable", "fast"): (10, 11, 12, 13, 14)}  # where a search or an earlier look may have seen the others

IMAGES = {
    "smoke": {"data": "digits", "train": 200, "validation": 100, "depth": 6, "width": 32, "guide_width": 4, "guide_epochs": 2,
              "warm_up_steps": 10, "stop_steps": 4, "epochs": 3, "batch_size": 32},
    "full": {"data": "cifar10", "train": 45000, "validation": 5000, "depth": 48, "width": 1024, "guide_width": 64, "guide_epochs": 30,
             "warm_up_steps": 300, "warm_up_lr": 1e-3, "stop_steps": 300, "epochs": 30, "batch_size": 256, "lr": 1e-4},
    "paper": {"data": "imagenet", "train": 1281167, "validation": 50000, "depth": 48, "width": 1024, "guide_width": 64, "guide_epochs": 100,
              "warm_up_steps": 300, "stop_steps": 300, "epochs": 100, "batch_size": 256, "lr": 1e-4},
}
SEQUENCES = {"norm": None, "dropout": 0.0, "optimizer": "adamw", "weight_decay": 0.01, "guide_norm": "running"}
SMALL_SEQUENCES = {"depth": 2, "width": 16, "guide_depth": 2, "guide_width": 16, "guide_heads": 2, "heads": 2, "train": 64, "validation": 32,
                   "test": 32, "epochs": 2, "guide_epochs": 1, "warm_up_steps": 4, "stop_steps": 2, "batch_size": 16}

SETTINGS = {
    "deep-fcn": IMAGES | {"fast": {"width": 256, "batch_size": 128, "epochs": 40, "warm_up_steps": 300, "warm_up_lr": 1e-3, "stop_steps": 300,
                                    "guide_epochs": 12}},
    "deep-fcn-vit": {name: values | {"guide_depth": 2 if name == "smoke" else 12, "guide_heads": 2 if name == "smoke" else 12,
                                     "guide_width": 8 if name == "smoke" else 768} for name, values in IMAGES.items()}
    | {"fast": {"guide_width": 32, "guide_depth": 4, "guide_heads": 4, "guide_epochs": 20}},
    "wide-fcn": {name: values | {"depth": 3, "width": 32 if name == "smoke" else 8192} for name, values in IMAGES.items()}
    | {"fast": {"depth": 3, "width": 512, "train": 100, "epochs": 20, "stop_steps": 10, "guide_epochs": 40, "guide_lr": 3e-3}},
    "deep-convnet": {name: values | {"depth": 50, "width": 64, "guide_depth": 50, "dropout": 0.0} for name, values in IMAGES.items()}
    | {"smoke": IMAGES["smoke"] | {"depth": 14, "width": 4, "guide_depth": 14, "dropout": 0.0},
       "fast": {"depth": 50, "width": 8, "guide_depth": 50, "guide_width": 8, "dropout": 0.0, "epochs": 6, "guide_epochs": 12}},
    "copy-paste": {
        "smoke": SEQUENCES | SMALL_SEQUENCES | {"data": "copy-paste", "shortest": 2, "longest": 4},
        "fast": SEQUENCES | {"data": "copy-paste", "shortest": 6, "longest": 10, "train": 3000, "validation": 500, "test": 500, "depth": 4, "width": 64,
                             "guide_depth": 2, "guide_width": 64, "guide_heads": 4, "epochs": 8, "guide_epochs": 8, "batch_size": 64},
        "full": SEQUENCES | {"data": "copy-paste", "shortest": 20, "longest": 40, "train": 80000, "validation": 10000, "test": 10000, "depth": 4,
                             "width": 768, "guide_depth": 4, "guide_width": 768, "guide_heads": 12, "epochs": 20, "guide_epochs": 20,
                             "batch_size": 256, "lr": 1e-4, "warm_up_steps": 300, "stop_steps": 300},
    },
    "parity": {
        "smoke": SEQUENCES | SMALL_SEQUENCES | {"data": "parity", "shortest": 2, "longest": 6, "depth": 1, "guide_depth": 1},
        "fast": SEQUENCES | {"data": "parity", "shortest": 2, "longest": 20, "train": 4000, "validation": 500, "test": 500, "depth": 1, "width": 64,
                             "heads": 4, "guide_depth": 1, "guide_width": 64, "guide_lr": 3e-3, "epochs": 10, "guide_epochs": 10, "batch_size": 64},
        "full": SEQUENCES | {"data": "parity", "shortest": 2, "longest": 50, "train": 80000, "validation": 10000, "test": 10000, "depth": 1,
                             "width": 64, "heads": 4, "guide_depth": 1, "guide_width": 64, "epochs": 40, "guide_epochs": 40, "batch_size": 256,
                             "warm_up_steps": 300, "stop_steps": 300},
    },
    "language-model": {
        "smoke": SEQUENCES | SMALL_SEQUENCES | {"data": "grammar", "length": 8},
        "fast": SEQUENCES | {"data": "grammar", "length": 24, "train": 2000, "validation": 400, "test": 400, "depth": 12, "width": 32,
                             "guide_depth": 2, "guide_width": 64, "guide_heads": 4, "epochs": 6, "guide_epochs": 6, "batch_size": 64, "clip": 0.25},
        "full": SEQUENCES | {"data": "wikitext-2-small", "length": 50, "train": 0, "validation": 0, "depth": 4, "width": 512, "guide_depth": 4,
                             "guide_width": 512, "guide_heads": 16, "epochs": 20, "guide_epochs": 20, "batch_size": 64, "lr": 1e-4, "clip": 0.25,
                             "warm_up_steps": 300, "stop_steps": 300},
    },
}
for _name in ("copy-paste", "parity", "language-model"):
    SETTINGS[_name]["paper"] = SETTINGS[_name]["full"] | {"epochs": 100, "guide_epochs": 100}

REGIMES = {
    "untrainable": {},
    "overfit": {("deep-fcn", "smoke"): {"depth": 4, "train": 120, "dropout": 0.0},
                ("deep-fcn", "fast"): {"depth": 20, "train": 200, "dropout": 0.0, "batch_size": 64, "warm_up_steps": 100, "warm_up_lr": 3e-3,
                                       "stop_steps": 40, "guide_epochs": 6}},
}
# Settings of base-tuned: found by guidelib.experiments.search on base runs alone, chosen on validation; its logs are in results/search.
TUNED = {
    ("deep-fcn-vit", "untrainable", "fast"): {"lr": 3e-3, "dropout": 0.0, "weight_decay": 1e-4},
    ("deep-fcn", "untrainable", "fast"): {"lr": 3e-3, "dropout": 0.0, "init": "orthogonal"},
    ("deep-fcn", "overfit", "fast"): {"lr": 3e-3, "init": "orthogonal"},
    ("wide-fcn", "untrainable", "fast"): {"lr": 3e-3, "dropout": 0.1},
    ("deep-convnet", "untrainable", "fast"): {"lr": 1e-2, "init": "he", "weight_decay": 1e-4},
    ("copy-paste", "untrainable", "fast"): {},  # the search found nothing better than what base has
    ("parity", "untrainable", "fast"): {"weight_decay": 0.0},
    ("language-model", "untrainable", "fast"): {"lr": 3e-3},
}

# Settings in which each condition has its own: guide, control and base each got the same number of trials in
# guidelib.experiments.equal_search, on seeds that no result is reported on, chosen on validation. What is not named here has the setting's.
OWN = {
    ("deep-fcn", "untrainable", "fast"): {
        "base": {"lr": 3e-3},
        "untrained": {"lr": 3e-3, "weight": 1.0},
        "trained": {"lr": 3e-3, "weight": 3.0},
        "identity": {"lr": 3e-3, "weight": 1.0},
        "data-gram": {"lr": 3e-3, "weight": 3.0},
        "shuffled": {"lr": 3e-3, "weight": 1.0},
        # BatchNorm as in eval is the identity in an untrained net: 50 such layers end in features that no longer tell examples apart.
        "same-family": {"lr": 3e-3, "weight": 1.0, "guide_norm": "batch"},
        "other-family": {"lr": 3e-3, "weight": 1.0},
        "untrained-warm-up": {"lr": 1e-3},
        "trained-warm-up": {"lr": 2e-3},
        "identity-warm-up": {"lr": 3e-3},
        "data-gram-warm-up": {"lr": 2e-3},
        "shuffled-warm-up": {"lr": 2e-3},
        "same-family-warm-up": {"lr": 2e-3, "guide_norm": "batch"},
        "other-family-warm-up": {"lr": 2e-3},
        "fresh-noise-warm-up": {"lr": 2e-3},
        "shifted-init": {"lr": 1e-3},
        # Not searched for: as the condition that they are read beside.
        "base-residual": {"lr": 3e-3}, "distilled": {"lr": 3e-3}, "distilled-untrained": {"lr": 3e-3},
    },
}
for _own in OWN.values():  # let go after a quarter of the steps, and until then as throughout
    _own |= {f"{name}-stopped": own | {"stop_steps": 80} for name, own in list(_own.items()) if "weight" in own}
SPLIT_BY_SEED = {("deep-fcn", "untrainable", "fast")}  # here each seed draws its own training, validation and test images


def seeds(experiment, *, profile="fast", regime="untrainable"):
    """The seeds on which results are reported, as a list; ValueError for a name that is not known.

    >>> seeds("deep-fcn", profile="smoke"), seeds("deep-fcn")
    ([0, 1], [10, 11, 12, 13, 14])
    """
    for name, value, known in (("experiment", experiment, EXPERIMENTS), ("profile", profile, PROFILES), ("regime", regime, REGIMES)):
        check(name, value, known)
    return list(FRESH.get((experiment, regime, profile), SEEDS[profile]))


def check(name, value, known):
    """Raise a ValueError that lists what is known, and what may have been meant, if a value is none of it.

    >>> check("profile", "fats", PROFILES)
    Traceback (most recent call last):
    ValueError: no profile 'fats', did you mean 'fast'? Choose from smoke, fast, full, paper
    """
    if value not in known:
        near = get_close_matches(str(value).lower(), known, n=1)
        raise ValueError(f"no {name} {value!r}{f', did you mean {near[0]!r}?' if near else ':'} {'C' if near else 'c'}hoose from {', '.join(known)}")
