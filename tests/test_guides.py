"""The guide: it never trains and never changes, whatever its normalisation and its inputs."""

import copy
import warnings

import pytest
import torch
import torch.nn.functional as F
from models import Counted, DictInputs, batch, convnet, hooks, mlp
from torch import nn

import guidelib as gl
from guidelib.guidance import Call, capture


def features(guide, *args, keys=None, **kwargs):
    """{layer name: features} of one run of a guide."""
    found = {}
    guide.run(Call(args, kwargs), lambda o: found.update({o.key[0]: o.x}), keys=keys)
    return found


def trained_a_little():
    """A convnet whose running statistics are not the initial ones, its flags mixed."""
    net = convnet().train()
    for seed in range(3):
        net(3 * batch(seed=seed) + 1)
    net[1].eval()
    return net


@pytest.mark.parametrize("norm", ["running", "batch", "recalibrated"])
def test_nothing_of_the_guide_changes(norm):
    net = trained_a_little()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    flags = [m.training for m in net.modules()]
    grads = [p.requires_grad for p in net.parameters()]
    guide = gl.Guide(net, norm=norm, sample=batch(seed=7) if norm == "recalibrated" else None)
    target = mlp(16, 8, 8, 3)
    optimizer = torch.optim.SGD(target.parameters(), lr=0.1)
    with gl.guide(target, guide) as g:
        for step in range(3):
            (target(batch(seed=step)).square().mean() + g.loss()).backward()
            optimizer.step()
        assert not set(map(id, target.parameters())) & set(map(id, net.parameters()))
        assert target.state_dict().keys() == mlp(16, 8, 8, 3).state_dict().keys()
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert [m.training for m in net.modules()] == flags
    assert [p.requires_grad for p in net.parameters()] == grads
    assert all(p.grad is None for p in net.parameters())
    assert hooks(net) == 0


def reference(net, x, norm):
    """Output of the second convolution, written out with functions, for each policy; dropout off."""
    first, between, second = net[0], net[1], net[4]
    a = F.conv2d(x, first.weight, first.bias, padding=1)
    if norm == "running":
        mean, var = between.running_mean, between.running_var
    else:
        mean = a.mean((0, 2, 3))
        # Running statistics keep the unbiased variance.
        var = a.var((0, 2, 3), unbiased=norm == "recalibrated")
    a = (a - mean[:, None, None]) / (var[:, None, None] + between.eps).sqrt()
    a = a * between.weight[:, None, None] + between.bias[:, None, None]
    return F.conv2d(F.relu(a), second.weight, second.bias)


@pytest.mark.parametrize("norm", ["running", "batch", "recalibrated"])
def test_normalisation_by_hand(norm):
    net, x = trained_a_little().double(), batch(dtype=torch.float64)
    guide = gl.Guide(net, norm=norm, sample=x if norm == "recalibrated" else None)
    found = features(guide, x)
    assert torch.allclose(found["4"], reference(net, x, norm), rtol=1e-10, atol=1e-12)
    others = {"running", "batch", "recalibrated"} - {norm}
    assert not any(torch.allclose(found["4"], reference(net, x, other), rtol=1e-3) for other in others)


def test_recalibration_is_remembered_for_other_batches():
    net = trained_a_little().double()
    x, other = batch(dtype=torch.float64), batch(seed=5, dtype=torch.float64)
    a = F.conv2d(x, net[0].weight, net[0].bias, padding=1)
    guide = gl.Guide(net, norm="recalibrated", sample=x)
    assert guide.net is not net
    assert guide.net[1].momentum == 0.1
    assert torch.allclose(guide.net[1].running_mean, a.mean((0, 2, 3)))
    net[1].running_mean.copy_(a.mean((0, 2, 3)))
    net[1].running_var.copy_(a.var((0, 2, 3)))
    assert torch.allclose(features(guide, other)["4"], features(gl.Guide(net), other)["4"])


def test_an_untrained_network_in_eval_has_no_normalisation():
    net, x = convnet(), batch()
    a = F.relu(net[0](x) / (1 + net[1].eps) ** 0.5)
    assert torch.allclose(features(gl.Guide(net), x)["4"], net[4](a), atol=1e-6)


def test_dropout_is_off_under_every_policy():
    for norm in ("running", "batch"):
        guide = gl.Guide(convnet().train(), norm=norm)
        assert torch.equal(features(guide, batch())["8"], features(guide, batch())["8"])


def test_a_users_own_train_is_not_called():
    class Careful(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(16, 4)
            self.b = nn.Linear(4, 2)

        def train(self, mode=True):
            raise AssertionError("train() was called")

        def forward(self, x):
            return self.b(self.a(x.flatten(1)))

    features(gl.Guide(Careful()), batch())


def test_only_the_layers_asked_for_are_shown():
    assert list(features(gl.Guide(convnet()), batch(), keys={("4", 0)})) == ["4"]


# Inputs


@pytest.mark.parametrize("made", [
    lambda x: x[:, :, :2, :2].contiguous(), lambda x: (x[:, :, :2, :2],),
    lambda x: {"input": x[:, :, :2, :2]},
], ids=["tensor", "tuple", "dict"])
def test_inputs_of_its_own(made):
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 5), nn.Linear(5, 2))
    x = batch()
    target = mlp(16, 8, 3)
    with gl.guide(target, gl.Guide(net, inputs=made), layers=[("1", "1")]) as g:
        target(x)
        loss = g.loss()
    wanted = 1 - gl.cka(target[1](x.flatten(1)), net[1](x[:, :, :2, :2].flatten(1)))
    assert loss.item() == pytest.approx(wanted.item(), abs=1e-6)


