"""What a trained network looks like inside: generalisation gap, effective dimension by layer, gradient norms."""

import torch

from .activations import capture
from .similarity import double_centre, gram, u_centre


def generalisation_gap(table, *, metric="accuracy"):
    """Training minus validation accuracy at each epoch (loss: validation minus training); positive means overfitting.

    table: History.table, with train_ and validation_ columns. The training figure is the mean over the epoch as it was trained.

    >>> import pandas as pd
    >>> generalisation_gap(pd.DataFrame({"train_accuracy": [1.0], "validation_accuracy": [0.75]})).tolist()
    [0.25]
    """
    if metric not in ("accuracy", "loss"):
        raise ValueError(f"metric is 'accuracy' or 'loss', received {metric!r}")
    gap = table[f"train_{metric}"] - table[f"validation_{metric}"]
    return gap if metric == "accuracy" else -gap


def effective_dimension(x, *, corrected=False):
    """Participation ratio of activations x (n, ...): (sum of the covariance's eigenvalues)^2 / sum of their squares.

    The number of dimensions that the examples spread over: p for isotropic features, 1 for a line, at most n - 1 for n examples.
    corrected=True estimates that of the population from unbiased estimates of tr(S)^2 (up to order 1/n) and tr(S^2), through the
    U-centred Gram matrix; it may exceed n, and needs n >= 4. Constant features give 0. Gao et al. 2017.

    >>> round(effective_dimension(torch.eye(5)), 6)
    4.0
    """
    k = gram(x.detach().double())  # (n, n), centred
    n = k.shape[0]
    if n < (4 if corrected else 2):
        raise ValueError(f"effective_dimension needs n >= {4 if corrected else 2} examples, received {tuple(x.shape)}")
    trace = k.diagonal().sum()
    if trace == 0:
        return 0.0
    if not corrected:
        return float(trace.square() / double_centre(k).square().sum())
    square = u_centre(k).square().sum() / (n * (n - 3))  # estimates tr(S^2)
    return float((trace / (n - 1)).square() / square)


def effective_dimension_by_layer(model, sample, *, corrected=False):
    """Table (layer, effective_dimension) of a network's default layers on one sample, run as in eval and left as found.

    >>> net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 1))
    >>> effective_dimension_by_layer(net, torch.eye(4))["layer"].tolist()
    ['0', '1']
    """
    import pandas as pd

    rows = [{"layer": name, "effective_dimension": effective_dimension(x, corrected=corrected)} for name, x in capture(model, sample).items()]
    return pd.DataFrame(rows)


def gradient_norms(model, loss):
    """Table (layer, gradient_norm): Euclidean norm of the loss's gradient for the weights of each module that owns any.

    The gradients in `.grad` are not touched. NaN for a module that the loss does not reach.

    >>> net = torch.nn.Linear(1, 1, bias=False)
    >>> gradient_norms(net, net(torch.tensor([[3.0]])).sum())["gradient_norm"].tolist()
    [3.0]
    """
    import pandas as pd

    owners = {name: list(m.parameters(recurse=False)) for name, m in model.named_modules() if any(True for _ in m.parameters(recurse=False))}
    flat = [p for parameters in owners.values() for p in parameters]
    found = iter(torch.autograd.grad(loss, flat, retain_graph=True, allow_unused=True))
    rows = []
    for name, parameters in owners.items():
        grads = [g for g in (next(found) for _ in parameters) if g is not None]
        norm = torch.stack([g.norm() for g in grads]).norm().item() if grads else float("nan")
        rows.append({"layer": name, "gradient_norm": norm})
    return pd.DataFrame(rows)
