"""What a core could get wrong without a word: it is right, or it says what is the matter and what to do."""

import copy
import pickle
import warnings
from collections import UserDict

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from models import batch, convnet, mlp
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm
from torch.nn.utils.rnn import pack_padded_sequence

import guidelib as gl
from guidelib.guidance import capture
from guidelib.guidance.activations import selected


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def moved(net, x, layer):
    """Which rows of a captured layer change if example 0 does."""
    y = x.clone()
    y[0] = normal(*x.shape[1:], seed=9)
    a, b = (capture(net, v)[layer] for v in (x, y))
    return (a != b).flatten(1).any(1).nonzero().flatten().tolist()


# The range of float32


def fading(depth=30, width=64):
    """A plain net whose layers shrink to 1e-27, a guide whose layers do not, and a batch."""
    torch.manual_seed(0)
    target, guide = [], []
    for _ in range(depth):
        linear = nn.Linear(width, width)
        nn.init.normal_(linear.weight, std=0.02)
        nn.init.zeros_(linear.bias)
        target += [linear, nn.ReLU()]
        guide += [nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU()]
    return (nn.Sequential(*target, nn.Linear(width, 10)), nn.Sequential(*guide, nn.Linear(width, 10)),
            normal(32, width))


def test_a_deep_net_of_small_weights_has_the_loss_and_the_gradient_of_float64():
    target, guide, x = fading()
    losses, grads = [], []
    for dtype in (torch.float32, torch.float64):
        t, g = (copy.deepcopy(net).to(dtype) for net in (target, guide))
        with gl.guide(t, gl.Guide(g, norm="batch")) as term:
            t(x.to(dtype))
            loss = term.loss()
            loss.backward()
        losses.append(loss.item())
        grads.append({name: p.grad.double() for name, p in t.named_parameters() if name.endswith("weight")
                      and p.grad is not None})
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    for name, wanted in grads[1].items():
        assert (grads[0][name] - wanted).norm() <= 1e-3 * wanted.norm(), name


@pytest.mark.parametrize("scale", [1e-40, 1e-35, 1e-25, 1e-20, 1e-8, 1e8, 1e20, 1e36])
@pytest.mark.parametrize("name", ["cka", "debiased", "sp", "rsa"])
def test_a_similarity_that_sees_no_scale_sees_none(name, scale):
    x, y = normal(32, 64), normal(32, 64, seed=1) + normal(32, 64)
    similarity = gl.similarity.find("cka" if name == "debiased" else name, debiased=name == "debiased")
    rel = 1e-3 if scale == 1e-40 else 1e-5  # numbers below 1e-38 have fewer digits
    scaled = (x * scale).requires_grad_()
    assert similarity(scaled, y).item() == pytest.approx(similarity(x, y).item(), rel=rel)
    if 1e-35 <= scale <= 1e35:
        (grad,) = torch.autograd.grad(similarity(scaled, y), scaled)
        plain = x.clone().requires_grad_()
        (wanted,) = torch.autograd.grad(similarity(plain, y), plain)
        difference = (grad.double() * scale - wanted).norm() / wanted.norm()
        assert difference < 1e-4


def test_a_gradient_that_float32_cannot_hold_is_left_out():
    x = (normal(32, 64) * 1e-40).requires_grad_()
    (grad,) = torch.autograd.grad(gl.cka(x, normal(32, 64, seed=1)), x)
    assert grad.abs().sum() == 0


def test_the_penalty_of_ridge_has_units_at_any_scale():
    x, y = normal(24, 10), normal(24, 6, seed=1) + normal(24, 6)
    for scale in (1e-25, 1e20):
        wanted = gl.similarity.ridge((x * scale).double(), y.double()).item()
        assert gl.similarity.ridge(x * scale, y).item() == pytest.approx(wanted, rel=1e-5)
    other = gl.similarity.ridge(1e-3 * x, y).item()
    assert gl.similarity.ridge(x, y).item() != pytest.approx(other, rel=1e-2)


@pytest.mark.parametrize("scale", [1e10, 1e-12])
def test_the_report_is_right_at_any_scale(scale):
    torch.manual_seed(0)
    target, guide = (nn.Sequential(nn.Linear(4, 8, bias=False), nn.Linear(8, 8, bias=False), nn.Linear(8, 2))
                     for _ in range(2))
    tables = []
    for factor in (1, scale):
        with gl.guide(target, guide) as g:
            target(factor * normal(16, 4))
            g.loss()
            tables.append(g.report())
    for column in ("cka", "cka_debiased", "chance", "pr_target", "pr_guide"):
        assert tables[1][column].to_numpy() == pytest.approx(tables[0][column].to_numpy(), rel=1e-4)


