"""Adds to by_hand.py: networks run without a trace; flags, buffers and random streams stay as they were."""

from contextlib import contextmanager

import torch
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase


@contextmanager
def training_flags(model, wanted):
    """Within, each module's `training` flag is `wanted(module)`; afterwards what it was, module by module."""
    before = {module: module.training for module in model.modules()}
    try:
        for module in before:  # the attribute, not .eval(): a user's own train() may do more than set it
            module.training = wanted(module)
        yield
    finally:
        for module, flag in before.items():
            module.training = flag


@contextmanager
def drawing_from(seed, model):
    """Within, torch's global streams, on which dropout and initialisations draw, begin at `seed`."""
    cuda = {p.device.index for p in model.parameters() if p.device.type == "cuda"}
    with torch.random.fork_rng(devices=sorted(cuda)):
        torch.manual_seed(seed)
        yield


def frozen_forward(model, args=(), kwargs=None, *, batch_statistics=False):
    """The output of `model(*args, **kwargs)` as in eval, without gradient, its flags and buffers untouched.

    `batch_statistics=True` lets the normalisation layers that can use the batch's own statistics.
    """
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    flags = training_flags(model, lambda module: batch_statistics and isinstance(module, _NormBase))
    with flags, torch.no_grad():
        return functional_call(model, buffers, args, kwargs or {})


def recalibrate(model, args=(), kwargs=None):
    """Set the running statistics of the BatchNorm layers to those of one batch, in place, in one pass.

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


def unwrap(net):
    """The module inside a compiled or DistributedDataParallel wrapper, else the module itself."""
    while type(net).__name__ in ("OptimizedModule", "DistributedDataParallel"):
        net = net._orig_mod if type(net).__name__ == "OptimizedModule" else net.module
    return net


def as_call(sample):
    """(arguments, keywords) of a sample: a tensor, a tuple of arguments or a dict of keywords."""
    if isinstance(sample, dict):
        return (), sample
    return (tuple(sample), {}) if isinstance(sample, (tuple, list)) else ((sample,), {})
