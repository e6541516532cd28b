"""What the widgets of similarity and of training say is what the library finds."""

import re
import time

import numpy as np
import pytest
import torch
from widgets_made import (
    deep_shift,
    drawn_grams,
    kept,
    small_grams,
    small_pairs,
    small_temperature,
    sorted_classes,
)

import guidelib as gl
from guidelib import widgets
from guidelib.widgets._grams import cosines_of
from guidelib.widgets._temperature import limit, softened

RESPONSE = 0.1  # seconds


def test_the_shift_says_what_the_library_measures():
    task = gl.tasks.digits(train=64)
    net = gl.networks.FCN(inputs=64, outputs=10, depth=6, width=16, norm="batch", seed=0)
    x, y = task.train
    explorer = widgets.shift(net, x, lambda outputs: task.loss(outputs, y))
    shifted = gl.baselines.shift_batchnorm(net, by=1.0)
    table = gl.analysis.gradient_norms(shifted.train(), task.loss(shifted(x), y))
    norms = table[table["layer"].str.contains("linear")]["gradient_norm"].to_numpy()
    assert f"is {norms[0] / norms[-1]:,.1f} times" in explorer.frame({"by": 1.0})[1]


def test_the_shift_leaves_the_net_and_the_random_stream_alone():
    task = gl.tasks.digits(train=32)
    net = gl.networks.FCN(inputs=64, outputs=10, depth=3, width=8, norm="batch", dropout=0.5, seed=0)
    before = {name: t.clone() for name, t in net.state_dict().items()}
    state = torch.get_rng_state()
    x, y = task.train
    widgets.shift(net, x, lambda outputs: task.loss(outputs, y)).frame({"by": 1.0})
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], t) for name, t in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())


@pytest.mark.slow
def test_the_shift_of_the_real_net_answers_as_quickly():
    explorer = deep_shift()
    explorer.frame(explorer.begin)
    start = time.process_time()
    explorer.frame({"by": 1.0})
    assert time.process_time() - start < RESPONSE


def test_the_pairs_are_those_of_the_plan():
    explorer = small_pairs()
    target = gl.networks.FCN(inputs=64, outputs=10, depth=8, width=16, seed=0)
    guide = gl.networks.ResNet(channels=1, outputs=10, width=4, seed=1)
    sample = gl.tasks.digits(train=64).train[0]
    for match in ("depth", "reference"):
        with gl.guide(target, guide, match=match) as handle:
            plan = handle.plan(sample).query("reason == ''")
        assert f"{len(plan)} pairs on {plan['target'].nunique()} layers" in explorer.frame(
            explorer.begin | {"match": match})[1]


def test_a_replay_ends_at_what_the_record_says():
    record = kept("untrained")
    explorer = widgets.replay([record])
    last = explorer.controls["epoch"][1][-1]
    first, now = (np.mean(record["curves"]["probe"]["misalignment"][i]) for i in (0, -1))
    said = explorer.frame(explorer.begin | {"epoch": last})[1]
    assert f"mean misalignment {now:.2f} (at the start {first:.2f})" in said
    assert f"accuracy {100 * record['metrics']['validation_accuracy_last']:.0f} %" in said


def test_a_replay_without_a_guided_run_says_what_to_pass():
    with pytest.raises(ValueError, match="none of 0 records is of a guided run: pass runs of a condition"):
        widgets.replay([])


@pytest.mark.parametrize("T", [0.5, 4.0, 64.0])
def test_the_pull_of_a_temperature_is_the_gradient_of_the_librarys_loss(T):
    logits = torch.tensor([[2.0, 0.0, -1.0]], dtype=torch.double, requires_grad=True)
    teacher = torch.tensor([[1.0, 3.0, 0.0]], dtype=torch.double)
    loss = gl.baselines.kd_loss(logits, teacher, torch.tensor([0]), temperature=T, alpha=1.0)
    (gradient,) = torch.autograd.grad(loss, logits)
    share, found = softened(logits.detach()[0], teacher[0], T)
    assert torch.allclose(found, gradient[0])
    assert torch.allclose(share.log().diff(), teacher[0].diff() / T)  # odds are those of the logits over T


