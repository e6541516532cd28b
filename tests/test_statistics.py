"""Intervals, signs and corrections against tables and counting, answers and verdicts against the rule."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import stats

from guidelib.evidence.intervals import paired_difference, student_t_interval
from guidelib.evidence.significance import EXACT, false_discovery, holm, sign_flip
from guidelib.evidence.verdicts import (
    DELTA,
    VERDICTS,
    helps,
    kind,
    seeds_needed,
    specific,
    standing,
    useful,
    verdict,
)


def test_interval_has_the_tabulated_half_width():
    # t(0.975, 2) = 4.302653, sd = 1, n = 3
    mean, low, high = student_t_interval([1.0, 2.0, 3.0])
    assert mean == 2
    assert high - mean == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert mean - low == pytest.approx(high - mean)
    # A normal quantile, a common slip, would be less than half as wide.
    assert high - mean > 2 * 1.959964 / math.sqrt(3)


def test_confidence_widens_the_interval():
    # t(0.995, 4) = 4.604095
    _, low, high = student_t_interval([0, 1, 2, 3, 4], confidence=0.99)
    assert (high - low) / 2 == pytest.approx(4.604095 * math.sqrt(2.5 / 5), rel=1e-6)


def test_one_seed_has_no_interval_and_none_is_an_error():
    mean, low, high = student_t_interval([0.5])
    assert mean == 0.5
    assert math.isnan(low)
    assert math.isnan(high)
    with pytest.raises(ValueError, match="at least one value"):
        student_t_interval([])


def test_differences_are_paired_by_seed():
    a = {0: 10.0, 1: 20.0, 2: 33.0}
    b = {2: 30.0, 0: 8.0, 1: 19.0, 9: 1.0}
    mean, low, high = paired_difference(a, b)
    assert mean == 2.0
    assert high - mean == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)  # differences 2, 1, 3: sd 1
    with pytest.raises(ValueError, match="no seed in common"):
        paired_difference({0: 1.0}, {1: 1.0})


T95 = 2.364624  # t(0.975, 7)
T90 = 1.894579  # t(0.95, 7)


def eight(mean, half, t=T95):
    """Eight differences of a mean, whose interval reaches half as far: as many above as below."""
    distance = half / t * math.sqrt(7)  # the sd of mean +- d over 8 is d sqrt(8/7), its error d / sqrt(7)
    return [mean + distance * (-1) ** i for i in range(8)]


def test_eight_differences_have_the_interval_that_they_are_made_for():
    assert student_t_interval(eight(0.1, 0.02)) == pytest.approx((0.1, 0.08, 0.12), rel=1e-6)
    found = student_t_interval(eight(0.1, 0.02, T90), confidence=0.9)
    assert found == pytest.approx((0.1, 0.08, 0.12), rel=1e-6)


@pytest.mark.parametrize(("differences", "options", "expected"), [
    (eight(0.02, 0.0199), {}, "above"),
    (eight(0.02, 0.0201), {"margin": 0.001}, "not told apart"),
    (eight(-0.02, 0.0199), {}, "below"),
    (eight(-0.02, 0.0201), {"margin": 0.001}, "not told apart"),
    (eight(0.0, 0.0299, T90), {}, "as good"),
    (eight(0.0, 0.0301, T90), {}, "not told apart"),
    (eight(0.005, 0.0249, T90), {}, "as good"),
    (eight(0.005, 0.0251, T90), {}, "not told apart"),
    (eight(-0.005, 0.0249, T90), {}, "as good"),
    (eight(-0.005, 0.0251, T90), {}, "not told apart"),
    (eight(0.0, 0.0301, T90), {"margin": 0.05}, "as good"),
    (eight(0.0, 0.001), {"margin": None}, "not told apart"),
    ([0.0] * 8, {}, "as good"),
    ([0.5], {}, "not told apart"),
    ([0.0], {}, "not told apart"),
])
def test_not_told_apart_is_not_as_good(differences, options, expected):
    assert standing(differences, **options) == expected


@pytest.mark.parametrize(("differences", "options", "expected"), [
    (eight(0.02, 0.0199), {}, "helps"),
    (eight(0.02, 0.0199), {"worse": True}, "harms"),
    (eight(-0.02, 0.0199), {}, "harms"),
    (eight(-0.02, 0.0199), {"worse": True}, "helps"),
    (eight(0.0, 0.0299, T90), {}, "no effect beyond 3 points"),
    (eight(0.0, 0.0299, T90), {"worse": True, "margin": 0.05}, "no effect beyond 5 points"),
    # 8 * 4, less for a smaller t
    (eight(0.0, 0.06), {}, "undecided, about 25 seeds would tell it to 3 points"),
    (eight(0.025, 0.0255), {}, "undecided"),  # known to within the margin: so many seeds would tell nothing
    (eight(0.0, 0.06), {"margin": None}, "undecided"),
    ([0.5], {}, "undecided"),
])
def test_does_it_help(differences, options, expected):
    assert helps(differences, **options) == expected


@pytest.mark.parametrize("spread", [0.01, 0.05, 0.1, 0.3])
def test_the_seeds_needed_are_the_fewest_that_make_the_interval_as_short_as_the_margin(spread):
    rng = np.random.default_rng(0)
    differences = rng.normal(0.1, spread, 10)  # an sd of its own, near `spread`
    needed = seeds_needed(differences)

    def half(n):
        return stats.t.ppf(0.975, n - 1) * differences.std(ddof=1) / math.sqrt(n)

    assert half(needed) <= DELTA < half(needed - 1)
    assert seeds_needed(differences, margin=2 * DELTA) <= needed
    assert seeds_needed(differences, margin=None) is None
    assert seeds_needed([0.1]) is None


@pytest.mark.parametrize(("stands", "expected"), [
    ({}, "no control"),
    ({"a": "above", "b": "above"}, "beats its controls"),
    ({"a": "above", "b": "as good"}, "as good: b"),
    ({"a": "not told apart", "b": "above", "c": "not told apart"}, "not separated from: a, c"),
    ({"a": "not told apart", "b": "below", "c": "as good"}, "better: b; as good: c; not separated from: a"),
])
def test_it_is_the_guide_only_if_it_is_above_every_control(stands, expected):
    assert specific(stands) == expected


@pytest.mark.parametrize(("differences", "expected"), [
    ([], ""),
    (eight(0.02, 0.0199), "worth it"),
    (eight(-0.02, 0.0199), "not worth it"),
    (eight(0.0, 0.0299, T90), "no better"),
    (eight(0.0, 0.0301, T90), "not separated"),
])
def test_is_it_worth_it(differences, expected):
    assert useful(differences) == expected


CASES = [
    ("helps", {}, "holds"),
    ("helps", {"treated": True}, "holds"),
    ("helps", {"treated": False}, "holds, but not by alignment"),
    ("helps", {"treated": False, "faster": 320}, "holds, but not by alignment"),
    ("helps", {"faster": 320}, "holds as speed: learns faster at 320 steps"),
    ("helps", {"worse": True}, "does not hold: it helps"),
    ("harms", {"worse": True}, "holds"),
    ("harms", {"worse": True, "treated": False}, "holds, but not by alignment"),
    ("harms", {"worse": True, "faster": 320}, "holds as speed: learns slower at 320 steps"),
    ("harms", {}, "does not hold: it harms"),
    ("harms", {"treated": True, "faster": 320}, "does not hold: it harms"),
    ("harms", {"treated": False}, "does not test the claim: it harms, but the guide was not approached"),
    ("no effect beyond 3 points", {}, "does not hold: no effect beyond 3 points"),
    ("no effect beyond 3 points", {"worse": True}, "does not hold: no effect beyond 3 points"),
    ("no effect beyond 3 points", {"treated": False},
     "does not test the claim: the guide was not approached"),
    ("undecided, about 46 seeds would tell it to 3 points", {},
     "undecided: about 46 seeds would tell it to 3 points"),
    ("undecided", {"worse": True}, "undecided"),
    ("undecided", {"treated": False}, "does not test the claim: the guide was not approached"),
    ("helps", {"untested": "why", "treated": False, "faster": 9}, "does not test the claim: why"),
]


@pytest.mark.parametrize(("answer", "options", "expected"), CASES)
def test_verdict_follows_the_rule(answer, options, expected):
    assert verdict(answer, **options) == expected


def test_every_kind_of_verdict_is_reached_and_no_other():
    """What has nothing to compare with has no answer, and stays "not tested"."""
    assert {kind(expected) for *_, expected in CASES} | {"not tested"} == set(VERDICTS)


# p of differences, by counting, and what becomes of it among many.

def counted(differences):
    """The share of all patterns of signs whose sum is as far from 0, or further, one after the other."""
    asked = abs(math.fsum(differences))
    sums = [abs(math.fsum(s * d for s, d in zip(signs, differences, strict=True)))
            for signs in product((-1, 1), repeat=len(differences))]
    return sum(s >= asked - 1e-9 for s in sums) / len(sums)


def drawn():
    """Differences with and without ties, and with none from 0."""
    rng = np.random.default_rng(1)
    found = [np.full(8, 0.1), np.zeros(5)]
    for n in (1, 2, 5, 8, 10):
        found += [rng.normal(0.1, 0.2, n), rng.choice([-0.4, 0.0, 0.4], n)]
    return found


def check_p(found, expected):
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("differences", drawn())
def test_p_is_the_share_of_sign_patterns_as_far_from_zero(differences):
    check_p(sign_flip(differences), counted(differences))


@pytest.mark.parametrize("differences", [d for d in drawn() if len(d) in (8, 10)])
def test_p_is_that_of_the_exact_permutation_test(differences):
    found = stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf)
    check_p(sign_flip(differences), found.pvalue)


def test_the_tolerance_of_p_sees_one_pattern_too_many():
    differences = np.arange(1.0, 11.0)
    check_p(sign_flip(differences), 2 / 2**10)
    with pytest.raises(AssertionError):
        check_p(sign_flip(differences), 3 / 2**10)
    with pytest.raises(AssertionError):
        check_p(sign_flip(differences), 1 / 2**10)  # one-sided


def test_p_of_more_seeds_than_can_be_counted_is_drawn():
    rng = np.random.default_rng(2)
    many = rng.normal(0.1, 0.3, EXACT + 1)
    every = 2 * (np.arange(2**len(many))[:, None] >> np.arange(len(many)) & 1) - 1  # all there are
    p = (np.abs(every @ many) >= abs(many.sum()) - 1e-12).mean()
    assert sign_flip(many) == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / 2**EXACT))
    with pytest.raises(AssertionError):
        assert sign_flip(many) == pytest.approx(1.05 * p, abs=4 * math.sqrt(p * (1 - p) / 2**EXACT))
    assert 2**-EXACT <= sign_flip([0.1] * (EXACT + 1)) < 1e-3
    assert sign_flip([0.0] * (EXACT + 1)) == 1.0
    assert math.isnan(sign_flip([0.1, math.nan, 0.2]))
    patterns = sign_flip(many[:-1]) * 2**EXACT  # a pattern and its opposite come together
    assert patterns % 2 == 0
    assert sign_flip(many[:-1]) == pytest.approx(stats.ttest_1samp(many[:-1], 0.0).pvalue, abs=0.02)
    assert math.isnan(sign_flip([]))


# p, by Holm and by Benjamini and Hochberg, as worked by hand: 5, 4, 3, 2, 1 times p, and 5/1 ... 5/5 times p.
TABLE = {
    "a": (0.005, 0.025, 0.025),
    "b": (0.04, 0.09, 0.05),  # 0.04 * 2 is below what d has; 0.04 * 5/4
    "c": (0.011, 0.044, 0.0275),
    "d": (0.03, 0.09, 0.05),  # 0.03 * 3; 0.03 * 5/3, which equals what b has
    "e": (0.2, 0.2, 0.2),
    "nothing": (math.nan, math.nan, math.nan),
}


def check_adjusted(found, expected):
    assert found == pytest.approx(expected, rel=1e-9, nan_ok=True)


def test_corrections_agree_with_a_table_worked_by_hand():
    ps = {name: p for name, (p, *_) in TABLE.items()}
    by_holm = {name: row[1] for name, row in TABLE.items()}
    check_adjusted(holm(ps), by_holm)
    check_adjusted(false_discovery(ps), {name: row[2] for name, row in TABLE.items()})
    with pytest.raises(AssertionError):
        check_adjusted(false_discovery(ps), by_holm)
    assert list(holm(ps)) == list(false_discovery(ps)) == list(ps)
    assert holm({}) == false_discovery({}) == {}


def holm_by_search(ps):
    """The least level at which Holm's steps reject each: step down while p_(i) <= level / (m - i)."""
    order = np.argsort(ps, kind="stable")
    levels = [min(1.0, ps[i] * (len(ps) - rank)) for rank, i in enumerate(order)]  # where a step just passes
    found = np.empty(len(ps))
    for rank, i in enumerate(order):
        enough = [level for level in levels
                  if all(ps[order[k]] * (len(ps) - k) <= level or level == 1 for k in range(rank + 1))]
        found[i] = min(enough)
    return found


@pytest.mark.parametrize("seed", range(20))
def test_corrections_agree_with_other_ways_to_them(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 40))
    ps = rng.uniform(0, 1, n) ** rng.choice([1, 3])
    ps = np.round(ps, 2) if seed % 2 else ps  # with ties
    named = dict(enumerate(ps))
    found = np.array(list(false_discovery(named).values()))
    check_adjusted(found, stats.false_discovery_control(ps, method="bh"))
    check_adjusted(np.array(list(holm(named).values())), holm_by_search(ps))
    if n > 1 and found.min() < 0.9:
        with pytest.raises(AssertionError):
            check_adjusted(found, 1.01 * stats.false_discovery_control(ps, method="bh"))
        with pytest.raises(AssertionError):
            check_adjusted(found, stats.false_discovery_control(ps, method="by"))
    assert (found >= ps - 1e-12).all()
