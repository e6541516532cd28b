"""What is reached if the first or last layers alone are guided."""

import numpy as np

from ._style import DASHED, MARKERS, PALETTE, axes

STYLE = {"first": ("-", PALETTE["guided"], "full"), "last": ("--", PALETTE["guided"], "none")}


def which_layers(tables, *, bases=None, note=""):
    """Test accuracy against how many layers are guided, from the first on and from the last: a panel a table.

    tables: {title: a table of evidence.which_layers}, means with their intervals over seeds, a line an end,
    and both end at all layers. bases: {title: the base's accuracy}, dashed.
    """
    figure, panels = axes(width=max(6.5, 5.0 * len(tables)), height=4.0, columns=len(tables))
    panels = np.atleast_1d(panels)
    for ax, (title, table) in zip(panels, tables.items(), strict=True):
        counts = [*sorted(set(table["count"]) - {0}), 0]
        for shift, (end, (style, colour, fill)) in zip((-0.06, 0.06), STYLE.items(), strict=True):
            line = table[table["layers"].str.startswith((end, "all"))]
            line = line.sort_values("count", key=lambda column: column.map(counts.index))
            x = [counts.index(count) + shift for count in line["count"]]
            below, above = line["mean"] - line["low"], line["high"] - line["mean"]
            ax.errorbar(x, 100 * line["mean"], yerr=[100 * below, 100 * above], linestyle=style, color=colour,
                        marker=MARKERS["guided"], fillstyle=fill, capsize=3, label=f"the {end} layers")
        if bases:
            ax.axhline(100 * bases[title], label="no guide", **DASHED)
        ax.set_xticks(range(len(counts)), [str(count or "all") for count in counts])
        ax.set(xlabel="guided layers", ylabel="test accuracy (%)", title=title)
    panels[0].legend(fontsize="small")
    figure.suptitle(note, fontsize="medium")
    return figure
