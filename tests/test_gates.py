"""The gates, and what a verdict asks besides: each on both sides of its threshold, on made-up records."""

import math
from dataclasses import replace

import pytest

from guidelib.evidence import _ledger, gates
from guidelib.evidence.claim import Claim
from guidelib.evidence.effects import effect, required
from guidelib.evidence.gates import (
    Comparison,
    beats,
    failing,
    mean_misalignment,
    misalignment,
    treated,
    unfinished,
)
from guidelib.evidence.matching import Run
from guidelib.evidence.metrics import value
from guidelib.experiments import CONDITIONS
from guidelib.experiments.catalogue import CATALOGUE

T = 2.364624  # t(0.975, 7)
ABOVE, BELOW = 1e-4, -1e-4  # on either side of a threshold


def side(accuracy=0.5, *, condition="base", n=8, half=0.0, chance=0.1, curves=None, **metrics):
    """{seed: record} whose test accuracy has this mean, and an interval that reaches `half` as far.

    Of a metric a list gives each seed its own.
    """
    distance = half / T * math.sqrt(7)
    found = {}
    for seed in range(n):
        mine = {name: v[seed] if isinstance(v, list) else v for name, v in metrics.items()}
        mine = {"test_accuracy": accuracy + distance * (-1) ** seed, "chance": chance} | mine
        place = {"experiment": "deep-fcn", "regime": "untrainable", "profile": "fast", "seed": seed}
        found[seed] = {"config": {"condition": condition} | place, "metrics": mine, "curves": curves or {},
                       "environment": {"device": "cpu"}}
    return found


def fair(**changes):
    """A Comparison that passes all gates once everything is tuned."""
    parts = {"condition": "untrained", "against": "base", "runs": side(0.6, condition="untrained"),
             "rival": side(0.3), "base": side(0.3), "alone": side(0.9, condition="guide-alone"),
             "controls": {"identity": side(0.4, condition="identity")}}
    return Comparison(**parts | changes)


@pytest.fixture(autouse=True)
def tuned(monkeypatch):
    """Settings that a tuning chose for every condition; a test may take some away."""
    found = dict.fromkeys(CONDITIONS, {"lr": 0.1})
    monkeypatch.setattr(gates, "chosen", lambda experiment, regime, profile: found)
    return found


def test_the_fair_comparison_passes_every_gate():
    assert [gate(fair()) for gate in gates.GATES] == ["", "", ""]
    assert gates.first_failing(fair()) == ""


# complete

@pytest.mark.parametrize("short", ["runs", "rival"])
def test_a_verdict_takes_eight_pairs_of_seeds(short):
    assert gates.complete(fair(**{short: side(n=8)})) == ""
    assert gates.complete(fair(**{short: side(n=7)})) == "7 of the 8 seeds that a verdict takes"


def test_it_is_pairs_that_count_not_runs():
    later = {seed + 1: r for seed, r in side(n=8).items()}
    assert gates.complete(fair(rival=later)) == "7 of the 8 seeds that a verdict takes"


def test_every_control_takes_eight_seeds_as_well():
    controls = {"identity": side(n=8), "shuffled": side(n=7), "data-gram": {}}
    said = "controls without 8 seeds: shuffled, data-gram"
    assert gates.complete(fair(controls=controls)) == said
    assert gates.complete(fair(controls=controls | {"shuffled": side(n=8), "data-gram": side(n=8)})) == ""


def test_the_controls_are_those_under_the_same_timing_that_the_experiment_compares():
    def controls(condition, profile="fast", beside=()):
        place = {"experiment": "deep-fcn", "regime": "untrainable", "profile": profile}
        return required(condition, [{"config": place | {"condition": c}} for c in (condition, *beside)])

    assert controls("untrained") == controls("trained") == [name for name in CONDITIONS if name in CONTROLS]
    assert {"identity", "data-gram", "shuffled", "same-family"} <= set(CONTROLS)
    assert controls("trained-warm-up")[0] == "moved-as-far"
    assert "same-family-warm-up" in controls("trained-warm-up")
    assert controls("base") == controls("identity") == controls("guide-alone") == []
    assert controls("distilled") == controls("distilled-untrained") == ["distilled-uniform"]
    assert controls("distilled-uniform") == []
    # Where nothing is compared at a size, those that were run.
    assert controls("untrained", "paper") == []
    assert controls("untrained", "paper", ["shuffled-layers", "identity-warm-up"]) == ["shuffled-layers"]
    assert required("untrained", []) == []


