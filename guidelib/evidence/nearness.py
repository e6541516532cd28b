"""The map of architectures: how far targets come to resemble guides, what that gives, and what it is not.

Is the ease of guiding a distance between architectures? A distance is the same both ways. What would make it
worth having is that it tells the gain, and that it is not what CKA of the two untouched nets says already.
"""

import math

import pandas as pd

from .intervals import student_t_interval
from .significance import holm
from .verdicts import verdict as _verdict

MARGIN = 0.05  # of misalignment: a smaller difference between the two ways counts as none
LEVEL = 0.05
MEASURES = ("start", "fall", "gain")


def by_pair(table, *, condition="untrained"):
    """A row a seed and pair of families: seed, target, guide, and the MEASURES as columns.

    table: that of experiments.architectures.study(), of which the chosen rates count. start: misalignment of
    the untouched target to its guide; fall: by how much training guided by it lowers that; gain: in test
    accuracy, over the same target without a guide.
    """
    chosen = table[table["chosen"]]
    places = ["seed", "target", "guide"]
    guided = chosen[chosen["condition"] == condition].set_index(places)
    base = chosen[chosen["condition"] == "base"].set_index(places)
    rows = pd.DataFrame({
        "start": guided["misalignment_start"],
        "fall": guided["misalignment_start"] - guided["misalignment_end"],
        "gain": guided["test_accuracy"] - base["test_accuracy"],
    })
    return rows.dropna().reset_index()


def cells(pairs):
    """Mean and Student interval over seeds of each measure: a row a target, guide and measure.

    >>> pairs = pd.DataFrame({"seed": [0, 1], "target": "A", "guide": "B", "start": [0.5, 0.7],
    ...                       "fall": [0.1, 0.3], "gain": [0.0, 0.0]})
    >>> cells(pairs).query("measure == 'fall'")["mean"].round(2).tolist()
    [0.2]
    """
    rows = []
    for (target, guide), group in pairs.groupby(["target", "guide"], sort=False):
        for measure in MEASURES:
            mean, low, high = student_t_interval(group[measure])
            rows.append({"target": target, "guide": guide, "measure": measure, "seeds": len(group),
                         "mean": mean, "low": low, "high": high})
    return pd.DataFrame(rows)


def both_ways(pairs):
    """Whether the fall is the same both ways: a row a pair of families, its difference, interval and p.

    difference: of the fall of `target` guided by `guide`, less that with the two changed over, paired by
    seed. p: by Student's t, adjusted by Holm for the number of pairs. Pairs whose numbers are all alike, or
    of one seed, have none.

    >>> pairs = pd.DataFrame({"seed": [0, 0, 1, 1], "target": ["A", "B"] * 2, "guide": ["B", "A"] * 2,
    ...                       "fall": [0.3, 0.1, 0.5, 0.2]})
    >>> both_ways(pairs)["difference"].round(2).tolist()
    [0.25]
    """
    from scipy.stats import ttest_1samp

    falls = pairs.set_index(["seed", "target", "guide"])["fall"]
    names = list(dict.fromkeys(pairs["target"]))
    rows = []
    for i, one in enumerate(names):
        for other in names[i + 1:]:
            there, back = (falls.xs(way, level=("target", "guide")) for way in ((one, other), (other, one)))
            differences = (there - back).dropna()
            mean, low, high = student_t_interval(differences)
            p = ttest_1samp(differences, 0.0).pvalue if differences.nunique() > 1 else math.nan
            rows.append({"target": one, "guide": other, "seeds": len(differences), "difference": mean,
                         "low": low, "high": high, "p": float(p)})
    found = pd.DataFrame(rows)
    adjusted = holm(found["p"].to_dict())
    return found.assign(p=pd.Series(adjusted))


def ranks(pairs, one, other):
    """(mean, low, high) over seeds of the rank correlation of two measures over the pairs of a seed.

    >>> pairs = pd.DataFrame({"seed": [0] * 3 + [1] * 3, "start": [1, 2, 3] * 2, "fall": [3, 2, 1] * 2})
    >>> ranks(pairs, "start", "fall")
    (-1.0, -1.0, -1.0)
    """
    return student_t_interval([group[one].corr(group[other], method="spearman")
                               for _, group in pairs.groupby("seed")])


def symmetric(ways):
    """The verdict on "it is a distance" from both_ways(): that it is the same both ways.

    It does not hold if any pair differs by more than the MARGIN, with p below LEVEL after Holm; it holds if
    all intervals lie within the margin; else nothing is decided.

    >>> row = {"difference": 0.2, "low": 0.1, "high": 0.3, "p": 0.01}
    >>> symmetric(pd.DataFrame([row]))
    'does not hold: it differs'
    """
    if beyond(ways).any():
        return _verdict("helps", equal=True)
    inside = (ways["low"] > -MARGIN) & (ways["high"] < MARGIN)
    return _verdict("no effect", equal=True) if inside.all() else "undecided"


def beyond(ways):
    """Which differences are shown to be larger than the MARGIN: their whole interval is, and p is low."""
    return (ways["p"] < LEVEL) & ((ways["low"] > MARGIN) | (ways["high"] < -MARGIN))


def said(pairs):
    """The three answers in words, a list: is it symmetric, does it tell the gain, is it plain CKA?"""
    ways = both_ways(pairs)
    apart = ways[beyond(ways)]
    widest = ways.loc[ways["difference"].abs().idxmax()]
    far, near = widest["target"], widest["guide"]
    if widest["difference"] < 0:
        far, near = near, far
    seeds = pairs["seed"].nunique()
    gap = abs(widest["difference"])
    known = "" if math.isnan(widest["p"]) else f" (p = {widest['p']:.2f}, by Holm for {len(ways)} pairs)"
    first = ("the fall of the misalignment is shown to differ between the two ways, by more than "
             f"{MARGIN:g}, in {len(apart)} of {len(ways)} pairs of families; the gap is widest for {far} "
             f"targets with {near} guides, whose misalignment falls by {gap:.2f} more than the other way "
             f"round{known}")
    correlations = [f"{mean:+.2f} ({max(low, -1):+.2f} to {min(high, 1):+.2f})" for mean, low, high in
                    (ranks(pairs, "fall", "gain"), ranks(pairs, "fall", "start"))]
    return [first,
            f"over {seeds} seeds, the rank correlation of the fall with the gain in accuracy is "
            f"{correlations[0]}",
            f"and with the misalignment of the two untouched nets {correlations[1]}"]
