"""Every figure of the tutorials: drawn from run records, saved as SVG and PNG, shown with alternative text.

Each seed is a point; intervals are Student-t 95 % over seeds; colour and marker tell the role, so that
neither is needed alone.
"""

import numpy as np

from .evidence import METRICS, basis, named, role, student_t_interval, value
from .evidence.metrics import of
from .experiments import CONDITIONS
from .files import writable

PALETTE = {"base": "#555555", "guided": "#0072B2", "control": "#D55E00", "distilled": "#009E73",
           "reference": "#CC79A7"}  # Okabe and Ito
MARKERS = {"base": "o", "guided": "D", "control": "s", "distilled": "^", "reference": "P"}
STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
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


def accuracy(records, *, metric="test_accuracy", chance=None, floor=None, live=(), note=None):
    """One line a condition: every seed a point, the mean and its interval beside them, chance dashed.

    chance: of `metric`; None leaves its line out. floor: the best value that any model can reach, a dotted
    line. live: records of runs made before the reader's eyes, on seeds of their own: hollow points on their
    condition's line that count in no mean. note: the title, by default the basis of the records.
    """
    share = METRICS[metric].percent
    scale = 100 if share else 1
    conditions = list(dict.fromkeys(r["config"]["condition"] for r in records))
    figure, ax = axes(width=9.0, height=0.9 + 0.42 * len(conditions))
    live = [r for r in live if r["config"]["condition"] in conditions]
    _seeds(ax, conditions, records, metric=metric, scale=scale, live=live)
    if floor is not None:
        ax.axvline(scale * floor, **DASHED | {"linestyle": ":"})
        ax.text(scale * floor, -0.85, " floor ", fontsize="small", va="center", ha="left")
    if chance is not None:
        ax.axvline(scale * chance, **DASHED)
        side = "left" if share else "right"  # a perplexity lies below chance, and the line at the right end
        ax.text(scale * chance, -0.85, " chance ", fontsize="small", va="center", ha=side)
    ax.set_yticks(range(len(conditions)), [named(c) for c in conditions])
    label = metric.replace("_", " ")
    ax.set(xlabel=label, ylim=(len(conditions) - 0.5, -1.2), title=basis(records) if note is None else note)
    if share:
        # An interval over few seeds may reach beyond what an accuracy can be: it is cut here, not in tables.
        ax.set(xlabel=f"{label} (%)", xlim=(-2, 102))
    _legend(ax, {role(c) for c in conditions}, live=live)
    return figure


def timings(records, *, guides, references, chance, live=(), note=None):
    """Test accuracy by guide, both timings side by side: guided throughout, and a warm-up before training.

    The references are in both panels. guides: conditions throughout, what they are as a warm-up is looked up,
    or such as come before training alone; what was not run leaves its line empty. live, note: as for
    accuracy().
    """
    names = [*references, *guides]
    figure, panels = axes(width=10.5, height=1.1 + 0.4 * len(names), columns=2, sharey=True)
    figure.get_layout_engine().set(wspace=0.06)
    titles = {"": "guided throughout", "warm-up": "warm-up, then no guide"}
    for ax, (timing, title) in zip(panels, titles.items(), strict=True):
        conditions = [*references, *(under(guide, timing) for guide in guides)]
        _seeds(ax, conditions, records, metric="test_accuracy", scale=100, live=live)
        ax.axvline(100 * chance, **DASHED)
        ax.axhline(len(references) - 0.5, color="black", linewidth=0.5)
        ax.set(xlabel="test accuracy (%)", xlim=(-2, 102), title=title)
    panels[0].set_yticks(range(len(names)), [named(c) for c in names])
    panels[0].set_ylim(len(names) - 0.5, -0.5)
    note = basis(records) if note is None else note
    figure.suptitle(f"{note}; chance dashed" if note else "chance dashed", fontsize="medium")
    _legend(panels[1], {role(c) for c in names}, live=live)
    return figure


def under(condition, timing):
    """The condition at another timing; "" if there is none.

    >>> under("identity", "warm-up"), under("moved-as-far", ""), under("moved-as-far", "warm-up")
    ('identity-warm-up', '', 'moved-as-far')
    """
    if CONDITIONS[condition].timing == timing:
        return condition
    return "" if CONDITIONS[condition].timing else CONDITIONS[condition].at(timing).name


