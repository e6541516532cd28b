"""What the numbers say, in words made from run records: no sentence about a result is typed by hand."""

from ..experiments import CONDITIONS, find_condition
from . import gates
from .effects import by_seed, effect
from .metrics import METRICS, of
from .tables import difference, summary
from .verdicts import UNTESTED, kind


def role(condition):
    """What a condition is in a comparison: "base", "guided", "control", "distilled" or "reference".

    >>> role("identity-warm-up"), role("untrained"), role("base-tuned")
    ('control', 'guided', 'base')
    """
    return find_condition(condition).role


def named(condition, *, short=False):
    """A condition as readers know it; short: without the word that it is a control.

    >>> named("untrained-warm-up"), named("base (orthogonal)"), named("shuffled", short=True)
    ('untrained guide, warm-up', 'base without a guide (orthogonal)', 'shuffled examples')
    """
    label = find_condition(condition).label
    return label.removeprefix("control: ") if short else label


def percent(mean, low=None, high=None, *, signed=False, share=True):
    """A share in per cent, with its interval if there is one, cut where no share can be.

    signed: a difference in points. share=False cuts nothing.

    >>> percent(0.4211, 0.4, 0.45), percent(-0.05, signed=True), percent(0.2, -0.8, 1.2)
    ('42.1 % (40.0 to 45.0)', '-5.0', '20.0 % (0.0 to 100.0)')
    """
    interval = low is not None and low == low
    if interval and share and not signed:
        low, high = max(low, 0.0), min(high, 1.0)
    sign = "+" if signed else ""
    unit = "" if signed else " %"
    number = f"{100 * mean:{sign}.1f}{unit}"
    if not interval:
        return number
    return f"{number} ({100 * low:{sign}.1f} to {100 * high:{sign}.1f})"


def shown(metric, mean, low=None, high=None, *, signed=False):
    """A value of a metric with its interval, or a difference of two; "" for NaN.

    >>> shown("test_accuracy", 0.5), shown("test_perplexity", 5.2, 5.0, 5.4), shown("gap_last", 0.2)
    ('50.0 %', '5.20 (5.00 to 5.40)', '+20.0 points')
    >>> shown("train_loss", float("nan"))
    ''
    """
    if mean is None or mean != mean:
        return ""
    about = METRICS[metric]
    if about.points and not signed:
        return f"{percent(mean, low, high, signed=True)} points"
    if about.percent:
        return percent(mean, low, high, signed=signed, share=about.bounded)
    sign = "+" if signed else ""
    form = f"{sign}.{about.digits}f"
    number = f"{mean:{form}}"
    if low is None or low != low:
        return number
    return f"{number} ({low:{form}} to {high:{form}})"


def beside(metric, gain, low, high, name):
    """A gain over a condition in words: of a metric that should be low, by how much it is lower, or higher.

    >>> beside("test_accuracy", 0.1, 0.0, 0.2, "the base")
    '+10.0 (+0.0 to +20.0) points against the base'
    >>> beside("train_loss", 0.5, 0.1, 0.9, "the base"), beside("gap_last", -0.1, -0.2, 0.0, "the base")
    ('lower by 0.500 (0.100 to 0.900) than the base', 'higher by 10.0 (0.0 to 20.0) points than the base')
    """
    about = METRICS[metric]
    if about.higher:
        return f"{shown(metric, gain, low, high, signed=True)}{' points' * about.percent} against {name}"
    way = "lower"
    if gain < 0:
        way, gain, low, high = "higher", -gain, 0.0 - high, 0.0 - low  # no -0.0
    ends = [f"{v:.{about.digits}f}" for v in (gain, low, high)]
    if about.percent:
        ends = [f"{100 * v:.1f}" for v in (gain, low, high)]
    interval = f" ({ends[1]} to {ends[2]})" * (low == low)
    return f"{way} by {ends[0]}{interval}{' points' * about.percent} than {name}"


def recipe(condition):
    """What is asked after in "is it worth it?", in words: a warm-up's steps are its own.

    >>> recipe("untrained"), recipe("untrained-warm-up")
    ('the tuned base', 'the tuned base, without the steps of a warm-up')
    """
    return "the tuned base" + ", without the steps of a warm-up" * find_condition(condition).warms_up


