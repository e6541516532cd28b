"""What a term of the loss has in common, whether it needs a guide or not: hooks on a target, steps, and an end."""

import torch

from .guides import unwrap
from .hooks import Recorder


class Handle:
    """Hooks on a target whose loss() is one more term of whatever loss the target is trained with.

    weight: a number or a callable of the step. stop_after: steps, after which the hooks are off, or None. A subclass says _term(call,
    outputs), the loss before the weight, and `maker`, the call that makes another handle.
    """

    maker = ""

    def __init__(self, target, *, modules, default, weight, stop_after, batch_dim):
        self.target, self.weight, self.stop_after, self.batch_dim = unwrap(target), weight, stop_after, batch_dim
        self.step, self._removed = 0, False
        self.recorder = Recorder(self.target, modules, default=default, batch_dim=batch_dim)
        self._arm()

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

        0 at weight 0, and after `stop_after` steps, when no forward is asked for. RuntimeError after remove(), or if the target ran
        not once since the last call; the capture is cleared whatever happens, so that the next step works.
        """
        if self._removed:
            raise RuntimeError(f"loss() after remove(): the hooks are off; make a new handle with {self.maker}")
        if self.stopped:
            return torch.zeros((), device=next((p.device for p in self.target.parameters()), torch.device("cpu")))
        try:
            call, outputs = self.recorder.take()
            weight = self.weight(self.step) if callable(self.weight) else self.weight
            loss = torch.zeros((), device=call.device) if weight == 0 else weight * self._term(call, outputs)
        finally:
            self.reset()
        self.step += 1
        if self.stopped:
            self.recorder.disarm()
        return loss

    def reset(self):
        """Forget a captured forward that is not meant for the loss."""
        self.recorder.clear()

    def remove(self):
        """Take the hooks off; may be called twice."""
        self.recorder.disarm()
        self._removed = True

    def state_dict(self):
        """The step, for a checkpoint."""
        return {"step": self.step}

    def load_state_dict(self, state):
        self.step = state["step"]
        self._arm()

    def _arm(self):
        if not self._removed:
            self.recorder.disarm() if self.stopped else self.recorder.arm()
