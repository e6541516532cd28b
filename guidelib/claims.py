"""What the numbers say, in words and tables made from run records: no sentence about a result is typed by hand.

An effect is a difference between two conditions, paired by seed; a control is compared under the same schedule.
"""

import json
from pathlib import Path

IMAGES = ("digits", "cifar10", "imagenet")
CONTROLS = ("identity", "data-gram", "shuffled", "same-family", "other-family", "fresh-noise")

LABELS = {
    "base": "base: no guide",
    "base-tuned": "base, tuned",
    "shifted-init": "no guide, BatchNorm biases start at 1",
    "guide-alone": "the guide's own architecture, trained alone",
    "base-residual": "base with skips (another network)",
    "distilled": "distilled, trained teacher",
    "distilled-untrained": "distilled, untrained teacher",
    "sp-trained": "similarity-preserving, trained teacher",
    "sp-untrained": "similarity-preserving, untrained teacher",
    "trained": "trained guide", "untrained": "untrained guide", "identity": "control: identity Gram matrix",
    "data-gram": "control: the input's own Gram matrix", "shuffled": "control: shuffled examples",
    "same-family": "control: random net of the target's family", "other-family": "control: random Transformer",
    "fresh-noise": "control: noise features",
}
LABELS |= {f"{guide}-{schedule}": f"{LABELS[guide]}, {words}" for guide in ("trained", "untrained", *CONTROLS)
           for schedule, words in (("warm-up", "warm-up"), ("stopped", "then stopped"), ("noise-fed", "fed noise"))}


def role(condition):
    """What a condition is in a comparison: "base", "guided", "control", "distilled" or "reference".

    >>> role("identity-warm-up"), role("untrained"), role("base-tuned")
    ('control', 'guided', 'base')
    """
    if condition.startswith("base"):
        return "base"
    if condition in ("guide-alone", "shifted-init"):
        return "reference"
    if condition.startswith(("distilled", "sp-")):
        return "distilled"
    return "control" if condition.startswith(CONTROLS) else "guided"


def percent(mean, low=None, high=None, *, signed=False):
    """A share in per cent, with its interval if there is one.

    >>> percent(0.4211, 0.4, 0.45), percent(-0.05, signed=True)
    ('42.1 % (40.0 to 45.0)', '-5.0')
    """
    number = f"{100 * mean:+.1f}" if signed else f"{100 * mean:.1f} %"
    return number if low is None or low != low else f"{number} ({100 * low:{'+' if signed else ''}.1f} to {100 * high:{'+' if signed else ''}.1f})"


def setting(records):
    """One line that every figure and table carries: seeds, n, profile, data and device of the records.

    >>> setting([{"config": {"seed": 0, "profile": "smoke", "data": "digits"}, "metrics": {"n_test": 497}, "environment": {"device": "cpu"}}])
    '1 seed, n = 497 test images (digits), profile smoke, cpu'
    """
    seeds = len({r["config"]["seed"] for r in records})
    value = {name: " and ".join(sorted({str(r[part][name]) for r in records}))
             for part, name in (("config", "profile"), ("config", "data"), ("metrics", "n_test"), ("environment", "device"))}
    kind = "images" if all(r["config"]["data"] in IMAGES for r in records) else "examples"
    return (f"{seeds} seed{'s' * (seeds != 1)}, n = {value['n_test']} test {kind} ({value['data']}), "
            f"profile {value['profile']}, {value['device']}")


def effect(records, condition, *, against, metric="test_accuracy"):
    """(mean, low, high) of condition minus `against`, paired by seed; NaN bounds for one seed."""
    from .experiments import difference

    return difference(records, condition, against, metric=metric)


def best(records, conditions, *, metric="validation_accuracy"):
    """Of several conditions the one with the highest mean of `metric`, chosen on validation unless told otherwise.

    >>> run = lambda c, v: {"config": {"condition": c}, "metrics": {"validation_accuracy": v}}
    >>> best([run("base", 0.1), run("base-tuned", 0.8)], ["base", "base-tuned"])
    'base-tuned'
    """
    def mean(condition):
        values = [r["metrics"][metric] for r in records if r["config"]["condition"] == condition]
        return sum(values) / len(values) if values else float("-inf")

    return max(conditions, key=mean)


def row(records, claim, condition, *, paper, base, controls=(), metric="test_accuracy"):
    """One line of the table "paper, ours, interval, control": the effect of a condition, and of its strongest control.

    The verdict follows from the two intervals by rule (guidelib.statistics.verdict): never by hand. paper: what the paper reports, in words.
    """
    from .experiments import summary
    from .statistics import verdict

    controls = [c for c in controls if any(r["config"]["condition"] == c for r in records)]
    ours = summary(records, metric=metric).set_index("condition").loc[condition]
    gain = effect(records, condition, against=base, metric=metric)
    strongest = best(records, controls, metric=metric) if controls else None
    over = effect(records, condition, against=strongest, metric=metric) if strongest else None
    return {
        "claim": claim, "paper": paper, "condition": condition, "ours": ours["mean"], "low": ours["low"], "high": ours["high"],
        "seeds": int(ours["seeds"]), "n": int(ours["n"]), "base": base, "gain": gain[0], "gain_low": gain[1], "gain_high": gain[2],
        "control": strongest, "over_control": over and over[0], "over_control_low": over and over[1], "over_control_high": over and over[2],
        "verdict": verdict(gain, over),
    }


def readable(rows):
    """The rows as a table for people: percentages with their intervals, in the order paper, ours, control, verdict."""
    import pandas as pd

    lines = []
    for r in rows:
        control = "none" if r["control"] is None else \
            f"{LABELS.get(r['control'], r['control'])}: {percent(r['over_control'], r['over_control_low'], r['over_control_high'], signed=True)}"
        lines.append({"claim": r["claim"], "paper": r["paper"], "ours": percent(r["ours"], r["low"], r["high"]),
                      f"over {LABELS.get(r['base'], r['base'])}": percent(r["gain"], r["gain_low"], r["gain_high"], signed=True),
                      "over the strongest control": control, "verdict": r["verdict"]})
    return pd.DataFrame(lines).fillna("")


def sentence(r):
    """A row of the table as a sentence, true at any profile because it is made from the numbers.

    >>> sentence({"condition": "untrained", "ours": 0.5, "low": 0.4, "high": 0.6, "base": "base", "gain": 0.4, "gain_low": 0.3,
    ...           "gain_high": 0.5, "control": None, "verdict": "holds", "claim": "c"})
    'untrained guide reaches 50.0 % (40.0 to 60.0), +40.0 (+30.0 to +50.0) points over base: no guide; no control was run. Verdict by rule: **holds**.'
    """
    text = (f"{LABELS.get(r['condition'], r['condition'])} reaches {percent(r['ours'], r['low'], r['high'])}, "
            f"{percent(r['gain'], r['gain_low'], r['gain_high'], signed=True)} points over {LABELS.get(r['base'], r['base'])}; ")
    if r["control"] is None:
        text += "no control was run."
    else:
        over = percent(r["over_control"], r["over_control_low"], r["over_control_high"], signed=True)
        text += f"against the strongest of its controls, {LABELS.get(r['control'], r['control'])}, it is {over} points."
    return f"{text} Verdict by rule: **{r['verdict']}**."


def save(rows, notebook, *, profile, out):
    """Write the table of a notebook to OUT/tables/NOTEBOOK.json, beside its figures; returns the path."""
    path = Path(out) / "tables" / f"{notebook}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"notebook": notebook, "profile": profile, "rows": rows}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path
