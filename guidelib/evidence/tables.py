"""Tables of run records: one row a run, one row a condition, differences paired by seed, curves by condition."""

import json

import pandas as pd

from .intervals import paired_difference, student_t_interval
from .metrics import of, value


def results(records):
    """Table with one row a run: experiment, condition, profile, regime, seed, settings that vary, metrics, device, seconds.

    Seeds that follow from `seed` say nothing new and are left out; a setting that a record lacks is empty.
    One that a metric is named like ends in _set: `epochs_set` were asked for, `epochs` were run.
    """
    names = ["experiment", "condition", "profile", "regime", "seed"]
    names += [name for name in varying([r["config"] for r in records]) if name not in names]
    taken = {name for r in records for name in r["metrics"]}
    rows = []
    for r in records:
        settings = {f"{name}_set" if name in taken else name: r["config"].get(name) for name in names}
        rows.append(settings | r["metrics"] | {"device": r["environment"]["device"], "duration_s": r["duration_s"]})
    return pd.DataFrame(rows)


def varying(configs):
    """The settings that are not the same in all of these dicts, in their order.

    >>> varying([{"lr": 0.1, "seed": 0, "order_seed": 2000}, {"lr": 0.2, "seed": 1, "order_seed": 2001}])
    ['lr', 'seed']
    """
    def follows(name):
        """Whether a seed is always as far from `seed`."""
        return len({c[name] - c["seed"] if name in c else None for c in configs}) == 1

    found = []
    for name in dict.fromkeys(name for c in configs for name in c):
        differs = len({json.dumps(c.get(name)) for c in configs}) > 1
        if differs and not (name.endswith("_seed") and follows(name)):
            found.append(name)
    return found


def summary(records, *, metric="test_accuracy"):
    """Table with one row a condition, in the order of the records: mean, low, high (Student-t 95 % over seeds), seeds, n.

    n is the number of test examples behind each value. A condition of one seed has no interval (NaN).
    """
    rows = []
    for condition in dict.fromkeys(r["config"]["condition"] for r in records):
        values = values_of(records, condition, metric)
        mean, low, high = student_t_interval(values.values())
        n = of(records, condition)[0]["metrics"]["n_test"]
        rows.append((condition, mean, low, high, len(values), n))
    return pd.DataFrame(rows, columns=["condition", "mean", "low", "high", "seeds", "n"])


def difference(records, condition, against, *, metric="test_accuracy"):
    """(mean, low, high) of a metric in one condition minus another, as measured, over the seeds that both have."""
    return paired_difference(values_of(records, condition, metric), values_of(records, against, metric))


def values_of(records, condition, metric):
    """{seed: value} of a metric in one condition; ValueError if it was not run, or if two runs share a seed."""
    chosen = of(records, condition)
    if not chosen:
        known = sorted({r["config"]["condition"] for r in records})
        raise ValueError(f"no run of {condition!r} among {known}")
    values = {r["config"]["seed"]: value(r, metric) for r in chosen}
    if len(values) < len(chosen):
        raise ValueError(f"{len(chosen)} runs of {condition!r} share {len(values)} seeds: they differ in other settings, "
                         "compare them apart")
    return {seed: v for seed, v in values.items() if v is not None}


def histories(records):
    """{condition: [its training curves as a table, one a seed]}: columns epoch, train_loss, validation_loss, ..."""
    tables = {}
    for r in records:
        tables.setdefault(r["config"]["condition"], []).append(pd.DataFrame(r["curves"]["training"]))
    return tables


def dimensions(records, condition, when):
    """[effective dimension by layer, a table, one a seed] of a condition at "start", "warmed up" or "end"; [] without."""
    curves = [r["curves"]["dimension"] for r in of(records, condition)]
    return [pd.DataFrame({"effective_dimension": curve[when]}) for curve in curves if when in curve]
