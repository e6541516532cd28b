"""The study of initialisations: how a deep net begins, at several sizes, and what it then reaches.

Every start is a condition that has no guide while it is trained. Each is trained at two rates on every seed,
and the rate is chosen on validation, for each start and size alike. What is asked: is there one number,
before training, that tells what a start is worth?
"""

from pathlib import Path

import pandas as pd

from .configuration import config
from .kept import KEPT
from .tuning import Log

STARTS = {  # label: (condition, settings)
    "default": ("base", {}),
    "orthogonal": ("base", {"init": "orthogonal"}),
    "looks-linear": ("base", {"init": "looks-linear"}),
    "biases at 0.5": ("base", {"shift": 0.5}),
    "biases at 1": ("base", {"shift": 1.0}),
    "biases at 2": ("base", {"shift": 2.0}),
    "balanced on noise": ("balanced-init", {}),
    "warm-up, untrained guide": ("untrained-warm-up", {}),
    "warm-up, shuffled": ("shuffled-warm-up", {}),
    "warm-up, identity": ("identity-warm-up", {}),
    "warm-up, the input's Gram matrix": ("data-gram-warm-up", {}),
    "moved as far": ("moved-as-far", {}),
}
# Digits at random places are harder: fewer layers, and four times as many steps, so that starts can differ.
PLACED = {"data": "placed-digits", "canvas": 16, "copies": 2, "train": 1000, "epochs": 40}
SIZES = (  # what differs from deep-fcn at `fast`
    {"depth": 50, "width": 128}, {"depth": 20, "width": 128}, {"depth": 100, "width": 128},
    {"depth": 50, "width": 512}, {"depth": 20, "width": 128} | PLACED,
)
RATES = (1e-3, 5e-3)
WARM_UP_RATE = 1e-3
PLACES = ("data", "depth", "width", "start")


def study(*, out, seeds, sizes=SIZES, starts=tuple(STARTS), profile="fast", jobs=2):
    """The log of all runs, a table: a row a size, start, rate and seed, those of the better rate marked.

    gradient_ratio: of the task's gradient, first over last hidden layer, before training; geometry: CKA of
    the last hidden layer with the inputs, then; both are the last look before the first step on data. The log
    lies in `out`, is added to after each run, and what it holds is not run again.
    """
    log = Log(Path(out) / f"initialisations-{profile}.csv", found=found)
    rows = []
    for size in sizes:
        for start in starts:
            condition, settings = STARTS[start]
            for lr in RATES:
                for seed in seeds:
                    made = config("deep-fcn", condition=condition, profile=profile, seed=seed, lr=lr,
                                  warm_up_lr=WARM_UP_RATE, **size | settings)
                    facts = {"data": made.data, "depth": made.depth, "width": made.width, "start": start,
                             "condition": condition, "lr": lr, "seed": seed}
                    rows.append((facts, made))
    log.fill(rows, jobs=jobs)
    return better(log.table(), PLACES)


def kept(profile="fast"):
    """The log of the study that the project keeps, as study() returns it, or None without one."""
    path = KEPT / "search" / f"initialisations-{profile}.csv"
    return better(Log(path).table(), PLACES) if path.exists() else None


def of_records(records):
    """The table of study() of records that were made without it, each at the rate of its condition.

    Of a condition that is no start nothing is taken.
    """
    names = {condition: start for start, (condition, settings) in STARTS.items() if not settings}
    names["shifted-init"] = "biases at 1"
    rows = []
    for record in records:
        mine = record["config"]
        if mine["condition"] in names:
            facts = {name: mine[name] for name in ("data", "depth", "width", "condition", "lr", "seed")}
            facts |= {"start": names[mine["condition"]], "chosen": True}
            rows.append(facts | found(record, facts))
    return pd.DataFrame(rows)


def found(record, facts):
    """What the log keeps of a run."""
    probe, metrics = record["curves"]["probe"], record["metrics"]
    at = 1 if "warmed up" in probe["moments"] else 0
    first, *_, last = probe["gradient"][at][:-1]
    ratio = first / last if first is not None and last else None  # None: it diverged
    names = ("test_accuracy", "validation_accuracy", "status", "steps")
    row = {"gradient_ratio": ratio, "geometry": probe["geometry"][at][-2]}
    row |= {name: metrics[name] for name in names}
    device = record["environment"]["device"]
    return row | {"n_test": metrics["n_test"], "device": device, "seconds": record["duration_s"]}


def better(table, places):
    """The table with a column `chosen`: whether a row has the rate that is better on validation.

    By the mean over the seeds, for rows that are alike in the columns `places`.

    >>> import pandas as pd
    >>> rows = [{"start": "default", "lr": lr, "validation_accuracy": lr} for lr in (0.1, 0.2)]
    >>> better(pd.DataFrame(rows), ["start"])["chosen"].tolist()
    [False, True]
    """
    places = list(places)
    means = table.groupby([*places, "lr"])["validation_accuracy"].mean().reset_index()
    best = means.sort_values("validation_accuracy").drop_duplicates(places, keep="last")
    best = best[[*places, "lr"]].assign(chosen=True)
    merged = table.drop(columns="chosen", errors="ignore").merge(best, how="left", on=[*places, "lr"])
    return merged.assign(chosen=merged["chosen"].fillna(False).astype(bool))
