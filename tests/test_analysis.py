"""Analysis: dimensions that are known, an estimate that is unbiased, gradients as autograd leaves them."""

import itertools
import math

import pandas as pd
import pytest
import torch
from torch import nn

from guidelib.analysis.dimension import effective_dimension, effective_dimension_by_layer
from guidelib.analysis.gradients import gradient_norms
from guidelib.analysis.overfitting import generalisation_gap
from guidelib.guidance import capture


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


# Generalisation gap

def test_gap_is_positive_when_overfitting():
    table = pd.DataFrame({"train_accuracy": [0.5, 1.0], "validation_accuracy": [0.5, 0.75],
                          "train_loss": [2.0, 0.25], "validation_loss": [2.0, 1.0]})
    assert generalisation_gap(table).tolist() == [0.0, 0.25]
    assert generalisation_gap(table, metric="loss").tolist() == [0.0, 0.75]


def test_gap_refuses_another_metric():
    with pytest.raises(ValueError, match="'error'"):
        generalisation_gap(pd.DataFrame(), metric="error")


# Effective dimension of the examples

@pytest.mark.parametrize("n", [30, 12, 5])  # more, as many and fewer examples than features
def test_dimension_by_its_definition(n):
    x = normal(n, 12) * torch.linspace(0.1, 3, 12, dtype=torch.float64) + 5
    eigenvalues = torch.linalg.eigvalsh(torch.cov(x.T))
    expected = eigenvalues.sum() ** 2 / eigenvalues.square().sum()
    assert effective_dimension(x) == pytest.approx(expected.item(), rel=1e-12)


@pytest.mark.parametrize("n", [2, 7, 40])
def test_dimension_of_unit_vectors_is_n_minus_1(n):
    assert effective_dimension(torch.eye(n)) == pytest.approx(n - 1, rel=1e-12)


@pytest.mark.parametrize("corrected", [False, True])
def test_dimension_of_a_line_is_1(corrected):
    x = torch.arange(20.0)[:, None] * torch.arange(1.0, 6.0) + 3
    assert effective_dimension(x, corrected=corrected) == pytest.approx(1, rel=1e-12)


def test_dimension_of_isotropic_features_tends_to_p():
    """E close to p n / (n + p): 1 part in 500 below p here, and the standard error is smaller."""
    assert effective_dimension(normal(10_000, 20)) == pytest.approx(20 * 10_000 / 10_020, rel=2e-3)


def test_dimension_of_a_spectrum_by_closed_form():
    scale = torch.tensor([4.0, 2.0, 1.0, 1.0], dtype=torch.float64)
    expected = scale.square().sum() ** 2 / scale.pow(4).sum()
    assert effective_dimension(normal(200_000, 4) * scale) == pytest.approx(expected.item(), rel=0.01)


def test_dimension_is_at_most_n_minus_1_and_at_most_p():
    for n, p in ((10, 500), (500, 10)):
        assert effective_dimension(normal(n, p)) <= min(n - 1, p)


@pytest.mark.parametrize("corrected", [False, True])
def test_dimension_does_not_see_rotation_scale_or_shift(corrected):
    x = normal(15, 6) * torch.arange(1.0, 7.0)
    rotation = torch.linalg.qr(normal(6, 6, seed=1)).Q
    expected = effective_dimension(x, corrected=corrected)
    order = torch.randperm(15, generator=torch.Generator().manual_seed(0))
    for y in (x @ rotation, x * 1e-4, x + 100, x[order], x.view(15, 2, 3)):
        assert effective_dimension(y, corrected=corrected) == pytest.approx(expected, rel=1e-8)
    stretched = effective_dimension(x * torch.arange(1.0, 7.0), corrected=corrected)
    assert stretched != pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_dimension_of_any_float(dtype):
    x = normal(50, 8).to(dtype)
    assert effective_dimension(x) == pytest.approx(effective_dimension(x.double()), rel=1e-12)


def test_dimension_takes_no_part_in_a_gradient():
    x = normal(10, 3).requires_grad_()
    assert isinstance(effective_dimension(x), float)
    assert x.grad is None


@pytest.mark.parametrize("corrected", [False, True])
def test_dimension_of_constant_and_of_missing_values(corrected):
    for n in range(4, 30):  # the mean of n times 0.1 is often not 0.1
        assert effective_dimension(torch.full((n, 3), 0.1, dtype=torch.float64), corrected=corrected) == 0.0
    x = normal(10, 3)
    x[4, 1] = math.nan
    assert math.isnan(effective_dimension(x, corrected=corrected))


@pytest.mark.parametrize(("shape", "corrected", "needed"), [
    ((1, 5), False, 2), ((3, 5), True, 4), ((7,), False, 2)])
def test_dimension_refuses_too_few_examples(shape, corrected, needed):
    with pytest.raises(ValueError, match=rf"n >= {needed} examples, received \({shape[0]}"):
        effective_dimension(torch.zeros(shape), corrected=corrected)


# Its correction for few examples

