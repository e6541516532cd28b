"""guide(): the loss and its gradient, steps, options, hooks, and the errors that say the repair."""

import copy
import pickle
import warnings
from functools import partial

import numpy as np
import pytest
import torch
from models import (
    Checkpointed,
    Counted,
    DictInputs,
    FunctionalInPlace,
    Reused,
    SkipsLayers,
    SpoilsItsInput,
    TimeFirst,
    batch,
    convnet,
    hooks,
    mlp,
)
from torch import nn

import guidelib as gl
from guidelib.guidance import capture
from guidelib.guidance.hooks import Hook


def by_hand(target, guide, x, pairs, debiased=False):
    """The loss written out: features from explicit forwards of a Sequential, 1 - CKA of each pair, summed."""
    def features(net, x):
        found = {}
        for name, module in net.named_children():
            x = module(x)
            found[name] = x
        return found
    own = features(target, x)
    with torch.no_grad():
        others = features(guide.eval(), x)
    return sum(1 - gl.cka(own[t], others[g], debiased=debiased) for t, g in pairs)


@pytest.mark.parametrize("debiased", [False, True])
def test_loss_and_gradient_equal_those_written_by_hand(debiased):
    target, guide = mlp(16, 8, 8, 8, 3).double(), convnet().double()
    x = batch(dtype=torch.float64)
    pairs = [("1", "0"), ("4", "4"), ("7", "6")]
    y = torch.arange(12) % 3
    with gl.guide(target, guide, debiased=debiased) as g:
        loss = nn.functional.cross_entropy(target(x), y) + g.loss()
        plan = g.plan().query("reason == ''")
    assert plan[["target", "guide"]].values.tolist() == [list(pair) for pair in pairs]
    wanted = nn.functional.cross_entropy(target(x), y) + by_hand(target, guide, x, pairs, debiased)
    assert loss.item() == pytest.approx(wanted.item(), rel=1e-12)
    grads, hand = (torch.autograd.grad(value, list(target.parameters())) for value in (loss, wanted))
    for a, b in zip(grads, hand, strict=True):
        assert torch.allclose(a, b, rtol=1e-10, atol=1e-14)
    alone = torch.autograd.grad(nn.functional.cross_entropy(target(x), y), list(target.parameters()))
    assert not torch.allclose(grads[0], alone[0], rtol=1e-3)  # guidance does change it


def test_one_forward_of_each_network_a_step_the_first_included():
    target, guide = Counted(mlp(16, 8, 8, 3)), Counted(convnet())
    with gl.guide(target, guide) as g:
        for step in range(1, 4):
            target(batch())
            g.loss().backward()
            assert (target.count, guide.count) == (step, step)


def test_more_guide_layers_than_target_layers_all_count_or_the_last_wins():
    target, guide = mlp(16, 8, 3), convnet()
    losses = {}
    for match, pairs in (("depth", 3), ("reference", 1)):
        with gl.guide(target, guide, match=match) as g:
            target(batch())
            losses[match] = g.loss().item()
            assert len(g.plan().query("reason == ''")) == pairs
    one_by_one = []
    for name in ("0", "4", "6"):
        with gl.guide(target, guide, layers=[("1", name)]) as g:
            target(batch())
            one_by_one.append(g.loss().item())
    assert losses["depth"] == pytest.approx(sum(one_by_one), rel=1e-5)
    assert losses["reference"] == pytest.approx(one_by_one[-1], rel=1e-5)


def test_reduce_weight_and_schedule():
    target, guide = mlp(16, 8, 8, 3), convnet()
    x = batch()

    def losses(steps=3, **options):
        found = []
        with gl.guide(target, guide, **options) as g:
            for _ in range(steps):
                target(x)
                found.append(g.loss().item())
        return found

    plain = losses()[0]
    assert losses(reduce="mean")[0] == pytest.approx(plain / 3)
    assert losses(weight=0.5)[0] == pytest.approx(plain / 2)
    assert losses(weight=lambda step: step) == pytest.approx([0, plain, 2 * plain])
    assert losses(steps=4, stop_after=2) == pytest.approx([plain, plain, 0, 0])
    mean = losses(similarity="sp", reduce="mean")[0]
    assert losses(similarity="sp")[0] == pytest.approx(3 * mean)