@pytest.mark.parametrize("missing", ["untrained", "base", "identity"])
def test_all_have_to_be_tuned_alike(tuned, missing):
    assert gates.complete(fair()) == ""
    del tuned[missing]
    assert gates.complete(fair()) == f"not tuned alike: {missing}"


def test_with_other_settings_they_have_to_be_tuned_under_these(tuned):
    first = {"layers": "first-5"}
    said = "not tuned alike: untrained (layers = first-5), identity (layers = first-5)"
    assert gates.complete(fair(overrides=first)) == said
    tuned["untrained (layers = first-5)"] = tuned["identity (layers = first-5)"] = {}
    assert gates.complete(fair(overrides=first)) == ""  # layers are nothing to a base
    deeper = {"depth": 20}
    said = "not tuned alike: base (depth = 20)"
    assert gates.complete(fair(overrides=first, rival_overrides=deeper)) == said
    rival = side(0.3, condition="trained")
    assert gates.complete(fair(against="trained", rival=rival, rival_overrides=first)) == (
        "not tuned alike: trained (layers = first-5)")


@pytest.mark.parametrize(("condition", "settings", "expected"), [
    ("base", {}, False),
    ("base", {"base": {}}, True),
    ("untrained-stopped", {"untrained": {}}, True),
    ("untrained-stopped", {"trained": {}}, False),
    ("untrained-warm-up", {"untrained": {}}, False),
    ("base-residual", {"base": {}}, True),
    ("guide-alone", {}, True),
])
def test_a_condition_is_tuned_by_its_own_trials_or_those_of_the_one_it_is_tuned_as(
        condition, settings, expected):
    assert gates.is_tuned(condition, settings) is expected


def test_the_settings_are_those_of_the_experiment_at_its_size(monkeypatch):
    asked = []
    monkeypatch.setattr(gates, "chosen", lambda **place: asked.append(place) or {})
    assert gates.complete(fair()) == "not tuned alike: untrained, base, identity"
    assert asked == [{"experiment": "deep-fcn", "regime": "untrainable", "profile": "fast"}]


# premise

NOT_BETTER = "the guide's architecture alone is not clearly better than the base"


@pytest.mark.parametrize(("half", "by", "expected"), [
    (0.0, ABOVE, ""), (0.0, BELOW, NOT_BETTER),
    (0.1, ABOVE, ""), (0.1, BELOW, NOT_BETTER),
])
def test_the_guides_architecture_is_better_by_two_margins_with_its_whole_interval(half, by, expected):
    """The lower end of the interval lies just above 0.06 over the base, or just below."""
    alone = side(0.3 + 0.06 + half + by, condition="guide-alone", half=half)
    assert gates.premise(fair(alone=alone)) == expected


@pytest.mark.parametrize("role", ["untrained", "identity", "distilled"])
def test_the_premise_is_asked_of_whatever_steers_the_target(role):
    assert gates.premise(fair(condition=role, alone=side(0.3))) == NOT_BETTER


@pytest.mark.parametrize("role", ["guide-alone", "base-tuned", "dimension-kept"])
def test_the_premise_is_not_asked_of_what_is_not_guided(role):
    assert gates.premise(fair(condition=role, alone=side(0.3))) == ""


def test_a_premise_that_no_runs_can_show_does_not_hold():
    lone = "no seed that the guide's architecture alone shares with the base"
    assert gates.premise(fair(alone={})) == "no runs of the guide's architecture alone"
    assert gates.premise(fair(base={})) == lone
    assert gates.premise(fair(alone={seed + 8: r for seed, r in side(0.9).items()})) == lone


