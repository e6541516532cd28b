"""scikit-learn's handwritten digits: 1,797 images of 8x8 pixels that come with it, no network needed."""

import hashlib
from functools import cache

import torch

from .image_task import image_task
from .task import permutation

IMAGES = 1797
TEST = 497


def digits(*, train=1000, validation=300, split_seed=0):
    """The digits task: `train` and `validation` images, and the last 497 of a fixed order for the test.

    The order is drawn once from split_seed, without stratification, and the test split is the same whatever
    the other sizes. ValueError if they do not leave 497.

    >>> task = digits(train=200)
    >>> [len(task.split(name)[1]) for name in ("train", "validation", "test")], task.input_shape
    ([200, 300, 497], (1, 8, 8))
    """
    splits = raw_splits(train, validation, split_seed)
    return image_task(name="digits", classes=10, data_hash=digits_hash(), encoding="raw", **splits)


def raw_splits(train, validation, split_seed):
    """{split: (pixels (n, 1, 8, 8), labels (n,))}, in the order that the seed draws."""
    if train < 1 or validation < 1 or train + validation > IMAGES - TEST:
        raise ValueError(f"train and validation share {IMAGES - TEST} digits, "
                         f"received train={train} and validation={validation}")
    pixels, labels = _arrays()
    x = torch.tensor(pixels, dtype=torch.float32).view(-1, 1, 8, 8)  # (n, 1, 8, 8)
    y = torch.tensor(labels)  # (n,)
    order = permutation(IMAGES, split_seed)
    parts = {"train": order[:train], "validation": order[:-TEST][-validation:], "test": order[-TEST:]}
    return {name: (x[index], y[index]) for name, index in parts.items()}


def digits_hash():
    """SHA-256 of all pixels and labels."""
    pixels, labels = _arrays()
    return hashlib.sha256(pixels.tobytes() + labels.astype("int64").tobytes()).hexdigest()


@cache
def _arrays():
    from sklearn.datasets import load_digits

    return load_digits(return_X_y=True)
