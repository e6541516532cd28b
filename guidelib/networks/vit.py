"""The Vision Transformer (Dosovitskiy et al. 2021), pre-norm with class token and learned positions, as in torchvision."""

import torch
import torch.nn.functional as F
from torch import nn

from .seeding import seeded


class ViT(nn.Module):
    """Vision Transformer: takes images (n, c, h, w) of the shape `inputs`, gives (n, outputs).

    inputs: (c, h, w). patch: side of the square patches, which must tile the image. mlp: units of the feed-forward nets, 4 width if
    None. Every weight matrix is a Linear of its own, so that each can be aligned. seed: of the weights, which are drawn as in
    torchvision, save for the classifier: theirs starts at 0, and no gradient would pass it in the first step. ValueError if
    patches or heads do not fit, or for images of another shape. ViT-B/16, the paper's guide, is inputs=(3, 224, 224), outputs=1000,
    patch=16, width=768, depth=12, heads=12.

    >>> ViT(inputs=(1, 8, 8), patch=2)(torch.zeros(5, 1, 8, 8)).shape
    torch.Size([5, 10])
    """

    def __init__(self, *, inputs=(3, 32, 32), outputs=10, patch=4, width=64, depth=4, heads=4, mlp=None, dropout=0.0, seed=0):
        super().__init__()
        if len(inputs) != 3 or patch < 1 or inputs[1] % patch or inputs[2] % patch:
            raise ValueError(f"inputs is (c, h, w) with h and w multiples of patch, received inputs={tuple(inputs)} and patch={patch}")
        if heads < 1 or width % heads:
            raise ValueError(f"width must be a multiple of heads, received width={width} and heads={heads}")
        self.inputs, self.patch = tuple(inputs), patch
        c, h, w = inputs
        with seeded(seed):
            self.embed = nn.Linear(c * patch**2, width)
            self.class_token = nn.Parameter(torch.zeros(1, 1, width))
            self.position = nn.Parameter(torch.zeros(1, 1 + (h // patch) * (w // patch), width))
            self.dropout = nn.Dropout(dropout)
            self.blocks = nn.ModuleList(ViTBlock(width, heads, 4 * width if mlp is None else mlp, dropout) for _ in range(depth))
            self.norm = nn.LayerNorm(width, eps=1e-6)
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
        if tuple(x.shape[1:]) != self.inputs:
            raise ValueError(f"this ViT takes images (n, {', '.join(map(str, self.inputs))}), received {tuple(x.shape)}: build it with "
                             f"inputs={tuple(x.shape[1:])}")
        patches = F.unfold(x, self.patch, stride=self.patch).transpose(1, 2)  # (n, t - 1, c patch patch)
        tokens = torch.cat([self.class_token.expand(len(x), -1, -1), self.embed(patches)], 1)  # (n, t, width)
        x = self.dropout(tokens + self.position)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])  # (n, outputs), from the class token


class ViTBlock(nn.Module):
    """Self-attention and a feed-forward net, each added to its input, with torchvision's dropout, initialisation and epsilon."""

    def __init__(self, width, heads, mlp, dropout):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, mlp), nn.Linear(mlp, width)
        self.dropout = nn.Dropout(dropout)

    def reset_parameters(self):
        """Draw all weights again from the global random stream."""
        for norm in (self.norm1, self.norm2):
            norm.reset_parameters()
        self.out.reset_parameters()  # torch's attention leaves this one weight at a Linear's own draw
        for linear in (self.qkv, self.up, self.down):
            nn.init.xavier_uniform_(linear.weight)
        for linear in (self.qkv, self.out, self.up, self.down):
            nn.init.zeros_(linear.bias)

    def forward(self, x):
        n, t, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(n, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)  # each (n, heads, t, width / heads)
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, t, width)
        x = x + self.dropout(self.out(attended))
        y = self.dropout(F.gelu(self.up(self.norm2(x))))  # (n, t, mlp)
        return x + self.dropout(self.down(y))  # (n, t, width)
