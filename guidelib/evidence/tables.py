"""Tables of run records: a row a run, a row a condition, differences paired by seed, curves by condition."""

import json
import math

import pandas as pd

from .intervals import paired_difference, student_t_interval
from .metrics import of, value


def results(records):
    """Table with one row a run: its names, its seed, the settings that vary, metrics, device, seconds.

    Seeds that follow from `seed` say nothing new and are left out; a setting that a record lacks is empty.
    One that a metric is named like ends in _set: `epochs_set` were asked for, `epochs` were run.
    """
    names = ["experiment", "condition", "profile", "regime", "seed"]
    settings = varying([r["config"] for r in records])
    names += [name for name in settings if name not in names]
    taken = {name for r in records for name in r["metrics"]}
    rows = []
    for r in records:
        row = {}
        for name in names:
            column = f"{name}_set" if name in taken else name
            row[column] = r["config"].get(name)
        row |= r["metrics"]
        row["device"] = r["environment"]["device"]
        row["duration_s"] = r["duration_s"]
        rows.append(row)
    return pd.DataFrame(rows)


def varying(configs):
    """The settings that are not the same in all of these dicts, in their order.

    >>> varying([{"lr": 0.1, "seed": 0, "order_seed": 2000}, {"lr": 0.2, "seed": 1, "order_seed": 2001}])
    ['lr', 'seed']
    """
    def follows(name):
        """Whether a seed is always as far from `seed`."""
        if not all(name in c for c in configs):
            return False
        return len({c[name] - c["seed"] for c in configs}) == 1

    names = dict.fromkeys(name for c in configs for name in c)
    found = []
    for name in names:
        values = {json.dumps(c.get(name)) for c in configs}
        if len(values) > 1 and not (name.endswith("_seed") and follows(name)):
            found.append(name)
    return found


def summary(records, *, metric="test_accuracy"):
    """Table with one row a condition, in the order of the records: mean, low, high, seeds, n.

    low and high are Student-t 95 % over seeds; a condition of one seed has no interval (NaN), and one whose
    runs have no finite value no mean. n is the number
    of test examples behind each value.
    """
    conditions = dict.fromkeys(r["config"]["condition"] for r in records)
    rows = []
    for condition in conditions:
        values = values_of(records, condition, metric)
        mean, low, high = student_t_interval(values.values()) if values else (math.nan,) * 3
        n = of(records, condition)[0]["metrics"]["n_test"]
        rows.append((condition, mean, low, high, len(values), n))
    return pd.DataFrame(rows, columns=["condition", "mean", "low", "high", "seeds", "n"])


def difference(records, condition, against, *, metric="test_accuracy"):
    """(mean, low, high) of a metric in one condition minus another, as measured, over the seeds both have."""
    ours = values_of(records, condition, metric)
    theirs = values_of(records, against, metric)
    return paired_difference(ours, theirs)


def values_of(records, condition, metric):
    """{seed: value} of a metric in one condition; ValueError if it was not run or two runs share a seed."""
    chosen = of(records, condition)
    if not chosen:
        known = sorted({r["config"]["condition"] for r in records})
        raise ValueError(f"no run of {condition!r} among {known}")
    values = {r["config"]["seed"]: value(r, metric) for r in chosen}
    if len(values) < len(chosen):
        raise ValueError(f"{len(chosen)} runs of {condition!r} share {len(values)} seeds: "
                         "they differ in other settings, compare them apart")
    return {seed: v for seed, v in values.items() if v is not None}


def histories(records):
    """{condition: [a table of training curves a seed]}: columns epoch, train_loss, validation_loss, ..."""
    tables = {}
    for r in records:
        mine = tables.setdefault(r["config"]["condition"], [])
        mine.append(pd.DataFrame(r["curves"]["training"]))
    return tables


def dimensions(records, condition, when):
    """[effective dimension by layer, a table a seed] of a condition.

    when: "start", "warmed up" or "end"; seeds whose record has none are left out.
    """
    curves = [r["curves"]["dimension"] for r in of(records, condition)]
    return [pd.DataFrame({"effective_dimension": curve[when]}) for curve in curves if when in curve]
