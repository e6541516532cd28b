"""Noise shaped like a sample, from a random stream of its own."""

import torch

from .frozen import as_call


class Stream:
    """A random stream that is passed, not global: made from a seed on the device that first asks, kept in state_dict().

    >>> a, b = Stream(0), Stream(0)
    >>> torch.equal(torch.randn(2, generator=a.on("cpu")), torch.randn(2, generator=b.on("cpu")))
    True
    """

    def __init__(self, seed):
        self.seed, self.generator, self._state = int(seed), None, None

    def on(self, device):
        if self.generator is None:
            self.generator = torch.Generator(device).manual_seed(self.seed)
            if self._state is not None:
                self.generator.set_state(self._state)
        return self.generator

    def state_dict(self):
        return {"seed": self.seed, "state": self._state if self.generator is None else self.generator.get_state()}

    def load_state_dict(self, state):
        self.seed, self._state, self.generator = state["seed"], state["state"], None


def noise_like(sample, *, stream, noise="normal"):
    """New noise in the place of a sample: N(0, 1) for floats, uniform over the sample's range for integers.

    `sample` is a tensor, a tuple of arguments or a dict of keywords. Booleans, entries named *mask* and anything that is
    no tensor stay as they are. `noise` may be a callable(sample tensor, torch.Generator) -> tensor instead.

    >>> noise_like(torch.tensor([3, 5]), stream=Stream(0)).shape
    torch.Size([2])
    >>> noise_like({"mask": torch.ones(2)}, stream=Stream(0))
    {'mask': tensor([1., 1.])}
    """
    if noise != "normal" and not callable(noise):
        raise ValueError(f"noise is 'normal' or a callable(tensor, generator), received {noise!r}")
    if isinstance(sample, dict):
        return {k: v if "mask" in str(k).lower() else noise_like(v, stream=stream, noise=noise) for k, v in sample.items()}
    if isinstance(sample, (tuple, list)):
        return tuple(noise_like(v, stream=stream, noise=noise) for v in sample)
    if not isinstance(sample, torch.Tensor) or sample.dtype == torch.bool:
        return sample
    generator = stream.on(sample.device)
    if callable(noise):
        return noise(sample, generator)
    if sample.is_floating_point():
        return torch.randn(sample.shape, generator=generator, device=sample.device, dtype=sample.dtype)
    low, high = int(sample.min()), int(sample.max())
    return torch.randint(low, high + 1, sample.shape, generator=generator, device=sample.device, dtype=sample.dtype)


def noise_call(args, kwargs, *, stream, noise="normal"):
    """noise_like for the arguments and keywords of a forward.

    >>> noise_call((torch.zeros(2),), {}, stream=Stream(0))[0][0].shape
    torch.Size([2])
    """
    return as_call(noise_like(tuple(args), stream=stream, noise=noise))[0], noise_like(dict(kwargs), stream=stream, noise=noise)
