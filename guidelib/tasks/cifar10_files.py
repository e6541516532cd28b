"""The two files of CIFAR-10: where they lie, whether they are the right ones, and how to get them."""

import hashlib
import io
import os
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..files import write_whole

CHECKOUT = Path(__file__).resolve().parents[2]
CLASSES = 10
COUNTS = {"train": 50_000, "test": 10_000}  # images in each file, the same number of each class
FILE = "{split}-00000-of-00001.parquet"
SOURCE = "https://huggingface.co/datasets/uoft-cs/cifar10/resolve/main/plain_text/" + FILE
SIZE = "144 MB"
ENCODINGS = {b"\x89P": "png", b"\xff\xd8": "jpeg"}  # by an image's first two bytes


class MissingData(FileNotFoundError):
    """The data of a task are not here; the message says what to get, its size and where to put it."""


def data_folder(folder=None):
    """The folder for data sets, from the root: the one given, else $GUIDELIB_DATA, else `data`.

    That is the one in the current folder, and in a checkout, where there is none, the one at its top:
    notebooks and commands, which run in different folders, find the same data.

    >>> data_folder("there").name
    'there'
    """
    named = folder or os.environ.get("GUIDELIB_DATA")
    if named:
        return Path(named).expanduser().absolute()
    here = Path("data").absolute()
    return CHECKOUT / "data" if not here.is_dir() and (CHECKOUT / "notebooks").is_dir() else here


def find(folder=None):
    """{split: path} of the two files: in a folder, in its `cifar10`, or in `plain_text` of either.

    The public dataset has them in `plain_text`. MissingData if there are not both.
    """
    root = data_folder(folder)
    for place in (root / "cifar10", root, root / "cifar10" / "plain_text", root / "plain_text"):
        paths = {split: place / FILE.format(split=split) for split in COUNTS}
        if all(path.is_file() for path in paths.values()):
            return paths
    names = " and ".join(FILE.format(split=split) for split in COUNTS)
    raise MissingData(
        f"CIFAR-10 is not in {str(root)!r}: put {names} of the dataset uoft-cs/cifar10 on the Hugging Face "
        f"hub ({SIZE} in all) into {str(root / 'cifar10')!r}, or set the environment variable GUIDELIB_DATA "
        "to the folder in which cifar10/ holds them; guidelib.tasks.cifar10_download() gets them for you")


def read(paths):
    """({split: encoded images}, {split: labels (n,)}, encoding, data hash) of checked files {split: path}.

    The data hash is the SHA-256 of one file after the other. ValueError for a file that is not what it should
    be. What was read stays in memory until a file changes.
    """
    versions = []
    for path in paths.values():
        state = path.stat()
        versions.append((path.resolve(), state.st_size, state.st_mtime_ns))
    return _read(tuple(versions))


@lru_cache(maxsize=1)
def _read(versions):
    images = {}
    labels = {}
    kinds = set()
    total = hashlib.sha256()
    for split, (path, *_) in zip(COUNTS, versions, strict=True):
        data = path.read_bytes()
        total.update(data)
        check_sum(data, path)
        images[split], labels[split], kind = parse(data, path, split)
        kinds.add(kind)
    return images, labels, "+".join(sorted(kinds)), total.hexdigest()


def check_sum(data, path):
    """ValueError if a file differs from its line, if any, in SHA256SUMS, beside it or one folder above."""
    for folder in path.parents[:2]:
        sums = folder / "SHA256SUMS"
        if not sums.is_file():
            continue
        digests = {}
        for line in sums.read_text(encoding="utf-8").splitlines():
            if line.strip():
                digest, name = line.split(maxsplit=1)
                digests[(folder / name.strip().removeprefix("*")).resolve()] = digest
        expected = digests.get(path.resolve())
        found = hashlib.sha256(data).hexdigest()
        if expected not in (None, found):
            raise ValueError(f"{path} was altered or cut off: {sums} expects SHA-256 {expected}, "
                             f"found {found} ({len(data):,} bytes); get it again")


def parse(data, path, split):
    """(encoded images, labels (n,), encoding) of a parquet file's bytes.

    ValueError unless it holds the right number of each class.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(data), columns=["img", "label"])
        images = table["img"].combine_chunks().field("bytes").to_pylist()
        labels = table["label"].to_numpy().astype(np.int64, casting="safe")  # (n,)
        kinds = {ENCODINGS[image[:2]] for image in images}
        sizes = np.bincount(labels, minlength=CLASSES).tolist()
    except (pa.ArrowException, OSError, KeyError, AttributeError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        raise ValueError(f"{path} cannot be read: expected a parquet file with PNG or JPEG images in "
                         f"img.bytes and classes in label, found {len(data):,} bytes ({reason}); "
                         "get it again") from error
    each = COUNTS[split] // CLASSES
    if sizes != [each] * CLASSES:
        raise ValueError(f"{path} is not the {split} file of CIFAR-10: expected {COUNTS[split]:,} images, "
                         f"{each:,} of each class, found {len(labels):,}, by class {sizes}; get it again")
    return images, labels, "+".join(sorted(kinds))


def download(folder=None, *, progress=True):
    """Download the two files of CIFAR-10 (144 MB, PNG) from the Hugging Face hub into `cifar10` of a folder.

    Returns its path. folder: default $GUIDELIB_DATA, else `data` in the current folder. Files that are there
    are kept. A file takes its name only once it is complete and has the right images, so that an interrupted
    download leaves nothing that could be read by mistake. OSError without a network.
    """
    place = data_folder(folder) / "cifar10"
    place.mkdir(parents=True, exist_ok=True)
    for split in COUNTS:
        path = place / FILE.format(split=split)
        if path.exists():
            continue
        data = fetch(SOURCE.format(split=split), progress=progress)
        parse(data, path, split)
        write_whole(path, data)
    return place


def fetch(url, *, progress):
    """The bytes that a URL gives; OSError if less came than was announced."""
    from urllib.request import urlopen

    from tqdm import tqdm

    data = bytearray()
    with urlopen(url, timeout=60) as answer:
        announced = answer.headers.get("Content-Length")
        total = None if announced is None else int(announced)
        name = url.rpartition("/")[2]
        with tqdm(total=total, unit="B", unit_scale=True, desc=name, disable=not progress) as bar:
            while block := answer.read(1 << 20):
                data.extend(block)
                bar.update(len(block))
    if total is not None and len(data) != total:
        raise OSError(f"{url} was cut off: expected {total:,} bytes, found {len(data):,}; try again")
    return bytes(data)
