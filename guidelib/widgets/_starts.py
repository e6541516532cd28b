"""Initialisations of one size of net in an order of the reader's choice: does one number order them all?"""

import numpy as np

from ..evidence.starts import NUMBERS, means
from ..figures import PALETTE, SHARES
from ._explorer import Explorer

RATIO, GEOMETRY, ACCURACY = *NUMBERS.values(), "test accuracy"


def starts(table):
    """Gradient ratio, geometry left and test accuracy of every start, in the order of one of the three.

    table: that of experiments.initialisations.study(); of each size and start the chosen rate is shown, the
    mean over seeds. If a number tells what a start is worth, then in its order the accuracies fall from top
    to bottom, at every size.
    """
    from scipy.stats import spearmanr

    sizes = {}
    for (data, depth, width), rows in table[table["chosen"]].groupby(["data", "depth", "width"]):
        sizes[f"{depth} x {width}, {data.replace('-', ' ')}"] = in_words(means(rows))
    every = np.concatenate([size["ratio"] for size in sizes.values()])
    most = max(map(len, sizes.values()))

    def draw(panels):
        texts, *measured = panels
        texts.set_axis_off()
        names = [texts.text(1.0, i, "", ha="right", va="center", fontsize="small") for i in range(most)]
        texts.set(xlim=(0, 1), ylim=(most - 0.5, -0.5))
        points = []
        for ax in measured:
            points += ax.plot([], [], "o", color=PALETTE["guided"])
            ax.set(ylim=(most - 0.5, -0.5), yticks=range(most), yticklabels=[])
        ratio, geometry, accuracy = measured
        ratio.axvline(1.0, color="black", linewidth=1)
        ratio.set(xscale="log", xlim=(every.min() / 2, every.max() * 2), title="gradient ratio")
        geometry.set(xlim=(-0.05, 1.05), title="CKA with the inputs")
        accuracy.set(xlim=SHARES, title="test accuracy (%)")

        def move(size, order):
            rows = sizes[size].sort_values(order, ascending=False)
            for text, name in zip(names, [*rows.index, *[""] * most], strict=False):
                text.set_text(name)
            for line, column in zip(points, ("ratio", GEOMETRY, ACCURACY), strict=True):
                line.set_data(rows[column], range(len(rows)))
            agrees = {name: spearmanr(rows[name], rows[ACCURACY]).statistic for name in (RATIO, GEOMETRY)}
            return (f"{size}, in the order of {order}; the best is {rows[ACCURACY].idxmax()}, "
                    f"{rows[ACCURACY].max():.0f} %. Rank correlation with test accuracy: "
                    + ", ".join(f"{name} {r:.2f}" for name, r in agrees.items()) + ".")

        return [*names, *points], move

    orders = [RATIO, GEOMETRY, ACCURACY]
    return Explorer(
        draw, controls={"size": ("depth x width, data", list(sizes)), "order": ("in the order of", orders)},
        frames=[{"order": RATIO}, {"order": GEOMETRY}, {"size": list(sizes)[-1], "order": GEOMETRY}],
        size=(8.0, 3.2), panels=4,
        alt="Starts of a deep net in the order of a number: gradient ratio, geometry left, test accuracy.")


def in_words(found):
    """The means of a size with columns as readers know them, accuracy in per cent."""
    found = found.assign(test_accuracy=100 * found["test_accuracy"])
    return found.rename(columns={"evenness": RATIO, "geometry": GEOMETRY, "test_accuracy": ACCURACY})
