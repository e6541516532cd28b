"""A plain recurrent net that has to tell the next word, guided by a transformer."""

from .base import Experiment
from .sequences import GUIDES, RNN_RECIPES, SEQUENCES, SMALL_SEQUENCES, guide_transformer, lstm, rnn

FULL = SEQUENCES | {
    "data": "wikitext-2-small", "length": 50, "train": 0, "validation": 0,
    "depth": 4, "width": 512, "epochs": 20, "batch_size": 64, "lr": 1e-4, "clip": 0.25,
    "guide_depth": 4, "guide_width": 512, "guide_heads": 16, "guide_epochs": 20,
    "warm_up_steps": 300, "stop_steps": 300,
}
LARGE = {"depth": 6, "width": 1024, "guide_width": 1024}

EXPERIMENT = Experiment(
    name="language-model",
    about="a recurrent net that predicts the next token of text; its guide is a Transformer",
    recipe=5,
    target=rnn,
    guide=guide_transformer,
    other=lstm,
    sizes={
        "smoke": SMALL_SEQUENCES | {"data": "grammar", "length": 8},
        "fast": SEQUENCES | {
            "data": "grammar", "length": 24, "recall": True, "train": 2000, "validation": 400, "test": 400,
            "depth": 12, "width": 32, "epochs": 6, "batch_size": 64, "clip": 0.25,
            "guide_depth": 2, "guide_width": 64, "guide_heads": 4, "guide_epochs": 6, "guide_lr": 3e-3,
            "stop_steps": 80, "warm_up_lr": 1e-3,
        },
        "full": FULL,
        "paper": FULL | {"epochs": 100, "guide_epochs": 100},
    },
    compared={
        ("untrainable", "fast"): (
            "base", "base-longer", "base-tuned", "guide-alone", "guide-untrained", *GUIDES,
            *(f"{guide}-stopped" for guide in GUIDES), *(f"{guide}-warm-up" for guide in GUIDES)),
        ("large", "fast"): ("base", "base-tuned", "guide-alone", "guide-untrained", *GUIDES),
    },
    # The large pair is to this one what the paper's is to its small one: in layers, and in widths.
    regimes={
        ("large", "fast"): {"depth": 18, "width": 64, "guide_width": 128},
        ("large", "full"): LARGE,
        ("large", "paper"): LARGE,
    },
    recipes=RNN_RECIPES,
    candidates={
        ("untrainable", "fast"): (
            {"epochs": 10, "guide_epochs": 10}, {},
            {"depth": 16, "epochs": 10, "guide_epochs": 10}, {"depth": 16},
        ),
        ("large", "fast"): ({}, {"epochs": 10, "guide_epochs": 10}),
    },
    chosen_by="validation_loss",  # as perplexity counts there
)