def test_the_pull_tends_to_its_limit_and_the_shares_to_equal_ones():
    logits, teacher = torch.tensor([[2.0, 0.0, -1.0], [1.0, 3.0, 0.0]], dtype=torch.double)
    share, found = softened(logits, teacher, 1e4)
    assert torch.allclose(found, limit(logits, teacher), rtol=1e-3)
    assert torch.allclose(share, torch.full_like(share, 1 / 3), atol=1e-3)
    explorer = small_temperature()
    away = [float(re.search(r"limit by ([\d,]+)%", explorer.frame({"teacher": "sure", "T": T})[1])[1])
            for T in explorer.controls["T"][1][-3:]]
    assert away == sorted(away, reverse=True) and away[-1] < 10


@pytest.mark.parametrize(("changed", "said"), [
    ({}, "Does it help? helps. Is it the guide? beats its controls. Verdict: holds."),
    ({"seeds": 5}, "Verdict: does not test the claim: 5 of the 8 seeds"),
    ({"control": 8}, "as good: identity Gram matrix"),
    ({"control": 30}, "better: identity Gram matrix"),
    ({"gain": 0}, "Does it help? undecided"),
    ({"gain": 0, "spread": 0.5}, "no effect beyond 3 points"),
    ({"gain": -8}, "Does it help? harms."),
    ({"left": 0.9}, "holds, but not by alignment"),
])
def test_the_machine_turns_where_the_rules_turn(changed, said):
    explorer = widgets.verdict()
    assert said in explorer.frame(explorer.begin | changed)[1]


def test_a_prediction_is_kept_and_shown_beside_the_result(tmp_path):
    lesson = gl.course.Lesson("02_untrained_guide_transfer", profile="smoke", out_dir=tmp_path)
    asked = lesson.predict("learns", "Will it?", ["yes", "no"])
    assert "My prediction:" in asked.paper()
    assert lesson.found("learns", "It does.").data == "It does."
    _, radio = asked.live().children
    radio.value = "no"
    assert asked.live().children[1] is radio, "shown again, it keeps the answer"
    assert lesson.found("learns", "It does.").data == "You predicted: *no*.\n\nIt does."
    assert lesson.found("never asked", "It does.").data == "It does."


# The null law

def curve(explorer, features, common, debiased):
    """CKA that the widget says of each number of examples."""
    values = []
    for n in explorer.controls["examples"][1]:
        said = explorer.frame({"features": features, "common": common, "examples": n})[1]
        biased, corrected = re.search(r"biased CKA (-?\d\.\d\d), debiased (-?\d\.\d\d)", said).groups()
        values.append(float(corrected if debiased else biased))
    return np.array(values)


def test_unrelated_features_follow_the_null_law_and_vanish_debiased():
    explorer = widgets.null_law()
    n = np.array(explorer.controls["examples"][1])
    for p in (16, 64, 256):
        assert np.abs(curve(explorer, p, 0.0, debiased=False) - p / (n + p)).max() < 0.06
        assert np.abs(curve(explorer, p, 0.0, debiased=True)).max() < 0.12


def test_debiased_cka_is_the_share_in_common_and_biased_is_above_it():
    explorer = widgets.null_law()
    for common in (0.25, 0.5, 0.75):
        debiased = curve(explorer, 256, common, debiased=True)
        assert np.abs(debiased - common).max() < 0.05
        assert (curve(explorer, 256, common, debiased=False) > debiased + 0.05).all()
    assert curve(explorer, 256, 1.0, debiased=False).tolist() == [1.0] * 5


def test_another_seed_draws_other_features():
    one, same, other = (widgets.null_law(seed=seed) for seed in (0, 0, 1))
    assert one.frame(one.begin) == same.frame(same.begin) != other.frame(other.begin)


# Gram matrices of two nets

def said_of(explorer, epoch, name):
    """(less, within, between) that the widget says of a net at an epoch."""
    said = explorer.frame({"epoch": epoch})[1]
    number = r"([+-]?\d\.\d\d)"
    return tuple(map(float, re.search(rf"{name} {number} \({number} less {number}\)", said).groups()))


def test_the_cosines_are_those_of_the_centred_examples():
    x = torch.randn(12, 5, generator=torch.Generator().manual_seed(1), dtype=torch.double) + 3
    rows = torch.nn.functional.normalize(x - x.mean(0), dim=1)
    for centred in (True, False):  # the widget centres what is not
        k = gl.similarity.gram(x, centred=centred)
        assert torch.allclose(cosines_of(k).double(), rows @ rows.T, atol=1e-6)