def test_weight_zero_skips_the_guide():
    target, guide = mlp(16, 8, 3), Counted(convnet())
    with gl.guide(target, guide, weight=0.0) as g:
        target(batch())
        loss = g.loss()
        assert loss.item() == 0
        assert not loss.requires_grad
        assert guide.count == 0
        assert g.step == 1


def test_after_stop_the_hooks_are_off_and_no_forward_is_asked_for():
    target = mlp(16, 8, 3)
    with gl.guide(target, convnet(), stop_after=1) as g:
        assert hooks(target) > 0
        target(batch())
        g.loss()
        assert g.stopped
        assert hooks(target) == 0
        assert g.loss().item() == 0
    with gl.guide(target, convnet(), stop_after=0) as g:
        assert hooks(target) == 0
        assert g.loss().item() == 0


# What a step may and may not be


def test_two_forwards_or_none_are_errors_and_the_next_step_works():
    target = mlp(16, 8, 3)
    with gl.guide(target, convnet()) as g:
        with pytest.raises(RuntimeError, match="no forward of the target.*call the target once"):
            g.loss()
        target(batch())
        target(batch())
        with pytest.raises(RuntimeError, match="2 forwards of the target"):
            g.loss()
        target(batch())
        assert g.loss().item() > 0
        target(batch())
        g.reset()
        target(batch())
        assert g.loss().item() > 0


def test_the_newest_capture_replaces_an_older_one():
    target = mlp(16, 8, 3)
    with gl.guide(target, convnet()) as g:
        for n in (5, 7, 9):
            target(batch(n))
        assert len(g.recorder.outputs) == 2  # nothing piles up
        assert g.recorder.call.n == 9


def test_validation_under_no_grad_is_not_seen():
    target, x = mlp(16, 8, 3), batch()
    with gl.guide(target, convnet()) as g:
        target(x)
        with torch.no_grad():
            target(batch(5, seed=9))
        value = g.loss().item()
        target(x)
        assert g.loss().item() == pytest.approx(value)
        with torch.no_grad():
            target(x)
        with pytest.raises(RuntimeError, match="no forward of the target with gradients"):
            g.loss()


def test_a_layer_that_is_called_by_itself_after_the_forward_is_not_part_of_it():
    target = mlp(16, 8, 8, 3)
    with gl.guide(target, convnet()) as g:
        target(batch())
        target[1](torch.zeros(12, 16))  # by the user's own hand, before loss()
        g.loss()
        assert g.plan().query("reason == ''")["target"].tolist() == ["1", "1", "4"]


def test_a_forward_that_fails_is_not_a_forward():
    target = mlp(16, 8, 3)
    with gl.guide(target, convnet()) as g:
        with pytest.raises(RuntimeError):
            target(torch.zeros(4, 7))
        target(batch())
        assert g.loss().item() > 0


def test_ragged_last_batch():
    target = mlp(16, 8, 3)
    with gl.guide(target, convnet(), debiased=True) as g:
        for n in (12, 5):
            target(batch(n))
            assert torch.isfinite(g.loss())
        target(batch(3))
        with pytest.raises(ValueError, match="needs n >= 4 examples.*n = 3"):
            g.loss()


# In-place operations


@pytest.mark.parametrize("net", [
    lambda inplace: mlp(16, 8, 8, 3, inplace=inplace), lambda inplace: FunctionalInPlace(lambda: inplace),
], ids=["module", "function"])
def test_an_in_place_relu_after_a_layer_changes_nothing(net):
    torch.manual_seed(0)
    spoiling = net(True)
    torch.manual_seed(0)
    clean = net(False)
    clean.load_state_dict(spoiling.state_dict())
    losses, grads = [], []
    for target in (spoiling, clean):
        with gl.guide(target, convnet(inplace=True)) as g:
            for _ in range(2):  # the first step keeps copies, the second only where it has to
                target.zero_grad()
                target(batch())
                loss = g.loss()
                loss.backward()
        losses.append(loss.item())
        grads.append([p.grad for p in target.parameters()])
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    for a, b in zip(*grads, strict=True):
        assert (a is None and b is None) or torch.allclose(a, b, atol=1e-7)


