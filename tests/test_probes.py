"""Linear probes: closed forms, scikit-learn's decoder by hand, chance where nothing can be read."""

import numpy as np
import pytest
import torch
from models import Reused
from torch import nn

from guidelib.analysis.probes import _classifier, linear_probe, probe_layers
from guidelib.guidance import capture
from guidelib.networks.seeding import seeded
from guidelib.tasks import digits


def rand(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def classes(n, k=3, seed=0):
    return torch.randint(k, (n,), generator=torch.Generator().manual_seed(seed))


def net(seed=0):
    with seeded(seed):
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 40), nn.BatchNorm1d(40), nn.ReLU(), nn.Dropout(0.5),
                             nn.Linear(40, 10))


@pytest.fixture(scope="module")
def task():
    return digits(train=300)


# One probe

@pytest.mark.parametrize(("n", "signal"), [(30, 3), (200, 0.8)])  # fewer and more examples than features
def test_ridge_by_the_normal_equations(n, signal):
    x, y = rand(n, 50) + 3, classes(n)
    test_x, test_y = rand(80, 50, seed=1) + 3, classes(80, seed=1)
    x[:, :3] += signal * nn.functional.one_hot(y, 3)
    test_x[:, :3] += signal * nn.functional.one_hot(test_y, 3)
    mean, deviation = x.mean(0), x.std(0, correction=0)
    z, test_z = ((a - mean) / deviation for a in (x, test_x))
    codes = 2 * nn.functional.one_hot(y, 3).double() - 1
    w = torch.linalg.solve(z.T @ z + 7 * torch.eye(50), z.T @ (codes - codes.mean(0)))
    expected = ((test_z @ w + codes.mean(0)).argmax(1) == test_y).double().mean().item()
    found = linear_probe(x.float(), y, test_x.float(), test_y, penalty=7)
    assert found.accuracy == pytest.approx(expected)
    assert (found.penalty, found.features, found.n_train, found.n_test) == (7, 50, n, 80)
    assert 0.4 < found.accuracy < 0.95


def test_logistic_is_at_its_optimum():
    """The gradient of summed cross-entropy plus penalty times squared weights is 0 at sklearn's decoder."""
    x, y = rand(60, 4), classes(60)
    decoder = _classifier("logistic", 3.0).set_params(tol=1e-10).fit(x.numpy(), y.numpy())
    w, b = (torch.tensor(a, requires_grad=True) for a in (decoder.coef_, decoder.intercept_))
    loss = nn.functional.cross_entropy(x @ w.T + b, y, reduction="sum") + 3 * w.square().sum()
    loss.backward()
    assert w.grad.abs().max() < 1e-4
    assert b.grad.abs().max() < 1e-4
    assert (6 * w).abs().max() > 0.1  # the penalty's part of that gradient


@pytest.mark.parametrize("method", ["ridge", "logistic"])
def test_what_is_there_is_read_and_what_is_not_is_at_chance(method):
    y, test_y = classes(600), classes(3000, seed=1)
    noise, test_noise = rand(600, 20), rand(3000, 20, seed=2)
    centres = 6 * rand(3, 20, seed=5)
    seen = linear_probe(centres[y] + noise, y, centres[test_y] + test_noise, test_y, method=method)
    blind = linear_probe(noise, y, test_noise, test_y, method=method)
    assert seen.accuracy > 0.999
    assert blind.accuracy == pytest.approx(1 / 3, abs=4 * (2 / 9 / 3000) ** 0.5)


def test_a_ring_is_not_linear():
    """Points inside and outside a circle: no linear decoder sees them, one of the squares does."""
    x, test_x = rand(500, 2), rand(2000, 2, seed=1)
    y, test_y = ((a.square().sum(1) > 1.4).long() for a in (x, test_x))
    plain = linear_probe(x, y, test_x, test_y)
    squared = linear_probe(x.square(), y, test_x.square(), test_y)
    assert plain.accuracy < plain.chance + 0.05
    assert squared.accuracy > 0.8


def test_chance_is_the_most_frequent_training_label():
    y, test_y = torch.tensor([0, 0, 0, 1]), torch.tensor([0, 1, 1, 1, 1])
    assert linear_probe(rand(4, 2), y, rand(5, 2), test_y).chance == 0.2


def test_penalty_is_chosen_on_the_training_examples_alone():
    x, y = rand(40, 200), classes(40)
    test_x = rand(50, 200, seed=1)
    noise = linear_probe(x, y, test_x, classes(50, seed=1))
    assert noise.penalty == linear_probe(x, y, 100 * test_x, classes(50, seed=2)).penalty
    told = torch.cat([x, 9.0 * nn.functional.one_hot(y, 3)], 1)
    assert noise.penalty > linear_probe(told, y, rand(50, 203), classes(50)).penalty


