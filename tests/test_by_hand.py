"""The method on one page is the method: guide() and warm_up() give the same losses and gradients.

Step by step, in float64.
"""

import copy
import inspect

import pytest
import torch
from models import batch, mlp
from torch import nn

import guidelib as gl
from guidelib.guidance import by_hand

STEPS = 3


def deep():
    """A fully connected net with BatchNorm, guided by a ResNet."""
    target = gl.networks.FCN(inputs=16, outputs=3, depth=6, width=8, seed=0)
    return target, gl.networks.ResNet(channels=1, outputs=3, width=4, seed=1)


def small():
    """A convolutional net guided by a fully connected one that has more layers."""
    target = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Conv2d(4, 5, 2), nn.Flatten(), nn.Linear(5, 3))
    return target, mlp(16, 8, 8, 8, 3)


@pytest.fixture(params=[deep, small])
def nets(request):
    """(target, its copy, guide) in float64, the guide's running statistics no longer the initial ones."""
    torch.manual_seed(0)
    target, guide = request.param()
    guide.double().train()(3 * batch(20, seed=9, dtype=torch.float64) + 1)
    return target.double(), copy.deepcopy(target).double(), guide


def same(ours, theirs):
    return torch.allclose(ours, theirs, rtol=1e-10, atol=1e-10)


def test_three_steps_on_data(nets):
    target, twin, guide = nets
    ours, theirs = (torch.optim.SGD(net.parameters(), lr=0.1) for net in (target, twin))
    cross_entropy = nn.functional.cross_entropy
    y = torch.arange(12) % 3
    with gl.guide(twin, guide, weight=0.7) as g:
        for step in range(STEPS):
            x = batch(12, seed=step, dtype=torch.float64)
            by_page = by_hand.train_step(target, guide, x, y, task_loss=cross_entropy, optimizer=ours,
                                         weight=0.7)
            loss = cross_entropy(twin(x), y) + g.loss()
            theirs.zero_grad()
            loss.backward()
            theirs.step()
            assert same(by_page, loss.detach())
            for p, q in zip(target.parameters(), twin.parameters(), strict=True):
                assert same(p.grad, q.grad)
                assert same(p, q)
            assert g.misalignment.sum() > 0.1


def test_three_steps_of_a_warm_up(nets):
    target, twin, guide = nets
    noise = torch.Generator().manual_seed(5)
    losses = []
    optimizer = torch.optim.SGD(target.parameters(), lr=0.1)
    for _ in range(STEPS):
        x = torch.randn(12, 1, 4, 4, generator=noise, dtype=torch.float64)
        losses.append(by_hand.warm_up_step(target, guide, x, optimizer=optimizer).item())
    sample = batch(dtype=torch.float64)
    theirs = torch.optim.SGD(twin.parameters(), lr=0.1)
    history = gl.warm_up(twin, guide, sample=sample, steps=STEPS, optimizer=theirs, seed=5)
    assert losses == pytest.approx(history["loss"].tolist(), rel=1e-10)
    assert losses[0] != losses[1]
    assert all(same(a, b) for a, b in zip(target.parameters(), twin.parameters(), strict=True))


def test_the_pairs_are_those_of_the_plan(nets):
    target, _, guide = nets
    with gl.guide(target, guide) as g:
        plan = g.plan(batch(dtype=torch.float64)).query("reason == ''")

    def names(net):
        """Of the layers of the page, without the last."""
        by_id = {id(module): name for name, module in net.named_modules()}
        return [by_id[id(layer)] for layer in by_hand.layers(net)][:-1]

    own, others = names(target), names(guide)
    pairs = [(own[i], others[j]) for i, j in by_hand.pairs(len(own), len(others))]
    assert pairs == list(zip(plan["target"], plan["guide"], strict=True))


def test_the_tolerance_can_fail(nets):
    """Another weight, or the guide in training mode, is seen."""
    target, twin, guide = nets
    x = batch(dtype=torch.float64)
    _, misalignment = by_hand.guided(target, guide, x)
    with gl.guide(twin, guide, weight=1 + 1e-8) as g:
        twin(x)
        assert not same(g.loss(), misalignment)
    if any(isinstance(m, nn.BatchNorm2d) for m in guide.modules()):
        with gl.guide(twin, gl.Guide(guide, norm="batch")) as g:
            twin(x)
            assert not torch.allclose(g.loss(), misalignment, rtol=1e-3)


def test_it_is_one_page_and_needs_torch_alone():
    lines = inspect.getsource(by_hand).splitlines()
    assert len(lines) <= 70
    assert [line for line in lines if "import " in line] == ["import torch"]
