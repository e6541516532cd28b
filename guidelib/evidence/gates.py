"""What must be so before a comparison says anything about guidance.

Room above chance, a guide worth having, an alignment that took place: all from run records. The rules are
few and fixed: 3 points of accuracy are the smallest difference that counts; a misalignment has fallen if it
ends at least a quarter lower, in 80 % of the seeds, and had 0.05 to lose.
"""

import math

from .intervals import paired_difference, student_t_interval
from .metrics import value
from .verdicts import DELTA

QUARTER = 0.25  # the share of itself that a misalignment must lose,
ROOM = 0.05  # what it must be at first,
MOST = 0.8  # and the share of the seeds in which it must be so
EDGE = 5  # steps of a warm-up over which its beginning and its end are averaged


def at_chance(records):
    """Whether the mean test accuracy of these runs lies within 3 points of chance; False without runs.

    >>> at_chance([{"metrics": {"test_accuracy": 0.12, "chance": 0.1}}])
    True
    >>> at_chance([{"metrics": {"test_accuracy": 0.2, "chance": 0.1}}])
    False
    """
    over = []
    for r in records:
        accuracy = r["metrics"].get("test_accuracy")
        chance = r["metrics"].get("chance")
        if None not in (accuracy, chance):
            over.append(accuracy - chance)
    return bool(over) and abs(_mean(over)) <= DELTA


def beats(alone, base, *, metric="test_accuracy", higher=True):
    """Whether the guide's architecture alone is better than the base.

    It is if the difference paired by seed lies above 0 with its whole interval. None where they share no
    seed. With one seed the difference itself stands for the interval.
    """
    ours = {r["config"]["seed"]: value(r, metric) for r in alone}
    theirs = {r["config"]["seed"]: value(r, metric) for r in base}
    shared = {seed for seed in ours if None not in (ours[seed], theirs.get(seed))}
    if not shared:
        return None
    ours = {seed: ours[seed] for seed in shared}
    theirs = {seed: theirs[seed] for seed in shared}
    if not higher:
        ours, theirs = theirs, ours
    mean, low, _ = paired_difference(ours, theirs)
    return mean > 0 if math.isnan(low) else low > 0


def misalignment(record):
    """(first, last) mean misalignment over the pairs of a guided run, or None without two of them.

    Of a warm-up the mean over its first and its last five steps, on noise; otherwise over the first and the
    last epoch in which the guide was there, on training batches, so that what the first epoch itself brought
    is not counted.

    >>> misalignment({"curves": {"training": {"misalignment": [0.8, 0.5, None]}}})
    (0.8, 0.5)
    """
    warm = record["curves"].get("warm_up")
    if warm is not None:
        pairs = [values for name, values in warm.items() if name not in ("step", "loss")]
        steps = [_mean(step) for step in zip(*pairs, strict=True)]
        if not steps:
            return None
        return _mean(steps[:EDGE]), _mean(steps[-EDGE:])
    epochs = record["curves"].get("training", {}).get("misalignment", ())
    found = [v for v in epochs if v is not None and math.isfinite(v)]
    return (found[0], found[-1]) if len(found) > 1 else None


def mean_misalignment(records):
    """(first, last) misalignment, mean over the runs that say, or None if none does."""
    ends = [pair for pair in map(misalignment, records) if pair is not None]
    return tuple(_mean(side) for side in zip(*ends, strict=True)) or None


def fell(records):
    """Whether the misalignment fell in most of these guided runs; None if none of them says.

    >>> run = lambda first, last: {"curves": {"training": {"misalignment": [first, last]}}}
    >>> fell([run(0.8, 0.5)]), fell([run(0.8, 0.7)]), fell([run(0.04, 0.01)]), fell([{"curves": {}}])
    (True, False, False, None)
    """
    ends = [pair for pair in map(misalignment, records) if pair is not None]
    if not ends:
        return None
    falls = [first >= ROOM and last <= (1 - QUARTER) * first for first, last in ends]
    return sum(falls) >= MOST * len(ends)


def untested(guided, base, *, against=(), alone=(), premise=True, metric="test_accuracy", higher=True):
    """Why a comparison does not test a claim about guidance, in words, or "" if nothing stands in its way.

    guided, base: records; against: those compared with, where they are not the base's. alone: the guide's
    architecture trained by itself; premise=False leaves out whether it is better than the base, as for a
    claim about nothing else.
    """
    if at_chance(guided) and (at_chance(base) or at_chance(against)):
        return "both sides stand within 3 points of chance"
    if premise and beats(alone, base, metric=metric, higher=higher) is False:
        return "the guide's architecture alone does not beat the base"
    return ""


def failing(records, *, alone=()):
    """How a base fails in the paper's sense: "at chance", "overfits", "saturates", or "" if it does not.

    At chance: the interval of its test accuracy over seeds includes chance, or lies below. Overfits: after
    the last epoch training accuracy is above validation accuracy, by more than 0.1 in the mean, and the
    interval excludes 0. Saturates: training accuracy ends more than 0.1 below that of the guide's
    architecture trained alone (records `alone`; below 1 without them), and its mean over the last quarter of
    the epochs is less than 0.01 above that over the quarter before. With one seed its value stands for the
    interval.

    >>> record = {"metrics": {"test_accuracy": 0.1, "chance": 0.1}, "curves": {}}
    >>> failing([record]), failing([record | {"metrics": {"test_accuracy": 0.5, "chance": 0.1}}])
    ('at chance', '')
    """
    _, accuracy_low = _interval(records, "test_accuracy")
    chance, _ = _interval(records, "chance")
    if accuracy_low <= chance:
        return "at chance"
    gap, gap_low = _interval(records, "gap_last")
    if gap > 0.1 and gap_low > 0:
        return "overfits"
    ceiling, _ = _interval(alone, "train_accuracy")
    if math.isnan(ceiling):
        ceiling = 1.0
    curves = [r["curves"].get("training", {}).get("train_accuracy") or () for r in records]
    curves = [curve for curve in curves if len(curve) >= 8 and None not in curve]
    if not curves:
        return ""
    rises = []
    for curve in curves:
        quarter = len(curve) // 4
        rises.append(_mean(curve[-quarter:]) - _mean(curve[-2 * quarter:-quarter]))
    end = _mean([curve[-1] for curve in curves])
    return "saturates" if _mean(rises) < 0.01 and end < ceiling - 0.1 else ""


def _interval(records, metric):
    """(mean, lower end) over the records; the mean twice for one seed, NaN for none."""
    values = [value(r, metric) for r in records]
    found = [v for v in values if v is not None]
    if not found:
        return math.nan, math.nan
    mean, low, _ = student_t_interval(found)
    return (mean, mean) if math.isnan(low) else (mean, low)


def _mean(values):
    return math.fsum(values) / len(values)
