"""A dry run: sizes of the paper without its data or its memory, operations by closed form."""

from types import SimpleNamespace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from guidelib.__main__ import main
from guidelib.experiments import CONDITIONS, config, make_target, make_task
from guidelib.experiments import procedure as runner
from guidelib.experiments.catalogue import CATALOGUE
from guidelib.experiments.cost import dry_run
from guidelib.guidance import axes
from guidelib.training import loop as training


def sizes(made):
    """What a dry run says of a Config: {quantity: value}."""
    table = dry_run(made)
    return dict(zip(table["quantity"], table["value"], strict=True))


def unread(experiment, profile="paper", condition="untrained", **settings):
    """A Config whose data nobody looks at."""
    return config(experiment, profile=profile, condition=condition, data_hash="not read", **settings)


def parameters(net):
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize(("experiment", "target", "guide", "pairs"), [
    ("deep-fcn", None, 11_689_512, 21),
    ("wide-fcn", 1_375_600_000, 11_689_512, 21),
    ("deep-convnet", 22_780_456, 25_557_032, 54),
    ("deep-fcn-vit", None, 86_567_656, 49),
])
def test_published_sizes(experiment, target, guide, pairs):
    found = sizes(unread(experiment))
    assert target is None or found["target parameters"] == pytest.approx(target, rel=1e-4)
    assert found["guide parameters"] == guide
    assert found["layer pairs"] == pairs
    assert found["steps"] == 100 * -(-1281167 // 256)


# Recurrent nets are counted step by step, which takes seconds.
SLOW = ("copy-paste", "copy-paste-fixed", "language-model")


@pytest.mark.parametrize("experiment", [
    pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name
    for name, e in CATALOGUE.items() if "full" in e.sizes])
def test_every_experiment_has_a_dry_run_at_full(experiment):
    found = sizes(unread(experiment, profile="full", condition="untrained-warm-up"))
    assert found["warm-up steps"] == 300
    assert found["memory (GB)"] > 0
    if experiment == "language-model":
        assert "steps" not in found  # nobody knows how many there are before the data are read
    else:
        assert found["steps"] > 0


@pytest.mark.parametrize("experiment", ["deep-fcn", "language-model"])
def test_a_step_counts_what_is_beside_the_target(experiment):
    """Also where nobody knows how many steps there are, since the data decide."""
    conditions = ("base", "untrained", "distilled", "dimension-kept")
    found = [sizes(unread(experiment, profile="full", condition=c, depth=4)) for c in conditions]
    plain, *beside = (table["GFLOP a step"] for table in found)
    assert min(beside) > 1.001 * plain


def test_operations_of_a_linear_stack_by_closed_form():
    """A Linear of p to q costs 2 n p q forward and twice that backward.

    The first layer costs less, since its input needs no gradient.
    """
    found = sizes(unread("deep-fcn", profile="smoke", condition="base", depth=2, width=16, batch_size=8))
    first, second, last = 64 * 16, 16 * 16, 16 * 10
    expected = 2 * 8 * (2 * first + 3 * second + 3 * last)
    assert found["GFLOP a step"] * 1e9 == pytest.approx(expected, rel=1e-6)


def test_memory_of_a_small_net_by_hand():
    settings = {"depth": 1, "width": 16, "batch_size": 8, "norm": None, "dropout": 0.0}
    found = sizes(unread("deep-fcn", profile="smoke", condition="base", **settings))
    made = config("deep-fcn", profile="smoke", **settings)
    count = parameters(make_target(made, make_task(made)))
    assert found["target parameters"] == count == 64 * 16 + 16 + 16 * 10 + 10
    outputs = 4 * 8 * (64 + 16 + 16 + 10)  # flattened input, Linear, ReLU, logits
    assert found["memory (GB)"] * 1e9 == pytest.approx(16 * count + outputs, abs=4 * 8 * 64 * 2)


def test_nothing_is_read_run_or_drawn(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("GUIDELIB_DATA", raising=False)
    before = torch.get_rng_state()
    command = ["run", "deep-fcn", "--profile", "paper", "--condition", "untrained", "--dry-run"]
    assert main([*command, "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "11,689,512" in printed
    assert "layer pairs" in printed
    assert list(tmp_path.iterdir()) == []
    assert torch.equal(torch.get_rng_state(), before)


class Unlooking(SimpleNamespace):
    """In the place of a run's Probe, one that does not look."""

    def __call__(self, target, moment):
        pass


# One of each kind is run in the quick lane, all others in the slow one.
KINDS = ("base", "base-residual", "balanced-init", "dimension-kept", "guide-alone", "distilled", "identity",
         "same-family-warm-up", "trained-stopped", "moved-as-far", "shuffled-layers", "shifted-untrained")


@pytest.mark.parametrize("condition", [
    name if name in KINDS else pytest.param(name, marks=pytest.mark.slow)
    for name, c in CONDITIONS.items() if "noise-fed" not in name and c.needs != "lengths"])
def test_a_real_run_takes_the_steps_parameters_and_operations_that_were_said(condition):
    said, done = said_and_done("deep-fcn", condition)
    assert said == pytest.approx(done, rel=0.05)


def test_a_trained_guide_that_a_base_is_measured_against_is_counted():
    said, done = said_and_done("deep-fcn", "base", watched="trained")
    assert said == pytest.approx(done, rel=0.05)
    assert said > 1.5 * said_and_done("deep-fcn", "base")[0]


@pytest.mark.parametrize("condition", ["untrained", "shuffled"])
def test_guidance_by_tokens_takes_the_operations_that_were_said(condition):
    """Beyond those of the base, whose attention torch counts in another way for numbers than for shapes."""
    small = {"depth": 1, "optimizer": "adam"}
    said, done = said_and_done("parity", condition, **small)
    plain = said_and_done("parity", "base", **small)
    assert said - plain[0] == pytest.approx(done - plain[1], rel=0.02)


def said_and_done(experiment, condition, **others):
    """Operations of a run by the dry run, and by torch's own counter; steps and parameters are checked here.

    What is no step is left out, as the dry run does not speak of it: evaluation, probes, and what is asked
    once a run, which pairs there are and which axis holds the examples.

    Batches below 32, where a CPU computes whole Gram matrices; the 5 % are for the guide's first run, which
    finds the pairs.
    """
    settings = {"batch_size": 16, "train": 72, "depth": 3, "guide_epochs": 1, "weight": 1.0} | others
    made = config(experiment, condition=condition, profile="smoke", **settings)
    steps = []
    trained = []
    step, train = torch.optim.Adam.step, runner.train

    def counted_step(self, *args):
        steps.append(1)
        return step(self, *args)

    def noted_train(net, *args, **options):
        trained.append(net)
        return train(net, *args, **options)

    unlooking = Unlooking(net=None, found={}, on_noise=lambda target: None)
    seen = (1.0, 0.5, torch.zeros(1, dtype=torch.long))
    task = make_task(made)
    options = runner.guidance_options(made, CONDITIONS[condition], task, make_target(made, task))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(runner, "Probe", lambda *args, **options: unlooking)
        patched.setattr(training, "examine", lambda *args, **options: seen)
        patched.setattr(runner, "guidance_options", lambda *args: options)
        patched.setattr(runner, "dimensions", lambda *args: [])
        patched.setattr(runner, "decoded", lambda *args: 0.0)
        patched.setattr(torch.optim.Adam, "step", counted_step)
        patched.setattr(runner, "train", noted_train)
        patched.setattr(axes, "asked", lambda *args: {})
        with FlopCounterMode(display=False) as counter:
            runner.run(made, device=torch.device("cpu"), store=None)
    found = sizes(made)
    trains = CONDITIONS[condition].learns or made.watched == "trained"
    learning = 5 if trains else 0  # ceil(72 / 16) steps of one epoch
    assert found["steps"] + found.get("warm-up steps", 0) + learning == len(steps) > 0
    assert found["target parameters"] == parameters(trained[-1])
    return found["PFLOP in all"] * 1e15, counter.get_total_flops()
