"""The effective-dimension regulariser: closed forms, gradients, the dimension it reaches, its hooks."""

import copy
import math

import pytest
import torch
from models import Counted, FunctionalInPlace, Reused, SkipsLayers, batch, convnet, hooks, mlp
from torch import nn

import guidelib as gl
from guidelib import analysis
from guidelib.baselines.regularisers import keep_dimension, spectrum_loss
from guidelib.similarity import gram, participation_ratio


def rand(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def hidden(net, x):
    """Outputs of the Linear layers of an mlp, but the last."""
    found = []
    for module in net:
        x = module(x)
        if isinstance(module, nn.Linear):
            found.append(x)
    return found[:-1]


# The two measures

@pytest.mark.parametrize(("n", "p"), [(30, 12), (8, 50)])
def test_participation_ratio_is_that_of_analysis(n, p):
    x = rand(n, p) * torch.linspace(0.1, 3, p) + 4
    assert participation_ratio(gram(x)).item() == pytest.approx(analysis.effective_dimension(x), rel=1e-10)
    stack = torch.stack([gram(x), gram(x.flip(0) ** 2)])
    one_by_one = [participation_ratio(k).item() for k in stack]
    assert participation_ratio(stack).tolist() == pytest.approx(one_by_one)


def test_participation_ratio_by_closed_form():
    assert participation_ratio(gram(torch.eye(9))).item() == pytest.approx(8)
    line = torch.arange(9.0)[:, None] * torch.ones(4)
    assert participation_ratio(gram(line)).item() == pytest.approx(1)
    assert participation_ratio(gram(1e15 * torch.eye(9))).item() == pytest.approx(8)
    assert participation_ratio(torch.zeros(5, 5)) == 0


def test_spectrum_loss_by_the_papers_formula():
    """Equations 10 to 14, from the singular values of the centred activations."""
    x = rand(20, 15) * torch.linspace(0.2, 3, 15)
    t, tau, beta = 6, 0.8, 12.0
    values = torch.linalg.svdvals(x - x.mean(0)).square()
    c = (values / values.sum()).cumsum(0)
    below = sum(torch.sigmoid(beta * (c[j] - tau)) for j in range(t - 1))
    expected = below + torch.sigmoid(beta * (tau - c[t - 1]))
    loss = spectrum_loss(gram(x), t, threshold=tau, sharpness=beta)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-10)
    stack = torch.stack([gram(x), gram(x[:, :4])])
    one_by_one = [spectrum_loss(stack[0], 6).item(), spectrum_loss(stack[1], 2).item()]
    assert spectrum_loss(stack, torch.tensor([6, 2])).tolist() == pytest.approx(one_by_one)


def components(x):
    """PCA's intrinsic dimension, equation 9: the components that hold more than 0.9 of the variance."""
    shares = torch.linalg.svdvals(x - x.mean(0)).square()
    return int(((shares / shares.sum()).cumsum(0) <= 0.9).sum()) + 1


def test_a_sharp_spectrum_loss_counts_components():
    """Below by m components: the loss is m. Above: it is 1. There: 0."""
    x = rand(30, 30)
    d = components(x)
    told = (d - 3, d - 1, d, d + 1, d + 4)
    losses = [spectrum_loss(gram(x), t, threshold=0.9, sharpness=1e5).item() for t in told]
    assert losses == pytest.approx([1, 1, 0, 1, 4], abs=1e-6)


@pytest.mark.parametrize("measure", [
    participation_ratio, lambda k: spectrum_loss(k, 3, threshold=0.7, sharpness=5.0),
], ids=["pr", "spectrum"])
def test_derivatives(measure):
    x = rand(7, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: measure(gram(x)), x)
    dead = torch.full((6, 3), 0.1, requires_grad=True)
    measure(gram(dead)).backward()
    assert torch.equal(dead.grad, torch.zeros(6, 3))


# The handle

def test_loss_is_the_sum_over_layers():
    net, x = mlp(16, 20, 12, 3), batch(n=30)
    with keep_dimension(net, dimension=5) as r:
        net(x)
        loss = r.loss()
        table = r.report()
    ratios = [analysis.effective_dimension(h) for h in hidden(net, x)]
    assert loss.item() == pytest.approx(sum(math.log(v / 5) ** 2 for v in ratios), rel=1e-4)
    assert table["layer"].tolist() == ["1", "4"]
    assert table["n"].tolist() == [30, 30]
    assert table["dimension"].tolist() == [5, 5]
    assert table["participation_ratio"].tolist() == pytest.approx(ratios, rel=1e-4)
    assert table["loss"].sum() == pytest.approx(loss.item(), rel=1e-5)


def test_loss_is_0_where_the_dimension_is_right_and_symmetric_in_the_logarithm():
    net, x = mlp(16, 20, 3), batch(n=30)
    ratio = analysis.effective_dimension(hidden(net, x)[0])
    for factor, expected in ((1, 0), (2, math.log(2) ** 2), (0.5, math.log(2) ** 2)):
        with keep_dimension(net, dimension=ratio * factor) as r:
            net(x)
            assert r.loss().item() == pytest.approx(expected, abs=1e-6)


