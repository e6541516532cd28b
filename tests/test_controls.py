"""Controls: each changes one cause and nothing else, on the pairs that the guide would get."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from models import DictInputs, batch, convnet, mlp
from torch import nn

import guidelib as gl
from guidelib.guidance import Call

CONTROLS = {
    "identity": lambda net: gl.controls.identity(like=net),
    "data_gram": lambda net: gl.controls.data_gram(like=net),
    "fresh_noise": lambda net: gl.controls.fresh_noise(net, seed=1),
    "shuffled": lambda net: gl.controls.shuffled(net, seed=1),
    "shuffled_layers": lambda net: gl.controls.shuffled_layers(net, seed=1),
}


def shown(guide, x, **options):
    """{layer name: features} of one run."""
    found = {}
    guide.run(Call((x,), {}, target_layers=["1", "4"]), lambda o: found.update({o.key[0]: o.x}), **options)
    return found


def table(target, guide, x, **options):
    """Of one step: the pairs in the plan, and the report."""
    with gl.guide(target, guide, **options) as g:
        target(x)
        g.loss()
        return g.plan().query("reason == ''"), g.report()


@pytest.mark.parametrize("name", CONTROLS)
def test_the_pairs_are_those_of_the_guide(name):
    target, net = mlp(16, 8, 8, 8, 8, 3), convnet()
    x = batch()
    plan, _ = table(target, CONTROLS[name](net), x)
    wanted, _ = table(target, net, x)
    assert len(plan) == 3
    assert plan["target"].tolist() == wanted["target"].tolist()
    assert sorted(plan["guide"]) == sorted(wanted["guide"])
    same = plan["guide"].tolist() == wanted["guide"].tolist()
    assert same == (name != "shuffled_layers")


@pytest.mark.parametrize("name", CONTROLS)
@pytest.mark.parametrize("options", [
    {"layers": {"1": "4"}}, {"layers": [("2", "5")]}, {"match": "reference"}, {"similarity": "sp"},
    {"reduce": "mean"},
])
def test_every_option_of_guidance_works_with_a_control(name, options):
    target, net = mlp(16, 8, 8, 8, 8, 3), convnet()
    x = batch()
    plan, report = table(target, CONTROLS[name](net), x, **options)
    assert len(report) == len(plan) > 0
    assert report["misalignment"].notna().all()


def test_identity_by_closed_form():
    """CKA of a centred Gram matrix K with the identity is tr(K) / (|K| sqrt(n - 1)).

    That is the root of the participation ratio over n - 1.
    """
    target, x = mlp(16, 8, 8, 3).double(), batch(dtype=torch.float64)
    _, report = table(target, gl.controls.identity(like=convnet().double()), x)
    for row in report.to_dict("records"):
        assert row["cka"] == pytest.approx((row["pr_target"] / 11) ** 0.5, rel=1e-10)


def test_identity_without_a_guide_takes_every_default_layer_of_the_target():
    target = mlp(16, 8, 8, 8, 3)
    for control in (gl.controls.identity(), gl.controls.data_gram()):
        plan, _ = table(target, control, batch())
        assert plan["target"].tolist() == ["1", "4", "7"]


def test_identity_makes_no_sense_debiased():
    for control in (gl.controls.identity(), gl.controls.identity(like=convnet())):
        with pytest.raises(ValueError, match="U-centring removes the diagonal"):
            gl.guide(mlp(16, 8, 3), control, debiased=True)
    with pytest.raises(ValueError, match="U-centring"):
        gl.guide(mlp(16, 8, 3), gl.controls.shuffled(gl.controls.identity()), debiased=True)
    with pytest.raises(ValueError, match="similarity='rsa'.*equally far apart"):
        gl.guide(mlp(16, 8, 3), gl.controls.identity(), similarity="rsa")


def test_data_gram_is_that_of_the_input():
    target, x = mlp(16, 8, 8, 3), batch()
    _, report = table(target, gl.controls.data_gram(like=convnet()), x)
    hidden = target[1](x.flatten(1))
    assert report["cka"][0] == pytest.approx(gl.cka(hidden, x).item(), rel=1e-5)


def test_data_gram_of_tokens_is_that_of_their_one_hot_codes():
    target = DictInputs()
    ids = torch.randint(3, 9, (6, 5), generator=torch.Generator().manual_seed(0))
    with gl.guide(target, gl.controls.data_gram()) as g:
        target(ids)
        g.loss()
        got = g.report()["cka"][0]
    x, _ = target.rnn(target.embed(ids))
    assert got == pytest.approx(gl.cka(x, F.one_hot(ids, 20).float()).item(), rel=1e-4)


def test_length_gram_knows_the_lengths_alone():
    """Its Gram matrix is min(length, length'), whatever the tokens are."""
    target = DictInputs()
    ids = torch.randint(3, 9, (4, 5), generator=torch.Generator().manual_seed(0))
    for i, length in enumerate((2, 5, 3, 3)):
        ids[i, length:] = 0
    lengths = torch.tensor([2.0, 5, 3, 3])
    with gl.guide(target, gl.controls.length_gram(pad=0)) as g:
        target(ids)
        g.loss()
        got = g.report()["cka"][0]
    x, _ = target.rnn(target.embed(ids))
    wanted = torch.minimum(lengths, lengths[:, None])
    x = x.flatten(1).double()
    centre = torch.eye(4, dtype=torch.float64) - 0.25
    k, l = centre @ (x @ x.T) @ centre, centre @ wanted.double() @ centre
    assert got == pytest.approx(((k * l).sum() / (k.norm() * l.norm())).item(), rel=1e-4)
    with gl.guide(target, gl.controls.length_gram(pad=0)) as g:
        target(ids.clamp(min=1))
        with pytest.raises(ValueError, match="do not vary over the examples in any of"):
            g.loss()


def test_shuffled_has_the_guides_features_in_another_order_anew_each_step():
    net, x = convnet(), batch()
    control = gl.controls.shuffled(net, seed=1)
    plain = shown(gl.Guide(net), x)
    places = {tuple(row.flatten().tolist()): i for i, row in enumerate(plain["0"])}
    orders = []
    for _ in range(3):
        found = shown(control, x)
        order = [places[tuple(row.flatten().tolist())] for row in found["0"]]
        assert sorted(order) == list(range(12))
        for name in plain:  # one order for all layers
            assert torch.equal(found[name], plain[name][order])
        orders.append(order)
    assert orders[0] != orders[1] != orders[2]


def test_shuffled_keeps_the_spectrum_and_breaks_the_tie():
    """Over permutations the debiased alignment averages to that of chance, 0."""
    target, net = mlp(16, 8, 8, 3), convnet()
    x = batch(32)
    _, plain = table(target, net, x)
    values = []
    with gl.guide(target, gl.controls.shuffled(net)) as g:
        for _ in range(60):
            target(x)
            g.loss()
            report = g.report()
            assert report["pr_guide"].tolist() == pytest.approx(plain["pr_guide"].tolist(), rel=1e-4)
            values.append(report["cka_debiased"].to_numpy())
    values = torch.from_numpy(np.stack(values))
    error = values.std(0) / 60**0.5
    assert (values.mean(0).abs() < 4 * error).all()
    assert (torch.tensor(plain["cka_debiased"]) > 10 * error).all()


def test_fresh_noise_has_the_guides_shapes_and_is_new_each_step():
    net, x = convnet(), batch()
    control = gl.controls.fresh_noise(net)
    plain = shown(gl.Guide(net), x)
    first, second = shown(control, x), shown(control, x)
    assert {name: f.shape for name, f in first.items()} == {name: f.shape for name, f in plain.items()}
    assert not torch.equal(first["0"], second["0"])
    assert abs(first["0"].mean()) < 0.2
    assert first["0"].std() == pytest.approx(1, abs=0.1)


def test_fresh_noise_follows_a_ragged_batch():
    control = gl.controls.fresh_noise(convnet())
    shown(control, batch())
    assert shown(control, batch(5))["0"].shape == (5, 4, 4, 4)


def test_shuffled_layers_deals_once():
    target, net = mlp(16, 8, 8, 8, 8, 3), convnet()
    x = batch()
    deals = []
    for seed in (0, 0, 1, 2, 3, 4, 5, 6):
        plan, _ = table(target, gl.controls.shuffled_layers(net, seed=seed), x)
        deals.append(tuple(plan["guide"]))
    assert deals[0] == deals[1]
    assert len(set(deals)) > 2
    with gl.guide(target, gl.controls.shuffled_layers(net, seed=1)) as g:
        values = []
        for _ in range(2):
            target(x)
            values.append(g.loss().item())
    assert values[0] == pytest.approx(values[1])


def test_controls_stack():
    target, net = mlp(16, 8, 8, 8, 8, 3), convnet()
    x = batch()
    dealt = gl.controls.shuffled_layers(gl.Guide(net, norm="batch"), seed=1)
    plan, report = table(target, gl.controls.shuffled(dealt, seed=2), x)
    wanted, _ = table(target, gl.controls.shuffled_layers(net, seed=1), x)
    assert plan["guide"].tolist() == wanted["guide"].tolist()
    assert report["cka"].notna().all()


def test_the_random_streams_of_controls_are_saved():
    net, x = convnet(), batch()
    for make in (CONTROLS["shuffled"], CONTROLS["fresh_noise"]):
        control, other = make(net), make(net)
        shown(control, x)
        other.load_state_dict(copy.deepcopy(control.state_dict()))
        assert torch.equal(shown(control, x)["0"], shown(other, x)["0"])


def test_a_shuffled_guide_with_noise_as_input_saves_both_streams():
    x = batch()
    control, other = (gl.controls.shuffled(gl.Guide(convnet(), inputs="noise")) for _ in range(2))
    shown(control, x)
    other.load_state_dict(control.state_dict())
    assert torch.equal(shown(control, x)["0"], shown(other, x)["0"])


# Networks as controls


def test_same_family_is_a_fresh_draw_of_the_same_architecture():
    target = mlp(16, 8, 8, 3, norm=True)
    target(batch())  # running statistics move
    before = copy.deepcopy(target.state_dict())
    stream = torch.get_rng_state()
    net = gl.controls.same_family(target, seed=1)
    assert torch.equal(torch.get_rng_state(), stream)
    assert all(torch.equal(value, before[name]) for name, value in target.state_dict().items())
    assert str(net) == str(target)
    assert not torch.equal(net[1].weight, target[1].weight)
    assert net[2].running_mean.abs().sum() == 0
    assert net[2].num_batches_tracked == 0
    again = gl.controls.same_family(target, seed=1)
    assert torch.equal(again[1].weight, net[1].weight)


def test_same_family_keeps_the_distribution_of_any_tensor():
    """Of BERT's N(0, 0.02) too, and of parameters that no module knows how to draw."""
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.token = nn.Parameter(0.02 * torch.randn(1, 1, 12))
            self.gain = nn.Parameter(torch.ones(12))

    target = nn.Sequential(nn.Linear(20, 30), Own())
    nn.init.normal_(target[0].weight, std=0.02)
    net = gl.controls.same_family(target, seed=1)
    for a, b in zip(target.parameters(), net.parameters(), strict=True):
        assert torch.equal(a.flatten().sort().values, b.flatten().sort().values)
    assert not torch.equal(net[0].weight, target[0].weight)
    assert not torch.equal(net[1].token, target[1].token)


def test_same_family_may_be_made_by_its_user():
    target, make = nn.Linear(1, 1), lambda: nn.Linear(3, 3)
    stream = torch.get_rng_state()
    nets = [gl.controls.same_family(target, seed=seed, make=make) for seed in (1, 1, 2)]
    assert torch.equal(torch.get_rng_state(), stream)
    assert torch.equal(nets[0].weight, nets[1].weight)
    assert not torch.equal(nets[0].weight, nets[2].weight)


def test_same_family_of_a_guided_target_carries_no_hook():
    target = mlp(16, 8, 3)
    with gl.guide(target, convnet()) as g:
        gl.controls.same_family(target)(batch())
        assert g.recorder.forwards == 0
