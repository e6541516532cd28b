"""What the numbers say, in words and tables made from run records: no sentence about a result is typed by hand.

An effect is a difference between two conditions, paired by seed; a control is compared at the same timing.
"""

import json
import re
from collections import Counter
from pathlib import Path

from ..experiments.conditions import CONDITIONS, find_condition
from ..files import write_whole

IMAGES = ("digits", "cifar10", "imagenet")


def role(condition):
    """What a condition is in a comparison: "base", "guided", "control", "distilled" or "reference".

    >>> role("identity-warm-up"), role("untrained"), role("base-tuned")
    ('control', 'guided', 'base')
    """
    return find_condition(condition).role


def named(condition):
    """A condition as readers know it.

    >>> named("untrained-warm-up"), named("base (orthogonal)")
    ('untrained guide, warm-up', 'base without a guide (orthogonal)')
    """
    return find_condition(condition).label


def percent(mean, low=None, high=None, *, signed=False, share=True):
    """A share in per cent, with its interval if there is one, cut where no share can be; signed: a difference in points. share=False cuts nothing.

    >>> percent(0.4211, 0.4, 0.45), percent(-0.05, signed=True), percent(0.2, -0.8, 1.2)
    ('42.1 % (40.0 to 45.0)', '-5.0', '20.0 % (0.0 to 100.0)')
    """
    if share and not signed and low is not None and low == low:
        low, high = max(low, 0.0), min(high, 1.0)
    number = f"{100 * mean:+.1f}" if signed else f"{100 * mean:.1f} %"
    return number if low is None or low != low else f"{number} ({100 * low:{'+' if signed else ''}.1f} to {100 * high:{'+' if signed else ''}.1f})"


def basis(records):
    """One line that every figure and table carries: seeds a condition, n, profile, data and device of the records.

    >>> run = lambda c, seed: {"config": {"condition": c, "seed": seed, "profile": "smoke", "data": "digits"}, "metrics": {"n_test": 497},
    ...                        "environment": {"device": "cpu"}}
    >>> basis([run("base", 0)])
    '1 seed, n = 497 test images (digits), profile smoke, cpu'
    >>> basis([run("base", 0), run("base", 1), run("untrained", 0)])
    '1 to 2 seeds a condition, n = 497 test images (digits), profile smoke, cpu'
    """
    counts = sorted(Counter(r["config"]["condition"] for r in records).values())
    low, high = counts[0], counts[-1]
    seeds = f"{high} seed{'s' * (high != 1)}" if low == high else f"{low} to {high} seeds a condition"
    value = {name: " and ".join(sorted({str(r[part][name]) for r in records}))
             for part, name in (("config", "profile"), ("config", "data"), ("metrics", "n_test"), ("environment", "device"))}
    kind = "images" if all(r["config"]["data"] in IMAGES for r in records) else "examples"
    return f"{seeds}, n = {value['n_test']} test {kind} ({value['data']}), profile {value['profile']}, {value['device']}"


def effect(records, condition, *, against, metric="test_accuracy"):
    """(mean, low, high) of condition minus `against`, paired by seed; NaN bounds for one seed."""
    from . import difference

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
    """One line of the table "paper, ours, interval, control": the effect of a condition, the control that comes nearest, and the verdict.

    The verdict follows by the rules of guidelib.evidence and guidelib.evidence.verdict from all records given, those of "base" and of
    "guide-alone" among them where they are there: never by hand. paper: what the paper reports, in words.
    """
    from . import gates, summary
    from .intervals import nearest, verdict

    def of(name):
        return [r for r in records if r["config"]["condition"] == name]

    controls = [c for c in controls if of(c)]
    ours = summary(records, metric=metric).set_index("condition").loc[condition]
    gain = effect(records, condition, against=base, metric=metric)
    over = {c: effect(records, condition, against=c, metric=metric) for c in controls}
    control = nearest(over) or None
    near = over.get(control, (None,) * 3)
    guided = role(condition) == "guided"
    untested = gates.untested(of(condition), of("base"), against=of(base), alone=of("guide-alone"), premise=guided,
                              metric=metric if metric.startswith("test_") else "test_accuracy")
    return {
        "claim": claim, "paper": paper, "condition": condition, "ours": ours["mean"], "low": ours["low"], "high": ours["high"],
        "seeds": int(ours["seeds"]), "n": int(ours["n"]), "base": base, "gain": gain[0], "gain_low": gain[1], "gain_high": gain[2],
        "control": control, "over_control": near[0], "over_control_low": near[1], "over_control_high": near[2],
        "verdict": verdict(gain, over, untested=untested, aligned=gates.fell(of(condition)) if guided else None),
    }


