"""scikit-learn's digits at random places of an empty canvas: an image task on which a place means nothing."""

import torch

from ._digits import IMAGES, TEST, _arrays, digits_hash
from .image_task import image_task
from .task import permutation

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
    if train < 1 or validation < 1 or train + validation > IMAGES - TEST:
        raise ValueError(f"train and validation share {IMAGES - TEST} digits, "
                         f"received train={train} and validation={validation}")
    if canvas < SIDE or copies < 1:
        raise ValueError(f"a digit has {SIDE}x{SIDE} pixels and one place at least, "
                         f"received canvas={canvas} and copies={copies}")
    pixels, labels = _arrays()
    x = torch.tensor(pixels, dtype=torch.float32).view(-1, 1, SIDE, SIDE)  # (n, 1, 8, 8)
    y = torch.tensor(labels)  # (n,)
    order = permutation(IMAGES, split_seed)
    parts = {"train": (order[:train], copies), "validation": (order[:-TEST][-validation:], PLACES),
             "test": (order[-TEST:], PLACES)}
    generator = torch.Generator().manual_seed(split_seed)
    splits = {}
    for name, (index, places) in parts.items():
        index = index.repeat_interleave(places)
        splits[name] = placed(x[index], canvas, generator), y[index]
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