def test_only_what_is_changed_in_place_is_copied_after_the_first_step():
    target = mlp(16, 8, 8, 3, inplace=True)
    with gl.guide(target, convnet()) as g:
        target(batch())
        g.loss()
        assert g.recorder.copied == {("1", 0), ("4", 0)}
    target = mlp(16, 8, 8, 3)
    with gl.guide(target, convnet()) as g:
        target(batch())
        g.loss()
        assert g.recorder.copied == set()


def test_what_is_changed_in_place_is_known_from_the_first_step_also_after_a_plan():
    target = mlp(16, 8, 8, 3, inplace=True)
    with gl.guide(target, convnet()) as g:
        g.plan(batch())
        losses = []
        for _ in range(3):
            target(batch())
            losses.append(g.loss().item())
        assert g.recorder.copied == {("1", 0), ("4", 0)}
        assert losses[1:] == pytest.approx([losses[0]] * 2)


def test_an_in_place_operation_that_appears_later_is_an_error_once():
    flag = {"on": False}
    target = FunctionalInPlace(lambda: flag["on"])
    with gl.guide(target, convnet()) as g:
        target(batch())
        g.loss()
        flag["on"] = True
        target(batch())
        with pytest.raises(RuntimeError, match=r"\['first'\] were changed in place.*repeat this step"):
            g.loss()
        target(batch())
        assert g.loss().item() > 0


def test_a_target_that_writes_into_its_input_is_an_error():
    target = SpoilsItsInput()
    with gl.guide(target, convnet()) as g:
        target(batch())
        with pytest.raises(RuntimeError, match=r"changed its input in place.*x.clone\(\)"):
            g.loss()


# Any model


def test_calls_of_a_reused_layer_are_layers_of_their_own():
    target = Reused()
    with gl.guide(target, convnet()) as g:
        target(batch())
        g.loss()
        plan = g.plan().query("reason == ''")
        assert plan["target"].tolist() == ["shared[0]", "shared[0]", "shared[1]"]
    with gl.guide(target, convnet(), layers=[("shared[1]", "0")]) as g:
        target(batch())
        g.loss()
        assert [t for t, _ in g.names.values()] == ["shared[1]"]


def test_a_layer_that_does_not_run_drops_its_pair_for_that_step():
    target = SkipsLayers()
    with gl.guide(target, convnet()) as g:
        target(batch())
        full = g.loss().item()
        target.skip = True
        target(batch())
        part = g.loss().item()
        assert 0 < part < full
        row = g.report().set_index("target").loc["middle"]
        assert (row["n"], row["dropped"]) == (0, 1)
        assert row[["misalignment", "cka", "pr_target"]].isna().all()
        target.skip = False
        target(batch())
        assert g.loss().item() == pytest.approx(full, rel=1e-5)
        assert g.report().set_index("target")["dropped"].to_dict()["middle"] == 1
        state = g.state_dict()
    with gl.guide(target, convnet()) as g:
        g.load_state_dict(state)
        target(batch())
        g.loss()
        assert g.report().set_index("target")["dropped"].to_dict()["middle"] == 1


def test_keywords_tuples_objects_attention_and_embeddings():
    target, guide = DictInputs(), DictInputs()
    ids = torch.randint(0, 20, (6, 5), generator=torch.Generator().manual_seed(0))
    with gl.guide(target, guide) as g:
        out = target(input_ids=ids, attention_mask=torch.ones(6, 5), labels=torch.zeros(6))
        (out.logits.sum() + g.loss()).backward()
        assert g.plan().query("reason == ''")["target"].tolist() == ["rnn", "attention"]
    assert target.rnn.weight_hh_l0.grad.abs().sum() > 0


def test_batch_axis_elsewhere():
    target, guide = TimeFirst(), TimeFirst()
    x = torch.randn(7, 5, 6, generator=torch.Generator().manual_seed(0))  # (t, n, d)
    with gl.guide(target, guide, batch_dim=1) as g:
        target(x)
        loss = g.loss()
    own, others = (list(capture(net, x, batch_dim=1).values()) for net in (target, guide))
    assert own[0].shape == (5, 7, 8)
    wanted = sum(1 - gl.cka(a, b).item() for a, b in zip(own[:-1], others[:-1], strict=True))
    assert loss.item() == pytest.approx(wanted, rel=1e-5)


