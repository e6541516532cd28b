"""A classification task on images: three splits that never meet, one normalisation, one way to make batches."""

import math
from dataclasses import dataclass, replace

import torch


@dataclass(frozen=True, kw_only=True)
class ImageTask:
    """Images x (n, c, h, w), float32 and normalised by the training split's mean and deviation, with labels y (n,) int64.

    mean, deviation: of each channel's raw pixels, so that x * deviation + mean shows an image as it was.
    chance: accuracy of a blind guess on balanced classes; chance_loss: its cross-entropy, ln classes, in nats. data_hash and
    encoding say what the images were read from.
    """

    name: str
    classes: int
    train: tuple
    validation: tuple
    test: tuple
    data_hash: str
    encoding: str
    mean: tuple
    deviation: tuple

    @property
    def input_shape(self):
        """(c, h, w)"""
        return tuple(self.train[0].shape[1:])

    @property
    def chance(self):
        return 1 / self.classes

    @property
    def chance_loss(self):
        return math.log(self.classes)

    def split(self, name):
        """(x, y) of "train", "validation" or "test"."""
        if name not in ("train", "validation", "test"):
            raise ValueError(f"a split is 'train', 'validation' or 'test', received {name!r}")
        return getattr(self, name)

    def batches(self, split, batch_size, generator=None):
        """Yield (x, y) batches of a split, in a new order drawn from `generator` (on the CPU), or in order without one.

        When shuffling, a last batch of fewer than 4 examples is left out: batch statistics and CKA need more. ValueError for an
        unknown split or a batch size below 1.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size is at least 1, received {batch_size}")
        x, y = self.split(split)
        order = torch.arange(len(y)) if generator is None else torch.randperm(len(y), generator=generator)
        for index in order.split(batch_size):
            if generator is None or len(index) >= 4:
                index = index.to(y.device)
                yield x[index], y[index]

    def to(self, device):
        """The same task with its tensors on a device."""
        return replace(self, **{name: tuple(t.to(device) for t in self.split(name)) for name in ("train", "validation", "test")})


def image_task(*, name, classes, train, validation, test, data_hash, encoding):
    """An ImageTask from raw splits (x uint8 or float (n, c, h, w), y): normalised per channel by the training split alone.

    The splits are copied, never changed. ValueError if a channel is constant, since nothing can be divided by its deviation.

    >>> split = torch.tensor([[[[0.0, 2.0]]]]), torch.tensor([0])
    >>> image_task(name="two pixels", classes=1, train=split, validation=split, test=split, data_hash="", encoding="raw").train[0]
    tensor([[[[-0.7071,  0.7071]]]])
    """
    x = train[0].float()
    mean, deviation = x.mean((0, 2, 3), keepdim=True), x.std((0, 2, 3), keepdim=True)  # (1, c, 1, 1)
    if not (deviation > 0).all():
        raise ValueError(f"{name}: cannot normalise, a channel is constant or has one pixel: deviations {deviation.flatten().tolist()} of {tuple(x.shape)}")
    del x

    def ready(split):
        x, y = split[0].to(torch.float32, copy=True), split[1].to(torch.int64, copy=True)
        return x.sub_(mean).div_(deviation), y  # in place: the images of a large task are held once

    return ImageTask(name=name, classes=classes, train=ready(train), validation=ready(validation), test=ready(test),
                     data_hash=data_hash, encoding=encoding, mean=tuple(mean.flatten().tolist()), deviation=tuple(deviation.flatten().tolist()))


def permutation(n, seed):
    """A fixed order of n examples, from a seed and nothing else.

    >>> sorted(permutation(3, seed=0).tolist())
    [0, 1, 2]
    """
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed))
