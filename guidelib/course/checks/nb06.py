"""Exercises of 06: how large a batch, the nearest control, CKA debiased, and six reports on causes."""

import math

import pandas as pd
import torch

from ...evidence import paired_difference, percent
from .. import planted
from ..exercises import exercise

# Dimensions of both sides, and the CKA that unrelated features may have.
BATCHES = ((30.0, 0.1), (64.0, 0.25), (30.0, 0.35))
GUIDE = {0: 0.60, 1: 0.64, 2: 0.58, 3: 0.66, 4: 0.62}  # made up: test accuracy by seed
CONTROLS = {  # the first is nearest by its mean, and so surely below; the second scatters
    "steady": {0: 0.57, 1: 0.60, 2: 0.56, 3: 0.63, 4: 0.58},
    "scattered": {0: 0.62, 1: 0.50, 2: 0.63, 3: 0.52, 4: 0.58},
    "far": {0: 0.30, 1: 0.35, 2: 0.29, 3: 0.36, 4: 0.31},
}
EQUAL = "0.1 to 10"  # the doses that were tried for the guide
FLAWS = {  # flaw: where it shows
    "no control": "what was the guide set against, besides the base?",
    "not told apart": "look at the lead over the nearest control: which numbers does its interval hold?",
    "not approached": "look at the misalignment: did it fall by a quarter of itself?",
    "free likeness": "put the two dimensions and the number of examples into the null law: how alike would "
                     "strangers be?",
    "weak control": "look at the doses: had guide and controls the same chance?",
    "nothing": "go through the rows once more: control, lead, dose, approach, likeness.",
}
# Made up. lead: over the nearest control; doses: tried for the controls; dimensions: of target and guide.
REPORTS = {
    "A": {"lead": (0.040, 0.015, 0.065), "doses": EQUAL, "ends": (0.80, 0.32), "n": 32, "pr": (20, 22)},
    "B": {"lead": (0.052, 0.021, 0.083), "doses": EQUAL, "ends": (0.79, 0.76), "n": 256, "pr": (14, 19)},
    "C": {"lead": None, "doses": "", "ends": (0.81, 0.40), "n": 256, "pr": (18, 21)},
    "D": {"lead": (0.031, 0.010, 0.052), "doses": EQUAL, "ends": (0.78, 0.45), "n": 256, "pr": (16, 20)},
    "E": {"lead": (0.061, 0.028, 0.094), "doses": "0.01", "ends": (0.80, 0.41), "n": 256, "pr": (15, 22)},
    "F": {"lead": (0.019, -0.012, 0.050), "doses": EQUAL, "ends": (0.77, 0.38), "n": 256, "pr": (17, 18)},
}
TRUTH = {"A": "free likeness", "B": "not approached", "C": "no control", "D": "nothing", "E": "weak control",
         "F": "not told apart"}
GAINS = {"A": (0.09, 0.06, 0.12), "B": (0.11, 0.07, 0.15), "C": (0.12, 0.08, 0.16), "D": (0.08, 0.05, 0.11),
         "E": (0.10, 0.06, 0.14), "F": (0.09, 0.05, 0.13)}


@exercise("Strangers look alike wherever a batch is small beside the dimensions of both sides.")
def batch(answer):
    """An answer: callable(dimension, most) that returns a number of examples."""
    for g, most in BATCHES:
        truth = g / most - g
        got = float(answer(g, most))
        if math.isclose(got, g / most, rel_tol=1e-6):
            return (f"Not quite: with {got:g} examples, {g:g} / ({got:g} + {g:g}) is below {most:g}. "
                    "The dimension stands below the line as well.")
        if math.isclose(got, g * most / (1 - most), rel_tol=1e-6):
            return "That is the dimension that n examples allow: here it is given, and n is asked for."
        if not -1e-6 <= got - truth <= 1 + 1e-6:  # rounded up, or one more, is as good; one less is not
            return (f"For {g:g} dimensions and a CKA of at most {most:g} it takes "
                    f"{math.ceil(truth - 1e-6)} examples; yours is {got:g}.")
    return ""


