"""Tasks: data, loss and metric of an experiment, with the chance level beside them."""

from .digits import digits
from .image_task import ImageTask

__all__ = ["ImageTask", "digits", "load"]

TASKS = {"digits": digits}


def load(name, **options):
    """The task of that name, with its options.

    >>> load("digits").classes
    10
    """
    if name not in TASKS:
        raise ValueError(f"no task {name!r}: choose from {sorted(TASKS)}")
    return TASKS[name](**options)
