"""Recurrent networks over token ids: stacks of one-layer modules, so that each is a layer to align."""

from torch import nn

from .checks import check_choice, check_sizes
from .seeding import seeded
from .tokens import check_pad, embedded, kept, last

POOLS = (None, "last")


class _Recurrent(nn.Module):
    """What RNN and LSTM share: an embedding, layers made by `build(inputs, width)`, and a Linear head."""

    def __init__(self, build, *, vocab, width, depth, embed, outputs, pool, pad, seed):
        super().__init__()
        embed = width if embed is None else embed
        outputs = vocab if outputs is None else outputs
        check_sizes(vocab=vocab, width=width, depth=depth, embed=embed, outputs=outputs)
        check_choice("pool", pool, POOLS)
        check_pad(pad, vocab)
        self.pool = pool
        self.pad = pad
        self.leak = False
        with seeded(seed):
            self.embedding = nn.Embedding(vocab, embed)
            self.layers = nn.ModuleList(build(p, width) for p in [embed] + [width] * (depth - 1))
            self.head = nn.Linear(width, outputs)
            self.reset_parameters()

    def reset_parameters(self):
        """Draw all weights again from the global random stream."""
        for module in (self.embedding, *self.layers, self.head):
            module.reset_parameters()

    def forward(self, ids):
        x = embedded(self.embedding, ids)  # (n, t, embed)
        tokens = kept(ids, self.pad)  # (n, t)
        state = None  # all layers start from zeros
        for layer in self.layers:
            x, _ = layer(x, state)  # (n, t, width)
            if self.leak:
                state = last(x, tokens).unsqueeze(0).contiguous()  # (1, n, width)
        if self.pool:
            x = last(x, tokens)  # (n, width)
        return self.head(x)  # (n, outputs), or (n, t, outputs)


class RNN(_Recurrent):
    """Stacked recurrent net (Elman 1990): takes token ids (n, t), gives logits (n, t, outputs).

    vocab: tokens, padding included. embed: width of the embedding, `width` by default. outputs: vocab by
    default. nonlinearity: "tanh" or "relu". pool: None, or "last" for logits (n, outputs) of the last token
    that is not `pad`, the id of padding. seed: of the weights, drawn as in torch. leak=True is the released
    code's way: each layer above the first starts from the final state of the layer below, after the last
    token that is not `pad`, so that all logits of a net with depth > 1 depend on all tokens. ValueError for
    sizes, names or ids that cannot be. RNN(vocab=28996, width=512, depth=4, embed=256, leak=True) is the
    small language model of the released code.

    >>> import torch
    >>> RNN(vocab=13, width=8, depth=2)(torch.zeros(5, 7, dtype=torch.long)).shape
    torch.Size([5, 7, 13])
    """

    def __init__(self, *, vocab, width, depth, nonlinearity="tanh", leak=False, embed=None, outputs=None,
                 pool=None, pad=None, seed=0):
        check_choice("nonlinearity", nonlinearity, ["tanh", "relu"])

        def build(p, q):
            return nn.RNN(p, q, nonlinearity=nonlinearity, batch_first=True)

        super().__init__(build, vocab=vocab, width=width, depth=depth, embed=embed, outputs=outputs,
                         pool=pool, pad=pad, seed=seed)
        self.leak = leak


class LSTM(_Recurrent):
    """Stacked LSTM (Hochreiter and Schmidhuber 1997): takes token ids (n, t), gives logits (n, t, outputs).

    Options and errors are those of RNN; no layer sees another's state.

    >>> import torch
    >>> LSTM(vocab=3, width=8, depth=1, outputs=2, pool="last", pad=2)(torch.tensor([[0, 1, 2]])).shape
    torch.Size([1, 2])
    """

    def __init__(self, *, vocab, width, depth, embed=None, outputs=None, pool=None, pad=None, seed=0):
        def build(p, q):
            return nn.LSTM(p, q, batch_first=True)

        super().__init__(build, vocab=vocab, width=width, depth=depth, embed=embed, outputs=outputs,
                         pool=pool, pad=pad, seed=seed)
