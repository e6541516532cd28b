"""Effective dimension: the number of directions that the examples spread over in a layer."""

import pandas as pd
import torch

from ..guidance import capture
from ..similarity import participation_ratio


def effective_dimension(x, *, corrected=False):
    """Participation ratio of activations x (n, ...): the covariance's eigenvalues, (sum)^2 / sum of squares.

    The number of dimensions that the examples spread over: p for isotropic features, 1 for a line, at most n
    - 1 for n examples, however many the population has. corrected=True estimates the population's from n >= 4
    examples: the ratio of unbiased estimates of tr(S)^2 and tr(S^2), S the population's covariance, each a
    mean over quadruples of distinct examples, so that no example meets itself; for tr(S^2) that is the
    U-centred Gram matrix. It may exceed n, and is noisy, even infinite, where n is far below it. Constant
    features give 0; NaN gives NaN. ValueError for too few examples. Gao et al. 2017; Székely and Rizzo 2014
    for U-centring.

    >>> round(effective_dimension(torch.eye(5)), 6)
    4.0
    >>> generator = torch.Generator().manual_seed(0)
    >>> x = torch.randn(100, 500, generator=generator)  # 500 dimensions, seen by 100 examples
    >>> [round(effective_dimension(x, corrected=corrected), -1) for corrected in (False, True)]
    [80.0, 500.0]
    """
    if not isinstance(x, torch.Tensor):
        raise TypeError(f"effective_dimension takes a torch tensor, received {type(x).__name__}: use "
                        "torch.as_tensor(x)")
    needed = 4 if corrected else 2
    if x.ndim < 2 or len(x) < needed:
        raise ValueError(f"effective_dimension needs activations (n, ...) of n >= {needed} examples, "
                         f"received {tuple(x.shape)}")
    x = x.detach().cpu() if x.device.type == "mps" else x.detach()  # mps has no float64
    x = x.double().flatten(1)  # (n, p)
    x = x - x[0]  # first, so that features that do not vary are exactly 0
    x = x - x.mean(0)
    n, p = x.shape
    k = x @ x.T if n <= p else x.T @ x  # the Gram matrix, or, as good here, the covariance
    if not corrected:
        return float(participation_ratio(k))
    a = x.square().sum(1)  # (n,), the Gram matrix's diagonal
    trace, fourth, square = a.sum(), a.square().sum(), k.square().sum()
    if trace == 0:
        return 0.0
    # Both means over four distinct examples, times n (n - 1) (n - 2) (n - 3), come down to these three sums.
    return float((trace.square() * (n * n - 3 * n + 1) - n * (n - 1) * fourth + 2 * square)
                 / (trace.square() - n * (n - 1) * fourth + (n - 1) * (n - 2) * square))


def effective_dimension_by_layer(model, sample, *, corrected=False):
    """Table (layer, effective_dimension) of a network's default layers on a sample, run as in eval.

    >>> net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 1))
    >>> effective_dimension_by_layer(net, torch.eye(4))["layer"].tolist()
    ['0', '1']
    """
    found = {name: effective_dimension(x, corrected=corrected) for name, x in capture(model, sample).items()}
    return pd.DataFrame({"layer": list(found), "effective_dimension": list(found.values())})
