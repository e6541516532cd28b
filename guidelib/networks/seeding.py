"""Draw weights from a seed, and leave the caller's random stream where it was."""

from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed):
    """Within, modules are made on the CPU and draw from `seed`; afterwards torch's global stream, the only one they know, is where it was.

    >>> before = torch.get_rng_state()
    >>> with seeded(3):
    ...     layer = torch.nn.Linear(1, 1)
    >>> torch.equal(before, torch.get_rng_state())
    True
    """
    # On the CPU, whatever the default device is: a seed then means the same weights on every machine. And its stream alone is seeded,
    # since torch.manual_seed would also move those of all other devices, for good.
    device = "meta" if torch.get_default_device().type == "meta" else "cpu"  # on meta there is nothing to draw
    with torch.random.fork_rng(devices=[]), torch.device(device):
        torch.default_generator.manual_seed(seed)
        yield
