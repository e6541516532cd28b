"""Networks of the experiments, targets and guides: made on the CPU from a seed, no global stream touched."""

from .fcn import FCN
from .pretrained import load_torchvision
from .resnet import ResNet
from .rnn import LSTM, RNN
from .row_transformer import RowTransformer
from .transformer import Transformer
from .vit import ViT

__all__ = ["FCN", "LSTM", "RNN", "ResNet", "RowTransformer", "Transformer", "ViT", "load_torchvision"]
