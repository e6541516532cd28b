"""One run of any experiment, from a Config to the numbers that a record keeps.

Task, target and guide are made, then come warm-up and training.
"""

import copy
import math
from contextlib import contextmanager
from functools import partial

from ..analysis.dimension import effective_dimension_by_layer
from ..analysis.overfitting import generalisation_gap
from ..analysis.probes import probe_layers
from ..baselines import balance_gradients, keep_dimension, move_as_far, shift_batchnorm
from ..guidance.frozen import recalibrate
from ..guidance.guidance import guide as guide_
from ..guidance.warmup import warm_up
from ..similarity import find
from ..training.checkpoints import Checkpoint
from ..training.loop import train
from .conditions import GUIDES, find_condition
from .families import make_guide_network, make_target, make_task
from .guides import make_guide, make_reference, make_teacher
from .probe import Probe, moments, rounded

PROBED = 256  # validation examples on which the effective dimension is measured, at most
CODE = "0123456789abcdefghijklmnopqrstuvwxyz"  # of an answer: a class, or whether a sequence is right
THINNED = 10  # steps of a warm-up of which a record keeps one, besides the first and the last EDGE
EDGE = 5


def run(config, **options):
    """One run: returns (metrics, curves); options: those of train_target."""
    target, task, history, curves = train_target(config, **options)
    curves["dimension"]["end"] = dimensions(target, task)
    curves["training"] = history.table.to_dict("list")
    if not getattr(task, "perplexity", False):
        curves["answers"] = written(history.answers.tolist())
    found = metrics(history, task) | steps(config, task, len(history.table)) | curves.pop("dose")
    if find_condition(config.condition).decoded and task.test[1].ndim == 1:
        found["decoded_accuracy"] = decoded(target, task)
    return found, curves


def decoded(network, task):
    """Accuracy of linear decoders of the task's labels, the mean over a network's hidden layers."""
    table = probe_layers(network, task)
    return float(table["accuracy"][1:-1].mean())  # neither the inputs nor the logits


def written(answers):
    """Answers as a record keeps them: a character each, or the list where there are more kinds than those.

    >>> written([3, 10]), written([3, 36])
    ('3a', [3, 36])
    """
    return "".join(CODE[a] for a in answers) if max(answers) < len(CODE) else answers


def train_target(config, *, device, store=None, checkpoint=None, tell=None):
    """The trained target of a run, its Task, its History, and the curves of what came before and beside.

    store: the Store for trained guides; None keeps none. checkpoint: where training
    keeps its state. A warm-up is made again if the process died within it, and not if it died later. tell: a
    callable(phase, at, of), told how many steps or epochs of "guide", "warm-up" and "epoch" are done, or
    None.
    """
    def on(phase):
        return None if tell is None else partial(tell, phase)

    checkpoint = checkpoint or Checkpoint()
    condition = find_condition(config.condition)
    task = make_task(config).to(device)
    epochs, lr = config.epochs, config.lr
    if condition.alone:
        target = make_guide_network(config, task).to(device)
        guide = reference = None
        epochs, lr = config.guide_epochs, config.guide_lr
    else:
        target = make_target(config, task).to(device)
        if config.shift:
            shift_batchnorm(target, config.shift)
        guide = make_guide(config, condition, task, target, store, on_epoch=on("guide"))
        reference = guide or make_reference(config, task, store)
    options = guidance_options(config, condition, task, target)
    on_all = options | {"similarity": config.similarity, "debiased": config.debiased}  # whatever the subset
    probe = Probe(target, reference, task, n=config.batch_size, seed=config.noise_seed, options=on_all)
    curves = {"dimension": {"start": dimensions(target, task)}, "dose": {}, "probe": probe.found}

    if not checkpoint.found:
        probe(target, "start")
        if condition.warms_up:
            curves["noise"] = {"start": probe.on_noise(target)}
            history = warm_up_target(config, condition, target, guide, task, options, on_step=on("warm-up"))
            curves["noise"]["warmed up"] = probe.on_noise(target)
            curves["warm_up"] = thinned(history)
            curves["dimension"]["warmed up"] = dimensions(target, task)
            probe(target, "warmed up")
    curves = checkpoint.keep(curves)
    probe.found = curves["probe"]

    def after(epoch, epochs):
        if epoch in moments(epochs):
            probe(target, epoch)
        if tell is not None:
            tell("epoch", epoch, epochs)

    with attach(guide, target, config, condition, probe, options, curves["dose"]) as guidance:
        teacher = make_teacher(config, condition, task, store, on_epoch=on("guide"))
        history = train(
            target, task, epochs=epochs, batch_size=config.batch_size, lr=lr,
            weight_decay=config.weight_decay, optimizer=config.optimizer, schedule=config.schedule,
            clip=config.clip, guidance=guidance, distillation=teacher, order_seed=config.order_seed,
            dropout_seed=config.dropout_seed, checkpoint=checkpoint, on_epoch=after)
    return target, task, history, curves


