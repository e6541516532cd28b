"""From the second step on a layer passes a tap, where its gradient and that of its Gram matrix meet."""

import copy

import pytest
import torch
from models import Checkpointed, SkipsLayers, batch, convnet, mlp
from torch import nn
from torch.utils.checkpoint import checkpoint

import guidelib as gl
from guidelib.similarity import CKA, scaled_gram


def stepped(target, guide, *, steps=3, double=True, **options):
    """[(loss, gradients)] of some steps, the first without taps."""
    found, x = [], batch(dtype=torch.float64 if double else torch.float32)
    with gl.guide(target, guide, **options) as g:
        for _ in range(steps):
            loss = target(x).square().mean() + g.loss()
            grads = torch.autograd.grad(loss, list(target.parameters()), allow_unused=True)
            found.append((loss.item(), grads))
            assert (g.recorder.tap is not None) == (options.get("samples", "batch") == "batch")
    return found


def same(found):
    (loss, grads), *others = found
    return all(other == pytest.approx(loss, rel=1e-10) and all(
        a is b is None or torch.allclose(a, b, rtol=1e-9, atol=1e-12)
        for a, b in zip(grads, each, strict=True))
        for other, each in others)


@pytest.mark.parametrize("make", [
    lambda: mlp(16, 8, 8, 3), lambda: mlp(16, 8, 8, 3, inplace=True), lambda: mlp(16, 8, 3, norm=True),
    lambda: convnet(seed=3).eval(), lambda: convnet(seed=3, inplace=True).eval(), SkipsLayers,
    lambda: Checkpointed(False)])
def test_a_step_with_taps_is_the_step_without(make):
    torch.manual_seed(0)
    assert same(stepped(make().double(), convnet().double()))


def test_a_different_step_would_be_seen():
    found = stepped(mlp(16, 8, 8, 3).double(), convnet().double(), steps=2)
    (loss, grads), _ = found
    assert not same([found[0], (loss * (1 + 1e-8), grads)])
    assert not same([found[0], (loss, [1.0001 * g for g in grads])])


def test_channels_last_and_half_precision():
    target = convnet(seed=3).eval().to(memory_format=torch.channels_last)
    x = batch().to(memory_format=torch.channels_last)
    for dtype in (torch.float32, torch.bfloat16):
        net, guide, grads = copy.deepcopy(target).to(dtype), convnet().to(dtype), []
        with gl.guide(net, guide) as g:
            for _ in range(2):
                net(x.to(dtype))
                grads.append(torch.autograd.grad(g.loss(), net[0].weight)[0].float())
        assert (grads[0] - grads[1]).norm() <= 1e-2 * grads[0].norm() > 0


def test_a_checkpointed_target_as_a_whole():
    net = mlp(16, 8, 8, 3).double()

    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, x):
            return checkpoint(self.net, x, use_reentrant=False)

    assert same(stepped(Whole(), convnet().double()) + stepped(net, convnet().double()))


def test_a_checkpointed_layer_that_is_changed_in_place_is_copied_again_when_computed_again():
    class Part(nn.Module):
        def __init__(self, use):
            super().__init__()
            torch.manual_seed(0)
            self.first, self.middle, self.head = nn.Linear(16, 8), nn.Linear(8, 8), nn.Linear(8, 3)
            self.use = use

        def forward(self, x):
            part = lambda z: self.middle(z).relu_()
            x = self.first(x.flatten(1))
            return self.head(checkpoint(part, x, use_reentrant=False) if self.use else part(x))

    assert same([step for use in (True, False) for step in stepped(Part(use).double(), convnet().double())])


def test_the_losses_may_be_differentiated_apart_in_any_order():
    target, x = mlp(16, 8, 8, 3).double(), batch(dtype=torch.float64)
    (whole, grads), *_ = stepped(target, convnet().double())
    for order in ((0, 1), (1, 0)):
        with gl.guide(target, convnet().double()) as g:
            for step in range(2):
                losses = target(x).square().mean(), g.loss()
            target.zero_grad()
            for i in order:
                losses[i].backward(retain_graph=True)
        assert all(torch.allclose(p.grad, q) for p, q in zip(target.parameters(), grads, strict=True))


def test_the_task_alone_after_a_tap_has_its_own_gradient():
    target, x = mlp(16, 8, 8, 3), batch()
    with gl.guide(target, convnet()) as g:
        target(x)
        g.loss()
        target(x).square().mean().backward()  # a forward whose loss() nobody asks for
        g.reset()
    grads = [p.grad.clone() for p in target.parameters()]
    target.zero_grad()
    target(x).square().mean().backward()
    assert all(torch.allclose(a, p.grad) for a, p in zip(grads, target.parameters(), strict=True))


def test_second_derivatives():
    target, guide, x = mlp(16, 8, 8, 3).double(), convnet().double(), batch(dtype=torch.float64)
    target[2] = target[5] = nn.Tanh()
    found = []
    with gl.guide(target, guide) as g:
        for _ in range(2):
            target(x)
            (grad,) = torch.autograd.grad(g.loss(), target[1].weight, create_graph=True)
            found.append(torch.autograd.grad(grad.square().sum(), target[1].weight)[0])
    assert torch.allclose(found[0], found[1], rtol=1e-8)
    assert found[0].norm() > 0


def test_transforms_of_torch_func():
    target, x = mlp(16, 8, 8, 3).double(), batch(dtype=torch.float64)
    parameters = {name: p.detach() for name, p in target.named_parameters()}
    (_, wanted), *_ = stepped(target, convnet().double())
    with gl.guide(target, convnet().double()) as g:
        def loss(p):
            return torch.func.functional_call(target, p, x).square().mean() + g.loss()

        for _ in range(2):
            grads = torch.func.grad(loss)(parameters)
            assert all(torch.allclose(a, b) for a, b in zip(grads.values(), wanted, strict=True))


def test_the_page_of_a_tap_by_closed_form():
    """dK = dX X^T + X dX^T, so that the gradient of a weighting S of K is (S + S^T) X."""
    generator = torch.Generator().manual_seed(0)
    x, s, t = torch.randn(3, 6, 6, generator=generator, dtype=torch.float64)
    x = x[:, :4].requires_grad_()
    passed, k = gl.similarity.find("cka").tap(x)
    assert torch.equal(passed, x) and torch.equal(k, scaled_gram(x))
    (grad,) = torch.autograd.grad((s * k).sum() + (t[:, :4] * passed).sum(), x)
    assert torch.allclose(grad, (s + s.T) @ x + t[:, :4])
    assert CKA.value(k, k).item() == pytest.approx(1)


def test_the_guide_stops_after_the_last_layer_that_is_asked_for():
    guide, heads = convnet(), []
    guide[8].register_forward_hook(lambda *_: heads.append(1))  # the logits, after the last pair
    target = mlp(16, 8, 8, 3)
    with gl.guide(target, guide) as g:
        losses = []
        for _ in range(3):
            target(batch())
            losses.append(g.loss().item())
    assert len(heads) == 1  # in the first step, which learns the layers
    assert losses[1:] == pytest.approx([losses[0]] * 2)
    assert guide.training


def test_a_guide_that_stops_early_leaves_no_trace():
    guide = convnet()
    with gl.guide(mlp(16, 8, 8, 3), gl.Guide(guide, norm="batch"), layers=[("1", "0")]) as g:
        before = copy.deepcopy(guide.state_dict())
        for _ in range(2):
            g.target(batch())
            g.loss()
    assert all(torch.equal(value, before[name]) for name, value in guide.state_dict().items())
    assert all(module.training for module in guide.modules())
    assert not any(module._forward_hooks for module in guide.modules())
