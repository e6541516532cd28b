"""Ridge regression as a similarity (paper, appendix J.2): how well one side's features predict the other's.

It predicts held-out examples, and is solved in its dual form, in which features enter by their Gram matrices
alone, so that it works wherever CKA does.
"""

import math
from functools import lru_cache, partial

import torch

from ._base import Similarity, same_type
from ._gram import gram


def ridge(x, y, *, penalty=10.0, seed=0, distortion=0.1):
    """How well activations x (n, ...) predict y (n, ...): mean cosine of predicted and true y; 1 is perfect.

    A 0-dim tensor. Half of the examples, drawn from `seed`, fit a ridge regression of y on x, the others test
    it; both sides are centred by the mean of all n. Not symmetric, and `penalty` is in the units of x
    squared: the paper took 10 with trained guides, 100 with untrained ones. A side of more features than the
    Johnson-Lindenstrauss dimension for n and `distortion` is first brought to it by a sparse random
    projection, also from `seed`. None leaves that out, which here costs less and has no noise of its own.
    Differentiable in both, in at least float32 inside; constant features give 0. ValueError for unequal n,
    n < 4, or a penalty not above 0.

    >>> x = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    >>> round(ridge(x, x @ torch.ones(3, 2), penalty=1e-3).item(), 4)
    1.0
    """
    return ridge_similarity(penalty=penalty, seed=seed, distortion=distortion)(x, y)


def ridge_similarity(*, penalty=10.0, seed=0, distortion=0.1):
    """The Similarity behind ridge(), for gl.guide(..., similarity=...): the target predicts the guide.

    Every batch of n examples is split in the same way, by position. similarity="ridge" stands for a penalty
    of 10, "ridge-100" for 100.

    >>> ridge_similarity(penalty=100).name
    'ridge (100)'
    """
    if not penalty > 0:
        raise ValueError(f"penalty is above 0, received {penalty!r}: "
                         "without one, as many examples as features fit anything")
    if distortion is not None and not 0 < distortion < 1:
        raise ValueError(f"distortion is between 0 and 1, or None for no projection, received {distortion!r}")
    value = partial(_value, penalty=penalty, seed=seed)
    return Similarity(name=f"ridge ({penalty:g})", gram=partial(_gram, seed=seed, distortion=distortion),
                      value=value, misalignment=lambda k, l: 1 - value(k, l), least=4)


def dimension(n, distortion):
    """Dimensions that keep distances of n points within a factor 1 +- distortion (Dasgupta and Gupta 2003).

    >>> dimension(256, 0.1)
    4753
    """
    return int(4 * math.log(n) / (distortion**2 / 2 - distortion**3 / 3))


