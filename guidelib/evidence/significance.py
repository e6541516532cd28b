"""How surprising differences over seeds would be under no effect, alone and among many."""

import math

import numpy as np

EXACT = 16  # seeds up to which all signs are counted; beyond, Student's t


def sign_flip(differences):
    """Two-sided p of paired differences: the share of sign patterns with a mean as far from 0, or further.

    Exact, and without any assumption but that a difference and its negative were equally likely; with n
    seeds it is at least 2**(1 - n). NaN without differences.

    >>> sign_flip([1.0, 2.0, 3.0])
    0.25
    """
    values = np.asarray(list(differences), dtype=float)  # (n,)
    n = len(values)
    if not n:
        return math.nan
    if n > EXACT:
        from scipy.stats import ttest_1samp

        return float(ttest_1samp(values, 0.0).pvalue)
    patterns = np.arange(2**n)[:, None] >> np.arange(n) & 1  # (2**n, n)
    sums = np.abs((2 * patterns - 1) @ values)  # (2**n,)
    return float((sums >= abs(values.sum()) - 1e-12 * np.abs(values).sum()).mean())


def holm(ps):
    """{name: p} adjusted so that under no effect anywhere any of them falls below a level no more often.

    Holm 1979. Those that are NaN stay so, and do not count.

    >>> holm({"a": 0.01, "b": 0.04, "c": 0.03})
    {'a': 0.03, 'b': 0.06, 'c': 0.06}
    """
    known = sorted((name for name in ps if not math.isnan(ps[name])), key=ps.get)
    adjusted = dict(ps)
    highest = 0.0
    for i, name in enumerate(known):
        highest = max(highest, min(1.0, ps[name] * (len(known) - i)))
        adjusted[name] = highest
    return adjusted


def false_discovery(ps):
    """{name: q}: of the rows with a q this low, the share that one would expect to be false.

    Benjamini and Hochberg 1995. Those that are NaN stay so, and do not count.

    >>> false_discovery({"a": 0.01, "b": 0.04, "c": 0.03})
    {'a': 0.03, 'b': 0.04, 'c': 0.04}
    """
    known = sorted((name for name in ps if not math.isnan(ps[name])), key=ps.get)
    adjusted = dict(ps)
    lowest = 1.0
    for i, name in reversed(list(enumerate(known))):
        lowest = min(lowest, ps[name] * len(known) / (i + 1))
        adjusted[name] = lowest
    return adjusted
