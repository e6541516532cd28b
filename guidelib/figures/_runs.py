"""Runs side by side: what each condition reaches, on which seed, after what, and along its training."""

import numpy as np

from ..evidence import METRICS, basis, named, role, student_t_interval, value
from ..evidence.metrics import of
from ..experiments import CONDITIONS
from ._style import DASHED, MARKERS, PALETTE, SHARES, STYLES, axes, band, legend


def accuracy(records, *, metric="test_accuracy", chance=None, floor=None, live=(), note=None,
             closer=False):
    """One line a condition: every seed a point, the mean and its interval beside them, chance dashed.

    chance: of `metric`; None leaves its line out. floor: the best value that any model can reach, a dotted
    line. live: records of runs made before the reader's eyes, on seeds of their own: hollow points on their
    condition's line that count in no mean. note: the title, by default the basis of the records. closer: the
    axis of a share ends near its lowest and highest point; chance is then told in the title.
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
    if chance is not None and not closer:
        ax.axvline(scale * chance, **DASHED)
        side = "left" if share else "right"  # a perplexity lies below chance, and the line at the right end
        ax.text(scale * chance, -0.85, " chance ", fontsize="small", va="center", ha=side)
    ax.set_yticks(range(len(conditions)), [named(c) for c in conditions])
    label = metric.replace("_", " ")
    title = basis(records) if note is None else note
    ax.set(xlabel=label, ylim=(len(conditions) - 0.5, -1.2), title=title)
    if closer:
        known = "" if chance is None else f"; chance {scale * chance:.0f} %"
        ax.set(xlabel=f"{label} (%)", title=f"{title}{known}")
        ax.margins(x=0.04)
    elif share:
        # An interval over few seeds may reach beyond what an accuracy can be: it is cut here, not in tables.
        ax.set(xlabel=f"{label} (%)", xlim=SHARES)
    legend(ax, {role(c) for c in conditions}, live=live)
    return figure


def timings(records, *, guides, references, chance, live=(), note=None, closer=False):
    """Test accuracy by guide, both timings side by side: guided throughout, and a warm-up before training.

    The references are in both panels. guides: conditions throughout, what they are as a warm-up is looked up,
    or such as come before training alone; what was not run leaves its line empty. live, note, closer: as for
    accuracy().
    """
    names = [*references, *guides]
    figure, panels = axes(width=10.5, height=1.1 + 0.4 * len(names), columns=2, sharex=True, sharey=True)
    figure.get_layout_engine().set(wspace=0.06)
    titles = {"": "guided throughout", "warm-up": "warm-up, then no guide"}
    for ax, (timing, title) in zip(panels, titles.items(), strict=True):
        conditions = [*references, *(under(guide, timing) for guide in guides)]
        _seeds(ax, conditions, records, metric="test_accuracy", scale=100, live=live)
        ax.axhline(len(references) - 0.5, color="black", linewidth=0.5)
        ax.set(xlabel="test accuracy (%)", title=title)
        if closer:
            ax.margins(x=0.04)
        else:
            ax.axvline(100 * chance, **DASHED)
            ax.set(xlim=SHARES)
    panels[0].set_yticks(range(len(names)), [named(c) for c in names])
    panels[0].set_ylim(len(names) - 0.5, -0.5)
    note = basis(records) if note is None else note
    told = f"chance {100 * chance:.0f} %" if closer else "chance dashed"
    figure.suptitle(f"{note}; {told}" if note else told, fontsize="medium")
    legend(panels[1], {role(c) for c in names}, live=live)
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
    colours = sns.color_palette("tab20", len(conditions))  # up to twenty that can be told apart
    for condition, colour in zip(conditions, colours, strict=True):
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
           ylabel="test accuracy (%)", ylim=SHARES, title=basis(records) if note is None else note)
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
            band(ax, i, scale * values, label=named(condition))
        if chance is not None:
            ax.axhline(scale * chance, label="chance", **DASHED)
        ax.set(xlabel="epoch", title=label)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].set_ylabel(ylabel)
    panels[-1].legend(fontsize="small", loc="center left", bbox_to_anchor=(1.02, 0.5))
    figure.suptitle(note, fontsize="medium")
    return figure
