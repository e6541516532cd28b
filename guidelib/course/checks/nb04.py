"""Exercises of 04: where early stopping stops, a dimension from a Gram matrix, and reports with a flaw."""

import math

import numpy as np
import pandas as pd
import torch

from ...analysis import effective_dimension
from ...evidence import named, percent, student_t_interval
from ...experiments import config, seeds
from ...experiments.kept import KEPT
from ...experiments.records import path_of, read
from .. import planted
from ..exercises import exercise

HISTORY = {  # five epochs, in which every way to choose one ends at another
    "train_loss": [2.0, 1.0, 0.6, 0.3, 0.1], "train_accuracy": [0.3, 0.6, 0.8, 0.9, 1.0],
    "validation_loss": [2.1, 1.2, 1.3, 1.6, 1.9], "validation_accuracy": [0.25, 0.5, 0.55, 0.54, 0.53],
    "test_loss": [2.2, 1.4, 1.5, 1.35, 1.8], "test_accuracy": [0.2, 0.48, 0.52, 0.58, 0.51],
}
FLAWS = {  # flaw: where it shows
    "another epoch": "look at the column `read at`: is every row read by the same rule?",
    "chosen on test": "look at the column `read at`: which images chose the epoch?",
    "not yet learnt": "look at the column `training`: what has been learnt that could fail to carry over?",
    "more images": "look at the column `images`: who saw more?",
    "no control": "look at which rows are missing: what would explain the gain without the guide?",
    "nothing": "go through all columns once more: is anything in it unfair?",
}
EPOCHS = {  # rule: the epoch that it chooses, from a history
    "lowest validation loss": lambda history: np.argmin(history["validation_loss"]),
    "highest test accuracy": lambda history: np.argmax(history["test_accuracy"]),
    "last epoch": lambda history: len(history["test_accuracy"]) - 1,
    "first epoch": lambda history: 0,
}
ROLES = {"base": "base", "guide": "untrained", "control": "shuffled"}


@exercise("The test images had no part in the choice, so that their accuracy is still an honest one.")
def early(answer):
    """An answer: callable(history) that returns a test accuracy."""
    history = pd.DataFrame(HISTORY)
    got = float(answer(history.copy()))
    test = HISTORY["test_accuracy"]
    said = {
        test[1]: "",
        test[3]: "That epoch was chosen on the test images, which are no test then: choose on validation.",
        test[4]: "That is the last epoch, or the one of lowest training loss: nothing was stopped.",
        test[2]: "That is the epoch of highest validation accuracy; stop at the lowest validation *loss*.",
        test[0]: "That is the epoch of highest loss: a loss is to be low.",
    }
    return said.get(got, f"A test accuracy of the table is asked for; yours is {got:g}.")


@exercise("An n by n matrix is enough, however many features a layer has.")
def dimension(answer):
    """An answer: callable(a) that returns the participation ratio of activations (n, p)."""
    g = torch.Generator().manual_seed(0)
    spread = torch.tensor([3.0, 1.0, 1.0, 0.5])
    a = torch.randn(12, 4, generator=g, dtype=torch.double) * spread + torch.arange(4)  # (n, p)
    truth = effective_dimension(a)
    got = float(answer(a.clone()))
    K, raw, rows = (x @ x.T for x in (a - a.mean(0), a, a - a.mean(1, keepdim=True)))
    slips = [(truth, ""),
             (ratio(raw), "The features are not centred: take the mean over the examples off each."),
             (ratio(rows), "Centred over the features: a covariance takes the mean over the *examples* off."),
             (1 / truth, "Upside down: the square of the sum stands above, the sum of squares below."),
             (K.trace() / K.square().sum(), "The sum of the eigenvalues, the trace, is not squared yet."),
             (K.trace() ** 2 / K.norm(), "Below stands the sum of the squared entries: a norm is its root."),
             (K.trace() ** 2 / K.diagonal().square().sum(),
              "The squares of all entries are asked for, not of those on the diagonal alone.")]
    for value, said in slips:
        if math.isclose(got, float(value), rel_tol=1e-6):
            return said
    return f"On a small case the dimension is {truth:.4f}; yours is {got:.4f}."


def ratio(K):
    return K.trace() ** 2 / K.square().sum()


@exercise("A gap is only as good as the epoch it is read at, and as what was learnt by then.")
def evidence(answer):
    """An answer: {letter: flaw}."""
    return planted.wrong(answer, planted.dealt("04", flaws=FLAWS), flaws=FLAWS)


def reports():
    """{letter: table} of base, untrained guide and a control where the net overfits, from kept records.

    True but for a flaw in five of six. No accuracy is changed: a flaw reads it at another epoch.
    """
    runs = {}
    for role, condition in ROLES.items():
        made = [config("deep-fcn", condition=condition, regime="overfit", seed=seed)
                for seed in seeds("deep-fcn", regime="overfit")]
        runs[role] = [read(path_of(c, KEPT / "fast")) for c in made]
    shown = {}
    for letter, flaw in planted.dealt("04", flaws=FLAWS).items():
        roles = [role for role in runs if (flaw, role) != ("no control", "control")]
        shown[letter] = pd.DataFrame(row(runs[role], flaw, role) for role in roles)
    return shown


def row(runs, flaw, role):
    """What a report with this flaw says of the runs of one condition."""
    when = {"chosen on test": "highest test accuracy", "not yet learnt": "first epoch"}.get(flaw)
    if (flaw, role) == ("another epoch", "base"):
        when = "last epoch"
    when = when or "lowest validation loss"
    histories = [r["curves"]["training"] for r in runs]
    epochs = [EPOCHS[when](history) for history in histories]
    found = {}
    for part in ("train", "validation", "test"):
        found[part] = [history[f"{part}_accuracy"][e] for history, e in zip(histories, epochs, strict=True)]
    train, validation = (np.mean(found[part]) for part in ("train", "validation"))
    images = runs[0]["metrics"]["n_train"] * (1 + ((flaw, role) == ("more images", "guide")))
    return {"run": named(runs[0]["config"]["condition"], short=True), "seeds": len(runs), "images": images,
            "read at": when, "training": percent(train), "validation": percent(validation),
            "gap, points": percent(train - validation, signed=True),
            "test accuracy": percent(*student_t_interval(found["test"]))}
