"""Networks of the experiments, as targets and as guides: made on the CPU from a seed, no global stream touched."""

from .fcn import FCN
from .resnet import ResNet
from .transformer import RowTransformer

__all__ = ["FCN", "ResNet", "RowTransformer"]
