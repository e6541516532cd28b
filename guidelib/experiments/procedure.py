"""One run of any experiment, from a Config to the numbers that a record keeps.

Task, target and guide are made, then come warm-up and training.
"""

import copy
import hashlib
import io
import json
import math
from contextlib import nullcontext
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch

from ..analysis.dimension import effective_dimension_by_layer
from ..analysis.overfitting import generalisation_gap
from ..baselines import Distillation, keep_dimension
from ..files import write_whole
from ..guidance import controls
from ..guidance.frozen import recalibrate
from ..guidance.guidance import guide as guide_
from ..guidance.guides import Guide
from ..guidance.warmup import warm_up
from ..tasks import load, options_of
from ..training.checkpoints import Checkpoint
from ..training.loop import train
from .conditions import Parts, find_condition
from .families import make_guide_network, make_other, make_target

PROBED = 256  # validation examples on which the effective dimension is measured, at most
GUIDE_SETTINGS = (  # what a trained guide's weights depend on, beside the task
    "experiment", "data", "data_hash", "guide_width", "guide_depth", "guide_heads", "guide_epochs",
    "guide_lr", "guide_seed", "optimizer", "weight_decay", "clip", "batch_size", "nonlinearity", "leak",
    "tied", "recipe", "threads")


def run(config, **options):
    """One run: returns (metrics, curves); options: those of train_target."""
    target, task, history, curves = train_target(config, **options)
    curves["dimension"]["end"] = dimensions(target, task)
    curves["training"] = history.table.to_dict("list")
    return metrics(history, task), curves


def train_target(config, *, device, store=None, checkpoint=None, tell=None):
    """The trained target of a run, its Task, its History, and the curves of what came before training.

    store: a folder for trained guides, which several runs share; None keeps none. checkpoint: where training
    keeps its state. A warm-up is made again if the process died within it, and not if it died later. tell: a
    callable(phase, at, of), told how many steps or epochs of "guide", "warm-up" and "epoch" are done, or
    None.
    """
    def on(phase):
        return None if tell is None else partial(tell, phase)

    checkpoint = checkpoint or Checkpoint()
    condition = find_condition(config.condition)
    task = make_task(config).to(device)
    if condition.alone:
        target = make_guide_network(config, task).to(device)
        guide = None
        epochs, lr = config.guide_epochs, config.guide_lr
    else:
        target = make_target(config, task).to(device)
        guide = make_guide(config, condition, task, target, store, on_epoch=on("guide"))
        epochs, lr = config.epochs, config.lr
    curves = {"dimension": {"start": dimensions(target, task)}}

    if condition.warms_up and not checkpoint.found:
        history = warm_up(
            target, guide, sample=task.train[0][:config.batch_size], steps=config.warm_up_steps,
            lr=config.warm_up_lr, seed=config.noise_seed, on_step=on("warm-up"), **guidance_options(config))
        curves["warm_up"] = history.to_dict("list")
        curves["dimension"]["warmed up"] = dimensions(target, task)
    curves = checkpoint.keep(curves)

    with attach(guide, target, config, condition) as guidance:
        teacher = make_teacher(config, condition, task, store, on_epoch=on("guide"))
        history = train(
            target, task, epochs=epochs, batch_size=config.batch_size, lr=lr,
            weight_decay=config.weight_decay, optimizer=config.optimizer, schedule=config.schedule,
            clip=config.clip, guidance=guidance, distillation=teacher, order_seed=config.order_seed,
            dropout_seed=config.dropout_seed, checkpoint=checkpoint, on_epoch=on("epoch"))
    return target, task, history, curves


def make_task(config):
    """The task of a Config."""
    return load(config.data, **task_options(config))


def task_options(config):
    """What a Config says of its task: the settings that this task has; 0 leaves the task's own."""
    settings = asdict(config)
    names = [name for name in options_of(config.data) if name in settings]
    return {name: settings[name] for name in names if settings[name] or name == "split_seed"}


def make_guide(config, condition, task, target, store, *, on_epoch=None):
    """The guide or control of a condition, or None.

    Every control but a network takes the pairs that the untrained guide would get.
    """
    if condition.guide is None:
        return None
    inputs = "noise" if condition.timing == "noise-fed" else "same"
    frozen = partial(Guide, inputs=inputs, seed=config.noise_seed + 500)
    network = make_guide_of_family(config, task, store, trained=condition.learns, on_epoch=on_epoch)
    like = frozen(network, norm=config.guide_norm)

    def same():
        return frozen(controls.same_family(target, seed=config.guide_seed), norm=config.guide_norm)

    def other():
        return frozen(make_other(config, task).to(task.train[0].device))

    return condition.build(Parts(like=like, same=same, other=other, seed=config.guide_seed))


def make_teacher(config, condition, task, store, *, on_epoch=None):
    """The Distillation from a condition's teacher, or None."""
    if not condition.teacher:
        return None
    network = make_guide_of_family(config, task, store, trained=condition.learns, on_epoch=on_epoch)
    return Distillation(network, temperature=config.temperature, alpha=config.alpha)


def make_guide_of_family(config, task, store, *, trained, on_epoch=None):
    """The guide's network, untrained, or trained alone on the same training split.

    One that was trained is kept in `store` for other runs with the same.
    """
    device = task.train[0].device
    network = make_guide_network(config, task).to(device)
    if not trained:
        return network
    path = None if store is None else Path(store) / guide_file(config)
    if path is not None and path.exists():
        network.load_state_dict(torch.load(path, map_location=device, weights_only=True))
        return network
    train(network, task, epochs=config.guide_epochs, batch_size=config.batch_size, lr=config.guide_lr,
          optimizer=config.optimizer, clip=config.clip, weight_decay=config.weight_decay,
          order_seed=config.guide_seed, dropout_seed=config.guide_seed, on_epoch=on_epoch)
    if path is not None:
        weights = io.BytesIO()
        torch.save(network.state_dict(), weights)
        write_whole(path, weights.getvalue())  # two runs that train one guide at once write the same file
    return network


def guide_file(config):
    """The name of the file for a trained guide: the same for all runs that would train the same one."""
    settings = {name: getattr(config, name) for name in GUIDE_SETTINGS} | {"task": task_options(config)}
    text = json.dumps(settings, sort_keys=True)
    return f"guide-{hashlib.sha256(text.encode()).hexdigest()[:16]}.pt"


def attach(guide, target, config, condition):
    """A context that gives the term of the loss that stays while the target is trained, or None."""
    if config.dimension:
        return keep_dimension(target, dimension=config.dimension, weight=config.weight)
    if not condition.stays:
        return nullcontext()
    stop = config.stop_steps if condition.timing == "stopped" else None
    return guide_(target, guide, weight=config.weight, stop_after=stop, **guidance_options(config))


def guidance_options(config):
    """What a Config says of any guidance, on noise or on data."""
    options = {"similarity": config.similarity, "debiased": config.debiased, "match": config.match,
               "reduce": config.reduce}
    if config.layers != "all":
        options["layers"] = config.layers
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