def warm_up_target(config, condition, target, guide, task, options, *, on_step=None):
    """Warm a target up in place, or move it as far as the warm-up would; returns the warm-up's history."""
    sample = task.train[0][:config.batch_size]
    how = {"steps": config.warm_up_steps, "lr": config.warm_up_lr, "seed": config.noise_seed,
           "on_step": on_step}
    if condition.balanced:
        return balance_gradients(target, sample=sample, **how)
    warmed = copy.deepcopy(target) if condition.moved else target
    history = warm_up(
        warmed, guide, sample=sample, **how, **options)
    if condition.moved:
        move_as_far(target, warmed, seed=config.noise_seed)
    return history


def thinned(history):
    """What a warm-up's history is about, {"step": [...], "misalignment" or "ratio": [...]}.

    The mean misalignment over the pairs, or the gradient ratio of a warm-up without a guide. Of the first and
    the last EDGE steps, and of one in THINNED between them.
    """
    last = len(history) - EDGE
    table = history[(history["step"] < EDGE) | (history["step"] >= last) | (history["step"] % THINNED == 0)]
    means = table.drop(columns=["step", "loss"], errors="ignore").mean(axis=1)
    name = "ratio" if "ratio" in table else "misalignment"
    return {"step": table["step"].tolist(), name: [rounded(v) for v in means]}


@contextmanager
def attach(guide, target, config, condition, probe, options, dose):
    """Within, the term of the loss that stays while the target is trained, or None.

    Its weight is config.weight, or follows from config.dose, the ratio of the norms of its gradient and the
    task's at the start of training; rho, that ratio at weight 1, and the weight are noted in `dose`, and
    taken from it where a run is resumed.
    """
    if config.dimension:
        make = partial(keep_dimension, dimension=config.dimension)
    elif condition.stays:
        stop = config.stop_steps if condition.timing == "stopped" else None
        make = partial(guide_, guide=guide, stop_after=stop, **options)
    else:
        yield None
        return
    if not dose:
        if config.weight:
            dose["weight"] = config.weight
        else:
            with make(probe.net, weight=1.0) as term:
                rho = probe.rho(target, term)
            dose |= {"rho": rho, "weight": config.dose / rho}
    with make(target, weight=dose["weight"]) as term:
        yield term


def guidance_options(config, condition, task, target):
    """The options of gl.guide for any guidance of a run, on noise or on data."""
    options = {"similarity": config.similarity, "debiased": config.debiased, "match": config.match,
               "reduce": config.reduce, "samples": config.samples, "layers": config.steered()}
    if config.subset:
        similarity = find(config.similarity, debiased=config.debiased).of_first(config.subset)
        options |= {"similarity": similarity, "debiased": False}
    kind = GUIDES.get(condition.guide)
    if kind is not None and kind.layers == "same":  # the layers that the guide would steer, each by its like
        with guide_(copy.deepcopy(target), make_reference(config, task), **options) as g:
            plan = g.plan(task.train[0][:config.batch_size])
        steered = dict.fromkeys(plan.loc[plan["reason"] == "", "target"])
        options["layers"] = [(name, name) for name in steered]
    return options


def dimensions(target, task):
    """Effective dimension of the target's layers on validation examples, BatchNorm calibrated to them.

    An untouched net has no running statistics yet: without calibration its start could not be compared with
    its end.
    """
    probe = task.validation[0][:PROBED]
    calibrated = copy.deepcopy(target)
    recalibrate(calibrated, (probe,))
    table = effective_dimension_by_layer(calibrated, probe)
    return [round(value, 4) for value in table["effective_dimension"]]


def steps(config, task, epochs):
    """How many steps of an optimiser a run takes: of the target in training and before, and of its guide."""
    condition = find_condition(config.condition)
    an_epoch = task.steps(config.batch_size)
    found = {"steps": epochs * an_epoch}
    if condition.warms_up:
        found["warm_up_steps"] = config.warm_up_steps
    if condition.learns:
        found["guide_steps"] = config.guide_epochs * an_epoch
    return found


def metrics(history, task):
    """The numbers of a run: at the epoch of lowest validation loss, as in the paper, and `_last` at the end.

    A run that diverged keeps its epochs; a loss that is not finite never counts as lowest. Perplexity, exp of
    the mean loss a scored label, is given for language; floor_loss is the lowest loss that any model can
    reach, where the task knows it.
    """
    table = history.table
    loss = table["validation_loss"]
    best = table.loc[loss.where(loss.notna(), float("inf")).idxmin()]
    last = table.iloc[-1]
    found = {
        "status": history.status,
        "best_epoch": int(best["epoch"]),
        "epochs": len(table),
        "chance": task.chance,
        "chance_loss": task.chance_loss,
        "test_accuracy": best["test_accuracy"],
        "test_loss": best["test_loss"],
        "validation_accuracy": best["validation_accuracy"],
        "validation_loss": best["validation_loss"],
        "train_accuracy": best["train_accuracy"],
        "test_accuracy_last": last["test_accuracy"],
        "validation_accuracy_last": last["validation_accuracy"],
        "validation_loss_last": last["validation_loss"],
        "train_accuracy_last": last["train_accuracy"],
        "gap_last": float(generalisation_gap(table).iloc[-1]),
        "n_train": len(task.train[1]),
        "n_validation": len(task.validation[1]),
        "n_test": len(task.test[1]),
    }
    if getattr(task, "floor_loss", None) is not None:
        found["floor_loss"] = task.floor_loss
    if getattr(task, "perplexity", False):
        found["test_perplexity"] = math.exp(min(best["test_loss"], 700.0))
    return found
