"""A warm-up without a guide, whose loss is the gradient ratio itself."""

import pandas as pd
import torch

from ..bars import bar
from ..guidance.frozen import as_call, training_flags
from ..guidance.noise import Stream, noise_like
from ..streams import drawing_from


def balance_gradients(target, *, sample, steps=300, lr=1e-3, seed=0, on_step=None, progress=False):
    """Train a target on noise until gradients are as large in its first as in its last hidden layer.

    Its loss is the squared logarithm of the gradient ratio, the norm of a gradient for the first weight
    matrix over that for the last but the logits', where the gradient is that of the outputs' product with
    N(0, 1), new at each step: no task and no guide take part. A warm-up like guidelib.warm_up in all else:
    sample, lr, seed, on_step and progress are those, Adam is fresh, the target is in train mode meanwhile.
    Akin to MetaInit (Dauphin and Schoenholz 2019), which tunes the norms of the weights alone. Returns a
    table (step, ratio). ValueError for a target of fewer than 3 weight matrices, or a negative number of
    steps.

    >>> from guidelib.networks import FCN
    >>> net = FCN(inputs=8, outputs=2, depth=20, width=32)
    >>> ratio = balance_gradients(net, sample=torch.zeros(32, 8), steps=100)["ratio"]
    >>> bool(ratio[-20:].median() < ratio[:20].median() / 2)
    True
    """
    if steps < 0:
        raise ValueError(f"steps is a number of steps, 0 or more; received {steps!r}")
    ends = first_and_last(target)
    optimizer = torch.optim.Adam(target.parameters(), lr=lr)
    stream, ratios = Stream(seed), []
    train_mode = training_flags(target.modules(), lambda module: True)
    with train_mode, drawing_from(seed, target):
        for step in bar(range(steps), progress, desc="balancing", unit="step"):
            args, kwargs = as_call(noise_like(sample, stream=stream))
            outputs = target(*args, **kwargs)
            back = noise_like(outputs.detach(), stream=stream)
            ratio = gradient_ratio(outputs, back, ends)
            optimizer.zero_grad(set_to_none=True)
            ratio.log().square().backward()
            optimizer.step()
            ratios.append(ratio.item())
            if on_step is not None:
                on_step(step + 1, steps)
        optimizer.zero_grad(set_to_none=True)
    return pd.DataFrame({"step": range(len(ratios)), "ratio": ratios})


def gradient_ratio(outputs, back, ends):
    """The norm of the gradient for the first of two weights over that for the last, with its own gradient.

    back: what the outputs are multiplied by, of their shape.
    """
    first, last = torch.autograd.grad((outputs * back).sum(), ends, create_graph=True)
    return first.norm() / last.norm()


def first_and_last(target):
    """The weight matrices of a target's first layer and of its last one but the logits'."""
    weights = [p for p in target.parameters() if p.ndim > 1 and p.requires_grad]
    if len(weights) < 3:
        raise ValueError(f"{type(target).__name__} has {len(weights)} weight matrices, and a gradient ratio "
                         "needs a first, a last and one for the logits: choose a deeper target")
    return weights[0], weights[-2]
