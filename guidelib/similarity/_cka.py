"""Centred kernel alignment, the similarity of the paper (section 3, appendix B.1), biased and debiased.

CKA is the cosine between two projected Gram matrices, <PK, PL> / (|PK| |PL|). The usual, biased form projects
by double centring; the debiased form by U-centring. One formula, two projections.
"""

from . import _factored
from ._base import Similarity, same_type
from ._factored import Factored
from ._gram import cosine, double_centre, scaled_gram, tap, u_centre

MANY = 1024  # examples beyond which an (n, n) matrix is avoided


def cka(x, y, *, debiased=False):
    """Linear CKA of activations x (n, ...) and y (n, ...), flattened after the first axis; 1 is alike.

    A 0-dim tensor. Differentiable in both, in at least float32 inside. The biased form lies in [0, 1], and
    for independent features is far above 0 when n is small against their effective dimension; the debiased
    form is 0 on average then, and may be negative. Constant features give 0. Raises ValueError for unequal n,
    n < 2, or n < 4 if debiased. Kornblith et al. 2019; Székely and Rizzo 2014 for the debiased form, as
    U-centred inner products. Of more than 1,024 examples with fewer features no (n, n) matrix is made.

    >>> import torch
    >>> x = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [2.0, 2.0]])
    >>> round(cka(x, 3 * x.flip(1) + 7).item(), 4)
    1.0
    >>> round(cka(x, x[:, :1]).item(), 4), round(cka(x, x[:, :1], debiased=True).item(), 4)
    (0.8381, 0.5)
    """
    kind = CKA_DEBIASED if debiased else CKA
    kind.check(x, y)
    if len(x) > MANY and len(x) >= max(x[0].numel(), y[0].numel()):
        return 1 - kind.factored(Factored.of(x), Factored.of(y))
    return kind(x, y)


def _biased(k, l):
    k, l, _ = same_type(k, l)
    return cosine(double_centre(k), double_centre(l))


def _debiased(k, l):
    k, l, eps = same_type(k, l)
    k, l = double_centre(k), double_centre(l)  # which U-centring does not see, but rounding does
    return cosine(u_centre(k), u_centre(l), within=(k, l), eps=eps)


def _misalignment(value):
    return lambda k, l: 1 - value(k, l)


CKA = Similarity(name="cka", gram=scaled_gram, tap=tap, value=_biased, misalignment=_misalignment(_biased),
                 factored=_misalignment(_factored.biased))
CKA_DEBIASED = Similarity(name="cka (debiased)", gram=scaled_gram, tap=tap, value=_debiased,
                          misalignment=_misalignment(_debiased), factored=_misalignment(_factored.debiased),
                          least=4, diagonal=False)
