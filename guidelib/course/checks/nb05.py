"""Exercises of 05: the one line by hand, how far a ratio is from 1, and reports with a flaw in them."""

import math

import torch
from torch import nn

from .. import planted
from ..exercises import exercise

CASES = {100.0: 2.0, 0.001: 3.0, 1.0: 0.0}  # ratio: powers of ten from 1


@exercise("One line, no guide, no data. What it is worth comes next.")
def shift(answer):
    """An answer: callable(net, by) that returns the net, its BatchNorm biases moved."""
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
    nn.init.constant_(net[1].bias, 0.5)
    before = {name: p.detach().clone() for name, p in net.named_parameters()}
    got = answer(net, 1.0)
    if not isinstance(got, nn.Module):
        return f"The function should return the net; yours returns {type(got).__name__}."
    after = dict(got.named_parameters())
    if not torch.equal(after["1.weight"], before["1.weight"]):
        return "The gains (weight) of BatchNorm have changed: move its bias."
    others = [name for name in before if name != "1.bias" and not torch.equal(after[name], before[name])]
    if others:
        return f"{others[0]} has changed too: only BatchNorm's biases should move."
    if torch.equal(after["1.bias"], before["1.bias"]):
        return "No bias has moved: is the sum written back into `module.bias.data`?"
    if torch.allclose(after["1.bias"], torch.ones(4)):
        return "The biases are now 1 whatever they were: add to what is there."
    if not torch.allclose(after["1.bias"], before["1.bias"] + 1):
        return f"A bias of 0.5, shifted by 1, should be 1.5; yours is {after['1.bias'][0].item():.2f}."
    return ""


@exercise("Exploding a hundredfold and vanishing a hundredfold are equally far from even.")
def powers(answer):
    """An answer: callable(norms) that returns by how many powers of ten first over last differs from 1."""
    for ratio, truth in CASES.items():
        got = float(answer([ratio * 2.0, 7.0, 2.0]))
        if math.isclose(got, truth, abs_tol=1e-6):
            continue
        if math.isclose(got, -truth, abs_tol=1e-6):
            return (f"A ratio of {ratio:g} is {truth:g} powers of ten from 1; yours says {got:g}. Vanishing "
                    "counts as exploding does: take away the sign.")
        if math.isclose(got, ratio, rel_tol=1e-6):
            return "That is the ratio itself; its distance from 1 is asked for, in powers of ten."
        if math.isclose(got, truth * math.log(10), rel_tol=1e-6):
            return "That is the natural logarithm: powers of ten take `np.log10`."
        return f"For a ratio of {ratio:g} the answer is {truth:g}; yours is {got:g}."
    return ""


@exercise("Whoever compares starts has to count the steps that a start takes.")
def evidence(answer):
    """An answer: {letter: flaw}."""
    return planted.wrong(answer, planted.dealt("05"))