def test_better_is_lower_for_a_perplexity_and_higher_for_an_accuracy():
    low, high = side(0.5, test_perplexity=20.0), side(0.4, test_perplexity=30.0)
    assert beats(low, high, metric="test_perplexity") is True
    assert beats(high, low, metric="test_perplexity") is False
    assert beats(low, low, metric="test_perplexity") is False  # without a margin: above 0
    assert beats(low, high) is True
    assert beats(low, {}) is None
    assert gates.premise(fair(metric="test_perplexity", alone=low, base=high)) == ""
    assert gates.premise(fair(metric="test_perplexity", alone=high, base=low)) == NOT_BETTER
    # A gap of training says nothing of two architectures: they are compared by accuracy.
    assert gates.premise(fair(metric="gap_last")) == ""


def losing(ratio=1.2, best=10, epochs=40, n=8):
    """Runs whose validation loss ends at `ratio` times its minimum, which came after `best` epochs."""
    rising = [2.0 * r for r in ratio] if isinstance(ratio, list) else 2.0 * ratio
    return side(0.5, n=n, validation_loss=2.0, validation_loss_last=rising, best_epoch=best, epochs=epochs)


@pytest.mark.parametrize(("runs", "expected"), [
    (losing(1.1 + ABOVE), True),
    (losing(1.1 + BELOW), False),
    (losing([1.2] * 7 + [1.1]), True),
    (losing([1.4] * 4 + [1.0] * 4), False),  # 1.2 in the mean, but its interval reaches below
    (losing(best=26), True),
    (losing(best=27), False),  # 0.675
    (losing(best=20, epochs=30), True),  # two thirds exactly
    (losing(best=[10] * 4 + [40] * 4), False),  # 0.625 in the mean, but its interval reaches above
    (losing(1.1 + ABOVE, n=1), True),
    (losing(1.1 + BELOW, n=1), False),
    (side(0.5), False),
    ({}, False),
])
def test_overfitting_is_a_validation_loss_that_rose_by_a_tenth_from_an_early_minimum(runs, expected):
    assert gates.overfits(runs) is expected
    found = gates.premise(fair(base=runs, overfitting=True))
    assert found == ("" if expected else "the base does not overfit")


def test_a_claim_of_overfitting_does_not_ask_for_a_better_guide():
    assert gates.premise(fair(base=losing(), alone={}, overfitting=True)) == ""


# room

CHANCE = "both sides stand within 3 points of chance"
CEILING = "both sides are at the ceiling"
SHARE = "both sides have gone less than a tenth of the way from chance"


@pytest.mark.parametrize("half", [0.0, 0.1])
def test_two_sides_at_chance_leave_no_room_and_one_above_does(half):
    """At chance is a lower end up to 0.03 above it."""
    stuck = side(0.13 + half + BELOW, half=half)
    left = side(0.13 + half + ABOVE, half=half)
    assert gates.room(fair(runs=stuck, rival=stuck)) == CHANCE
    for runs, rival in ((stuck, left), (left, stuck), (left, left)):
        assert gates.room(fair(runs=runs, rival=rival)) == ""


@pytest.mark.parametrize("half", [0.0, 0.01])
def test_two_sides_at_the_ceiling_leave_no_room_and_one_below_does(half):
    """At the ceiling is an upper end of 0.97 or more."""
    there = side(0.97 - half + ABOVE, half=half)
    below = side(0.97 - half + BELOW, half=half)
    assert gates.room(fair(runs=there, rival=there)) == CEILING
    for runs, rival in ((there, below), (below, there), (below, below)):
        assert gates.room(fair(runs=runs, rival=rival)) == ""


def test_a_language_model_leaves_chance_with_a_tenth_of_the_way_to_the_floor():
    def language(share):
        loss = 3.0 - share * (3.0 - 1.0)
        return side(0.1, test_perplexity=math.exp(loss), test_loss=loss, chance_loss=3.0, floor_loss=1.0)

    stuck, left = language(0.1 + BELOW), language(0.1 + ABOVE)
    assert gates.room(fair(runs=stuck, rival=stuck)) == SHARE
    for runs, rival in ((stuck, left), (left, stuck), (left, left)):
        assert gates.room(fair(runs=runs, rival=rival)) == ""  # though both stand at chance in accuracy


