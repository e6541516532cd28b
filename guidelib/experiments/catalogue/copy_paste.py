"""A plain recurrent net that has to repeat a sequence, guided by a transformer.

The lengths vary, so that part of what a guide's geometry says is how long each sequence is.
"""

from .base import Experiment
from .sequences import RNN_RECIPES, SEQUENCES, SMALL_SEQUENCES, guide_transformer, lstm, rnn

GUIDES = ("untrained", "trained", "identity", "data-gram", "length-gram", "shuffled", "same-family")
FULL = SEQUENCES | {
    "data": "copy-paste", "shortest": 20, "longest": 40, "train": 80000, "validation": 10000, "test": 10000,
    "depth": 4, "width": 768, "epochs": 20, "batch_size": 256, "lr": 1e-4,
    "guide_depth": 4, "guide_width": 768, "guide_heads": 12, "guide_epochs": 20,
    "warm_up_steps": 300, "stop_steps": 300,
}

EXPERIMENT = Experiment(
    name="copy-paste",
    about="a recurrent net that copies sequences of several lengths; its guide is a Transformer",
    recipe=4,
    target=rnn,
    guide=guide_transformer,
    other=lstm,
    lengths=True,
    sizes={
        "smoke": SMALL_SEQUENCES | {"data": "copy-paste", "shortest": 2, "longest": 4},
        "fast": SEQUENCES | {
            "data": "copy-paste", "shortest": 6, "longest": 10, "train": 3000, "validation": 500, "test": 500,
            "depth": 4, "width": 64, "epochs": 8, "batch_size": 64,
            "guide_depth": 2, "guide_width": 64, "guide_heads": 4, "guide_epochs": 8,
        },
        "full": FULL,
        "paper": FULL | {"epochs": 100, "guide_epochs": 100},
    },
    compared={
        ("untrainable", "fast"): (
            "base", "base-tuned", "guide-alone", "guide-untrained", *GUIDES,
            *(f"{guide}-stopped" for guide in GUIDES)),
    },
    recipes=RNN_RECIPES,
    candidates={
        ("untrainable", "fast"): tuple(
            {"shortest": shortest, "longest": longest, "epochs": 8, "guide_epochs": 8}
            for shortest, longest in ((6, 10), (8, 12))),
    },
)
