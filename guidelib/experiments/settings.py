"""Experiments, profiles and regimes by name, and the seeds that results are reported on."""

from difflib import get_close_matches

from .catalogue import CATALOGUE

EXPERIMENTS = tuple(CATALOGUE)
PROFILES = ("smoke", "fast", "overnight", "full", "paper")
REGIMES = {"untrainable": "", "overfit": "where it overfits", "large": "with larger nets"}  # and in words
SEEDS = {"smoke": (0, 1), "fast": range(20, 30), "overnight": range(20, 23), "full": range(20, 25),
         "paper": range(20, 25)}


def seeds(experiment, *, profile="fast", regime="untrainable"):
    """The seeds on which results are reported, as a list; ValueError for a name that is not known.

    >>> seeds("deep-fcn", profile="smoke"), seeds("deep-fcn")
    ([0, 1], [20, 21, 22, 23, 24, 25, 26, 27, 28, 29])
    """
    check("experiment", experiment, CATALOGUE)
    check("profile", profile, PROFILES)
    check("regime", regime, REGIMES)
    return list(SEEDS[profile])


def check(name, value, known, *, meant=None):
    """Raise a ValueError that lists what is known, and what may have been meant, if a value is none of it.

    meant: which of them it is, where somebody knows; else the one that is spelt most alike.

    >>> check("profile", "fats", PROFILES)
    Traceback (most recent call last):
    ValueError: no profile 'fats', did you mean 'fast'? Choose from smoke, fast, overnight, full, paper
    """
    if value in known:
        return
    choices = ", ".join(known)
    near = [meant] if meant else get_close_matches(str(value).lower(), known, n=1)
    if near:
        raise ValueError(f"no {name} {value!r}, did you mean {near[0]!r}? Choose from {choices}")
    raise ValueError(f"no {name} {value!r}: choose from {choices}")
