"""Tasks: data, loss and metric of an experiment, with the chance level beside them."""

from functools import cache

from .digits import digits, digits_hash
from .image_task import ImageTask

__all__ = ["ImageTask", "digits", "fingerprint", "load"]

TASKS = {"digits": digits}
HASHES = {"digits": digits_hash}


def load(name, **options):
    """The task of that name, with its options.

    >>> load("digits").classes
    10
    """
    return _known(name, TASKS)(**options)


@cache
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