# their order

def test_the_first_gate_that_fails_is_the_reason(tuned):
    stuck = side(0.1)
    poor = fair(runs=stuck, rival=side(0.1, n=7), base=stuck, alone=stuck)
    assert gates.first_failing(poor) == "7 of the 8 seeds that a verdict takes"
    assert gates.first_failing(replace(poor, rival=stuck)) == NOT_BETTER
    assert gates.first_failing(replace(poor, rival=stuck, alone=side(0.9))) == CHANCE
    tuned.clear()
    assert gates.first_failing(replace(poor, rival=stuck)).startswith("not tuned alike")


# whether the guide was approached

def looked(*means, condition="untrained", moments=None):
    """A record by its mean misalignment at each look, over two pairs that are as far apart each time."""
    probe = {"moments": moments or ["start", *range(1, len(means))],
             "misalignment": [[m - 0.01, m + 0.01] for m in means]}
    return {"config": {"condition": condition}, "metrics": {}, "curves": {"probe": probe}}


@pytest.mark.parametrize(("first", "last", "expected"), [
    (0.8, 0.6 + ABOVE, False),  # just under a quarter, far over 0.05
    (0.8, 0.6 + BELOW, True),
    (0.1, 0.05 + ABOVE, False),  # just under 0.05, far over a quarter
    (0.1, 0.05 + BELOW, True),
    (0.2, 0.15 + ABOVE, False),  # where both are the same
    (0.2, 0.15 + BELOW, True),
    (0.5, 0.9, False),
])
def test_the_misalignment_has_to_fall_by_a_quarter_and_by_five_hundredths(first, last, expected):
    assert treated({0: looked(first, 0.01, last)}) is expected  # what lay between does not count


@pytest.mark.parametrize(("fell", "of", "expected"), [
    (7, 10, False), (8, 10, True), (3, 5, False), (4, 5, True), (6, 8, False), (7, 8, True),
])
def test_it_has_to_fall_in_eight_of_ten_seeds(fell, of, expected):
    runs = {seed: looked(0.8, 0.3 if seed < fell else 0.8) for seed in range(of)}
    assert treated(runs) is expected


@pytest.mark.parametrize("condition", [
    "base", "guide-alone", "distilled", "shuffled", "shuffled-stopped", "shuffled-warm-up", "fresh-noise",
    "fresh-noise-warm-up", "moved-as-far", "untrained-noise-fed"])
def test_what_cannot_be_approached_is_not_asked_to_be(condition):
    record = looked(0.8, 0.3, condition=condition)
    record["curves"]["noise"] = {"start": 0.8, "warmed up": 0.3}
    assert misalignment(record) is None
    assert treated({0: record}) is None


@pytest.mark.parametrize("condition", ["trained", "identity", "data-gram", "same-family", "shuffled-layers",
                                       "shifted-untrained", "sp-trained"])
def test_what_can_be_approached_is(condition):
    assert misalignment(looked(0.8, 0.5, 0.3, condition=condition)) == pytest.approx((0.8, 0.3))


def test_a_run_that_diverged_has_not_approached_its_guide_and_says_nothing_of_the_mean():
    lost = looked(0.8, 0.5, 0.3)
    lost["curves"]["probe"]["misalignment"][-1][0] = None  # as a record keeps what is not finite
    first, last = misalignment(lost)
    assert first == pytest.approx(0.8) and math.isnan(last)
    assert treated({0: lost}) is False
    assert mean_misalignment([lost, looked(0.8, 0.5, 0.3)]) == pytest.approx((0.8, 0.3))
    assert mean_misalignment([lost]) is None
    stopped = lost | {"config": lost["config"] | {"condition": "untrained-stopped"}}
    assert misalignment(stopped) == pytest.approx((0.8, 0.5))
    warm = lost | {"config": lost["config"] | {"condition": "untrained-warm-up"}}
    warm["curves"] = warm["curves"] | {"noise": {"start": 0.8, "warmed up": None}}
    assert treated({0: warm}) is False
    for metric in ("misalignment", "early_fall"):
        assert value(lost, metric) is None


