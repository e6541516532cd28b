"""A transformer of one layer that has to tell the parity of a sequence, guided by a plain recurrent net."""

from .base import Experiment
from .sequences import SEQUENCES, SMALL_SEQUENCES, guide_rnn, lstm, transformer

# As in the released code the output of the attention is steered. A parity is one of a place: the Gram matrix
# is of places, of which a sequence as a whole would say little.
STEERED = {"layers": "blocks.*.out", "samples": "tokens"}
FULL = SEQUENCES | STEERED | {
    "data": "parity", "shortest": 2, "longest": 50, "train": 80000, "validation": 10000, "test": 10000,
    "depth": 1, "width": 64, "heads": 4, "epochs": 40, "batch_size": 64,
    "guide_depth": 1, "guide_width": 64, "guide_epochs": 40, "warm_up_steps": 300, "stop_steps": 300,
}

GUIDES = ("untrained", "trained", "data-gram", "shuffled", "same-family", "fresh-noise")

EXPERIMENT = Experiment(
    name="parity",
    about="a Transformer that tells odd from even numbers of ones; its guide is a recurrent net",
    recipe=5,
    target=transformer,
    guide=guide_rnn,
    other=lstm,
    lengths=True,
    sizes={
        "smoke": SMALL_SEQUENCES | STEERED | {
            "data": "parity", "shortest": 2, "longest": 6, "depth": 1, "guide_depth": 1,
        },
        "fast": SEQUENCES | STEERED | {
            "data": "parity", "shortest": 2, "longest": 20, "train": 4000, "validation": 500, "test": 500,
            "depth": 1, "width": 64, "heads": 4, "epochs": 20, "batch_size": 64,
            "guide_depth": 1, "guide_width": 64, "guide_lr": 3e-3, "guide_epochs": 10,
        },
        "full": FULL,
        "paper": FULL | {"samples": "batch", "batch_size": 256, "epochs": 100, "guide_epochs": 100},
    },
    compared={
        ("untrainable", "fast"): ("base", "base-tuned", "guide-alone", "guide-untrained", *GUIDES),
    },
    recipes={"weight_decay": (0.0, 0.01), "schedule": (None, "cosine"), "clip": (None, 1.0)},
    candidates={
        ("untrainable", "fast"): (
            {}, {"longest": 12}, {"longest": 10}, {"longest": 10, "train": 2000, "epochs": 40},
        ),
    },
)