# Features that hardly vary


def test_a_feature_that_varies_by_a_hundred_units_in_the_last_place_counts():
    x = normal(32, 200)
    features = torch.ones(32, 200)
    features[:, :1] += 1e-5 * x[:, :1]
    assert gl.cka(features, x[:, :1]).item() == pytest.approx(1, abs=1e-3)
    assert gl.cka(torch.ones(32, 200), x).item() == 0


def test_the_gradient_of_features_with_a_large_mean_is_that_of_float64():
    z = normal(256, 100)
    x = (z + 1e5 * normal(1, 100, seed=1)).requires_grad_()
    y = z + normal(256, 100, seed=2)
    double = x.detach().double().requires_grad_()
    (grad,) = torch.autograd.grad(gl.cka(x, y), x)
    (wanted,) = torch.autograd.grad(gl.cka(double, y.double()), double)
    assert (grad - wanted).norm() < 1e-4 * wanted.norm()


class Constant(nn.Module):
    """A middle layer whose weights are zero, as after an initialisation to the identity of a block."""

    def __init__(self, value=0.0):
        super().__init__()
        self.first, self.middle, self.head = nn.Linear(16, 8), nn.Linear(8, 8), nn.Linear(8, 3)
        nn.init.constant_(self.middle.weight, value)

    def forward(self, x):
        x = self.first(x.flatten(1))
        return self.head(x + self.middle(x))


def test_layers_that_do_not_vary_are_in_the_plan_and_warned_of_once():
    target, guide = mlp(16, 8, 8, 3), Constant()
    with gl.guide(target, guide) as g:
        target(batch())
        with pytest.warns(UserWarning, match=r"1 of 2 pairs say nothing.*4 <- middle.*norm='batch'"):
            loss = g.loss()
        assert g.plan()["reason"].tolist()[:2] == ["", "features of the guide do not vary over the examples"]
        assert loss.item() > 1
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            target(batch())
            g.loss()
        assert g.plan(batch())["reason"][1] == "features of the guide do not vary over the examples"
        assert g.plan(torch.zeros(5, 1, 4, 4))["reason"].tolist()[:2] == ["", ""]  # a sample for its shape


# The axis of the examples


class Turned(nn.Module):
    """Time comes first inside, as in OpenAI's CLIP."""

    def __init__(self):
        super().__init__()
        self.i, self.m, self.h = nn.Linear(6, 12), nn.Linear(12, 12), nn.Linear(12, 3)

    def forward(self, x):
        return self.h(self.m(self.i(x).permute(1, 0, 2)).permute(1, 0, 2).mean(1))


@pytest.mark.parametrize("times", [16, 8, 5])
def test_an_inner_time_first_axis_is_found(times):
    net, x = Turned(), normal(8, times, 6)
    assert capture(net, x)["m"].shape == (8, times, 12)
    assert moved(net, x, "m") == [0]


@pytest.mark.parametrize("times", [16, 8])
def test_guidance_reads_it_in_the_target_and_in_the_guide(times):
    target, guide, x = Turned(), Turned(), normal(8, times, 6)
    with gl.guide(target, guide, layers=[("m", "m")]) as g:
        for _ in range(2):
            target(x)
            loss = g.loss()
            own, other = ((net.m(net.i(x).permute(1, 0, 2)).permute(1, 0, 2)) for net in (target, guide))
            assert loss.item() == pytest.approx(1 - gl.cka(own, other).item(), abs=1e-5)
        assert g.plan()["target_features"][0] == times * 12


@pytest.mark.parametrize("times", [16, 8])
def test_the_encoder_of_torch_with_time_first(times):
    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            layer = nn.TransformerEncoderLayer(12, 2, 24, batch_first=False)
            self.i, self.e = nn.Linear(6, 12), nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
            self.h = nn.Linear(12, 3)

        def forward(self, x):
            return self.h(self.e(self.i(x).transpose(0, 1)).mean(0))

    x = normal(8, times, 6)
    found = capture(Encoder(), x)
    assert {a.shape[:2] for name, a in found.items() if name.startswith("e.")} == {(8, times)}
    assert moved(Encoder(), x, "e.layers.0.linear1") == [0]


