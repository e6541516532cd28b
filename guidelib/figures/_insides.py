"""What goes on inside networks: alignment by step, norms and dimension by layer, Gram matrices, images."""

import numpy as np

from ._style import BESIDE, PALETTE, axes, band


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
    import seaborn as sns
    from matplotlib.ticker import MaxNLocator

    figure, ax = axes(width=9.5)
    colours = sns.color_palette("colorblind", max(len(lines), 1)) if len(lines) > len(PALETTE) else None
    for i, (label, values) in enumerate(lines.items()):
        values = np.atleast_2d(np.asarray(values, dtype=float))  # (seeds, layers)
        band(ax, i, values, label=label, colour=colours and colours[i])
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


def _colour_scale(pairs):
    import matplotlib
    from matplotlib.colors import Normalize

    return matplotlib.cm.ScalarMappable(norm=Normalize(1, max(pairs, 2)), cmap="viridis")
