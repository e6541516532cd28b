"""Adds to by_hand.py: a warm-up on noise like any sample, with its history, that leaves no trace.

Alignment alone, before the task: guidance as an initialisation (paper, section 5).
"""

import inspect
import warnings
from difflib import get_close_matches

import pandas as pd
import torch

from ..bars import bar
from ..streams import drawing_from
from .frozen import as_call, training_flags
from .guidance import guide as guide_
from .noise import Stream, noise_like


def warm_up(target, guide, *, sample, steps=300, optimizer=None, lr=1e-3, noise="normal", keep=(),
            seed=0, on_step=None, progress=False, **guide_options):
    """Align a target to a guide on noise, then leave it to ordinary training; returns the history, a table.

    sample: one batch, for its shape: a tensor, a tuple of arguments or a dict of keywords. noise: "normal",
    N(0, 1) for floats and uniform over the sample's range for integers, new at each step, or a
    callable(tensor, generator); target and guide see the same. keep: names, or positions in a tuple, of what
    is no data, such as lengths, and stays, as does what has `mask` in its name. optimizer: a fresh Adam with
    rate `lr` unless given; begin the training with a fresh one too, the moments of the warm-up mislead it.
    The target is in train mode meanwhile, its modes are restored; its gradients are None afterwards, and
    noise and dropout come from streams of `seed`, not the global one. on_step: a callable(step, steps), told
    after each step, from 1; on cuda the step may still be under way then. progress: show a bar.
    guide_options: those of gl.guide. Columns: step, loss, one a pair with its misalignment.

    >>> net = lambda: torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
    >>> warm_up(net(), net(), sample=torch.zeros(8, 3), steps=2).columns.tolist()
    ['step', 'loss', '0 <- 0']
    """
    options = [name for f in (warm_up, guide_) for name, p in inspect.signature(f).parameters.items()
               if p.kind is p.KEYWORD_ONLY]
    for name in guide_options.keys() - set(options):
        near = get_close_matches(name, options, n=1)
        hint = f", did you mean {near[0]!r}?" if near else f": choose from {options}"
        raise TypeError(f"warm_up has no option {name!r}{hint}")
    if steps < 0:
        raise ValueError(f"steps is a number of steps, 0 or more; received {steps!r}")
    if optimizer is None:
        fused = all(p.device.type in ("cpu", "cuda") for p in target.parameters())
        optimizer = torch.optim.Adam(target.parameters(), lr=lr, fused=fused)
    stream, rows = Stream(seed), []
    train_mode = training_flags(target.modules(), lambda module: True)
    with guide_(target, guide, **guide_options) as g, train_mode, drawing_from(seed, target):
        for step in bar(range(steps), progress, desc="warm-up", unit="step"):
            args, kwargs = as_call(noise_like(sample, stream=stream, noise=noise, keep=keep))
            target(*args, **kwargs)
            optimizer.zero_grad(set_to_none=True)
            loss = g.loss()
            if loss.requires_grad:  # not when the weight is 0 or stop_after is over
                loss.backward()
                optimizer.step()
            rows.append({"loss": loss.detach(), **g.misalignments()})
            if on_step is not None:
                on_step(step + 1, steps)
        optimizer.zero_grad(set_to_none=True)
    history = pd.DataFrame([{name: float(value) for name, value in row.items()} for row in rows])
    history.insert(0, "step", range(len(history)))
    if steps and history["loss"].isna().iloc[-1]:
        first = int(history["loss"].isna().idxmax())
        warnings.warn(f"the warm-up's loss became NaN at step {first}: lower lr (received {lr}) and start "
                      "again from fresh weights", stacklevel=2)
    return history
