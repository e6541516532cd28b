"""Where the checkout is, for the commands that need its notebooks, tests or book; and its public address."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REPOSITORY = ""  # the repository's public address; buttons, badges and citation links appear once it is set


def checkout():
    """The folder of the checkout; FileNotFoundError where the package was installed without one."""
    if not (ROOT / "notebooks").is_dir():
        raise FileNotFoundError(f"no notebooks beside the package in {ROOT}: this command works in a "
                                "checkout, installed with pip install -e .")
    return ROOT


def notebooks(names=()):
    """The numbered tutorials in order, or those whose name begins with one of `names`.

    ValueError for a name that finds nothing.

    >>> [path.name[:2] for path in notebooks(["02"])]
    ['02']
    """
    found = sorted((checkout() / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    if not names or list(names) == ["all"]:
        return found
    for name in names:
        if not any(path.name.startswith(Path(name).name) for path in found):
            known = ", ".join(path.stem for path in found)
            raise ValueError(f"no notebook {name!r}: choose from {known}")
    beginnings = tuple(Path(name).name for name in names)
    return [path for path in found if path.name.startswith(beginnings)]
