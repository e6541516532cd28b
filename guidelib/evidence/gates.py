"""What must be so before a comparison says anything about guidance: gates, in order, all from run records.

The first that fails is the verdict. They were fixed before the runs that they judge.
"""

import math
from dataclasses import dataclass, field
from statistics import fmean

from ..experiments.catalogue import chosen, variant
from ..experiments.conditions import GUIDES, find_condition
from .intervals import paired_difference, student_t_interval
from .matching import concerning
from .metrics import METRICS, look, value
from .verdicts import DELTA

SEEDS = 8  # pairs of runs that a verdict takes, at least
CEILING = 0.97  # an accuracy above which two sides cannot be told apart
SHARE = 0.1  # of the way from chance to the floor, below which a language model has learnt nothing
QUARTER = 0.25  # the share of itself that a misalignment must lose,
ROOM = 0.05  # and how much at least,
MOST = 0.8  # and the share of the seeds in which it must
WORSE = 1.1  # times its minimum: a validation loss that ends there shows overfitting,
EARLY = 2 / 3  # if the minimum came before that share of the training
FIFTH = 5  # the last part of training, in which accuracy must have come to rest


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What a verdict is about: `runs` of a condition against those of another, and what stands beside them.

    runs, rival, base, alone: {seed: record}; base: the target without a guide; alone: the guide's
    architecture trained by itself. controls: {name: {seed: record}}, all that the claim asks for, those
    without runs too.
    """

    condition: str
    against: str
    runs: dict
    rival: dict
    controls: dict = field(default_factory=dict)
    base: dict = field(default_factory=dict)
    alone: dict = field(default_factory=dict)
    metric: str = "test_accuracy"
    overfitting: bool = False  # whether the claim is about overfitting
    overrides: dict = field(default_factory=dict)  # settings of the runs and controls that are not their own
    rival_overrides: dict = field(default_factory=dict)

    @property
    def guided(self):
        """Whether the target gets help here, so that what helps has to be worth something."""
        return find_condition(self.condition).role in ("guided", "control", "distilled")


# The gates: each takes a Comparison and says why it does not test a claim, or "".

def complete(c):
    """Eight pairs of runs with each other side, and as many trials of tuning for all of them."""
    paired = len(set(c.runs) & set(c.rival))
    if paired < SEEDS:
        return f"{paired} of the {SEEDS} seeds that a verdict takes"
    lacking = [name for name, runs in c.controls.items() if len(set(c.runs) & set(runs)) < SEEDS]
    if lacking:
        return f"controls without {SEEDS} seeds: {', '.join(lacking)}"
    place = {name: next(iter(c.runs.values()))["config"].get(name) for name in
             ("experiment", "regime", "profile")}
    if None in place.values():
        return ""
    tuned = chosen(**place)
    sides = [(c.condition, c.overrides), (c.against, c.rival_overrides)]
    sides += [(name, c.overrides) for name in c.controls]
    sides = [(name, concerning(name, overrides)) for name, overrides in sides]
    untuned = [variant(name, mine) for name, mine in sides if not is_tuned(name, tuned, mine)]
    return f"not tuned alike: {', '.join(untuned)}" if untuned else ""


def is_tuned(condition, tuned, overrides=None):
    """Whether a condition has settings of its own trials, or of those of the one that it is tuned as.

    overrides: what it has besides, under which those trials must have been.

    >>> is_tuned("untrained-stopped", {"untrained": {"lr": 0.1}}), is_tuned("base", {})
    (True, False)
    >>> is_tuned("untrained", {"untrained": {"lr": 0.1}}, {"layers": "first-5"})
    False
    """
    found = find_condition(condition)
    return found.alone or any(variant(name, overrides or {}) in tuned for name in (condition, found.like))


def premise(c):
    """The guide's architecture alone is better than the base; for overfitting, the base overfits."""
    if not c.guided:
        return ""
    if c.overfitting:
        return "" if overfits(c.base) else "the base does not overfit"
    metric = c.metric if METRICS[c.metric].of_the_whole else "test_accuracy"
    better = beats(c.alone, c.base, metric=metric)
    if better is None:
        lone = "no seed that the guide's architecture alone shares with the base"
        return lone if c.alone else "no runs of the guide's architecture alone"
    return "" if better else "the guide's architecture alone is not clearly better than the base"


