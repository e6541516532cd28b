"""CIFAR-10: 60,000 colour images of 32x32 pixels in 10 classes, read from disk and never fetched unasked."""

import io
from functools import lru_cache

import numpy as np
import torch

from .cifar10_files import CLASSES, COUNTS, find, read
from .image_task import image_task
from .task import permutation

SIDE = 32


def cifar10(*, train=None, validation=5000, test=None, size=SIDE, folder=None, split_seed=0):
    """The CIFAR-10 task (Krizhevsky 2009): colour images (n, 3, size, size) in 10 classes.

    train, validation: images of the training file, in an order drawn once from split_seed without
    stratification: its first `train` (default: all that are not for validation) and its last `validation`.
    The test split is the first `test` images of the test file (default: all 10,000). size: pixels a side, at
    most 32; a smaller image's pixels are means over boxes. folder: with the two parquet files, or with a
    `cifar10` that has them; default $GUIDELIB_DATA, else `data` in the current folder. `encoding` is "png"
    (the public files, lossless) or "jpeg".

    MissingData, a FileNotFoundError, if the files are not there. ValueError if they are not right: SHA256SUMS
    in their folder or the one above decides where there is one, and the number of images, of each class and
    of pixels always.

        task = gl.tasks.cifar10(train=5000, size=16)    # task.train[0] is (5000, 3, 16, 16)
    """
    images = COUNTS["train"]
    train = images - validation if train is None else train
    if not 1 <= size <= SIDE:
        raise ValueError(f"size is 1 to {SIDE} pixels a side, received {size}")
    test = COUNTS["test"] if test is None else test
    if not 1 <= test <= COUNTS["test"]:
        raise ValueError(f"test is 1 to {COUNTS['test']:,} images, received {test}")
    if train < 1 or validation < 1 or train + validation > images:
        raise ValueError(f"train and validation share {images:,} images, "
                         f"received train={train} and validation={validation}")
    paths = find(folder)
    _, labels, encoding, data_hash = read(paths)

    def part(split, index):
        pixels = _decoded(data_hash, split, index.tobytes(), size, tuple(paths.items()))
        return torch.from_numpy(pixels), torch.from_numpy(labels[split][index])

    order = permutation(images, split_seed).numpy()
    return image_task(name="cifar10", classes=CLASSES, data_hash=data_hash, encoding=encoding,
                      train=part("train", order[:train]), validation=part("train", order[-validation:]),
                      test=part("test", np.arange(test)))


def cifar10_hash(folder=None):
    """SHA-256 of the training file followed by the test file; no image is decoded."""
    return read(find(folder))[-1]


@lru_cache(maxsize=6)
def _decoded(data_hash, split, index, size, paths):
    """Images uint8 (n, 3, size, size) of one split, at most 184 MB in all for a task.

    A second task of the same images is ready at once.
    """
    paths = dict(paths)
    images, *_ = read(paths)
    found = []
    for i in np.frombuffer(index, dtype=np.int64):
        found.append(decode(images[split][i], size, f"{paths[split]}: image {i}"))
    return np.stack(found)


def decode(data, size, where):
    """An encoded image as uint8 (3, size, size); ValueError, naming `where`, if it is no 32x32 image."""
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(data)).convert("RGB")
    except (OSError, SyntaxError) as error:  # Pillow raises SyntaxError for some broken PNG files
        raise ValueError(f"{where} cannot be decoded ({error}); get the file again") from error
    if image.size != (SIDE, SIDE):
        width, height = image.size
        raise ValueError(f"{where} has {width}x{height} pixels, expected {SIDE}x{SIDE}; get the file again")
    if size < SIDE:
        image = image.resize((size, size), Image.Resampling.BOX)
    return np.asarray(image).transpose(2, 0, 1)