def test_what_is_said_of_two_nets_is_what_loops_over_pairs_find():
    nets, classes = drawn_grams(), sorted_classes()
    cosines = cosines_of(nets["b"][3])
    within, between = [], []
    for i in range(60):
        for j in range(i):
            (within if classes[i] == classes[j] else between).append(cosines[i, j].item())
    explorer = small_grams()
    less, *both = said_of(explorer, 3, "b")
    assert both == pytest.approx([np.mean(within), np.mean(between)], abs=0.005 + 1e-6)
    assert less == pytest.approx(both[0] - both[1], abs=1e-9)
    k, l = (nets[name][3] for name in "ab")  # centred already
    assert f"CKA of a and b {(k * l).sum() / (k.norm() * l.norm()):.2f}" in explorer.frame({"epoch": 3})[1]


def test_examples_at_their_classes_means_are_wholly_alike_within_them():
    told = torch.nn.functional.one_hot(sorted_classes()).double()
    told = gl.similarity.gram(told)
    explorer = widgets.grams({"drawn": drawn_grams()["a"], "told": dict.fromkeys(range(4), told)},
                             sorted_classes())
    assert said_of(explorer, 3, "told")[1] == 1.0
    assert abs(said_of(explorer, 3, "drawn")[0]) < 0.1, "features that know of no class"


def test_the_images_are_the_cosines_in_the_colours_of_the_figure():
    explorer = small_grams()
    explorer.frame({"epoch": 2})
    images = explorer.stage.moving[:2]
    for image, by_epoch in zip(images, drawn_grams().values(), strict=True):
        assert np.array_equal(image.get_array(), cosines_of(by_epoch[2]).numpy())
        assert image.get_clim() == (-1, 1)
        assert image.get_cmap().name == "RdBu_r"


def test_ticks_stand_in_the_middle_of_classes_and_lines_between_them():
    explorer = small_grams()
    explorer.frame({"epoch": 0})
    first, across, down = (explorer.stage.moving[i] for i in (0, 2, 3))
    sizes = np.bincount(sorted_classes())
    ends = np.cumsum(sizes) - 0.5
    assert first.axes.get_xticks().tolist() == (ends - sizes / 2).tolist()
    assert [label.get_text() for label in first.axes.get_yticklabels()] == list("012345")
    assert [line[0, 1] for line in across.get_segments()] == ends[:-1].tolist()
    assert [line[0, 0] for line in down.get_segments()] == ends[:-1].tolist()


def test_paper_shows_the_first_a_middle_and_the_last_epoch_that_all_nets_have():
    nets = drawn_grams(("a", "b", "c"), epochs=6)
    del nets["c"][5]  # a training run that ended before the others
    explorer = widgets.grams(nets, sorted_classes())
    assert explorer.controls["epoch"][1] == [0, 1, 2, 3, 4]
    assert [frame["epoch"] for frame in explorer.frames] == [0, 2, 4]
    _, words = explorer.static()
    assert "a and b" in words.data and "a and c" in words.data and "b and c" in words.data
    few = widgets.grams(drawn_grams(epochs=1), sorted_classes())
    assert few.frames == [{"epoch": 0}]


@pytest.mark.parametrize(("changed", "said"), [
    (lambda nets, y: ({"a": nets["a"]}, y), r"2 to 3 nets side by side, received 1: \['a'\]"),
    (lambda nets, y: (nets | {"b": {0: torch.zeros(60, 6)}}, y),
     r"is \(n, n\), received \(60, 6\) of 'b' at epoch 0: pass gl.similarity.gram\(activations\)"),
    (lambda nets, y: (nets | {"b": {0: torch.eye(50)}}, y),
     r"\(60, 60\) of 'a' at epoch 0, \(50, 50\) of 'b' at epoch 0: run all nets on the same n"),
    (lambda nets, y: (nets | {"b": {7: torch.eye(60)}}, y),
     r"no epoch is shared by all nets, 'a' has \[0, 1, 2, 3\], 'b' has \[7\]: keep a matrix"),
    (lambda nets, y: (nets, y[:50]), r"each of the 60 examples, shape \(60,\), received shape \(50,\): take"),
    (lambda nets, y: (nets, y.flip(0)), r"not sorted, received \[5, 5, .*\] first: .*argsort\(stable=True\)"),
    (lambda nets, y: (nets, y * 0), "received 1 classes of 60 examples: .* take two classes or more"),
    (lambda nets, y: (nets, torch.arange(60)), "received 60 classes of 60 examples"),
])
def test_what_cannot_stand_side_by_side_says_what_to_pass(changed, said):
    with pytest.raises(ValueError, match=said):
        widgets.grams(*changed(drawn_grams(), sorted_classes()))
