"""Answers to the exercises of 02 to 05: right ones pass, and each typical slip is told by name."""

from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from answered import judged
from torch import nn

import guidelib as gl
from guidelib.course import planted
from guidelib.course.checks import find, nb03, nb04
from guidelib.course.exercises import TO_FILL, tagged

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
READ = {path.stem: nbformat.read(path, 4) for path in NOTEBOOKS}
EXERCISES = [(notebook, name) for notebook, nb in READ.items() for name in tagged(nb, "solution")]


# 02

def sizes(net, guide, x, y):
    """(alignment, task): the norms of their gradients, from the library's own table."""
    with gl.guide(net, guide, reduce="mean") as handle:
        task = nn.functional.cross_entropy(net(x), y)
        tables = [gl.analysis.gradient_norms(net, loss) for loss in (handle.loss(), task)]
    return [float(np.sqrt((t["gradient_norm"].fillna(0) ** 2).sum())) for t in tables]


def dose(net, guide, x, y, weight):
    ours, theirs = sizes(net, guide, x, y)
    return weight * ours / theirs


def without_weight(net, guide, x, y, weight):
    return dose(net, guide, x, y, 1.0)


def upside_down(net, guide, x, y, weight):
    return 1 / dose(net, guide, x, y, 1.0) * (1 + 1e-2 * (weight - 1))


@pytest.mark.parametrize(("name", "answer", "said"), [
    ("dose", dose, ""),
    ("dose", without_weight, "does not depend on the weight"),
    ("dose", upside_down, "Upside down"),
    ("dose", lambda *a: dose(*a) ** 2, "squared norms"),
    ("dose", lambda *a: 1.1 * dose(*a), "On a small case"),
    ("shuffled", lambda K, order: K[order][:, order], ""),
    ("shuffled", lambda K, order: K[order], "One side only"),
    ("shuffled", lambda K, order: K[:, order], "One side only"),
    ("shuffled", lambda K, order: K, "Nothing has changed"),
    ("shuffled", lambda K, order: order, r"A matrix of shape \(6, 6\) is asked for; yours is \(6,\)"),
    ("shuffled", lambda K, order: K[order.argsort()][:, order.argsort()], "the old entry"),
])
def test_answers_to_02(name, answer, said):
    judged(find("02", name)(answer), said)


# 03

def smoothed(labels, classes, alpha, *, over=0, kept=None):
    one_hot = nn.functional.one_hot(labels, classes)
    kept = 1 - alpha if kept is None else kept
    return kept * one_hot + alpha / (classes - over) * (1 - one_hot * over)


def high_temperature(logits, teacher, *, centre=1, part=0.5):
    apart = logits - teacher
    apart = apart if centre is None else apart - apart.mean(centre, keepdim=True)
    return part * apart.square().sum(1).mean() / logits.shape[1]


@pytest.mark.parametrize(("name", "answer", "said"), [
    ("smoothing", smoothed, ""),
    ("smoothing", lambda y, k, a: smoothed(y, k, 1 - a), "other way round"),
    ("smoothing", lambda y, k, a: smoothed(y, k, a, over=1), "does not leave out the label"),
    ("smoothing", lambda y, k, a: smoothed(y, k, a, kept=1), "sum to 1.40, not to 1"),
    ("smoothing", lambda y, k, a: smoothed(y, k, a / 2), "own target is 0.68; yours is 0.84"),
    ("smoothing", lambda y, k, a: y, r"Targets of shape \(3, 5\) are asked for.+; yours is \(3,\)"),
    ("limit", high_temperature, ""),
    ("limit", lambda z, t: high_temperature(z, t, centre=None), "does not see a shift"),
    ("limit", lambda z, t: high_temperature(z, t, centre=0), "Centred over the examples"),
    ("limit", lambda z, t: high_temperature(z, t, part=1), "Twice too much"),
    ("limit", lambda z, t: high_temperature(z, t, part=4), "what is it multiplied by"),
    ("limit", lambda z, t: high_temperature(z, t, part=2), "factor 1 / classes is missing"),
    ("limit", lambda z, t: high_temperature(z, t, part=3), "their mean is asked for"),
    ("limit", lambda z, t: high_temperature(z, t, part=0.7), "On a small case"),
    ("limit", lambda z, t: (z - t).square(), r"One number is asked for.+; yours is \(6, 4\)"),
])
def test_answers_to_03(name, answer, said):
    judged(find("03", name)(answer), said)


def test_targets_of_03_are_label_smoothing_in_closed_form():
    labels = torch.tensor([1, 0])
    found = nb03.pulled_towards(labels, 4, 0.2)
    assert torch.allclose(found, torch.tensor([[0.05, 0.85, 0.05, 0.05], [0.85, 0.05, 0.05, 0.05]]).double())


