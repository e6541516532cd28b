"""A Lightning callback: the misalignment is added to the loss that a module's training_step returns.

Why there, and not in on_before_backward: one sum has one backward. A second backward beside the module's own
would need its graph kept, the loss scale of mixed precision and the division by accumulated batches a second
time, and fails where gradients of several processes are averaged. Here all of it acts on both terms alike.
"""

from collections.abc import Mapping
from functools import wraps

from ..guidance import guide as guide_
from ..guidance.guides import as_guide

try:
    from lightning.pytorch import Callback
except ImportError:  # said by the constructor, so that the file can be read and documented without it
    Callback = object

LACKING = "GuidanceCallback needs the package lightning: pip install 'guidelib[integrations]'"


class GuidanceCallback(Callback):
    """Guides a submodule of a LightningModule while it is fitted, and logs guidance_loss and misalignment.

    target: the name of the submodule that training_step calls once a batch, such as "net"; "" is the module
    itself, if its own forward is called. guide, options: as of gl.guide. `guidance` is the gl.Guidance of the
    fit; its plan() and report() can be read during it and after. Hooks come off when the fit ends, or fails;
    checkpoints keep the step and the random streams, and a fit with ckpt_path goes on from them; any other
    begins at step 0. ImportError without lightning; at the start of the fit, ValueError for a target that is
    not there, for manual optimisation, and for a second callback on the same module; for two with one target
    Lightning itself says so, a RuntimeError.

    >>> GuidanceCallback(guide=nn.Linear(2, 2), target="net", weight=0.5)
    GuidanceCallback('net' <- Guide(Linear, norm='running', inputs='same'), weight=0.5)
    """

    def __init__(self, *, guide, target="", **options):
        if Callback is object:
            raise ImportError(LACKING)
        self.guide, self.target, self.options = as_guide(guide), target, options
        self.guidance, self._loaded = None, None

    def __repr__(self):
        options = "".join(f", {name}={value!r}" for name, value in self.options.items())
        return f"GuidanceCallback({self.target!r} <- {self.guide!r}{options})"

    @property
    def state_key(self):
        return f"GuidanceCallback[{self.target}]"

    def on_fit_start(self, trainer, pl_module):
        names = dict(pl_module.named_modules())
        if self.target not in names:
            raise ValueError(f"{type(pl_module).__name__} has no submodule {self.target!r}; it has "
                             f"{[name for name, _ in pl_module.named_children()]}")
        if not pl_module.automatic_optimization:
            raise ValueError("this module optimises by hand, so that there is no loss to add to: use "
                             "gl.guide, and add its loss() before your manual_backward")
        if hasattr(pl_module.training_step, "guidance"):
            raise ValueError("this module has a GuidanceCallback already: one guide at a time")
        for net in self.guide.networks():
            net.to(pl_module.device)
        self.guidance = guide_(names[self.target], self.guide, **self.options)
        if self._loaded is not None:
            self.guidance.load_state_dict(self._loaded)
            self._loaded = None
        pl_module.training_step = guided(pl_module, self.guidance)

    def on_validation_end(self, trainer, pl_module):
        if self.guidance is not None:
            self.guidance.reset()  # of a validation that ran with gradients

    def on_fit_end(self, trainer, pl_module):
        self._detach(pl_module)

    def on_exception(self, trainer, pl_module, exception):
        self._detach(pl_module)

    def _detach(self, pl_module):
        if self.guidance is not None:
            self.guidance.remove()
            if getattr(pl_module.training_step, "guidance", None) is self.guidance:
                del pl_module.training_step  # the class has its own

    def state_dict(self):
        return {} if self.guidance is None else self.guidance.state_dict()

    def load_state_dict(self, state_dict):
        self._loaded = state_dict or None


def guided(module, guidance):
    """The module's training_step, the loss of the guidance added to what it returns."""
    step = module.training_step

    @wraps(step)
    def training_step(*args, **kwargs):
        found = step(*args, **kwargs)
        if found is None:  # a batch that the module leaves out
            return guidance.reset()
        term = guidance.loss()
        module.log("guidance_loss", term.detach())
        if guidance.misalignment is not None:
            module.log("misalignment", guidance.misalignment.mean(), prog_bar=True)
        return {**found, "loss": found["loss"] + term} if isinstance(found, Mapping) else found + term

    training_step.guidance = guidance
    return training_step
