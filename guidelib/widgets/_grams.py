"""Which examples two nets hold alike, epoch by epoch: their Gram matrices side by side, sorted by class."""

from itertools import combinations

import torch

from ..similarity import CKA, double_centre
from ._explorer import Explorer

MOST = 3  # nets beside each other
LINES = {"colors": "#444444", "linewidth": 0.5}


def grams(nets, classes):
    """Gram matrices of two or three nets side by side, along a slider of epochs, in blocks of classes.

    nets: {name: {epoch: Gram matrix (n, n)}} of the same n examples, as gl.similarity.gram makes them; shown
    are the epochs that all nets have. classes: labels (n,), whole numbers, by which the examples are sorted.
    An entry is drawn as a cosine, from -1 (blue) to 1 (red), at every epoch alike: the matrix is centred, and
    each example scaled to length one. The sentence says by how much two examples of one class are more alike
    than two of different classes, and the CKA of the nets. ValueError for matrices of several sizes, classes
    that do not fit them, or no epoch that the nets share.

    >>> apart, told = torch.eye(4), torch.eye(2).repeat_interleave(2, 0).repeat_interleave(2, 1)
    >>> looks = grams({"a": {0: apart, 1: told}, "b": {0: told, 1: told}}, torch.tensor([0, 0, 1, 1]))
    >>> looks.frame({"epoch": 1})[1].split(": ")[1]
    'a +2.00 (1.00 less -1.00), b +2.00 (1.00 less -1.00). CKA of a and b 1.00.'
    """
    classes = torch.as_tensor(classes).cpu()
    epochs = checked(nets, classes)
    found = {epoch: looked_at(nets, classes, epoch) for epoch in epochs}
    starts = [0, *(i for i in range(1, len(classes)) if classes[i] != classes[i - 1])]
    middles = [(a + b - 1) / 2 for a, b in zip(starts, [*starts[1:], len(classes)], strict=True)]

    def draw(panels):
        images, borders = [], []
        for ax, name in zip(panels, nets, strict=True):
            first, _ = found[epochs[0]]
            images.append(ax.imshow(first[name], cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest"))
            edges, ends = [i - 0.5 for i in starts[1:]], (-0.5, len(classes) - 0.5)
            borders += [ax.hlines(edges, *ends, **LINES), ax.vlines(edges, *ends, **LINES)]
            ax.grid(False)
            ax.set(title=name, xlabel="class", xlim=ends, ylim=ends[::-1], anchor="W")  # room for the scale
            for axis in (ax.xaxis, ax.yaxis):
                axis.set_ticks(middles, [int(classes[i]) for i in starts], fontsize="small")
                axis.set_tick_params(length=0)
        panels[0].set_ylabel("class")
        beside = panels[-1].inset_axes([1.05, 0.0, 0.05, 1.0])
        panels[0].figure.colorbar(images[-1], cax=beside, ticks=[-1, 0, 1])
        beside.set_title("cosine", fontsize="small")

        def move(epoch):
            cosines, words = found[epoch]
            for image, name in zip(images, nets, strict=True):
                image.set_data(cosines[name])
            return words

        return images + borders, move

    frames = dict.fromkeys([epochs[0], epochs[len(epochs) // 2], epochs[-1]])
    return Explorer(
        draw, controls={"epoch": ("epoch", epochs)}, panels=len(nets), size=(1 + 3 * len(nets), 3),
        frames=[{"epoch": epoch} for epoch in frames],
        alt=f"Gram matrices of {' and '.join(nets)} as cosines, examples sorted by class, at several epochs.")


def looked_at(nets, classes, epoch):
    """({name: cosines (n, n)}, the sentence about them) at an epoch."""
    matrices = {name: torch.as_tensor(by_epoch[epoch]).detach().cpu() for name, by_epoch in nets.items()}
    cosines = {name: cosines_of(k) for name, k in matrices.items()}
    said = []
    for name, c in cosines.items():
        within, between = (round(mean, 2) for mean in means(c, classes))
        said.append(f"{name} {within - between:+.2f} ({within:.2f} less {between:.2f})")
    alike = []
    for a, b in combinations(matrices, 2):
        alike.append(f"{a} and {b} {CKA.value(matrices[a], matrices[b]).item():.2f}")
    words = (f"Epoch {epoch}, mean cosine within classes less that between: {', '.join(said)}. "
             f"CKA of {', '.join(alike)}.")
    return {name: c.numpy() for name, c in cosines.items()}, words


def cosines_of(k):
    """The cosine of each two examples about their mean (n, n), from a Gram matrix; 0 for one at the mean.

    >>> cosines_of(torch.tensor([[4.0, 0.0], [0.0, 0.0]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    k = double_centre(k.double())
    length = k.diagonal().clamp(min=0).sqrt()  # (n,)
    length = torch.where(length == 0, torch.ones_like(length), length)
    return (k / length[:, None] / length).float()


def means(cosines, classes):
    """Mean cosine of two different examples of one class, and of two of different classes."""
    same = classes[:, None] == classes  # (n, n)
    others = ~torch.eye(len(classes), dtype=torch.bool)
    return cosines[same & others].mean().item(), cosines[~same].mean().item()


def checked(nets, classes):
    """The epochs that all nets have, in order; ValueError for what cannot be drawn side by side."""
    if not 2 <= len(nets) <= MOST:
        raise ValueError(f"grams shows 2 to {MOST} nets side by side, received {len(nets)}: {list(nets)}")
    shapes = {}
    for name, by_epoch in nets.items():
        for epoch, k in by_epoch.items():
            shapes.setdefault(tuple(k.shape), f"{name!r} at epoch {epoch}")
    for shape, where in shapes.items():
        if len(shape) != 2 or shape[0] != shape[1]:
            raise ValueError(f"a Gram matrix is (n, n), received {shape} of {where}: pass "
                             "gl.similarity.gram(activations)")
    if len(shapes) > 1:
        found = ", ".join(f"{shape} of {where}" for shape, where in shapes.items())
        raise ValueError(f"received matrices of several sizes, {found}: run all nets on the same n examples")
    epochs = sorted(set.intersection(*(set(by_epoch) for by_epoch in nets.values())))
    if not epochs:
        had = ", ".join(f"{name!r} has {sorted(by_epoch)}" for name, by_epoch in nets.items())
        raise ValueError(f"no epoch is shared by all nets, {had}: keep a matrix of each net at the same ones")
    ((n, _),) = shapes
    if classes.shape != (n,):
        raise ValueError(f"classes is a label for each of the {n} examples, shape ({n},), received shape "
                         f"{tuple(classes.shape)}: take the labels of the examples that the nets were run on")
    if (classes.diff() < 0).any():
        raise ValueError(f"classes are not sorted, received {classes[:8].tolist()} first: bring the examples "
                         "into the order classes.argsort(stable=True) before the nets are run on them")
    kinds = len(classes.unique())
    if not 2 <= kinds < n:
        raise ValueError(f"received {kinds} classes of {n} examples: to compare within and between classes "
                         "take two classes or more, and two examples or more of one")
    return epochs
