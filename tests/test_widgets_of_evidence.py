"""What the widgets of evidence say is what the library, or a closed form, finds."""

import re

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from widgets_made import kept, small_dose, small_seeds, small_starts, small_stopping

import guidelib as gl
from guidelib import widgets
from guidelib.experiments import initialisations
from guidelib.widgets._agreement import answered
from guidelib.widgets._looks import LEVEL, RULES, pvalues


def said(explorer, **changed):
    return explorer.frame(explorer.begin | changed)[1]


def numbers(text):
    return [float(n) for n in re.findall(r"[+-]?\d+(?:\.\d+)?", text)]


# Seeds

@pytest.mark.parametrize("n", [2, 4, 6])
def test_the_first_seeds_have_the_interval_of_their_paired_differences(n):
    scores = [{seed: kept(condition, seed)["metrics"]["test_accuracy"] for seed in range(20, 20 + n)}
              for condition in ("shuffled", "base")]
    found = gl.evidence.percent(*gl.evidence.paired_difference(*scores), signed=True)
    assert f"the first {n} of 6 seeds: {found} points" in said(small_seeds(), looked_at=n)


def test_where_the_interval_lies_is_said_of_each_side():
    runs = [made_up(condition, seed, accuracy + 0.01 * seed) for seed in (0, 1, 2)
            for condition, accuracy in (("base", 0.5), ("trained", 0.7), ("identity", 0.3))]
    runs += [made_up("shuffled", seed, 0.5 + 0.1 * (seed - 1)) for seed in (0, 1, 2)]
    explorer = widgets.seeds(runs)
    assert explorer.begin["looked_at"] == 2
    for name, where in zip(explorer.controls["condition"][1], ("lies above", "lies below", "contains"),
                           strict=True):  # in the order of the runs: trained, identity, shuffled
        assert said(explorer, condition=name, looked_at=3).endswith(f"the interval {where} 0.")


def made_up(condition, seed, accuracy):
    return {"config": {"condition": condition, "seed": seed}, "metrics": {"test_accuracy": accuracy}}


@pytest.mark.parametrize("runs", [
    [], [("base", 0), ("base", 1)], [("base", 0), ("trained", 0)], [("trained", 0), ("identity", 0)],
    [("base", 0), ("base", 1), ("trained", 2), ("trained", 3)],
])
def test_seeds_that_cannot_be_compared_say_which_were_given(runs):
    with pytest.raises(ValueError, match=r"on two seeds at least; received \[.*which share the seeds \["):
        widgets.seeds([made_up(*run, 0.5) for run in runs])


# Agreement of two networks

@pytest.mark.parametrize(("a", "b"), [(0.8, 0.8), (0.5, 0.95), (0.6, 0.5)])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_two_networks_are_right_as_often_and_as_much_in_common_as_was_chosen(a, b, share):
    n = 400
    right_a, right_b = answered(a, b, share, n)
    assert right_a.mean() == pytest.approx(a) and right_b.mean() == pytest.approx(b)
    least, most = max(0.0, a + b - 1), min(a, b)
    assert (right_a & right_b).mean() == pytest.approx(least + share * (most - least), abs=0.5 / n + 1e-9)


def test_the_kappa_said_is_the_closed_form_and_reaches_both_ends_of_its_range():
    explorer = widgets.agreement()
    for share in (0.0, 0.75, 1.0):
        both = 0.6 + share * 0.2
        observed, expected = 1 - 2 * 0.8 + 2 * both, 0.8**2 + 0.2**2
        *_, kappa, low, high, least, most = numbers(said(explorer, share=share))
        assert kappa == pytest.approx((observed - expected) / (1 - expected), abs=0.005 + 1e-9)
        assert low <= kappa <= high and least == -0.25 and most == 1.0
    assert kappa == most


def test_fewer_images_leave_a_longer_interval():
    lengths = []
    for images in (40, 100, 400, 2000):
        *_, low, high, _, _ = numbers(said(widgets.agreement(), images=images))
        lengths.append(high - low)
    assert lengths == sorted(lengths, reverse=True) and lengths[0] > 4 * lengths[-1]


# Stopping

def test_a_stop_says_what_the_history_holds_and_what_early_stopping_reports():
    record = kept("base", regime="overfit")
    explorer, history = small_stopping(), record["curves"]["training"]
    text = said(explorer, epoch=60)
    for part in ("train", "validation", "test"):
        assert f"{100 * history[f'{part}_accuracy'][59]:.1f} %" in text
    metrics = record["metrics"]
    assert f"stops after {metrics['best_epoch']}: test {100 * metrics['test_accuracy']:.1f} %" in text
    assert f"could have {100 * max(history['test_accuracy']):.1f} %" in text
    assert explorer.begin["epoch"] == metrics["best_epoch"]


