"""Adds to by_hand.py: which axis of a layer's output holds the examples, found by exchanging some of them.

A shape cannot tell: (16, 8, 12) may be eight examples, two places each, or sixteen places of eight examples,
and a table of positions has as many rows as a batch may have. So where it could be otherwise the network runs
twice more, in eval, the second time with some examples exchanged: rows of these alone may change.
"""

import warnings

import torch

from .activations import (
    EMBEDDING,
    FOLDED,
    axis_given,
    axis_of_inputs,
    examples,
    is_weighted,
    reading_by_shape,
    tensors,
)
from .frozen import frozen_forward

MIXED = ("its rows are not the examples: exchanging some examples changes the rows of others; "
         "batch_dim={'NAME': axis} says which axis holds them, layers= takes other layers")
UNMOVED = "its rows are not the examples: none changes if half of the examples are exchanged"
AGREEMENT = 1e-3  # of the rows with the examples in another order, as a share of how far they moved


def readings(model, call, outputs, listener):
    """{key: axis, FOLDED or a reason} of the Outputs of a network's forward that their shape leaves in doubt.

    listener: a callable(visit), hooks on that network that call visit(Output). A network in which examples
    meet even in eval, as by statistics of the batch, is asked another question: whether its rows come in
    another order with the examples. Equal examples, which cannot be exchanged, stay as read by shape; so
    does a network that fails at the question, with a warning.
    """
    said = [o.key for o in outputs if axis_given(call.batch_dim, o.key[0]) is not None]
    keys = {o.key for o in outputs if o.shape is not None and o.key not in said and in_doubt(o, model, call)}
    if not keys or call.device.type == "meta":
        return {}
    try:
        return asked(model, call, keys, listener)
    except Exception as error:
        names = sorted({name for name, _ in keys})
        warnings.warn(f"the batch axis of {names} could not be verified, with some examples exchanged the "
                      f"network failed ({type(error).__name__}: {error}); batch_dim={{NAME: axis}} says it",
                      stacklevel=2)
        return {}


def asked(model, call, keys, listener):
    """The readings of the outputs `keys` by two or three forwards."""
    exchanged = Exchange(call)
    if not exchanged.possible:
        return {}

    def rows(args, kwargs):
        found = {}
        ears = listener(lambda o: o.key in keys and found.setdefault(o.key, digests(o.raw, call)))
        with ears, torch.autocast(**call.autocast):
            frozen_forward(model, args, kwargs)
        return found

    before, after = rows(call.args, call.kwargs), rows(*exchanged.some())
    common = before.keys() & after.keys()
    found = {key: by_exchange(before[key], after[key], exchanged.rows) for key in common}
    if MIXED in found.values():
        moved = rows(*exchanged.order())
        for key in common & moved.keys():
            if found[key] == MIXED:
                found[key] = by_order(before[key], moved[key], exchanged.permutation)
    return found


def differ(call):
    """Whether the inputs hold examples that differ."""
    return call.device.type != "meta" and Exchange(call, noise=False).moved


def in_doubt(o, model, call):
    """Whether another axis than the leading one might hold the examples, by the sizes of all there is."""
    axis = axis_of_inputs(call.batch_dim)
    if reading_by_shape(o.shape, call.n, axis) != axis:
        return bool(candidates(o.shape, call.n, axis))
    sizes = {*o.shape[1:]} if len(o.shape) > 1 else {call.n}
    for x in tensors((call.args, call.kwargs)):
        sizes.update(x.shape[1:] if x.shape[:1] == (call.n,) else x.shape)
    for module in model.modules():  # tables of positions, classes, or codes
        if isinstance(module, EMBEDDING) or not is_weighted(module):
            sizes.update(p.shape[i] for p in module.parameters(recurse=False) if p.ndim > 1 for i in (0, 1))
    return call.n in sizes


