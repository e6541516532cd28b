"""A bar of text for what takes long: a widget would be empty once a notebook is saved and reopened."""

import sys


def bar(items, progress, *, desc, unit="it"):
    """The items, with a bar that says how many are done and how long the rest takes, if `progress` is true.

    On stdout, since stderr looks like an error in a notebook; TQDM_DISABLE=1 leaves it out.

    >>> list(bar(range(2), False, desc="training"))
    [0, 1]
    """
    if not progress:
        return items
    from tqdm import tqdm

    return tqdm(items, desc=desc, unit=unit, file=sys.stdout)
