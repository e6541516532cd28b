"""What a similarity is: a Gram matrix for each side, and a comparison of two of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """A similarity of two activation matrices, split so that each layer's matrix is made once.

    gram: activations (n, ...) to (n, n), differentiable. tap: activations to (activations, gram), to be
    passed on in their place, or None. value: two stacks (..., n, n), perhaps of two types, to (...,), with
    the sign of the publication. misalignment: the same, lower is more alike. least: the fewest examples it
    is defined for. factored: the misalignment of two Factored, for many samples of few features, or None.
    diagonal: whether the diagonal of the Gram matrices counts. equidistant: whether it tells
    something of examples that are all equally far apart.

    >>> from guidelib.similarity import CKA
    >>> x = torch.tensor([[0.0], [1.0], [5.0]])
    >>> round(CKA(x, 3 * x).item(), 4)
    1.0
    >>> round(CKA.misalignment(CKA.gram(x), CKA.gram(3 * x)).item(), 4)
    0.0
    """

    name: str
    gram: Callable
    value: Callable
    misalignment: Callable
    tap: Callable | None = None
    factored: Callable | None = None
    least: int = 2
    diagonal: bool = True
    equidistant: bool = True

    def __call__(self, x, y):
        """Compare activations x (n, ...) and y (n, ...); a 0-dim tensor with the published sign."""
        self.check(x, y)
        return self.value(self.gram(x), self.gram(y))

    def of_first(self, examples):
        """The same of the first `examples` of a batch alone: an estimate from fewer.

        >>> from guidelib.similarity import CKA
        >>> x = torch.tensor([[0.0], [1.0], [5.0]])
        >>> tuple(CKA.of_first(2).gram(x).shape)
        (2, 2)
        """
        return replace(self, name=f"{self.name}, first {examples}", tap=None, factored=None,
                       gram=lambda x: self.gram(x[:examples]))

    def check(self, x, y):
        """Raise a ValueError that repeats both shapes unless both hold the same n >= least examples."""
        for side, a in (("x", x), ("y", y)):
            if not isinstance(a, torch.Tensor):
                raise TypeError(f"{self.name} compares torch tensors, received {side} of type "
                                f"{type(a).__name__}: use torch.as_tensor({side})")
        shapes = f"x {tuple(x.shape)} and y {tuple(y.shape)}"
        if x.ndim == 0 or y.ndim == 0 or x.shape[0] != y.shape[0]:
            raise ValueError(f"{self.name} compares the same n examples on both sides, received {shapes}: "
                             "the first axis must agree")
        if x.shape[0] < self.least:
            raise ValueError(f"{self.name} needs n >= {self.least} examples, received {shapes}: "
                             "use a larger batch")


def same_type(k, l):
    """(k, l, eps): two matrices in the wider of their types, and the rounding of the coarser."""
    dtype, eps = torch.promote_types(k.dtype, l.dtype), max(torch.finfo(a.dtype).eps for a in (k, l))
    return k.to(dtype), l.to(dtype), eps
