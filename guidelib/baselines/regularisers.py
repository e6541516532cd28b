"""Terms for the loss that steer a target's representations without any guide: what guidance must beat to be about the guide."""

from dataclasses import replace

import torch
from torch import nn

from ..guidance.activations import listened, selected
from ..guidance.guides import unwrap
from ..guidance.pairing import find
from ..guidance.plan import Side
from ..guidance.term import Handle
from ..similarity import gram

MEASURES = ("participation", "spectrum")


def keep_dimension(target, *, dimension, layers=None, measure="participation", weight=1.0, stop_after=None, threshold=0.9, sharpness=20.0,
                        batch_dim=0):
    """Keep the effective dimension of a target's layers near `dimension`, with no guide: a handle whose loss() is added to the task's.

    Use as a context manager, or call remove() at the end, like gl.guide(). The loss is summed over layers, each its own batch of n
    examples, features centred. measure: "participation", the squared logarithm of the participation ratio over `dimension`, which is 0
    there and 0.48 at half or twice as much; or "spectrum", the paper's softened count of principal components (appendix I.2, eqs. 13 and
    14), of `threshold` of the variance and `sharpness`, whose values the paper does not give, nor whether it centres.

    dimension: a number from 1 to n - 1, whole for "spectrum", or {layer glob: number}, which then names the layers too. layers: list of names or
    globs, None for the default layers without the last, as in guidance. weight: a number or a callable of the step. stop_after: steps,
    after which the hooks are off. Constant features count as one dimension and get no gradient. ValueError or TypeError for options that
    make no sense, a compiled target, and, from loss(), a batch too small for `dimension`.

    >>> net = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    >>> with keep_dimension(net, dimension=2) as r:
    ...     loss = net(torch.eye(3)).square().mean() + r.loss()
    ...     r.report()["layer"].tolist()
    ['0']
    """
    return KeepDimension(target, dimension=dimension, layers=layers, measure=measure, weight=weight, stop_after=stop_after,
                              threshold=threshold, sharpness=sharpness, batch_dim=batch_dim)


def participation_ratio(k):
    """tr(K)^2 / |K|^2 of centred Gram matrices (..., n, n): the dimensions that examples spread over; 1 where K is 0. Differentiable.

    >>> round(participation_ratio(gram(torch.eye(4))).item(), 4)
    3.0
    """
    trace, k = _unit_trace(k)
    square = k.square().sum((-2, -1))
    return torch.where(trace == 0, torch.ones_like(square), 1 / torch.where(trace == 0, torch.ones_like(square), square))


def spectrum_loss(k, dimension, *, threshold=0.9, sharpness=20.0):
    """The paper's loss (...,) for centred Gram matrices (..., n, n): 0 to `dimension`, near 0 if that many components reach `threshold`.

    With c_j the share of variance in the first j components, the sum over j < dimension of sigmoid(sharpness (c_j - threshold)), for being
    below, plus sigmoid(sharpness (threshold - c_dimension)), for being above (appendix I.2). dimension: an integer, or a tensor of them (...,).
    Differentiable.

    >>> k = gram(torch.eye(4))  # three components of equal variance
    >>> [round(spectrum_loss(k, d).item(), 2) for d in (2, 3, 4)]
    [0.99, 0.13, 1.01]
    """
    c = torch.linalg.eigvalsh(_unit_trace(k)[1]).flip(-1).cumsum(-1)  # (..., n); all 0 where K is 0
    last = torch.as_tensor(dimension, device=k.device).expand(c.shape[:-1])[..., None] - 1  # (..., 1)
    below = torch.sigmoid(sharpness * (c - threshold)) * (torch.arange(c.shape[-1], device=k.device) < last)
    return below.sum(-1) + torch.sigmoid(sharpness * (threshold - c.gather(-1, last)))[..., 0]


