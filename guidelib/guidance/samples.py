"""Adds to by_hand.py: what a sample is: an example, each of its places (tokens, pixels), or their mean."""

from math import prod

SAMPLES = ("batch", "tokens", "pool")
LAST = ("Linear", "Bilinear", "MultiheadAttention", "RNN", "GRU", "LSTM", "LayerNorm", "RMSNorm", "Conv1D")


def as_samples(x, kind, *, samples, channels=None, mask=None):
    """View activations x (n, ...) of a layer of type name `kind` as samples (m, ...).

    "batch": an example is a sample, m = n, all else its features. "tokens": each place of an example is one,
    m = n x places, with the layer's channels as features. "pool": the mean over places, m = n. channels:
    their axis, or None to know it by the type of the layer; ValueError for a type that is not known. mask:
    booleans (n, places): others are no samples, count for no mean, and are 0 among the features of an
    example; a layer with another number of places has no part in it.

    >>> x = torch.zeros(4, 3, 5, 5)
    >>> [tuple(as_samples(x, "Conv2d", samples=samples).shape) for samples in SAMPLES]
    [(4, 3, 5, 5), (100, 3), (4, 3)]
    """
    if x.ndim < 3 or samples == "batch" and (mask is None or x.ndim > 3):
        return x
    axis = channel_axis(kind, x.ndim) if channels is None else channels
    x = x.movedim(axis, -1).flatten(1, -2)  # (n, places, channels)
    if mask is None or mask.shape != x.shape[:2]:
        return x if samples == "batch" else x.flatten(0, 1) if samples == "tokens" else x.mean(1)
    if samples == "tokens":
        return x[mask.to(x.device)]
    seen = mask.to(x.device)[..., None]  # (n, places, 1)
    x = x.where(seen, 0)  # whatever stood there, be it no number
    return x if samples == "batch" else x.sum(1) / seen.sum(1).clamp(min=1)


def channel_axis(kind, ndim):
    """The axis of a layer's channels in an output of `ndim` axes, the examples' among them.

    The last of linear, recurrent and attention layers, the one before the d places of ...1d, ...2d, ...3d.
    With three axes others are taken for layers of tokens; ValueError for others with more.

    >>> channel_axis("Conv2d", 4), channel_axis("Linear", 3), channel_axis("Conv1d", 3)
    (1, 2, 1)
    """
    if kind.endswith(LAST):
        return ndim - 1
    if kind[-2:] in ("1d", "2d", "3d"):
        return ndim - 1 - int(kind[-2])
    if ndim > 3:
        raise ValueError(f"where the {ndim} axes of its output hold the channels of {kind} is not known: "
                         "channels=-1 says the last, channels=1 the first after the examples")
    return ndim - 1


def sample_shape(o, **options):
    """(samples, features) of an Output, (0, 0) if it holds none."""
    if o is None or o.x is None:
        return 0, 0
    found = as_samples(o.x, o.type, **options).shape
    return found[0], prod(found[1:])