def room(c):
    """Not both sides at chance, nor both at the ceiling, where there are two."""
    if METRICS[c.metric].within:
        return ""
    sides = [side for side in (c.runs, c.rival) if side]
    language = any("test_perplexity" in r["metrics"] for side in sides for r in side.values())
    if language:
        if all(interval(side, "test_share")[1] <= SHARE for side in sides):
            return "both sides have gone less than a tenth of the way from chance"
        return ""
    if all(at_chance(side) for side in sides):
        return "both sides stand within 3 points of chance"
    if all(interval(side, "test_accuracy")[2] >= CEILING for side in sides):
        return "both sides are at the ceiling"
    return ""


GATES = (complete, premise, room)


def first_failing(c):
    """Why a comparison does not test its claim, by the first gate that says so, or ""."""
    for gate in GATES:
        if why := gate(c):
            return why
    return ""


# What a verdict asks besides.

def unequal(runs, rival):
    """Why two sides of {seed: record} do not tell which guide is easier to align to: unequal doses; or "".

    >>> run = lambda dose: {0: {"config": {"dose": dose}}}
    >>> unequal(run(4.2), run(1.3)), unequal(run(1.3), run(1.3))
    ('unequal doses, 4.2 and 1.3', '')
    """
    doses = [{r["config"].get("dose") for r in side.values()} for side in (runs, rival)]
    if len(set.union(*doses)) <= 1:
        return ""
    return "unequal doses, " + " and ".join(", ".join(f"{v:g}" for v in sorted(side)) for side in doses)


def treated(runs):
    """Whether the guide was approached: in most seeds the misalignment fell by a quarter, and by 0.05.

    runs: {seed: record}. None where no record says, or nothing can be approached: examples or features that
    are new at each step.

    >>> run = lambda *ends: {"config": {"condition": "untrained"}, "curves": {"probe": {
    ...                      "moments": ["start", 3], "misalignment": [[e] for e in ends]}}}
    >>> treated({0: run(0.8, 0.5)}), treated({0: run(0.8, 0.7)}), treated({0: run(0.06, 0.02)}), treated({})
    (True, False, False, None)
    """
    ends = [found for found in map(misalignment, runs.values()) if found is not None]
    if not ends:
        return None
    falls = [first - last >= max(QUARTER * first, ROOM) for first, last in ends]
    return sum(falls) >= MOST * len(ends)


def misalignment(record):
    """(first, last) mean misalignment over the pairs of a guided run, in eval mode on held-out examples.

    Of a warm-up, on noise, before it and after; otherwise at the start and at the end of training, or where
    the guide was let go, at the lowest of the later looks. None for runs whose guide cannot be approached,
    and without a guide.

    >>> misalignment({"config": {"condition": "untrained-warm-up"}, "curves": {
    ...     "noise": {"start": 0.8, "warmed up": 0.5}}})
    (0.8, 0.5)
    """
    condition = find_condition(record["config"]["condition"])
    anew = condition.guide is not None and GUIDES[condition.guide].anew or condition.timing == "noise-fed"
    if condition.guide is None or anew or condition.moved:
        return None
    curves = record["curves"]
    if condition.warms_up:
        noise = curves.get("noise")
        return (look([noise["start"]]), look([noise["warmed up"]])) if noise else None
    probe = curves.get("probe")
    if not probe or not probe["misalignment"] or not probe["misalignment"][0]:
        return None
    first, *later = map(look, probe["misalignment"])
    if condition.timing == "stopped":
        return first, min((mean for mean in later if not math.isnan(mean)), default=math.nan)
    return first, later[-1] if later else first


