"""How hard guidance pulls on each layer at a weight, beside the task."""

import copy

import numpy as np

from ..analysis import gradient_norms
from ..figures import PALETTE
from ..guidance import guide as attach
from ..streams import drawing_from
from ._explorer import Explorer

WEIGHTS = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0]


def dose(target, guide, x, loss, *, seed=0, **options):
    """Gradient norm of the task and of the weighted misalignment, by layer of the target, at any weight.

    x: a batch (n, ...); loss: callable(outputs), the task's mean loss; seed: of dropout; options: as of
    gl.guide(). The dose is the norm of one gradient over that of the other, over all weights of the target.
    The networks are left as they are.
    """
    target = copy.deepcopy(target)
    with attach(target, guide, **options) as handle, drawing_from(seed, target):
        task_loss = loss(target(x))
        task, alignment = (gradient_norms(target, term) for term in (task_loss, handle.loss()))
    over_all = [np.linalg.norm(t["gradient_norm"].fillna(0.0)) for t in (alignment, task)]
    one = over_all[0] / over_all[1]  # the dose of weight 1
    matrices = [any(p.ndim > 1 for p in target.get_submodule(name).parameters(recurse=False))
                for name in task["layer"]]
    task, alignment = (t.loc[matrices, "gradient_norm"].fillna(0.0).to_numpy() for t in (task, alignment))
    layers = range(1, len(task) + 1)
    values = np.concatenate([task, WEIGHTS[0] * alignment, WEIGHTS[-1] * alignment])
    values = values[values > 0]

    def draw(panels):
        (ax,) = panels
        ax.plot(layers, np.where(task > 0, task, np.nan), "o-", color=PALETTE["base"], label="task")
        (pull,) = ax.plot([], [], "D-", color=PALETTE["guided"], label="weight times misalignment")
        ax.set(yscale="log", ylim=(values.min() / 2, values.max() * 20), title="gradient norm",
               xlabel="layer with a weight matrix, input to output", xlim=(0.5, len(task) + 0.5))
        ax.legend(loc="upper right", fontsize="small", ncols=2)

        def move(weight):
            pull.set_data(layers, np.where(alignment > 0, weight * alignment, np.nan))
            both = (alignment > 0) & (task > 0)
            shares = weight * alignment[both] / task[both]
            return (f"Weight {weight:g}: a dose of {weight * one:.2f}. In the {both.sum()} layers that both "
                    f"reach it is {shares.min():.2f} to {shares.max():.2f}.")

        return [pull], move

    return Explorer(
        draw, controls={"weight": ("weight", WEIGHTS)}, begin={"weight": 1.0},
        frames=[{"weight": 1.0}, {"weight": min(WEIGHTS, key=lambda w: abs(np.log(w * one)))}],
        alt="Gradient norm by layer of the task and of the weighted misalignment.")
