"""Three questions and their answers, by rule: does it help, is it the guide, is it worth it?"""

import math

from .intervals import student_t_interval

MOST = 10_000  # seeds, more than which nobody is told to take
DELTA = 0.03  # the smallest difference in accuracy that counts, fixed before any run: 3 points
UNTESTED = "does not test the claim"
VERDICTS = (
    UNTESTED,
    "holds",
    "holds, but not by alignment",
    "holds as speed",
    "does not hold",
    "undecided",
    "not tested",
)


def standing(differences, *, margin=DELTA):
    """How one side stands to another: "above", "below", "as good" or "not told apart".

    differences: paired by seed, signed so that above 0 is better. "above" and "below" need the whole 95 %
    interval on that side of 0; "as good" needs two one-sided tests at 5 %, the 90 % interval within the
    margin: that two are not told apart says nothing of the kind. One seed tells nothing apart.

    >>> standing([0.2, 0.21, 0.22]), standing([-0.2, -0.21, -0.22])
    ('above', 'below')
    >>> standing([0.0, -0.002, 0.002]), standing([0.1, -0.1, 0.3])
    ('as good', 'not told apart')
    """
    _, low, high = student_t_interval(differences)
    if low > 0:
        return "above"
    if high < 0:
        return "below"
    _, low, high = student_t_interval(differences, confidence=0.9)
    if margin is not None and -margin < low and high < margin:
        return "as good"
    return "not told apart"


def seeds_needed(differences, *, margin=DELTA):
    """How many seeds it would take to know such a difference to within the margin, or None if nobody knows.

    The least n at which half a 95 % interval is as short as the margin, at the spread that is there. None
    beyond 10,000 too.

    >>> seeds_needed([0.1, -0.1, 0.0])
    46
    """
    from scipy.stats import t

    values = list(differences)
    if len(values) < 2 or not margin:
        return None
    mean = math.fsum(values) / len(values)
    sd = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (len(values) - 1))
    n = max(2, math.ceil((1.95 * sd / margin) ** 2))  # a normal law asks for fewer
    while n <= MOST and t.ppf(0.975, n - 1) * sd / math.sqrt(n) > margin:
        n += 1
    return n if n <= MOST else None


def helps(differences, *, margin=DELTA, worse=False, points=True):
    """The answer to "does it help?": helps, harms, no effect beyond the margin, or undecided.

    worse: the differences are signed so that above 0 speaks for harm. points: they are of shares.

    >>> helps([0.2, 0.21, 0.22]), helps([0.2, 0.21, 0.22], worse=True), helps([0.0, -0.002, 0.002])
    ('helps', 'harms', 'no effect beyond 3 points')
    >>> helps([0.1, -0.1, 0.0])
    'undecided, about 46 seeds would tell it to 3 points'
    """
    stands = standing(differences, margin=margin)
    if stands in ("above", "below"):
        return "helps" if (stands == "above") != worse else "harms"
    if stands == "as good":
        return small(margin, points=points)
    needed = seeds_needed(differences, margin=margin) or 0
    # So near to 0 or to the margin, as many seeds as there are may know it as well, and tell nothing.
    if needed <= len(differences):
        return "undecided"
    return f"undecided, about {needed} seeds would tell it to {said(margin, points=points)}"


def small(margin, *, points):
    """That there is no effect beyond a margin.

    >>> small(0.05, points=True), small(0.05, points=False)
    ('no effect beyond 5 points', 'no effect beyond 0.05')
    """
    return f"no effect beyond {said(margin, points=points)}"


def said(margin, *, points):
    return f"{100 * margin:g} points" if points else f"{margin:g}"


def alike(differences, *, margin=DELTA, worse=False, points=True):
    """The answer to whether two are alike: that of helps(), but a small difference counts as none.

    >>> alike([0.01, 0.011, 0.009]), helps([0.01, 0.011, 0.009])
    ('no effect beyond 3 points', 'helps')
    """
    _, low, high = student_t_interval(differences, confidence=0.9)
    if margin is not None and -margin < low and high < margin:
        return small(margin, points=points)
    return helps(differences, margin=margin, worse=worse, points=points)


