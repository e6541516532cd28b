"""What is said to an answer to an exercise: a file a notebook, a check an exercise, under its name."""

import importlib


def find(notebook, name):
    """The check of an exercise, of the notebook whose name is given; ValueError for one that is not there.

    >>> find("02_untrained_guide_transfer", "dose")(...).right
    False
    """
    module = importlib.import_module(f".nb{notebook[:2]}", __name__)
    check = getattr(module, name.replace("-", "_"), None)
    if check is None:
        raise ValueError(f"no exercise {name!r} in notebook {notebook[:2]}")
    return check
