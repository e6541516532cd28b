"""What initialisations are worth, at several depths and widths, against what they are like."""

import numpy as np

from ._style import DASHED, SHARES, axes

SHAPES = "osD^vP*X"  # one a size of net


def starts(table, *, note=""):
    """Test accuracy against the gradient ratio, and against the inputs' geometry left, before training.

    table: that of experiments.initialisations.study(), of which the chosen rates are drawn: a point a start
    and size, the mean over seeds (of logarithms, for the ratio), a colour a start and a shape a size. If one
    number told what a start is worth, the points of a panel would lie on one curve.
    """
    import seaborn as sns
    from matplotlib.lines import Line2D

    shown = table[table["chosen"]]
    names = list(dict.fromkeys(shown["start"]))
    colours = dict(zip(names, sns.color_palette("Paired", len(names)), strict=True))
    figure, panels = axes(width=12.0, height=5.0, columns=2, sharey=True)
    handles = [Line2D([], [], color=colours[name], marker="o", linestyle="none", label=name)
               for name in names]
    sizes = shown.groupby(["data", "depth", "width"], sort=False)
    for shape, ((data, depth, width), size) in zip(SHAPES, sizes, strict=False):
        label = f"{depth} x {width}, {data}"
        handles.append(Line2D([], [], color="black", marker=shape, linestyle="none", label=label))
        for name, rows in size.groupby("start", sort=False):
            ratio = np.exp(np.log(rows["gradient_ratio"]).mean())
            for ax, x in zip(panels, (ratio, rows["geometry"].mean()), strict=True):
                ax.plot(x, 100 * rows["test_accuracy"].mean(), shape, color=colours[name], markersize=8,
                        markeredgecolor="black", markeredgewidth=0.5)
    panels[0].axvline(1.0, **DASHED)
    panels[0].set(xscale="log", xlabel="gradient norm, first hidden layer over last",
                  ylabel="test accuracy (%)", ylim=SHARES)
    panels[1].set(xlabel="CKA of the last hidden layer with the inputs")
    figure.suptitle(note, fontsize="medium")
    panels[1].legend(handles=handles, fontsize="small", loc="center left", bbox_to_anchor=(1.01, 0.5),
                     frameon=False)
    return figure
