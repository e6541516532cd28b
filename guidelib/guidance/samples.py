"""Adds to by_hand.py: what a sample is: an example, each of its places (tokens, pixels), or their mean."""

from math import prod

import torch

from .activations import examples

SAMPLES = ("batch", "tokens", "pool")
LAST = ("Linear", "Bilinear", "MultiheadAttention", "RNN", "GRU", "LSTM", "LayerNorm", "RMSNorm", "Conv1D")


def as_samples(x, kind, *, samples):
    """View activations x (n, ...) of a layer of type name `kind` as samples (m, ...).

    "batch": an example is a sample, m = n, all else its features. "tokens": each place of an example is one,
    m = n x places, with the layer's channels as features. "pool": the mean over places, m = n.

    >>> x = torch.zeros(4, 3, 5, 5)
    >>> [tuple(as_samples(x, "Conv2d", samples=samples).shape) for samples in SAMPLES]
    [(4, 3, 5, 5), (100, 3), (4, 3)]
    """
    if samples == "batch" or x.ndim < 3:
        return x
    x = x.movedim(channel_axis(kind, x.ndim), -1).flatten(1, -2)  # (n, places, channels)
    return x.flatten(0, 1) if samples == "tokens" else x.mean(1)


def channel_axis(kind, ndim):
    """The axis of a layer's channels in an output of `ndim` axes, the examples' among them.

    The last of linear, recurrent and attention layers, the one before the d places of ...1d, ...2d, ...3d.

    >>> channel_axis("Conv2d", 4), channel_axis("Linear", 3), channel_axis("Conv1d", 3)
    (1, 2, 1)
    """
    if kind in LAST:
        return ndim - 1
    if kind[-2:] in ("1d", "2d", "3d"):
        return ndim - 1 - int(kind[-2])
    return 1 if ndim >= 4 else ndim - 1


def sample_shape(shape, kind, call, *, samples):
    """(samples, features) of an output of that shape, in a forward of call.n examples."""
    x, _ = examples(torch.empty(shape, device="meta"), call.n, batch_dim=call.batch_dim)
    found = as_samples(x, kind, samples=samples).shape
    return found[0], prod(found[1:])