def specific(stands):
    """The answer to "is it the guide?" from how it stands to every control, none of them picked.

    The guide beats its controls only if it is above all of them, each by its own interval: such a rule needs
    no correction for their number.

    >>> specific({"identity": "above", "shuffled": "not told apart", "data-gram": "below"})
    'better: data-gram; not separated from: shuffled'
    >>> specific({"identity": "above"}), specific({})
    ('beats its controls', 'no control')
    """
    if not stands:
        return "no control"
    words = {"below": "better", "as good": "as good", "not told apart": "not separated from"}
    parts = [f"{said}: {', '.join(names)}" for how, said in words.items()
             if (names := [name for name in stands if stands[name] == how])]
    return "; ".join(parts) or "beats its controls"


def useful(differences, *, margin=DELTA):
    """The answer to "is it worth it?", beside the best recipe without a guide; "" without one.

    >>> useful([0.2, 0.21, 0.22]), useful([-0.2, -0.21, -0.22]), useful([0.1, -0.1, 0.3])
    ('worth it', 'not worth it', 'not separated')
    """
    if not differences:
        return ""
    words = {"above": "worth it", "below": "not worth it", "as good": "no better",
             "not told apart": "not separated"}
    return words[standing(differences, margin=margin)]


def verdict(answer, *, worse=False, equal=False, at_most=False, describes=False, untested="", treated=None,
            faster=0):
    """The verdict on a claim that follows from the answer to the first question.

    worse: the claim is one of harm; equal: of no difference beyond the margin, or, at_most, of none
    above it. describes: what is claimed is neither help nor harm, as of two guides. untested: the gate that
    fails.
    treated: whether the guide was approached (gates.treated), None where that cannot be said. faster: how
    many steps were taken, if accuracy still rises at their end.

    >>> verdict("helps"), verdict("harms"), verdict("harms", worse=True)
    ('holds', 'does not hold: it harms', 'holds')
    >>> verdict("helps", treated=False), verdict("helps", faster=320)
    ('holds, but not by alignment', 'holds as speed: learns faster at 320 steps')
    >>> verdict("no effect beyond 3 points", treated=False)
    'does not test the claim: the guide was not approached'
    >>> verdict("harms", treated=False)
    'does not test the claim: it harms, but the guide was not approached'
    >>> verdict("no effect beyond 3 points", equal=True), verdict("harms", equal=True)
    ('holds', 'does not hold: it differs')
    >>> verdict("harms", equal=True, at_most=True), verdict("helps", equal=True, at_most=True)
    ('holds', 'does not hold: it is above')
    """
    if untested:
        return f"{UNTESTED}: {untested}"
    if equal and not answer.startswith("undecided"):
        if at_most:
            return "does not hold: it is above" if answer == "helps" else "holds"
        return "does not hold: it differs" if answer in ("helps", "harms") else "holds"
    if answer == ("harms" if worse else "helps"):
        if treated is False:
            return "holds, but not by alignment"
        how = "slower" if worse else "faster"
        return f"holds as speed: learns {how} at {faster} steps" if faster else "holds"
    if treated is False:
        return f"{UNTESTED}: {'it harms, but ' * (answer == 'harms')}the guide was not approached"
    if answer.startswith("undecided"):
        return answer.replace(", ", ": ", 1)
    if describes and answer in ("helps", "harms"):
        return "does not hold: it is the other way round"
    return f"does not hold: {'it ' * (answer in ('helps', 'harms'))}{answer}"


def kind(verdict):
    """A verdict without its reason: one of VERDICTS.

    >>> kind("does not hold: it harms")
    'does not hold'
    """
    return verdict.partition(":")[0]
