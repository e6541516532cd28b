"""Tables of run records: one row a run, one row a condition, and differences paired by seed."""

import json

from .intervals import paired_difference, student_t_interval


def results(records):
    """Table with one row a run: experiment, condition, profile, regime, seed and each setting that varies, metrics, device and seconds.

    Seeds that follow from `seed` say nothing new and are left out; a setting that a record lacks is empty. One that a metric is named
    like ends in _set: `epochs_set` were asked for, `epochs` were run.
    """
    import pandas as pd

    names = ("experiment", "condition", "profile", "regime", "seed")
    names += tuple(name for name in varying([r["config"] for r in records]) if name not in names)
    taken = {name for r in records for name in r["metrics"]}
    settings = [{f"{name}_set" if name in taken else name: r["config"].get(name) for name in names} for r in records]
    rows = [s | r["metrics"] | {"device": r["environment"]["device"], "duration_s": r["duration_s"]} for s, r in zip(settings, records, strict=True)]
    return pd.DataFrame(rows)


def varying(configs):
    """The settings that are not the same in all of these dicts, in their order.

    >>> varying([{"lr": 0.1, "seed": 0, "order_seed": 2000}, {"lr": 0.2, "seed": 1, "order_seed": 2001}])
    ['lr', 'seed']
    """
    names = dict.fromkeys(name for c in configs for name in c)
    seen = {name: {json.dumps(c.get(name)) for c in configs} for name in names}
    follows = {name for name in names if name.endswith("_seed") and len({c[name] - c["seed"] if name in c else None for c in configs}) == 1}
    return [name for name in names if len(seen[name]) > 1 and name not in follows]


def summary(records, *, metric="test_accuracy"):
    """Table with one row a condition, in the order of the records: mean, low, high (Student-t 95 % over seeds), seeds, n.

    n is the number of test examples behind each value. A condition of one seed has no interval (NaN).
    """
    import pandas as pd


    rows = []
    for condition in dict.fromkeys(r["config"]["condition"] for r in records):
        values = values_of(records, condition, metric)
        mean, low, high = student_t_interval(values.values())
        n = next(r["metrics"]["n_test"] for r in records if r["config"]["condition"] == condition)
        rows.append({"condition": condition, "mean": mean, "low": low, "high": high, "seeds": len(values), "n": n})
    return pd.DataFrame(rows)


def difference(records, condition, against, *, metric="test_accuracy"):
    """(mean, low, high) of a metric in one condition minus another, paired by seed."""

    return paired_difference(values_of(records, condition, metric), values_of(records, against, metric))


def values_of(records, condition, metric):
    """{seed: value} of a metric in one condition; ValueError if it was not run, or if two runs share a seed."""
    chosen = [r for r in records if r["config"]["condition"] == condition]
    if not chosen:
        raise ValueError(f"no run of {condition!r} among {sorted({r['config']['condition'] for r in records})}")
    values = {r["config"]["seed"]: r["metrics"][metric] for r in chosen}
    if len(values) < len(chosen):
        raise ValueError(f"{len(chosen)} runs of {condition!r} share {len(values)} seeds: they differ in other settings, compare them apart")
    return values
