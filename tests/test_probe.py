"""What a run looks at besides its training: it leaves the run alone, and measures what it says."""

import copy
import json

import pytest
import torch
import torch.nn.functional as F

import guidelib as gl
from guidelib.experiments import procedure
from guidelib.experiments.probe import Probe, rho
from guidelib.guidance.frozen import recalibrate

E = gl.experiments


def smoke(condition="untrained", **overrides):
    return E.config("deep-fcn", condition=condition, profile="smoke", **{"depth": 3, "epochs": 2} | overrides)


@pytest.mark.parametrize("condition", ["untrained", "shuffled", "fresh-noise", "base", "untrained-noise-fed"])
def test_looking_changes_no_bit_of_the_training(condition, monkeypatch):
    config = smoke(condition, dropout=0.2, weight=0.5)
    with_looks = E.run(config, device="cpu")["curves"]["training"]
    monkeypatch.setattr(Probe, "__call__", lambda *anything: None)
    without = E.run(config, device="cpu")["curves"]["training"]
    assert json.dumps(with_looks) == json.dumps(without)


def test_misalignment_is_one_minus_cka_of_held_out_examples_in_eval_mode():
    config = smoke()
    target, task, _, curves = procedure.train_target(config, device=torch.device("cpu"))
    probe = curves["probe"]
    assert probe["moments"] == ["start", 1, 2]
    guide = E.make_guide_network(config, task).eval()
    net = copy.deepcopy(target)
    recalibrate(net, (task.train[0][:config.batch_size],))
    net.eval()
    x = task.validation[0][:config.batch_size]
    kept = {}
    for network in (net, guide):
        for name, module in network.named_modules():
            module.register_forward_hook(lambda m, i, o, key=(network is net, name): kept.update({key: o}))
        network(x)
    for name, value in zip(probe["pairs"], probe["misalignment"][-1], strict=True):
        ours, theirs = name.split(" <- ")
        expected = 1 - gl.cka(kept[True, ours], kept[False, theirs])
        assert value == pytest.approx(expected.item(), abs=2e-4)
    assert len(probe["pairs"]) == 21


def test_geometry_is_the_cka_with_the_inputs_in_eval_mode():
    config = smoke()
    target, task, _, curves = procedure.train_target(config, device=torch.device("cpu"))
    probe = curves["probe"]
    net = copy.deepcopy(target)
    recalibrate(net, (task.train[0][:config.batch_size],))
    net.eval()
    x = task.validation[0][:config.batch_size]
    kept = []
    for block in net.blocks:
        block.linear.register_forward_hook(lambda m, i, o: kept.append(gl.cka(o, x).item()))
    net(x)
    assert len(probe["geometry"]) == len(probe["moments"])
    named = dict(zip(probe["outputs"], probe["geometry"][-1], strict=True))
    assert [named[f"blocks.{i}.linear"] for i in range(3)] == pytest.approx(kept, abs=2e-4)


def test_gradients_are_those_of_the_task_alone_at_the_start():
    config = smoke(dropout=0.0)
    task = E.make_task(config)
    net = E.make_target(config, task)
    x, y = (t[:config.batch_size] for t in task.train)
    F.cross_entropy(net(x), y).backward()
    _, _, _, curves = procedure.train_target(config, device=torch.device("cpu"))
    modules = dict(net.named_modules())
    for name, value in zip(curves["probe"]["layers"], curves["probe"]["gradient"][0], strict=True):
        found = torch.cat([p.grad.flatten() for p in modules[name].parameters()]).norm().item()
        assert value == pytest.approx(found, rel=1e-3), name


