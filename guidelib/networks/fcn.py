"""The fully connected net of the paper (appendix C.1.4): blocks of Linear, norm, ReLU and dropout."""

from torch import nn

from .checks import check_choice
from .seeding import seeded


def he(linear):
    nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
    nn.init.zeros_(linear.bias)


def orthogonal(linear):
    nn.init.orthogonal_(linear.weight, gain=2**0.5)
    nn.init.zeros_(linear.bias)


NORMS = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm, None: nn.Identity}
INITS = {
    "default": nn.Linear.reset_parameters,  # torch's own: uniform with variance 1 / (3 inputs)
    "he": he,
    "orthogonal": orthogonal,
    "shifted": nn.Linear.reset_parameters,  # torch's own, and every BatchNorm's bias starts at 1
}


class FCN(nn.Module):
    """Fully connected net: `depth` blocks of `width` units and a Linear; takes (n, ...), gives (n, outputs).

    norm: "batch", "layer" or None. init, of the hidden layers: "default", "he", "orthogonal" (Saxe et al.
    2014) or "shifted": the default, but the norm's biases start at 1, so that most ReLUs pass their input on
    and gradients keep their size through many layers; it needs a norm. residual: adds each block's input to
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
        if init == "shifted" and norm is None:
            raise ValueError("init='shifted' starts the norm's biases at 1, received norm=None: "
                             "choose norm='batch' or 'layer'")
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
            if self.init == "shifted":
                nn.init.ones_(block.norm.bias)
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