def test_checkpointed_layers_give_the_same_gradient():
    def forward(net, x):
        x = torch.relu(net.first(x.flatten(1)))
        x = torch.relu(net.middle(x))
        return net.head(x)

    grads = []
    for checkpointed in (True, False):
        torch.manual_seed(0)
        target = Checkpointed(False)
        if not checkpointed:
            target.forward = partial(forward, target)
        with gl.guide(target, convnet()) as g:
            (target(batch()).square().mean() + g.loss()).backward()
        grads.append([p.grad for p in target.parameters()])
    for a, b in zip(*grads, strict=True):
        assert torch.allclose(a, b, atol=1e-7)


def test_layers_that_reentrant_checkpointing_runs_without_gradients_are_listed_not_silently_ignored():
    target = Checkpointed(True)
    with gl.guide(target, convnet()) as g:
        (target(batch()).square().mean() + g.loss()).backward()
        plan = g.plan().set_index("target")
        assert "use_reentrant=False" in plan.loc["middle", "reason"]
        assert plan.loc["first", "reason"].eq("").all()
    with gl.guide(target, convnet(), layers={"middle": "0"}) as g:
        target(batch())
        with pytest.raises(ValueError, match="no target layer that ran matches 'middle'"):
            g.loss()


def test_a_guide_in_another_number_of_features_and_layers_needs_no_fitting():
    with gl.guide(mlp(16, 100, 50, 3), convnet()) as g:
        g.target(batch())
        assert 0 < g.loss().item() < 3


def test_autocast_of_the_target_reaches_the_guide():
    seen = []
    guide = convnet()
    guide[4].register_forward_hook(lambda m, a, out: seen.append(out.dtype))
    target = mlp(16, 8, 3)
    with gl.guide(target, guide) as g:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            target(batch())
        loss = g.loss()  # outside the autocast, as loops often are
        assert seen == [torch.bfloat16]
        assert loss.dtype == torch.float32
        target(batch())
        g.loss()
        assert seen[-1] == torch.float32


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_guide_first_compile_second(backend):
    target, x = mlp(16, 8, 8, 3), batch()
    with gl.guide(target, convnet()) as g:
        target(x)
        wanted = g.loss()
        wanted.backward()
        grad = target[1].weight.grad.clone()
        target.zero_grad()
        compiled = torch.compile(target, backend=backend)
        for _ in range(2):
            target.zero_grad()
            compiled(x)
            loss = g.loss()
            loss.backward()
            assert loss.item() == pytest.approx(wanted.item(), rel=1e-5)
            assert torch.allclose(target[1].weight.grad, grad, atol=1e-6)


# Samples


def pooled(a):
    """(n, c, h, w) to (n, c)."""
    return a.flatten(2).mean(2)


def as_tokens(a):
    """(n, c, h, w) to (n h w, c)."""
    return a.flatten(2).transpose(1, 2).flatten(0, 1)


@pytest.mark.parametrize(("samples", "view"), [
    ("batch", lambda a: a), ("pool", pooled), ("tokens", as_tokens)])
def test_samples_by_hand(samples, view):
    target, guide = convnet(seed=3), convnet()
    x = batch(6)

    def features(net):
        found = capture(net, x)
        return [view(found[name]) for name in ("0", "4", "6")]

    own, others = features(target), features(guide)
    with gl.guide(target.eval(), guide, samples=samples) as g:
        target(x)
        loss = g.loss()
        report = g.report()
        plan = g.plan().query("reason == ''")
    wanted = [gl.cka(a, b).item() for a, b in zip(own, others, strict=True)]
    assert report["cka"].tolist() == pytest.approx(wanted, rel=1e-4)
    assert loss.item() == pytest.approx(3 - sum(wanted), rel=1e-4)
    assert report["n"].tolist() == plan["n"].tolist() == [len(a) for a in own]
    assert plan["target_features"].tolist() == [a[0].numel() for a in own]


