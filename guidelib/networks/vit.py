"""The Vision Transformer (Dosovitskiy et al. 2021): class token and learned positions, as in torchvision."""

import torch
import torch.nn.functional as F
from torch import nn

from .encoder import EncoderBlock
from .seeding import seeded

EPS = 1e-6  # torchvision's, of all normalisations


class ViT(nn.Module):
    """Vision Transformer: takes images (n, c, h, w) of the shape `inputs`, gives (n, outputs).

    inputs: (c, h, w). patch: side of the square patches, which must tile the image. mlp: units of the
    feed-forward nets, 4 width if None. Every weight matrix is a Linear of its own, so that each can be
    aligned. seed: of the weights, which are drawn as in torchvision, save for the classifier: theirs starts
    at 0, and no gradient would pass it in the first step. ValueError if patches or heads do not fit, or for
    images of another shape. ViT-B/16, the paper's guide, is inputs=(3, 224, 224), outputs=1000, patch=16,
    width=768, depth=12, heads=12.

    >>> ViT(inputs=(1, 8, 8), patch=2)(torch.zeros(5, 1, 8, 8)).shape
    torch.Size([5, 10])
    """

    def __init__(self, *, inputs=(3, 32, 32), outputs=10, patch=4, width=64, depth=4, heads=4, mlp=None,
                 dropout=0.0, seed=0):
        super().__init__()
        if len(inputs) != 3 or patch < 1 or inputs[1] % patch or inputs[2] % patch:
            raise ValueError("inputs is (c, h, w) with h and w multiples of patch, "
                             f"received inputs={tuple(inputs)} and patch={patch}")
        if heads < 1 or width % heads:
            raise ValueError(f"width must be a multiple of heads, received width={width} and heads={heads}")
        self.inputs = tuple(inputs)
        self.patch = patch
        c, h, w = inputs
        patches = (h // patch) * (w // patch)
        with seeded(seed):
            self.embed = nn.Linear(c * patch**2, width)
            self.class_token = nn.Parameter(torch.zeros(1, 1, width))
            self.position = nn.Parameter(torch.zeros(1, 1 + patches, width))
            self.dropout = nn.Dropout(dropout)
            self.blocks = nn.ModuleList(ViTBlock(width, heads, mlp, dropout) for _ in range(depth))
            self.norm = nn.LayerNorm(width, eps=EPS)
            self.head = nn.Linear(width, outputs)
            self.reset_parameters()

    def reset_parameters(self):
        """Draw all weights again from the global random stream."""
        nn.init.trunc_normal_(self.embed.weight, std=self.embed.in_features**-0.5)
        nn.init.zeros_(self.embed.bias)
        nn.init.zeros_(self.class_token)
        nn.init.normal_(self.position, std=0.02)
        for block in self.blocks:
            block.reset_parameters()
        self.norm.reset_parameters()
        self.head.reset_parameters()

    def forward(self, x):
        shape = tuple(x.shape)
        if shape[1:] != self.inputs:
            sizes = ", ".join(map(str, self.inputs))
            raise ValueError(f"this ViT takes images (n, {sizes}), received {shape}: "
                             f"build it with inputs={shape[1:]}")
        patches = F.unfold(x, self.patch, stride=self.patch).transpose(1, 2)  # (n, t - 1, c patch patch)
        class_token = self.class_token.expand(len(x), -1, -1)  # (n, 1, width)
        tokens = torch.cat([class_token, self.embed(patches)], 1)  # (n, t, width)
        x = self.dropout(tokens + self.position)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])  # (n, outputs), from the class token


class ViTBlock(EncoderBlock):
    """EncoderBlock with torchvision's epsilon and initialisation, and dropout within the feed-forward net."""

    def __init__(self, width, heads, mlp, dropout):
        super().__init__(width, heads, feedforward=mlp, eps=EPS)
        self.dropout = nn.Dropout(dropout)  # a module, as in torchvision, so that it shows among the layers

    def reset_parameters(self):
        """Draw all weights again from the global random stream."""
        for norm in (self.norm1, self.norm2):
            norm.reset_parameters()
        self.out.reset_parameters()  # torch's attention leaves this one weight at a Linear's own draw
        for linear in (self.qkv, self.up, self.down):
            nn.init.xavier_uniform_(linear.weight)
        for linear in (self.qkv, self.out, self.up, self.down):
            nn.init.zeros_(linear.bias)

    def feed(self, x):
        hidden = self.drop(F.gelu(self.up(x)))  # (n, t, mlp)
        return self.drop(self.down(hidden))

    def drop(self, x):
        return self.dropout(x)