def mean_misalignment(records):
    """(first, last) misalignment, mean over the runs that say, or None if none does."""
    found = [pair for pair in map(misalignment, records) if pair is not None]
    ends = [pair for pair in found if not math.isnan(sum(pair))]  # a run that diverged has no end
    return tuple(fmean(side) for side in zip(*ends, strict=True)) or None


def unfinished(runs):
    """Whether accuracy on validation still rises by 3 points or more in the last fifth of training.

    The mean over that fifth, against the one before, in the mean over the runs.

    >>> run = lambda *a: {0: {"curves": {"training": {"validation_accuracy": list(a)}}}}
    >>> unfinished(run(0.1, 0.2, 0.3, 0.4, 0.5)), unfinished(run(0.1, 0.2, 0.5, 0.5, 0.5))
    (True, False)
    """
    rises = []
    for r in runs.values():
        curve = r["curves"].get("training", {}).get("validation_accuracy") or ()
        part = len(curve) // FIFTH
        if part:
            rises.append(fmean(curve[-part:]) - fmean(curve[-2 * part:-part]))
    return bool(rises) and fmean(rises) >= DELTA


def at_chance(runs):
    """Whether the lower end of test accuracy over seeds is within 3 points of chance; False without runs.

    >>> run = lambda accuracy: {0: {"metrics": {"test_accuracy": accuracy, "chance": 0.1}, "curves": {}}}
    >>> at_chance(run(0.12)), at_chance(run(0.2))
    (True, False)
    """
    chance = [r["metrics"]["chance"] for r in runs.values() if "chance" in r["metrics"]]
    if not chance:
        return False
    _, low, _ = interval(runs, "test_accuracy")
    return low <= fmean(chance) + DELTA


def beats(alone, base, *, metric="test_accuracy"):
    """Whether the guide's architecture alone is better than the base by two margins, with its whole interval.

    None where they share no seed.
    """
    about = METRICS[metric]
    sign = 1 if about.higher else -1
    ours = {seed: sign * v for seed, r in alone.items() if (v := value(r, metric)) is not None}
    theirs = {seed: sign * v for seed, r in base.items() if (v := value(r, metric)) is not None}
    if not set(ours) & set(theirs):
        return None
    mean, low, _ = paired_difference(ours, theirs)
    return (mean if math.isnan(low) else low) > 2 * (about.margin or 0)


def overfits(runs):
    """Whether validation loss ends a tenth above its minimum, and that came before two thirds of training.

    Both with the whole interval over seeds; False without runs.
    """
    metrics = [r["metrics"] for r in runs.values()]
    known = [m for m in metrics if None not in (m.get("validation_loss"), m.get("validation_loss_last"))]
    if not known:
        return False
    _, rise, _ = ends([m["validation_loss_last"] / m["validation_loss"] for m in known])
    _, _, share = ends([m["best_epoch"] / m["epochs"] for m in known])
    return rise >= WORSE and share <= EARLY


def failing(runs, *, alone=()):
    """How a base fails in the paper's sense: "at chance", "overfits", "saturates", or "" if it does not.

    Saturates: training accuracy ends more than 0.1 below that of the guide's architecture trained alone
    (`alone`; below 1 without them), and rises no more.

    >>> run = {0: {"metrics": {"test_accuracy": 0.1, "chance": 0.1}, "curves": {}}}
    >>> failing(run)
    'at chance'
    """
    if at_chance(runs):
        return "at chance"
    if overfits(runs):
        return "overfits"
    reached, *_ = interval(runs, "train_accuracy_last")
    ceiling, *_ = interval(dict(alone or {}), "train_accuracy_last")
    ceiling = 1.0 if math.isnan(ceiling) else ceiling
    return "saturates" if reached < ceiling - 0.1 and not unfinished(runs) else ""


def interval(runs, metric):
    """(mean, low, high) of a metric over {seed: record}; the mean thrice for one seed, NaN for none."""
    values = [value(r, metric) for r in runs.values()]
    return ends([v for v in values if v is not None])


def ends(values):
    if not values:
        return (math.nan,) * 3
    mean, low, high = student_t_interval(values)
    return (mean,) * 3 if math.isnan(low) else (mean, low, high)