@pytest.mark.parametrize("condition", ["untrained", "identity", "same-family", "dimension-kept"])
def test_a_dose_is_the_ratio_of_the_two_gradients_at_the_start(condition, monkeypatch):
    """By hand, at the weight that the record tells of."""
    config = smoke(condition, dose=0.7, dropout=0.0)
    seen = {}

    def first_step(target, task, *, guidance, **options):
        x, y = (t[:config.batch_size] for t in task.train)
        target.train()
        task_loss = task.loss(target(x), y)
        seen["ratio"] = rho(target, guidance.loss(), task_loss)
        raise KeyboardInterrupt

    monkeypatch.setattr(procedure, "train", first_step)
    with pytest.raises(KeyboardInterrupt):
        procedure.train_target(config, device=torch.device("cpu"))
    assert seen["ratio"] == pytest.approx(0.7, rel=1e-4)


def test_rho_is_over_the_parameters_that_both_reach():
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 2))
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    hidden = net[0](x)
    loss, task_loss = hidden.square().sum(), net[1](hidden).sum()
    ours = torch.autograd.grad(loss, net[0].parameters(), retain_graph=True)
    theirs = torch.autograd.grad(task_loss, net[0].parameters(), retain_graph=True)
    found = rho(net, loss, task_loss)
    above, below = (torch.cat([g.flatten() for g in grads]).norm() for grads in (ours, theirs))
    assert found == pytest.approx((above / below).item(), rel=1e-5)


def test_a_term_without_a_gradient_has_no_dose():
    net = torch.nn.Linear(2, 2)
    y = net(torch.ones(1, 2)).sum()
    with pytest.raises(ValueError, match="the term has no gradient"):
        rho(net, torch.zeros(()), y)
    with pytest.raises(ValueError, match="norm 0.0"):
        rho(net, 0 * y, y)


def test_a_warm_up_is_looked_at_on_noise_and_on_data():
    curves = E.run(smoke("untrained-warm-up", warm_up_steps=30, warm_up_lr=3e-3), device="cpu")["curves"]
    assert curves["probe"]["moments"] == ["start", "warmed up", 1, 2]
    assert curves["noise"]["warmed up"] < curves["noise"]["start"]
    assert curves["warm_up"]["step"] == [0, 1, 2, 3, 4, 10, 20, 25, 26, 27, 28, 29]


def test_a_target_without_a_guide_is_compared_with_the_untrained_one_and_the_guide_with_none():
    base, guided, alone = (E.run(smoke(name), device="cpu")["curves"]["probe"]
                           for name in ("base", "untrained", "guide-alone"))
    assert base["misalignment"][0] == guided["misalignment"][0]
    assert base["pairs"] == guided["pairs"] and alone["pairs"] == []


def test_the_random_net_of_the_targets_family_steers_the_layers_that_the_guide_would():
    """Each by its like, so that the control has as many pairs, at the same places."""
    own, guided = (E.run(smoke(name), device="cpu")["curves"]["probe"]["pairs"]
                   for name in ("same-family", "untrained"))
    steered = list(dict.fromkeys(pair.split(" <- ")[0] for pair in guided))
    assert own == [f"{name} <- {name}" for name in steered]


def test_a_base_may_be_compared_with_a_trained_guide(tmp_path):
    base, watched, guided = (E.run(made, device="cpu", out=tmp_path)["curves"]["probe"]["misalignment"][0]
                             for made in (smoke("base"), smoke("base", watched="trained"), smoke("trained")))
    assert watched == guided != base


def test_looks_are_at_the_whole_batch_whatever_the_alignment_counts():
    whole, few = (E.run(smoke(**more), device="cpu") for more in ({}, {"subset": 8}))
    (start, *_, end), (same, *_, other) = (run["curves"]["probe"]["misalignment"] for run in (whole, few))
    assert start == same and end != other


@pytest.mark.parametrize(("wrong", "words"), [
    ({"subset": 1}, "subset is 0, for all of a batch, or at least 2 examples, received 1"),
    ({"watched": "none"}, "watched")])
def test_what_cannot_be_is_refused_before_anything_runs(wrong, words):
    with pytest.raises(ValueError, match=words):
        smoke(**wrong)
