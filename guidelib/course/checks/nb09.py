"""Exercises of 09: an adjustment for many looks, what a run costs, and the verdict that follows."""

import math

from ...evidence import holm as holm_
from .. import planted
from ..exercises import exercise

PS = {"a": 0.002, "b": 0.03, "c": 0.02, "d": 0.6, "e": 0.7}  # twice 0.6 is no p-value
VERDICTS = {  # verdict: what to ask again
    "holds": "are the gates passed, is the whole interval above 0, and was the guide approached?",
    "holds, but not by alignment": "did the misalignment fall by a quarter of itself, and by 0.05?",
    "holds as speed": "is accuracy still rising at the end?",
    "does not hold": "does the interval lie within 3 points of 0?",
    "undecided": "does the interval hold 0, and reach beyond 3 points from it?",
    "does not test the claim": "which gate is closed? Eight seeds are the first.",
}
TRUTH = {"A": "undecided", "B": "holds", "C": "does not test the claim", "D": "holds as speed",
         "E": "holds, but not by alignment", "F": "does not hold"}


@exercise("The more claims one looks at, the more surprising each of them has to be.")
def holm(answer):
    """An answer: callable(ps), ps sorted from the lowest, that returns as many adjusted ones."""
    names = sorted(PS, key=PS.get)
    ps = [PS[name] for name in names]
    truth = [holm_(PS)[name] for name in names]
    got = [float(p) for p in answer(list(ps))]
    if len(got) != len(ps):
        return f"As many numbers are asked for as came in, {len(ps)}; yours are {len(got)}."
    if near(got, truth):
        return ""
    m = len(ps)
    ranked = list(enumerate(ps))
    slips = [
        ([min(1.0, p * m) for p in ps],
         "That is Bonferroni: the lowest is multiplied by all of them, the next by one less, and so on."),
        ([min(1.0, p * (i + 1)) for i, p in ranked],
         "The other way round: the lowest is multiplied most."),
        ([min(1.0, p * m / (i + 1)) for i, p in ranked],
         "That bounds the share of false discoveries; Holm multiplies by how many are left."),
        (ps, "Nothing is adjusted yet."),
    ]
    for values, said in slips:
        if near(got, values):
            return said
    if max(got) > 1:
        return f"A p-value is at most 1, however many there are; yours goes up to {max(got):.3g}."
    if any(b < a for a, b in zip(got, got[1:], strict=False)):
        return "A weaker claim must not come out stronger than the one before it: keep the highest so far."
    return f"For {ps} the adjusted ones are {[round(p, 3) for p in truth]}; yours are {got}."


@exercise("A rate that was measured, not one from a data sheet, tells what an evening will do.")
def hours(answer):
    """An answer: callable(pflop, done_pflop, done_seconds) that returns hours."""
    got = float(answer(2.0, 0.004, 36.0))
    truth = 2.0 / 0.004 * 36.0 / 3600
    if math.isclose(got, truth):
        return ""
    slips = {3600: "That is in seconds: hours are asked for.", 60: "That is in minutes: hours are asked for.",
             0.004 ** 2 / 4: "Upside down: twice the work takes twice the time."}
    for factor, said in slips.items():
        if math.isclose(got, truth * factor):
            return said
    return f"Work of 2 PFLOP, where 0.004 took 36 s, takes {truth:g} hours; yours is {got:g}."


@exercise("Gates first, then the interval, then what it may be called.")
def evidence(answer):
    """An answer: {letter: verdict}."""
    return planted.wrong(answer, TRUTH, flaws=VERDICTS)


def near(ours, theirs):
    return all(math.isclose(a, b, abs_tol=1e-9) for a, b in zip(ours, theirs, strict=True))
