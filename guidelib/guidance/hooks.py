"""Adds to by_hand.py: hooks that never raise, and follow layers reused, skipped or changed in place."""

from collections import Counter
from dataclasses import replace
from functools import cache, partial

import torch

from .activations import (
    axis_given,
    axis_of_inputs,
    display,
    examples,
    first_tensor,
    reading_by_shape,
    selected,
)
from .axes import readings
from .calls import Call, Output
from .frozen import as_call, frozen_forward

NO_GRADIENT = ("ran without gradients, as under torch.no_grad() or in checkpoint(use_reentrant=True); "
               "use_reentrant=False keeps them")


class Hook:
    """A hook that lives in one module only: a deep copy or a pickle of that module carries an inert one."""

    def __init__(self, run):
        out_of_graphs()
        self.run = run

    def __call__(self, *args, **kwargs):
        return self.run(*args, **kwargs)

    def __deepcopy__(self, memo):
        return inert

    def __reduce__(self):
        return partial, (inert,)


@cache
def out_of_graphs():
    """A compiled target breaks its graph at a hook, and calls it as it is.

    Before the first hook, and not where Hook is defined: it takes torch's compiler, and most of the time that
    this library would take to import.
    """
    Hook.__call__ = torch.compiler.disable(Hook.__call__)


def inert(*args, **kwargs):
    """What is left of a hook in a copy of its module: nothing happens."""


class Stop(BaseException):
    """Raised by a hook to end a forward of which nothing more is asked."""


class Listener:
    """Hooks on {name: module} that call visit(Output) at each output of a forward, from arm() to disarm().

    call: the forward under way, or None while there is none. default: the names taken by default. readings:
    {key: how to read the output as examples}, where its shape does not say. last: keys after all of which the
    forward is ended by Stop, or None.
    """

    def __init__(self, modules, visit, *, default=(), call=None, readings=None, last=None):
        self.modules, self.visit = modules, visit
        self.default, self.call = frozenset(default), call
        self.readings = {} if readings is None else readings
        self.coming = None if last is None else set(last)
        self.open, self.count, self.handles = call is not None, Counter(), {}

    def __enter__(self):
        self.arm()
        return self

    def __exit__(self, kind, *exception):
        self.disarm()
        return kind is Stop

    def arm(self):
        """Put the hooks on; if one of them fails all are taken off again."""
        self.disarm()
        try:
            for name, module in self.modules.items():
                self.handles[name] = module.register_forward_hook(Hook(partial(self._heard, name)))
        except Exception:
            self.disarm()
            raise

    def disarm(self):
        for handle in self.handles.values():
            handle.remove()
        self.handles = {}

    def _heard(self, name, module, args, output):
        if not self.open or not isinstance(self.call, Call):
            return self.repeat(name, output)
        key = (name, self.count[name])
        self.count[name] += 1
        kind, default = type(module).__name__, name in self.default
        try:
            raw = first_tensor(output)
            shape = None if raw is None else tuple(raw.shape)
            reading = self.reading(key, shape)
            x, reason = examples(raw, self.call.n, reading)
        except Exception as error:  # an output of a kind never seen must not end a training
            raw, shape, x, reading, reason = None, None, None, None, f"its output cannot be read: {error}"
        return self.heard(Output(key, kind, shape, x, reason, default, raw, reading), output)

    def reading(self, key, shape):
        """How to read an output: as its user says, else as was found out, else by its shape."""
        given = axis_given(self.call.batch_dim, key[0])
        if given is not None:
            return given
        if key in self.readings or shape is None:
            return self.readings.get(key)
        return reading_by_shape(shape, self.call.n, axis_of_inputs(self.call.batch_dim))

    def heard(self, o, output):
        """Pass an Output on; what is returned takes the place of the layer's own output."""
        self.visit(o)
        if self.coming is not None:
            self.coming.discard(o.key)
            if not self.coming:
                raise Stop

    def repeat(self, name, output):
        """A layer runs outside of any forward listened to: a checkpointed one, say, computed again."""


