"""Intervals against tabulated t quantiles, verdicts against the rule."""

import math

import pytest

from guidelib.evidence.intervals import paired_difference, student_t_interval
from guidelib.evidence.verdicts import VERDICTS, kind, standing, verdict


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


UP = (0.2, 0.1, 0.3)
DOWN = (-0.1, -0.2, -0.01)
OPEN = (0.1, -0.1, 0.3)
ONE = (0.3, math.nan, math.nan)
CASES = [
    (UP, {}, {}, "holds"),
    (UP, {"identity": (0.1, 0.01, 0.2)}, {}, "holds"),
    (UP, {"identity": (0.1, 0.0, 0.2), "shuffled": UP}, {}, "holds, not told apart from: identity"),
    (UP, {"identity": ONE, "shuffled": OPEN}, {}, "holds, not told apart from: identity, shuffled"),
    (UP, {"identity": (0.0, -0.01, 0.01)}, {}, "holds, not told apart from: identity"),
    (UP, {"identity": OPEN, "shuffled": DOWN}, {}, "holds, not told apart from: identity; better: shuffled"),
    (UP, {"shuffled": DOWN}, {}, "holds, but better: shuffled"),
    (UP, {}, {"aligned": False}, "helps, but not by alignment"),
    (UP, {}, {"aligned": False, "worse": True}, "harms, but not by alignment"),
    (UP, {}, {"aligned": True, "worse": True}, "holds"),
    ((0.1, 0.0, 0.2), {"identity": UP}, {}, "undecided at this n"),
    (DOWN, {}, {}, "does not hold"),
    (DOWN, {}, {"aligned": True}, "does not hold"),
    (DOWN, {}, {"aligned": False}, "does not test the claim: the misalignment did not fall"),
    (OPEN, {}, {"aligned": False}, "does not test the claim: the misalignment did not fall"),
    (UP, {}, {"untested": "why", "aligned": False}, "does not test the claim: why"),
    ((-0.1, -0.2, 0.0), {}, {}, "undecided at this n"),
    (ONE, {}, {}, "undecided at this n"),
    (None, {}, {"untested": "why"}, "not tested"),
]


@pytest.mark.parametrize(("gain", "over", "options", "expected"), CASES)
def test_verdict_follows_the_rule(gain, over, options, expected):
    assert verdict(gain, over, **options) == expected


def test_every_kind_of_verdict_is_reached_and_no_other():
    assert {kind(expected) for *_, expected in CASES} == set(VERDICTS)


@pytest.mark.parametrize(("difference", "expected"), [
    ((0.02, 0.01, 0.03), "above"),
    ((-0.02, -0.03, -0.01), "below"),
    ((0.0, -0.029, 0.029), "as good"),
    ((0.0, -0.031, 0.029), "not told apart"),
    ((0.0, 0.0, 0.01), "as good"),
    ((0.0, math.nan, math.nan), "not told apart"),
])
def test_not_told_apart_is_not_as_good(difference, expected):
    assert standing(difference) == expected