def test_a_warm_up_is_judged_on_noise_before_it_and_after():
    record = looked(0.8, 0.1, condition="untrained-warm-up")
    assert misalignment(record) is None
    record["curves"]["noise"] = {"start": 0.7, "warmed up": 0.6}
    assert misalignment(record) == (0.7, 0.6)
    assert treated({0: record}) is False
    record["curves"]["noise"]["warmed up"] = 0.5
    assert treated({0: record}) is True
    assert misalignment(looked(0.8, 0.3)) == pytest.approx((0.8, 0.3))


def test_a_guide_that_was_let_go_is_judged_by_the_nearest_look():
    assert misalignment(looked(0.8, 0.3, 0.9, condition="untrained-stopped")) == pytest.approx((0.8, 0.3))
    assert misalignment(looked(0.2, 0.8, 0.9, condition="untrained-stopped")) == pytest.approx((0.2, 0.8))


def test_runs_that_say_nothing_do_not_count():
    silent = {"config": {"condition": "untrained"}, "metrics": {}, "curves": {}}
    empty = {**silent, "curves": {"probe": {"moments": ["start"], "misalignment": [[]]}}}
    assert treated({}) is treated({0: silent}) is treated({0: empty}) is None
    assert treated({0: silent, 1: looked(0.8, 0.3)}) is True
    assert gates.mean_misalignment([silent, looked(0.8, 0.3), looked(0.6, 0.5)]) == pytest.approx((0.7, 0.4))
    assert gates.mean_misalignment([silent]) is None


# whether training had come to rest

def rising(by, *, epochs=10, **more):
    """Runs whose validation accuracy is `by` higher in the last fifth of training than in the one before."""
    fifth = epochs // 5
    curve = [0.1] * (epochs - 2 * fifth) + [0.5] * fifth + [0.5 + by] * fifth
    return side(0.5, curves={"training": {"validation_accuracy": curve}}, **more)


@pytest.mark.parametrize("epochs", [5, 10, 13, 40])
def test_a_net_that_still_rises_by_three_points_is_not_finished(epochs):
    assert unfinished(rising(0.03 + ABOVE, epochs=epochs)) is True
    assert unfinished(rising(0.03 + BELOW, epochs=epochs)) is False


def test_the_rise_is_the_mean_over_the_runs_and_over_a_whole_fifth():
    assert unfinished(rising(0.08, n=1) | {1: rising(-0.01)[1]}) is True
    assert unfinished(rising(0.08, n=1) | {1: rising(-0.03)[1]}) is False
    ends = [0.1] * 6 + [0.4, 0.6, 0.49, 0.53]  # up within each fifth, and 1 point between them
    assert unfinished(side(curves={"training": {"validation_accuracy": ends}})) is False
    assert unfinished(rising(0.5, epochs=4)) is False  # too short for fifths
    assert unfinished(side()) is False


# how a base fails

@pytest.mark.parametrize(("runs", "alone", "expected"), [
    (side(0.13 + BELOW, train_accuracy_last=0.5), {}, "at chance"),
    (side(0.13 + ABOVE, train_accuracy_last=0.5), {}, "saturates"),
    (side(0.05), {}, "at chance"),
    (losing(), {}, "overfits"),
    (rising(0.0, train_accuracy_last=0.9 + BELOW), {}, "saturates"),
    (rising(0.0, train_accuracy_last=0.9 + ABOVE), {}, ""),
    (rising(0.0, train_accuracy_last=0.6), side(train_accuracy_last=0.7 + ABOVE), "saturates"),
    (rising(0.0, train_accuracy_last=0.6), side(train_accuracy_last=0.7 + BELOW), ""),
    (rising(0.04, train_accuracy_last=0.6), {}, ""),
    (side(0.5), {}, ""),
    ({}, {}, ""),
])
def test_how_a_base_fails(runs, alone, expected):
    assert failing(runs, alone=alone) == expected


# in the ledger

