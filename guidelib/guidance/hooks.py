"""Record what the target's layers output during its own forward, so that guidance needs no second one."""

import torch

from .activations import Output, as_output, first_tensor
from .guides import Call

NO_GRADIENT = "ran without gradients, as under torch.no_grad() or in checkpoint(use_reentrant=True); use_reentrant=False keeps them"


class Hook:
    """A hook that lives in one module only: a deep copy or a pickle of that module carries an inert function instead."""

    def __init__(self, run):
        self.run = run

    @torch.compiler.disable  # a compiled target breaks its graph here, and calls the hook as it is
    def __call__(self, *args, **kwargs):
        return self.run(*args, **kwargs)

    def __deepcopy__(self, memo):
        return inert

    def __reduce__(self):
        return _inert, ()


def inert(*args, **kwargs):
    """What is left of a hook in a copy of its module: nothing happens."""


def _inert():
    return inert


class Recorder:
    """Hooks on a target that keep the layer outputs of its newest forward with gradients, until `clear`.

    modules: {name: module} to listen to; default: the names among them that are taken by default. Hooks never raise; `take` does.
    """

    def __init__(self, target, modules, *, default=(), batch_dim=0):
        self.target, self.modules, self.default, self.batch_dim = target, modules, frozenset(default), batch_dim
        self.copied = None  # keys of layers whose output is changed in place later, so that a copy is kept; None: not known yet
        self.handles = []
        self.clear()

    def arm(self):
        """Put the hooks on; if one of them fails all are taken off again."""
        self.disarm()
        try:
            self.handles += [self.target.register_forward_pre_hook(Hook(self._begin), with_kwargs=True)]
            self.handles += [self.target.register_forward_hook(Hook(self._end))]
            self.handles += [module.register_forward_hook(Hook(self._listener(name))) for name, module in self.modules.items()]
        except Exception:
            self.disarm()
            raise

    def disarm(self):
        for handle in self.handles:
            handle.remove()
        self.handles = []
        self.clear()

    def restrict(self, names):
        """Listen to these layers only from the next forward on; what is captured stays."""
        self.modules = {name: module for name, module in self.modules.items() if name in names}
        if self.handles:
            kept = self.forwards, self._open, self._call, self._entries
            self.arm()
            self.forwards, self._open, self._call, self._entries = kept

    def clear(self):
        self.forwards, self._open, self._call, self._entries, self._counts = 0, False, None, [], {}

    def _begin(self, module, args, kwargs):
        self._open = torch.is_grad_enabled()  # validation under no_grad leaves the capture as it is
        if self._open:
            self._entries, self._counts = [], {}
            try:
                self._call = Call(args, kwargs, self.batch_dim)
            except Exception as error:
                self._call = error

    def _end(self, module, args, output):
        if self._open:
            self._open = False
            self.forwards += 1

    def _listener(self, name):
        def listen(module, args, output):
            if not self._open:  # another forward, or a checkpointed layer computed again in the backward
                return
            key = (name, self._counts.get(name, 0))
            self._counts[name] = key[1] + 1
            x = first_tensor(output)
            if x is None:
                self._entries.append((key, module, None, None, 0))
                return
            if not torch.is_grad_enabled():  # a loss on this output would have no gradient, and would not say so
                self._entries.append((key, module, NO_GRADIENT, None, 0))
                return
            kept = x.clone() if self.copied is None or key in self.copied else x
            self._entries.append((key, module, kept, x.detach(), x._version))  # detach() shares the version counter, not the graph
        return listen

    def take(self):
        """(Call, [Output]) of the one forward since `clear`; RuntimeError if there were none or several."""
        if self.forwards != 1:
            found = f"{self.forwards} forwards of the target" if self.forwards else "no forward of the target with gradients enabled"
            raise RuntimeError(f"loss() found {found} since the last loss(): call the target once, outside torch.no_grad(), "
                               "then loss() once; reset() forgets a forward that is not meant for the loss")
        if isinstance(self._call, Exception):
            raise self._call
        self._call.check_inputs()
        self._check_in_place()
        return self._call, [self._as_output(*entry[:3]) for entry in self._entries]

    def _as_output(self, key, module, x):
        default = key[0] in self.default
        if isinstance(x, str):
            return Output(key, type(module).__name__, reason=x, default=default)
        return as_output(key, module, x, self._call.n, batch_dim=self.batch_dim, default=default)

    def _check_in_place(self):
        """The first step keeps copies of everything; later ones only of what was then seen to change after its capture."""
        changed = {key for key, _, _, original, version in self._entries if original is not None and original._version != version}
        new = set() if self.copied is None else changed - self.copied
        self.copied = changed if self.copied is None else self.copied | changed
        if new:
            raise RuntimeError(f"the outputs of {sorted(name for name, _ in new)} were changed in place after their capture, unlike in the "
                               "first step: a copy is kept from now on, repeat this step")
