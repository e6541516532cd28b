"""Training: one loop, and the checkpoints from which it is resumed."""

from .checkpoints import Checkpoint
from .loop import OPTIMIZERS, SCHEDULES, History, evaluate, make_optimizer, make_schedule, train

__all__ = ["OPTIMIZERS", "SCHEDULES", "Checkpoint", "History", "evaluate", "make_optimizer", "make_schedule",
           "train"]
