"""The fully connected net of the paper (appendix C.1.4): blocks of Linear, norm, ReLU and dropout."""

import torch
from torch import nn

from .checks import check_choice
from .seeding import seeded


def he(linear):
    nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
    nn.init.zeros_(linear.bias)


def orthogonal(linear):
    nn.init.orthogonal_(linear.weight, gain=2**0.5)
    nn.init.zeros_(linear.bias)


def looks_linear(linear):
    """Mirrored weights [[V, -V], [-V, V]], V orthogonal: where a ReLU follows, pairs of units add up to V x.

    The first layer, whose inputs are not mirrored, has [V, -V] above each other.
    """
    p, q = linear.in_features, linear.out_features
    if q % 2:
        raise ValueError(f"init='looks-linear' mirrors half of the units, received width={q}: choose an even "
                         "one")
    mirrored = p == q
    half = torch.empty(q // 2, p // 2 if mirrored else p)
    nn.init.orthogonal_(half)
    rows = torch.cat([half, -half])  # (q, p / 2), or (q, p)
    with torch.no_grad():
        linear.weight.copy_(torch.cat([rows, -rows], 1) if mirrored else rows)
    nn.init.zeros_(linear.bias)


NORMS = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm, None: nn.Identity}
INITS = {
    "default": nn.Linear.reset_parameters,  # torch's own: uniform with variance 1 / (3 inputs)
    "he": he,
    "orthogonal": orthogonal,
    "looks-linear": looks_linear,
}


class FCN(nn.Module):
    """Fully connected net: `depth` blocks of `width` units and a Linear; takes (n, ...), gives (n, outputs).

    norm: "batch", "layer" or None. init, of the hidden layers: "default", "he", "orthogonal" (Saxe et al.
    2014) or "looks-linear" (Balduzzi et al. 2017), which mirrors the units, so that the net begins linear; it
    needs an even width. residual: adds each block's input to
    its output where the widths agree, which makes it another network. seed: of the weights. ValueError for a
    name that is none of these. The 48-layer net of the released code is depth=48, width=1024.

    >>> import torch
    >>> FCN(inputs=64, outputs=10, depth=3, width=8)(torch.zeros(5, 1, 8, 8)).shape
    torch.Size([5, 10])
    """

    def __init__(self, *, inputs, outputs, depth=50, width=256, norm="batch", dropout=0.0, init="default",
                 residual=False, seed=0):
        super().__init__()
        check_choice("norm", norm, NORMS)
        check_choice("init", init, INITS)
        self.init = init
        widths = [inputs] + [width] * depth  # depth + 1 of them
        with seeded(seed):
            self.flatten = nn.Flatten()
            self.blocks = nn.ModuleList()
            for p, q in zip(widths, widths[1:], strict=False):
                self.blocks.append(Block(p, q, norm, dropout, residual))
            self.head = nn.Linear(widths[-1], outputs)
            self.reset_parameters()

    def reset_parameters(self):
        """Draw all weights again from the global random stream."""
        for block in self.blocks:
            INITS[self.init](block.linear)
            if not isinstance(block.norm, nn.Identity):
                block.norm.reset_parameters()
        self.head.reset_parameters()

    def forward(self, x):
        x = self.flatten(x)  # (n, inputs)
        for block in self.blocks:
            x = block(x)  # (n, width)
        return self.head(x)  # (n, outputs)


class Block(nn.Module):
    """Linear, normalisation, ReLU, dropout; with the input added if asked and if the widths agree."""

    def __init__(self, inputs, outputs, norm, dropout, residual):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.norm = NORMS[norm](outputs)
        self.activation = nn.ReLU()
        self.dropout = nn.Dropout(dropout)
        self.residual = residual and inputs == outputs

    def forward(self, x):
        y = self.norm(self.linear(x))
        y = self.dropout(self.activation(y))
        return x + y if self.residual else y
