"""Similarity-preserving distillation (Tung and Mori 2019): of all distillation nearest to guidance."""

from functools import partial

import torch

from ._base import Similarity
from ._gram import scaled_gram


def sp(x, y):
    """Similarity-preserving loss of activations x (n, ...) and y (n, ...); 0 is alike, at most 4/n.

    A 0-dim tensor. Each row of the uncentred Gram matrix is scaled to length one; the loss is the squared
    distance of the two matrices over n^2 (Tung and Mori 2019, eq. 4). Unlike CKA it sees the mean of the
    features.

    >>> x = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> sp(x, 5 * x), sp(x, torch.ones(2, 1))
    (tensor(0.), tensor(0.2929))
    """
    return SP(x, y)


def _loss(k, l):
    n = k.shape[-1]
    difference = _unit_rows(k) - _unit_rows(l)
    return difference.square().sum((-2, -1)) / n**2


def _unit_rows(k):
    # Scaled by its largest entry a row can be squared without overflow.
    # An example with no activation keeps a zero row.
    scale = k.detach().abs().amax(-1, keepdim=True)
    k = k / torch.where(scale == 0, torch.ones_like(scale), scale)
    norm = torch.linalg.vector_norm(k, dim=-1, keepdim=True)
    return k / torch.where(norm == 0, torch.ones_like(norm), norm)


SP = Similarity(name="sp", gram=partial(scaled_gram, centred=False), value=_loss, misalignment=_loss, least=2)
