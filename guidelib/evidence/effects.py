"""The one engine of effects: what a condition does against another, with its controls and its verdict."""

import math
from dataclasses import dataclass, replace
from statistics import fmean

from ..experiments import find_condition
from . import gates
from .intervals import paired_difference, student_t_interval
from .metrics import METRICS, of, value
from .verdicts import nearest, verdict

FAIR = ("base", "base-tuned")  # the better of the two on validation is the fair base
NONE = (math.nan,) * 3


@dataclass(frozen=True, kw_only=True)
class Effect:
    """An effect: `condition` against `against`, each interval a (mean, low, high), NaN where there is none.

    ours: the metric as measured. gain: the difference paired by seed, signed so that above 0 speaks for the
    claim. over: {control: the same difference}. found, seeds, paired: runs of the condition, those with a
    finite value, and those whose seed the other side has too. n: test examples. rivals: of those compared
    with, the ones that share a seed. lacking: the conditions asked for that share none.
    """

    condition: str
    metric: str = "test_accuracy"
    ours: tuple = NONE
    found: int = 0
    seeds: int = 0
    paired: int = 0
    n: int = 0
    against: str = ""
    gain: tuple = NONE
    over: dict
    rivals: tuple = ()
    lacking: tuple = ()
    verdict: str = "not tested"

    @property
    def control(self):
        """The control that comes nearest, whose difference has the lowest lower end; "" without controls."""
        return nearest(self.over)

    @property
    def over_control(self):
        """The difference to that control."""
        return self.over.get(self.control, NONE)

    @property
    def helped(self):
        """Whether the target gets help here, so that the guide's architecture has to be worth it."""
        return find_condition(self.condition).role in ("guided", "control", "distilled")


def effect(records, condition, *, against=FAIR, controls=(), metric="test_accuracy", worse=False):
    """The Effect of a condition, from records of one experiment at one size.

    records: "base" and "guide-alone" among them, for the gates. against: a condition, or several, of which
    the best on validation counts. controls: conditions that the effect has to beat. metric: one of METRICS.
    worse: the claim is one of harm. Conditions without a seed in common are left out and listed; without any
    to compare with the verdict is "not tested".

    >>> record = lambda c, seed, a: {"config": {"condition": c, "seed": seed}, "curves": {}, "metrics":
    ...                              {"test_accuracy": a, "validation_accuracy": a, "n_test": 9}}
    >>> records = [record(c, seed, a) for c, a in (("base", 0.1), ("untrained", 0.5)) for seed in (0, 1)]
    >>> found = effect(records, "untrained")
    >>> found.against, found.gain, found.verdict, found.lacking
    ('base', (0.4, 0.4, 0.4), 'holds', ('base-tuned',))
    """
    runs = by_seed(records)
    against = (against,) if isinstance(against, str) else against
    rivals = {name: runs.get(name, {}) for name in against}
    beside = {name: runs.get(name, {}) for name in controls}
    return measure(condition, runs.get(condition, {}), rivals, controls=beside, base=of(records, "base"),
                   alone=of(records, "guide-alone"), metric=metric, worse=worse)


def by_seed(records):
    """{condition: {seed: record}}; ValueError if two runs of a condition share a seed."""
    runs = {}
    for r in records:
        condition = r["config"]["condition"]
        seed = r["config"]["seed"]
        if seed in runs.setdefault(condition, {}):
            raise ValueError(f"two runs of {condition!r} share seed {seed}: "
                             "they differ in other settings, compare them apart")
        runs[condition][seed] = r
    return runs


def measure(condition, runs, rivals, *, controls, base=(), alone=(), metric="test_accuracy", worse=False):
    """The Effect of `runs`, {seed: record}, against the best of `rivals` and over `controls`.

    rivals, controls: {name: {seed: record}}. base, alone: records of the base as it is and of the guide's
    architecture trained by itself, for the gates.
    """
    sign = -1.0 if METRICS[metric].higher == worse else 1.0

    def scored(group):
        """{seed: value, signed}, without the runs that have no finite one."""
        found = {seed: value(r, metric) for seed, r in group.items()}
        return {seed: sign * v for seed, v in found.items() if v is not None}

    scores = scored(runs)
    first = next(iter(runs.values()), {"metrics": {}})
    facts = {"condition": condition, "metric": metric, "found": len(runs), "seeds": len(scores),
             "n": first["metrics"].get("n_test", 0)}
    if scores:
        facts["ours"] = student_t_interval([sign * v for v in scores.values()])

    asked = rivals | controls
    others = {name: scored(group) for name, group in asked.items()}
    others = {name: theirs for name, theirs in others.items() if set(scores) & set(theirs)}
    facts["lacking"] = tuple(name for name in asked if name not in others)
    facts["rivals"] = tuple(name for name in rivals if name in others)
    over = {name: paired_difference(scores, others[name]) for name in controls if name in others}
    if not facts["rivals"]:
        return Effect(over=over, **facts)

    records = {name: list(rivals[name].values()) for name in facts["rivals"]}
    rival = best(records, metric=metric)
    gain = paired_difference(scores, others[rival])
    facts |= {"against": rival, "gain": gain, "paired": len(set(scores) & set(others[rival]))}
    found = Effect(over=over, **facts)
    untested, aligned = tested(found, list(runs.values()), records[rival], base, alone)
    return replace(found, verdict=verdict(gain, over, untested=untested, aligned=aligned, worse=worse))


def best(groups, *, metric="test_accuracy"):
    """The name of the group of records, {name: records}, that is best on validation; "" for none.

    >>> run = lambda v: [{"metrics": {"validation_accuracy": v}, "curves": {}}]
    >>> best({"base": run(0.1), "base-tuned": run(0.8)})
    'base-tuned'
    """
    about = METRICS[metric]
    sign = 1.0 if about.chosen_higher else -1.0

    def score(record):
        found = value(record, about.chosen_on)
        return -math.inf if found is None else sign * found

    return max(groups, key=lambda name: fmean(map(score, groups[name])), default="")


def fair(records, *, metric="test_accuracy"):
    """The fair base among some records: of those in FAIR that were run, the best on validation.

    >>> run = lambda c, v: {"config": {"condition": c}, "metrics": {"validation_accuracy": v}, "curves": {}}
    >>> fair([run("base", 0.1), run("base-tuned", 0.8), run("untrained", 0.9)])
    'base-tuned'
    """
    bases = {name: of(records, name) for name in FAIR}
    run = {name: found for name, found in bases.items() if found}
    return best(run, metric=metric)


def tested(effect, runs, against, base, alone):
    """(why the comparison tests nothing, or ""; whether the misalignment fell, or None), from records."""
    metric = effect.metric if METRICS[effect.metric].of_the_whole else "test_accuracy"
    untested = gates.untested(runs, base, against=against, alone=alone, premise=effect.helped, metric=metric,
                              higher=METRICS[metric].higher)
    aligned = gates.fell(runs)
    if effect.metric != "misalignment" or aligned is None:
        return untested, aligned
    if aligned or gates.fell(against):  # a claim about alignment itself: one of the two must align
        return untested, None
    return untested or "neither misalignment fell", False
