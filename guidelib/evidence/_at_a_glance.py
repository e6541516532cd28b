"""Every setting at a glance: what its guides, their controls and the best recipe add to its base."""

import pandas as pd

from .effects import RECIPE, effect_of_groups, required, rival
from .matching import runs
from .metrics import judged_by
from .overall import GUIDES, effect_at, settings_of

COLUMNS = ["experiment", "regime", "profile", "when", "metric", "part", "condition", "seeds", "gain", "low",
           "high", "verdict"]


def at_a_glance(folder, *, profile="fast", when="Guided throughout"):
    """A row a guide, each control that either guide has to beat, and the best recipe, at every setting.

    part: "guide", "control" or "recipe". gain, low, high: more than the base of equal steps, as a share of 1,
    paired by seed, with its Student-t 95 % interval. verdict: of guides alone. when: one of overall.GUIDES.
    No rows without records; FileNotFoundError without such a folder.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as empty:
    ...     len(at_a_glance(empty))
    0
    """
    found = []
    for place, groups in settings_of(runs(folder)).items():
        guides = [name for name in GUIDES[when] if name in groups]
        if place[1] != profile or "base" not in groups or not guides:
            continue
        base = rival(guides[0], groups)
        records = [record for group in groups.values() for record in group.values()]
        controls = dict.fromkeys(name for guide in guides for name in required(guide, records))
        parts = {**dict.fromkeys(guides, "guide"), **dict.fromkeys(controls, "control"), RECIPE: "recipe"}
        for condition, part in parts.items():
            made = (effect_at(place, groups, condition) if part == "guide" else
                    effect_of_groups(groups, condition, base, metric=judged_by(records[0])))
            if made.against:
                found.append((place[0], place[2], profile, when.lower(), made.metric, part, condition,
                              made.paired, *made.gain, made.verdict if part == "guide" else ""))
    return pd.DataFrame(found, columns=COLUMNS)
