"""One guided training step of a fixed net, timed: by it a machine is held against another."""

import time

import torch
import torch.nn.functional as F

from .. import networks
from ..experiments.runs import threads
from ..guidance import guide


def step_seconds(*, steps=12, limit=3.0, depth=50, width=192, batch=64, clock=time.perf_counter):
    """The fastest of some guided training steps of a fixed net, in seconds: others only disturb, none helps.

    Fully connected, guided by a ResNet, on noise, on one thread of the CPU. limit: seconds after which no
    further step is begun. The first step, which allocates, does not count.

    >>> step_seconds(steps=2, depth=2, width=8, batch=8) > 0
    True
    """
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(batch, 1, 8, 8, generator=draw)
    y = torch.randint(10, (batch,), generator=draw)
    target = networks.FCN(inputs=64, outputs=10, depth=depth, width=width)
    untrained = networks.ResNet(channels=1, outputs=10, width=8)
    optimizer = torch.optim.Adam(target.parameters())
    taken = []
    start = clock()
    with threads(1), guide(target, untrained) as handle:
        while len(taken) < 2 or (len(taken) <= steps and clock() - start < limit):
            begun = clock()
            loss = F.cross_entropy(target(x), y) + handle.loss()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            taken.append(clock() - begun)
    return min(taken[1:])