def test_each_claim_of_03_has_its_flaw_in_its_numbers_and_the_fair_one_has_none():
    found = {flaw: gl.analysis.error_consistency(*nb03.answers(counts))
             for flaw, (_, counts, _) in nb03.CLAIMS.items()}
    assert {flaw for flaw, e in found.items() if e.low <= 0 <= e.high} == {"accuracies alone", "few images"}
    assert found["accuracies alone"].n == 1000 and found["few images"].n == 20
    assert {flaw for flaw, e in found.items() if e.kappa > 0.99 * e.most} == {"its range"}
    assert [flaw for flaw, (images, *_) in nb03.CLAIMS.items() if images == "training"] == ["seen images"]
    told = {flaw: claim for flaw, (*_, claim) in nb03.CLAIMS.items()}
    assert {flaw for flaw, claim in told.items() if "its teacher" in claim} == {"no control", "nothing"}
    assert {flaw for flaw, claim in told.items() if "untaught" in claim} == {"nothing"}
    assert found["nothing"].low > nb03.kappa(nb03.UNTAUGHT)


def test_the_claims_of_03_say_what_their_counts_give():
    rows = dict(zip(planted.LETTERS, nb03.claims().splitlines()[2:], strict=True))
    by_flaw = {flaw: rows[letter] for letter, flaw in planted.dealt("03", flaws=nb03.FLAWS).items()}
    assert "| 1,000 test | 90% | 50% | Kappa is only 0.20" in by_flaw["its range"]
    assert "They agree on 91% of the images" in by_flaw["accuracies alone"]  # (903 + 4) / 1,000
    assert "| 20 test | 70% | 75% |" in by_flaw["few images"]


# 04

def of_column(name, choose):
    return lambda history: history["test_accuracy"].iloc[getattr(history[name], choose)()]


def from_gram(a, *, axis=0, below=lambda K: K.square().sum(), power=2):
    K = a if axis is None else a - a.mean(axis, keepdim=True)
    K = K @ K.T
    return K.trace() ** power / below(K)


@pytest.mark.parametrize(("name", "answer", "said"), [
    ("early", of_column("validation_loss", "argmin"), ""),
    ("early", lambda h: h["test_accuracy"].max(), "chosen on the test images"),
    ("early", of_column("test_loss", "argmin"), "chosen on the test images"),
    ("early", lambda h: h["test_accuracy"].iloc[-1], "nothing was stopped"),
    ("early", of_column("train_loss", "argmin"), "nothing was stopped"),
    ("early", of_column("validation_accuracy", "argmax"), r"lowest validation \*loss\*"),
    ("early", of_column("validation_loss", "argmax"), "a loss is to be low"),
    ("early", lambda h: h["validation_loss"].argmin(), "accuracy of the table is asked for; yours is 1"),
    ("dimension", from_gram, ""),
    ("dimension", gl.analysis.effective_dimension, ""),
    ("dimension", lambda a: from_gram(a, axis=None), "not centred"),
    ("dimension", lambda a: from_gram(a, axis=1), "Centred over the features"),
    ("dimension", lambda a: 1 / from_gram(a), "Upside down"),
    ("dimension", lambda a: from_gram(a, power=1), "is not squared yet"),
    ("dimension", lambda a: from_gram(a, below=torch.norm), "a norm is its root"),
    ("dimension", lambda a: from_gram(a, below=lambda K: K.diagonal().square().sum()), "on the diagonal"),
    ("dimension", lambda a: len(a), "On a small case"),
])
def test_answers_to_04(name, answer, said):
    judged(find("04", name)(answer), said)


def test_every_way_to_choose_an_epoch_in_04_ends_at_another_accuracy():
    assert len(set(nb04.HISTORY["test_accuracy"])) == len(nb04.HISTORY["test_accuracy"])


def test_every_flaw_of_04_shows_in_its_report_and_nowhere_else():
    shown = {planted.dealt("04", flaws=nb04.FLAWS)[letter]: table for letter, table in nb04.reports().items()}
    fair = shown.pop("nothing")
    assert fair["seeds"].tolist() == [10] * 3
    assert fair["images"].nunique() == fair["read at"].nunique() == 1
    bare = shown.pop("no control")
    assert bare.equals(fair[:2])
    changed = {flaw: table.ne(fair) for flaw, table in shown.items()}
    read = {"read at", "training", "validation", "gap, points", "test accuracy"}
    assert {flaw: set(c.columns[c.any()]) for flaw, c in changed.items()} == {
        "another epoch": read, "chosen on test": read, "not yet learnt": read, "more images": {"images"}}
    assert {flaw: c.any(axis=1).tolist() for flaw, c in changed.items()} == {
        "another epoch": [True, False, False], "chosen on test": [True] * 3,
        "not yet learnt": [True] * 3, "more images": [False, True, False]}


