"""Exercises of 02: a dose, a control by hand, and reports with a flaw in them."""

import torch

from ... import guide as guide_
from ... import networks, similarity
from .. import planted
from ..exercises import exercise


@exercise("A dose of 1 asks as much of the weights as the task does, whatever the guide.")
def dose(answer):
    """An answer: callable(net, guide, x, y, weight) that returns a float."""
    g = torch.Generator().manual_seed(0)
    x, y = torch.randn(32, 6, generator=g), torch.randint(3, (32,), generator=g)
    net, other = (networks.FCN(inputs=6, outputs=3, depth=3, width=8, seed=seed) for seed in (0, 1))
    truth = dose_of(net, other, x, y)
    got, tripled = (float(answer(net, other, x, y, weight)) for weight in (1.0, 3.0))
    if close(got, tripled):
        return "Three times the weight is three times the dose; yours does not depend on the weight."
    if close(got, 1 / truth) or close(got, 1 / (3 * truth)):
        return "Upside down: the alignment's gradient stands above, the task's below."
    if close(got, truth ** 2):
        return "That is the ratio of the squared norms: a norm is the root of the sum of squares."
    if not close(got, truth):
        return (f"On a small case the dose is {truth:.4f}, and yours is {got:.4f}. Is each norm taken over "
                "all layers?")
    return ""


def dose_of(net, other, x, y):
    """The dose at a weight of 1, from autograd alone."""
    learnt = [p for p in net.parameters() if p.requires_grad]
    with guide_(net, other, reduce="mean") as handle:
        task = torch.nn.functional.cross_entropy(net(x), y)
        alignment = handle.loss()
    sizes = []
    for loss in (alignment, task):
        grads = torch.autograd.grad(loss, learnt, allow_unused=True, retain_graph=True)
        sizes.append(sum(float(grad.square().sum()) for grad in grads if grad is not None) ** 0.5)
    return sizes[0] / sizes[1]


@exercise("The spectrum is the same, and nobody can read from it which image is like which.")
def shuffled(answer):
    """An answer: callable(K, order) that returns a Gram matrix (n, n)."""
    g = torch.Generator().manual_seed(0)
    features = torch.randn(6, 4, generator=g)
    order = torch.tensor([2, 0, 1, 5, 3, 4])
    K = similarity.gram(features)  # (n, n)
    truth = K[order][:, order]
    got = answer(K.clone(), order)
    if not isinstance(got, torch.Tensor) or got.shape != K.shape:
        shape = tuple(got.shape) if isinstance(got, torch.Tensor) else type(got).__name__
        return f"A matrix of shape {tuple(K.shape)} is asked for; yours is {shape}."
    if torch.equal(got, K):
        return "Nothing has changed: the examples are still in their old order."
    if torch.equal(got, K[order]) or torch.equal(got, K[:, order]):
        return ("One side only: entry (i, j) compares example i with example j, so that rows and columns "
                "change places together. Yours is no longer symmetric.")
    if not torch.equal(got, truth):
        return "The entry (i, j) should be the old entry (order[i], order[j]). Look at a small case."
    return ""


@exercise("That is how to read any table of results, ours too.")
def evidence(answer):
    """An answer: {letter: flaw}."""
    return planted.wrong(answer, planted.dealt("02"))


def close(a, b):
    return abs(a - b) <= 1e-3 * abs(b)
