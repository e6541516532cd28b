"""Adds to by_hand.py: networks run without a trace; flags, buffers and random streams stay as they were."""

from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase

from ..streams import streams_kept

ONLY_READ = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@contextmanager
def training_flags(modules, wanted):
    """Within, each module's `training` flag is `wanted(module)`; afterwards what it was, module by module."""
    before = [(module, module.training) for module in modules]
    try:
        for module, _ in before:  # the flag, not .eval(): a user's own train() may do more than set it
            module.__dict__["training"] = wanted(module)
        yield
    finally:
        for module, flag in before:
            module.__dict__["training"] = flag


def frozen_forward(model, args=(), kwargs=None, *, batch_statistics=False):
    """The output of `model(*args, **kwargs)` as in eval, without gradient, and without any trace left.

    Its flags, its buffers and the global random streams are untouched. `batch_statistics=True` lets the
    normalisation layers that can use the batch's own statistics.
    """
    with frozen(model, batch_statistics=batch_statistics):
        return model(*args, **(kwargs or {}))


@contextmanager
def frozen(model, *, batch_statistics=False):
    """Within, the model runs as in eval, without gradient, and leaves no trace.

    Attention takes the path that training takes, whose layers hooks can follow: torch's fast path for eval
    computes whole blocks at once, and nested tensors where there is a padding mask.
    """
    modules = list(model.modules())
    flags = training_flags(modules, lambda module: batch_statistics and isinstance(module, _NormBase))
    fast = torch.backends.mha.get_fastpath_enabled()
    devices = {p.device for module in modules for p in module._parameters.values() if p is not None}
    with flags, torch.no_grad(), spare_buffers(modules), streams_kept(devices):
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            yield
        finally:
            torch.backends.mha.set_fastpath_enabled(fast)


@contextmanager
def spare_buffers(modules):
    """Within, modules have copies of their buffers, into which they may write; afterwards their own again.

    But for those of torch's own BatchNorm in eval, which it only reads.
    """
    own, copies = [], {}
    for module in modules:
        if not module._buffers or not module.training and type(module) in ONLY_READ:
            continue
        for name, buffer in module._buffers.items():
            if buffer is not None:
                own.append((module._buffers, name, buffer))
                if id(buffer) not in copies:
                    copies[id(buffer)] = buffer.clone()
    try:
        for owner, name, buffer in own:
            owner[name] = copies[id(buffer)]
        yield
    finally:
        for owner, name, buffer in own:
            owner[name] = buffer


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
        with training_flags(model.modules(), lambda module: module in layers), torch.no_grad():
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
