"""Adds to by_hand.py: what a guide must have, and what an untrained one asks: which norm, which inputs."""

import copy
import inspect
import warnings
from contextlib import contextmanager

import torch
from torch import nn

from .activations import listened, selected, tensors
from .frozen import as_call, frozen_forward, recalibrate, unwrap
from .hooks import Listener
from .noise import Stream, noise_like

NORMS = ("running", "batch", "recalibrated")


class BaseGuide:
    """What every guide and control is; subclass it for one of your own, which needs run() and nothing else.

    like: another guide that it stands around, or None; what it does not change it passes on to that one.
    stream: the random stream that it draws from, if it does.

    >>> from guidelib.guidance import Output
    >>> class Quarters(BaseGuide):  # every layer shall tell apart the quarters of a batch
    ...     def run(self, call, visit, *, keys=None, also=()):
    ...         x = torch.eye(4).repeat_interleave(call.n // 4, 0)  # (n, 4)
    ...         for i in range(len(call.target_layers)):
    ...             visit(Output(("quarters", i), "quarters", tuple(x.shape), x))
    """

    like, stream = None, None

    def run(self, call, visit, *, keys=None, also=()):
        """Call visit(Output) for each layer in execution order; call: a Call, the target's forward.

        keys: a set of (name, number of the call), to show no others; None, in the first step, shows all
        default layers, and those named in `also`. An Output's x is (n, ...), or None with the reason.
        """
        if self.like is None:
            raise NotImplementedError(f"{type(self).__name__} stands around no other guide, so it needs "
                                      "run(self, call, visit, *, keys=None, also=())")
        self.like.run(call, visit, keys=keys, also=also)

    @property
    def drops_last(self):
        """Whether its last layer is one of logits, which takes no part."""
        return self.like is not None and self.like.drops_last

    def networks(self):
        """The networks behind it, none of whose parameters may be the target's."""
        return [] if self.like is None else self.like.networks()

    def check(self, similarity):
        """Raise a ValueError if it makes no sense under a similarity."""
        if self.like is not None:
            self.like.check(similarity)

    def rearrange(self, pairs):
        """The layer pairs [(target name, guide name)] that were found, changed if it is about pairs."""
        return pairs if self.like is None else self.like.rearrange(pairs)

    def state_dict(self):
        """What a checkpoint must keep: the random streams."""
        parts = {"like": self.like, "stream": self.stream}
        return {name: part.state_dict() for name, part in parts.items() if part is not None}

    def load_state_dict(self, state):
        """Go on from what state_dict() gave."""
        for name, part in state.items():
            getattr(self, name).load_state_dict(part)


class Guide(BaseGuide):
    """A frozen network as guide, with the two questions of an untrained one: which norm, which inputs.

    norm: "running" runs it as in eval (in an untrained network BatchNorm is then the identity); "batch" lets
    normalisation use the batch's own statistics; "recalibrated" works on a copy whose running statistics are
    those of `sample`. inputs: "same" as the target's, "noise" for N(0, 1) of the same shape from the stream
    `seed` (paper, appendix D), or a callable(*args, **kwargs) that returns the guide's own: a tensor, a tuple
    or a dict. Keywords that the network's forward lacks are dropped with one warning, `labels` always. The
    network's training flag, dropout, buffers and gradients play no part and are left as found. ValueError for
    an unknown norm or inputs, or "recalibrated" without `sample`.

    >>> net = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    >>> Guide(net, norm="batch")
    Guide(Sequential, norm='batch', inputs='same')
    """

    drops_last = True

    def __init__(self, net, *, norm="running", inputs="same", sample=None, seed=0):
        if not isinstance(net, nn.Module):
            raise TypeError("a guide is a torch.nn.Module, a gl.Guide or one of gl.controls, "
                            f"received {type(net).__name__}")
        if norm not in NORMS:
            raise ValueError(f"norm is one of {NORMS}, received {norm!r}")
        if inputs not in ("same", "noise") and not callable(inputs):
            raise ValueError(f"inputs is 'same', 'noise' or a callable(*args, **kwargs), received {inputs!r}")
        if (norm == "recalibrated") != (sample is not None):
            raise ValueError(f"sample= goes with norm='recalibrated', received norm={norm!r} and sample of "
                             f"type {type(sample).__name__}")
        self.net, self.norm, self.inputs = unwrap(net), norm, inputs
        self.stream, self._warned = Stream(seed), False
        if norm == "recalibrated":
            self.net = copy.deepcopy(self.net)
            recalibrate(self.net, *as_call(sample))

    def __repr__(self):
        inputs = self.inputs if isinstance(self.inputs, str) else getattr(self.inputs, "__name__", "callable")
        return f"Guide({type(self.net).__name__}, norm={self.norm!r}, inputs={inputs!r})"

    def networks(self):
        return [self.net]

    def run(self, call, visit, *, keys=None, also=()):
        """Show the layers as they come; features are forgotten afterwards, so that one is held at a time."""
        names = also if keys is None else {name for name, _ in keys}
        modules = listened(self.net, names, default=keys is None)

        def show(o):
            if keys is None or o.key in keys:
                visit(o)

        args, kwargs = self._arguments(call)
        hooks = Listener(modules, show, default=selected(self.net), call=call)
        with hooks, torch.autocast(**call.autocast), explained(call):
            frozen_forward(self.net, args, kwargs, batch_statistics=self.norm == "batch")

    def _arguments(self, call):
        if callable(self.inputs):
            with torch.no_grad():
                return as_call(self.inputs(*call.args, **call.kwargs))
        args, kwargs = call.args, {name: v for name, v in call.kwargs.items() if name != "labels"}
        parameters = inspect.signature(self.net.forward).parameters
        if not any(p.kind == p.VAR_KEYWORD for p in parameters.values()):
            lacking = [name for name in kwargs if name not in parameters]
            if lacking and not self._warned:
                self._warned = True
                warnings.warn(f"the guide's forward lacks the target's keywords {lacking}: they are dropped; "
                              "gl.Guide(net, inputs=...) gives the guide arguments of its own", stacklevel=5)
            kwargs = {name: v for name, v in kwargs.items() if name not in lacking}
        if self.inputs == "noise":
            args, kwargs = (noise_like(part, stream=self.stream) for part in (tuple(args), kwargs))
        return args, kwargs


@contextmanager
def explained(call):
    """Add to an error of the guide's forward what it was given."""
    try:
        yield
    except Exception as error:
        shapes = [f"{tuple(x.shape)} {x.dtype} on {x.device}" for x in tensors((call.args, call.kwargs))]
        error.add_note(f"This happened in the guide, which was run on the target's arguments {shapes}. "
                       "Pass gl.Guide(net, inputs=callable) to give it arguments of its own.")
        raise


def as_guide(guide):
    """A guide from whatever is accepted wherever a guide is: a module, a Guide, or one of gl.controls."""
    return guide if isinstance(guide, BaseGuide) else Guide(guide)