def capital(text):
    return text[:1].upper() + text[1:]


def compared(records, condition, against, *, metric="test_accuracy"):
    """The difference of two conditions in words, or that it cannot be had.

    >>> run = lambda c, a: {"config": {"condition": c, "seed": 0}, "curves": {},
    ...                     "metrics": {"test_accuracy": a}}
    >>> compared([run("base", 0.1), run("untrained", 0.2)], "untrained", "base")
    'untrained guide minus base without a guide: +10.0 points'
    >>> compared([run("base", 0.1)], "untrained", "base")
    'untrained guide minus base without a guide: no seed in common at this profile'
    """
    names = f"{named(condition)} minus {named(against)}"
    ours = {r["config"]["seed"] for r in of(records, condition)}
    theirs = {r["config"]["seed"] for r in of(records, against)}
    if not ours & theirs:
        return f"{names}: no seed in common at this profile"
    gap = shown(metric, *difference(records, condition, against, metric=metric), signed=True)
    points = " points" * METRICS[metric].percent
    return f"{names}: {gap}{points}"


def bullets(lines):
    """Lines as a list in markdown."""
    return "\n".join(f"- {line}" for line in lines)


def metric_table(records, metric="test_accuracy"):
    """A markdown table: each condition of the records with a metric, mean and interval over seeds.

    >>> run = {"config": {"condition": "base", "seed": 0}, "curves": {},
    ...        "metrics": {"test_accuracy": 0.1, "n_test": 9}}
    >>> print(metric_table([run]))
    | condition | test accuracy |
    |---|---|
    | base without a guide | 10.0 % |
    """
    signed = metric == "gap_last"  # a difference, in points
    head = METRICS[metric].words + ", points" * signed
    lines = [f"| condition | {head} |", "|---|---|"]
    for row in summary(records, metric=metric).itertuples():
        number = shown(metric, row.mean, row.low, row.high, signed=signed)
        lines.append(f"| {named(row.condition)} | {number} |")
    return "\n".join(lines)


def warm_up_said(record):
    """What became of the misalignment in a warm-up, on noise, before it and after, from its record."""
    first, last = gates.misalignment(record)
    text = f"{first:.2f} before the warm-up, {last:.2f} after it, in eval mode, on noise that it has not seen"
    if last < first - 0.01:
        return f"The mean misalignment falls: {text}."
    return (f"The mean misalignment does **not** fall: {text}. Whatever this warm-up does to the net, it is "
            "not that the net came to resemble the guide.")


def question(condition):
    """What is asked of the controls of a condition.

    >>> question("trained"), question("distilled")
    ('is it the guide?', 'is it the teacher?')
    """
    return f"is it the {'teacher' if find_condition(condition).teacher else 'guide'}?"


def in_words(answer):
    """An answer with the conditions in it as readers know them.

    >>> in_words("not separated from: identity-warm-up, shuffled-warm-up")
    'not separated from: identity Gram matrix, warm-up; shuffled examples, warm-up'
    """
    parts = []
    for part in answer.split("; "):
        head, colon, names = part.partition(": ")
        known = [named(name, short=True) if name in CONDITIONS else name for name in names.split(", ")]
        parts.append(head + colon + "; ".join(known))
    return "; ".join(parts)


