"""What steers a run: its guide or control, the reference that it is measured by, or its teacher."""

import hashlib
import io
import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from ..baselines import Distillation
from ..files import write_whole
from ..guidance import controls
from ..guidance.guides import Guide
from ..training.loop import train
from .conditions import GUIDES, Parts
from .families import make_guide_network, make_other, task_options

GUIDE_SETTINGS = (  # what a trained guide's weights depend on, beside the task
    "experiment", "data", "data_hash", "guide_family", "guide_width", "guide_depth", "guide_heads",
    "guide_epochs", "guide_lr", "guide_seed", "optimizer", "weight_decay", "clip", "batch_size",
    "nonlinearity", "leak", "tied", "recipe", "threads")


@dataclass(frozen=True)
class Store:
    """A folder for trained guides, which several runs share; what is older than a time does not count."""

    folder: Path
    since: float = 0.0

    def has(self, path):
        return path.exists() and path.stat().st_mtime >= self.since


def make_guide(config, condition, task, target, store, *, on_epoch=None):
    """The guide or control of a condition, or None.

    Every control but a network takes the pairs that the untrained guide would get.
    """
    if condition.guide is None:
        return None
    inputs = "noise" if condition.timing == "noise-fed" else "same"
    frozen = partial(Guide, inputs=inputs, seed=config.noise_seed + 500)
    otherwise = GUIDES[condition.guide].otherwise
    network = make_guide_of_family(config, odd_or_even(task) if otherwise else task, store,
                                   trained=condition.learns, otherwise=otherwise, on_epoch=on_epoch)
    like = frozen(network, norm=config.guide_norm)

    def same():
        return frozen(controls.same_family(target, seed=config.guide_seed), norm=config.guide_norm)

    def other():
        return frozen(make_other(config, task).to(task.train[0].device))

    return condition.build(Parts(like=like, same=same, other=other, seed=config.guide_seed,
                                 pad=getattr(task, "pad", None)))


def make_reference(config, task, store=None):
    """The guide that a target without one could have had, to say how near to it the target is."""
    network = make_guide_of_family(config, task, store, trained=config.watched == "trained")
    return Guide(network, norm=config.guide_norm)


def make_teacher(config, condition, task, store, *, on_epoch=None):
    """The Distillation from a condition's teacher, or None."""
    if not condition.teacher:
        return None
    teacher = None if condition.uniform else make_guide_of_family(
        config, task, store, trained=condition.learns, other=condition.other, on_epoch=on_epoch)
    return Distillation(teacher, temperature=config.temperature, alpha=config.alpha)


def odd_or_even(task):
    """The task with other labels for the same inputs: whether a label is odd."""
    splits = {name: getattr(task, name) for name in ("train", "validation", "test")}
    return replace(task, **{name: (x, torch.where(y >= 0, y % 2, y)) for name, (x, y) in splits.items()})


def make_guide_of_family(config, task, store, *, trained, otherwise=False, other=False, on_epoch=None):
    """The guide's network, untrained, or trained alone on the same training split.

    One that was trained is kept in the Store for other runs with the same. otherwise: whether its task is
    another than that of the config; other: whether it is of the third family. ValueError if its training
    diverges.
    """
    device = task.train[0].device
    network = (make_other if other else make_guide_network)(config, task).to(device)
    if not trained:
        return network
    more = {"otherwise": otherwise, "other": other}
    path = None if store is None else store.folder / guide_file(config, device, **more)
    if path is not None and store.has(path):
        network.load_state_dict(torch.load(path, map_location=device, weights_only=True))
        return network
    history = train(
        network, task, epochs=config.guide_epochs, batch_size=config.batch_size, lr=config.guide_lr,
        optimizer=config.optimizer, clip=config.clip, weight_decay=config.weight_decay,
        order_seed=config.guide_seed, dropout_seed=config.guide_seed, on_epoch=on_epoch)
    if history.status != "ok":
        raise ValueError(f"the guide's own training {history.status} at guide_lr={config.guide_lr:g}: give "
                         "it a lower one")
    if path is not None:
        weights = io.BytesIO()
        torch.save(network.state_dict(), weights)
        write_whole(path, weights.getvalue())  # two runs that train one guide at once write the same file
    return network


def guide_file(config, device, **more):
    """The name of the file for a trained guide: the same for all runs that would train the same one.

    more: what else is true of it.
    """
    settings = {name: getattr(config, name) for name in GUIDE_SETTINGS}
    settings |= {"task": task_options(config), "device": device.type}
    text = " ".join([json.dumps(settings, sort_keys=True), *(name for name, true in more.items() if true)])
    return f"guide-{hashlib.sha256(text.encode()).hexdigest()[:16]}.pt"
