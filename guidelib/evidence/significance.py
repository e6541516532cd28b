"""How surprising differences over seeds would be under no effect, alone and among many."""

import math

import numpy as np

EXACT = 16  # seeds up to which all patterns of signs are counted; beyond, as many are drawn


def sign_flip(differences):
    """Two-sided p of paired differences: the share of sign patterns with a mean as far from 0, or further.

    Without any assumption but that a difference and its negative were equally likely. Exact up to 16 seeds,
    where it is at least 2**(1 - n); beyond, from 65,536 patterns drawn from a fixed seed, and at least
    2**-16. NaN without differences, or if one is not finite.

    >>> sign_flip([1.0, 2.0, 3.0]), sign_flip([0.0] * 20), sign_flip([1.0, float("nan")])
    (0.25, 1.0, nan)
    """
    values = np.asarray(list(differences), dtype=float)  # (n,)
    n = len(values)
    if not n or not np.isfinite(values).all():
        return math.nan
    if n > EXACT:
        patterns = np.random.default_rng(0).integers(0, 2, (2**EXACT, n))
        patterns[0] = 1  # the one that was found is one of them
    else:
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
