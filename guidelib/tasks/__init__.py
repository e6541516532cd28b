"""Tasks: data, loss and metric of an experiment, with the chance level beside them."""

from .cifar10 import cifar10, cifar10_hash
from .cifar10_files import MissingData
from .cifar10_files import download as cifar10_download
from .digits import digits, digits_hash
from .image_task import ImageTask
from .task import IGNORED, Task

__all__ = ["IGNORED", "ImageTask", "MissingData", "Task", "cifar10", "cifar10_download", "digits", "fingerprint", "load"]

TASKS = {"cifar10": cifar10, "digits": digits}
HASHES = {"cifar10": cifar10_hash, "digits": digits_hash}


def load(name, **options):
    """The task of that name, with its options; ValueError for a name that is not known, with the list of those that are.

    >>> load("digits").classes
    10
    """
    return _known(name, TASKS)(**options)


def fingerprint(name):
    """The hash of a task's data, as its records hold it, without decoding any image.

    >>> len(fingerprint("digits"))
    64
    """
    return _known(name, HASHES)()


def _known(name, table):
    if name not in table:
        raise ValueError(f"no task {name!r}: choose from {sorted(table)}")
    return table[name]
