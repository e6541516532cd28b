"""What a target is like at some moments of a run: how it is aligned, and how its gradients flow.

The target itself is left alone: everything is measured on a copy, the same examples each time.
"""

import copy
import math

import torch

from ..analysis.geometry import input_geometry
from ..analysis.gradients import gradient_norms
from ..guidance.frozen import recalibrate
from ..guidance.guidance import guide as guide_
from ..guidance.noise import Stream, noise_like
from ..streams import drawing_from

DIGITS = 4  # significant ones that a record keeps


class Probe:
    """Measures a target on fixed examples: curves["probe"] of a record.

    guide: to which the misalignment is measured, or None; that of the target itself, or for a target without
    one the untrained guide that it could have had. options: those of gl.guide. n: size of the two batches:
    held-out examples for the misalignment, in eval mode with BatchNorm calibrated to the other batch, since
    an untouched net has no running statistics, and likewise for the CKA of the layers with the inputs;
    training examples for the gradient of the task's loss, in train mode. The random streams of the guide
    stay where they are.
    """

    def __init__(self, target, guide, task, *, n, seed, options):
        self.net = copy.deepcopy(target)
        self.task = task
        self.n = n
        self.seed = seed
        self.guide = guide
        self.handle = None if guide is None else guide_(self.net, guide, **options)
        self.held_out = task.validation[0][:n]
        self.batch = task.train[0][:n], task.train[1][:n]
        stream = Stream(seed + 600)
        self.noise = [noise_like(self.held_out, stream=stream) for _ in range(2)]
        self.found = {"moments": [], "pairs": [], "layers": [], "misalignment": [], "gradient": [],
                      "outputs": [], "geometry": []}

    def __call__(self, target, moment):
        """Add what the target is like at a moment, a word or an epoch."""
        self.follow(target)
        self.found["moments"].append(moment)
        names, values = self.misalignment(self.held_out, calibration=self.batch[0])
        self.found["pairs"] = names
        self.found["misalignment"].append(values)
        layers, norms = self.gradient()
        self.found["layers"] = layers
        self.found["gradient"].append(norms)
        self.found["outputs"], kept = self.geometry()
        self.found["geometry"].append(kept)

    def on_noise(self, target):
        """The mean misalignment over the pairs on a batch of noise, as in a warm-up; None without a guide."""
        self.follow(target)
        held_out, calibration = self.noise
        _, values = self.misalignment(held_out, calibration=calibration)
        return rounded(sum(values) / len(values)) if values else None

    def follow(self, target):
        """Take the target's weights, whose modes do not matter."""
        self.net.load_state_dict(target.state_dict())

    def misalignment(self, x, *, calibration):
        """(names, misalignments) of all pairs on a batch, in eval mode."""
        if self.handle is None:
            return [], []
        recalibrate(self.net, (calibration,))
        self.net.eval()
        state = self.guide.state_dict()
        self.handle.reset()
        with torch.enable_grad(), drawing_from(self.seed, self.net):
            self.net(x)
            self.handle.loss()
        self.guide.load_state_dict(state)
        found = self.handle.misalignments()
        return list(found), [rounded(v) for v in found.values()]

    def gradient(self):
        """(names, norms) of the gradient of the task's loss for each layer with a weight matrix."""
        x, y = self.batch
        self.net.train()
        with torch.enable_grad(), drawing_from(self.seed, self.net):
            table = gradient_norms(self.net, self.task.loss(self.net(x), y))
        matrices = {name for name, module in self.net.named_modules()
                    if any(p.ndim > 1 for p in module.parameters(recurse=False))}
        table = table[table["layer"].isin(matrices)]
        if self.handle is not None:
            self.handle.reset()
        return table["layer"].tolist(), [rounded(v) for v in table["gradient_norm"]]

    def geometry(self):
        """(names, CKA with the inputs) of the default layers on held-out examples, in eval mode."""
        recalibrate(self.net, (self.batch[0],))
        with drawing_from(self.seed, self.net):
            table = input_geometry(self.net, self.held_out)
        if self.handle is not None:
            self.handle.reset()
        return table["layer"].tolist(), [rounded(v) for v in table["cka"]]

    def rho(self, target, term=None):
        """rho() of a term, of weight 1, that hangs on this probe's net; of the guide's own without one."""
        self.follow(target)
        x, y = self.batch
        self.net.train()
        if self.handle is not None:
            self.handle.reset()
            state = self.guide.state_dict()
        with torch.enable_grad(), drawing_from(self.seed, self.net):
            task_loss = self.task.loss(self.net(x), y)
            loss = (term or self.handle).loss()
        if self.handle is not None:
            self.guide.load_state_dict(state)
            self.handle.reset()
        return rho(self.net, loss, task_loss)


def rho(net, loss, task_loss):
    """|gradient of a term| / |gradient of the task's loss|, over the parameters of a net that both reach.

    ValueError if the term has none: no weight can make it count.

    >>> net = torch.nn.Linear(1, 1, bias=False)
    >>> y = net(torch.ones(1, 1)).sum()
    >>> rho(net, 3 * y, 2 * y)
    1.5
    """
    learnt = [p for p in net.parameters() if p.requires_grad]
    if not loss.requires_grad:
        raise ValueError("the term has no gradient, so that no dose of it can be given: its layers do not "
                         "vary over the examples, or nothing before them is trained")
    ours = torch.autograd.grad(loss, learnt, allow_unused=True, retain_graph=True)
    theirs = torch.autograd.grad(task_loss, learnt, allow_unused=True)
    shared = [(a, b) for a, b in zip(ours, theirs, strict=True) if a is not None and b is not None]
    if not shared:
        raise ValueError("no parameter is reached by both the term and the task's loss, so that no dose of "
                         "the term can be given")
    above, below = (torch.stack([norm(g) for g in side]).norm().item() for side in zip(*shared, strict=True))
    for what, found in (("term", above), ("task's loss", below)):
        if not 0 < found < math.inf:
            raise ValueError(f"the gradient of the {what} has norm {found}, so that no dose can be given")
    return above / below


def norm(g):
    """The norm of a gradient in double precision, which some devices have not."""
    return (g.cpu() if g.device.type == "mps" else g).double().norm()


def rounded(value):
    """A number as a record keeps it.

    >>> rounded(0.123456), rounded(torch.tensor(1234567.0))
    (0.1235, 1235000.0)
    """
    return float(f"{float(value):.{DIGITS}g}")


def moments(epochs):
    """The epochs after which a target is looked at: 1, 2, 4, 8, ... and the last.

    >>> sorted(moments(40))
    [1, 2, 4, 8, 16, 32, 40]
    """
    return {2**i for i in range(epochs.bit_length()) if 2**i <= epochs} | {epochs}
