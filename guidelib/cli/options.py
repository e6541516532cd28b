"""Options that several commands take."""

import ast


def assignment(text):
    """NAME=VALUE as a pair; the value is read as Python where it can be, else as text.

    >>> assignment("seeds=[0, 1]"), assignment("device=cpu")
    (('seeds', [0, 1]), ('device', 'cpu'))
    """
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise ValueError(f"--set takes NAME=VALUE, received {text!r}")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value