def distinct_means(x):
    """Means over ordered tuples of four distinct examples a, b, c, d.

    (a-b)^2 (c-d)^2 / 4 estimates tr(S)^2, and ((a-b).(c-d))^2 / 4 estimates tr(S^2).
    """
    squares, products = [], []
    for a, b, c, d in itertools.permutations(x, 4):
        u, v = a - b, c - d
        squares.append(u @ u * (v @ v) / 4)
        products.append((u @ v) ** 2 / 4)
    return torch.stack(squares).mean().item(), torch.stack(products).mean().item()


@pytest.mark.parametrize("p", [3, 9])  # fewer and more features than examples
def test_corrected_dimension_is_the_ratio_of_means_over_distinct_examples(p):
    x = normal(7, p) * torch.linspace(0.5, 3, p)
    square, product = distinct_means(x)
    assert effective_dimension(x, corrected=True) == pytest.approx(square / product, rel=1e-10)


def test_correction_finds_the_populations_dimension():
    """100 features seen through 40 examples: the plain ratio says 100 * 40 / 140, the corrected one 100."""
    draws = [normal(40, 100, seed=seed) for seed in range(40)]
    plain = torch.tensor([effective_dimension(x) for x in draws])
    corrected = torch.tensor([effective_dimension(x, corrected=True) for x in draws])
    assert plain.mean().item() == pytest.approx(100 * 40 / 140, rel=0.03)
    error = (corrected.std() / len(draws) ** 0.5).item()
    assert error < 3
    assert corrected.mean().item() == pytest.approx(100, abs=4 * error)


def test_correction_fades_with_n():
    x = normal(4000, 10)
    assert effective_dimension(x, corrected=True) == pytest.approx(effective_dimension(x), rel=0.005)


# By layer

def make_net():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(6, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.5),
                             nn.Linear(12, 4))


def test_dimension_by_layer_is_that_of_each_capture():
    net = make_net()
    x = normal(20, 6, dtype=torch.float32)
    net[3].eval()
    flags = [m.training for m in net.modules()]
    state = {name: t.clone() for name, t in net.state_dict().items()}
    for corrected in (False, True):
        table = effective_dimension_by_layer(net, x, corrected=corrected)
        captured = capture(net, x)
        expected = {name: effective_dimension(a, corrected=corrected) for name, a in captured.items()}
        assert table["layer"].tolist() == ["0", "4"] == list(expected)
        assert table["effective_dimension"].tolist() == list(expected.values())
    assert [m.training for m in net.modules()] == flags
    assert all(torch.equal(t, state[name]) for name, t in net.state_dict().items())


def test_a_linear_layer_adds_no_dimension():
    """12 units of 6 inputs span 6 directions at most."""
    table = effective_dimension_by_layer(make_net(), normal(2000, 6, dtype=torch.float32))
    assert table["effective_dimension"][0] <= 6


# Gradient norms

def test_gradient_norms_are_those_of_backward():
    net = make_net()
    x = normal(20, 6, dtype=torch.float32)
    loss = net(x).square().mean()
    table = gradient_norms(net, loss)
    assert all(p.grad is None for p in net.parameters())
    loss.backward()  # the graph is still there
    expected = []
    for module in (net[0], net[1], net[4]):
        grads = [p.grad.flatten() for p in module.parameters()]
        expected.append(torch.cat(grads).norm().item())
    assert table["layer"].tolist() == ["0", "1", "4"]
    assert table["gradient_norm"].tolist() == pytest.approx(expected, rel=1e-5)
    before = [p.grad.clone() for p in net.parameters()]
    gradient_norms(net, net(x).mean())
    assert all(torch.equal(p.grad, g) for p, g in zip(net.parameters(), before, strict=True))


def test_gradient_norm_by_closed_form():
    """loss = w x with x = (3, 4): the gradient is x, of length 5."""
    net = nn.Linear(2, 1, bias=False)
    table = gradient_norms(net, net(torch.tensor([[3.0, 4.0]])).sum())
    assert table["gradient_norm"].tolist() == [5.0]


def test_modules_that_the_loss_does_not_reach_or_that_are_frozen():
    net = nn.ModuleDict({"used": nn.Linear(2, 2), "idle": nn.Linear(2, 2), "frozen": nn.Linear(2, 2)})
    net["frozen"].requires_grad_(False)
    net["used"].bias.requires_grad_(False)
    loss = net["frozen"](net["used"](torch.ones(1, 2))).sum()
    norms = gradient_norms(net, loss).set_index("layer")["gradient_norm"]
    assert norms["used"] > 0
    assert math.isnan(norms["idle"])
    assert math.isnan(norms["frozen"])


def test_a_shared_weight_counts_in_each_module():
    net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    net[1].weight = net[0].weight
    first, second = gradient_norms(net, net(torch.ones(1, 2)).sum())["gradient_norm"]
    assert first == second > 0


def test_a_network_without_weights_gives_an_empty_table():
    x = torch.ones(1, requires_grad=True)
    assert gradient_norms(nn.ReLU(), x.sum()).columns.tolist() == ["layer", "gradient_norm"]
