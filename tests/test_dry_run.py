"""A dry run: sizes of the paper without its data or its memory, operations by closed form."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from guidelib.__main__ import main
from guidelib.experiments import (
    CONDITIONS,
    EXPERIMENTS,
    config,
    make_target,
    make_task,
)
from guidelib.experiments import (
    procedure as runner,
)
from guidelib.experiments.cost import dry_run
from guidelib.training import loop as training


def table(experiment, profile="paper", condition="untrained", **settings):
    return dry_run(config(experiment, profile=profile, condition=condition, data_hash="not read", **settings)).set_index("quantity")["value"]


@pytest.mark.parametrize(("experiment", "target", "guide", "pairs"), [
    ("deep-fcn", None, 11_689_512, 21), ("wide-fcn", 1_375_600_000, 11_689_512, 21), ("deep-convnet", 22_780_456, 25_557_032, 54),
    ("deep-fcn-vit", None, 86_567_656, 49)])
def test_published_sizes(experiment, target, guide, pairs):
    found = table(experiment)
    assert target is None or found["target parameters"] == pytest.approx(target, rel=1e-4)
    assert found["guide parameters"] == guide and found["layer pairs"] == pairs
    assert found["steps"] == 100 * -(-1281167 // 256)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_has_a_dry_run_at_full(experiment):
    found = table(experiment, profile="full", condition="untrained-warm-up")
    assert found["warm-up steps"] == 300 and found["memory (GB)"] > 0 and (found["steps"] > 0 if "steps" in found else experiment == "language-model")


def test_operations_of_a_linear_stack_by_closed_form():
    """A Linear of p to q costs 2 n p q forward and twice that backward, except that the first layer's input needs no gradient."""
    found = table("deep-fcn", profile="smoke", condition="base", depth=2, width=16, batch_size=8)
    n, first, second, last = 8, 64 * 16, 16 * 16, 16 * 10
    assert found["GFLOP a step"] * 1e9 == pytest.approx(2 * n * (2 * first + 3 * second + 3 * last), rel=1e-6)


def test_memory_of_a_small_net_by_hand():
    settings = {"depth": 1, "width": 16, "batch_size": 8, "norm": None, "dropout": 0.0}
    found = table("deep-fcn", profile="smoke", condition="base", **settings)
    made = config("deep-fcn", profile="smoke", **settings)
    parameters = sum(p.numel() for p in make_target(made, make_task(made)).parameters())
    assert found["target parameters"] == parameters == 64 * 16 + 16 + 16 * 10 + 10
    outputs = 4 * 8 * (64 + 16 + 16 + 10)  # flattened input, Linear, ReLU, logits
    assert found["memory (GB)"] * 1e9 == pytest.approx(16 * parameters + outputs, abs=4 * 8 * 64 * 2)


def test_nothing_is_read_run_or_drawn(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("GUIDELIB_DATA", raising=False)
    before = torch.get_rng_state()
    assert main(["run", "deep-fcn", "--profile", "paper", "--condition", "untrained", "--dry-run", "--out", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "11,689,512" in printed and "layer pairs" in printed and not list(tmp_path.iterdir())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("condition", [c for c in CONDITIONS if "noise-fed" not in c])
def test_a_real_run_takes_the_steps_parameters_and_operations_that_were_said(condition, monkeypatch):
    """Counted by torch's own counter, but for evaluation and probes, of which the dry run does not speak.

    Batches below 32, where a CPU computes whole Gram matrices; the 5 % are for the guide's first run, which finds the pairs.
    """
    made = config("deep-fcn", condition=condition, profile="smoke", batch_size=16, train=72, depth=3, guide_epochs=1)
    steps, sizes, train_ = [], [], runner.train
    monkeypatch.setattr(training, "evaluate", lambda *args, **options: (1.0, 0.5))
    monkeypatch.setattr(runner, "dimensions", lambda *args: [])
    monkeypatch.setattr(torch.optim.Adam, "step", lambda self, *args, step=torch.optim.Adam.step: steps.append(1) or step(self, *args))
    monkeypatch.setattr(runner, "train", lambda net, *args, **options: sizes.append(sum(p.numel() for p in net.parameters())) or train_(net, *args, **options))
    with FlopCounterMode(display=False) as counter:
        runner.run(made, device=torch.device("cpu"), store=None)
    found = dry_run(made).set_index("quantity")["value"]
    assert found["PFLOP in all"] * 1e15 == pytest.approx(counter.get_total_flops(), rel=0.05)
    learning = 5 if CONDITIONS[condition].learns else 0  # ceil(72 / 16) steps of one epoch
    assert found["steps"] + found.get("warm-up steps", 0) + learning == len(steps) > 0
    assert found["target parameters"] == sizes[-1]
