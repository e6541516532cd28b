"""Do two networks err on the same examples, more often than their accuracies alone would make them?"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from ..tasks.task import IGNORED


@dataclass(frozen=True, kw_only=True)
class ErrorConsistency:
    """Cohen's kappa of right and wrong, with its interval, and what it was made of.

    kappa = (observed - expected) / (1 - expected). observed: share of the n examples that both get right or
    both get wrong; expected: that share if errors were independent, p q + (1 - p)(1 - q) for accuracies p and
    q. least, most: the lowest and highest kappa that these two accuracies allow, which is a narrow range when
    they are far apart. NaN where undefined.
    """

    kappa: float
    low: float
    high: float
    observed: float
    expected: float
    least: float
    most: float
    n: int


def error_consistency(right_a, right_b, *, seed=0, draws=2000, confidence=0.95):
    """Cohen's kappa of two networks' right and wrong answers to the same n examples, an ErrorConsistency.

    right_a, right_b: booleans (n,), whether each answer is right. 1: the same errors; 0: as many in common as
    independent errors would have; below 0: fewer. kappa is NaN if expected is 1, that is if both networks are
    always right or both always wrong: then there is no agreement that chance would not give. The interval
    resamples examples with `seed`, `draws` times, percentiles of the draws in which kappa is defined; it says
    nothing of other seeds of the networks. TypeError or ValueError for what is not two equally long rows of
    booleans. Geirhos, Meding and Wichmann 2020; the paper, appendix F.

    >>> found = error_consistency([True, True, False, False], [True, True, False, True])
    >>> found.kappa, found.observed, found.expected
    (0.5, 0.75, 0.5)
    """
    a = _right(right_a, "right_a")
    b = _right(right_b, "right_b")
    if a.shape != b.shape or a.ndim != 1 or not len(a):
        raise ValueError("error_consistency compares the same n >= 1 examples on both sides, "
                         f"received shapes {a.shape} and {b.shape}")
    n = len(a)
    # Which of the two is called a does not matter: the smaller cell first, so that not even the draws know.
    alone = sorted([(a & ~b).sum(), (~a & b).sum()])
    cells = np.array([(a & b).sum(), *alone, (~a & ~b).sum()])
    observed, expected, kappa = _kappa(cells)
    # Resampling examples changes how many fall into each of the four cells, and nothing else.
    samples = np.random.default_rng(seed).multinomial(n, cells / n, size=draws)  # (draws, 4)
    _, _, drawn = _kappa(samples)
    drawn = drawn[~np.isnan(drawn)]
    low = high = math.nan
    if len(drawn) and not math.isnan(kappa):
        tail = (1 - confidence) / 2
        low, high = np.quantile(drawn, [tail, 1 - tail])
    least, most = _range(int(a.sum()), int(b.sum()), n)
    return ErrorConsistency(kappa=float(kappa), low=float(low), high=float(high), observed=float(observed),
                            expected=float(expected), least=least, most=most, n=n)


def consistency_matrix(predictions, labels):
    """Table of error consistency, rows and columns the networks of {name: predicted labels (n, ...)}.

    labels: (n, ...), what is right. Places whose label is not scored (-100) are left out. The diagonal is 1,
    or NaN for a network that is always right or always wrong. ValueError for predictions of another shape
    than the labels.

    >>> consistency_matrix({"a": [0, 1, 1], "b": [0, 1, 0]}, [0, 1, 0]).round(2).values.tolist()
    [[1.0, 0.0], [0.0, nan]]
    """
    labels = torch.as_tensor(labels).cpu()
    right = {}
    for name, predicted in predictions.items():
        predicted = torch.as_tensor(predicted).cpu()
        if predicted.shape != labels.shape:
            raise ValueError(f"{name!r} has predictions {tuple(predicted.shape)} for labels "
                             f"{tuple(labels.shape)}: pass one label each, logits.argmax(-1)")
        right[name] = (predicted == labels)[labels != IGNORED]
    table = pd.DataFrame(index=list(right), columns=list(right), dtype=float)
    for a, of_a in right.items():
        for b, of_b in right.items():
            table.loc[a, b] = error_consistency(of_a, of_b, draws=0).kappa
    return table


def _right(right, name):
    if isinstance(right, torch.Tensor):
        right = right.cpu()
    right = np.asarray(right)
    if right.dtype != bool:
        raise TypeError(f"{name} holds booleans, whether each answer is right; received {right.dtype}: "
                        "pass predictions == labels")
    return right


def _kappa(cells):
    """(observed, expected, kappa) of counts (..., 4): both right, a alone, b alone, both wrong."""
    both, a, b, neither = np.moveaxis(np.asarray(cells, dtype=np.int64), -1, 0)
    n = both + a + b + neither
    # In whole numbers, so that an expectation of exactly 1 is known as such.
    agree = (both + neither) * n
    chance = (both + a) * (both + b) + (neither + a) * (neither + b)
    certain = chance == n * n
    with np.errstate(invalid="ignore"):
        kappa = np.where(certain, np.nan, (agree - chance) / np.where(certain, 1, n * n - chance))
    return agree / n**2, chance / n**2, kappa


def _range(a, b, n):
    """The lowest and the highest kappa of two networks that are right on a and on b of n examples."""
    least, most = max(0, a + b - n), min(a, b)  # examples that both get right
    cells = [[both, a - both, b - both, n - a - b + both] for both in (least, most)]
    _, _, kappas = _kappa(cells)
    return tuple(kappas.tolist())