class Packed(nn.Module):
    def __init__(self):
        super().__init__()
        self.i, self.r, self.h = nn.Linear(6, 12), nn.GRU(12, 12, batch_first=True), nn.Linear(12, 3)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(self.i(x), lengths, batch_first=True, enforce_sorted=False)
        return self.h(self.r(packed)[1][0])


def test_a_packed_sequence_is_unpacked():
    net, x = Packed(), normal(8, 16, 6)
    for lengths in (torch.full((8,), 16), torch.arange(9, 17).flip(0), torch.arange(9, 17)):
        y = x.clone()
        y[0] = normal(16, 6, seed=9)
        a, b = (capture(net, (v, lengths))["r"] for v in (x, y))
        assert a.shape == (8, 16, 12)
        assert (a != b).flatten(1).any(1).nonzero().flatten().tolist() == [0]
        assert a[4, lengths[4]:].abs().sum() == 0


class Positions(nn.Module):
    """A layer works on a table of eight positions."""

    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(normal(8, 12))
        self.i, self.p, self.h = nn.Linear(6, 12), nn.Linear(12, 12), nn.Linear(12, 3)

    def forward(self, x):
        return self.h((self.i(x) + self.p(self.table)).mean(1))


@pytest.mark.parametrize("n", [8, 4])
def test_a_table_of_positions_is_no_batch(n):
    rows = gl.layers(Positions(), normal(n, 8, 6)).set_index("name")
    assert rows["selected"].to_dict() == {"i": True, "p": False, "h": False}
    assert "none changes if half of the examples are exchanged" in rows.loc["p", "reason"]
    with gl.guide(Positions(), Positions()) as g:
        g.target(normal(n, 8, 6))
        g.loss()
        assert list(g.names.values()) == [("i", "i")]


class Views(nn.Module):
    """Two views of every example, one batch after the other."""

    def __init__(self):
        super().__init__()
        self.i, self.h = nn.Linear(6, 12), nn.Linear(12, 3)

    def forward(self, x):
        return self.h(self.i(torch.cat([x, 2 * x]))).view(2, -1, 3).mean(0)


def test_views_that_come_one_batch_after_the_other_are_refused_with_the_reason():
    with gl.guide(Views(), mlp(6, 5, 3)) as g:
        g.target(normal(8, 6))
        with pytest.raises(ValueError, match="exchanging some examples changes the rows of.*batch_dim="):
            g.loss()


class Experts(nn.Module):
    """Tokens are handed to two experts; how many each gets is chance."""

    def __init__(self):
        super().__init__()
        self.i, self.h = nn.Linear(6, 12), nn.Linear(12, 3)
        self.experts = nn.ModuleList(nn.Linear(12, 12) for _ in range(2))

    def forward(self, x):
        x = self.i(x)
        flat, out = x.flatten(0, 1), torch.zeros_like(x).flatten(0, 1)
        chosen = torch.arange(len(flat)) % 2 == 0 if len(flat) == 64 else flat[:, 0] > 0
        for expert, mask in zip(self.experts, (chosen, ~chosen), strict=True):
            out[mask] = expert(flat[mask].flip(0)).flip(0)
        return self.h(out.view(x.shape).mean(1))


def test_experts_that_happen_to_see_a_multiple_of_n_are_refused():
    rows = gl.layers(Experts(), normal(8, 8, 6)).set_index("name")
    assert rows["selected"].to_dict() == {"i": True, "experts.0": False, "experts.1": False, "h": False}


def test_statistics_of_the_batch_in_eval_are_no_mixture():
    """The rows depend on all examples, but come in another order with them."""
    norm = nn.BatchNorm1d(8, track_running_stats=False)
    net = nn.Sequential(nn.Linear(8, 8), norm, nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))
    assert gl.layers(net, normal(8, 8)).query("selected")["name"].tolist() == ["0", "2"]


def test_tokens_folded_into_the_batch_are_still_read_so():
    class Folding(nn.Module):
        def __init__(self):
            super().__init__()
            self.i, self.h = nn.Linear(6, 12), nn.Linear(12, 3)

        def forward(self, x):
            return self.h(self.i(x.flatten(0, 1)).view(*x.shape[:2], 12).mean(1))

    x = normal(8, 16, 6)
    assert capture(Folding(), x)["i"].shape == (8, 16, 12)
    assert moved(Folding(), x, "i") == [0]