CONTROLS = [name for name in CATALOGUE["deep-fcn"].compared["untrainable", "fast"]
            if (c := CONDITIONS[name]).role == "control" and c.guide and c.timing == ""]
SETTING = {"base": side(0.3), "guide-alone": side(0.9)} | dict.fromkeys(CONTROLS, side(0.4))
SPEED = "holds as speed: learns faster at 320 steps"


@pytest.fixture
def rows(monkeypatch):
    """Call for the rows of claims from {condition: {seed: record}}, over what passes the gates."""
    def made(claims, groups):
        found = []
        for condition, runs in (SETTING | groups).items():
            found += [Run(r | {"config": r["config"] | {"condition": condition}}) for r in runs.values()]
        monkeypatch.setattr(_ledger, "runs", lambda folder: found)
        return _ledger.rows("", claims=claims)

    return made


def claim(condition, name="c", **options):
    return Claim(name, "table 0", "it helps", "", "deep-fcn", condition, **options)


@pytest.mark.parametrize(("by", "expected"), [(ABOVE, SPEED), (BELOW, "holds")])
def test_what_still_rises_on_one_side_holds_as_speed(rows, by, expected):
    moving, still = rising(0.03 + by, steps=320), side(0.5, steps=320)
    base = {seed: r | {"metrics": side(0.3)[seed]["metrics"]} for seed, r in moving.items()}
    assert rows([claim("untrained")], {"untrained": moving})[0].verdict == expected
    assert rows([claim("untrained")], {"untrained": still, "base": base})[0].verdict == expected
    # What is measured at another end than that of training is no question of speed.
    loss = claim("untrained", metric="test_accuracy_last")
    ended = {seed: r | {"metrics": r["metrics"] | {"test_accuracy_last": 0.5}} for seed, r in moving.items()}
    rest = dict.fromkeys(CONTROLS, side(test_accuracy_last=0.2))
    row, = rows([loss], rest | {"untrained": ended, "base": side(0.3, test_accuracy_last=0.2)})
    assert row.verdict == "holds"


@pytest.mark.parametrize(("mean", "half", "expected"), [
    (0.6, 0.02, "holds"), (0.6, 0.2, "undecided"), (0.7, 0.02, "does not hold: it differs"),
    (0.5, 0.02, "does not hold: it differs")])
def test_that_two_are_alike_takes_two_one_sided_tests(rows, mean, half, expected):
    alike = claim("untrained-warm-up", against="untrained", equal=True)
    groups = {"untrained": side(0.6), "untrained-warm-up": side(mean, half=half)}
    row, = rows([alike], groups)
    assert row.verdict.partition(":")[0] == expected.partition(":")[0]
    assert row.over == {}  # nothing has to be beaten
    assert row.verdict == expected or expected == "undecided"


@pytest.mark.parametrize(("accuracy", "expected"), [
    (0.11, "holds"), (0.2, "does not hold: it is above"), (0.05, "holds")])
def test_what_is_at_chance_needs_no_other_runs(rows, accuracy, expected):
    at_chance = claim("guide-untrained", metric="above_chance", equal=True)
    row, = rows([at_chance], {"guide-untrained": side(accuracy, half=0.002)})
    assert row.verdict == expected
    assert (row.against, row.effect) == ("", pytest.approx(accuracy - 0.1))


@pytest.mark.parametrize(("condition", "expected"), [
    ("shifted-untrained", "no control"), ("shifted-init", "it has no guide"), ("distilled", "no control")])
def test_what_has_a_guide_and_no_control_is_told_from_what_has_no_guide(condition, expected):
    groups = {"base": side(0.2), "shifted-init": side(0.3), condition: side(0.5), "guide-alone": side(0.9)}
    records = [r | {"config": r["config"] | {"condition": name}}
               for name, runs in groups.items() for r in runs.values()]
    assert effect(records, condition, against="base").specific == expected


@pytest.mark.parametrize(("against", "base", "expected"), [
    ("same-family", 0.2, "does not hold: it is the other way round"), ("", 0.4, "does not hold: it harms")])
