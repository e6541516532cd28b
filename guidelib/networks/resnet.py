"""A residual network for small images (He et al. 2016): the 18-layer layout with a 3x3 stem, as is usual on CIFAR-10."""

import torch.nn.functional as F
from torch import nn

from .seeding import seeded


class ResNet(nn.Module):
    """ResNet for small images: takes (n, channels, h, w), gives (n, outputs); the modules have torchvision's names.

    width: channels after the stem, doubled at each later stage. blocks: of each stage. seed: of the weights, which are drawn as in
    torchvision: convolutions He-normal by fan-out, normalisation 1 and 0. With 64 channels it is the CIFAR form of ResNet-18.

    >>> net = ResNet(channels=3, outputs=10, width=64)
    >>> sum(p.numel() for p in net.parameters())
    11173962
    """

    def __init__(self, *, channels=3, outputs=10, width=64, blocks=(2, 2, 2, 2), seed=0):
        super().__init__()
        with seeded(seed):
            self.conv1 = nn.Conv2d(channels, width, 3, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(width)
            p = width
            for stage, count in enumerate(blocks):
                q, layers = width * 2**stage, []
                for i in range(count):
                    layers.append(BasicBlock(p, q, stride=2 if stage and i == 0 else 1))
                    p = q
                setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
            self.stages = len(blocks)
            self.avgpool = nn.AdaptiveAvgPool2d(1)
            self.fc = nn.Linear(p, outputs)
            self.reset_parameters()

    def reset_parameters(self):
        """Draw all weights again from the global random stream."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, (nn.BatchNorm2d, nn.Linear)):
                module.reset_parameters()

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))  # (n, width, h, w)
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)  # (n, width 2^stage, h / 2^stage, w / 2^stage)
        return self.fc(self.avgpool(x).flatten(1))  # (n, outputs)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with normalisation, added to their input, which a 1x1 convolution fits where shapes differ."""

    def __init__(self, inputs, outputs, *, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))
