"""What each condition may be tuned over, and the draws that all of them share.

A base, a guide and a control get the same number of draws from one list: the first points of an unscrambled
Sobol sequence, which is the same everywhere, each in the middle of its cell.
"""

from .catalogue import CATALOGUE
from .conditions import find_condition

DRAWS = 8  # trials of each condition at the first seed
FINALISTS = 3  # of them go on
FEWER = {"overnight": (4, 0)}  # {profile: draws and finalists} where runs are too long for those
SEARCHED = (100, 101, 102)  # seeds, on which no result is reported
RANGES = {  # of what is drawn evenly on a logarithmic scale
    "lr": (3e-4, 1e-2),
    "dose": (0.1, 10.0),
    "warm_up_lr": (3e-4, 1e-2),
}
SHARES = {"alpha": (0.1, 0.9)}  # and evenly


def effort(profile):
    """How many draws a condition is tuned by at a profile, and how many of them go on to the other seeds.

    >>> effort("fast"), effort("overnight")
    ((8, 3), (4, 0))
    """
    return FEWER.get(profile, (DRAWS, FINALISTS))


def space(experiment, condition):
    """{setting: (low, high) of RANGES or SHARES, or choices} of a condition; {} if it is not tuned.

    What stays while the target is trained has a dose, what comes before it a rate of its own; the tuned base
    may have any recipe that needs no guide.

    >>> sorted(space("deep-fcn", "identity")), sorted(space("deep-fcn", "identity-warm-up"))
    (['dose', 'lr'], ['lr', 'warm_up_lr'])
    >>> space("deep-fcn", "guide-alone")
    {}
    """
    found = find_condition(condition)
    if found.alone or found.like:
        return {}
    names = ["lr"]
    if found.warms_up:
        names.append("warm_up_lr")
    elif found.stays or found.settings.get("dimension"):
        names.append("dose")
    elif found.teacher:
        names.append("alpha")
    chosen = {name: RANGES.get(name) or SHARES[name] for name in names}
    return chosen | CATALOGUE[experiment].recipes if found.any_recipe else chosen


def draws(experiment, condition, *, count=DRAWS):
    """The settings to try for a condition, a list of dicts; of conditions with the same space it is the same.

    >>> draws("deep-fcn", "untrained")[:2]
    [{'lr': 0.00037, 'dose': 0.13}, {'lr': 0.0022, 'dose': 1.3}]
    >>> len(draws("deep-fcn", "base")) == len(draws("deep-fcn", "shuffled")) == DRAWS
    True
    """
    from scipy.stats import qmc

    names = space(experiment, condition)
    if not names:
        return []
    points = qmc.Sobol(len(names), scramble=False).random(count) + 0.5 / count  # (count, settings), in (0, 1)
    return [{name: drawn(name, values, u) for (name, values), u in zip(names.items(), point, strict=True)}
            for point in points.tolist()]


def drawn(name, values, u):
    """The value of a setting at u, between 0 and 1, with two significant digits.

    >>> drawn("lr", (1e-3, 1e-1), 0.5), drawn("init", ("default", "he"), 0.7)
    (0.01, 'he')
    """
    if name in RANGES:
        low, high = values
        return float(f"{low * (high / low) ** u:.2g}")
    if name in SHARES:
        low, high = values
        return float(f"{low + (high - low) * u:.2g}")
    return values[int(u * len(values))]
