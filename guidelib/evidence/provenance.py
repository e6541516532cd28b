"""What a figure or a table says of the runs behind it: how many, of what size, made where and by whom."""

import math
from collections import Counter

from .. import tasks
from ..experiments.kept import kept_among, kept_record
from ._commands import code, commands
from .words import named


def basis(records, *, split="test", at_most=math.inf):
    """One line that every figure and table carries: seeds, n, data, profile and device of the records.

    split: of which examples n counts, "test" or "validation"; at_most: how many of them were looked at.

    >>> run = lambda c, seed: {"config": {"condition": c, "seed": seed, "profile": "smoke", "data": "digits"},
    ...                        "metrics": {"n_test": 497}, "environment": {"device": "cpu"}}
    >>> basis([run("base", 0)])
    '1 seed, n = 497 test images (digits), profile smoke, cpu'
    >>> basis([run("base", 0), run("base", 1), run("untrained", 0)])
    '1 to 2 seeds a condition, n = 497 test images (digits), profile smoke, cpu'
    >>> basis([run("base", 0) | {"metrics": {"n_validation": 300}}], split="validation", at_most=256)
    '1 seed, n = 256 validation images (digits), profile smoke, cpu'
    """
    counts = Counter(r["config"]["condition"] for r in records).values()
    low, high = min(counts), max(counts)
    seeds = f"{high} seed{'s' * (high != 1)}" if low == high else f"{low} to {high} seeds a condition"

    def values(part, name):
        return " and ".join(sorted({str(r[part][name]) for r in records}))

    n = " and ".join(sorted({str(min(r["metrics"][f"n_{split}"], at_most)) for r in records}))
    data = values("config", "data")
    profile = values("config", "profile")
    device = values("environment", "device")
    units = {tasks.unit(r["config"]["data"]) for r in records}
    unit = units.pop() if len(units) == 1 else "examples"
    return f"{seeds}, n = {n} {split} {unit} ({data}), profile {profile}, {device}"


def caution(profile):
    """What a reader has to know of a profile before any number: that smoke shows none. "" for the others.

    >>> caution("fast"), caution("smoke").partition(":")[0]
    ('', '**Profile smoke only shows that everything runs**')
    """
    if profile != "smoke":
        return ""
    return ("**Profile smoke only shows that everything runs**: nets of a few layers, a few steps, two "
            "seeds. No number and no verdict below is a result.")


def origin(records, live=(), *, missing=()):
    """How many of these runs are kept records, how many were computed here, and which are missing.

    And by which commands kept ones are made again. live: runs made before the reader's eyes, shown besides.
    missing: Configs, from collect().
    """
    kept = kept_among(records)
    computed = len(records) - len(kept) + len(live)
    text = f"*Runs shown that are records kept with the project: {len(kept)}; computed here: {computed}"
    counts = Counter(config.condition for config in missing)
    lacking = [f"{named(name)} ({count} seed{'s' * (count != 1)})" for name, count in counts.items()]
    if lacking:
        text += f"; missing at this profile: {', '.join(lacking)}"
    return f"{text}.* {again(commands(kept))}".rstrip()


def again(made):
    """A sentence that names the commands by which runs are made again, "" if there is none.

    >>> again(["python -m guidelib compare deep-fcn"])
    '*Made again by `python -m guidelib compare deep-fcn`.*'
    """
    return f"*Made again by {code(made)}.*" if made else ""


def remade(records):
    """Whether runs that were made here are the records that the project keeps of them, to the last bit.

    On another kind of processor or build of torch sums are split otherwise, and a long training drifts apart.
    What records hold since a kept one was made is not compared.
    """
    pairs = [(r, kept_record(r)) for r in records]
    pairs = [(r, kept) for r, kept in pairs if kept is not None]
    if not pairs:
        return "*The project keeps no record of the runs that were made here.*"
    parts = ("config", "metrics", "curves")
    same = sum(all(holds(r[part], kept[part]) for part in parts) for r, kept in pairs)
    text = f"*Of {len(pairs)} runs made here {same} equal the project's records to the last bit"
    if same == len(pairs):
        return text + ".*"

    def where(record):
        return ", ".join(f"{record['environment'][name]}" for name in ("torch", "device_name"))

    theirs = " and ".join(sorted({where(kept) for _, kept in pairs}))
    ours = " and ".join(sorted({where(r) for r, _ in pairs}))
    return f"{text}. They were made with torch {theirs}; these with torch {ours}.*"


def holds(made, kept):
    """Whether everything of a kept dict is in one that was made, the same; it may hold more.

    >>> holds({"a": 1, "b": {"c": 2, "d": 3}}, {"a": 1, "b": {"c": 2}}), holds({"a": 1}, {"a": 1, "b": 2})
    (True, False)
    """
    if not isinstance(kept, dict) or not isinstance(made, dict):
        return made == kept
    return all(name in made and holds(made[name], value) for name, value in kept.items())