class KeepDimension(Handle):
    """What keep_dimension() returns: loss() once after each forward of the target; report() is a table of the last one."""

    maker = "gl.baselines.keep_dimension(target, ...)"

    def __init__(self, target, *, dimension, layers, measure, weight, stop_after, threshold, sharpness, batch_dim):
        _check(target, dimension, layers, measure, weight, stop_after, threshold, sharpness)
        target, self.measure = unwrap(target), measure
        self.dimension, self.layers, self.threshold, self.sharpness = dimension, layers, threshold, sharpness
        self._wanted, self._last = None, None
        asked = [*(dimension if isinstance(dimension, dict) else ()), *(layers or ())]
        asked += [name.rpartition("[")[0] for name in asked if name.endswith("]")]
        super().__init__(target, modules=listened(target, asked), default=selected(target), weight=weight, stop_after=stop_after, batch_dim=batch_dim)

    def __repr__(self):
        return f"KeepDimension({type(self.target).__name__}, {self.measure}, dimension={self.dimension!r}, step {self.step})"

    def report(self):
        """Table of the last loss(), one row a layer: layer, n, participation_ratio, dimension asked for, loss before the weight."""
        import pandas as pd

        if self._last is None:
            raise RuntimeError("report() is about the last loss(), and there was none yet")
        keys, k, losses = self._last
        return pd.DataFrame({"layer": [self._names[key] for key in keys], "n": k.shape[-1],
                             "participation_ratio": participation_ratio(k).cpu().numpy(),
                             "dimension": [self._wanted[key] for key in keys], "loss": losses.cpu().numpy()})

    def _term(self, call, outputs):
        if self._wanted is None:
            self._resolve(outputs)
        found = {o.key: o.x for o in outputs if o.key in self._wanted and o.x is not None}
        if not found:
            return torch.zeros((), device=call.device)
        wanted = [self._wanted[key] for key in found]
        if max(wanted) > call.n - 1:
            raise ValueError(f"n examples spread over n - 1 dimensions at most: dimension {max(wanted)} cannot be reached with n = {call.n}; use a "
                             "larger batch, or leave out the last, ragged one (drop_last=True)")
        k = torch.stack([gram(x) for x in found.values()])  # (layers, n, n)
        wanted = torch.tensor(wanted, device=k.device)  # (layers,)
        if self.measure == "participation":
            losses = (participation_ratio(k) / wanted).log().square()
        else:
            losses = spectrum_loss(k, wanted.long(), threshold=self.threshold, sharpness=self.sharpness)
        self._last = (list(found), k.detach(), losses.detach())
        return losses.sum()

    def _resolve(self, outputs):
        """Choose the layers of a first forward, and listen to no more than these from now on."""
        ran = {o.key[0] for o in outputs}
        side = Side("target", [replace(o, x=None) for o in outputs], absent=[name for name in self.recorder.modules if name not in ran])
        if isinstance(self.dimension, dict):
            asked = self.dimension
        else:
            asked = dict.fromkeys(side.defaults if self.layers is None else self.layers, self.dimension)
        wanted = {name: d for pattern, d in asked.items() for name in find(pattern, side.offered, "target")}
        if not wanted:
            raise ValueError(f"the target has no layer besides its last: {side.reasons(()) or 'it has no layers with weights'}; "
                             "gl.layers(model, sample) shows them all, layers=[name] takes others")
        self._names, self._wanted = side.names, {side.keys[name]: d for name, d in wanted.items()}
        self.recorder.restrict({key[0] for key in self._wanted})


def _unit_trace(k):
    """(trace, K / trace) of Gram matrices (..., n, n), so that squares do not overflow; a matrix of zeros stays."""
    trace = k.diagonal(dim1=-2, dim2=-1).sum(-1)
    dead, safe = (trace == 0)[..., None, None], torch.where(trace == 0, torch.ones_like(trace), trace)[..., None, None]
    return trace, torch.where(dead, torch.zeros_like(k), k / safe)


def _check(target, dimension, layers, measure, weight, stop_after, threshold, sharpness):
    if not isinstance(target, nn.Module):
        raise TypeError(f"the target is a torch.nn.Module, received {type(target).__name__}")
    for module in target.modules():
        if type(module).__name__ == "OptimizedModule" or getattr(module, "_compiled_call_impl", None) is not None:
            raise ValueError("the target is compiled already, and a compiled module ignores later hooks: make this handle first, compile second")
    if measure not in MEASURES:
        raise ValueError(f"measure is one of {MEASURES}, received {measure!r}")
    for d in dimension.values() if isinstance(dimension, dict) else [dimension]:
        if not isinstance(d, (int, float)) or not d >= 1 or measure == "spectrum" and d != int(d):
            raise ValueError("dimension is a number from 1 to n - 1, whole for measure='spectrum', or {layer glob: number}; "
                             f"received {dimension!r}")
    if layers is not None and (isinstance(layers, (str, dict)) or not layers or not all(isinstance(name, str) for name in layers)):
        raise ValueError(f"layers is a list of names or globs, or None; received {layers!r}")
    if layers is not None and isinstance(dimension, dict):
        raise ValueError(f"a dict of dimensions names the layers already: leave out layers, received {layers!r} beside {dimension!r}")
    if not callable(weight) and not isinstance(weight, (int, float)):
        raise TypeError(f"weight is a number or a callable of the step, received {type(weight).__name__}")
    if stop_after is not None and (not isinstance(stop_after, int) or stop_after < 0):
        raise ValueError(f"stop_after is a number of steps, 0 or more, or None; received {stop_after!r}")
    if not 0 < threshold < 1 or not sharpness > 0:
        raise ValueError(f"threshold is between 0 and 1 and sharpness above 0, received {threshold!r} and {sharpness!r}")
