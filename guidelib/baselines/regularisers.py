"""A term of the loss that steers representations without any guide: what guidance must beat."""

import pandas as pd
import torch

from ..guidance.pairing import find
from ..guidance.term import Term
from ..similarity import double_centre, participation_ratio, scaled_gram

MEASURES = ("participation", "spectrum")


def keep_dimension(target, *, dimension, layers=None, measure="participation", weight=1.0, stop_after=None,
                   threshold=0.9, sharpness=20.0, batch_dim=0):
    """Keep the effective dimension of a target's layers near `dimension`, by a term of the loss.

    Use as a context manager, or call remove() at the end, like gl.guide(). The loss is summed over layers,
    each its own batch of n examples, features centred. measure: "participation", the squared logarithm of the
    participation ratio over `dimension`, which is 0 there and 0.48 at half or twice as much; or "spectrum",
    the paper's softened count of principal components (appendix I.2, eqs. 13 and 14), of `threshold` of the
    variance and `sharpness`, whose values the paper does not give, nor whether it centres.

    dimension: a number from 1 to n - 1, whole for "spectrum", or {layer glob: number}, which then names the
    layers too. layers: list of names or globs, None for the default layers without the last, as in guidance.
    weight: a number or a callable of the step. stop_after: steps, after which the hooks are off. Constant
    features count as one dimension and get no gradient. ValueError or TypeError for options that make no
    sense, a compiled target, and, from loss(), a batch too small for `dimension`.

    >>> net = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    >>> with keep_dimension(net, dimension=2) as term:
    ...     loss = net(torch.eye(3)).square().mean() + term.loss()
    ...     term.report()["layer"].tolist()
    ['0']
    """
    return KeepDimension(target, dimension=dimension, layers=layers, measure=measure, weight=weight,
                         stop_after=stop_after, threshold=threshold, sharpness=sharpness, batch_dim=batch_dim)


def participation_loss(k, dimension):
    """Squared logarithm (...,) of the participation ratio of Gram matrices (..., n, n) over `dimension`."""
    ratio = participation_ratio(k).clamp(min=1)  # one dimension also where K is 0
    return (ratio / dimension).log().square()


def spectrum_loss(k, dimension, *, threshold=0.9, sharpness=20.0):
    """The paper's loss (...,) of Gram matrices (..., n, n): near 0 if `dimension` components reach threshold.

    With c_j the share of variance in the first j components, the sum over j < dimension of sigmoid(sharpness
    (c_j - threshold)), for being below, plus sigmoid(sharpness (threshold - c_dimension)), for being above
    (appendix I.2); at most `dimension`. dimension: an integer, or a tensor of them (...,). Differentiable.

    >>> k = double_centre(scaled_gram(torch.eye(4)))  # three components of equal variance
    >>> [round(spectrum_loss(k, d).item(), 2) for d in (2, 3, 4)]
    [0.99, 0.13, 1.01]
    """
    trace = k.diagonal(dim1=-2, dim2=-1).sum(-1)[..., None, None]  # (..., 1, 1)
    dead = trace == 0
    shares = torch.where(dead, torch.zeros_like(k), k / torch.where(dead, torch.ones_like(trace), trace))
    c = torch.linalg.eigvalsh(shares).flip(-1).cumsum(-1)  # (..., n); all 0 where K is 0, without a gradient
    last = torch.as_tensor(dimension, device=k.device).expand(c.shape[:-1])[..., None] - 1  # (..., 1)
    below = torch.sigmoid(sharpness * (c - threshold)) * (torch.arange(c.shape[-1], device=k.device) < last)
    return below.sum(-1) + torch.sigmoid(sharpness * (threshold - c.gather(-1, last)))[..., 0]


