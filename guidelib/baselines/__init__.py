"""What one would do without a guide: distil a teacher's outputs, start elsewhere, keep the dimension."""

from .balance import balance_gradients
from .distillation import Distillation, kd_loss
from .initialisations import move_as_far, shift_batchnorm
from .regularisers import KeepDimension, keep_dimension

__all__ = ["Distillation", "KeepDimension", "balance_gradients", "kd_loss", "keep_dimension", "move_as_far",
           "shift_batchnorm"]
