"""What initialisations are worth, at several depths and widths, against what they are like."""

import numpy as np

from ._style import DASHED, SHARES, axes

SHAPES = "osD^vP*X"  # one a size of net


def starts(table, *, more=None, note=""):
    """Test accuracy against the gradient ratio, and against the inputs' geometry left, before training.

    table: that of experiments.initialisations.study(), of which the chosen rates are drawn: a point a start
    and size, the mean over seeds (of logarithms, for the ratio), a colour a start and a shape a size. If one
    number told what a start is worth, the points of a panel would lie on one curve. more: another such table,
    of other data, whose accuracies against the ratio have a panel of their own.
    """
    import seaborn as sns

    names = list(dict.fromkeys([*table["start"], *([] if more is None else more["start"])]))
    colours = dict(zip(names, sns.color_palette("Paired", len(names)), strict=True))
    columns = 2 if more is None else 3
    figure, panels = axes(width=12.0 if more is None else 15.0, height=5.0, columns=columns,
                          sharey=more is None)
    drawn = draw(panels[:2], table, colours, SHAPES)
    if more is not None:
        drawn += draw(panels[2:], more, colours, SHAPES[len(drawn):])
    for ax in panels[:1] if more is None else (panels[0], panels[2]):
        ax.axvline(1.0, **DASHED)
        ax.set(xscale="log", xlabel="gradient norm, first hidden layer over last")
    if more is not None:
        panels[2].set(ylim=(0, None), title=" and ".join(more["data"].unique()))
    panels[0].set(ylabel="test accuracy (%)", ylim=SHARES)
    panels[1].set(xlabel="CKA of the last hidden layer with the inputs", ylim=SHARES)
    figure.suptitle(note, fontsize="medium")
    panels[-1].legend(handles=legend(colours, drawn), fontsize="small", loc="center left",
                      bbox_to_anchor=(1.01, 0.5), frameon=False)
    return figure


def draw(panels, table, colours, shapes):
    """Draw the chosen rates of a table, ratio and then geometry; returns [(shape, label)] of its sizes."""
    drawn = []
    sizes = table[table["chosen"]].groupby(["data", "depth", "width"], sort=False)
    for shape, ((data, depth, width), size) in zip(shapes, sizes, strict=False):
        drawn.append((shape, f"{depth} x {width}, {data}"))
        for name, rows in size.groupby("start", sort=False):
            ratio = np.exp(np.log(rows["gradient_ratio"]).mean())
            for ax, x in zip(panels, (ratio, rows["geometry"].mean()), strict=False):
                ax.plot(x, 100 * rows["test_accuracy"].mean(), shape, color=colours[name], markersize=8,
                        markeredgecolor="black", markeredgewidth=0.5)
    return drawn


def legend(colours, drawn):
    """What a colour and what a shape stands for."""
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=colour, marker="o", linestyle="none", label=name)
               for name, colour in colours.items()]
    return handles + [Line2D([], [], color="black", marker=shape, linestyle="none", label=label)
                      for shape, label in drawn]