def test_the_axis_of_a_layer_may_be_said():
    target, x = Turned(), normal(8, 16, 6)
    with gl.guide(target, gl.Guide(Turned(), batch_dim={"m": 1}), batch_dim={"m": 1}) as g:
        target(x)
        g.loss()
        assert g.plan()["target_features"][1] == 16 * 12
    turned = nn.Sequential(nn.LSTM(6, 8))
    assert capture(turned, normal(7, 5, 6), batch_dim={"*": 1})["0"].shape == (5, 7, 8)


def test_plain_layers_cost_no_further_forward():
    count = []
    target = mlp(16, 9, 9, 3)
    target.register_forward_hook(lambda *_: count.append(1))
    with gl.guide(target, mlp(16, 7, 7, 3)) as g:
        target(batch(10))
        g.loss()
    assert len(count) == 1


def test_a_network_that_fails_with_examples_exchanged_is_warned_of():
    class Picky(Turned):
        def forward(self, x):
            assert (x[1:, 0, 0] > x[:-1, 0, 0]).all(), "the examples must be in order"
            return super().forward(x)

    x = normal(8, 8, 6)
    x[:, 0, 0] = torch.arange(8.0)
    with pytest.warns(UserWarning, match=r"(?s)'m'\] could not be verified.*must be in order.*batch_dim="):
        capture(Picky(), x)


# Layers and networks of other kinds


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(12, 2, 24, batch_first=True)
        self.i, self.e, self.h = nn.Linear(6, 12), nn.TransformerEncoder(layer, 2), nn.Linear(12, 3)

    def forward(self, x, pad):
        return self.h(self.e(self.i(x), src_key_padding_mask=pad).mean(1))


def test_the_encoder_of_torch_with_a_padding_mask():
    sample = normal(8, 16, 6), torch.arange(16)[None] >= torch.arange(9, 17)[:, None]
    block = ("self_attn", "linear1", "linear2")
    names = ["i", *(f"e.layers.{i}.{name}" for i in (0, 1) for name in block)]
    assert gl.layers(Encoder(), sample).query("selected")["name"].tolist() == names
    fast = torch.backends.mha.get_fastpath_enabled()
    target = Encoder()
    with gl.guide(target, Encoder()) as g:
        target(*sample)
        assert 0 < g.loss().item() < 7
    assert torch.backends.mha.get_fastpath_enabled() == fast


def test_parametrised_lazy_quantisable_and_adapted_layers_are_offered():
    class Adapted(nn.Linear):
        def __init__(self):
            super().__init__(8, 8)
            self.down, self.up = nn.Linear(8, 2, bias=False), nn.Linear(2, 8, bias=False)

        def forward(self, x):
            return super().forward(x) + self.up(self.down(x))

    quantisable = torch.ao.nn.qat.Linear(8, 8, qconfig=torch.ao.quantization.get_default_qat_qconfig())
    net = nn.Sequential(weight_norm(nn.Linear(16, 8)), nn.ReLU(), nn.LazyLinear(8),
                        spectral_norm(nn.Linear(8, 8)), Adapted(), quantisable, nn.Linear(8, 3))
    assert list(selected(net)) == ["0", "2", "3", "4", "5", "6"]
    assert gl.layers(net, normal(4, 16)).query("selected")["name"].tolist() == ["0", "2", "3", "4", "5"]
    with gl.guide(net, copy.deepcopy(net)) as g:
        net(normal(8, 16))
        assert len(g.plan().query("guide != '' and target != ''")) == 5


def test_owners_of_weights_that_are_not_offered_are_listed_with_the_reason():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight, self.drop = nn.Parameter(normal(16, 8)), nn.Dropout(0.1)

        def forward(self, x):
            return self.drop(x @ self.weight)

    net = nn.Sequential(Own(), nn.Linear(8, 8), nn.Linear(8, 3))
    rows = gl.layers(net, normal(4, 16)).set_index("name")
    assert (rows.loc["0", "selected"], rows.loc["0", "reason"]) == (
        False, "owns weights beside its parts, name it in layers=")
    with gl.guide(net, mlp(16, 8, 3), layers={"0": "1"}) as g:
        net(normal(8, 16))
        assert g.loss().item() > 0


# Random streams, layers that come and go


