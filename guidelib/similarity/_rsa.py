"""Representational similarity analysis as in the paper (appendix J.1): which examples are far apart."""

import torch

from ._base import Similarity, same_type
from ._gram import flatten, gram


def rsa(x, y):
    """RSA of activations x (n, ...) and y (n, ...), the correlation of their cosine distances; 1 is alike.

    Pearson's correlation, a 0-dim tensor in [-1, 1]. The dissimilarity of two examples is 1 - cosine of their
    features; the n (n - 1) / 2 pairs below the diagonal count. It sees the mean of the features, and does not
    see the length of an example. An example without any activation is at distance 1 from all others and gets
    no gradient; equal distances everywhere give 0. Differentiable, in at least float32 inside. ValueError for
    unequal n or n < 3. Kriegeskorte et al. 2008; with squared Euclidean distances, centred, RSA is CKA
    (Williams 2024).

    >>> x = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 2.0], [-1.0, 0.0]])
    >>> lengths = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
    >>> round(rsa(x, lengths * x).item(), 4), round(rsa(x, x.abs()).item(), 4)
    (1.0, -0.2356)
    """
    return RSA(x, y)


def dissimilarities(k):
    """Half the squared distance of every pair of examples, from Gram matrices (..., n, n), centred or not.

    For examples of length one that is 1 - cosine. (..., n (n - 1) / 2): pairs below the diagonal, row by row.

    >>> dissimilarities(torch.tensor([[1.0, 0.0], [0.0, 4.0]]))
    tensor([2.5000])
    """
    n = k.shape[-1]
    own = k.diagonal(dim1=-2, dim2=-1)  # (..., n)
    total = own[..., :, None] + own[..., None, :]
    distances = total / 2 - k  # (..., n, n)
    rows, columns = torch.tril_indices(n, n, -1, device=k.device)
    return distances[..., rows, columns]


def _cosine_gram(x):
    """Centred Gram matrix (n, n) of examples scaled to length one.

    Distances do not see the centring, and without it the small distances of nearly parallel examples, as deep
    in an untrainable network, would be differences of large numbers. An example of zeros counts as orthogonal
    to all others.
    """
    if not x.is_floating_point() or x.ndim < 1 or x.numel() == 0:
        return gram(x)  # which says what is wrong
    x = flatten(x)  # (n, p)
    x = x.to(torch.promote_types(x.dtype, torch.float32))
    # Scaled by its largest entry an example can be squared without overflow.
    scale = x.detach().abs().amax(-1, keepdim=True)  # (n, 1)
    silent = scale == 0
    x = x / torch.where(silent, torch.ones_like(scale), scale)
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    norm = torch.where(silent, torch.ones_like(norm), norm)
    x = torch.where(silent, torch.zeros_like(x), x / norm)
    return gram(x) + torch.diag(silent[:, 0].to(x.dtype))


def _value(k, l):
    k, l, eps = same_type(k, l)
    return (_profile(k, eps) * _profile(l, eps)).sum(-1)


def _profile(k, eps):
    """Dissimilarities (..., pairs) without their mean and of length one; zero if equal up to rounding."""
    d = dissimilarities(k)
    size = torch.linalg.vector_norm(d.detach(), dim=-1, keepdim=True)
    d = d - d.mean(-1, keepdim=True)
    norm = torch.linalg.vector_norm(d, dim=-1, keepdim=True)
    equal = norm.detach() <= 32 * eps * size
    norm = torch.where(equal, torch.ones_like(norm), norm)
    return torch.where(equal, torch.zeros_like(d), d / norm)


RSA = Similarity(name="rsa", gram=_cosine_gram, value=_value, misalignment=lambda k, l: 1 - _value(k, l),
                 least=3, equidistant=False)