def projection(p, q, *, seed, dtype=torch.float32):
    """Sparse random matrix (q, p) that keeps squared lengths on average (Li et al. 2006).

    Its entries are +-v with probability 1 / sqrt(p), else 0.

    >>> projection(100, 20, seed=0).shape
    torch.Size([20, 100])
    """
    density = 1 / math.sqrt(p)
    generator = torch.Generator().manual_seed(seed)
    expected = p * q * density
    # Gaps between the entries are geometric; that many draws fall short of the last place once in a billion
    # matrices.
    count = int(expected + 6 * math.sqrt(expected)) + 10
    draws = torch.rand(count, generator=generator, dtype=torch.float64)
    if density < 1:
        skipped = torch.log1p(-draws) / math.log1p(-density)
        gaps = skipped.floor().long() + 1
    else:
        gaps = torch.ones_like(draws, dtype=torch.long)
    places = gaps.cumsum(0) - 1
    places = places[places < p * q]
    signs = torch.randint(2, places.shape, generator=generator).to(dtype) * 2 - 1
    values = signs / math.sqrt(density * q)
    indices = torch.stack([places // p, places % p])
    return torch.sparse_coo_tensor(indices, values, (q, p), is_coalesced=True, check_invariants=False)


def halves(n, seed):
    """(examples that fit, examples that test) of n: positions, from a seed and nothing else.

    >>> [len(half) for half in halves(5, seed=0)]
    [2, 3]
    """
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    return order[: n // 2], order[n // 2:]


def _gram(x, *, seed, distortion):
    if x.is_floating_point() and x.numel() and x.device.type in ("cpu", "cuda"):
        largest, limits = x.detach().abs().amax().double(), torch.finfo(torch.float32)
        # The penalty has units, so features cannot be scaled: where float32 loses their squares, float64.
        if not limits.tiny**0.25 < largest < limits.max**0.25:
            x = x.double()
    if distortion is None or not x.is_floating_point() or x.ndim == 0 or x.shape[0] < 2:
        return gram(x)
    p = math.prod(x.shape[1:])
    q = dimension(x.shape[0], distortion)
    if p <= q:
        return gram(x)
    with torch.autocast(device_type=x.device.type, enabled=False):
        x = x.flatten(1)  # (n, p), in the order of the axes and not of the memory: the projection sees it
        x = x.to(torch.promote_types(x.dtype, torch.float32))
        s, transposed = _both_ways(p, q, seed, x.dtype, str(x.device))
        x = _Projected.apply(x, s, transposed)  # (n, q)
    return gram(x)


@lru_cache(maxsize=32)  # a step of training needs the same ones as the step before
def _both_ways(p, q, seed, dtype, device):
    s = projection(p, q, seed=seed, dtype=dtype).to(device)
    return s, s.t().coalesce()


class _Projected(torch.autograd.Function):
    """x S^T for x (n, p) and sparse S (q, p).

    S^T is at hand for the backward, and rows in one piece are many times as fast.
    """

    @staticmethod
    def forward(x, s, transposed):
        return torch.sparse.mm(s, x.detach().T.contiguous()).T.contiguous()

    @staticmethod
    def setup_context(ctx, inputs, output):
        _, ctx.s, ctx.transposed = inputs

    @staticmethod
    def backward(ctx, grad):
        return _Projected.apply(grad, ctx.transposed, ctx.s), None, None


def _value(k, l, *, penalty, seed):
    """Mean cosine (...,) over the test examples, from centred Gram matrices (..., n, n).

    k is of the predictors, l of what is predicted.
    """
    k, l, eps = same_type(k, l)
    dtype = k.dtype
    if k.device.type != "mps":  # which has no float64
        k, l = k.double(), l.double()
    fit, test = (half.to(k.device) for half in halves(k.shape[-1], seed))
    rows = fit[:, None]
    identity = torch.eye(len(fit), dtype=k.dtype, device=k.device)
    regularised = k[..., rows, fit] + penalty * identity
    # Column i says how the prediction for test example i is made of the examples that were fitted.
    # No check, so that NaN stays NaN.
    solved = torch.linalg.solve_ex(regularised, k[..., rows, test], check_errors=False)
    weights = solved.result  # (..., fit, test)
    inner = (weights * l[..., rows, test]).sum(-2)  # (..., test)
    products = l[..., rows, fit] @ weights  # (..., fit, test)
    length = (weights * products).sum(-2)
    own = l.diagonal(dim1=-2, dim2=-1)  # (..., n)
    truth = own[..., test]
    # What rounding leaves of a prediction of zero, or of an example at the mean, has no direction.
    largest = own.detach().amax(-1, keepdim=True)
    no_prediction = length <= 4 * eps * largest * weights.detach().square().sum(-2)
    blank = no_prediction | (truth <= 4 * eps * largest)
    lengths = torch.where(blank, torch.ones_like(truth), length * truth).sqrt()
    cosine = inner / lengths
    return torch.where(blank, torch.zeros_like(cosine), cosine).mean(-1).to(dtype)


RIDGE = ridge_similarity()
RIDGE_100 = ridge_similarity(penalty=100.0)
