"""Which layers to guide: what a target reaches whose first or last layers alone are tied to a guide."""

from pathlib import Path

import pandas as pd

from ..guidance.pairing import ENDS
from .intervals import paired_difference, student_t_interval
from .matching import one_a_seed, runs, tuned_for
from .metrics import METRICS
from .words import named, shown

METRIC = "test_accuracy"
CONTROL = "data-gram"  # which of the controls is tied to the same layers


def reached(folder, experiment, *, condition="untrained", profile="fast"):
    """Table of an experiment's runs in folder/PROFILE whose guide is tied to some layers alone, and to all.

    layers: "all", "first-k" or "last-k"; count: k, 0 for all. tuned: whether rate and dose were chosen for
    these. mean, low, high: test accuracy, Student-t 95 % over seeds; gain, gain_low, gain_high: how far it is
    above the base, paired by seed. No rows where no run has some layers alone.

    >>> len(reached("nowhere", "deep-fcn"))
    0
    """
    groups = by_layers(folder, experiment, profile=profile)
    base = scores(groups.get(("base", "all"), {}))
    rows = []
    for (name, layers), found in groups.items():
        end = ENDS.fullmatch(layers)
        if name != condition or not end and layers != "all":
            continue
        first = next(iter(found.values()))
        values = scores(found)
        rows.append((layers, int(end[2]) if end else 0, is_tuned(first["config"]),
                     len(values), first["metrics"]["n_test"], first["environment"]["device"],
                     *student_t_interval(values.values()), *paired_difference(values, base)))
    table = pd.DataFrame(rows, columns=["layers", "count", "tuned", "seeds", "n", "device", "mean", "low",
                                        "high", "gain", "gain_low", "gain_high"])
    return table if table["count"].any() else table[:0]


def over_control(folder, experiment, *, condition="untrained", profile="fast"):
    """How far a guide of some layers alone is above CONTROL, tied to the same: a sentence a choice of layers.

    Paired by seed; [] where the control was tied to no choice.

    >>> over_control("nowhere", "deep-fcn")
    []
    """
    groups = by_layers(folder, experiment, profile=profile)
    choices = [layers for name, layers in groups if name == CONTROL and layers != "all"]
    lines = []
    for layers in sorted(choices, key=lambda layers: (layers.startswith("last"), layers)):
        both = [scores(groups.get((name, layers), {})) for name in (condition, CONTROL)]
        if set(both[0]) & set(both[1]):
            gap = shown(METRIC, *paired_difference(*both), signed=True)
            lines.append(f"{layers_said(layers)}: {named(condition)} minus {named(CONTROL)} {gap} points")
    return lines


def by_layers(folder, experiment, *, profile):
    """{(condition, layers): {seed: record}} of the runs that differ from their condition in layers alone."""
    folder = Path(folder) / profile
    kept = runs(folder, experiment=experiment) if folder.is_dir() else []
    mine = [run for run in kept if not run.left_out and run.config["regime"] == "untrainable"
            and run.changed <= {"layers"}]
    groups = {}
    for run in mine:
        groups.setdefault((run.config["condition"], run.config["layers"]), []).append(run)
    return {key: one_a_seed(found) for key, found in groups.items()}


def is_tuned(config):
    """Whether rate and dose of a run were chosen for the layers that its guide is tied to."""
    return config["layers"] == "all" or "layers" in tuned_for(config)


def scores(found):
    """{seed: test accuracy} of {seed: record}, without the runs that have none."""
    return {seed: value for seed, record in found.items()
            if (value := record["metrics"][METRIC]) is not None}


def said(table, control=None):
    """The table in markdown, the first layers first, all of them in the middle; then that of CONTROL, if any.

    >>> row = {"layers": "last-1", "count": 1, "tuned": True, "seeds": 10, "mean": 0.4, "low": 0.3,
    ...        "high": 0.5, "gain": 0.1, "gain_low": 0.0, "gain_high": 0.2}
    >>> print(said(pd.DataFrame([row])).splitlines()[-1])
    | the last layer | 40.0 % (30.0 to 50.0) | +10.0 (+0.0 to +20.0) | 10 |
    """
    lines = [f"| guided | {METRICS[METRIC].words} | more than the base, points | seeds |",
             "|---|---|---|---|"]
    parts = {"": table} if control is None or control.empty else {"": table, f"{named(CONTROL)}, ": control}
    for words, part in parts.items():
        for r in ordered(part).itertuples():
            gain = shown(METRIC, r.gain, r.gain_low, r.gain_high, signed=True)
            untuned = "" if r.tuned else ", tuned for all layers"
            lines.append(f"| {words}{layers_said(r.layers)}{untuned} | "
                         f"{shown(METRIC, r.mean, r.low, r.high)} | {gain} | {r.seeds} |")
    return "\n".join(lines)


def basis(table):
    """What a table rests on, in a line."""
    low, high = table["seeds"].min(), table["seeds"].max()
    seeds = low if low == high else f"{low} to {high}"
    devices = ", ".join(table["device"].unique())
    return f"{seeds} seeds, n = {table['n'].iloc[0]} test examples, {devices}"


def ordered(table):
    """From the first layer alone over all layers to the last one alone."""
    last = table["layers"].str.startswith("last")
    place = table["count"].where(~last, -table["count"])
    group = last.astype(int).where(table["count"] != 0, 0.5)
    return table.loc[pd.DataFrame({"group": group, "place": place}).sort_values(["group", "place"]).index]


def layers_said(layers):
    """Which layers are guided.

    >>> layers_said("first-1"), layers_said("last-5"), layers_said("all")
    ('the first layer', 'the last 5 layers', 'all layers')
    """
    end = ENDS.fullmatch(layers)
    if not end:
        return f"{layers} layers"
    return f"the {end[1]} layer" if end[2] == "1" else f"the {end[1]} {end[2]} layers"
