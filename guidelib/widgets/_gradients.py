"""What a shift of BatchNorm's biases does to an untrained net: to its gradients, and to what it keeps."""

import copy

from ..analysis import gradient_norms, input_geometry
from ..baselines import shift_batchnorm
from ..figures import PALETTE
from ..guidance.frozen import recalibrate
from ..streams import drawing_from
from ._explorer import Explorer

SHIFTS = [0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0]


def shift(net, x, loss, *, seed=0):
    """Gradient norm and CKA with the inputs by layer, of an untrained net whose biases begin shifted.

    x: a batch (n, ...); loss: callable(outputs), its mean loss; seed: of dropout. The net is left as it is.
    """
    found = {by: measured(net, x, loss, by=by, seed=seed) for by in SHIFTS}
    lowest = min(norms.min() for norms, _ in found.values())
    highest = max(norms.max() for norms, _ in found.values())

    def draw(panels):
        moving = []
        for ax, at_zero in zip(panels, found[0.0], strict=True):
            layers = range(1, len(at_zero) + 1)
            ax.plot(layers, at_zero, color=PALETTE["base"], linestyle="--", label="biases 0")
            moving += ax.plot(layers, at_zero, color=PALETTE["guided"], label="biases as chosen")
            ax.set(xlabel="layer, input to output")
        gradients, geometry = panels
        gradients.set_yscale("log")
        gradients.set(title="gradient norm", ylim=(lowest / 2, highest * 2))
        geometry.set(title="CKA with the inputs", ylim=(0, 1.02))
        geometry.legend(loc="upper right", fontsize="small")

        def move(by):
            norms, kept = found[by]
            for line, values in zip(moving, found[by], strict=True):
                line.set_ydata(values)
            return (f"Biases at {by:g}: the first layer's gradient is {norms[0] / norms[-1]:,.1f} times the "
                    f"last one's, and the last hidden layer has a CKA of {kept[-1]:.2f} with the inputs.")

        return moving, move

    return Explorer(
        draw, controls={"by": ("biases of BatchNorm", SHIFTS)}, panels=2,
        frames=[{"by": by} for by in (0.0, 0.5, 1.0)],
        alt="Gradient norm and CKA with the inputs by layer of an untrained net, for several biases.")


def measured(net, x, loss, *, by, seed):
    """(gradient norms, CKA with the inputs) of the hidden linear layers of a shifted copy."""
    shifted = shift_batchnorm(copy.deepcopy(net), by=by)
    with drawing_from(seed, shifted):
        table = gradient_norms(shifted.train(), loss(shifted(x)))
    hidden = table[table["layer"].str.contains("linear")]
    recalibrate(shifted, (x,))
    geometry = input_geometry(shifted, x)["cka"].to_numpy()[:-1]
    return hidden["gradient_norm"].to_numpy(), geometry
