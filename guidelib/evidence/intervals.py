"""Intervals over seeds: Student's t at 95 %, paired by seed for differences."""

import math


def student_t_interval(values, *, confidence=0.95):
    """(mean, low, high) of values over seeds, by Student's t; the bounds are NaN for a single value.

    >>> [round(v, 4) for v in student_t_interval([1.0, 2.0, 3.0])]
    [2.0, -0.4841, 4.4841]
    """
    from scipy.stats import t

    values = [float(v) for v in values]
    if not values:
        raise ValueError("an interval needs at least one value, received none")
    n = len(values)
    mean = math.fsum(values) / n
    if n == 1:
        return mean, math.nan, math.nan
    variance = math.fsum((v - mean) ** 2 for v in values) / (n - 1)
    error = math.sqrt(variance / n)
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
