"""Initialisations that one can write down, for nets that a warm-up makes trainable, and its control."""

import torch
from torch import nn

NORMS = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm)


def shift_batchnorm(target, by=1.0):
    """Add `by` to the bias of every normalisation layer of a target, in place; returns the target.

    Normalised activations stand at 0 on average, where a ReLU cuts off every second one, and gradients of a
    net of BatchNorm and ReLU grow by a constant factor a layer (Yang et al. 2019, A mean field theory of
    batch normalization). Shifted by 1 most of them pass, the net begins nearly linear, and gradients keep
    their size through many layers. ValueError for a target without such a bias.

    >>> net = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU())
    >>> shift_batchnorm(net)[1].bias.tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    biases = [m.bias for m in target.modules() if isinstance(m, NORMS) and m.bias is not None]
    if not biases:
        raise ValueError(f"{type(target).__name__} has no normalisation layer with a bias to shift: "
                         "choose an initialisation of its weights")
    with torch.no_grad():
        for bias in biases:
            bias += by
    return target


def move_as_far(target, moved, *, seed=0):
    """Move each parameter of a target as far as it lies from that of `moved`, in a random direction.

    In place; returns the target. The control for what a warm-up does to the weights: a shove of the same
    length. moved: the same network, after the warm-up.

    >>> net, moved = nn.Linear(3, 2), nn.Linear(3, 2)
    >>> before = net.weight.detach().clone()
    >>> distance = (moved.weight - before).norm()
    >>> torch.allclose((move_as_far(net, moved).weight - before).norm(), distance)
    True
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p, q in zip(target.parameters(), moved.parameters(), strict=True):
            direction = torch.randn(p.shape, generator=generator).to(p.device)
            p += direction * ((q - p).norm() / direction.norm())
    return target