def test_a_guide_that_draws_in_eval_leaves_the_global_stream():
    class Drawing(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(16, 8), nn.Linear(8, 3)

        def forward(self, x):
            return self.b(self.a(F.dropout(x, 0.5, True)))

    target = nn.Sequential(nn.Linear(16, 8), nn.Linear(8, 3))
    with gl.guide(target, Drawing()) as g:
        target(normal(8, 16))
        before = torch.get_rng_state()
        first = g.loss().item()
        g.plan(normal(8, 16))
        assert torch.equal(torch.get_rng_state(), before)
        target(normal(8, 16))
        torch.rand(3)  # as the target's own dropout would
        assert g.loss().item() != first  # the guide draws anew


class LayerDropout(nn.Module):
    def __init__(self, depth=6):
        super().__init__()
        self.l, self.h = nn.ModuleList(nn.Linear(8, 8) for _ in range(depth)), nn.Linear(8, 3)

    def forward(self, x):
        for layer in self.l:
            if torch.rand(()) > 0.5:
                x = layer(x)
        return self.h(x)


def test_layers_that_the_first_forward_leaves_out_are_warned_of_and_may_be_named():
    torch.manual_seed(0)
    target, guide = LayerDropout(), nn.Sequential(*[nn.Linear(8, 8) for _ in range(7)])
    with gl.guide(target, guide) as g:
        target(normal(8, 8))
        with pytest.warns(UserWarning, match=r"did not run in its first forward.*'l\.\d'.*g.plan\(sample\)"):
            g.loss()
    ran = set()
    with gl.guide(target, guide, layers={f"l.{i}": f"{i}" for i in range(6)}) as g:
        for step in range(40):
            target(normal(8, 8, seed=step))
            g.loss()
            ran |= {name.split(" ")[0] for name in g.misalignments()}
        report = g.report()
        state = g.state_dict()
    assert ran == {f"l.{i}" for i in range(6)}
    assert report["target"].tolist() == [f"l.{i}" for i in range(6)]  # also those dropped in the last step
    assert all(10 < dropped < 30 for dropped in report["dropped"])
    assert (report["n"] == 0).equals(report["misalignment"].isna())
    with gl.guide(target, guide) as g:  # a resumed run has the same pairs, whatever its first forward skips
        g.load_state_dict(state)
        target(normal(8, 8))
        g.loss()
        assert list(g.names.values()) == [(f"l.{i}", f"{i}") for i in range(6)]


# How many examples there are


class Graph(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 8), nn.Linear(8, 8), nn.Linear(8, 3)

    def forward(self, edges, x):
        return self.c(self.b(self.a(x[edges[0]] + x[edges[1]])))


def test_arguments_that_disagree_about_n_are_refused_and_n_may_be_said():
    edges, x = torch.randint(8, (2, 20), generator=torch.Generator().manual_seed(0)), normal(8, 4)
    target = Graph()
    with gl.guide(target, Graph()) as g:
        target(edges, x)
        with pytest.raises(ValueError, match="2 in 0, 8 in 1.*batch_size=callable"):
            g.loss()
    with gl.guide(target, Graph(), batch_size=lambda edges, x: edges.shape[1]) as g:
        target(edges, x)
        g.loss()
        assert g.report()["n"].tolist() == [20, 20]


def test_n_is_seen_beside_tables_of_one_row_and_in_other_containers():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(6, 5), nn.Linear(5, 3)

        def forward(self, positions, inner):
            return self.b(self.a(inner["x"]) + positions[..., :1])

    target, x = Net(), normal(8, 6)
    for inner in ({"x": x}, UserDict(x=x)):
        with gl.guide(target, Net()) as g:
            target(torch.zeros(1, 5), inner)
            g.loss()
            assert g.report()["n"].tolist() == [8]


@pytest.mark.parametrize("n", [2, 3])
def test_biased_cka_of_two_or_three_examples_is_warned_of(n):
    target = mlp(16, 8, 3)
    with gl.guide(target, convnet()) as g:
        target(batch(n))
        with pytest.warns(UserWarning, match=f"n = {n} examples biased CKA is near 1"):
            g.loss()


# Messages


def test_scripted_guides_are_named():
    with pytest.raises(TypeError, match="the guide is a scripted module.*pass its original"):
        gl.Guide(torch.jit.script(nn.Linear(2, 2)))


def test_an_error_of_the_comparison_is_not_blamed_on_the_guide():
    def fails(x):
        raise RuntimeError("no such matrix")

    broken = gl.similarity.Similarity(name="broken", gram=fails, value=None, misalignment=None)
    target = mlp(16, 8, 3)
    with gl.guide(target, convnet(), similarity=broken) as g:
        target(batch())
        with pytest.raises(RuntimeError, match="no such matrix") as error:
            g.loss()
    assert not getattr(error.value, "__notes__", [])


def test_a_named_layer_without_a_batch_axis_is_refused_with_its_reason():
    class Table(nn.Module):
        def __init__(self):
            super().__init__()
            self.r, self.a, self.h = nn.Linear(4, 4), nn.Linear(16, 4), nn.Linear(4, 3)

        def forward(self, x):
            return self.h(self.a(x) + self.r(torch.ones(5, 4)).mean(0))

    with gl.guide(Table(), mlp(16, 8, 3), layers={"r": "1"}) as g:
        g.target(normal(8, 16))
        with pytest.raises(ValueError, match=r"matches 'r'; r: output \(5, 4\) has no batch axis of n = 8"):
            g.loss()


def test_an_output_that_holds_itself_ends_no_forward():
    class Loop(nn.Module):
        def __init__(self):
            super().__init__()
            self.l = nn.Linear(16, 4)

        def forward(self, x):
            found = {"x": self.l(x)}
            found = {"itself": found, **found}
            found["itself"] = found
            return found

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.loop, self.h = Loop(), nn.Linear(4, 3)

        def forward(self, x):
            return self.h(self.loop(x)["x"])

    with gl.guide(Net(), mlp(16, 8, 3), layers=[("loop", "1")]) as g:
        g.target(normal(8, 16))
        assert g.loss().item() > 0


def test_copies_and_pickles_of_a_handle_are_refused_with_the_repair():
    with gl.guide(mlp(16, 8, 3), convnet()) as g:
        with pytest.raises(TypeError, match="cannot be copied: copy the network.*gl.guide"):
            copy.deepcopy({"trainer": g})
        with pytest.raises(TypeError, match=r"cannot be pickled: save state_dict\(\)"):
            pickle.dumps(g)


def test_weights_of_other_number_types_and_no_nan():
    target = mlp(16, 8, 3)
    losses = []
    for weight in (2.0, np.float32(2), torch.tensor(2.0)):
        with gl.guide(target, convnet(), weight=weight) as g:
            target(batch())
            losses.append(g.loss().item())
    assert losses[1:] == pytest.approx([losses[0]] * 2)
    for weight in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match=f"weight is a finite number, received {weight}"):
            gl.guide(target, convnet(), weight=weight)


