"""Residual networks (He et al. 2016) with torchvision's names; without skips, the paper's Deep ConvNet."""

import torch.nn.functional as F
from torch import nn

from .checks import check_choice
from .seeding import seeded


def he(conv):
    """As in torchvision's ResNets."""
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")


INITS = {
    "he": he,
    "default": nn.Conv2d.reset_parameters,  # torch's own: uniform with variance 1 / (3 inputs)
}
STEMS = ("small", "imagenet")


class ResNet(nn.Module):
    """ResNet: takes (n, channels, h, w), gives (n, outputs); the modules have torchvision's names.

    width: channels after the stem, doubled at each later stage. blocks: of each stage. block: "basic", or
    "bottleneck", whose output is four times as wide. skips: without them no block adds its input and no 1x1
    convolution fits it. stem: "small", one 3x3 convolution as is usual on CIFAR-10, or "imagenet", 7x7 and
    pooling, each of stride 2. init: of the convolutions, "he" (normal, by fan-out, as in torchvision) or
    "default" (torch's own); normalisation is 1 and 0. seed: of the weights. ValueError for a name that is
    none of these. ResNet-18 is stem="imagenet", outputs=1000; ResNet-50 has also blocks=(3, 4, 6, 3),
    block="bottleneck"; the paper's Deep ConvNet is ResNet-50 with skips=False, init="default".

    >>> net = ResNet(channels=3, outputs=10, width=64)
    >>> sum(p.numel() for p in net.parameters())
    11173962
    """

    def __init__(self, *, channels=3, outputs=10, width=64, blocks=(2, 2, 2, 2), block="basic", skips=True,
                 stem="small", init="he", seed=0):
        super().__init__()
        check_choice("block", block, BLOCKS)
        check_choice("stem", stem, STEMS)
        check_choice("init", init, INITS)
        if not blocks or min(blocks) < 1:
            raise ValueError(f"blocks has a number of 1 or more for each stage, received {blocks}")
        self.init = init
        self.stem = stem
        self.stages = len(blocks)
        make = BLOCKS[block]
        with seeded(seed):
            kernel, stride = (7, 2) if stem == "imagenet" else (3, 1)
            self.conv1 = nn.Conv2d(channels, width, kernel, stride=stride, padding=kernel // 2, bias=False)
            self.bn1 = nn.BatchNorm2d(width)
            p = width
            for stage, count in enumerate(blocks):
                q = width * 2**stage
                layers = []
                for i in range(count):
                    stride = 2 if stage and i == 0 else 1
                    layers.append(make(p, q, stride=stride, skips=skips))
                    p = q * make.expansion
                setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
            self.avgpool = nn.AdaptiveAvgPool2d(1)
            self.fc = nn.Linear(p, outputs)
            self.reset_parameters()

    def reset_parameters(self):
        """Draw all weights again from the global random stream."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                INITS[self.init](module)
            elif isinstance(module, (nn.BatchNorm2d, nn.Linear)):
                module.reset_parameters()

    def forward(self, x):
        # All ReLUs make new tensors, since hooks keep what they have seen.
        x = F.relu(self.bn1(self.conv1(x)))  # (n, width, h, w)
        if self.stem == "imagenet":
            x = F.max_pool2d(x, 3, stride=2, padding=1)  # h and w are now a quarter of the image's
        for stage in range(self.stages):
            # (n, width 2^stage expansion, h / 2^stage, w / 2^stage)
            x = getattr(self, f"layer{stage + 1}")(x)
        x = self.avgpool(x).flatten(1)
        return self.fc(x)  # (n, outputs)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with normalisation, added to their input, fitted where shapes differ."""

    expansion = 1

    def __init__(self, inputs, outputs, *, stride, skips=True):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.skips = skips
        self.downsample = fitting(inputs, outputs, stride) if skips else None

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(added(y, x, self))


class Bottleneck(nn.Module):
    """Convolutions 1x1, 3x3, 1x1 with normalisation, added to their input.

    The stride is the 3x3's, as in torchvision (version 1.5).
    """

    expansion = 4

    def __init__(self, inputs, inner, *, stride, skips=True):
        super().__init__()
        outputs = inner * self.expansion
        self.conv1 = nn.Conv2d(inputs, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.skips = skips
        self.downsample = fitting(inputs, outputs, stride) if skips else None

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(added(y, x, self))


BLOCKS = {"basic": BasicBlock, "bottleneck": Bottleneck}


def fitting(inputs, outputs, stride):
    """The 1x1 convolution and norm that fit a block's input to its output, or None where the shapes agree."""
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs))


def added(y, x, block):
    """A block's branch `y` plus its input `x`, fitted if need be; without skips the branch alone."""
    if not block.skips:
        return y
    return y + (x if block.downsample is None else block.downsample(x))
