"""What is reached if the first or last layers alone are guided."""

import numpy as np

from ._style import DASHED, MARKERS, PALETTE, axes

STYLE = {"first": ("-", PALETTE["guided"], "full"), "last": ("--", PALETTE["guided"], "none")}


def which_layers(tables, *, bases=None, controls=None, note=""):
    """Test accuracy against how many layers are guided, from the first on and from the last: a panel a table.

    tables: {title: a table of evidence.which_layers}, means with their intervals over seeds, a line an end,
    and both end at all layers. bases: {title: the base's accuracy}, dashed. controls: {title: a like table of
    a control}, drawn where it has some layers alone.
    """
    figure, panels = axes(width=max(6.5, 5.0 * len(tables)), height=4.0, columns=len(tables))
    panels = np.atleast_1d(panels)
    for ax, (title, table) in zip(panels, tables.items(), strict=True):
        counts = [*sorted(set(table["count"]) - {0}), 0]
        for shift, (end, (style, colour, fill)) in zip((-0.06, 0.06), STYLE.items(), strict=True):
            _line(ax, table, end, counts, shift, linestyle=style, color=colour, marker=MARKERS["guided"],
                  fillstyle=fill, label=f"the {end} layers")
            control = (controls or {}).get(title, table[:0])
            if control["layers"].str.startswith(end).any():
                _line(ax, control, end, counts, 2.5 * shift, linestyle=style, color=PALETTE["control"],
                      marker=MARKERS["control"], fillstyle=fill, alpha=0.7, label=f"the {end}, control")
        if bases:
            ax.axhline(100 * bases[title], label="no guide", **DASHED)
        ax.set_xticks(range(len(counts)), [str(count or "all") for count in counts])
        ax.set(xlabel="guided layers", ylabel="test accuracy (%)", title=title)
    panels[0].legend(fontsize="small")
    figure.suptitle(note, fontsize="medium")
    return figure


def _line(ax, table, end, counts, shift, **looks):
    """The rows of one end, and of all layers, in the order of how many there are."""
    line = table[table["layers"].str.startswith((end, "all")) & table["count"].isin(counts)]
    line = line.sort_values("count", key=lambda column: column.map(counts.index))
    x = [counts.index(count) + shift for count in line["count"]]
    below, above = line["mean"] - line["low"], line["high"] - line["mean"]
    ax.errorbar(x, 100 * line["mean"], yerr=[100 * below, 100 * above], capsize=3, **looks)