class Keywords(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(16, 4)
        self.b = nn.Linear(4, 2)
        self.seen = []

    def forward(self, x, scale=1.0):
        self.seen.append(scale)
        return self.b(self.a(x.flatten(1)))


class Everything(Keywords):
    def forward(self, x, scale=1.0, extra=None, labels=None):
        return super().forward(x, scale)


def test_keywords_that_the_guide_lacks_are_dropped_with_one_warning():
    target, guide = Everything(), Keywords()
    with gl.guide(target, guide) as g:
        message = r"lacks the target's keywords \['extra'\]: they are dropped"
        with pytest.warns(UserWarning, match=message) as record:
            for _ in range(3):
                target(batch(), scale=2.0, extra=torch.ones(1), labels=torch.zeros(12))
                g.loss()
    assert len(record) == 1
    assert guide.seen == [2.0] * 3


def test_labels_are_dropped_without_a_word():
    target, guide = DictInputs(), Counted(DictInputs())
    seen = []
    with gl.guide(target, guide) as g, warnings.catch_warnings():
        warnings.simplefilter("error")
        ids = torch.zeros(6, 5, dtype=torch.long)
        guide.net.register_forward_pre_hook(lambda m, a, k: seen.append(set(k)), with_kwargs=True)
        target(input_ids=ids, labels=torch.zeros(6))
        g.loss()
    assert seen == [{"input_ids"}]


def test_noise_as_input_is_new_each_time_and_comes_from_its_own_stream():
    guide = gl.Guide(convnet(), inputs="noise", seed=3)
    before = torch.get_rng_state()
    first, second = features(guide, batch())["0"], features(guide, batch())["0"]
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.allclose(first, second)
    again = gl.Guide(convnet(), inputs="noise", seed=3)
    assert torch.equal(features(again, 7 * batch(seed=9))["0"], first)  # whatever the target sees
    state = guide.state_dict()
    third = features(guide, batch())["0"]
    again.load_state_dict(state)
    assert torch.equal(features(again, batch())["0"], third)


# Wrappers and wrong words


def test_a_compiled_guide_is_followed():
    net, x = convnet(), batch()
    found = features(gl.Guide(torch.compile(net, backend="eager")), x)
    assert torch.equal(found["4"], capture(net, x)["4"])


@pytest.mark.parametrize(("options", "words"), [
    ({"norm": "layer"}, "'layer'"), ({"inputs": "random"}, "'random'"),
    ({"norm": "recalibrated"}, "sample=.*NoneType"),
    ({"sample": batch()}, "norm='running' and sample of type Tensor"),
])
def test_wrong_words_are_repeated(options, words):
    with pytest.raises(ValueError, match=words):
        gl.Guide(convnet(), **options)


def test_wrong_kinds_are_named():
    net = convnet()
    with pytest.raises(TypeError, match=r"gl.controls, received str"):
        gl.Guide("resnet18")
    with pytest.raises(TypeError):
        gl.Guide(net, "batch")  # keyword only


def test_a_guide_is_left_as_it_was_when_it_fails():
    net = convnet().train()
    guide = gl.Guide(net)
    with pytest.raises(RuntimeError):
        features(guide, torch.zeros(2, 3, 4, 4))
    assert net.training
    assert hooks(net) == 0


def test_a_copy_of_the_guide_gives_the_same():
    net, x = trained_a_little(), batch()
    a, b = features(gl.Guide(net), x), features(gl.Guide(copy.deepcopy(net)), x)
    assert all(torch.equal(a[name], b[name]) for name in a)


# A guide of one's own


class Quarters(gl.guidance.BaseGuide):
    """Every default layer of the target shall tell apart the quarters of a batch."""

    def run(self, call, visit, *, keys=None, also=()):
        x = torch.eye(4).repeat_interleave(call.n // 4, 0)  # (n, 4)
        for i in range(len(call.target_layers)):
            visit(gl.guidance.Output(("quarters", i), "quarters", tuple(x.shape), x))


def test_a_guide_of_ones_own_needs_one_method():
    target, x = mlp(16, 8, 8, 3), batch(12)
    with gl.guide(target, Quarters()) as g:
        target(x)
        loss = g.loss().item()
        assert g.plan().query("reason == ''")["target"].tolist() == ["1", "4"]
        g.load_state_dict(g.state_dict())
    hidden = capture(target, x)
    quarters = F.one_hot(torch.arange(12) // 3).float()
    wanted = sum(1 - gl.cka(hidden[name], quarters) for name in ("1", "4"))
    assert loss == pytest.approx(wanted.item(), rel=1e-4)
    history = gl.warm_up(target, gl.controls.shuffled(Quarters()), sample=x, steps=2)
    assert len(history) == 2
    with pytest.raises(TypeError, match="received str"):
        gl.guide(target, "Quarters")


def test_a_guide_of_ones_own_without_it_says_so():
    class Nothing(gl.guidance.BaseGuide):
        pass

    target = mlp(16, 8, 3)
    with gl.guide(target, Nothing()) as g:
        target(batch())
        with pytest.raises(NotImplementedError, match=r"Nothing stands around no other.*run\(self, call"):
            g.loss()