def candidates(shape, n, batch_dim):
    """Every reading of an output of that shape, the most likely first."""
    first = reading_by_shape(shape, n, batch_dim)
    others = [axis for axis, size in enumerate(shape) if size == n]
    if len(shape) and shape[0] % n == 0 and shape[0] > n:
        others.append(FOLDED)
    return [*([] if first is None else [first]), *(reading for reading in others if reading != first)]


def digests(x, call):
    """{reading: (n,)}, each row of an output weighed by chance into one number."""
    found = {}
    for reading in candidates(x.shape, call.n, axis_of_inputs(call.batch_dim)):
        wide = torch.float32 if x.device.type == "mps" else torch.float64  # which mps lacks
        rows = examples(x, call.n, reading)[0].flatten(1).to(wide)  # (n, p)
        generator = torch.Generator().manual_seed(rows.shape[1])
        weights = torch.randn(rows.shape[1], generator=generator, dtype=rows.dtype).to(x.device)
        found[reading] = (rows @ weights).nan_to_num()  # NaN differs from itself, and would seem to move
    return found


def by_exchange(before, after, exchanged):
    """The first reading whose rows moved only where an example was exchanged (n,), or why there is none."""
    still = True
    for reading, rows in before.items():
        if reading not in after:
            continue
        moved = rows != after[reading]
        if moved.any() and not (moved & ~exchanged).any():
            return reading
        still = still and not moved.any() and bool((rows != rows[0]).any())
    if still:
        return UNMOVED
    first = next(iter(before), None)
    constant = first is not None and bool((before[first] == before[first][0]).all())
    return first if constant and before[first].equal(after.get(first)) else MIXED


def by_order(before, after, order):
    """The first reading whose rows are in another order if the examples are; else MIXED."""
    for reading, rows in before.items():
        if reading in after:
            moved, left = (rows[order] - rows).norm(), (rows[order] - after[reading]).norm()
            if left <= AGREEMENT * moved and moved > 0:
                return reading
    return MIXED


class Exchange:
    """The same arguments with some examples exchanged, or with all of them in another order.

    rows: which are exchanged, about half, (n,); permutation: the other order, (n,). An exchanged example is
    another one of the batch, where possible; noise where all are equal. Both are drawn from a seed of n.
    """

    def __init__(self, call, *, noise=True):
        self.call, self.noise, n = call, noise, call.n
        generator = torch.Generator().manual_seed(n)
        chosen = torch.randperm(n, generator=generator)[:max(n // 2, 1)]
        self.rows = torch.zeros(n, dtype=torch.bool, device=call.device)
        self.rows[chosen.to(call.device)] = True
        self.permutation = torch.randperm(n, generator=generator).to(call.device)
        self.generator, self.moved = generator, False
        self.changed = self._map(self._exchange)
        self.possible = n > 1 and self.moved

    def some(self):
        return self.changed

    def order(self):
        return self._map(lambda x, axis: x.index_select(axis, self.permutation.to(x.device)))

    def _exchange(self, x, axis):
        rows = x.movedim(axis, 0)
        other = rows.roll(1, 0)
        if self.noise and x.is_floating_point() and torch.equal(other, rows):
            other = torch.randn(rows.shape, generator=self.generator, dtype=torch.float64).to(x)
        mask = self.rows.to(x.device).view(-1, *[1] * (rows.ndim - 1))
        changed = torch.where(mask, other, rows)
        self.moved = self.moved or not torch.equal(changed, rows)
        return changed.movedim(0, axis)

    def _map(self, change):
        axis = axis_of_inputs(self.call.batch_dim)

        def on(x):
            holds = x.ndim > axis and x.shape[axis] == self.call.n and x.dtype != torch.bool
            return change(x, axis) if holds else x

        return mapped(self.call.args, on), mapped(self.call.kwargs, on)


def mapped(value, change):
    """Nested tuples, lists and dicts with every tensor changed; masks and other objects as they are."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if type(value) in (tuple, list):
        return type(value)(mapped(inner, change) for inner in value)
    if isinstance(value, dict):
        masks = [name for name in value if "mask" in str(name).lower()]
        return {k: inner if k in masks else mapped(inner, change) for k, inner in value.items()}
    return value
