"""Adds to by_hand.py: which of a forward's arguments is the network's input, and tokens as codes."""

import warnings
from collections.abc import Mapping

import torch
import torch.nn.functional as F

from .activations import axis_of_inputs, tensors

# Arguments that say what is right: no network may learn from them by way of a guide.
ANSWERS = ("labels", "label", "targets", "target")
USUAL = ("input_ids", "inputs_embeds", "pixel_values", "input_values", "input_features", "x")
CODES = 512  # distinct tokens up to which each has a code of its own


def input_of(call, inputs=None):
    """The network's own input in a Call, examples first, (n, ...).

    inputs: a keyword, the number of an argument, or a callable(*args, **kwargs) that returns it. Without it
    the tensor with an entry an example that bears a usual name, else the first with more than that axis; what
    is called labels or targets, masks and booleans are none. A warning if there are others as good.
    ValueError for a name that is not there.

    >>> from guidelib.guidance import Call
    >>> call = Call((), {"labels": torch.tensor([0, 1]), "input_ids": torch.tensor([[1, 2], [3, 4]])})
    >>> input_of(call)
    tensor([[1, 2],
            [3, 4]])
    """
    axis = axis_of_inputs(call.batch_dim)
    if callable(inputs):
        x = inputs(*call.args, **call.kwargs)
    elif inputs is not None:
        x = given(call, inputs, "input")
    else:
        x = likely(call, axis)
    return x.movedim(axis, 0)


def likely(call, axis):
    """The tensor that is most likely the input."""
    found = {name: x for name, x in named([*enumerate(call.args), *call.kwargs.items()])
             if x.ndim > axis and x.shape[axis] == call.n and not aside(name, x)}
    for name in USUAL:
        if name in found:
            return found[name]
    wide = {name: x for name, x in found.items() if x.ndim > axis + 1} or found
    if not wide:
        return next(tensors((call.args, call.kwargs)))
    name, x = next(iter(wide.items()))
    if len(wide) > 1:
        warnings.warn(f"several arguments of the target may be its input, {list(wide)}: {name!r} is taken; "
                      "inputs= of the control names another", stacklevel=2)
    return x


def mask_of(call, mask):
    """Which places of the examples count, booleans (n, places), or None for all.

    mask: as of gl.guide. ValueError for a name that is not there, another shape, or if no place counts.

    >>> from guidelib.guidance import Call
    >>> ids = torch.tensor([[5, 6], [7, 0]])
    >>> mask_of(Call((ids,), {"attention_mask": ids != 0}), "attention_mask")
    tensor([[ True,  True],
            [ True, False]])
    """
    if mask is None:
        return None
    found = mask(*call.args, **call.kwargs) if callable(mask) else given(call, mask, "mask")
    axis = axis_of_inputs(call.batch_dim)
    if not isinstance(found, torch.Tensor) or found.ndim != 2 or found.shape[axis] != call.n:
        shape = tuple(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
        raise ValueError(f"mask is (n, places) with n = {call.n}, received {shape}")
    found = found.movedim(axis, 0) != 0
    if not found.any():
        raise ValueError("mask leaves out every place of every example")
    return found


def ignored(call):
    """The keyword of a mask that leaves out places of some examples, or None."""
    axis = axis_of_inputs(call.batch_dim)
    for name, x in named(call.kwargs.items()):
        if "attention_mask" in str(name) and x.ndim == 2 and x.shape[axis] == call.n and not x.all():
            return name
    return None


def given(call, name, what):
    """The tensor of that name, or number, among the arguments; ValueError without one."""
    there = dict(named([*enumerate(call.args), *call.kwargs.items()]))
    if name not in there:
        raise ValueError(f"no {what} {name!r} among the target's arguments: choose from {list(there)}")
    return there[name]


def named(items):
    """(name, tensor) of arguments and of what is in mappings among them, by the innermost name."""
    for name, value in items:
        if isinstance(value, Mapping):
            yield from named(value.items())
        else:
            yield from ((name, x) for x in tensors(value))


def aside(name, x):
    """Whether a tensor says what is right, or what counts, and is no input."""
    return name in ANSWERS or x.dtype == torch.bool or "mask" in str(name).lower()


def as_features(x):
    """Tokens (n, ...) as one-hot codes (n, ..., codes); floating-point inputs as they are.

    Where there are many tokens, a code stands for the first example that has the same token at that place:
    the Gram matrix, the number of places at which two examples have the same, is the same.

    >>> as_features(torch.tensor([[5, 6], [6, 6]])).tolist()
    [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]]
    """
    if x.is_floating_point():
        return x
    codes = x.long() - int(x.min())
    if int(codes.max()) < max(CODES, len(x)):
        return F.one_hot(codes).float()
    places = codes.flatten(1)  # (n, places)
    first = (places[:, None] == places[None]).int().argmax(1)  # (n, places)
    return F.one_hot(first, len(x)).float().unflatten(1, x.shape[1:] or (1,))