def test_the_empty_name_matches_nothing():
    with gl.guide(mlp(16, 8, 3), convnet(), layers={"": ""}) as g:
        g.target(batch())
        with pytest.raises(ValueError, match="no target layer that ran matches ''"):
            g.loss()


def test_a_frozen_target_is_warned_of():
    target = mlp(16, 8, 3).requires_grad_(False)
    with gl.guide(target, convnet()) as g:
        target(batch())
        with pytest.warns(UserWarning, match="the loss has no gradient"):
            g.loss()


@pytest.mark.parametrize("samples", ["pool", "tokens"])
def test_the_channels_of_an_unknown_layer_must_be_said(samples):
    class Stage(nn.Module):
        """Its channels come last, (n, h, w, c), as in a Swin Transformer."""

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(normal(1, 6))

        def forward(self, x):
            return x.movedim(1, -1) @ self.weight

    net = nn.Sequential(Stage(), nn.Flatten(), nn.Linear(96, 8), nn.Linear(8, 3))
    with gl.guide(net, copy.deepcopy(net), samples=samples) as g:
        net(batch())
        with pytest.raises(ValueError, match=r"channels of Stage.*channels=-1"):
            g.loss()
    with gl.guide(net, copy.deepcopy(net), samples=samples, channels=-1) as g:
        net(batch())
        g.loss()
        assert g.plan()["target_features"][0] == 6


def test_what_noise_must_not_replace_is_kept_in_a_warm_up():
    seen = []

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.h = nn.Linear(6, 8), nn.Linear(8, 3)

        def forward(self, x, lengths):
            if self.training:
                seen.append(lengths)
            return self.h(self.a(x))

    sample = {"x": normal(8, 6), "lengths": torch.arange(8)}
    gl.warm_up(Net(), Net(), sample=sample, steps=2, keep=("lengths",))
    assert all(torch.equal(lengths, torch.arange(8)) for lengths in seen)
    with pytest.raises(ValueError, match=r"keep names \['length'\], which are not in the sample"):
        gl.warm_up(Net(), Net(), sample=sample, steps=2, keep=("length",))