def readable(rows):
    """The rows as a table for people: percentages with their intervals, in the order paper, ours, base, control, verdict."""
    import pandas as pd

    lines = []
    for r in rows:
        over = "" if r["control"] is None else percent(r["over_control"], r["over_control_low"], r["over_control_high"], signed=True)
        gain = percent(r["gain"], r["gain_low"], r["gain_high"], signed=True)
        lines.append({"claim": r["claim"], "verdict": in_words(r["verdict"]), "paper": r["paper"], "ours": percent(r["ours"], r["low"], r["high"]),
                      "over the base": f"{gain} over {named(r['base'])}", "nearest control": "none" if r["control"] is None else named(r["control"]),
                      "over that control": over})
    return pd.DataFrame(lines)


def table(rows):
    """The rows as an HTML table that a notebook shows whole: no cell is cut, text stands to the left, no column numbers the rows."""
    import pandas as pd
    from IPython.display import HTML

    with pd.option_context("display.max_colwidth", None):
        html = readable(rows).to_html(index=False, border=0)
    for tag in ("th", "td"):  # written into each cell, since JupyterLab, the book and other viewers have styles of their own
        html = html.replace(f"<{tag}>", f'<{tag} style="text-align: left; vertical-align: top; padding: 0.4em 0.7em">')
    return HTML(html)


def in_words(verdict):
    """A verdict with its controls as readers know them.

    >>> in_words("holds, not told apart from: identity-warm-up; better: shuffled-warm-up")
    'holds, not told apart from: identity Gram matrix, warm-up; better: shuffled examples, warm-up'
    """
    def words(found):
        name = found[0]
        return named(name).removeprefix("control: ") if name in CONDITIONS else name

    head, colon, rest = verdict.partition(":")
    if not head.startswith("holds"):
        return verdict
    return head + colon + re.sub(r"[a-z-]+", words, rest)


def sentence(r, *, judged=True):
    """A row of the table as a sentence, true at any profile because it is made from the numbers. judged=False: no word of controls or verdict yet.

    >>> sentence({"condition": "untrained", "ours": 0.5, "low": 0.4, "high": 0.6, "base": "base", "gain": 0.4, "gain_low": 0.3,
    ...           "gain_high": 0.5, "control": None, "verdict": "holds", "claim": "c"})
    'Untrained guide reaches 50.0 % (40.0 to 60.0), +40.0 (+30.0 to +50.0) points over base without a guide; no control was run. Verdict by rule: **holds**.'
    """
    text = (f"{capital(named(r['condition']))} reaches {percent(r['ours'], r['low'], r['high'])}, "
            f"{percent(r['gain'], r['gain_low'], r['gain_high'], signed=True)} points over {named(r['base'])}; ")
    if not judged:
        return text.removesuffix("; ") + "."
    if r["control"] is None:
        text += "no control was run."
    else:
        over = percent(r["over_control"], r["over_control_low"], r["over_control_high"], signed=True)
        text += f"against the control that comes nearest, {named(r['control']).removeprefix('control: ')}, it is {over} points."
    return f"{text} Verdict by rule: **{in_words(r['verdict'])}**."


def capital(text):
    return text[:1].upper() + text[1:]


def caution(profile):
    """What a reader has to know of a profile before any number: that smoke shows none. "" for the others.

    >>> caution("fast"), caution("smoke").partition(":")[0]
    ('', '**Profile smoke only shows that everything runs**')
    """
    return "" if profile != "smoke" else ("**Profile smoke only shows that everything runs**: nets of a few layers, a few steps, two seeds. No number and no "
                                          "verdict below is a result.")


