"""Tasks: data, loss and metric of an experiment, with the chance level beside them."""

from inspect import signature

from ._cifar10 import cifar10, cifar10_hash
from ._copy_paste import copy_paste, copy_paste_chance, copy_paste_hash
from ._digits import digits, digits_hash
from ._language import grammar, grammar_hash, language, perplexity
from ._parity import parity, parity_hash
from ._placed_digits import placed_digits
from .cifar10_files import MissingData
from .cifar10_files import download as cifar10_download
from .image_task import ImageTask
from .sequence_task import SequenceTask
from .task import IGNORED, Task
from .wikitext import wikitext2_small, wikitext2_small_hash

__all__ = ["IGNORED", "ImageTask", "MissingData", "SequenceTask", "Task", "cifar10", "cifar10_download",
           "copy_paste", "copy_paste_chance", "digits", "fingerprint", "grammar", "language", "load",
           "options_of", "parity", "perplexity", "placed_digits", "unit", "wikitext2_small"]

TASKS = {  # name: (makes the task, hash of its data, what an example is)
    "cifar10": (cifar10, cifar10_hash, "images"),
    "copy-paste": (copy_paste, copy_paste_hash, "sequences"),
    "digits": (digits, digits_hash, "images"),
    "grammar": (grammar, grammar_hash, "sequences"),
    "parity": (parity, parity_hash, "sequences"),
    "placed-digits": (placed_digits, digits_hash, "images"),
    "wikitext-2-small": (wikitext2_small, wikitext2_small_hash, "sequences"),
}


def load(name, **options):
    """The task of that name, with its options; ValueError for an unknown name, with the list of the known.

    >>> load("digits").classes
    10
    """
    return _known(name)[0](**options)


def fingerprint(name):
    """The hash of a task's data, as its records hold it, without decoding any image.

    Of a generated task, that of a small fixed instance.

    >>> len(fingerprint("digits"))
    64
    """
    return _known(name)[1]()


def options_of(name):
    """The options of a task, by name.

    >>> options_of("digits")
    ['train', 'validation', 'split_seed']
    """
    return list(signature(_known(name)[0]).parameters)


def unit(name):
    """What an example of a task is called, in the plural; "examples" for one that is not known.

    >>> unit("digits"), unit("parity")
    ('images', 'sequences')
    """
    return TASKS[name][2] if name in TASKS else "examples"


def _known(name):
    if name not in TASKS:
        raise ValueError(f"no task {name!r}: choose from {sorted(TASKS)}")
    return TASKS[name]