def test_gradient_is_that_of_the_composite():
    net, x = mlp(16, 20, 12, 3).double(), batch(n=30, dtype=torch.float64)
    with keep_dimension(net, dimension=4, weight=0.3) as r:
        net(x)
        r.loss().backward()
    found = [p.grad.clone() for p in net[:5].parameters()]
    ratios = torch.stack([participation_ratio(gram(h)) for h in hidden(net, x)])
    loss = 0.3 * (ratios / 4).log().square().sum()
    expected = torch.autograd.grad(loss, list(net[:5].parameters()))
    for grad, wanted in zip(found, expected, strict=True):
        assert torch.allclose(grad, wanted, rtol=1e-9, atol=1e-12)
    assert net[-1].weight.grad is None  # nothing asks the logits


@pytest.mark.parametrize("dimension", [12, 2])
def test_it_brings_layers_to_their_dimension(dimension):
    net, x = mlp(16, 30, 30, 30, 3), batch(n=60)
    before = [analysis.effective_dimension(h) for h in hidden(net, x)]
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    with keep_dimension(net, dimension=dimension) as r:
        for _ in range(150):
            net(x)
            optimizer.zero_grad()
            r.loss().backward()
            optimizer.step()
    after = [analysis.effective_dimension(h) for h in hidden(net, x)]
    assert all(2.4 < v < 10.2 for v in before)
    assert after == pytest.approx([dimension] * 3, rel=0.05)


def test_the_papers_loss_raises_the_count_of_components():
    net, x = mlp(16, 30, 30, 3), batch(n=60)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    losses = []
    with keep_dimension(net, dimension=4, measure="spectrum", threshold=0.9, sharpness=20.0) as r:
        for _ in range(150):
            net(x)
            losses.append(r.loss())
            optimizer.zero_grad()
            losses[-1].backward()
            optimizer.step()
    for h in hidden(net, x):
        assert components(h) in (4, 5)
    assert losses[-1] < 1.5 < losses[0]


def test_layers_and_dimensions_by_name():
    net, x = mlp(16, 20, 12, 12, 3), batch(n=30)

    def wanted(**options):
        with keep_dimension(net, **options) as r:
            net(x)
            r.loss()
            return dict(r.report()[["layer", "dimension"]].values.tolist())

    assert wanted(dimension=3) == {"1": 3, "4": 3, "7": 3}
    assert wanted(dimension=3, layers=["7", "2"]) == {"7": 3, "2": 3}  # a ReLU too, if it is named
    # A later glob wins, and none finds the logits.
    assert wanted(dimension={"1": 9, "*": 3}) == {"1": 3, "4": 3, "7": 3}
    assert wanted(dimension={"1": 9, "7": 2}) == {"1": 9, "7": 2}
    message = r"no target layer that ran matches 'conv\*'; the layers are \['1', '4', '7', '10'\]"
    with pytest.raises(ValueError, match=message):
        wanted(dimension=3, layers=["conv*"])


def test_reused_skipped_and_in_place_layers():
    x = batch(n=20)
    net = Reused()
    with keep_dimension(net, dimension=3) as r:
        net(x)
        r.loss()
        assert r.report()["layer"].tolist() == ["shared[0]", "shared[1]"]
    net = SkipsLayers()
    with keep_dimension(net, dimension=3) as r:
        for skip, layers in ((False, ["first", "middle"]), (True, ["first"])):
            net.skip = skip
            net(x)
            r.loss().backward()
            assert r.report()["layer"].tolist() == layers
    net = FunctionalInPlace()
    with keep_dimension(net, dimension=3) as r:
        net(x)
        r.loss()
        found = r.report()["participation_ratio"].item()
    first = net.first(x.flatten(1))
    assert found == pytest.approx(analysis.effective_dimension(first), rel=1e-4)


def test_convolutions_and_one_forward_a_step():
    net, x = Counted(convnet()), batch(n=16)
    with keep_dimension(net, dimension=6) as r:
        (net(x).square().mean() + r.loss()).backward()
        assert net.count == 1
        assert r.report()["layer"].tolist() == ["net.0", "net.4", "net.6"]


@pytest.mark.parametrize("measure", ["participation", "spectrum"])
def test_a_dead_layer_and_autocast(measure):
    net, x = mlp(16, 20, 3), batch(n=20)
    with keep_dimension(net, dimension=4, measure=measure) as r:
        net(x)
        plain = r.loss()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            net(x)
            loss = r.loss()
        assert loss.dtype == torch.float32
        assert loss.item() == pytest.approx(plain.item(), abs=0.05)
        nn.init.zeros_(net[1].weight)
        net(x)
        loss = r.loss()
        loss.backward()
    assert torch.isfinite(loss)
    assert torch.equal(net[1].weight.grad, torch.zeros_like(net[1].weight))


