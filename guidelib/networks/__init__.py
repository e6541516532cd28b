"""Networks of the experiments, as targets and as guides: each takes a seed for its weights and touches no global stream."""

from .fcn import FCN
from .resnet import ResNet
from .transformer import RowTransformer

__all__ = ["FCN", "ResNet", "RowTransformer"]
