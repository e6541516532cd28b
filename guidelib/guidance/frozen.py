"""Run a network without leaving a trace: flags, buffers and random streams are found as they were."""

from contextlib import contextmanager

import torch
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase


@contextmanager
def training_flags(model, wanted):
    """Within, each module's `training` flag is `wanted(module)`; afterwards what it was, module by module.

    >>> net = torch.nn.Dropout()
    >>> with training_flags(net, lambda module: False):
    ...     net.training
    False
    >>> net.training
    True
    """
    before = {module: module.training for module in model.modules()}
    try:
        for module in before:  # the attribute, not .eval(): a user's own train() may do more than set it
            module.training = wanted(module)
        yield
    finally:
        for module, flag in before.items():
            module.training = flag


def frozen_forward(model, args=(), kwargs=None, *, batch_statistics=False):
    """The output of `model(*args, **kwargs)` as in eval, without gradient, its flags and buffers untouched.

    `batch_statistics=True` lets the normalisation layers that can use the batch's own statistics.

    >>> frozen_forward(torch.nn.BatchNorm1d(1), (torch.tensor([[0.0], [2.0]]),), batch_statistics=True).round()
    tensor([[-1.],
            [ 1.]])
    """
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    with training_flags(model, lambda module: batch_statistics and isinstance(module, _NormBase)), torch.no_grad():
        return functional_call(model, buffers, args, kwargs or {})


def recalibrate(model, args=(), kwargs=None):
    """Set the running statistics of the BatchNorm layers to those of one batch, in place: one pass, cumulative.

    >>> net = torch.nn.BatchNorm1d(1)
    >>> recalibrate(net, (torch.tensor([[0.0], [2.0]]),))
    >>> net.running_mean
    tensor([1.])
    """
    layers = [m for m in model.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    momenta = [layer.momentum for layer in layers]
    try:
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None  # the average over all batches seen since the reset
        with training_flags(model, lambda module: module in layers), torch.no_grad():
            model(*args, **(kwargs or {}))
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum


def as_call(sample):
    """A sample as the arguments of a forward: a tensor, a tuple of arguments, or a dict of keywords.

    >>> as_call({"x": 1})
    ((), {'x': 1})
    """
    if isinstance(sample, dict):
        return (), sample
    return (tuple(sample), {}) if isinstance(sample, (tuple, list)) else ((sample,), {})
