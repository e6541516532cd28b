"""Adds to by_hand.py: one more term of any loss, whose hooks stay on for many steps and come off."""

import math
import numbers

import torch
from torch import nn

from .activations import listened
from .frozen import unwrap
from .hooks import Recorder
from .pairing import Side


class Term:
    """Hooks on a target whose loss() is one more term of whatever loss the target is trained with.

    asked: names of layers to listen to beside the default ones. weight: a number or a callable of the step.
    stop_after: steps, after which the hooks are off, or None. A subclass says _term(call, outputs), the loss
    before the weight, and `maker`, the call that makes another; it ends its own checks with arm().
    """

    maker = ""
    misalignment = None  # of a guide, where there is one

    def __init__(self, target, *, asked, weight, stop_after, batch_dim, batch_size=None):
        check_target(target, self.maker)
        if not callable(weight):
            check_weight(weight)
        if stop_after is not None and (not isinstance(stop_after, numbers.Integral) or stop_after < 0):
            raise ValueError(f"stop_after is a number of steps, 0 or more, or None; received {stop_after!r}")
        self.target, self.batch_dim, self.batch_size = unwrap(target), batch_dim, batch_size
        self.weight, self.stop_after = weight, stop_after
        self.step, self._removed = 0, False
        self.measured = False  # whether the last loss() compared anything
        self.recorder = Recorder(self.target, listened(self.target, asked), batch_dim=batch_dim,
                                 batch_size=batch_size)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.remove()

    @property
    def stopped(self):
        """Whether `stop_after` steps are over."""
        return self.stop_after is not None and self.step >= self.stop_after

    def loss(self):
        """Weighted loss of the forward just made, a 0-dim tensor; each call is one step.

        0 at weight 0, and after `stop_after` steps, when no forward is asked for. RuntimeError after
        remove(), or if the target ran not once since the last call; the capture is cleared anyway, so that
        the next step works.
        """
        self.measured = False
        if self._removed:
            raise RuntimeError(f"loss() after remove(): the hooks are off; make a new one with {self.maker}")
        if self.stopped:
            device = next((p.device for p in self.target.parameters()), "cpu")
            return torch.zeros((), device=device)
        try:
            call, outputs = self.recorder.take()
            weight = self._weight()
            loss = torch.zeros((), device=call.device) if weight == 0 else weight * self._term(call, outputs)
        finally:
            self.reset()
        self.step += 1
        if self.stopped:
            self.recorder.disarm()
        return loss

    def _weight(self):
        weight = self.weight(self.step) if callable(self.weight) else self.weight
        if callable(self.weight):
            check_weight(weight, f" at step {self.step}")
        return weight

    def prepare(self, sample):
        """Learn the layers before the first step, if the term needs to, as where a run is resumed."""

    def reset(self):
        """Forget a captured forward that is not meant for the loss."""
        self.recorder.clear()

    def arm(self):
        """Put the hooks on, unless the steps are over or remove() was called."""
        if self.stopped:
            self.recorder.disarm()
        elif not self._removed:
            self.recorder.arm()

    def remove(self):
        """Take the hooks off; may be called twice."""
        self.recorder.disarm()
        self._removed = True

    def state_dict(self):
        """The step, for a checkpoint."""
        return {"step": self.step}

    def __deepcopy__(self, memo):
        raise TypeError("hooks on a network cannot be copied: copy the network, and make a new "
                        f"{self.maker}, with load_state_dict() if it shall go on")

    def __reduce__(self):
        raise TypeError("hooks on a network cannot be pickled: save state_dict(), and make a new "
                        f"{self.maker} to load it")

    def load_state_dict(self, state):
        self.step = state["step"]
        self.arm()

    def side(self, outputs):
        """The target's layers in a first forward."""
        ran = {name for name, _ in (o.key for o in outputs)}
        return Side("target", outputs, absent=[name for name in self.recorder.modules if name not in ran])


def check_weight(weight, when=""):
    """TypeError or ValueError for a weight that is no finite number.

    >>> check_weight("a", " at step 3")
    Traceback (most recent call last):
    TypeError: weight is a number or a callable of the step that gives one, received str at step 3
    """
    if not isinstance(weight, numbers.Real) and not (isinstance(weight, torch.Tensor) and weight.ndim == 0):
        raise TypeError("weight is a number or a callable of the step that gives one, received "
                        f"{type(weight).__name__}{when}")
    if not -math.inf < weight < math.inf:
        raise ValueError(f"weight is a finite number, received {weight}{when}")


def check_target(target, maker):
    """TypeError or ValueError for a target that hooks cannot follow; maker: the call that makes the term."""
    if not isinstance(target, nn.Module):
        raise TypeError(f"the target is a torch.nn.Module, received {type(target).__name__}")
    if isinstance(target, torch.jit.ScriptModule):
        raise TypeError("the target is a scripted module, which hooks cannot follow: pass its original")
    for name, module in target.named_modules():
        compiled = getattr(module, "_compiled_call_impl", None) is not None
        if compiled or type(module).__name__ == "OptimizedModule":
            place = f" at {name!r}" if name else ""
            raise ValueError(f"the target{place} is compiled already, and a compiled module ignores later "
                             f"hooks: call {maker} first and torch.compile(target) second")
