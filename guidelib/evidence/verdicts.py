"""Verdicts: how two conditions stand to each other, and what follows for a claim, by rule, never by hand."""

import math

DELTA = 0.03  # the smallest difference in accuracy that counts, fixed before any run: 3 points
UNTESTED = "does not test the claim"
VERDICTS = (
    UNTESTED,
    "holds",
    "holds, not told apart from",
    "holds, but better",
    "helps, but not by alignment",
    "harms, but not by alignment",
    "does not hold",
    "undecided at this n",
    "not tested",
)


def standing(difference, *, margin=DELTA):
    """How one condition stands to another: "above", "below", "as good" or "not told apart".

    difference: (mean, low, high) of theirs. "as good" needs the whole interval within the margin: that two
    are not told apart says nothing of the kind. One seed tells nothing apart.

    >>> standing((0.2, 0.1, 0.3)), standing((-0.2, -0.3, -0.1))
    ('above', 'below')
    >>> standing((0.0, -0.02, 0.02)), standing((0.1, -0.1, 0.3))
    ('as good', 'not told apart')
    """
    _, low, high = difference
    if low > 0:
        return "above"
    if high < 0:
        return "below"
    return "as good" if -margin < low and high < margin else "not told apart"


def nearest(over):
    """The control that comes nearest to the guided runs, or beats them most; "" for none.

    over: {name: (mean, low, high)}, the differences to the controls.

    >>> nearest({"identity": (0.2, 0.1, 0.3), "shuffled": (0.2, -0.1, 0.5)})
    'shuffled'
    """
    def lower_end(name):
        _, low, _ = over[name]
        return -math.inf if math.isnan(low) else low

    return min(over, key=lower_end, default="")


def verdict(gain, over=None, *, untested="", aligned=None, worse=False):
    """The verdict on an effect, by rule.

    gain: (mean, low, high) of guided minus base, signed so that above 0 speaks for the claim, or None. over:
    {control: the same of guided minus that control}. untested: why the setting does not test the claim
    (gates.untested). aligned: whether the misalignment fell (gates.fell), None where
    that cannot be said. worse: the claim is one of harm. One seed has no interval, so it decides nothing.

    >>> verdict((0.2, 0.1, 0.3)), verdict((-0.2, -0.3, -0.1)), verdict((0.1, -0.1, 0.3))
    ('holds', 'does not hold', 'undecided at this n')
    >>> verdict((0.2, 0.1, 0.3), {"identity": (0.0, -0.1, 0.1), "shuffled": (0.2, 0.1, 0.3)})
    'holds, not told apart from: identity'
    >>> verdict((-0.2, -0.3, -0.1), aligned=False), verdict((0.2, 0.1, 0.3), aligned=False)
    ('does not test the claim: the misalignment did not fall', 'helps, but not by alignment')
    """
    if gain is None:
        return "not tested"
    if untested:
        return f"{UNTESTED}: {untested}"
    _, low, high = gain
    if low > 0 and aligned is False:
        return "harms, but not by alignment" if worse else "helps, but not by alignment"
    if low > 0:
        return _among(over or {})
    if aligned is False:
        return f"{UNTESTED}: the misalignment did not fall"
    return "does not hold" if high < 0 else "undecided at this n"


def kind(verdict):
    """A verdict without its reason or its list of controls: one of VERDICTS.

    >>> kind("holds, not told apart from: identity, shuffled")
    'holds, not told apart from'
    """
    return verdict.partition(":")[0]


def _among(over):
    """ "holds", and the controls that keep it from being the guide's own doing."""
    stands = {name: standing(difference) for name, difference in over.items()}
    better = ", ".join(name for name in stands if stands[name] == "below")
    alike = ", ".join(name for name in stands if stands[name] in ("not told apart", "as good"))
    if alike and better:
        return f"holds, not told apart from: {alike}; better: {better}"
    if alike:
        return f"holds, not told apart from: {alike}"
    return f"holds, but better: {better}" if better else "holds"
