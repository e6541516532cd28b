"""Adds to by_hand.py: hooks that never raise, and follow layers reused, skipped or changed in place."""

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial

import torch

from .activations import batch_size, display, examples, first_tensor, selected, tensors
from .frozen import as_call, frozen_forward

NO_GRADIENT = ("ran without gradients, as under torch.no_grad() or in checkpoint(use_reentrant=True); "
               "use_reentrant=False keeps them")


@dataclass
class Call:
    """One forward: arguments, n, device, autocast; target_layers: the target's default ones, once known."""

    args: tuple
    kwargs: dict
    batch_dim: int = 0
    target_layers: list = field(default_factory=list)

    def __post_init__(self):
        self.n = batch_size(self.args, self.kwargs, self.batch_dim)
        inputs = list(tensors((self.args, self.kwargs)))
        self.device = inputs[0].device
        kind = self.device.type
        if not torch.amp.is_autocast_available(kind):  # the meta device has none
            kind = "cpu"
        self.autocast = {"device_type": kind, "enabled": torch.is_autocast_enabled(kind),
                         "dtype": torch.get_autocast_dtype(kind)}
        self.versions = [(x, x._version) for x in inputs if not x.is_inference()]

    def check_inputs(self):
        """The guide must see what the target saw: raise if the target wrote into its own input."""
        if any(x._version != version for x, version in self.versions):
            raise RuntimeError("the target changed its input in place, so the guide cannot see the same one: "
                               "call target(x.clone()), or take the in-place operation out of the target")


@dataclass(frozen=True)
class Output:
    """An output of a layer: key = (module name, number of the call); x (n, ...), or why there is none."""

    key: tuple
    type: str
    shape: tuple | None = None
    x: torch.Tensor | None = None
    reason: str = ""
    default: bool = True  # whether the layer is one of those taken by default


class Hook:
    """A hook that lives in one module only: a deep copy or a pickle of that module carries an inert one."""

    def __init__(self, run):
        self.run = run

    @torch.compiler.disable  # a compiled target breaks its graph here, and calls the hook as it is
    def __call__(self, *args, **kwargs):
        return self.run(*args, **kwargs)

    def __deepcopy__(self, memo):
        return inert

    def __reduce__(self):
        return partial, (inert,)


def inert(*args, **kwargs):
    """What is left of a hook in a copy of its module: nothing happens."""


class Listener:
    """Hooks on {name: module} that call visit(Output) at each output of a forward, from arm() to disarm().

    call: the forward under way, or None while there is none. default: the names taken by default.
    """

    def __init__(self, modules, visit, *, default=(), call=None):
        self.modules, self.visit = modules, visit
        self.default, self.call = frozenset(default), call
        self.open, self.count, self.handles = call is not None, Counter(), {}

    def __enter__(self):
        self.arm()
        return self

    def __exit__(self, *exception):
        self.disarm()

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
        if not self.open or not isinstance(self.call, Call):  # a checkpointed layer, say, computed again
            return
        key = (name, self.count[name])
        self.count[name] += 1
        x = first_tensor(output)
        shape = None if x is None else tuple(x.shape)
        x, reason = examples(x, self.call.n, batch_dim=self.call.batch_dim)
        self.visit(Output(key, type(module).__name__, shape, x, reason, name in self.default))


class Recorder(Listener):
    """Hooks on a target that keep the outputs of its newest forward with gradients, until clear()."""

    def __init__(self, target, modules, *, batch_dim=0):
        super().__init__(modules, self._keep, default=selected(target))
        self.target, self.batch_dim = target, batch_dim
        self.copied = None  # keys of layers changed in place later, of which a copy is kept; None: not known
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
            try:
                self.call = Call(args, kwargs, self.batch_dim)
            except Exception as error:
                self.call = error

    def _end(self, module, args, output):
        if self.open:
            self.open = False
            self.forwards += 1

    def _keep(self, o):
        if o.x is not None and not torch.is_grad_enabled():  # a loss on it would have no gradient
            o = replace(o, x=None, reason=NO_GRADIENT)
        if o.x is not None:
            self.originals[o.key] = (o.x.detach(), o.x._version)  # which share the version counter
            if self.copied is None or o.key in self.copied:
                o = replace(o, x=o.x.clone())
        self.outputs.append(o)

    def _check_in_place(self):
        """The first step keeps copies of everything; later ones only of what was then seen to change."""
        changed = {key for key, (x, version) in self.originals.items() if x._version != version}
        new = set() if self.copied is None else changed - self.copied
        self.copied = changed | (self.copied or set())
        if new:
            names = sorted(name for name, _ in new)
            raise RuntimeError(f"the outputs of {names} were changed in place after their capture, unlike in "
                               "the first step: a copy is kept from now on, repeat this step")


def outputs_of(model, sample, *, batch_dim=0, modules=None):
    """Outputs of one forward as in eval, copied so that a later in-place operation cannot change them."""
    call, outputs = Call(*as_call(sample), batch_dim), []

    def keep(o):
        outputs.append(o if o.x is None else replace(o, x=o.x.detach().clone()))

    default = selected(model)
    with Listener(default if modules is None else modules, keep, default=default, call=call):
        frozen_forward(model, call.args, call.kwargs)
    return outputs


def capture(model, sample, *, batch_dim=0, modules=None):
    """{layer: activations (n, ...)} of the default layers in execution order; run as in eval, left as found.

    `sample`: a tensor, a tuple of arguments or a dict of keywords.

    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> {name: tuple(x.shape) for name, x in capture(net, torch.zeros(5, 2)).items()}
    {'0': (5, 3), '2': (5, 1)}
    """
    outputs = [o for o in outputs_of(model, sample, batch_dim=batch_dim, modules=modules) if o.x is not None]
    names = display([o.key for o in outputs])
    return {names[o.key]: o.x for o in outputs}
