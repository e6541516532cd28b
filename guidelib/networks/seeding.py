"""Draw weights from a seed, and leave the caller's random stream where it was."""

from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed):
    """Within, torch's global stream starts from `seed`; afterwards it is where it was. Modules know no other stream.

    >>> before = torch.get_rng_state()
    >>> with seeded(3):
    ...     layer = torch.nn.Linear(1, 1)
    >>> torch.equal(before, torch.get_rng_state())
    True
    """
    with torch.random.fork_rng(devices=[]):  # weights are drawn on the CPU, and moved afterwards
        torch.manual_seed(seed)
        yield