def test_samples_of_sequences_are_tokens():
    target, guide = DictInputs(), DictInputs()
    ids = torch.randint(0, 20, (6, 5), generator=torch.Generator().manual_seed(0))
    with gl.guide(target, guide, samples="tokens") as g:
        target(ids)
        g.loss().backward()
        assert g.report()["n"].tolist() == [30, 30]
    a, b = (capture(net, ids)["rnn"] for net in (target, guide))
    wanted = gl.cka(a.flatten(0, 1), b.flatten(0, 1))
    assert g.report()["cka"][0] == pytest.approx(wanted.item(), rel=1e-4)


def test_tokens_that_do_not_correspond_are_named():
    target = mlp(16, 8, 3)
    with gl.guide(target, convnet(), samples="tokens") as g:
        target(batch(6))
        with pytest.raises(ValueError, match="1 has 6 of them in this batch and 0 has 96.*samples='pool'"):
            g.loss()


# Hooks and copies


def test_hooks_go_whatever_happens():
    target, guide = mlp(16, 8, 3), convnet()
    with pytest.raises(KeyError), gl.guide(target, guide):
        assert hooks(target) == 4
        raise KeyError
    assert hooks(target) == 0
    g = gl.guide(target, guide)
    g.remove()
    g.remove()
    assert hooks(target) == 0
    with pytest.raises(RuntimeError, match=r"after remove\(\)"):
        g.loss()
    with pytest.raises(ValueError):
        gl.guide(target, guide, reduce="product")
    assert hooks(target) == hooks(guide) == 0


def test_only_paired_layers_keep_their_hooks():
    target = mlp(16, 8, 8, 8, 8, 8, 3)
    with gl.guide(target, convnet()) as g:
        assert hooks(target) == 2 + 6
        target(batch())
        g.loss()
        assert hooks(target) == 2 + 3


def test_a_copy_carries_no_live_hook():
    target = mlp(16, 8, 3)
    with gl.guide(target, convnet()) as g:
        for twin in (copy.deepcopy(target), pickle.loads(pickle.dumps(target))):
            live = [hook for module in twin.modules() for hook in module._forward_hooks.values()]
            assert not any(isinstance(hook, Hook) for hook in live)
            twin(batch())
            assert g.recorder.forwards == 0
            assert torch.equal(twin(batch()), target(batch()))
            g.reset()
    assert pickle.loads(pickle.dumps(target))(batch()).shape == (12, 3)


def test_state_dict_carries_the_step():
    target = mlp(16, 8, 3)
    with gl.guide(target, convnet(), stop_after=2) as g:
        target(batch())
        g.loss()
        state = g.state_dict()
    with gl.guide(target, convnet(), stop_after=2) as g:
        g.load_state_dict(state)
        assert g.step == 1
        assert not g.stopped
        target(batch())
        g.loss()
        assert g.stopped
        g.load_state_dict(state)  # back again: the hooks return
        target(batch())
        assert g.loss().item() > 0


# Tables


def test_plan_lists_everybody_with_a_reason():
    target = SkipsLayers()
    target.skip = True
    with gl.guide(target, convnet()) as g:
        with pytest.raises(RuntimeError, match=r"plan\(sample=batch\)"):
            g.plan()
        table = g.plan(batch())
        reasons = ["", "", "", "last layer (logits)", "did not run", "last layer (logits)"]
        assert table["reason"].tolist() == reasons
        paired = table.iloc[0]
        assert (paired["n"], paired["target_features"], paired["guide_features"]) == (12, 8, 64)
        assert paired["gflop"] == pytest.approx(2 * 12**2 * (2 * 8 + 64) / 1e9)
        assert paired["traffic_mb"] == pytest.approx(4 * 12 * (4 * 8 + 64) / 1e6)


def test_plan_leaves_both_networks_as_they_were():
    target, guide = mlp(16, 8, 3, norm=True), convnet()
    states = [copy.deepcopy(net.state_dict()) for net in (target, guide)]
    with gl.guide(target, guide) as g:
        g.plan(batch())
    for net, state in zip((target, guide), states, strict=True):
        assert net.training
        assert all(torch.equal(a, state[name]) for name, a in net.state_dict().items())


