"""What all figures share: colours and markers by role, axes, a legend, and how one is saved and shown."""

import numpy as np

from ..files import writable

PALETTE = {"base": "#555555", "guided": "#0072B2", "control": "#D55E00", "distilled": "#009E73",
           "reference": "#CC79A7"}  # Okabe and Ito
MARKERS = {"base": "o", "guided": "D", "control": "s", "distilled": "^", "reference": "P"}
STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
SHARES = (-4, 104)  # the axis of a share in per cent: a marker at 0 or at 100 is drawn whole
DASHED = {"color": "black", "linestyle": "--", "linewidth": 1}
# A legend beside the axes, where it hides no point and no line.
BESIDE = {"fontsize": "small", "loc": "upper left", "bbox_to_anchor": (1.01, 1)}


def theme():
    """Set seaborn's theme for all figures.

    >>> theme()
    """
    import matplotlib
    import seaborn as sns

    sns.set_theme(context="notebook", style="whitegrid", palette=list(PALETTE.values()))
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "guidelib", "figure.dpi": 100,
                                "axes.titlesize": "medium"})


def show(figure, name, *, alt, out):
    """Save a figure as OUT/NAME.svg and .png, and return it as an image that carries its alternative text.

    alt: one sentence for a reader who cannot see the figure. ValueError if it is empty.
    """
    import matplotlib.pyplot as plt
    from IPython.display import Image

    if not alt.strip():
        raise ValueError(f"figure {name!r} needs alt=: one sentence that says what it shows")
    out = writable(out)
    svg = out / f"{name}.svg"
    png = out / f"{name}.png"
    figure.savefig(svg, bbox_inches="tight", metadata={"Date": None, "Title": name, "Description": alt})
    figure.savefig(png, bbox_inches="tight", dpi=120, metadata={"Description": alt})
    plt.close(figure)
    return Image(data=png.read_bytes(), format="png", alt=alt, width=720)


def axes(width=7.5, height=4.0, columns=1, **options):
    """A figure and its axes, made without the interactive front end."""
    import matplotlib.pyplot as plt

    return plt.subplots(1, columns, figsize=(width, height), layout="constrained", squeeze=True, **options)


def legend(ax, kinds, *, live=()):
    from matplotlib.lines import Line2D

    handles = []
    for kind, colour in PALETTE.items():
        if kind in kinds:
            handles.append(Line2D([], [], color=colour, marker=MARKERS[kind], linestyle="none", label=kind))
    if live:
        seeds = sorted({record["config"]["seed"] for record in live})
        label = f"live run, seed {' and '.join(map(str, seeds))}"
        handles.append(Line2D([], [], color="black", marker="o", markerfacecolor="white", linestyle="none",
                              label=label))
    ax.legend(handles=handles, **BESIDE)


def band(ax, i, values, *, label, colour=None):
    """The mean over seeds of values (seeds, x), x from 1, and a band from the lowest to the highest seed."""
    x = np.arange(1, values.shape[1] + 1)
    colour = colour or f"C{i % 10}"
    ax.plot(x, values.mean(0), color=colour, linestyle=STYLES[i % len(STYLES)], label=label)
    ax.fill_between(x, values.min(0), values.max(0), color=colour, alpha=0.15, linewidth=0)
