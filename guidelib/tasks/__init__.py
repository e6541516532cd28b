"""Tasks: data, loss and metric of an experiment, with the chance level beside them."""

from ._cifar10 import cifar10, cifar10_hash
from ._copy_paste import copy_paste, copy_paste_chance, copy_paste_hash
from ._digits import digits, digits_hash
from ._language import grammar, grammar_hash, language, perplexity
from ._parity import parity, parity_hash
from .cifar10_files import MissingData
from .cifar10_files import download as cifar10_download
from .image_task import ImageTask
from .sequence_task import SequenceTask
from .task import IGNORED, Task
from .wikitext import wikitext2_small, wikitext2_small_hash

__all__ = ["IGNORED", "ImageTask", "MissingData", "SequenceTask", "Task", "cifar10", "cifar10_download",
           "copy_paste", "copy_paste_chance", "digits", "fingerprint", "grammar", "language", "load",
           "parity", "perplexity", "wikitext2_small"]

TASKS = {  # name: (makes the task, hash of its data)
    "cifar10": (cifar10, cifar10_hash),
    "copy-paste": (copy_paste, copy_paste_hash),
    "digits": (digits, digits_hash),
    "grammar": (grammar, grammar_hash),
    "parity": (parity, parity_hash),
    "wikitext-2-small": (wikitext2_small, wikitext2_small_hash),
}


def load(name, **options):
    """The task of that name, with its options; ValueError for an unknown name, with the list of the known.

    >>> load("digits").classes
    10
    """
    make, _ = _known(name)
    return make(**options)


def fingerprint(name):
    """The hash of a task's data, as its records hold it, without decoding any image.

    Of a generated task, that of a small fixed instance.

    >>> len(fingerprint("digits"))
    64
    """
    _, data_hash = _known(name)
    return data_hash()


def _known(name):
    if name not in TASKS:
        raise ValueError(f"no task {name!r}: choose from {sorted(TASKS)}")
    return TASKS[name]
