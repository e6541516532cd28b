"""Intervals against tabulated t quantiles, verdicts against the rule."""

import math

import pytest

from guidelib.statistics import VERDICTS, paired_difference, student_t_interval, verdict


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
    assert mean == 0.5 and math.isnan(low) and math.isnan(high)
    with pytest.raises(ValueError, match="at least one value"):
        student_t_interval([])


def test_differences_are_paired_by_seed():
    a, b = {0: 10.0, 1: 20.0, 2: 33.0}, {2: 30.0, 0: 8.0, 1: 19.0, 9: 1.0}
    mean, low, high = paired_difference(a, b)
    assert mean == 2.0
    assert high - mean == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)  # differences 2, 1, 3: sd 1
    with pytest.raises(ValueError, match="no seed in common"):
        paired_difference({0: 1.0}, {1: 1.0})


@pytest.mark.parametrize(("gain", "control", "expected"), [
    ((0.2, 0.1, 0.3), None, "holds"),
    ((0.2, 0.1, 0.3), (0.1, 0.01, 0.2), "holds"),
    ((0.2, 0.1, 0.3), (0.1, 0.0, 0.2), "holds, but a control does as well"),
    ((0.2, 0.1, 0.3), (math.nan,) * 3, "holds, but a control does as well"),
    ((0.1, 0.0, 0.2), (0.1, 0.05, 0.2), "undecided at this n"),
    ((-0.1, -0.2, -0.01), None, "does not hold"),
    ((-0.1, -0.2, 0.0), None, "undecided at this n"),
    ((0.3, math.nan, math.nan), None, "undecided at this n"),
    (None, None, "not tested"),
])
def test_verdict_follows_the_rule(gain, control, expected):
    assert verdict(gain, control) == expected
    assert expected in VERDICTS
