"""What counts as one sample of a layer: the whole example, each of its places (tokens, pixels), or the mean over them."""

from math import prod

import torch

SAMPLES = ("batch", "tokens", "pool")
LAST = ("Linear", "Bilinear", "MultiheadAttention", "RNN", "GRU", "LSTM", "LayerNorm", "RMSNorm", "Conv1D")


def as_samples(x, kind, *, samples):
    """View activations x (n, ...) of a layer of type name `kind` as samples (m, ...).

    "batch": an example is a sample, m = n, all else its features. "tokens": each place of an example is one, m = n x places,
    with the layer's channels as features. "pool": the mean over places, m = n. Channels are the last axis of linear, recurrent and
    attention layers, and the axis before the d places of a layer called ...1d, ...2d, ...3d.

    >>> x = torch.zeros(4, 3, 5, 5)
    >>> [tuple(as_samples(x, "Conv2d", samples=samples).shape) for samples in SAMPLES]
    [(4, 3, 5, 5), (100, 3), (4, 3)]
    """
    if samples == "batch" or x.ndim < 3:
        return x
    x = x.movedim(channel_axis(kind, x.ndim), -1).flatten(1, -2)  # (n, places, channels)
    return x.flatten(0, 1) if samples == "tokens" else x.mean(1)


def channel_axis(kind, ndim):
    """The axis of a layer's channels, for an output of `ndim` axes whose first is the examples'.

    >>> channel_axis("Conv2d", 4), channel_axis("Linear", 3), channel_axis("Conv1d", 3)
    (1, 2, 1)
    """
    if kind in LAST:
        return ndim - 1
    if kind[-2:] in ("1d", "2d", "3d"):
        return ndim - 1 - int(kind[-2])
    return 1 if ndim >= 4 else ndim - 1


def sample_shape(shape, kind, n, *, samples):
    """(samples, features) of an output of that shape with n examples on its first axis, or folded into it.

    >>> sample_shape((4, 3, 5, 5), "Conv2d", 4, samples="tokens"), sample_shape((4, 3, 5, 5), "Conv2d", 4, samples="batch")
    ((100, 3), (4, 75))
    """
    x = torch.empty(shape, device="meta")
    x = x.reshape(n, shape[0] // n, *shape[1:]) if shape[0] > n else x
    found = as_samples(x, kind, samples=samples).shape
    return found[0], prod(found[1:])
