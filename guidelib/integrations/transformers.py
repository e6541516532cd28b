"""A Trainer of transformers: the misalignment is added to what compute_loss returns, in training alone."""

import warnings
from pathlib import Path

import torch

from ..guidance import guide as guide_
from ..guidance.guides import as_guide

try:
    import accelerate  # noqa: F401
    from transformers import Trainer, TrainerCallback
    from transformers.trainer_utils import get_last_checkpoint
except ImportError:  # said by the constructor, so that the file can be read and documented without them
    Trainer = TrainerCallback = object

LACKING = "GuidedTrainer needs the packages transformers and accelerate: pip install 'guidelib[integrations]'"
FILE = "guidance.pt"  # in the folder of each checkpoint


class Keep(TrainerCallback):
    """Saves the guidance's state beside the rest of a checkpoint."""

    def __init__(self, trainer):
        self.trainer = trainer

    def on_save(self, args, state, control, **kwargs):
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if state.is_world_process_zero:
            torch.save(self.trainer.guidance.state_dict(), folder / FILE)


class GuidanceMixin:
    """Adds guidance to any Trainer: class Mine(GuidanceMixin, Seq2SeqTrainer).

    guide: as of gl.guide; options: a dict of its options; target: the name of the submodule that is guided,
    "" for the model itself. While train() runs, `guidance` is its gl.Guidance; the hooks come off when it
    ends, or fails. The loss that is logged holds the term, and `misalignment`, the mean over pairs at the
    newest step, stands beside it; evaluation is the model's own. A checkpoint keeps the guidance's state, and
    resume_from_checkpoint goes on from it; from one without, guidance begins
    at step 0, with a warning. ImportError without the packages; ValueError for a model_init, a
    target that is not there, and several GPUs in one process.
    """

    def __init__(self, *args, guide, target="", options=None, **kwargs):
        if Trainer is object:
            raise ImportError(LACKING)
        super().__init__(*args, **kwargs)
        names = dict(self.model.named_modules())
        if target not in names:
            raise ValueError(f"{type(self.model).__name__} has no submodule {target!r}; it has "
                             f"{[name for name, _ in self.model.named_children()]}")
        if self.model_init is not None:
            raise ValueError("model_init makes another network in train(), which no hook is on: pass model=")
        if self.args.n_gpu > 1:
            raise ValueError(f"one process on {self.args.n_gpu} GPUs copies the model under the hooks: start "
                             "one process a GPU, with torchrun")
        self.guided, self.guide, self.options = names[target], as_guide(guide), options or {}
        self.guidance = None
        self.add_callback(Keep(self))

    def train(self, resume_from_checkpoint=None, *args, **kwargs):
        for net in self.guide.networks():
            net.to(self.args.device)
        with guide_(self.guided, self.guide, **self.options) as self.guidance:
            folder = resume_from_checkpoint
            if folder is True:
                folder = get_last_checkpoint(self.args.output_dir)
            if folder:
                self._go_on(Path(folder) / FILE)
            return super().train(resume_from_checkpoint, *args, **kwargs)

    def _go_on(self, path):
        """Take up the state of a checkpoint; one that was made without a guide has none."""
        if path.exists():
            self.guidance.load_state_dict(torch.load(path))
        else:
            warnings.warn(f"{path.parent} was made without guidance, which begins at step 0", stacklevel=3)

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None, **kwargs):
        """The model's loss, and in training the guidance's term, a mean over the batches of a step."""
        found = super().compute_loss(model, inputs, return_outputs=return_outputs,
                                     num_items_in_batch=num_items_in_batch, **kwargs)
        if not (model.training and torch.is_grad_enabled()):
            return found
        term = self.guidance.loss()
        if self._divided_already(num_items_in_batch):
            term = term / self.current_gradient_accumulation_steps
        return (found[0] + term, found[1]) if return_outputs else found + term

    def _divided_already(self, items):
        """Whether the loss counts the items of all batches of a step, so that Trainer does not divide it."""
        said = getattr(self, "loss_is_scaled_for_ga", None)
        if said is not None:
            return said
        return self.model_accepts_loss_kwargs and items is not None or self.compute_loss_func is not None

    def log(self, logs, *args, **kwargs):
        if "loss" in logs and self.guidance is not None and self.guidance.misalignment is not None:
            logs["misalignment"] = self.guidance.misalignment.mean().item()
        super().log(logs, *args, **kwargs)


class GuidedTrainer(GuidanceMixin, Trainer):
    """transformers' Trainer with a guide: GuidedTrainer(model=..., args=..., guide=net, options={...}).

    What else it takes and raises stands under GuidanceMixin.

    >>> issubclass(GuidedTrainer, GuidanceMixin)
    True
    """