def test_probe_does_not_see_scale_or_shift_and_does_not_draw():
    y, test_y = classes(100), classes(99, seed=1)
    x = rand(100, 8) + nn.functional.one_hot(y, 8)
    test_x = rand(99, 8, seed=1)
    streams = torch.get_rng_state(), np.random.get_state()[1].copy()
    expected = linear_probe(x, y, test_x, test_y)
    assert linear_probe(1e-3 * x + 5, y, 1e-3 * test_x + 5, test_y) == expected
    assert linear_probe(x.view(100, 2, 2, 2), y, test_x.view(99, 2, 2, 2), test_y) == expected
    assert torch.equal(streams[0], torch.get_rng_state())
    assert (streams[1] == np.random.get_state()[1]).all()


def test_a_dead_layer_is_at_chance():
    y, test_y = torch.tensor([0, 0, 1, 2]), torch.tensor([0, 1, 2])
    found = linear_probe(torch.full((4, 3), 0.1), y, torch.full((3, 3), 0.1), test_y)
    assert found.accuracy == found.chance == pytest.approx(1 / 3)


@pytest.mark.parametrize(("change", "words"), [
    ({"labels": torch.zeros(6, 2)}, r"received \(6, 4\) and \(6, 2\)"),
    ({"labels": torch.zeros(6)}, r"two classes or more.*only \[0.0\]"),
    ({"features": torch.full((6, 4), torch.nan)}, r"features \(6, 4\) hold 24 values that are not finite"),
    ({"test_features": torch.zeros(6, 5)}, r"\(6, 4\) and \(6, 5\)"),
    ({"method": "forest"}, "'forest'"),
    ({"penalty": 0}, "received 0"),
])
def test_wrong_input_is_repeated(change, words):
    y = torch.tensor([0, 1] * 3)
    x = torch.ones(6, 4)
    options = {"features": x, "labels": y, "test_features": x, "test_labels": y} | change
    with pytest.raises(ValueError, match=words):
        linear_probe(**options)


# Layer by layer

def test_layers_are_those_of_capture(task):
    model = net()
    table = probe_layers(model, task, train=200, test=150, penalty=10, batch_size=64).set_index("layer")
    x, y = (part[:200] for part in task.train)
    test_x, test_y = (part[:150] for part in task.test)
    assert table.index.tolist() == ["input", "1", "5"]
    assert table["features"].tolist() == [64, 40, 10]
    assert set(table["n_train"]) == {200}
    assert set(table["n_test"]) == {150}
    train_side, test_side = capture(model, x), capture(model, test_x)
    for name in ("1", "5"):
        probe = linear_probe(train_side[name], y, test_side[name], test_y, penalty=10)
        assert table.loc[name, "accuracy"] == probe.accuracy
    assert table.loc["input", "accuracy"] > 0.8 > 3 * table.loc["input", "chance"]


def test_a_layer_of_the_users_choice(task):
    table = probe_layers(net(), task, layers=["3", "1"], penalty=1)
    assert table["layer"].tolist() == ["input", "3", "1"]
    assert table["n_train"].tolist() == [300] * 3
    assert table["n_test"].tolist() == [497] * 3
    with pytest.raises(ValueError, match=r"no layers \['9'\]: choose from \['0', '1'"):
        probe_layers(net(), task, layers=["9"])


def test_each_call_of_a_reused_layer_is_a_row(task):
    model = nn.Sequential(nn.AvgPool2d(2), Reused())
    table = probe_layers(model, task, penalty=1)
    assert table["layer"].tolist() == ["input", "1.shared[0]", "1.shared[1]", "1.head"]


def test_the_network_is_left_as_found(task):
    model = net()
    model[2].eval()
    flags = [m.training for m in model.modules()]
    state = {name: t.clone() for name, t in model.state_dict().items()}
    first, again = (probe_layers(model, task, penalty=1) for _ in range(2))
    assert first.equals(again)
    assert [m.training for m in model.modules()] == flags
    assert all(torch.equal(t, state[name]) for name, t in model.state_dict().items())
    assert not any(m._forward_hooks for m in model.modules())


def test_depth_loses_what_a_linear_decoder_reads(task):
    """A random network that squeezes 64 pixels through 2 units: what follows knows less than the input."""
    with seeded(0):
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 2), nn.Linear(2, 64))
    table = probe_layers(model, task).set_index("layer")["accuracy"]
    assert table["input"] > table["1"] + 0.3
    assert table["2"] == pytest.approx(table["1"], abs=0.03)