class KeepDimension(Term):
    """What keep_dimension() returns: loss() once after each forward of the target; report() is a table."""

    maker = "gl.baselines.keep_dimension(target, ...)"

    def __init__(self, target, *, dimension, layers, measure, weight, stop_after, threshold, sharpness,
                 batch_dim):
        check_options(dimension, layers, measure, threshold, sharpness)
        asked = [*(dimension if isinstance(dimension, dict) else ()), *(layers or ())]
        asked += [name.rpartition("[")[0] for name in asked if name.endswith("]")]
        super().__init__(target, asked=asked, weight=weight, stop_after=stop_after, batch_dim=batch_dim)
        self.dimension, self.layers = dimension, layers
        self.measure, self.threshold, self.sharpness = measure, threshold, sharpness
        self._wanted, self._last = None, None
        self.arm()

    def __repr__(self):
        return (f"KeepDimension({type(self.target).__name__}, {self.measure}, dimension={self.dimension!r}, "
                f"step {self.step})")

    def report(self):
        """Table of the last loss(): layer, n, participation_ratio, dimension asked for, loss."""
        if self._last is None:
            raise RuntimeError("report() is about the last loss(), and there was none yet")
        keys, k, losses = self._last
        return pd.DataFrame({"layer": [self._names[key] for key in keys], "n": k.shape[-1],
                             "participation_ratio": participation_ratio(k).clamp(min=1).cpu().numpy(),
                             "dimension": [self._wanted[key] for key in keys], "loss": losses.cpu().numpy()})

    def _term(self, call, outputs):
        if self._wanted is None:
            self._resolve(outputs)
        found = {o.key: o.x for o in outputs if o.key in self._wanted and o.x is not None}
        if not found:
            return torch.zeros((), device=call.device)
        wanted = [self._wanted[key] for key in found]
        if max(wanted) > call.n - 1:
            raise ValueError("n examples spread over n - 1 dimensions at most: dimension "
                             f"{max(wanted)} cannot be reached with n = {call.n}; use a larger batch, or "
                             "leave out the last, ragged one (drop_last=True)")
        k = double_centre(torch.stack([scaled_gram(x) for x in found.values()]))  # (layers, n, n)
        wanted = torch.tensor(wanted, device=k.device, dtype=k.dtype)  # (layers,)
        if self.measure == "participation":
            losses = participation_loss(k, wanted)
        else:
            losses = spectrum_loss(k, wanted.long(), threshold=self.threshold, sharpness=self.sharpness)
        self._last = (list(found), k.detach(), losses.detach())
        return losses.sum()

    def _resolve(self, outputs):
        """Choose the layers of a first forward, and listen to no more than these from now on."""
        side = self.side(outputs)
        asked = self.dimension
        if not isinstance(asked, dict):
            asked = dict.fromkeys(side.defaults if self.layers is None else self.layers, self.dimension)
        wanted = {}
        for pattern, dimension in asked.items():
            wanted |= dict.fromkeys(find(pattern, side.offered, "target"), dimension)
        if not wanted:
            found = side.reasons() or "it has no layers with weights"
            raise ValueError(f"the target has no layer besides its last: {found}; gl.layers(model, sample) "
                             "shows them all, layers=[name] takes others")
        self._names, self._wanted = side.names, {side.keys[name]: d for name, d in wanted.items()}
        self.recorder.restrict({name for name, _ in self._wanted})


def check_options(dimension, layers, measure, threshold, sharpness):
    """ValueError for options that make no sense."""
    if measure not in MEASURES:
        raise ValueError(f"measure is one of {MEASURES}, received {measure!r}")
    for d in dimension.values() if isinstance(dimension, dict) else [dimension]:
        if not isinstance(d, (int, float)) or not d >= 1 or measure == "spectrum" and d != int(d):
            raise ValueError("dimension is a number from 1 to n - 1, whole for measure='spectrum', "
                             f"or {{layer glob: number}}; received {dimension!r}")
    named = isinstance(layers, (list, tuple)) and layers and all(isinstance(name, str) for name in layers)
    if layers is not None and not named:
        raise ValueError(f"layers is a list of names or globs, or None; received {layers!r}")
    if named and isinstance(dimension, dict):
        raise ValueError("a dict of dimensions names the layers already: leave out layers, "
                         f"received {layers!r} beside {dimension!r}")
    if not 0 < threshold < 1 or not sharpness > 0:
        raise ValueError("threshold is between 0 and 1 and sharpness above 0, "
                         f"received {threshold!r} and {sharpness!r}")
