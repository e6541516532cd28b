"""All settings in one figure: guides, controls and the best recipe, each against the setting's own base."""

from ..evidence import named
from ..evidence.verdicts import UNTESTED, kind
from ..experiments import REGIMES
from ..experiments.catalogue import CATALOGUE
from ._style import MARKERS, PALETTE, axes

# What is drawn of a setting, by how far below its middle.
LINES = {"trained": -0.27, "untrained": -0.09, "control": 0.09, "recipe": 0.27}
NAMES = {"trained": "trained guide", "untrained": "untrained guide",
         "control": "controls, the best one named", "recipe": "best recipe without a guide"}


def at_a_glance(table, *, note=None):
    """A block a setting: both guides, their controls and the best recipe, in points above its base.

    table: of evidence.at_a_glance(). The dashed line is the base, of equal steps. A control is a mean alone,
    its interval is in the ledger; a guide whose comparison tests nothing is crossed out. note: the title, by
    default seeds and profile. ValueError without rows.
    """
    from matplotlib.lines import Line2D

    if table.empty:
        raise ValueError("no setting to draw: pass a table of evidence.at_a_glance with rows")
    settings = list(dict.fromkeys(zip(table["experiment"], table["regime"], strict=True)))
    figure, ax = axes(width=11.0, height=1.4 + 0.72 * len(settings))
    best = table[table["part"] == "control"].groupby(["experiment", "regime"])["gain"].idxmax()
    for row in table.itertuples():
        middle = settings.index((row.experiment, row.regime))
        line = row.condition.partition("-")[0] if row.part == "guide" else row.part
        y = middle + LINES[line]
        look = LOOKS[line]
        if row.part != "control":
            ax.plot([100 * row.low, 100 * row.high], [y, y], color=look["color"], linewidth=2, zorder=1)
        ax.plot(100 * row.gain, y, linestyle="none", **look)
        if kind(row.verdict) == UNTESTED:
            ax.plot(100 * row.gain, y, "x", color="black", markersize=9)
        if row.Index in best.values:
            ax.annotate(named(row.condition, short=True), (100 * row.gain, y), xytext=(6, -1),
                        textcoords="offset points", fontsize="x-small", va="center")
    for y in range(1, len(settings)):
        ax.axhline(y - 0.5, color="black", linewidth=0.4)
    ax.grid(axis="y", visible=False)
    ax.margins(x=0.1)  # room for the words at the right
    ax.axvline(0, color="black", linestyle="--", linewidth=1)
    ax.set_yticks(range(len(settings)), [label(*setting) for setting in settings], fontsize="small")
    shares = sorted({row.experiment for row in table.itertuples() if row.metric != "test_accuracy"})
    if note is None:
        seeds = " to ".join(map(str, sorted({table["seeds"].min(), table["seeds"].max()})))
        when, profile = table[["when", "profile"]].iloc[0]
        note = f"{when}, {seeds} seeds, profile {profile}; Student-t 95 %"
    points = "more than the base, points of accuracy"
    points += f"\n({', '.join(shares)}: of the way from chance to the lowest loss)" * bool(shares)
    ax.set(xlabel=points, ylim=(len(settings) - 0.5, -0.5), title=note)
    handles = [Line2D([], [], linestyle="none", label=NAMES[line], **LOOKS[line]) for line in LINES]
    if any(kind(verdict) == UNTESTED for verdict in table["verdict"] if verdict):
        handles.append(Line2D([], [], linestyle="none", color="black", marker="x", label="tests nothing"))
    figure.legend(handles=handles, fontsize="small", loc="outside lower center", ncols=len(handles))
    return figure


def _look(role, **other):
    return {"color": PALETTE[role], "marker": MARKERS[role], "markersize": 8} | other


LOOKS = {"trained": _look("guided"), "untrained": _look("guided", markerfacecolor="white"),
         "control": _look("control", markersize=6, alpha=0.7), "recipe": _look("base")}


def label(experiment, regime):
    """A setting in two lines."""
    target, _, guide = CATALOGUE[experiment].about.partition("; ")
    name = ", ".join(filter(None, [experiment, REGIMES[regime]]))
    return f"{name}: {target}\n{guide}"
