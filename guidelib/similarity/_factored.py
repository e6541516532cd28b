"""CKA from features, for many samples of few features: no matrix over the samples is made.

With centred features X (n, p) and Y (n, q), <XX^T, YY^T> is |X^T Y|^2, the squared sum of a matrix (p, q). n
tokens of a batch are often thousands: their Gram matrix would have millions of entries, this one has p q.
"""

import torch

from ._base import same_type
from ._gram import _checked, _full_precision, _prepared, _wide, flatten


class Factored:
    """Features x (n, p) in the place of their Gram matrix x x^T (n, n), centred, and to be made if need be.

    As in scaled_gram() a feature that does not vary is zero, and a power of two keeps all within their range.

    >>> Factored.of(torch.tensor([[1.0, 5.0], [3.0, 5.0]])).gram()
    tensor([[ 0.2500, -0.2500],
            [-0.2500,  0.2500]])
    """

    def __init__(self, x):
        self.x = x
        self.shape = (len(x), len(x))
        self._covariance = None

    @classmethod
    def of(cls, x):
        """The features of activations x (n, ...), in at least float32 also under autocast."""
        with _full_precision(x):
            return cls(_prepared(flatten(_checked(x)).to(_wide(x.dtype)), True, True)[0])

    def gram(self):
        """The Gram matrix (n, n)."""
        with _full_precision(self.x):
            return self.x @ self.x.T

    def covariance(self):
        """x^T x (p, p), made once: its norm is that of the Gram matrix."""
        if self._covariance is None:
            with _full_precision(self.x):
                self._covariance = self.x.T @ self.x
        return self._covariance

    def squares(self):
        """The diagonal of the Gram matrix, (n,)."""
        return self.x.square().sum(1)

    def detach(self):
        return Factored(self.x.detach())


def whole(k):
    """A Gram matrix (n, n), made if it is Factored."""
    return k.gram() if isinstance(k, Factored) else k


def traces(k):
    """Traces (pairs,) of a stack of Gram matrices, or (1,) of one that is Factored."""
    if isinstance(k, Factored):
        return k.squares().sum()[None]
    return k.diagonal(dim1=-2, dim2=-1).sum(-1)


def biased(k, l):
    """CKA (1,) of two Factored; 0 where one of them is constant."""
    norms = [torch.linalg.vector_norm(side.covariance()) for side in (k, l)]
    return _over(_inner(k, l), norms[0].square(), norms[1].square())[None]


def debiased(k, l):
    """Debiased CKA (1,) of two Factored: U-centred inner products (Székely and Rizzo 2014), in closed form.

    With centred features U-centring concerns the diagonals d and e of the Gram matrices alone: the inner
    product loses d.e n / (n - 2) and gains sum(d) sum(e) / ((n - 1) (n - 2)).
    """
    n = k.shape[0]

    def unbiased(one, other):
        d, e, _ = same_type(one.squares(), other.squares())
        return _inner(one, other) - (d * e).sum() * n / (n - 2) + d.sum() * e.sum() / ((n - 1) * (n - 2))

    own = [unbiased(side, side) for side in (k, l)]
    # What is left of a Gram matrix by rounding alone is nothing.
    for i, side in enumerate((k, l)):
        least = 32 * torch.finfo(side.x.dtype).eps * side.covariance().detach().square().sum()
        own[i] = torch.where(own[i].detach() > least, own[i], torch.zeros_like(own[i]))
    return _over(unbiased(k, l), *own)[None]


def _inner(k, l):
    """<K, L>, a 0-dim tensor."""
    if k is l:
        return k.covariance().square().sum()
    x, y, _ = same_type(k.x, l.x)
    with _full_precision(x):
        return (x.T @ y).square().sum()


def _over(inner, own_k, own_l):
    """inner / sqrt(own_k own_l), 0 without a gradient where one of these is 0."""
    own_k, own_l, _ = same_type(own_k, own_l)
    dead = (own_k.detach() == 0) | (own_l.detach() == 0)
    one = torch.ones_like(own_k)
    norm = torch.where(dead, one, own_k).sqrt() * torch.where(dead, one, own_l).sqrt()
    return torch.where(dead, torch.zeros_like(norm), inner / norm)
