"""Exercises of 00: which conditions help, a paired interval by hand, and what a report lacks."""

import math

import numpy as np

from ..exercises import exercise

GAINS = {"A": (8.0, 3.1, 12.9), "B": (9.5, -2.0, 21.0), "C": (1.2, 0.4, 2.0)}  # points: mean, low, high
GUIDED = [58.0, 71.0, 49.0, 66.0, 62.0]  # made up: test accuracy in per cent, seeds 0 to 4
BASE = [52.0, 66.0, 50.0, 58.0, 57.0]
OTHERS = ([3.0, 1.0, 4.0, 1.5], [2.0, 2.5, 1.0, 0.0])  # a pair that the learner does not see, of four seeds
PARTS = ("control", "dose", "seeds", "tuned base")
# What each claim of the last exercise lacks, and what stands beside it already.
CLAIMS = {
    1: ("seeds", {"control": "the shuffled guide stands beside it", "dose": "both guides had the same dose",
                  "tuned base": "base and guided net had eight trials each"}),
    2: ("tuned base", {"control": "the claim is about use, and not about the cause",
                       "dose": "there is one guide, and no second one to be unequal to",
                       "seeds": "ten seeds and an interval are there"}),
    3: ("control", {"dose": "there is one guide, and no second one to be unequal to",
                    "seeds": "ten seeds and an interval are there",
                    "tuned base": "the base had as many trials"}),
    4: ("dose", {"control": "a control stands beside it: ask whether it was given a fair chance",
                 "seeds": "ten seeds and intervals are there", "tuned base": "all had as many trials"}),
}


@exercise("A gain is told by where its whole interval lies, not by how large its mean is.")
def read_figure(answer):
    """An answer: a set of letters."""
    try:
        letters = {str(letter).strip().upper() for letter in answer}
    except TypeError:
        letters = set()
    unknown = sorted(letters - set(GAINS))
    if not letters or unknown:
        return f"the answer is a set of letters, such as {{\"A\", \"B\"}}; received {answer!r}."
    if letters == set(GAINS):
        return "every mean lies above 0, but look at the intervals: one of them holds 0."
    if "B" in letters:
        return ("B has the highest mean, and its interval holds 0: these seeds cannot tell whether "
                "it helps or harms.")
    if "C" not in letters:
        return ("the gain of C is small, but its whole interval lies above 0. Whether it is worth "
                "the effort is another question.")
    if "A" not in letters:
        return "the whole interval of A lies above 0 as well."
    return ""


@exercise("Paired by seed, what a seed does to both nets cancels, and five seeds tell what one cannot.")
def one_seed(interval):
    """An answer: callable(a, b) that gives mean, low and high of the difference paired by seed."""
    if not callable(interval):
        return "hand in the function itself, `interval`, without calling it."
    for pair in ((GUIDED, BASE), OTHERS):
        a, b = np.array(pair)  # (seeds,), (seeds,)
        found = interval(a, b)
        message = compared(found, a, b)
        if message:
            return message
    return ""


def compared(found, a, b):
    """"" if (mean, low, high) is that of a - b paired by seed, else what it is in its place."""
    from ...evidence import paired_difference

    if found is None or np.shape(found) != (3,):
        return f"the function returns three numbers, mean, low and high; received {found!r}."
    mean, low, high = map(float, found)
    right, bottom, top = paired_difference(dict(enumerate(a)), dict(enumerate(b)))
    if math.isclose(mean, -right, rel_tol=1e-6):
        return "the sign is turned round. A gain is the guided net minus the base."
    if not math.isclose(mean, right, rel_tol=1e-6):
        return f"the mean difference of these seeds is {right:.2f}, yours {mean:.2f}."
    if math.isclose(low, bottom, rel_tol=1e-6) and math.isclose(high, top, rel_tol=1e-6):
        return ""
    n = len(a)
    half = top - right
    slips = {
        half * math.sqrt((n - 1) / n): "the spread divides by n; over a few seeds it has to divide by n - 1: "
                                       "`.std(ddof=1)`.",
        half * math.sqrt(n): "that is the spread of single seeds; the error of their mean is smaller by the "
                             "root of their number.",
        half / math.sqrt(n): "the spread is divided by the number of seeds; it is to be divided by its root.",
        half * math.sqrt(a.var(ddof=1) + b.var(ddof=1)) / (a - b).std(ddof=1):
            "the two lists are treated as if they had nothing to do with each other. Take the spread of the "
            "differences, one a seed.",
    }
    for slip, words in slips.items():
        if math.isclose(high - mean, slip, rel_tol=1e-6):
            return f"the mean is right, but {words}"
    return (f"the mean is right, and the interval reaches {half:.2f} to each side; yours reaches "
            f"{high - mean:.2f}.")


@exercise("Each of the four, left out, can make an effect out of nothing, or the wrong cause of a true one.")
def what_is_missing(answers):
    """An answer: a list of four words."""
    if not isinstance(answers, list | tuple) or len(answers) != len(CLAIMS):
        return f"hand in four answers, in the order of the claims; received {answers!r}."
    lines = []
    for (number, (right, beside)), answer in zip(CLAIMS.items(), answers, strict=True):
        word = str(answer).strip().lower()
        if word == right:
            continue
        if word in beside:
            lines.append(f"Claim {number} does not lack {word}: {beside[word]}.")
        else:
            choices = ", ".join(PARTS)
            lines.append(f"Claim {number} is answered by one of {choices}; received {answer!r}.")
    return " ".join(lines)
