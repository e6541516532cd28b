"""Checks that several networks make of their options."""


def check_sizes(**sizes):
    """Raise a ValueError for a size that is no whole number of at least 1.

    >>> check_sizes(width=0)
    Traceback (most recent call last):
    ValueError: width is a whole number of at least 1, received 0
    """
    for name, size in sizes.items():
        if not isinstance(size, int) or size < 1:
            raise ValueError(f"{name} is a whole number of at least 1, received {size!r}")


def check_choice(name, value, choices):
    """Raise a ValueError for a value that is none of the choices.

    >>> check_choice("pool", "max", ["mean", None])
    Traceback (most recent call last):
    ValueError: pool is one of ['mean', None], received 'max'
    """
    if value not in choices:
        raise ValueError(f"{name} is one of {list(choices)}, received {value!r}")
