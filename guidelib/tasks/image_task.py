"""A classification task on images, normalised once."""

import math
from dataclasses import dataclass

import torch

from .task import Task


@dataclass(frozen=True, kw_only=True)
class ImageTask(Task):
    """Images x (n, c, h, w), float32, with labels y (n,) int64.

    They are normalised by the training split's mean and deviation. mean, deviation: of each channel's raw
    pixels, so that x * deviation + mean shows an image as it was. chance: accuracy of a blind guess on
    balanced classes; chance_loss: its cross-entropy, ln classes, in nats.
    """

    classes: int
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


def image_task(*, name, classes, train, validation, test, data_hash, encoding):
    """An ImageTask from raw splits (x uint8 or float (n, c, h, w), y), normalised by the training split.

    Each channel by its own mean and deviation. The splits are copied, never changed. ValueError if a channel
    is constant, since nothing can be divided by its deviation.

    >>> split = torch.tensor([[[[0.0, 2.0]]]]), torch.tensor([0])
    >>> task = image_task(name="two pixels", classes=1, train=split, validation=split, test=split,
    ...                   data_hash="", encoding="raw")
    >>> task.train[0]
    tensor([[[[-0.7071,  0.7071]]]])
    """
    x = train[0].float()
    shape = tuple(x.shape)
    mean = x.mean((0, 2, 3), keepdim=True)  # (1, c, 1, 1)
    deviation = x.std((0, 2, 3), keepdim=True)  # (1, c, 1, 1)
    del x
    if not (deviation > 0).all():
        raise ValueError(f"{name}: cannot normalise, a channel is constant or has one pixel: "
                         f"deviations {deviation.flatten().tolist()} of {shape}")

    def ready(split):
        x = split[0].to(torch.float32, copy=True)
        y = split[1].to(torch.int64, copy=True)
        return x.sub_(mean).div_(deviation), y  # in place: the images of a large task are held once

    return ImageTask(name=name, classes=classes, train=ready(train), validation=ready(validation),
                     test=ready(test), data_hash=data_hash, encoding=encoding,
                     mean=tuple(mean.flatten().tolist()), deviation=tuple(deviation.flatten().tolist()))