def test_hooks_are_removed():
    net, x = mlp(16, 20, 3), batch()
    with keep_dimension(net, dimension=3) as r:
        assert hooks(net) > 0
        twin = copy.deepcopy(net)
    assert hooks(net) == 0
    twin(x)  # its hooks are inert
    with pytest.raises(RuntimeError, match=r"after remove\(\)"):
        r.loss()
    r.remove()
    with pytest.raises(ZeroDivisionError), keep_dimension(net, dimension=3):
        raise ZeroDivisionError
    assert hooks(net) == 0


def test_steps_weights_and_stopping():
    net, x = mlp(16, 20, 3), batch()
    steps, losses = [], []

    def weight(step):
        steps.append(step)
        return float(step)

    with keep_dimension(net, dimension=3, weight=weight, stop_after=3) as r:
        for _ in range(3):
            net(x)
            losses.append(r.loss().item())
        assert r.stopped
        assert hooks(net) == 0
        assert r.loss() == 0
        state = r.state_dict()
    assert steps == [0, 1, 2]
    assert losses[0] == 0
    assert losses[1] > 0
    assert losses[2] == pytest.approx(2 * losses[1])
    resumed = keep_dimension(net, dimension=3, stop_after=3)
    resumed.load_state_dict(state)
    assert resumed.stopped
    assert hooks(net) == 0


def test_forwards_that_are_not_there():
    net, x = mlp(16, 20, 3), batch()
    with keep_dimension(net, dimension=3) as r:
        with pytest.raises(RuntimeError, match="no forward of the target"):
            r.loss()
        with torch.no_grad():
            net(x)
        with pytest.raises(RuntimeError, match="no forward of the target"):
            r.loss()
        with pytest.raises(RuntimeError, match="there was none yet"):
            r.report()
        net(x)
        net(x)
        with pytest.raises(RuntimeError, match="2 forwards"):
            r.loss()
        net(x)
        r.reset()
        net(x)
        assert r.loss() > 0


def test_a_batch_too_small_is_an_error_and_the_next_step_works():
    net = mlp(16, 20, 3)
    with keep_dimension(net, dimension=10) as r:
        net(batch(n=10))
        with pytest.raises(ValueError, match="dimension 10 cannot be reached with n = 10"):
            r.loss()
        net(batch(n=12))
        assert torch.isfinite(r.loss())


@pytest.mark.parametrize(("options", "error", "words"), [
    ({"dimension": 0.5}, ValueError, "received 0.5"),
    ({"dimension": {"1": "many"}}, ValueError, "'many'"),
    ({"dimension": 2.5, "measure": "spectrum"}, ValueError, "whole for measure='spectrum'.*received 2.5"),
    ({"measure": "rank"}, ValueError, "'rank'"),
    ({"layers": "1"}, ValueError, "layers is a list.*'1'"),
    ({"layers": ["1"], "dimension": {"1": 3}}, ValueError, "names the layers already"),
    ({"weight": "big"}, TypeError, "received str"),
    ({"stop_after": -1}, ValueError, "received -1"),
    ({"threshold": 1.0}, ValueError, "received 1.0"),
])
def test_wrong_options_are_repeated(options, error, words):
    net = mlp(16, 20, 3)
    with pytest.raises(error, match=words):
        keep_dimension(net, **({"dimension": 3} | options))
    assert hooks(net) == 0


def test_targets_that_cannot_be_hooked():
    with pytest.raises(TypeError, match="received Tensor"):
        keep_dimension(torch.zeros(1), dimension=3)
    with pytest.raises(ValueError, match="compiled already"):
        keep_dimension(torch.compile(mlp(16, 20, 3)), dimension=3)
    net = nn.Linear(16, 3)
    with keep_dimension(net, dimension=3) as r:
        net(batch().flatten(1))
        with pytest.raises(ValueError, match="no layer besides its last"):
            r.loss()


def test_beside_a_guide_on_the_same_target():
    net, x = mlp(16, 20, 3), batch(n=20)
    with gl.guide(net, convnet()) as g, keep_dimension(net, dimension=3) as r:
        net(x)
        guided, kept = g.loss().item(), r.loss().item()
        net(x)
        assert (r.loss().item(), g.loss().item()) == (kept, guided)  # in either order
    assert hooks(net) == 0


def test_weight_0_asks_nothing_of_the_layers():
    net, x = mlp(16, 20, 3), batch() * math.nan
    with keep_dimension(net, dimension=3, weight=0) as r:
        net(x)
        assert r.loss() == 0
    with keep_dimension(net, dimension=3) as r:
        net(x)
        assert torch.isnan(r.loss())  # what is not a number stays so


def test_only_the_chosen_layers_are_listened_to():
    net, x = mlp(16, 20, 12, 12, 3), batch(n=20)
    with keep_dimension(net, dimension=3, layers=["1"]) as r:
        before = hooks(net)
        net(x)
        r.loss()
        assert hooks(net) == before - 3
        net(x)
        assert r.loss() > 0
