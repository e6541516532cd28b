"""Heat maps of what any family of targets makes of any family of guides."""

from ._style import axes

SHOWN = {  # {measure: (title, scale, digits)}
    "start": ("misalignment of the untouched nets", 1, ".2f"),
    "fall": ("fall of the held-out misalignment", 1, "+.2f"),
    "gain": ("gain in test accuracy (points)", 100, "+.1f"),
}


def nearness(cells, *, measure, note=""):
    """A measure of every target (row) with every guide (column) as a map, its colours symmetric about 0.

    cells: that of evidence.cells(). In each cell the mean over seeds and half its 95 % interval; a guide of
    the target's own family is another net of it. measure: "start", "fall" or "gain".
    """
    import seaborn as sns

    title, scale, digits = SHOWN[measure]
    shown = cells[cells["measure"] == measure]
    order = list(dict.fromkeys(shown["target"]))
    texts = [f"{scale * mean:{digits}}\n± {scale * (high - low) / 2:{digits.strip('+')}}"
             for mean, low, high in zip(shown["mean"], shown["low"], shown["high"], strict=True)]
    shown = shown.assign(mean=scale * shown["mean"], text=texts)
    means, words = (shown.pivot(index="target", columns="guide", values=name).loc[order, order]
                    for name in ("mean", "text"))
    most = means.abs().max(axis=None)
    figure, ax = axes(width=7.5, height=4.6)
    sns.heatmap(means, ax=ax, annot=words, fmt="", cmap="RdBu", vmin=-most, vmax=most, cbar=False,
                linewidths=1)
    ax.set(title=f"{title}\n{note}" if note else title)
    ax.tick_params(axis="y", rotation=0)
    return figure
