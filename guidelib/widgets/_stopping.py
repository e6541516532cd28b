"""A training run, stopped at an epoch of the reader's choice, beside those that rules would choose."""

import numpy as np

from ..evidence import named
from ..figures import PALETTE
from ._explorer import Explorer

PARTS = {"train": ("training", "base", "-"), "validation": ("validation", "guided", "-"),
         "test": ("test", "control", "--")}


def stopping(records):
    """Loss and accuracy by epoch of one run a condition, and what one would report that stopped at an epoch.

    records: the first of each condition is shown. ValueError without any.
    """
    runs = {}
    for r in records:
        runs.setdefault(named(r["config"]["condition"], short=True), r)
    if not runs:
        raise ValueError("there is no run to stop, received no record: pass runs of an experiment")
    curves = {name: r["curves"]["training"] for name, r in runs.items()}
    epochs = list(range(1, 1 + min(len(c["epoch"]) for c in curves.values())))
    top = max(max(c[f"{part}_loss"]) for c in curves.values() for part in PARTS)

    def draw(panels):
        moving = {}
        for ax, measure in zip(panels, ("loss", "accuracy"), strict=True):
            for part, (label, role, style) in PARTS.items():
                (moving[measure, part],) = ax.plot([], [], style, color=PALETTE[role], label=label)
            (moving[measure, "here"],) = ax.plot([], [], color="black", linewidth=1)
            ax.set(xlabel="epoch", xlim=(0, len(epochs) + 1))
        panels[0].set(title="loss", ylim=(0, 1.05 * top))
        panels[1].set(title="accuracy (%)", ylim=(0, 104))
        panels[1].legend(loc="lower right", fontsize="small")

        def move(condition, epoch):
            found, at = curves[condition], int(epoch) - 1
            for part in PARTS:
                for measure, scale in (("loss", 1), ("accuracy", 100)):
                    values = found[f"{part}_{measure}"]
                    moving[measure, part].set_data(range(1, 1 + len(values)), scale * np.array(values))
            for measure, ax in zip(("loss", "accuracy"), panels, strict=True):
                moving[measure, "here"].set_data([epoch, epoch], ax.get_ylim())
            train, validation, test = (100 * found[f"{part}_accuracy"][at] for part in PARTS)
            chosen, best = np.argmin(found["validation_loss"]), np.argmax(found["test_accuracy"])
            at_chosen, highest = (100 * found["test_accuracy"][i] for i in (chosen, best))
            return (f"{condition}, seed {runs[condition]['config']['seed']}, stopped after epoch {epoch:g}: "
                    f"training {train:.1f} %, validation {validation:.1f} %, test {test:.1f} %. The lowest "
                    f"validation loss stops after {chosen + 1}: test {at_chosen:.1f} %. Whoever looks at the "
                    f"test images could have {highest:.1f} %, after {best + 1}, and then they test nothing.")

        return list(moving.values()), move

    first = curves[next(iter(curves))]
    least = min(int(np.argmin(first["validation_loss"])) + 1, epochs[-1])
    return Explorer(
        draw, controls={"condition": ("run", list(runs)), "epoch": ("stopped after epoch", epochs)}, panels=2,
        begin={"epoch": least},
        frames=[{"epoch": least}, {"epoch": epochs[-1]}, {"condition": list(runs)[-1], "epoch": epochs[-1]}],
        alt="Training, validation and test loss and accuracy by epoch, and the epoch at which one stops.")
