"""Initialisations without a guide: what they change, by how much, and what they do to the gradients."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from guidelib.analysis import gradient_norms
from guidelib.baselines import balance_gradients, move_as_far, shift_batchnorm
from guidelib.experiments import initialisations
from guidelib.guidance.noise import Stream, noise_like
from guidelib.networks import FCN, RNN, ResNet


def test_shifting_adds_to_the_biases_of_normalisation_and_to_nothing_else():
    net = FCN(inputs=30, outputs=2, depth=3, width=20)
    shifted = shift_batchnorm(copy.deepcopy(net), 0.5)
    for (name, a), (_, b) in zip(net.named_parameters(), shifted.named_parameters(), strict=True):
        assert torch.equal(b, a + 0.5 if name.endswith("norm.bias") else a), name
    biases = [m.bias for m in shift_batchnorm(ResNet(width=4)).modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(biases) > 10 and all((b == 1).all() for b in biases)


def test_a_net_without_normalisation_cannot_be_shifted():
    with pytest.raises(ValueError, match="RNN has no normalisation layer with a bias to shift"):
        shift_batchnorm(RNN(vocab=4, outputs=2, width=8, depth=2))


def test_shifted_biases_keep_gradients_of_one_size_through_depth():
    """Yang et al. 2019: at biases of 0 they grow by a constant factor a layer.

    Where most ReLUs pass their input on, they hardly do.
    """
    x = torch.randn(64, 30, generator=torch.Generator().manual_seed(0))
    ratio = {}
    for by in (0.0, 1.0):
        net = shift_batchnorm(FCN(inputs=30, outputs=10, depth=30, width=64), by)
        norms = gradient_norms(net, F.cross_entropy(net(x), torch.arange(64) % 10))
        norms = norms.set_index("layer")["gradient_norm"]
        ratio[by] = norms["blocks.0.linear"] / norms["blocks.29.linear"]
    assert ratio[0.0] > 20 * ratio[1.0]


def ratio_of(net, x, back):
    """The gradient ratio by hand: of a net's outputs in a given direction."""
    (net(x) * back).sum().backward()
    first, last = net.blocks[0].linear.weight.grad.norm(), net.blocks[-1].linear.weight.grad.norm()
    return (first / last).item()


def test_balancing_makes_the_first_and_the_last_gradient_alike():
    net = FCN(inputs=30, outputs=10, depth=20, width=48)
    generator = torch.Generator().manual_seed(0)
    x, back = torch.randn(64, 30, generator=generator), torch.randn(64, 10, generator=generator)
    before = ratio_of(copy.deepcopy(net), x, back)
    state = torch.get_rng_state()
    net.eval()
    history = balance_gradients(net, sample=x, steps=60, lr=3e-3, seed=1)
    assert torch.equal(torch.get_rng_state(), state) and not net.training
    assert all(p.grad is None for p in net.parameters())
    stream = Stream(1)  # the first step, by hand
    fresh = FCN(inputs=30, outputs=10, depth=20, width=48)
    noise = noise_like(x, stream=stream)
    first = ratio_of(fresh, noise, noise_like(back, stream=stream))
    assert before > 20 and history["ratio"][0] == pytest.approx(first, rel=1e-3)
    after = ratio_of(copy.deepcopy(net).train(), x, back)
    assert 1 / before < after < before / 5
    again = FCN(inputs=30, outputs=10, depth=20, width=48)
    assert balance_gradients(again, sample=x, steps=60, lr=3e-3, seed=1).equals(history)


def test_what_cannot_be_balanced_is_named():
    net = FCN(inputs=30, outputs=2, depth=1, width=20)
    with pytest.raises(ValueError, match="FCN has 2 weight matrices"):
        balance_gradients(net, sample=torch.zeros(8, 30))
    with pytest.raises(ValueError, match="received -1"):
        balance_gradients(net, sample=torch.zeros(8, 30), steps=-1)


def test_every_parameter_is_moved_as_far_and_elsewhere():
    net = FCN(inputs=30, outputs=2, depth=3, width=20)
    trained = FCN(inputs=30, outputs=2, depth=3, width=20, seed=1)
    moved = move_as_far(copy.deepcopy(net), trained, seed=3)
    for p, q, r in zip(net.parameters(), trained.parameters(), moved.parameters(), strict=True):
        assert (r - p).norm().item() == pytest.approx((q - p).norm().item(), rel=1e-4, abs=1e-7)
        if p.numel() > 100:  # in high dimensions a random direction is nearly at right angles
            cosine = F.cosine_similarity((r - p).flatten(), (q - p).flatten(), dim=0)
            assert abs(cosine.item()) < 0.3
    again = move_as_far(copy.deepcopy(net), trained, seed=3)
    assert all(torch.equal(a, b) for a, b in zip(moved.parameters(), again.parameters(), strict=True))


def test_the_study_keeps_what_a_start_is_like_and_goes_on_from_its_log(tmp_path, monkeypatch):
    sizes = ({"depth": 4, "width": 16, "epochs": 2, "train": 64, "warm_up_steps": 3},)
    asked = {"out": tmp_path, "seeds": (0, 1), "sizes": sizes, "profile": "smoke", "jobs": 1}
    table = initialisations.study(starts=("default", "biases at 1", "balanced on noise"), **asked)
    assert len(table) == 3 * 2 * 2 and table["chosen"].sum() == 3 * 2
    assert table[["gradient_ratio", "geometry", "test_accuracy"]].notna().all(axis=None)
    starts = table.groupby("start")["gradient_ratio"]
    assert starts.nunique().eq(2).all()  # of a start and seed the rate of training changes nothing

    monkeypatch.setattr("guidelib.experiments.tuning.run_grid", lambda configs, **options: [] if not list(
        configs) else pytest.fail("it runs again what it has"))
    again = initialisations.study(starts=("default", "biases at 1", "balanced on noise"), **asked)
    assert again.astype(str).equals(table.astype(str))


@pytest.mark.parametrize(("moments", "expected"), [
    (["start", 1, 2], (4.0, 0.6)), (["start", "warmed up", 1], (8.0, 0.9))])
def test_a_start_is_what_it_is_before_the_first_step_on_data(moments, expected):
    probe = {"moments": moments, "gradient": [[4.0, 1.0, 9.0], [16.0, 2.0, 9.0], [1.0, 1.0, 1.0]],
             "geometry": [[0.8, 0.6, 0.1], [0.8, 0.9, 0.1], [0.0, 0.0, 0.0]]}
    metrics = dict.fromkeys(("test_accuracy", "validation_accuracy", "status", "steps", "n_test"), 1)
    row = initialisations.found({"curves": {"probe": probe}, "metrics": metrics, "duration_s": 1.0,
                                 "environment": {"device": "cpu"}}, {})
    assert (row["gradient_ratio"], row["geometry"]) == expected
