"""Tasks: data, loss and metric of an experiment, with the chance level beside them."""

from .cifar10 import cifar10, cifar10_hash
from .cifar10_files import MissingData
from .cifar10_files import download as cifar10_download
from .copy_paste import copy_paste, copy_paste_chance, copy_paste_hash
from .digits import digits, digits_hash
from .image_task import ImageTask
from .language import grammar, grammar_hash, language, perplexity
from .parity import parity, parity_hash
from .sequence_task import SequenceTask
from .task import IGNORED, Task
from .wikitext import wikitext2_small, wikitext2_small_hash

__all__ = ["IGNORED", "ImageTask", "MissingData", "SequenceTask", "Task", "cifar10", "cifar10_download", "copy_paste", "copy_paste_chance", "digits",
           "fingerprint", "grammar", "language", "load", "parity", "perplexity", "wikitext2_small"]

TASKS = {"cifar10": cifar10, "copy-paste": copy_paste, "digits": digits, "grammar": grammar, "parity": parity, "wikitext-2-small": wikitext2_small}
HASHES = {"cifar10": cifar10_hash, "copy-paste": copy_paste_hash, "digits": digits_hash, "grammar": grammar_hash, "parity": parity_hash,
          "wikitext-2-small": wikitext2_small_hash}


def load(name, **options):
    """The task of that name, with its options; ValueError for a name that is not known, with the list of those that are.

    >>> load("digits").classes
    10
    """
    return _known(name, TASKS)(**options)


def fingerprint(name):
    """The hash of a task's data, as its records hold it, without decoding any image; of a generated task, that of a small fixed instance.

    >>> len(fingerprint("digits"))
    64
    """
    return _known(name, HASHES)()


def _known(name, table):
    if name not in table:
        raise ValueError(f"no task {name!r}: choose from {sorted(table)}")
    return table[name]
