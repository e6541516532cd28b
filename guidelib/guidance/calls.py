"""Adds to by_hand.py: one forward as a value, how many examples it has, and what a layer put out in it."""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field, replace

import torch

from .activations import axis_of_inputs, batch_size, examples, tensors


@dataclass
class Call:
    """One forward: arguments, n, device, autocast; target_layers: the target's default ones, once known.

    batch_dim: the axis of the examples in the inputs, or {layer glob: axis} with "*" for the inputs;
    batch_size: callable(*args, **kwargs) -> n, or None to see it from the inputs.
    """

    args: tuple
    kwargs: dict
    batch_dim: int | dict = 0
    batch_size: Callable | None = None
    target_layers: list = field(default_factory=list)

    def __post_init__(self):
        if self.batch_size is None:
            self.n = batch_size(self.args, self.kwargs, axis_of_inputs(self.batch_dim))
        else:
            self.n = int(self.batch_size(*self.args, **self.kwargs))
        inputs = list(tensors((self.args, self.kwargs)))
        devices = [x.device for x in inputs]  # lengths may stay on the CPU
        self.device = next((d for d in devices if d.type != "cpu"), *devices[:1] or [torch.device("cpu")])
        kind = self.device.type
        if not torch.amp.is_autocast_available(kind):  # the meta device has none
            kind = "cpu"
        self.autocast = {"device_type": kind, "enabled": torch.is_autocast_enabled(kind),
                         "dtype": torch.get_autocast_dtype(kind)}
        self.versions = [(x, x._version) for x in inputs if not x.is_inference()]

    def of(self, args, kwargs, batch_dim=None):
        """The same call with other arguments, as a guide gets it: n, device and autocast are the target's."""
        other = copy(self)
        other.args, other.kwargs = args, kwargs
        other.batch_dim = axis_of_inputs(self.batch_dim) if batch_dim is None else batch_dim
        return other

    def check_inputs(self):
        """The guide must see what the target saw: raise if the target wrote into its own input."""
        if any(x._version != version for x, version in self.versions):
            raise RuntimeError("the target changed its input in place, so the guide cannot see the same one: "
                               "call target(x.clone()), or take the in-place operation out of the target")


@dataclass(slots=True)
class Output:
    """An output of a layer: key = (module name, number of the call); x (n, ...), or why there is none."""

    key: tuple
    type: str
    shape: tuple | None = None
    x: torch.Tensor | None = None
    reason: str = ""
    default: bool = True  # whether the layer is one of those taken by default
    raw: torch.Tensor | None = None  # what x is a view of, as the layer gave it
    reading: int | str | None = None  # how raw was read: the axis of the examples, FOLDED, or why it was not
    gram: torch.Tensor | None = None  # of x, if it is made already

    def read(self, n, reading):
        """The same output read as n examples in another way."""
        x, reason = examples(self.raw, n, reading)
        return replace(self, x=x, reason=reason, reading=reading)

    def hollow(self):
        """The same output without its numbers."""
        x = None if self.x is None else torch.empty(self.x.shape, device="meta")
        return replace(self, x=x, raw=None, gram=None)