def ratios(records, *, chance, note=None):
    """Test accuracy against the gradient ratio before training, by what came before: a colour a condition.

    A small point a seed, a large one the means of its condition. A ratio of 1, where gradients keep their
    size through all layers, is dashed.
    """
    import seaborn as sns

    figure, ax = axes(width=9.5, height=5.0)
    conditions = list(dict.fromkeys(r["config"]["condition"] for r in records))
    for condition, colour in zip(conditions, sns.color_palette("husl", len(conditions)), strict=True):
        marker = MARKERS[role(condition)]
        found = [(value(r, "gradient_ratio"), value(r, "test_accuracy")) for r in of(records, condition)]
        points = np.array([point for point in found if None not in point]).reshape(-1, 2)
        if len(points):
            ax.plot(points[:, 0], 100 * points[:, 1], marker, color=colour, alpha=0.4, markersize=5,
                    linestyle="none")
            centre = np.exp(np.log(points[:, 0]).mean()), 100 * points[:, 1].mean()
            ax.plot(*centre, marker, color=colour, markersize=10, markeredgecolor="black",
                    linestyle="none", label=named(condition))
    ax.axvline(1.0, **DASHED)
    ax.axhline(100 * chance, **DASHED)
    ax.set(xscale="log", xlabel="gradient norm, first hidden layer over last, before training",
           ylabel="test accuracy (%)", ylim=(-2, 102), title=basis(records) if note is None else note)
    ax.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    return figure


def best_so_far(table, *, note=""):
    """Validation accuracy of the best of so many trials, a line a condition: a table of tuning.best_of()."""
    import seaborn as sns

    figure, ax = axes(width=9.5, height=5.0)
    conditions = list(dict.fromkeys(table["condition"]))
    colours = sns.color_palette("husl", len(conditions))
    for i, condition in enumerate(conditions):
        line = table[table["condition"] == condition]
        ax.plot(line["trials"], 100 * line["validation_accuracy"], color=colours[i],
                linestyle=STYLES[i % len(STYLES)], marker=MARKERS[role(condition)], markersize=4,
                label=named(condition))
    ax.set(xlabel="trials", ylabel="validation accuracy of the best (%)", title=note)
    ax.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    return figure


def _seeds(ax, conditions, records, *, metric, scale, live):
    """One line a condition: seeds as points, mean and interval, live runs hollow; empty without runs."""
    for y, condition in enumerate(conditions):
        values = [value(r, metric) for r in of(records, condition)]
        points = scale * np.array([v for v in values if v is not None])
        if not len(points):
            continue
        marker = MARKERS[role(condition)]
        colour = PALETTE[role(condition)]
        mean, low, high = student_t_interval(points)
        ax.plot(points, np.full(len(points), y), marker, color=colour, alpha=0.45, markersize=6,
                linestyle="none")
        ax.plot(mean, y, marker, color=colour, markersize=9)
        if low == low:  # one seed has no interval
            ax.plot([low, high], [y, y], color=colour, linewidth=2)
        for record in of(live, condition):
            ax.plot(scale * value(record, metric), y, marker, markerfacecolor="white",
                    markeredgecolor="black", markersize=8, zorder=3)


def curves(histories, *, columns, ylabel, chance=None, scale=1.0, note=""):
    """Learning curves by condition: mean over seeds with a band from the lowest to the highest seed.

    histories: {condition: [one table a seed]}; columns: {column: label}, drawn side by side.
    """
    from matplotlib.ticker import MaxNLocator

    figure, panels = axes(width=4.2 * len(columns) + 0.6, columns=len(columns), sharey=True)
    panels = np.atleast_1d(panels)
    for ax, (column, label) in zip(panels, columns.items(), strict=True):
        for i, (condition, tables) in enumerate(histories.items()):
            length = min(len(t) for t in tables)
            values = np.stack([t[column].to_numpy()[:length] for t in tables])  # (seeds, epochs)
            _band(ax, i, scale * values, label=named(condition))
        if chance is not None:
            ax.axhline(scale * chance, label="chance", **DASHED)
        ax.set(xlabel="epoch", title=label)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].set_ylabel(ylabel)
    panels[-1].legend(fontsize="small", loc="center left", bbox_to_anchor=(1.02, 0.5))
    figure.suptitle(note, fontsize="medium")
    return figure


def _band(ax, i, values, *, label):
    """The mean over seeds of values (seeds, x), x from 1, and a band from the lowest to the highest seed."""
    x = np.arange(1, values.shape[1] + 1)
    colour = f"C{i % 10}"
    ax.plot(x, values.mean(0), color=colour, linestyle=STYLES[i % len(STYLES)], label=label)
    ax.fill_between(x, values.min(0), values.max(0), color=colour, alpha=0.15, linewidth=0)