@exercise("The strongest control is the one that leaves least that is sure, not the one with the best mean.")
def nearest(answer):
    """An answer: callable(guide, controls) that returns (name, lower end of the guide's lead over it)."""
    leads = {name: paired_difference(GUIDE, accuracy) for name, accuracy in CONTROLS.items()}
    lows = {name: low for name, (_, low, _) in leads.items()}
    truth = min(lows, key=lows.get)
    got = answer(GUIDE, CONTROLS)
    if not isinstance(got, tuple) or len(got) != 2 or got[0] not in CONTROLS:
        return f"The name of a control and a number are asked for; yours is {got!r}."
    name, lead = got[0], float(got[1])
    mean, low, high = leads[name]
    if math.isclose(lead, mean):
        return (f"{lead:.3f} is the mean lead over {name}. A lead is sure only as far down as its interval "
                "reaches: take the lower end.")
    if math.isclose(lead, high):
        return f"{lead:.3f} is the upper end: how large the lead may be. The claim needs what it is at least."
    if not math.isclose(lead, low):
        return f"Over {name} the lead is at least {low:.3f}; yours is {lead:.3f}."
    if name != truth:
        return (f"Over {name} the guide's lead is at least {low:.3f}, over {truth} {lows[truth]:.3f}. "
                "The nearest control is the one that leaves the guide least.")
    return ""


@exercise("Without the diagonal nothing is left of the identity: to raise one's dimension pays no more.")
def debiased(answer):
    """An answer: callable(K) that returns the U-centred Gram matrix (n, n)."""
    x = torch.randn(6, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    K = x @ x.T  # (n, n)
    n = len(K)
    off = K - K.diag().diag()
    rows, whole = off.sum(1, keepdim=True) / (n - 2), off.sum() / ((n - 1) * (n - 2))
    got = answer(K.clone())
    if not isinstance(got, torch.Tensor) or got.shape != K.shape:
        shape = tuple(got.shape) if isinstance(got, torch.Tensor) else type(got).__name__
        return f"A matrix of shape {tuple(K.shape)} is asked for; yours is {shape}."
    if not close(got, got.T):
        return "Yours is not symmetric: keep the axis of the rows, (n, 1), by `keepdim=True`."
    if close(got, centred(off, rows, whole)):
        return ""
    means = off.mean(1, keepdim=True)
    if close(got, centred(off, means, off.mean())):
        return ("Those are means over n, as for double centring. Without the diagonal there are fewer "
                "entries: n - 2, and (n - 1) (n - 2).")
    left = (got - centred(off, rows, whole))[~torch.eye(n, dtype=torch.bool)]  # (n (n - 1),)
    if left.std() < 1e-9 * off.abs().max():
        return (f"The rows are right. The last term should be {whole:.3f} on a small case, and yours is "
                f"{whole + left.mean():.3f}.")
    return (f"Each row should add up to 0; yours add up to {got.sum(1).abs().max():.3f} at most, on a small "
            "case. Are the sums taken over the rows, and divided by n - 2?")


def centred(off, rows, whole):
    made = off - rows - rows.T + whole
    return made - made.diag().diag()


def close(a, b):
    return torch.allclose(a, b, atol=1e-9)


def reports():
    """Six made-up reports, side by side: each concludes that the guide's geometry was passed on."""
    return pd.DataFrame({letter: column(letter) for letter in REPORTS})


def column(letter):
    """One report, {what: as it is printed}."""
    made = REPORTS[letter]
    first, last = made["ends"]
    lead = percent(*made["lead"], signed=True) if made["lead"] else "no control was run"
    doses = made["doses"] or "-"
    return {"guide over base, points": percent(*GAINS[letter], signed=True),
            "lead over the nearest of four controls": lead,
            "doses tried, guide": EQUAL,
            "doses tried, controls": doses,
            "misalignment, first to last": f"{first:.2f} to {last:.2f}",
            "biased CKA at the end": f"{1 - last:.2f}",
            "examples of the CKA": str(made["n"]),
            "dimensions, target and guide": "{} and {}".format(*made["pr"])}


@exercise("A cause is believed when the others had their chance, and failed.")
def evidence(answer):
    """An answer: {letter: flaw}."""
    return planted.wrong(answer, TRUTH, flaws=FLAWS)