def test_report_holds_both_forms_chance_and_dimensions():
    target, guide = mlp(16, 8, 8, 3), convnet()
    x = batch(40)
    with gl.guide(target, guide) as g:
        with pytest.raises(RuntimeError, match="none yet"):
            g.report()
        target(x)
        loss = g.loss()
        table = g.report()
    own, other = capture(target.eval(), x), capture(guide, x)
    row = table.iloc[0]
    a, b = own[row["target"]], other[row["guide"]]
    assert table["misalignment"].sum() == pytest.approx(loss.item(), rel=1e-5)
    assert row["cka"] == pytest.approx(gl.cka(a, b).item(), rel=1e-4)
    assert row["cka_debiased"] == pytest.approx(gl.cka(a, b, debiased=True).item(), rel=1e-4)
    assert row["pr_target"] == pytest.approx(gl.analysis.effective_dimension(a), rel=1e-4)
    generator = torch.Generator().manual_seed(0)
    permuted = []
    for _ in range(400):
        order = torch.randperm(40, generator=generator)
        permuted.append(gl.cka(a[order], b).item())
    assert row["chance"] == pytest.approx(sum(permuted) / 400, rel=0.03)


# Wrong words


@pytest.mark.parametrize(("options", "message"), [
    ({"match": "nearest"}, "'nearest'"), ({"reduce": "product"}, "'product'"),
    ({"similarity": "rdm"}, "'rdm'"), ({"similarity": "sp", "debiased": True}, "debiased=True"),
    ({"stop_after": -1}, "-1"), ({"stop_after": 1.5}, "1.5"), ({"samples": "pixels"}, "'pixels'"),
    ({"layers": []}, r"\[\]"), ({"layers": ["1"]}, r"\['1'\]"), ({"layers": [("a", "b", "c")]}, "'c'"),
    ({"layers": "fc"}, "'fc'"),
])
def test_options_that_make_no_sense_are_repeated(options, message):
    target = mlp(16, 8, 3)
    with pytest.raises(ValueError, match=message):
        gl.guide(target, convnet(), **options)
    assert hooks(target) == 0


def test_wrong_kinds_are_named():
    target = mlp(16, 8, 3)
    with pytest.raises(TypeError, match="target is a torch.nn.Module, received str"):
        gl.guide("resnet", target)
    with pytest.raises(TypeError, match="received str"):
        gl.guide(target, "resnet")
    with pytest.raises(TypeError, match="weight.*str"):
        gl.guide(target, convnet(), weight="1")
    with pytest.raises(TypeError):
        gl.guide(target, convnet(), {"1": "0"})  # options are keyword only
    with pytest.raises(TypeError, match="scripted"):
        gl.guide(torch.jit.script(nn.Linear(2, 2)), convnet())


def test_a_guide_that_shares_parameters_is_refused():
    target = mlp(16, 8, 3)
    for guide in (target, nn.Sequential(target), gl.controls.shuffled(target)):
        with pytest.raises(ValueError, match=r"shares parameters.*copy.deepcopy\(guide\)"):
            gl.guide(target, guide)
    with gl.guide(target, copy.deepcopy(target)) as g:
        target(batch())
        assert g.loss().item() == pytest.approx(0, abs=1e-5)


def test_a_compiled_target_is_refused_with_the_repair():
    target = mlp(16, 8, 3)
    with pytest.raises(ValueError, match=r"gl.guide\(target, guide\) first"):
        gl.guide(torch.compile(target, backend="eager"), convnet())
    inside = mlp(16, 8, 3)
    inside[1].compile(backend="eager")
    with pytest.raises(ValueError, match="at '1'"):
        gl.guide(inside, convnet())


@pytest.mark.parametrize(("layers", "message"), [
    ({"conv*": "0"}, r"no target layer that ran matches 'conv\*'.*'1'"),
    ({"1": "9"}, "no guide layer that ran matches '9'"),
])
def test_layers_that_are_not_there_are_named_with_those_that_are(layers, message):
    target = mlp(16, 8, 3)
    with gl.guide(target, convnet(), layers=layers) as g:
        target(batch())
        with pytest.raises(ValueError, match=message):
            g.loss()
        target(batch())  # nothing is lost: the handle still works as far as it can
        with pytest.raises(ValueError):
            g.loss()


