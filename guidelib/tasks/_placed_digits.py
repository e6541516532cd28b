"""scikit-learn's digits at random places of an empty canvas: an image task on which a place means nothing."""

import torch

from ._digits import digits_hash, raw_splits
from .image_task import image_task

SIDE = 8  # pixels of a digit
PLACES = 4  # at which each digit of validation and test is shown


def placed_digits(*, canvas=16, copies=2, train=1000, validation=300, split_seed=0):
    """The digits task on a canvas x canvas image: each digit at `copies` random places of an empty ground.

    Places are drawn once, from split_seed; on a fully connected net each is another image, a convolution
    hardly notices. train and validation count digits, as in digits(), and no digit is in two splits; those
    of validation and test, the last 497 of a fixed order, are shown at 4 places each, so that n_test is
    1,988. ValueError if they do not leave 497, or for a canvas smaller than a digit.

    >>> task = placed_digits(train=200)
    >>> [len(task.split(name)[1]) for name in ("train", "validation", "test")], task.input_shape
    ([400, 1200, 1988], (1, 16, 16))
    """
    if canvas < SIDE or copies < 1:
        raise ValueError(f"a digit has {SIDE}x{SIDE} pixels and one place at least, "
                         f"received canvas={canvas} and copies={copies}")
    generator = torch.Generator().manual_seed(split_seed)
    splits = {}
    for name, (x, y) in raw_splits(train, validation, split_seed).items():
        places = copies if name == "train" else PLACES
        shown = placed(x.repeat_interleave(places, dim=0), canvas, generator)
        splits[name] = shown, y.repeat_interleave(places)
    return image_task(name="placed-digits", classes=10, data_hash=digits_hash(), encoding="raw", **splits)


def placed(x, canvas, generator):
    """Images x (n, c, h, w) on empty grounds (n, c, canvas, canvas), each at a place of its own.

    >>> placed(torch.ones(1, 1, 2, 2), 4, torch.Generator().manual_seed(0)).sum().item()
    4.0
    """
    n, c, h, w = x.shape
    rows = torch.randint(canvas - h + 1, (n,), generator=generator)
    columns = torch.randint(canvas - w + 1, (n,), generator=generator)
    ground = x.new_zeros(n, c, canvas, canvas)
    for image, empty, row, column in zip(x, ground, rows.tolist(), columns.tolist(), strict=True):
        empty[:, row:row + h, column:column + w] = image
    return ground
