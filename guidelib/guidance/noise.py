"""Adds to by_hand.py: noise for any sample, from a random stream of its own that a checkpoint can keep."""

import torch


class Stream:
    """A random stream that is passed, not global: begins at a seed on the device that first asks.

    >>> a, b = Stream(0), Stream(0)
    >>> torch.equal(torch.randn(2, generator=a.on("cpu")), torch.randn(2, generator=b.on("cpu")))
    True
    """

    def __init__(self, seed):
        self.load_state_dict({"seed": int(seed), "state": None})

    def on(self, device):
        if self.generator is None:
            self.generator = torch.Generator(device).manual_seed(self.seed)
            if self._state is not None:
                self.generator.set_state(self._state)
        return self.generator

    def state_dict(self):
        state = self._state if self.generator is None else self.generator.get_state()
        return {"seed": self.seed, "state": state}

    def load_state_dict(self, state):
        self.seed, self._state, self.generator = state["seed"], state["state"], None


def noise_like(sample, *, stream, noise="normal", keep=()):
    """New noise in the place of a sample: N(0, 1) for floats, uniform over the sample's range for integers.

    `sample` is a tensor, a tuple of arguments or a dict of keywords. Booleans, entries with `mask` in their
    name, those in `keep` (names, or positions in a tuple) and what is no tensor stay as they are. `noise` may
    be a callable(sample tensor, torch.Generator) -> tensor instead. ValueError for a name that is not there.

    >>> noise_like({"ids": torch.tensor([3, 5]), "mask": torch.ones(2)}, stream=Stream(0))["mask"]
    tensor([1., 1.])
    """
    if noise != "normal" and not callable(noise):
        raise ValueError(f"noise is 'normal' or a callable(tensor, generator), received {noise!r}")
    if isinstance(sample, (dict, tuple, list)):
        entries = sample if isinstance(sample, dict) else dict(enumerate(sample))
        if lacking := [name for name in keep if name not in entries]:
            raise ValueError(f"keep names {lacking}, which are not in the sample: it has {list(entries)}")
        kept = [name for name in entries if name in keep or "mask" in str(name).lower()]
        new = {k: v if k in kept else noise_like(v, stream=stream, noise=noise) for k, v in entries.items()}
        return new if isinstance(sample, dict) else tuple(new.values())
    if not isinstance(sample, torch.Tensor) or sample.dtype == torch.bool:
        return sample
    options = {"generator": stream.on(sample.device), "device": sample.device, "dtype": sample.dtype}
    if callable(noise):
        return noise(sample, options["generator"])
    if sample.is_floating_point():
        return torch.randn(sample.shape, **options)
    return torch.randint(int(sample.min()), int(sample.max()) + 1, sample.shape, **options)