def alignment(history, *, note=""):
    """Misalignment over a warm-up: a line a layer pair, shallow (dark) to deep (light), and their mean."""
    import seaborn as sns
    from matplotlib.ticker import MaxNLocator

    pairs = [c for c in history.columns if c not in ("step", "loss")]
    figure, ax = axes()
    for colour, name in zip(sns.color_palette("viridis", len(pairs)), pairs, strict=True):
        ax.plot(history["step"], history[name], color=colour, linewidth=1)
    mean = history[pairs].mean(axis=1)
    ax.plot(history["step"], mean, color="black", linewidth=2.5, linestyle="--", label="mean over pairs")
    figure.colorbar(_colour_scale(len(pairs)), ax=ax, label="layer pair, from input (1) to output",
                    ticks=MaxNLocator(integer=True))
    ax.set(xlabel="warm-up step", ylabel="misalignment, 1 - CKA", ylim=(0, 1.02), title=note)
    ax.legend()
    return figure


def by_layer(lines, *, ylabel, log=False, note=""):
    """A measure of the layers, from input to output: mean over seeds, band from lowest to highest.

    lines: {label: values (layers,) or (seeds, layers)}.
    """
    from matplotlib.ticker import MaxNLocator

    figure, ax = axes(width=9.5)
    for i, (label, values) in enumerate(lines.items()):
        values = np.atleast_2d(np.asarray(values, dtype=float))  # (seeds, layers)
        _band(ax, i, values, label=label)
    ax.set(xlabel="layer, from input to output", ylabel=ylabel, title=note)
    if log:
        ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(**BESIDE)
    return figure


def dimension(tables, *, note=""):
    """Effective dimension of the target's layers, from input to output.

    tables: {label: [table(layer, effective_dimension), one a seed]}.
    """
    lines = {}
    for label, seeds in tables.items():
        lines[label] = np.stack([table["effective_dimension"].to_numpy() for table in seeds])
    return by_layer(lines, ylabel="participation ratio (dimensions)", log=True, note=note)


def grams(matrices, *, note=""):
    """Gram matrices side by side, {title: (n, n)}, blue to red about zero, cut at the 99th percentile."""
    figure, panels = axes(width=2.6 * len(matrices) + 0.4, height=2.9, columns=len(matrices))
    for ax, (title, k) in zip(np.atleast_1d(panels), matrices.items(), strict=True):
        k = np.asarray(k)
        limit = np.quantile(np.abs(k), 0.99) or 1
        ax.imshow(k, cmap="RdBu_r", vmin=-limit, vmax=limit)
        ax.set(title=title, xticks=[], yticks=[], xlabel="example", ylabel="example")
    figure.suptitle(note, fontsize="medium")
    return figure


def influence(matrices, *, words=(), note=""):
    """How strongly the output at each position (row) depends on each token (column), {title: (t, t)}.

    One logarithmic scale; exact zeros are white.
    """
    from matplotlib.colors import LogNorm

    masked = [np.ma.masked_equal(np.asarray(m), 0) for m in matrices.values()]
    high = max(m.max() for m in masked)
    low = min(m.min() for m in masked)
    norm = LogNorm(max(low, 1e-6 * high), high)
    figure, panels = axes(width=3.6 * len(masked) + 1.0, height=4.2, columns=len(masked))
    for ax, title, m in zip(np.atleast_1d(panels), matrices, masked, strict=True):
        image = ax.imshow(m, cmap="viridis", norm=norm)
        ax.grid(False)
        ax.set(title=title, xlabel="token read", ylabel="position of the output", xticks=[], yticks=[])
        if words:
            ax.set_xticks(range(len(words)), words, rotation=90, fontsize="x-small")
            ax.set_yticks(range(len(words)), range(len(words)), fontsize="x-small")
    figure.colorbar(image, ax=panels, label="size of the gradient", shrink=0.8)
    figure.suptitle(note, fontsize="medium")
    return figure


def images(x, y, *, rows=2, columns=10, note=""):
    """The first images of a batch x (n, c, h, w) with their labels y (n,)."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(rows, columns, figsize=(0.8 * columns, 0.95 * rows), layout="constrained")
    for ax, image, label in zip(np.ravel(panels), x, y, strict=False):
        image = image.permute(1, 2, 0).numpy()
        image = image - image.min()
        image = image / max(float(image.max()), 1e-12)
        ax.imshow(image.squeeze(), cmap="gray")
        ax.set(title=int(label), xticks=[], yticks=[])
    figure.suptitle(note, fontsize="medium")
    return figure


def _legend(ax, kinds, *, live=()):
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


def _colour_scale(pairs):
    import matplotlib
    from matplotlib.colors import Normalize

    return matplotlib.cm.ScalarMappable(norm=Normalize(1, max(pairs, 2)), cmap="viridis")