def test_nothing_to_stop_is_said():
    with pytest.raises(ValueError, match="received no record: pass runs"):
        widgets.stopping([])


# Starts

def test_the_order_of_the_starts_is_that_of_the_number_and_the_correlation_scipys():
    table = initialisations.kept()
    explorer = small_starts()
    rows = table[table["chosen"]].query("data == 'digits' and depth == 50 and width == 128")
    accuracy = rows.groupby("start")["test_accuracy"].mean()
    even = -np.log(rows["gradient_ratio"]).groupby(rows["start"]).mean().abs()
    geometry = rows.groupby("start")["geometry"].mean()
    text = said(explorer, size="50 x 128, digits")
    assert f"the best is {accuracy.idxmax()}, {100 * accuracy.max():.0f} %" in text
    orders = {"evenness of the gradients": even, "geometry left": geometry, "test accuracy": accuracy}
    for name in list(orders)[:2]:
        assert f"{name} {spearmanr(orders[name], accuracy[orders[name].index]).statistic:.2f}" in text
    for order, by in orders.items():
        said(explorer, size="50 x 128, digits", order=order)
        shown = [artist.get_text() for artist in explorer.stage.moving if hasattr(artist, "get_text")]
        assert shown == list(by.sort_values(ascending=False).index)


# Doses

def test_the_dose_is_the_gradients_ratio_and_grows_with_the_weight():
    task = gl.tasks.digits(train=64)
    target = gl.networks.FCN(inputs=64, outputs=10, depth=5, width=16, norm="batch", seed=0)
    guide = gl.networks.ResNet(channels=1, outputs=10, width=4, seed=1)
    x, y = task.train
    explorer = widgets.dose(target, guide, x, lambda outputs: task.loss(outputs, y), reduce="mean")
    with gl.guide(target, guide, reduce="mean") as handle:
        losses = task.loss(target(x), y), handle.loss()
    sizes = []
    for loss in losses:
        grads = torch.autograd.grad(loss, list(target.parameters()), retain_graph=True, allow_unused=True)
        sizes.append(torch.cat([g.flatten() for g in grads if g is not None]).norm().item())
    task_size, pull = sizes
    for weight in (0.1, 1.0, 50.0):
        assert f"a dose of {weight * pull / task_size:.2f}." in said(explorer, weight=weight)


def test_a_dose_leaves_the_networks_and_the_random_stream_alone():
    state = torch.get_rng_state()
    task = gl.tasks.digits(train=32)
    target = gl.networks.FCN(inputs=64, outputs=10, depth=3, width=8, norm="batch", dropout=0.5, seed=0)
    before = {name: t.clone() for name, t in target.state_dict().items()}
    x, y = task.train
    guide = gl.networks.ResNet(channels=1, outputs=10, width=4, seed=1)
    first, again = (widgets.dose(target, guide, x, lambda outputs: task.loss(outputs, y)) for _ in range(2))
    assert said(first) == said(again), "dropout is drawn from the seed"
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], t) for name, t in target.state_dict().items())
    assert all(p.grad is None for p in target.parameters())


def test_only_layers_with_a_weight_matrix_have_a_place():
    explorer = small_dose()
    explorer.frame(explorer.begin)
    (pull,) = explorer.stage.moving
    heights = np.asarray(pull.get_ydata())
    assert len(heights) == 6 and np.isnan(heights[-1]), "five hidden layers and the unpaired logits"
    assert np.isfinite(heights[:-1]).all()


# Many looks

def test_without_a_true_claim_the_plain_level_errs_and_holm_seldom_does():
    """Of 40 claims without effect one falls below 0.05 in 1 - 0.95^40 = 87 % of draws; Holm errs in 5 %."""
    draws = [pvalues(40, 0.0, draw)[0] for draw in range(1, 401)]
    plain, by_holm = (np.mean([(rule(p) < LEVEL).any() for p in draws]) for rule in list(RULES.values())[:2])
    assert plain == pytest.approx(1 - 0.95**40, abs=0.06)
    assert by_holm == pytest.approx(0.05, abs=0.04)


def test_what_was_found_counts_the_claims_below_each_level():
    p, is_true = pvalues(40, 0.3, 1)
    assert is_true.sum() == 12 and (np.diff(p) >= 0).all()
    text = said(widgets.looks(), claims=40, share=0.3)
    assert f"Below 0.05: {(p < 0.05).sum()} found, {((p < 0.05) & ~is_true).sum()} of these not true" in text
    sizes = np.array([p[i] * (40 - i) for i in range(40)])
    by_holm = int((np.maximum.accumulate(sizes) < 0.05).sum())
    assert f"Holm: {by_holm} found" in text
    ranks = np.arange(1, 41)
    at_most = max(ranks[p * 40 / ranks < 0.05], default=0)
    assert f"Benjamini and Hochberg: {at_most} found" in text
