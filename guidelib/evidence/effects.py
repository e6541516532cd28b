"""The one engine of effects: what a condition does against another, through the gates, in three answers."""

import math
from dataclasses import dataclass, replace

from ..experiments.catalogue import CATALOGUE
from ..experiments.conditions import find_condition
from . import gates
from .intervals import student_t_interval
from .metrics import METRICS, value
from .significance import sign_flip
from .verdicts import alike, helps, specific, standing, useful, verdict

NONE = (math.nan,) * 3
RECIPE = "base-tuned"  # the best recipe without a guide


@dataclass(frozen=True, kw_only=True)
class Effect:
    """An effect: `condition` against `against`, each interval a (mean, low, high), NaN where there is none.

    ours: the metric as measured. gain: the difference paired by seed, signed so that above 0 speaks for the
    claim; p: of it, by sign flips. over: {control: the same difference}; stands: {control: how it stands to
    it, see verdicts.standing}. worth: the same difference against the best recipe without a guide. found,
    seeds, paired: runs of the condition, those with a finite value, and those whose seed the other side has
    too. n: test examples. lacking: the conditions asked for that share no seed. gate: why the comparison
    tests nothing, or "". treated: whether the guide was approached, or None. helps, specific, useful: the
    answers to "does it help?", "is it the guide?" and "is it worth it?"; verdict: on the claim.
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
    p: float = math.nan
    over: dict
    stands: dict
    worth: tuple = NONE
    lacking: tuple = ()
    gate: str = ""
    treated: bool | None = None
    helps: str = ""
    specific: str = ""
    useful: str = ""
    verdict: str = "not tested"


def effect(records, condition, *, against=None, controls=None, metric="test_accuracy", worse=False,
           equal=False, overfitting=False):
    """The Effect of a condition, from records of one experiment at one size.

    records: "base", "guide-alone" and "base-tuned" among them, for the gates and the third question. against:
    a condition; None for the one that a claim of help is about, see rival(). controls: conditions that the
    effect has to beat; None for those that required() names. metric: one of METRICS. worse: the claim is one
    of harm; equal: of no difference; overfitting: it is about overfitting. Without runs to compare with the
    verdict is "not tested".

    >>> record = lambda c, seed, a: {"config": {"condition": c, "seed": seed}, "curves": {}, "metrics":
    ...                              {"test_accuracy": a, "validation_accuracy": a, "n_test": 9}}
    >>> records = [record(c, seed, a) for c, a in (("base", 0.1), ("untrained", 0.5), ("guide-alone", 0.9))
    ...            for seed in range(8)]
    >>> found = effect(records, "untrained", controls=())
    >>> found.against, found.gain, found.helps, found.specific, found.verdict
    ('base', (0.4, 0.4, 0.4), 'helps', 'no control', 'holds')
    """
    runs = by_seed(records)
    if controls is None:
        controls = required(condition, records)
    return effect_of_groups(runs, condition, against or rival(condition, runs), controls=controls,
                            metric=metric, worse=worse, equal=equal, overfitting=overfitting)


def effect_of_groups(runs, condition, against, *, controls=(), rival_runs=None, **options):
    """The Effect of a condition, from {condition: {seed: record}}.

    rival_runs: those to compare with, where they are of the same condition with other settings. options:
    those of measure().
    """
    beside = {name: runs.get(name, {}) for name in controls if name != against}
    others = runs.get(against, {}) if rival_runs is None else rival_runs
    return measure(condition, runs.get(condition, {}), against, others, controls=beside,
                   base=runs.get("base", {}), alone=runs.get("guide-alone", {}),
                   recipe=runs.get(RECIPE, {}), **options)


def rival(condition, runs=()):
    """What a condition has to be better than to help: the base at its best rate, after as many steps.

    runs: the conditions there are; without "base-longer" a warm-up stands against the base.

    >>> rival("trained"), rival("trained-warm-up", ["base-longer"]), rival("shifted-trained")
    ('base', 'base-longer', 'shifted-init')
    """
    wanted = find_condition(condition).rival
    return "base" if wanted == "base-longer" and wanted not in runs else wanted


def required(condition, records):
    """The controls that an effect has to beat: those under its timing that its experiment compares.

    Where nothing is compared at a size, those that were run.
    """
    names = [c.name for c in find_condition(condition).controls()]
    first = records[0]["config"] if records else {}
    place = first.get("regime"), first.get("profile")
    experiment = CATALOGUE.get(first.get("experiment"))
    asked = experiment.compared.get(place) if experiment else None
    if not asked:
        asked = {r["config"]["condition"] for r in records}
    return [name for name in names if name in asked]


def by_seed(records):
    """{condition: {seed: record}}; ValueError if two runs of a condition share a seed."""
    runs = {}
    for r in records:
        condition = r["config"]["condition"]
        seed = r["config"]["seed"]
        if seed in runs.setdefault(condition, {}):
            raise ValueError(f"two runs of {condition!r} share seed {seed}: one run was given twice, or "
                             "they differ in other settings; then compare them apart")
        runs[condition][seed] = r
    return runs


def measure(condition, runs, against, rival_runs, *, controls, base=None, alone=None, recipe=None,
            metric="test_accuracy", worse=False, equal=False, overfitting=False, overrides=None,
            rival_overrides=None):
    """The Effect of `runs` against `rival_runs` and over `controls`, {name: runs}; runs are {seed: record}.

    base, alone, recipe: runs of the base as it is, of the guide's architecture trained by itself, and of the
    best recipe without a guide. overrides, rival_overrides: settings of the two sides that are not those of
    their conditions.
    """
    about = METRICS[metric]
    if about.within:  # set against 0, no other run takes part
        against, rival_runs, controls = condition, runs, {}
    sign = -1.0 if about.higher == worse else 1.0

    def scored(group):
        """{seed: value, signed}, without the runs that have no finite one."""
        found = {seed: value(r, metric) for seed, r in (group or {}).items()}
        return {seed: sign * v for seed, v in found.items() if v is not None}

    def counting(group):
        """The runs that have a finite value: no others make a pair."""
        return {seed: group[seed] for seed in scored(group)}

    scores = scored(runs)

    def differences(theirs):
        return [scores[seed] - theirs[seed] for seed in sorted(set(scores) & set(theirs))]

    first = next(iter(runs.values()), {"metrics": {}})
    facts = {"condition": condition, "metric": metric, "found": len(runs), "seeds": len(scores),
             "n": first["metrics"].get("n_test", 0)}
    if scores:
        facts["ours"] = student_t_interval([sign * v for v in scores.values()])
    gaps = {name: differences(scored(group)) for name, group in controls.items()}
    gap = [scores[seed] for seed in sorted(scores)] if about.within else differences(scored(rival_runs))
    lacking = [name for name, found in {against: gap, **gaps}.items() if not found]
    gaps = {name: g for name, g in gaps.items() if g}
    facts |= {"lacking": tuple(lacking), "over": {name: student_t_interval(g) for name, g in gaps.items()},
              "stands": {name: standing(g, margin=about.margin) for name, g in gaps.items()}}
    if not gap:
        return Effect(**facts)

    facts |= {"against": against, "paired": len(gap), "gain": student_t_interval(gap), "p": sign_flip(gap)}
    extra = differences(scored(recipe))
    if extra and not worse and not equal and not about.within and against != RECIPE and condition != RECIPE:
        facts |= {"worth": student_t_interval(extra), "useful": useful(extra, margin=about.margin)}
    compared = gates.Comparison(
        condition=condition, against=against, runs=counting(runs), rival=counting(rival_runs),
        controls={name: counting(group) for name, group in controls.items()},
        base=base or {}, alone=alone or {}, metric=metric, overfitting=overfitting,
        overrides=overrides or {}, rival_overrides=rival_overrides or {})
    has_guide = compared.guided or find_condition(condition).guide
    answer = (alike if equal else helps)(gap, margin=about.margin, worse=worse, points=about.percent)
    found = Effect(**facts, helps=answer,
                   specific=specific(facts["stands"]) if has_guide else "it has no guide")
    return judged(found, compared, worse=worse, equal=equal)


def judged(found, compared, *, worse, equal):
    """An Effect with its gates and its verdict."""
    gate = gates.first_failing(compared)
    treated = None if equal else gates.treated(compared.runs)
    if METRICS[compared.metric].alignment:  # a claim about alignment itself: one of the two must align
        if not treated and not gates.treated(compared.rival):
            gate = gate or "neither guide was approached"
        gate = gate or gates.unequal(compared.runs, compared.rival)
        treated = None
    faster = 0
    sides = (compared.runs, compared.rival)
    if METRICS[compared.metric].of_the_whole and not equal and any(gates.unfinished(side) for side in sides):
        faster = max((r["metrics"].get("steps", 0) for r in compared.runs.values()), default=0)
    about = METRICS[compared.metric]
    describes = about.describes or find_condition(compared.against).role != "base"
    # What is set against chance or 0, and said to be there, may as well lie below.
    words = verdict(found.helps, worse=worse, equal=equal, at_most=about.within, describes=describes,
                    untested=gate, treated=treated, faster=faster)
    return replace(found, gate=gate, treated=treated, verdict=words)
