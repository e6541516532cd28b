"""Small networks with one awkward habit each, for the tests of capture and guidance."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


def mlp(*widths, inplace=False, norm=False, dropout=0.0, seed=0):
    """Linear layers of these widths with ReLU between them, linear at the end; takes (n, ...)."""
    torch.manual_seed(seed)
    layers = [nn.Flatten()]
    for p, q in zip(widths, widths[1:], strict=False):
        layers.append(nn.Linear(p, q))
        if norm:
            layers.append(nn.BatchNorm1d(q))
        layers += [nn.ReLU(inplace=inplace), nn.Dropout(dropout)]
    return nn.Sequential(*layers[:-2])


def convnet(seed=1, inplace=False):
    """Two convolutions with BatchNorm and dropout, pooling, a linear head; (n, 1, 4, 4) to (n, 3)."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=inplace), nn.Dropout(0.5),
        nn.Conv2d(4, 5, 3), nn.BatchNorm2d(5), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(5, 3))


class Counted(nn.Module):
    """Counts its forwards."""

    def __init__(self, net):
        super().__init__()
        self.net = net
        self.count = 0

    def forward(self, *args, **kwargs):
        self.count += 1
        return self.net(*args, **kwargs)


class Reused(nn.Module):
    """One layer called twice."""

    def __init__(self):
        super().__init__()
        self.shared = nn.Linear(16, 16)
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        x = torch.relu(self.shared(x.flatten(1)))
        x = torch.relu(self.shared(x))
        return self.head(x)


class SkipsLayers(nn.Module):
    """Layer dropout: the middle layer runs only when it is told to."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(16, 8)
        self.middle = nn.Linear(8, 8)
        self.head = nn.Linear(8, 3)
        self.skip = False

    def forward(self, x):
        x = torch.relu(self.first(x.flatten(1)))
        if not self.skip:
            x = torch.relu(self.middle(x))
        return self.head(x)


class FunctionalInPlace(nn.Module):
    """x.relu_() after a layer: in place, and no module."""

    def __init__(self, when=lambda: True):
        super().__init__()
        self.first = nn.Linear(16, 8)
        self.head = nn.Linear(8, 3)
        self.when = when

    def forward(self, x):
        x = self.first(x.flatten(1))
        return self.head(x.relu_() if self.when() else x.relu())


@dataclass
class Result:
    logits: torch.Tensor
    hidden: torch.Tensor | None = None


class DictInputs(nn.Module):
    """Keyword inputs, an embedding, a recurrent layer and attention that give tuples, an object as output."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 8)
        self.rnn = nn.GRU(8, 8, batch_first=True)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, input_ids, attention_mask=None, labels=None):
        x, _ = self.rnn(self.embed(input_ids))
        if attention_mask is not None:
            x = x * attention_mask[..., None]
        x, _ = self.attention(x, x, x)
        return Result(logits=self.head(x.mean(1)))


class TimeFirst(nn.Module):
    """(t, n, d) inside and outside."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(6, 8)
        self.middle = nn.Linear(8, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        x, _ = self.rnn(x)
        return self.head(torch.relu(self.middle(x)))


class Checkpointed(nn.Module):
    """Layers computed again in the backward."""

    def __init__(self, use_reentrant):
        super().__init__()
        self.first = nn.Linear(16, 8)
        self.middle = nn.Linear(8, 8)
        self.head = nn.Linear(8, 3)
        self.use_reentrant = use_reentrant

    def forward(self, x):
        from torch.utils.checkpoint import checkpoint

        x = torch.relu(self.first(x.flatten(1)))
        x = checkpoint(lambda z: torch.relu(self.middle(z)), x, use_reentrant=self.use_reentrant)
        return self.head(x)


class SpoilsItsInput(nn.Module):
    """Writes into what it was given."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(16, 8)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        x = x.flatten(1)
        with torch.no_grad():
            x.mul_(2)
        return self.head(F.relu(self.first(x)))


def hooks(model):
    """How many hooks there are on a model."""
    count = 0
    for m in model.modules():
        count += len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks)
    return count


def batch(n=12, seed=0, dtype=torch.float32):
    """Images (n, 1, 4, 4)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 1, 4, 4, generator=generator, dtype=dtype)
