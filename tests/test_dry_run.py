"""A dry run: sizes of the paper without its data or its memory, operations by closed form."""

import pytest
import torch

from guidelib.__main__ import main
from guidelib.experiments import EXPERIMENTS, config, make_target, make_task
from guidelib.experiments.dry_run import dry_run


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
