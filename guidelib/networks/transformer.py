"""A Transformer over token ids, causal or not, with the two quirks of the released code as switches."""

import torch
import torch.nn.functional as F
from torch import nn

from .checks import check_choice, check_sizes
from .encoder import EncoderBlock
from .seeding import seeded
from .tokens import check_pad, embedded, kept, mean

POOLS = (None, "mean")
POSITIONS = ("sinusoidal", None)


class Transformer(nn.Module):
    """Transformer (Vaswani et al. 2017): takes token ids (n, t), gives logits (n, t, outputs).

    vocab: tokens, padding included. outputs: vocab by default. causal: a token attends to itself and earlier
    ones. pool: None, or "mean" for logits (n, outputs) of the mean over tokens. pad: the id of padding, to
    which no token but itself attends, and which the mean leaves out. positions: "sinusoidal", or None for a
    net that knows of order what causality tells it. feedforward: hidden units, 4 width by default. dropout:
    of the embeddings and of what each half of a block adds. norm_first=False normalises after the sum, as in
    2017. seed: of the weights, drawn as in torch: embeddings N(0, 1).

    As in the released code, if asked: tied=True calls one block `depth` times; norm_gain=0.02 draws the gains
    of the normalisations from N(0, norm_gain), where the default is 1. ValueError for sizes, names or ids
    that cannot be.

    >>> Transformer(vocab=13, width=8, depth=2, heads=2)(torch.zeros(5, 7, dtype=torch.long)).shape
    torch.Size([5, 7, 13])
    """

    def __init__(self, *, vocab, width, depth, heads, causal=True, outputs=None, pool=None, pad=None,
                 positions="sinusoidal", feedforward=None, dropout=0.0, tied=False, norm_gain=None,
                 norm_first=True, seed=0):
        super().__init__()
        outputs = vocab if outputs is None else outputs
        feedforward = 4 * width if feedforward is None else feedforward
        check_sizes(vocab=vocab, width=width, depth=depth, heads=heads, outputs=outputs,
                    feedforward=feedforward)
        check_choice("pool", pool, POOLS)
        check_choice("positions", positions, POSITIONS)
        check_pad(pad, vocab)
        if width % heads:
            raise ValueError(f"width must be a multiple of heads, received width={width} and heads={heads}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout is a share from 0 to below 1, received {dropout!r}")
        if norm_gain is not None and not norm_gain > 0:
            raise ValueError(f"norm_gain is None or a standard deviation above 0, received {norm_gain!r}")
        self.depth = depth
        self.causal = causal
        self.pool = pool
        self.pad = pad
        self.positions = positions
        self.dropout = dropout
        self.norm_gain = norm_gain
        with seeded(seed):
            self.embedding = nn.Embedding(vocab, width)
            self.blocks = nn.ModuleList()
            for _ in range(1 if tied else depth):
                self.blocks.append(EncoderBlock(width, heads, feedforward=feedforward, dropout=dropout,
                                                norm_first=norm_first))
            self.norm = nn.LayerNorm(width) if norm_first else nn.Identity()
            self.head = nn.Linear(width, outputs)
            self.reset_parameters()

    def reset_parameters(self):
        """Draw all weights again from the global random stream."""
        for module in self.modules():
            if isinstance(module, (nn.Embedding, nn.Linear, nn.LayerNorm)):
                module.reset_parameters()
            if isinstance(module, nn.LayerNorm) and self.norm_gain is not None:
                nn.init.normal_(module.weight, std=self.norm_gain)

    def forward(self, ids):
        x = embedded(self.embedding, ids)  # (n, t, width)
        tokens = kept(ids, self.pad)  # (n, t)
        if self.positions:
            x = x + sinusoids(*x.shape[1:], device=x.device).to(x.dtype)
        x = F.dropout(x, self.dropout, self.training)
        mask = None if tokens is None else attended(tokens, causal=self.causal)
        for i in range(self.depth):
            block = self.blocks[i % len(self.blocks)]
            x = block(x, mask=mask, is_causal=self.causal and mask is None)
        x = self.norm(x)  # (n, t, width)
        if self.pool:
            x = mean(x, tokens)  # (n, width)
        return self.head(x)  # (n, outputs), or (n, t, outputs)


def attended(tokens, *, causal):
    """Which tokens each one attends to, (n, 1, t, t): those that are not padding (n, t), and itself.

    >>> attended(torch.tensor([[True, False, True]]), causal=True)[0, 0].int()
    tensor([[1, 0, 0],
            [1, 1, 0],
            [1, 0, 1]], dtype=torch.int32)
    """
    t = tokens.shape[1]
    # Itself even if padding: a softmax over nothing, where all else is padding, is NaN on some backends.
    itself = torch.eye(t, dtype=torch.bool, device=tokens.device)
    mask = tokens[:, None, None, :] | itself  # (n, 1, t, t)
    if not causal:
        return mask
    earlier = torch.ones(t, t, dtype=torch.bool, device=tokens.device).tril()
    return mask & earlier


def sinusoids(t, width, *, device=None):
    """Positions (t, width) as sines and cosines, in turn, of wavelengths from 2 pi to 20,000 pi.

    Vaswani et al. 2017, section 3.5.

    >>> sinusoids(2, 2)
    tensor([[0.0000, 1.0000],
            [0.8415, 0.5403]])
    """
    evens = torch.arange(0, width, 2, device=device)
    rates = 10000.0 ** (-evens / width)  # (width / 2,), the half rounded up
    angles = torch.arange(t, device=device)[:, None] * rates  # (t, width / 2)
    waves = torch.stack([angles.sin(), angles.cos()], 2)  # (t, width / 2, 2)
    return waves.flatten(1)[:, :width]
