"""Exercises of 08: a weight for a dose, pairs by name, and what a colleague's log does not show."""

import math

import torch
from torch import nn

from ... import guide as guide_
from .. import planted
from ..exercises import exercise

CASES = ((0.2, 2.0, 0.5), (4.0, 1.0, 2.0))  # sizes of the alignment's gradient and the task's, wanted dose
TRUTH = {"A": "follows", "B": "dose", "C": "steps", "D": "seeds", "E": "test"}
WORDS = {  # answer: where it shows
    "follows": "both sides had as many steps, seeds and trials, and the interval lies above 0. It does not "
               "say what it was that helped, and does not claim to.",
    "dose": "look at the column `dose` of the two guides that are compared.",
    "steps": "look at the column `steps`: which base was trained for as many?",
    "seeds": "look at the column `seeds`: what would an interval be made of?",
    "test": "look at the column `chosen on`: what did the deeper guide's setting get to see?",
}


@exercise("Whatever the guide and the number of pairs, each now begins with as strong a push.")
def weight(answer):
    """An answer: callable(alignment, task, wanted) that returns a weight."""
    for alignment, task, wanted in CASES:
        truth = wanted * task / alignment
        got = float(answer(alignment, task, wanted))
        slips = {
            task / alignment: "that is the weight for a dose of 1; `wanted` has no part in it.",
            1 / truth: "upside down: the larger the alignment's own gradient, the smaller its weight.",
            alignment / task: "that is the dose at weight 1; the weight that makes it `wanted` is asked for.",
            wanted * alignment / task: "upside down in one place: that is the dose at a weight of `wanted`. "
                                       "Solve weight * alignment / task = wanted for the weight.",
        }
        if math.isclose(got, truth):
            continue
        for slip, words in slips.items():
            if math.isclose(got, slip):
                return words
        return (f"with sizes {alignment:g} and {task:g}, a dose of {wanted:g} takes a weight of {truth:g}; "
                f"yours is {got:g}.")
    return ""


@exercise("A layer without weights has a part where it is named, and every other says why it has none.")
def pairs(answer):
    """An answer: (net, guide, pairs), the nets of the page and [(target name, guide name), ...]."""
    net, other, chosen = answer
    relus = [name for name, module in net.named_modules() if isinstance(module, nn.ReLU)]
    truth = list(zip(relus[-2:], ["conv2", "conv3"], strict=True))
    found = list(chosen.items()) if isinstance(chosen, dict) else chosen
    if not isinstance(found, list) or any(not isinstance(p, tuple) or len(p) != 2 for p in found):
        return f"a list of pairs (target name, guide name) is asked for; yours is {chosen!r}."
    if [pair[::-1] for pair in found] == truth:
        return "turned round: the target's name stands first, the guide's second."
    if sorted(found) == sorted(zip(relus[-2:], ["conv3", "conv2"], strict=True)):
        return "the right layers, crossed: the earlier of the two goes with conv2."
    with guide_(net, other, layers=found) as handle:  # its own words for a name that is not there
        plan = handle.plan(torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(0)))
    made = plan[plan["reason"] == ""]
    kinds = {name: type(module).__name__ for name, module in net.named_modules()}
    wrong = sorted({kinds[name] for name in made["target"]} - {"ReLU"})
    if wrong:
        return (f"the target's layers should be ReLUs, and among yours is a {wrong[0]}. The column `type` "
                "of `gl.layers` tells them apart.")
    if sorted(found) != truth:
        return f"two pairs are asked for, of the last two ReLUs, {relus[-2:]}; yours are {found}."
    return ""


@exercise("One conclusion of five follows, and even that one does not say why.")
def evidence(answer):
    """An answer: {letter: word}."""
    return planted.wrong(answer, TRUTH, flaws=WORDS)
