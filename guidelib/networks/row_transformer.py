"""A small Transformer over the rows of an image: a family neither fully connected nor convolutional."""

import torch
from torch import nn

from .encoder import EncoderBlock
from .seeding import seeded


class RowTransformer(nn.Module):
    """Transformer encoder, pre-norm, each row of an image a token: takes (n, c, h, w), gives (n, outputs).

    inputs: (c, h, w). Every weight matrix is a Linear of its own, so that each can be aligned. seed: of the
    weights. ValueError if `width` is not a multiple of `heads`.

    >>> RowTransformer(inputs=(1, 8, 8))(torch.zeros(5, 1, 8, 8)).shape
    torch.Size([5, 10])
    """

    def __init__(self, *, inputs=(3, 32, 32), outputs=10, depth=4, width=64, heads=4, seed=0):
        super().__init__()
        if width % heads:
            raise ValueError(f"width must be a multiple of heads, received width={width} and heads={heads}")
        c, h, w = inputs
        with seeded(seed):
            self.embed = nn.Linear(c * w, width)
            self.position = nn.Parameter(torch.zeros(h, width))
            self.blocks = nn.ModuleList(EncoderBlock(width, heads) for _ in range(depth))
            self.norm = nn.LayerNorm(width)
            self.head = nn.Linear(width, outputs)
            self.reset_parameters()

    def reset_parameters(self):
        """Draw all weights again from the global random stream."""
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.LayerNorm)):
                module.reset_parameters()
        nn.init.normal_(self.position, std=0.02)

    def forward(self, x):
        rows = x.transpose(1, 2).flatten(2)  # (n, h, c w)
        x = self.embed(rows) + self.position  # (n, h, width)
        for block in self.blocks:
            x = block(x)
        x = self.norm(x).mean(1)  # (n, width)
        return self.head(x)  # (n, outputs)
