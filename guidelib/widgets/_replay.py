"""A training run as it went: misalignment by layer at an epoch, beside the accuracy until then."""

import numpy as np

from ..evidence import named
from ..figures import DASHED, PALETTE, SHARES
from ._explorer import Explorer


def replay(records):
    """Misalignment of each layer pair and validation accuracy, of one run a condition, epoch by epoch.

    records: of guided runs; the first of each condition is shown. ValueError without one.
    """
    runs = {}
    for r in records:
        if r["curves"]["probe"]["misalignment"][0]:
            runs.setdefault(named(r["config"]["condition"], short=True), r)
    if not runs:
        raise ValueError(f"none of {len(records)} records is of a guided run: pass runs of a condition with "
                         "a guide, such as 'untrained'")
    looks = {name: looked_at(r) for name, r in runs.items()}
    epochs = sorted(set.intersection(*(set(found) for found in looks.values())))
    conditions = list(runs)

    def draw(panels):
        pairs, curve = panels
        (before,) = pairs.plot([], [], color=PALETTE["base"], linestyle="--", label="at the start")
        (now,) = pairs.plot([], [], color=PALETTE["guided"], label="at this epoch")
        pairs.set(title="misalignment, 1 - CKA", xlabel="layer pair, input to output", ylim=(0, 1.4),
                  xlim=(0, 1 + max(len(found[0]) for found in looks.values())))
        pairs.set_yticks(np.linspace(0, 1, 6))  # what lies above is room for the legend
        pairs.legend(loc="upper right", fontsize="small")
        curve.axhline(100 * max(r["metrics"]["chance"] for r in runs.values()), **DASHED)
        (whole,) = curve.plot([], [], color=PALETTE["base"], alpha=0.3)
        (until,) = curve.plot([], [], color=PALETTE["guided"], marker="o", markersize=3)
        curve.set(title="validation accuracy (%)", xlabel="epoch", ylim=SHARES,
                  xlim=(0, 1 + max(len(reached(r)) for r in runs.values())))

        def move(condition, epoch):
            start, here = looks[condition][0], looks[condition][epoch]
            accuracy = reached(runs[condition])
            for line, values in ((before, start), (now, here), (whole, accuracy), (until, accuracy[:epoch])):
                line.set_data(range(1, len(values) + 1), values)
            seed = runs[condition]["config"]["seed"]
            said = f", accuracy {accuracy[epoch - 1]:.0f} %" if epoch else ""
            return (f"{condition}, seed {seed}, after {epoch} of {len(accuracy)} epochs: mean misalignment "
                    f"{np.mean(here):.2f} (at the start {np.mean(start):.2f}){said}.")

        return [before, now, whole, until], move

    return Explorer(
        draw, controls={"condition": ("guide", conditions), "epoch": ("epoch", epochs)}, panels=2,
        frames=[{"condition": name, "epoch": epochs[-1]} for name in conditions],
        alt="Misalignment by layer pair, and validation accuracy by epoch.")


def reached(record):
    """Validation accuracy in per cent, by epoch."""
    return [100 * accuracy for accuracy in record["curves"]["training"]["validation_accuracy"]]


def looked_at(record):
    """{epoch: misalignment of each pair} of a run, its start as epoch 0."""
    probe = record["curves"]["probe"]
    found = {}
    for moment, values in zip(probe["moments"], probe["misalignment"], strict=True):
        if moment == "start" or isinstance(moment, int):
            found[0 if moment == "start" else moment] = values
    return found
