"""What one would do without a guide: distil a teacher's outputs, or steer the dimension of the layers."""

from .distillation import Distillation, kd_loss
from .regularisers import KeepDimension, keep_dimension

__all__ = ["Distillation", "KeepDimension", "kd_loss", "keep_dimension"]
