"""A small Transformer encoder over the rows of an image: a family that is neither fully connected nor convolutional."""

import torch
import torch.nn.functional as F
from torch import nn

from .seeding import seeded


class RowTransformer(nn.Module):
    """Transformer encoder, pre-norm, each row of an image a token: takes (n, c, h, w), gives (n, outputs).

    inputs: (c, h, w). Every weight matrix is a Linear of its own, so that each can be aligned. seed: of the weights.
    ValueError if `width` is not a multiple of `heads`.

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
        return self.head(self.norm(x).mean(1))  # (n, outputs)


class EncoderBlock(nn.Module):
    """Self-attention and a feed-forward net, each added to its input and normalised before, or after with norm_first=False.

    mask: True where a token (row) attends to another (column), (n, 1, t, t). is_causal: to itself and earlier ones.
    """

    def __init__(self, width, heads, *, feedforward=None, dropout=0.0, norm_first=True):
        super().__init__()
        self.heads, self.dropout, self.norm_first = heads, dropout, norm_first
        hidden = 4 * width if feedforward is None else feedforward
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x, *, mask=None, is_causal=False):
        if self.norm_first:
            x = x + self.attend(self.norm1(x), mask, is_causal)
            return x + self.feed(self.norm2(x))  # (n, t, width)
        x = self.norm1(x + self.attend(x, mask, is_causal))
        return self.norm2(x + self.feed(x))  # (n, t, width)

    def attend(self, x, mask, is_causal):
        n, t, width = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)  # each (n, heads, t, width / heads)
        attended = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=is_causal).transpose(1, 2).reshape(n, t, width)
        return F.dropout(self.out(attended), self.dropout, self.training)

    def feed(self, x):
        return F.dropout(self.down(F.gelu(self.up(x))), self.dropout, self.training)
