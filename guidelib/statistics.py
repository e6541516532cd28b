"""Intervals and verdicts: Student-t 95 % over seeds, paired by seed for differences; verdicts by rule, never by hand."""

import math

VERDICTS = ("holds", "holds, but a control does as well", "does not hold", "undecided at this n", "not tested")


def student_t_interval(values, *, confidence=0.95):
    """(mean, low, high) of values over seeds, by Student's t; the bounds are NaN for a single value.

    >>> [round(v, 4) for v in student_t_interval([1.0, 2.0, 3.0])]
    [2.0, -0.4841, 4.4841]
    """
    from scipy.stats import t

    values = [float(v) for v in values]
    if not values:
        raise ValueError("an interval needs at least one value, received none")
    n, mean = len(values), math.fsum(values) / len(values)
    if n == 1:
        return mean, math.nan, math.nan
    error = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1) / n)
    half = float(t.ppf((1 + confidence) / 2, n - 1)) * error
    return mean, mean - half, mean + half


def paired_difference(a, b, *, confidence=0.95):
    """(mean, low, high) of a - b for two dicts {seed: value}, over the seeds that both have.

    >>> paired_difference({0: 3.0, 1: 4.0}, {0: 1.0, 1: 2.0})
    (2.0, 2.0, 2.0)
    """
    seeds = sorted(set(a) & set(b))
    if not seeds:
        raise ValueError(f"no seed in common: {sorted(a)} and {sorted(b)}")
    return student_t_interval([a[s] - b[s] for s in seeds], confidence=confidence)


def verdict(gain, over_control=None):
    """The verdict on an effect, from (mean, low, high) of guided minus fair base, and of guided minus the strongest control.

    "holds": the gain's lower end is above 0; "holds, but a control does as well": besides, that over the control is not; "does not
    hold": the gain's upper end is below 0; otherwise "undecided at this n"; "not tested" without a gain. One seed has no
    interval, so it decides nothing.

    >>> verdict((0.2, 0.1, 0.3)), verdict((0.2, 0.1, 0.3), (0.0, -0.1, 0.1)), verdict((-0.2, -0.3, -0.1)), verdict((0.1, -0.1, 0.3))
    ('holds', 'holds, but a control does as well', 'does not hold', 'undecided at this n')
    """
    if gain is None:
        return "not tested"
    _, low, high = gain
    if low > 0:
        return "holds" if over_control is None or over_control[1] > 0 else "holds, but a control does as well"
    return "does not hold" if high < 0 else "undecided at this n"