def premise_said(records):
    """What base and guide's architecture reach, each alone, and whether there is anything that a guide could pass on, as a sentence."""
    from . import gates, summary

    run = {c: [r for r in records if r["config"]["condition"] == c] for c in ("base", "guide-alone")}
    reached = {c: percent(*summary(runs).loc[0, ["mean", "low", "high"]]) for c, runs in run.items()}
    room = ("there is room above the base, and the guide's architecture knows how to use it" if gates.beats(run["guide-alone"], run["base"]) else
            "these seeds do not show that the guide's architecture is any better, so that nothing can be learned from it here")
    m = run["base"][0]["metrics"]
    return (f"The base, at a learning rate of {run['base'][0]['config']['lr']:g}, reaches {reached['base']}, where chance is {percent(m['chance'])}. The guide's own "
            f"architecture, trained alone, reaches {reached['guide-alone']}: {room}.")


def controls_said(records, condition, controls, *, metric="test_accuracy"):
    """What the seeds say of a condition and each of its controls, in words: that they cannot tell two apart is not that they are the same.

    "As good" is said only of a difference whose whole interval lies within 3 points.
    """
    from .intervals import standing

    seeds = len({r["config"]["seed"] for r in records if r["config"]["condition"] == condition})
    found = {c: effect(records, condition, against=c, metric=metric) for c in controls if any(r["config"]["condition"] == c for r in records)}
    words = {"above": "it is above", "below": "it is below", "as good": "it is as good, within 3 points, as",
             "not told apart": f"these {seeds} seeds cannot tell it from"}
    lines = []
    for how, said in words.items():
        names = [f"{named(c).removeprefix('control: ')} {percent(*d, signed=True)}" for c, d in found.items() if standing(d) == how]
        lines += [f"- {said}: {'; '.join(names)}"] if names else []
    return f"{capital(named(condition))} beside its controls (its accuracy minus theirs, points, 95 % interval over {seeds} seeds):\n\n" + ("\n".join(lines) or "- no control was run.")


def alignment_said(records, conditions):
    """A markdown table: where the misalignment of each condition began and ended, mean over seeds, and whether it fell by the rule."""
    from . import gates

    lines = ["| condition | misalignment, first to last | did it fall? |", "|---|---|---|"]
    for condition in conditions:
        runs = [r for r in records if r["config"]["condition"] == condition]
        ends = [pair for pair in map(gates.misalignment, runs) if pair is not None]
        if ends:
            first, last = (sum(pair[i] for pair in ends) / len(ends) for i in (0, 1))
            lines.append(f"| {named(condition)} | {first:.2f} to {last:.2f} | {'yes' if gates.fell(runs) else 'no'} |")
    return "\n".join(lines)


def origin(records, missing=()):
    """Which of these runs are kept records, which were computed here, and which are missing, in words. missing: Configs, from experiments.collect."""
    from ..experiments.kept import kept_among

    kept = kept_among(records)
    lacking = ", ".join(f"{named(name)} ({count} seed{'s' * (count != 1)})" for name, count in Counter(c.condition for c in missing).items())
    return (f"*Runs shown that are records kept with the project: {kept}; computed here: {len(records) - kept}"
            + (f"; missing at this profile: {lacking}.*" if lacking else ".*"))


def save(rows, notebook, *, profile, out, records=()):
    """Write the table of a notebook to OUT/tables/NOTEBOOK.json, beside its figures; returns the path.

    records: all runs that the notebook shows, so that its page can say how many of them it computed and how many are kept with the project.
    """
    from ..experiments.kept import kept_among

    kept = kept_among(records)
    path = Path(out) / "tables" / f"{notebook}.json"
    text = json.dumps({"notebook": notebook, "profile": profile, "runs": {"kept": kept, "computed": len(records) - kept}, "rows": rows},
                      indent=1, ensure_ascii=False)
    return write_whole(path, (text + "\n").encode())
