"""Is it one curve? How well one number, before training, puts the starts of a deep net in order."""

import numpy as np
import pandas as pd

from .intervals import student_t_interval
from .words import shown

PLACES = ["data", "depth", "width"]
NUMBERS = {"evenness": "evenness of the gradients", "geometry": "geometry left"}


def means(rows):
    """A row a start of a study's chosen runs of one size: means over seeds of what is measured.

    ratio: the geometric mean of the gradient ratio; evenness: by how many factors of e it is off 1, below 0;
    geometry: CKA of the last hidden layer with the inputs; test_accuracy: a share of 1.

    >>> rows = pd.DataFrame({"start": ["default"] * 2, "gradient_ratio": [1.0, 4.0], "geometry": [0.25, 0.75],
    ...                      "test_accuracy": [0.5, 0.7]})
    >>> means(rows).round(2).to_dict("index")
    {'default': {'ratio': 2.0, 'evenness': -0.69, 'geometry': 0.5, 'test_accuracy': 0.6}}
    """
    by_start = rows.assign(log=np.log(rows["gradient_ratio"])).groupby("start", sort=False)
    found = by_start[["log", "geometry", "test_accuracy"]].mean()
    found.insert(0, "ratio", np.exp(found["log"]))
    found.insert(1, "evenness", -found.pop("log").abs())
    return found


def one_curve(table):
    """A row a size and number of a study of starts: how its order agrees with the order of test accuracy.

    table: that of experiments.initialisations.study(), of which the chosen rates count. number: "evenness" or
    "geometry"; mean, low, high: Spearman's rank correlation over the starts, a value a seed, with its
    Student-t 95 % interval over seeds: 1 would be one curve, upwards. start: whose place by test accuracy is
    furthest from its place by the number, both of means over seeds; placed, reached: these places, of
    `starts`; test_accuracy: what it reaches.
    """
    from scipy.stats import spearmanr

    found = []
    for place, rows in table[table["chosen"]].groupby(PLACES):
        size = means(rows)
        reached = size["test_accuracy"].rank(ascending=False, method="first").astype(int)
        for number in NUMBERS:
            agrees = []
            for _, one in rows.groupby("seed"):
                measured = means(one)
                agrees.append(spearmanr(measured[number], measured["test_accuracy"]).statistic)
            placed = size[number].rank(ascending=False, method="first").astype(int)
            off = (placed - reached).abs().idxmax()
            found.append((*place, len(agrees), len(size), number, *within(student_t_interval(agrees)), off,
                          placed[off], reached[off], size.loc[off, "test_accuracy"]))
    return pd.DataFrame(found, columns=[*PLACES, "seeds", "starts", "number", "mean", "low", "high", "start",
                                        "placed", "reached", "test_accuracy"])


def within(interval):
    """Mean and ends of an interval, these no further than a correlation can be.

    >>> within((0.9, 0.6, 1.2))
    (0.9, 0.6, 1.0)
    """
    mean, low, high = interval
    return mean, max(low, -1.0), min(high, 1.0)


def answers(made):
    """Is it one curve, and where does it break? A sentence a number, from what `one_curve` found."""
    lines = []
    for number, rows in made.groupby("number", sort=False):
        off = rows["start"].value_counts(sort=True)
        lines.append(f"In the order of *{NUMBERS[number]}* the rank correlation with test accuracy is "
                     f"{rows['mean'].min():.2f} to {rows['mean'].max():.2f} over {len(rows)} sizes of net; "
                     f"what breaks the order most is \"{off.index[0]}\", in {off.iloc[0]} of {len(rows)}.")
    return lines


def said(made):
    """What `one_curve` found, in markdown: a line a size and number."""
    lines = ["| size | in the order of | rank correlation with test accuracy | furthest off its place |",
             "|---|---|---|---|"]
    for r in made.itertuples():
        off = (f"{r.start}: place {r.placed} of {r.starts}, {r.reached} by accuracy "
               f"({shown('test_accuracy', r.test_accuracy)})")
        lines.append(f"| {r.depth} x {r.width}, {r.data} | {NUMBERS[r.number]} | "
                     f"{r.mean:.2f} ({r.low:.2f} to {r.high:.2f}), {r.seeds} seeds | {off} |")
    return "\n".join(lines)
