"""The runs on real images, from their records: what each start and guide reaches, beside its base."""

import pandas as pd

from ..experiments import initialisations
from .effects import rival
from .intervals import paired_difference, student_t_interval
from .metrics import METRICS
from .which_layers import METRIC, by_layers, is_tuned, layers_said, scores
from .words import named, shown

EXPERIMENT, PROFILE = "deep-fcn", "overnight"


def real_images(folder):
    """Table of the runs on real images in folder/overnight: a row a condition and choice of guided layers.

    layers: "all", or those that a guide was tied to; tuned: whether its settings were chosen for them. mean,
    low, high: test accuracy, Student-t 95 % over seeds. against: the base that it is set against, one with as
    many steps more after a warm-up; gain, gain_low, gain_high: by how much it is above it, paired by seed.
    seconds: of its runs together. No rows without records.

    >>> len(real_images("nowhere"))
    0
    """
    groups = by_layers(folder, EXPERIMENT, profile=PROFILE)
    bases = [condition for condition, layers in groups if layers == "all"]
    rows = []
    for (condition, layers), found in groups.items():
        values = scores(found)
        against = rival(condition, bases)
        pair = paired_difference(values, scores(groups.get((against, "all"), {})))
        first = next(iter(found.values()))
        device, n = first["environment"]["device"], first["metrics"]["n_test"]
        reached = student_t_interval(values.values())
        seconds = sum(record["duration_s"] for record in found.values())
        rows.append((condition, layers, is_tuned(first["config"]), len(values), n, device, *reached, against,
                     *pair, seconds))
    return pd.DataFrame(rows, columns=["condition", "layers", "tuned", "seeds", "n", "device", "mean", "low",
                                       "high", "against", "gain", "gain_low", "gain_high", "seconds"])


def said(table):
    """The table in markdown, the most accurate first, its differences in points."""
    lines = [f"| | {METRICS[METRIC].words} | more than the base, points | seeds |", "|---|---|---|---|"]
    for r in table.sort_values("mean", ascending=False, kind="stable").itertuples():
        gain = "" if r.condition == r.against else shown(METRIC, r.gain, r.gain_low, r.gain_high, signed=True)
        reached = shown(METRIC, r.mean, r.low, r.high)
        lines.append(f"| {label(r)} | {reached} | {gain} | {r.seeds} |")
    return "\n".join(lines)


def label(row):
    """A row of the table as readers know it: the condition, and its layers if these are not all."""
    which = "" if row.layers == "all" else f", {layers_said(row.layers)} alone"
    return named(row.condition) + which + ", tuned for all layers" * (not row.tuned)


def basis(table):
    """What the table rests on, in a line."""
    low, high = table["seeds"].min(), table["seeds"].max()
    seeds = low if low == high else f"{low} to {high}"
    devices = ", ".join(table["device"].unique())
    runs, hours = table["seeds"].sum(), table["seconds"].sum() / 3600 / 2
    return (f"CIFAR-10, {seeds} seeds, n = {table['n'].iloc[0]} test images, profile {PROFILE}, {devices}; "
            f"{runs} runs, {hours:.1f} hours two at a time")


def starts(folder):
    """The starts among the runs on real images, a table as that of the study of initialisations."""
    groups = by_layers(folder, EXPERIMENT, profile=PROFILE)
    return initialisations.of_records(record for (_, layers), found in groups.items() if layers == "all"
                                      for record in found.values())
