"""The guide: a frozen network whose layers are shown, one after the other, to whoever compares them."""

import copy
import inspect
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import nn

from .activations import as_output, batch_size, first_tensor, listened, selected, watch
from .frozen import as_call, frozen_forward, recalibrate
from .noise import Stream, noise_call

NORMS = ("running", "batch", "recalibrated")


@dataclass
class Call:
    """One forward of the target, as the guide needs it: arguments, n examples, autocast, and the target's layers."""

    args: tuple
    kwargs: dict
    batch_dim: int = 0
    target_layers: list = field(default_factory=list)

    def __post_init__(self):
        self.n = batch_size(self.args, self.kwargs, self.batch_dim)
        self.device = next(v.device for v in tensors((self.args, self.kwargs)))
        kind = self.device.type if torch.amp.is_autocast_available(self.device.type) else "cpu"  # the meta device has none
        self.autocast = {"device_type": kind, "enabled": torch.is_autocast_enabled(kind), "dtype": torch.get_autocast_dtype(kind)}
        self.versions = [(v, v._version) for v in tensors((self.args, self.kwargs)) if not v.is_inference()]

    def check_inputs(self):
        """The guide must see what the target saw: raise if the target wrote into its own input."""
        if any(v._version != version for v, version in self.versions):
            raise RuntimeError("the target changed its input in place, so the guide cannot see the same one: "
                               "call target(x.clone()), or take the in-place operation out of the target")


def tensors(value):
    """Every tensor in nested tuples, lists and dicts.

    >>> list(tensors(({"a": torch.ones(1)}, 2)))
    [tensor([1.])]
    """
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (tuple, list, dict)):
        for v in value.values() if isinstance(value, dict) else value:
            yield from tensors(v)


class Guide:
    """A frozen network as guide, with the two questions an untrained one raises: which normalisation, which inputs.

    norm: "running" runs it as in eval (in an untrained network BatchNorm is then the identity); "batch" lets
    normalisation use the batch's own statistics; "recalibrated" works on a copy whose running statistics are those of `sample`.
    inputs: "same" as the target's, "noise" for N(0, 1) of the same shape from the stream `seed` (paper, appendix D), or a
    callable(*args, **kwargs) that returns the guide's own arguments: a tensor, a tuple or a dict. Keywords that
    the network's forward lacks are dropped with one warning, `labels` always. The network's training flag, dropout, buffers and
    gradients play no part and are left as found. ValueError for an unknown norm or inputs, or "recalibrated" without `sample`.

    >>> net = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    >>> Guide(net, norm="batch")
    Guide(Sequential, norm='batch', inputs='same')
    """

    drops_last = True  # the last layer of a network holds its logits

    def __init__(self, net, *, norm="running", inputs="same", sample=None, seed=0):
        if not isinstance(net, nn.Module):
            raise TypeError(f"a guide is a torch.nn.Module, a gl.Guide or one of gl.controls, received {type(net).__name__}")
        if norm not in NORMS:
            raise ValueError(f"norm is one of {NORMS}, received {norm!r}")
        if inputs not in ("same", "noise") and not callable(inputs):
            raise ValueError(f"inputs is 'same', 'noise' or a callable(*args, **kwargs), received {inputs!r}")
        if (norm == "recalibrated") != (sample is not None):
            raise ValueError(f"sample= goes with norm='recalibrated', received norm={norm!r} and sample of type {type(sample).__name__}")
        self.net = unwrap(net)
        self.norm, self.inputs, self.stream = norm, inputs, Stream(seed)
        self._warned = False
        if norm == "recalibrated":
            self.net = copy.deepcopy(self.net)
            recalibrate(self.net, *as_call(sample))

    def __repr__(self):
        inputs = self.inputs if isinstance(self.inputs, str) else getattr(self.inputs, "__name__", "callable")
        return f"Guide({type(self.net).__name__}, norm={self.norm!r}, inputs={inputs!r})"

    def networks(self):
        """The networks behind this guide."""
        return [self.net]

    def check(self, similarity):
        """Raise a ValueError if this guide makes no sense under a similarity; a network always does."""

    def rearrange(self, pairs):
        """A chance to change the layer pairs; a network takes them as they are."""
        return pairs

    def state_dict(self):
        return {"stream": self.stream.state_dict()}

    def load_state_dict(self, state):
        self.stream.load_state_dict(state["stream"])

    def run(self, call, visit, *, keys=None, also=()):
        """Run once, and call visit(Output) for each layer as it comes: those in `keys`, or all default ones and `also`.

        A layer's features are given to `visit` and then forgotten, so that no more than one is held at a time.
        """
        default = selected(self.net)
        modules = listened(self.net, also) if keys is None else listened(self.net, {name for name, _ in keys}, default=False)
        args, kwargs = self._arguments(call)

        def show(key, module, output):
            if keys is None or key in keys:
                visit(as_output(key, module, first_tensor(output), call.n, batch_dim=call.batch_dim, default=key[0] in default))

        handles = watch(modules, show)
        try:
            with torch.autocast(**call.autocast), explained(call):
                frozen_forward(self.net, args, kwargs, batch_statistics=self.norm == "batch")
        finally:
            for handle in handles:
                handle.remove()

    def _arguments(self, call):
        if callable(self.inputs):
            with torch.no_grad():
                return as_call(self.inputs(*call.args, **call.kwargs))
        args, kwargs = call.args, {k: v for k, v in call.kwargs.items() if k != "labels"}
        parameters = inspect.signature(self.net.forward).parameters
        if not any(p.kind == p.VAR_KEYWORD for p in parameters.values()):
            lacking = [k for k in kwargs if k not in parameters]
            if lacking and not self._warned:
                self._warned = True
                warnings.warn(f"the guide's forward lacks the target's keywords {lacking}: they are dropped; "
                              "gl.Guide(net, inputs=...) gives the guide arguments of its own", stacklevel=5)
            kwargs = {k: v for k, v in kwargs.items() if k not in lacking}
        return noise_call(args, kwargs, stream=self.stream) if self.inputs == "noise" else (args, kwargs)


@contextmanager
def explained(call):
    """Add to an error of the guide's forward what it was given."""
    try:
        yield
    except Exception as error:
        shapes = [f"{tuple(v.shape)} {v.dtype} on {v.device}" for v in tensors((call.args, call.kwargs))]
        error.add_note(f"This happened in the guide, which was run on the target's arguments {shapes}. "
                       "Pass gl.Guide(net, inputs=callable) to give it arguments of its own.")
        raise


def unwrap(net):
    """The module inside a compiled or DistributedDataParallel wrapper, else the module itself.

    >>> unwrap(nn.Identity())
    Identity()
    """
    while type(net).__name__ in ("OptimizedModule", "DistributedDataParallel"):
        net = net._orig_mod if type(net).__name__ == "OptimizedModule" else net.module
    return net


def as_guide(guide):
    """A guide from whatever is accepted wherever a guide is: a module, a Guide, or one of gl.controls.

    >>> as_guide(nn.Linear(2, 2))
    Guide(Linear, norm='running', inputs='same')
    """
    return guide if hasattr(guide, "run") and hasattr(guide, "rearrange") else Guide(guide)
