"""How fast this machine trains, beside the one on which the kept records were made."""

import math
import time

import torch
import torch.nn.functional as F

from ... import networks
from ...experiments.runs import threads
from ...guidance import guide
from .report import Finding

MACHINE = "2 cores of a cloud machine, 2026"  # the reference: AMD EPYC, torch 2.13 for CPUs
REFERENCE = 0.05  # seconds there of a step as below
FIGURES = 9.2  # minutes there of `make figures` at profile fast, measured
SLOW = 3.0  # times the reference, from which on a reader should know


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


def lasting(minutes):
    """Minutes in words.

    >>> lasting(5.6), lasting(1.2), lasting(150)
    ('about 6 minutes', 'about 1 minute', 'about 2.5 hours')
    """
    if minutes >= 90:
        return f"about {minutes / 60:.1f} hours"
    whole = max(round(minutes), 1)
    return f"about {whole} minute" + "s" * (whole > 1)


def speed(seconds, *, reference=REFERENCE, minutes=FIGURES):
    """How long the course takes here, from the seconds of a training step.

    reference: those of the machine MACHINE. minutes: of `make figures` there. ValueError unless seconds is
    above 0 and finite.
    """
    if not (seconds > 0 and math.isfinite(seconds)):
        raise ValueError(f"a step takes a time above 0, received {seconds}")
    ratio = seconds / reference
    if ratio > 1.5:
        words = f"{ratio:.1f} times slower than the reference"
    elif ratio < 1 / 1.5:
        words = f"{1 / ratio:.1f} times as fast as the reference"
    else:
        words = "about as fast as the reference"
    found = (f"{1000 * seconds:.0f} ms a training step: {words} ({MACHINE}); `make figures` would take "
             f"{lasting(minutes * ratio)}")
    if ratio <= SLOW:
        return Finding("speed", "ok", found)
    return Finding("speed", "note", found,
                   "close what else is running; begin with `make figures PROFILE=smoke`, or one notebook")
