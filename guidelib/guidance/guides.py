"""Adds to by_hand.py: what a guide must have, and what an untrained one asks: which norm, which inputs."""

import copy
import inspect
import warnings
from dataclasses import replace
from functools import partial

import torch
from torch import nn

from .activations import listened, selected, tensors
from .axes import readings
from .frozen import as_call, frozen, recalibrate, unwrap
from .hooks import Listener
from .inputs import ANSWERS
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
        default layers, and those named in `also`. An Output's x is (n, ...), or None with the reason; one
        shown again takes the place of the first.
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
    or a dict. Keywords that the network's forward lacks are dropped with one warning; `labels` always, and
    label, target and targets unless its forward names them.
    batch_dim: the axis of the examples, or {layer glob: axis}, with "*" for the inputs; None for the
    target's. The network's training flag, dropout, buffers and gradients play no part and are left as found.
    ValueError for an unknown norm or inputs, or "recalibrated" without `sample`.

    >>> net = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    >>> Guide(net, norm="batch")
    Guide(Sequential, norm='batch', inputs='same')
    """

    drops_last = True

    def __init__(self, net, *, norm="running", inputs="same", sample=None, batch_dim=None, seed=0):
        if not isinstance(net, nn.Module):
            raise TypeError("a guide is a torch.nn.Module, a gl.Guide or one of gl.controls, "
                            f"received {type(net).__name__}")
        if isinstance(net, torch.jit.ScriptModule):
            raise TypeError("the guide is a scripted module, which hooks cannot follow: pass its original")
        if norm not in NORMS:
            raise ValueError(f"norm is one of {NORMS}, received {norm!r}")
        if inputs not in ("same", "noise") and not callable(inputs):
            raise ValueError(f"inputs is 'same', 'noise' or a callable(*args, **kwargs), received {inputs!r}")
        if (norm == "recalibrated") != (sample is not None):
            raise ValueError(f"sample= goes with norm='recalibrated', received norm={norm!r} and sample of "
                             f"type {type(sample).__name__}")
        self.net, self.norm, self.inputs = unwrap(net), norm, inputs
        self.stream, self._warned, self.batch_dim = Stream(seed), False, batch_dim
        self.readings = {}  # how to read the outputs as examples, once it was found out
        if norm == "recalibrated":
            self.net = copy.deepcopy(self.net)
            recalibrate(self.net, *as_call(sample))
        self._default = selected(self.net)
        self._takes = keywords(self.net.forward)

    def __repr__(self):
        inputs = self.inputs if isinstance(self.inputs, str) else getattr(self.inputs, "__name__", "callable")
        return f"Guide({type(self.net).__name__}, norm={self.norm!r}, inputs={inputs!r})"

    def networks(self):
        return [self.net]

    def run(self, call, visit, *, keys=None, also=()):
        """Show the layers as they come; features are forgotten afterwards, so that one is held at a time.

        After the last of `keys` the forward ends. The first time the axes of the examples are verified.
        """
        call = call.of(*self._arguments(call), self.batch_dim)
        if keys is not None:
            modules = {name: self.net.get_submodule(name) for name, _ in keys}
            return self._forward(call, modules, visit, keys=keys)
        modules, seen, self.readings = listened(self.net, also), {}, {}

        def show(o):
            seen[o.key] = o if o.raw is None else replace(o, x=None, raw=None)
            visit(o)

        self._forward(call, modules, show)
        listener = partial(Listener, modules, default=self._default, call=call)
        found = readings(self.net, call, seen.values(), listener)
        self.readings = {key: o.reading for key, o in seen.items()} | found
        if any(seen[key].reading != reading for key, reading in found.items()):
            self._forward(call, modules, visit)

    def _forward(self, call, modules, visit, *, keys=None):
        failed = []  # what went wrong outside of the network

        def show(o):
            if keys is None or o.key in keys:
                try:
                    visit(o)
                except Exception as error:
                    failed.append(error)
                    raise

        hooks = Listener(modules, show, default=self._default, call=call, readings=self.readings, last=keys)
        state = frozen(self.net, batch_statistics=self.norm == "batch")
        try:
            with hooks, torch.autocast(**call.autocast), state:
                self.net(*call.args, **call.kwargs)
        except Exception as error:
            if error not in failed:
                explain(error, call, self.net)
            raise

    def _arguments(self, call):
        if callable(self.inputs):
            with torch.no_grad():
                return as_call(self.inputs(*call.args, **call.kwargs))
        wanted, takes_any = self._takes
        told = {"labels"} | set(ANSWERS) - wanted  # what is right, of which a guide knows nothing
        args, kwargs = call.args, {name: v for name, v in call.kwargs.items() if name not in told}
        if not takes_any:
            lacking = [name for name in kwargs if name not in wanted]
            if lacking and not self._warned:
                self._warned = True
                warnings.warn(f"the guide's forward lacks the target's keywords {lacking}: they are dropped; "
                              "gl.Guide(net, inputs=...) gives the guide arguments of its own", stacklevel=5)
            kwargs = {name: v for name, v in kwargs.items() if name not in lacking}
        if self.inputs == "noise":
            args, kwargs = (noise_like(part, stream=self.stream) for part in (tuple(args), kwargs))
        return args, kwargs


def keywords(forward):
    """(the names that a forward takes, whether it takes any other)."""
    try:
        parameters = inspect.signature(forward).parameters
    except ValueError:  # of what is compiled there is none
        return set(), True
    return set(parameters), any(p.kind == p.VAR_KEYWORD for p in parameters.values())


def explain(error, call, net):
    """Add to an error of a guide's forward what it was given."""
    shapes = [f"{tuple(x.shape)} {x.dtype} on {x.device}" for x in tensors((call.args, call.kwargs))]
    error.add_note(f"This happened in the guide, which was run on the target's arguments {shapes}. "
                   "Pass gl.Guide(net, inputs=callable) to give it arguments of its own.")
    own = {p.dtype for p in net.parameters() if p.is_floating_point()}
    given = {x.dtype for x in tensors((call.args, call.kwargs)) if x.is_floating_point()}
    if given and own and not given & own:
        (name, *_), (other, *_) = sorted(map(str, own)), sorted(map(str, given))
        error.add_note(f"Its weights are {name}, the inputs {other}: cast it, guide.to({other}), or run the "
                       "target under torch.autocast.")


def as_guide(guide):
    """A guide from whatever is accepted wherever a guide is: a module, a Guide, or one of gl.controls."""
    return guide if isinstance(guide, BaseGuide) else Guide(guide)
