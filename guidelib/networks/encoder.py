"""The block of all our Transformers: self-attention and a feed-forward net."""

import torch.nn.functional as F
from torch import nn


class EncoderBlock(nn.Module):
    """Self-attention and a feed-forward net, each added to its input and normalised before.

    norm_first=False normalises after the sum. mask: True where a token (row) attends to another (column), (n,
    1, t, t). is_causal: to itself and earlier ones. Every weight matrix is a Linear of its own, so that each
    can be aligned.
    """

    def __init__(self, width, heads, *, feedforward=None, dropout=0.0, norm_first=True, eps=1e-5):
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.norm_first = norm_first
        hidden = 4 * width if feedforward is None else feedforward
        self.norm1 = nn.LayerNorm(width, eps=eps)
        self.norm2 = nn.LayerNorm(width, eps=eps)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)

    def forward(self, x, *, mask=None, is_causal=False):
        if self.norm_first:
            x = x + self.attend(self.norm1(x), mask, is_causal)
            return x + self.feed(self.norm2(x))  # (n, t, width)
        x = self.norm1(x + self.attend(x, mask, is_causal))
        return self.norm2(x + self.feed(x))  # (n, t, width)

    def attend(self, x, mask, is_causal):
        n, t, width = x.shape
        heads = self.qkv(x).view(n, t, 3, self.heads, -1)
        q, k, v = heads.permute(2, 0, 3, 1, 4)  # each (n, heads, t, width / heads)
        x = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=is_causal)
        x = x.transpose(1, 2).reshape(n, t, width)
        return self.drop(self.out(x))

    def feed(self, x):
        hidden = F.gelu(self.up(x))  # (n, t, hidden)
        return self.drop(self.down(hidden))

    def drop(self, x):
        return F.dropout(x, self.dropout, self.training)
