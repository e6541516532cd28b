"""Effects below each other: how far each condition is from its base, and what the rules say of it."""

from ..evidence import METRICS, named
from ..evidence.verdicts import UNTESTED, kind
from ._style import BESIDE, PALETTE, axes

LOOKS = {  # kind of verdict: (colour, marker)
    "holds": (PALETTE["guided"], "D"), "holds as speed": (PALETTE["guided"], ">"),
    "holds, but not by alignment": (PALETTE["distilled"], "^"), "does not hold": (PALETTE["control"], "s"),
    "undecided": (PALETTE["reference"], "o"), UNTESTED: (PALETTE["base"], "x"),
}


def effects(rows, *, note=""):
    """A line a row of the ledger: its effect with its interval in points, by the kind of its verdict.

    rows: of `evidence.ledger`, about accuracies or shares; those without an effect are left out. ValueError
    if there is none.
    """
    from matplotlib.lines import Line2D

    shares = [name for name, metric in METRICS.items() if metric.percent]
    rows = rows[rows["effect"].notna() & rows["metric"].isin(shares)]
    if rows.empty:
        raise ValueError("no row has an effect to draw: pass rows of evidence.ledger that were run")
    figure, ax = axes(width=10.5, height=1.1 + 0.36 * len(rows))
    for y, row in enumerate(rows.itertuples()):
        colour, marker = LOOKS[kind(row.verdict)]
        ax.plot([100 * row.effect_low, 100 * row.effect_high], [y, y], color=colour, linewidth=2)
        ax.plot(100 * row.effect, y, marker, color=colour, markersize=8)
    labels = [f"{row.experiment}{f' ({row.regime})' * (row.regime != 'untrainable')}: "
              f"{named(row.condition, short=True)}" for row in rows.itertuples()]
    ax.set_yticks(range(len(rows)), labels)
    ax.axvline(0, color="black", linestyle="--", linewidth=1)
    ax.set(xlabel="more than what it is compared with, points", ylim=(len(rows) - 0.5, -0.5), title=note)
    shown = [name for name in LOOKS if name in {kind(v) for v in rows["verdict"]}]
    handles = [Line2D([], [], color=LOOKS[name][0], marker=LOOKS[name][1], linestyle="none", label=name)
               for name in shown]
    ax.legend(handles=handles, **BESIDE)
    return figure
