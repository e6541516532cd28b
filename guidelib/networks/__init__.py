"""Networks of the experiments, as targets and as guides: made on the CPU from a seed, no global stream touched."""

from .fcn import FCN
from .pretrained import load_torchvision
from .resnet import ResNet
from .rnn import LSTM, RNN
from .sequence_transformer import Transformer
from .transformer import RowTransformer
from .vit import ViT

__all__ = ["FCN", "LSTM", "RNN", "ResNet", "RowTransformer", "Transformer", "ViT", "load_torchvision"]