class Recorder(Listener):
    """Hooks on a target that keep the outputs of its newest forward with gradients, until clear().

    tap: a callable(x) -> (x, Gram matrix) for the layers `tapped`, {key}, see similarity.tap.
    """

    def __init__(self, target, modules, *, batch_dim=0, batch_size=None):
        super().__init__(modules, None, default=selected(target))
        self.target, self.batch_dim, self.batch_size = target, batch_dim, batch_size
        self.copied = None  # keys of layers changed in place later, of which a copy is kept; None: not known
        self.tap, self.tapped, self.tapping = None, frozenset(), False
        self.clear()

    def arm(self):
        super().arm()
        begin = self.target.register_forward_pre_hook(Hook(self._begin), with_kwargs=True)
        end = self.target.register_forward_hook(Hook(self._end))
        self.handles |= {0: begin, 1: end}  # no module is named by a number

    def disarm(self):
        super().disarm()
        self.clear()

    def restrict(self, names):
        """Listen to these layers only from now on; what is captured stays."""
        for name in self.modules.keys() - names:
            if name in self.handles:
                self.handles.pop(name).remove()
        self.modules = {name: module for name, module in self.modules.items() if name in names}

    def clear(self):
        self.forwards, self.open, self.call, self.outputs, self.originals = 0, False, None, [], {}

    def take(self):
        """(Call, [Output]) of the one forward since clear(); RuntimeError if there were none or several."""
        if self.forwards != 1:
            found = f"{self.forwards} forwards of the target"
            if not self.forwards:
                found = "no forward of the target with gradients enabled"
            raise RuntimeError(f"loss() found {found} since the last loss(): call the target once, outside "
                               "torch.no_grad(), then loss() once; reset() forgets a forward that is not "
                               "meant for the loss")
        if isinstance(self.call, Exception):
            raise self.call
        self.call.check_inputs()
        self._check_in_place()
        return self.call, self.outputs

    def _begin(self, module, args, kwargs):
        self.open = torch.is_grad_enabled()  # validation under no_grad leaves the capture as it is
        if self.open:
            self.outputs, self.originals, self.count = [], {}, Counter()
            self.tapping = self.tap is not None
            try:
                self.call = Call(args, kwargs, self.batch_dim, self.batch_size)
            except Exception as error:
                self.call = error

    def _end(self, module, args, output):
        if self.open:
            self.open = False
            self.forwards += 1

    def heard(self, o, output):
        if o.raw is not None and not torch.is_grad_enabled():  # a loss on it would have no gradient
            o = replace(o, x=None, raw=None, reason=NO_GRADIENT)
        if o.raw is None:
            return self.outputs.append(o)
        spoiled = self.copied is None or o.key in self.copied
        self.originals[o.key] = (o.raw.detach(), o.raw._version)  # which share the version counter
        if self.tapping and o.key in self.tapped and o.x is output:
            passed, k = self.tap(output)
            self.outputs.append(replace(o, gram=k))
            if spoiled:  # the network gets the copy, and whether it changes that one is what shows
                passed = passed.clone()
                self.originals[o.key] = (passed.detach(), passed._version)
            return passed
        if spoiled:
            o = replace(o, raw=o.raw.clone()).read(self.call.n, o.reading)
        return self.outputs.append(o)

    def repeat(self, name, output):
        """Checkpointing compares what is kept for the backward: what was tapped is tapped again."""
        if self.tapping and torch.is_grad_enabled() and isinstance(output, torch.Tensor):
            if name in {key[0] for key in self.tapped} and output.is_floating_point():
                passed, _ = self.tap(output)
                return passed.clone() if name in {key[0] for key in self.copied or ()} else passed

    def _check_in_place(self):
        """The first step keeps copies of everything; later ones only of what was then seen to change."""
        changed = {key for key, (x, version) in self.originals.items() if x._version != version}
        new = set() if self.copied is None else changed - self.copied
        self.copied = changed | (self.copied or set())
        if new:
            names = sorted(name for name, _ in new)
            raise RuntimeError(f"the outputs of {names} were changed in place after their capture, unlike in "
                               "the first step: a copy is kept from now on, repeat this step")


def outputs_of(model, call, *, modules=None):
    """Outputs of one forward as in eval, copied so that a later in-place operation cannot change them."""
    outputs, default = [], selected(model)

    def keep(o):
        outputs.append(o if o.raw is None else replace(o, raw=o.raw.detach().clone(), x=None))

    listener = partial(Listener, default if modules is None else modules, default=default, call=call)
    with listener(keep):
        frozen_forward(model, call.args, call.kwargs)
    found = readings(model, call, outputs, listener)
    return [o if o.raw is None else o.read(call.n, found.get(o.key, o.reading)) for o in outputs]


def capture(model, sample, *, batch_dim=0, batch_size=None, modules=None):
    """{layer: activations (n, ...)} of the default layers in execution order; run as in eval, left as found.

    `sample`: a tensor, a tuple of arguments or a dict of keywords.

    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> {name: tuple(x.shape) for name, x in capture(net, torch.zeros(5, 2)).items()}
    {'0': (5, 3), '2': (5, 1)}
    """
    call = Call(*as_call(sample), batch_dim, batch_size)
    outputs = [o for o in outputs_of(model, call, modules=modules) if o.x is not None]
    names = display([o.key for o in outputs])
    return {names[o.key]: o.x for o in outputs}
