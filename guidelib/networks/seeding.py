"""Draw weights from a seed, and leave the caller's random stream where it was."""

from contextlib import contextmanager
from contextvars import ContextVar

import torch

_device = ContextVar("device", default="cpu")


@contextmanager
def seeded(seed):
    """Within, modules are made on the CPU and draw from `seed`.

    Afterwards torch's global stream, the only one they know, is where it was.

    >>> before = torch.get_rng_state()
    >>> with seeded(3):
    ...     layer = torch.nn.Linear(1, 1)
    >>> torch.equal(before, torch.get_rng_state())
    True
    """
    # On the CPU, whatever the default device is: a seed then means the same weights on every machine. And its
    # stream alone is seeded, since torch.manual_seed would also move those of all other devices, for good.
    with torch.random.fork_rng(devices=[]), torch.device(_device.get()):
        torch.default_generator.manual_seed(seed)
        yield


@contextmanager
def weightless():
    """Within, seeded modules and new tensors are made on the meta device: shapes without memory or draws.

    >>> with weightless(), seeded(0):
    ...     torch.nn.Linear(10**6, 10**6).weight.device
    device(type='meta')
    """
    token = _device.set("meta")
    try:
        with torch.device("meta"):
            yield
    finally:
        _device.reset(token)
