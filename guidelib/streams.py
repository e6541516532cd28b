"""torch's global random streams, on which dropout and initialisations draw: begun at a seed, kept, restored.

Those of the CPU and of the devices in question, and no others: torch.manual_seed would move all there are.
"""

from contextlib import contextmanager

import torch


@contextmanager
def drawing_from(seed, model):
    """Within, the streams on which a model draws begin at `seed`; afterwards they are where they were.

    >>> net = torch.nn.Linear(1, 1)
    >>> before = torch.get_rng_state()
    >>> with drawing_from(3, net):
    ...     first = torch.rand(1)
    >>> torch.equal(before, torch.get_rng_state()), torch.equal(first, torch.rand(1))
    (True, False)
    """
    devices = {p.device for p in model.parameters()}
    with streams_kept(devices):
        torch.default_generator.manual_seed(seed)
        for device in devices:
            if device.type == "cuda":
                torch.cuda.default_generators[index_of(device)].manual_seed(seed)
            elif device.type == "mps":
                torch.mps.manual_seed(seed)
        yield


@contextmanager
def streams_kept(devices):
    """Within, the streams of the CPU and of these devices may move; afterwards they are where they were."""
    before = [(device, states(device)) for device in devices] or [(torch.device("cpu"), states("cpu"))]
    try:
        yield
    finally:
        for device, found in before:
            restore(found, device)


def states(device):
    """The states of the streams of a run on a device, {"cpu": state, "cuda" or "mps": state}."""
    device = torch.device(device)
    found = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        found["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        found["mps"] = torch.mps.get_rng_state()
    return found


def restore(found, device):
    """Set the streams of a run on a device to states that states() gave; a stream it has none of stays."""
    device = torch.device(device)
    torch.set_rng_state(found["cpu"])
    if device.type == "cuda" and "cuda" in found:
        torch.cuda.set_rng_state(found["cuda"], device)
    elif device.type == "mps" and "mps" in found:
        torch.mps.set_rng_state(found["mps"])


def index_of(device):
    return torch.cuda.current_device() if device.index is None else device.index