def test_a_named_layer_may_be_any_module():
    target = mlp(16, 8, 3)
    with gl.guide(target, convnet(), layers={"2": "5"}) as g:  # a ReLU and a BatchNorm
        target(batch())
        g.loss()
        plan = g.plan().query("reason == ''")
        assert plan[["target", "guide"]].values.tolist() == [["2", "5"]]


def test_nothing_to_align_says_what_there_is():
    with gl.guide(nn.Linear(16, 3), mlp(16, 8, 3)) as g:
        g.target(batch().flatten(1))
        with pytest.raises(ValueError, match="target has no layer to align besides its last"):
            g.loss()


def test_an_error_in_the_guide_says_what_it_was_given():
    target = nn.Sequential(nn.Flatten(), nn.Linear(9, 8), nn.Linear(8, 3))
    with gl.guide(target, nn.Sequential(nn.Linear(5, 5), nn.Linear(5, 2))) as g:
        target(torch.zeros(4, 3, 3))
        with pytest.raises(RuntimeError) as error:
            g.loss()
    note = error.value.__notes__[0]
    assert "(4, 3, 3) torch.float32 on cpu" in note
    assert "inputs=callable" in note


def test_a_guide_with_nothing_to_say_is_refused_as_often_as_it_is_asked():
    target = mlp(16, 8, 8, 3)
    constant = mlp(16, 8, 8, 3)
    for p in constant.parameters():
        nn.init.zeros_(p)
    with gl.guide(target, constant) as g:
        for _ in range(2):
            target(batch())
            with pytest.raises(ValueError, match="nothing to say"):
                g.loss()


def test_after_a_loss_that_compared_nothing_no_misalignment_is_told():
    target = mlp(16, 8, 8, 3)
    with gl.guide(target, convnet(), weight=lambda step: 1.0 - step, stop_after=3) as g:
        told = []
        for _ in range(4):
            target(batch())
            g.loss()
            told.append((g.misalignment is not None, bool(g.misalignments())))
        assert told == [(True, True), (False, False), (True, True), (False, False)]  # weights 1, 0, -1, none
        assert len(g.report()) == 3  # of the last one that did


@pytest.mark.parametrize(("weight", "error", "said"), [
    (lambda step: None, TypeError, "received NoneType at step 0"),
    (lambda step: "a", TypeError, "received str at step 0"),
    (lambda step: float("nan"), ValueError, "received nan at step 0")])
def test_what_a_callable_weight_gives_is_checked_as_a_weight(weight, error, said):
    target = mlp(16, 8, 8, 3)
    with gl.guide(target, convnet(), weight=weight) as g:
        target(batch())
        with pytest.raises(error, match=said):
            g.loss()


def test_a_small_batch_is_warned_of_whenever_it_comes_and_once():
    target, x = mlp(16, 8, 8, 3), batch()
    with gl.guide(target, convnet()) as g:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            target(x)
            g.loss()
        with pytest.warns(UserWarning, match="with n = 2 examples biased CKA is near 1"):
            target(x[:2])
            g.loss()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            target(x[:3])
            g.loss()


def test_a_layer_may_be_named_by_any_of_its_names_and_a_glob_says_what_it_finds():
    target = mlp(16, 8, 8, 3)
    target.register_module("alias", target[1])
    target.forward = lambda x: target[5](target[4](target[3](target[2](target[1](target[0](x))))))
    with gl.guide(target, convnet(), layers={"alias": "4"}) as g:
        target(batch())
        g.loss()
        assert len(g.pairs) == 1
    with gl.guide(target, convnet(), layers={"blo?k": "4"}) as g:
        target(batch())
        with pytest.raises(ValueError, match="a block that holds layers is found by its whole name"):
            g.loss()


def test_steps_may_be_counted_by_numpy():
    with gl.guide(mlp(16, 8, 8, 3), convnet(), stop_after=np.int64(2)) as g:
        assert g.stop_after == 2
