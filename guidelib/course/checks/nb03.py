"""Exercises of 03: label smoothing, distillation at a high temperature, and claims about shared errors.

The claims are made up, their numbers computed from counts of right and wrong answers.
"""

import math

import pandas as pd
import torch
import torch.nn.functional as F

from ...analysis import error_consistency
from ...baselines import kd_loss
from .. import planted
from ..exercises import exercise

FLAWS = {  # flaw: where it shows
    "accuracies alone": "how often would two nets of these accuracies agree, if they erred independently?",
    "its range": "how high can kappa be, with accuracies as far apart as these?",
    "few images": "on how many images does it rest?",
    "seen images": "which images were looked at? What does a net with room to memorise say to those?",
    "no control": "is it told what a net reaches that never saw this teacher?",
    "nothing": "go through accuracies, images and comparison once more: is anything in it unfair?",
}
CLAIMS = {  # flaw: (images; how many both got right, the first alone, the second alone, neither; claim)
    "accuracies alone": ("test", (903, 47, 46, 4),
                         "They agree on {agreement:.0%} of the images: they err alike."),
    "its range": ("test", (500, 400, 0, 100),
                  "Kappa is only {kappa:.2f}: they share few of the errors they could share."),
    "few images": ("test", (12, 2, 3, 3), "Kappa is {kappa:.2f}: they err alike."),
    "seen images": ("training", (985, 1, 2, 12), "Kappa is {kappa:.2f}: they err alike."),
    "no control": ("test", (610, 140, 90, 160),
                   "Kappa is {kappa:.2f}: the second has learnt errors of the first, its teacher."),
    "nothing": ("test", (650, 50, 60, 240),
                "Kappa is {kappa:.2f}, and {other:.2f} with an untaught net as accurate as the second: the "
                "second has learnt errors of the first, its teacher."),
}
UNTAUGHT = (560, 140, 150, 150)  # the teacher of the fair claim, and a net that it never taught


@exercise("Distilled at T = 1 from a teacher that says the same of every image, a net is pulled exactly so.")
def smoothing(answer):
    """An answer: callable(labels, classes, alpha) that returns targets (n, classes)."""
    labels, classes, alpha = torch.tensor([2, 0, 3]), 5, 0.4
    got = answer(labels, classes, alpha)
    if not isinstance(got, torch.Tensor) or got.shape != (3, classes):
        return f"Targets of shape (3, {classes}) are asked for, a row an image; {received(got)}."
    truth = pulled_towards(labels, classes, alpha)
    if torch.allclose(got.double(), truth, atol=1e-5):
        return ""
    if torch.allclose(got.double(), pulled_towards(labels, classes, 1 - alpha), atol=1e-5):
        return "The other way round: alpha is the share that is spread, 1 - alpha the share of the label."
    total = got.sum(1)[0].item()
    if not math.isclose(total, 1, abs_tol=1e-5):
        return f"The targets of an image sum to {total:.2f}, not to 1: the label gives up what is spread."
    if got.argmax(1).equal(labels) and math.isclose(got[0, 2].item(), 1 - alpha, abs_tol=1e-5):
        return "A teacher that knows nothing does not leave out the label: spread alpha over all classes."
    return (f"With alpha at {alpha:g} the label's own target is {truth[0, 2]:.2f}; yours is "
            f"{got[0, 2].item():.2f}.")


def pulled_towards(labels, classes, alpha):
    """The targets of the library's distillation from equal logits at T = 1: where its gradient would be 0."""
    logits = torch.zeros(len(labels), classes, dtype=torch.double, requires_grad=True)
    loss = kd_loss(logits, torch.zeros_like(logits), labels, temperature=1.0, alpha=alpha)
    (slope,) = torch.autograd.grad(loss, logits)
    return F.softmax(logits.detach(), dim=1) - len(labels) * slope  # the gradient is (softmax - target) / n


@exercise("At a high temperature distillation is regression on logits, up to a shift of each image's logits.")
def limit(answer):
    """An answer: callable(logits, teacher) that returns a mean over examples."""
    g = torch.Generator().manual_seed(0)
    logits, teacher = (torch.randn(6, 4, generator=g, dtype=torch.double) for _ in range(2))  # (n, classes)
    teacher = teacher + 2  # a shift that a softmax does not see
    truth = kd_loss(logits, teacher, torch.zeros(6).long(), temperature=1e4, alpha=1.0).item()
    got = answer(logits, teacher)
    if not isinstance(got, torch.Tensor) or got.ndim:
        return f"One number is asked for, a mean over the examples; {received(got)}."
    got = got.item()
    raw = (logits - teacher).square().sum(1).mean().item() / 8
    slips = {
        1: "",
        raw / truth: "A softmax does not see a shift of all logits of an image; your answer does: centre.",
        across(logits - teacher) / truth: "Centred over the examples: a softmax compares classes.",
        2: "Twice too much: the divergence is a half times a square near its minimum.",
        8: "The sum of squares is there; what is it multiplied by, where every share is 1 / classes?",
        4: "The factor 1 / classes is missing: at a high temperature each class has that share.",
        6: "Summed over the examples: their mean is asked for.",
    }
    for factor, said in slips.items():
        if math.isclose(got, factor * truth, rel_tol=1e-3):
            return said
    return f"On a small case T² times the divergence tends to {truth:.4f}; yours is {got:.4f}."


def across(apart):
    """The slip of centring over the examples."""
    return (apart - apart.mean(0)).square().sum(1).mean().item() / 8


def received(got):
    shape = tuple(got.shape) if isinstance(got, torch.Tensor) else type(got).__name__
    return f"yours is {shape}"


@exercise("Agreement needs its chance, kappa its range and enough images, a teacher an untaught net beside.")
def evidence(answer):
    """An answer: {letter: flaw}."""
    return planted.wrong(answer, planted.dealt("03", flaws=FLAWS), flaws=FLAWS)


def claims():
    """The claims as a table in Markdown, in the order that belongs to this notebook."""
    other = kappa(UNTAUGHT)
    rows = []
    for letter, flaw in planted.dealt("03", flaws=FLAWS).items():
        images, counts, claim = CLAIMS[flaw]
        n, (both, first, second, neither) = sum(counts), counts
        said = claim.format(agreement=(both + neither) / n, kappa=kappa(counts), other=other)
        rows.append({"": letter, "images": f"{n:,} {images}", "first right": f"{(both + first) / n:.0%}",
                     "second right": f"{(both + second) / n:.0%}", "claim": said})
    return planted.in_markdown(pd.DataFrame(rows))


def kappa(counts):
    return error_consistency(*answers(counts), draws=1).kappa


def answers(counts):
    """Whether two nets are right, (n,) each, from how often both are, one alone, the other, neither."""
    first = torch.tensor([True, True, False, False]).repeat_interleave(torch.tensor(counts))
    second = torch.tensor([True, False, True, False]).repeat_interleave(torch.tensor(counts))
    return first, second