def test_only_beside_a_base_is_worse_called_harm(rows, against, base, expected):
    groups = {"base": side(base), "untrained": side(0.3), "same-family": side(0.5)}
    row, = rows([claim("untrained", against=against)], groups)
    assert row.verdict == expected


@pytest.mark.parametrize(("falls", "expected"), [
    ((0.6, 0.5, 0.4), "holds"), ((0.4, 0.5, 0.6), "does not hold: it is the other way round"),
    ((0.02, 0.01, 0.0), "does not test the claim: neither guide was approached")])
def test_early_layers_are_compared_with_late_ones_within_each_run(rows, falls, expected):
    early = claim("untrained", metric="early_fall")
    probe = {"moments": ["start", 20], "misalignment": [[0.9] * 3, [0.9 - fall for fall in falls]]}
    row, = rows([early], {"untrained": side(0.6, curves={"probe": probe})})
    assert row.verdict == expected
    assert row.effect == pytest.approx(falls[0] - falls[-1])


@pytest.mark.parametrize(("by", "expected"), [
    (ABOVE, "holds"),
    (BELOW, "does not test the claim: nothing to explain, untrained itself is not shown to help"),
])
@pytest.mark.parametrize("against", ["trained", "same-family", "identity"])
def test_what_explains_a_guide_is_tested_only_where_that_guide_helps(rows, against, by, expected):
    """The interval of the guide's effect, against the base, ends just above 0 or just below."""
    groups = {"untrained": side(0.5), "trained": side(0.4), "base": side(0.5 - 0.02 - by, half=0.02)}
    row, = rows([claim("untrained", against=against)], groups)
    assert (row.helps, row.verdict) == ("helps", expected)


def test_what_is_no_question_of_why_is_tested_where_the_guide_does_not_help(rows):
    groups = {"untrained": side(0.5), "distilled": side(0.4), "base": side(0.5)}
    assert rows([claim("untrained", against="distilled")], groups)[0].verdict == "holds"
    groups |= {condition: side(0.5, curves=looked(0.8, last)["curves"])
               for condition, last in (("trained", 0.7), ("untrained", 0.3))}
    about = claim("untrained", against="trained", metric="misalignment")
    assert rows([about], groups)[0].verdict == "holds"


def flipped(k):
    """Eight runs that are above a base of 0.3 in all but `k` seeds, by a little more in each."""
    values = [0.3 + (0.1 + seed / 1000) * (-1 if seed < k else 1) for seed in range(8)]
    return side(test_accuracy=values)


def test_each_kind_of_contrast_is_adjusted_for_its_like_and_what_restates_or_is_not_tested_for_none(rows):
    groups = {"dimension-kept": flipped(0), "shifted-init": flipped(1), "looks-linear-init": flipped(2),
              "base-residual": flipped(3), "base-longer": flipped(1), "base-tuned": side(n=7)}
    claims = [
        claim("dimension-kept", "first", primary=True),
        claim("shifted-init", "second", primary=True),
        claim("looks-linear-init", "third"),
        claim("base-residual", "fourth"),
        claim("base-longer", "fifth"),
        claim("looks-linear-init", "again", restates="third"),
        claim("dimension-kept", "first again", restates="first", primary=True),
        claim("base-tuned", "short", primary=True),
        claim("distilled", "absent"),
    ]
    found = {row.id: row for row in rows(claims, groups)}
    p = {name: row.p for name, row in found.items()}
    assert p["first"] == p["first again"] == 2 / 2**8
    assert p["first"] < p["second"] == p["fifth"] < p["third"] == p["again"] < p["fourth"]
    assert p["short"] == 2 / 2**7
    adjusted = {name: row.adjusted for name, row in found.items()}
    assert adjusted["first"] == 2 * p["first"]  # of two, not of four
    assert adjusted["second"] == p["second"]
    assert adjusted["fifth"] == 3 * p["fifth"]  # of three, not of four
    assert adjusted["third"] == pytest.approx(3 / 2 * p["third"])
    assert adjusted["fourth"] == p["fourth"]
    assert all(math.isnan(adjusted[name]) for name in ("again", "first again", "short", "absent"))