def test_the_fair_report_of_04_says_what_the_project_says():
    made = gl.course.Lesson("04_overfitting_analysis", out_dir="nowhere").runs(
        "deep-fcn", "untrained", regime="overfit")
    mean, low, high = gl.evidence.summary(made).loc[0, ["mean", "low", "high"]]
    fair = nb04.reports()[next(k for k, v in planted.dealt("04", flaws=nb04.FLAWS).items() if v == "nothing")]
    assert fair["test accuracy"][1] == gl.evidence.percent(mean, low, high)


@pytest.mark.parametrize(("notebook", "flaws"), [("03", nb03.FLAWS), ("04", nb04.FLAWS)])
def test_flaws_of_a_notebooks_own_are_judged_letter_by_letter(notebook, flaws):
    truth = planted.dealt(notebook, flaws=flaws)
    check = find(notebook, "evidence")
    assert check(truth).right
    for letter, flaw in truth.items():
        other = next(name for name in flaws if name != flaw)
        assert check(truth | {letter: other}).text == f"5 of 6 are right. {letter}: {flaws[flaw]}"
    assert "There is no answer 'one seed': choose from" in check(truth | {"A": "one seed"}).text


# 05

def moved(net, by, *, part="bias", to=None, kind=nn.BatchNorm1d):
    for module in net.modules():
        if isinstance(module, kind):
            values = getattr(module, part)
            values.data = values.data + by if to is None else torch.full_like(values, to)
    return net


@pytest.mark.parametrize(("name", "answer", "said"), [
    ("shift", moved, ""),
    ("shift", gl.baselines.shift_batchnorm, ""),
    ("shift", lambda net, by: moved(net, by, part="weight"), "gains"),
    ("shift", lambda net, by: moved(net, by, to=by), "add to what is there"),
    ("shift", lambda net, by: moved(net, by, kind=(nn.BatchNorm1d, nn.Linear)), "has changed too"),
    ("shift", lambda net, by: net, "No bias has moved"),
    ("shift", lambda net, by: None, "should return the net; yours returns NoneType"),
    ("shift", lambda net, by: moved(net, 2 * by), "should be 1.5; yours is 2.50"),
    ("powers", lambda norms: abs(np.log10(norms[0] / norms[-1])), ""),
    ("powers", lambda norms: np.log10(norms[0] / norms[-1]), "take away the sign"),
    ("powers", lambda norms: abs(np.log(norms[0] / norms[-1])), "natural logarithm"),
    ("powers", lambda norms: norms[0] / norms[-1], "the ratio itself"),
    ("powers", lambda norms: abs(np.log10(norms[0] / norms[1])), "the answer is 2"),
])
def test_answers_to_05(name, answer, said):
    judged(find("05", name)(answer), said)


# Reports with a flaw in them

@pytest.mark.parametrize("notebook", ["02", "05"])
def test_every_planted_flaw_shows_in_its_report_and_nowhere_else(notebook):
    guide, control = "untrained", "shuffled"
    shown = {planted.dealt(notebook)[letter]: table for letter, table in
             planted.reports(notebook, "deep-fcn", guide=guide, control=control).items()}
    fair = shown.pop("nothing")
    assert fair["seeds"].tolist() == [10] * 3
    assert fair["trials"].nunique() == fair["steps"].nunique() == 1
    changed = {flaw: [c for c in fair if not table[c].equals(fair[c])] for flaw, table in shown.items()}
    assert changed.pop("no control") == list(fair)  # a row less, in every column
    assert len(shown["no control"]) == 2
    assert changed == {"one seed": ["seeds", "test accuracy"], "unequal trials": ["trials"],
                       "another dose": ["dose"], "unequal steps": ["steps"]}


def test_the_flaws_are_judged_letter_by_letter():
    truth = planted.dealt("02")
    check = find("02", "evidence")
    assert check(truth).right
    assert check(truth | {"A": ...}).text == TO_FILL
    for letter, flaw in truth.items():
        other = next(name for name in planted.FLAWS if name != flaw)
        assert check(truth | {letter: other}).text == (
            f"5 of 6 are right. {letter}: {planted.FLAWS[flaw]}")
    assert "There is no answer 'bad luck': choose from 'no control'" in check(truth | {"A": "bad luck"}).text
    assert "A dict with the keys A, B, C, D, E, F" in check(["one seed"]).text
