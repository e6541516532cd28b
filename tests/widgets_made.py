"""One small widget of each kind, for the tests of all of them and of each."""

import torch

import guidelib as gl
from guidelib import widgets
from guidelib.experiments import config, initialisations, make_target, make_task
from guidelib.experiments.kept import KEPT
from guidelib.experiments.records import path_of, read


def small_shift():
    task = gl.tasks.digits(train=64)
    net = gl.networks.FCN(inputs=64, outputs=10, depth=6, width=16, norm="batch", seed=0)
    x, y = task.train
    return widgets.shift(net, x, lambda outputs: task.loss(outputs, y))


def deep_shift():
    made = config("deep-fcn", seed=20)
    task = make_task(made)
    x, y = (t[:64] for t in task.train)
    return widgets.shift(make_target(made, task), x, lambda outputs: task.loss(outputs, y))


def small_pairs():
    target = gl.networks.FCN(inputs=64, outputs=10, depth=8, width=16, seed=0)
    guide = gl.networks.ResNet(channels=1, outputs=10, width=4, seed=1)
    return widgets.pairing(target, guide, gl.tasks.digits(train=64).train[0])


def kept(condition, seed=20, **options):
    return read(path_of(config("deep-fcn", condition=condition, seed=seed, **options), KEPT / "fast"))


def small_replay():
    return widgets.replay([kept("untrained"), kept("trained")])


def small_temperature():
    return widgets.temperature(torch.tensor([2.0, 0.0, 0.0]), {"sure": torch.tensor([1.0, 9.0, 0.0]),
                                                               "flat": torch.tensor([0.1, 0.0, 0.2])})


def sorted_classes():
    """Labels (60,) of classes of unequal size, in order."""
    return torch.arange(6).repeat_interleave(torch.tensor([4, 6, 8, 12, 14, 16]))


def drawn_grams(names=("a", "b"), epochs=4):
    """{name: {epoch: Gram matrix (60, 60)}} of features that drift towards their class."""
    generator = torch.Generator().manual_seed(0)
    told = torch.nn.functional.one_hot(sorted_classes()).float()  # (n, classes)
    found = {}
    for speed, name in enumerate(names):
        x = torch.randn(len(told), told.shape[1], generator=generator)
        found[name] = {epoch: gl.similarity.gram(x + speed * epoch * told) for epoch in range(epochs)}
    return found


def small_grams():
    return widgets.grams(drawn_grams(), sorted_classes())


def small_seeds():
    return widgets.seeds([kept(condition, seed) for condition in ("base", "shuffled", "untrained")
                          for seed in range(20, 26)])


def small_stopping():
    return widgets.stopping([kept(condition, regime="overfit") for condition in ("base", "identity")])


def small_starts():
    return widgets.starts(initialisations.kept())


def small_dose():
    task = gl.tasks.digits(train=64)
    target = gl.networks.FCN(inputs=64, outputs=10, depth=5, width=16, norm="batch", dropout=0.2, seed=0)
    guide = gl.networks.ResNet(channels=1, outputs=10, width=4, seed=1)
    x, y = task.train
    return widgets.dose(target, guide, x, lambda outputs: task.loss(outputs, y), reduce="mean")


MADE = {"agreement": widgets.agreement, "dose": small_dose, "grams": small_grams, "looks": widgets.looks,
        "null_law": widgets.null_law, "pairing": small_pairs, "replay": small_replay, "seeds": small_seeds,
        "shift": small_shift, "starts": small_starts, "stopping": small_stopping,
        "temperature": small_temperature, "verdict": widgets.verdict}
