"""The map of architectures: every family guided by every other, and by another net of its own.

What is asked: how far does a target come to resemble a guide, what does that do for its accuracy, and would a
look at the two untouched nets have told? Each target is trained at two rates on every seed, without a guide
too, and the rate is chosen on validation, for each pair and condition alike.
"""

from pathlib import Path

from .catalogue.architectures import FAMILIES
from .configuration import config
from .initialisations import better
from .kept import KEPT
from .tuning import Log, mean

CONDITIONS = ("base", "untrained", "trained")
RATES = (1e-3, 4e-3)
PLACES = ("target", "guide", "condition")


def study(*, out, seeds, families=tuple(FAMILIES), profile="fast", jobs=2):
    """The log of all runs, a table: a row a pair of families, condition, rate and seed, `chosen` as above.

    misalignment_start, misalignment_end: means over the pairs of layers, on held-out examples in eval mode,
    before training and after it; of a base to the untrained guide that it did without. The log lies in `out`,
    is added to after each run, and what it holds is not run again.
    """
    log = Log(Path(out) / f"architectures-{profile}.csv", found=found)
    rows = []
    for seed in seeds:
        for target in families:
            for guide in families:
                for condition in CONDITIONS:
                    # In an untrained net BatchNorm as in eval is the identity: features are then of any size.
                    norm = "running" if condition == "trained" else "batch"
                    for lr in RATES:
                        made = config("architectures", condition=condition, profile=profile, seed=seed, lr=lr,
                                      family=target, guide_family=guide, guide_norm=norm)
                        facts = {"target": target, "guide": guide, "condition": condition, "lr": lr,
                                 "seed": seed}
                        rows.append((facts, made))
    log.fill(rows, jobs=jobs)
    return better(log.table(), PLACES)


def kept(profile="fast", *, folder=KEPT):
    """The log of the study that the project keeps, as study() returns it, or None without one."""
    path = Path(folder) / "search" / f"architectures-{profile}.csv"
    return better(Log(path).table(), PLACES) if path.exists() else None


def found(record, facts):
    """What the log keeps of a run."""
    probe, metrics = record["curves"]["probe"]["misalignment"], record["metrics"]
    row = {"misalignment_start": mean(probe[0]), "misalignment_end": mean(probe[-1])}
    row |= {name: metrics[name] for name in ("test_accuracy", "validation_accuracy", "status", "steps")}
    device = record["environment"]["device"]
    return row | {"n_test": metrics["n_test"], "device": device, "seconds": record["duration_s"]}