def sentence(row, *, judged=True):
    """A row of the closing table as a sentence, true at any profile.

    judged=False: no word of controls or verdict yet.

    >>> from guidelib.evidence.effects import Effect
    >>> from guidelib.evidence.rows import as_row
    >>> found = Effect(condition="untrained", ours=(0.5, 0.4, 0.6), against="base", gain=(0.4, 0.3, 0.5),
    ...                over={}, stands={}, helps="helps", specific="no control", verdict="holds")
    >>> sentence(as_row(found, "c", paper=""))  # doctest: +NORMALIZE_WHITESPACE
    'Untrained guide reaches 50.0 % (40.0 to 60.0), +40.0 (+30.0 to +50.0) points against base without a
    guide. Does it help? **Helps.** Is it the guide? **No control.** Verdict by rule: **holds**.'
    """
    metric = row["metric"]
    who = capital(named(row["condition"]))
    ours = shown(metric, row["ours"], row["low"], row["high"])
    if not row["base"]:
        return f"{who}: no runs to compare at this profile, so the claim is **not tested** here."
    gain = beside(metric, row["gain"], row["gain_low"], row["gain_high"], named(row["base"]))
    about = "" if metric == "test_accuracy" else f"{METRICS[metric].words} "
    text = f"{who}: {about}{ours}, {gain}." if about else f"{who} reaches {ours}, {gain}."
    if not judged:
        return text
    if kind(row["verdict"]) == UNTESTED:
        return f"{text} This **{row['verdict']}**."
    guide = capital(in_words(row["specific"]))
    text += f" Does it help? **{capital(row['helps'])}.** {capital(question(row['condition']))} **{guide}.**"
    if row["useful"]:
        worth = beside(metric, row["worth"], row["worth_low"], row["worth_high"], recipe(row["condition"]))
        text += f" Is it worth it? **{capital(row['useful'])}**: {worth}."
    return f"{text} Verdict by rule: **{row['verdict']}**."


def premise_said(records):
    """What base and guide's architecture reach, each alone, and whether a guide could pass anything on."""
    runs = by_seed(records)
    base = runs.get("base", {})
    alone = runs.get("guide-alone", {})
    base_reaches = percent(*summary(list(base.values())).loc[0, ["mean", "low", "high"]])
    alone_reaches = percent(*summary(list(alone.values())).loc[0, ["mean", "low", "high"]])
    first = next(iter(base.values()))
    chance = percent(first["metrics"]["chance"])
    room = ("these seeds do not show that the guide's architecture is any better, so that nothing can be "
            "learned from it here")
    if gates.beats(alone, base):
        room = "there is room above the base, and the guide's architecture knows how to use it"
    return (f"The base, at a learning rate of {first['config']['lr']:g}, reaches {base_reaches}, where "
            f"chance is {chance}. {fails(base, alone)}The guide's own architecture, trained alone, reaches "
            f"{alone_reaches}: {room}.")


def fails(base, alone):
    """How a base fails, as a sentence, from {seed: record}, or ""."""
    words = {"at chance": "It stays at chance. ", "overfits": "It overfits. ",
             "saturates": "It learns slowly, and comes to rest (*saturates*) with a training accuracy more "
                          "than 10 points below that of the guide's architecture. "}
    slow = "It learns slowly: its accuracy still rises in the last fifth of training. "
    return words.get(gates.failing(base, alone=alone), slow * gates.unfinished(base))


def controls_said(records, condition, controls=None):
    """What the seeds say of a condition and each of its controls: not to be told apart is not to be the same.

    "As good" is said only where two one-sided tests say that the difference lies within 3 points. controls:
    None for all that the condition has to beat here.
    """
    found = effect(records, condition, controls=controls)
    words = {"above": "it is above", "below": "it is below", "as good": "it is as good, within 3 points, as",
             "not told apart": f"these {found.seeds} seeds cannot tell it from"}
    lines = []
    for how, said in words.items():
        told = [f"{named(name, short=True)} {percent(*found.over[name], signed=True)}"
                for name, stands in found.stands.items() if stands == how]
        if told:
            lines.append(f"- {said}: {'; '.join(told)}")
    head = (f"{capital(named(condition))} beside its controls (its accuracy minus theirs, points, "
            f"95 % interval over {found.seeds} seeds):")
    text = "\n".join(lines) or "- no control was run."
    return f"{head}\n\n{text}"


def alignment_said(records, conditions):
    """A markdown table: where the misalignment of each condition began and ended, and whether it fell."""
    runs = by_seed(records)
    lines = ["| condition | misalignment, first to last | did it fall? |", "|---|---|---|"]
    for condition in conditions:
        mine = runs.get(condition, {})
        ends = gates.mean_misalignment(mine.values())
        if ends:
            first, last = ends
            fell = "yes" if gates.treated(mine) else "no"
            lines.append(f"| {named(condition)} | {first:.2f} to {last:.2f} | {fell} |")
    return "\n".join(lines)
