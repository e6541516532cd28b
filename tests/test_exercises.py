"""Exercises: stubs are solutions without the blanks, and each check tells the learner's slips apart."""

import ast
import importlib
import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from torch import nn

import guidelib as gl
from guidelib import evidence
from guidelib.cli import main
from guidelib.course import exercises, planted
from guidelib.course.checks import find, nb03, nb04, nb06, nb07, nb09
from guidelib.course.exercises import BLANK, TO_FILL, exercise, stub, tagged
from guidelib.evidence import gates

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
READ = {path.stem: nbformat.read(path, 4) for path in NOTEBOOKS}
EXERCISES = [(notebook, name) for notebook, nb in READ.items() for name in tagged(nb, "solution")]


@pytest.mark.parametrize(("notebook", "name"), EXERCISES)
class TestExercise:
    def test_has_a_text_a_stub_hints_and_a_solution_in_this_order(self, notebook, name):
        ids = [cell.id for cell in READ[notebook].cells]
        places = [ids.index(f"{part}-{name}") for part in ("exercise", "stub", "hints", "solution")]
        assert places == sorted(places)

    def test_says_how_long_and_how_hard(self, notebook, name):
        text = tagged(READ[notebook], "exercise")[name].source
        assert re.search(r"^### Exercise: .+\n\n\*\d+ minutes, difficulty [123] of 3\.\*", text)

    def test_its_stub_is_its_solution_without_the_blanks(self, notebook, name):
        nb = READ[notebook]
        assert tagged(nb, "stub")[name].source == stub(tagged(nb, "solution")[name].source)

    def test_its_solution_is_collapsed_in_jupyterlab_and_in_the_book(self, notebook, name):
        cell = tagged(READ[notebook], "solution")[name]
        assert cell.metadata.jupyter.source_hidden is True
        assert "hide-input" in cell.metadata.tags

    def test_nothing_later_uses_the_names_that_it_makes(self, notebook, name):
        cells = READ[notebook].cells
        source = tagged(READ[notebook], "solution")[name].source
        made = set(re.findall(r"^(?:def )?(\w+)(?: = |\()", source, re.MULTILINE)) - {"lesson"}
        last = next(i for i, cell in enumerate(cells) if cell.id == f"solution-{name}")
        later = [cell.source for cell in cells[last + 1:] if cell.cell_type == "code"
                 and "solution" not in cell.metadata.get("tags", [])]
        nodes = ast.walk(ast.parse("\n".join(later)))
        assert made & {node.id for node in nodes if isinstance(node, ast.Name)} == set()


def test_a_stub_leaves_open_what_is_marked_and_nothing_else():
    solution = ("a = 1\ndef f(x):\n    y = x == a  # fill in: a comparison\n"
                "    return y and a  # fill in\nf(a)")
    assert stub(solution) == ("a = 1\ndef f(x):\n    y = ...  # fill in: a comparison\n"
                              "    return ...  # fill in\nf(a)")


def test_a_solution_without_a_blank_is_an_error_that_says_the_repair():
    with pytest.raises(ValueError, match="end a line with an assignment or a return in '# fill in'"):
        stub("x = 1")


def test_a_check_answers_blanks_and_errors_and_never_fails():
    @exercise("Fine.")
    def half(answer):
        return "" if answer(4) == 2 else "Not half."

    def blank(x):
        return ...

    assert half(blank).text == half(...).text == half([1, ...]).text == TO_FILL
    assert "stops with ZeroDivisionError: division by zero." in half(lambda x: x / 0).text
    assert [half(lambda x, k=k: x / k).right for k in (1, 2)] == [False, True]
    assert half(lambda x: x / 2)._repr_markdown_() == "**Right.** Fine."
    assert half(lambda x: x)._repr_markdown_() == "**Not yet.** Not half."


def test_an_exercise_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="no exercise 'dosis' in notebook 02"):
        find("02_untrained_guide_transfer", "dosis")


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


def judged(found, said):
    assert found.right == (said == "")
    if said:
        assert re.search(said, found.text), found.text
    assert BLANK not in found.text


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


# Copies for a class

def test_students_get_no_solutions_and_teachers_no_stubs(tmp_path, capsys):
    assert main(["course", "export", str(tmp_path)]) == 0
    assert f"{len(NOTEBOOKS)} notebooks in {tmp_path / 'student'}" in capsys.readouterr().out
    for path in NOTEBOOKS:
        student, solved = (nbformat.read(tmp_path / name / path.name, 4) for name in ("student", "solutions"))
        nbformat.validate(student), nbformat.validate(solved)
        names = set(tagged(READ[path.stem], "solution"))
        assert (set(tagged(student, "stub")), set(tagged(student, "solution"))) == (names, set())
        assert (set(tagged(solved, "stub")), set(tagged(solved, "solution"))) == (set(), names)
        assert "source_hidden" not in json.dumps([c.metadata for c in tagged(solved, "solution").values()])


def test_the_copies_leave_the_notebook_as_it_is():
    nb = READ["02_untrained_guide_transfer"]
    before = nbformat.writes(nb)
    exercises.student(nb), exercises.solved(nb)
    assert nbformat.writes(nb) == before


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path, capsys):
    blocked = tmp_path / "file"
    blocked.touch()
    assert main(["course", "export", str(blocked)]) == 2
    assert "guidelib course: nothing can be written to" in capsys.readouterr().err


def test_every_check_belongs_to_an_exercise_of_its_notebook():
    for path in (ROOT / "guidelib" / "course" / "checks").glob("nb*.py"):
        module = importlib.import_module(f"guidelib.course.checks.{path.stem}")
        made = {name for name in dir(module) if hasattr(getattr(module, name), "__wrapped__")
                and getattr(module, name).__module__ == module.__name__}
        notebook = next(name for name in READ if name.startswith(path.stem[2:]))
        assert made == {name.replace("-", "_") for name in tagged(READ[notebook], "solution")}, path.name


# 06

def u_centred(K, *, over=2, last=None, keep=True):
    """The U-centred Gram matrix of K (n, n); over, last: what its slips subtract, and divide by."""
    n = len(K)
    K = K - K.diag().diag()
    rows = K.sum(1, keepdim=keep) / (n - over)
    centred = K - rows - (rows.T if keep else rows) + K.sum() / (last or (n - 1) * (n - 2))
    return centred - centred.diag().diag()


def nearest(guide, controls, *, end=1, best=min, by=None):
    found = {name: gl.evidence.paired_difference(guide, c) for name, c in controls.items()}
    name = best(found, key=lambda name: found[name][end if by is None else by])
    return name, found[name][end]


@pytest.mark.parametrize(("name", "answer", "said"), [
    ("batch", lambda g, most: g / most - g, ""),
    ("batch", lambda g, most: np.ceil(g / most - g), ""),
    ("batch", lambda g, most: g / most, "stands below the line as well"),
    ("batch", lambda g, most: g * most / (1 - most), "here it is given"),
    ("batch", lambda g, most: g, "it takes 270 examples; yours is 30"),
    ("nearest", nearest, ""),
    ("nearest", lambda *a: nearest(*a, end=0), "is the mean lead over steady"),
    ("nearest", lambda *a: nearest(*a, end=2), "is the upper end"),
    ("nearest", lambda *a: nearest(*a, best=max), "Over far .* over scattered"),
    ("nearest", lambda *a: nearest(*a, by=0), "Over steady .* over scattered"),
    ("nearest", lambda *a: nearest(*a)[0], "The name of a control and a number"),
    ("nearest", lambda *a: (nearest(*a)[0], 0.5), "is at least -0.060; yours is 0.500"),
    ("debiased", u_centred, ""),
    ("debiased", lambda K: u_centred(K, over=0, last=len(K) ** 2), "means over n"),
    ("debiased", lambda K: u_centred(K, last=len(K) ** 2), "The rows are right. The last term"),
    ("debiased", lambda K: u_centred(K, over=1), "Each row should add up to 0"),
    ("debiased", lambda K: u_centred(K, keep=False), "not symmetric"),
    ("debiased", lambda K: K.sum(1), r"A matrix of shape \(6, 6\) is asked for; yours is \(6,\)"),
])
def test_answers_to_06(name, answer, said):
    judged(find("06", name)(answer), said)


def test_what_06_asks_for_is_what_the_library_debiases_by():
    g = torch.Generator().manual_seed(1)
    x, y = torch.randn(9, 3, generator=g).double(), torch.randn(9, 5, generator=g).double()
    K, L = u_centred(x @ x.T), u_centred(y @ y.T)
    assert torch.isclose((K * L).sum() / (K.norm() * L.norm()), gl.cka(x, y, debiased=True))


def flaw_of_06(report):
    """The flaw that the rules of 06 find in a report."""
    (first, last), (p, q) = report["ends"], report["pr"]
    if not report["lead"]:
        return "no control"
    if report["doses"] != nb06.EQUAL:
        return "weak control"
    if report["lead"][1] <= 0:
        return "not told apart"
    if first - last < max(first / 4, 0.05):
        return "not approached"
    return "free likeness" if (p * q) ** 0.5 / (report["n"] - 1) > 1 - last - 0.1 else "nothing"


def test_each_flaw_of_06_is_in_one_report_by_the_rules():
    assert {letter: flaw_of_06(made) for letter, made in nb06.REPORTS.items()} == nb06.TRUTH
    assert sorted(nb06.TRUTH.values()) == sorted(nb06.FLAWS)
    assert all(low > 0 for _, low, _ in nb06.GAINS.values()), "each guide helps"
    assert list(nb06.reports()) == list(nb06.TRUTH)


# 07

def lowest_loss(follow, share, *, log=torch.log, weights=None):
    entropy = -(follow * log(follow)).sum(1)
    return (entropy * (share if weights is None else weights)).sum()


def sees(net, ids, *, token=1, end=-1):
    other = ids.clone()
    other[-1] = (ids[-1] + token) % 10
    before, after = (net(tokens[None])[0] for tokens in (ids, other))
    return not torch.equal(before[:end], after[:end])


def by_tokens(X, Y):
    return gl.cka(X.flatten(0, 1), Y.flatten(0, 1))


@pytest.mark.parametrize(("name", "answer", "said"), [
    ("floor", lowest_loss, ""),
    ("floor", lambda f, s: -lowest_loss(f, s), "The sign is turned"),
    ("floor", lambda f, s: lowest_loss(f, s, log=torch.log2), "That is in bits"),
    ("floor", lambda f, s: lowest_loss(f, s).exp(), "the perplexity"),
    ("floor", lambda f, s: -(s * s.log()).sum(), "a guess by frequency"),
    ("floor", lambda f, s: lowest_loss(f, s, weights=1 / len(s)), "Each word counts alike"),
    ("floor", lambda f, s: lowest_loss(f, s, weights=1), "are added up"),
    ("floor", lambda f, s: -(f * f.log()).sum(1), r"One number .* shape \(2,\)"),
    ("floor", lambda f, s: 0.0, "is 0.3864 nats; yours is 0.0000"),
    ("future", sees, ""),
    ("future", lambda net, ids: sees(net, ids, end=None), "a leak in an honest net too"),
    ("future", lambda net, ids: sees(net, ids, token=0), "no leak in a net that has one"),
    ("future", lambda net, ids: not sees(net, ids), "Turned round"),
    ("future", lambda net, ids: net(ids[None])[0] > 0, "One answer is asked for"),
    ("tokens", by_tokens, ""),
    ("tokens", gl.cka, "a whole sequence is a sample"),
    ("tokens", lambda X, Y: gl.cka(X.flatten(0, 1).T, Y.flatten(0, 1).T), "a feature is a sample"),
    ("tokens", lambda X, Y: sum(gl.cka(X[:, i], Y[:, i]) for i in range(X.shape[1])) / X.shape[1],
     "the mean over moments"),
    ("tokens", lambda X, Y: by_tokens(X, Y) / 2, "On a small case"),
])
def test_answers_to_07(name, answer, said):
    judged(find("07", name)(answer), said)


def test_words_of_the_small_languages_of_07_come_as_often_as_they_follow():
    for follow, share in nb07.LAWS:
        follow, share = torch.tensor(follow), torch.tensor(share)
        assert torch.allclose(follow.sum(1), torch.ones(len(share)))
        assert torch.allclose(share @ follow, share)


def flaw_of_07(task, sides):
    """The flaw that the rules of 07 find in a report."""
    base, guided, lengths = sides
    chance, best = nb07.limits()[task]
    if task == "perplexity":  # as counted it looks better, and per word it is not
        return "other units" if guided < base < guided ** nb07.TOKENS_PER_WORD else "nothing"
    if task == "language":
        return "below the floor" if guided < best < base < chance else "nothing"
    if base < chance - 0.02:
        return "below chance"
    if abs(base - chance) < 0.01:
        return "base at chance"
    return "lengths" if abs(lengths - guided) < 0.03 else "nothing"


def test_each_flaw_of_07_is_in_one_report_by_the_rules():
    assert {letter: flaw_of_07(*made) for letter, made in nb07.MADE_UP.items()} == nb07.TRUTH
    assert sorted(nb07.TRUTH.values()) == sorted(nb07.FLAWS)
    assert list(nb07.reports().index) == list(nb07.TRUTH)


@pytest.mark.parametrize(("notebook", "module"), [("06", nb06), ("07", nb07)])
def test_flaws_of_other_kinds_are_judged_letter_by_letter(notebook, module):
    check = find(notebook, "evidence")
    assert check(module.TRUTH).right
    assert check(module.TRUTH | {"A": ...}).text == TO_FILL
    for letter, flaw in module.TRUTH.items():
        other = next(name for name in module.FLAWS if name != flaw)
        assert check(module.TRUTH | {letter: other}).text == (
            f"5 of 6 are right. {letter}: {module.FLAWS[flaw]}")
    assert "There is no answer 'one seed': choose from" in check(module.TRUTH | {"A": "one seed"}).text


# 09

def steps(ps, *, factor=lambda i, m: m - i, keep=True):
    adjusted, highest = [], 0.0
    for i, p in enumerate(ps):
        value = min(1.0, p * factor(i, len(ps)))
        highest = max(highest, value) if keep else value
        adjusted.append(highest)
    return adjusted


@pytest.mark.parametrize(("name", "answer", "said"), [
    ("holm", steps, ""),
    ("holm", lambda ps: steps(ps, factor=lambda i, m: m), "That is Bonferroni"),
    ("holm", lambda ps: steps(ps, factor=lambda i, m: i + 1), "The other way round"),
    ("holm", lambda ps: steps(ps, factor=lambda i, m: m / (i + 1), keep=False), "false discoveries"),
    ("holm", lambda ps: ps, "Nothing is adjusted"),
    ("holm", lambda ps: steps(ps)[:2], "asked for as came in, 4; yours are 2"),
    ("holm", lambda ps: steps(ps)[::-1], "must not come out stronger"),
    ("holm", lambda ps: [p + 0.1 for p in steps(ps)], "the adjusted ones are"),
    ("hours", lambda pflop, done, seconds: pflop / done * seconds / 3600, ""),
    ("hours", lambda pflop, done, seconds: pflop / done * seconds, "in seconds"),
    ("hours", lambda pflop, done, seconds: pflop / done * seconds / 60, "in minutes"),
    ("hours", lambda pflop, done, seconds: done / pflop * seconds / 3600, "Upside down"),
    ("hours", lambda pflop, done, seconds: 7.0, "takes 5 hours; yours is 7"),
])
def test_answers_to_09(name, answer, said):
    judged(find("09", name)(answer), said)


def test_every_verdict_of_the_table_in_09_is_what_the_rules_say():
    """Its rows as numbers: seeds, mean, half an interval, misalignment at the end, whether it still rises."""
    asked = {"A": (10, 2.0, 5.5, 0.40, 0), "B": (10, 5.0, 2.5, 0.40, 0), "C": (6, 12.0, 3.0, 0.40, 0),
             "D": (10, 5.0, 2.5, 0.40, 320), "E": (10, 5.0, 2.5, 0.76, 0), "F": (10, 0.4, 1.3, 0.40, 0)}
    text = tagged(READ["09_paper_and_beyond"], "exercise")["evidence"].source
    for letter, (seeds, mean, half, end, faster) in asked.items():
        shown = f"{mean:+.1f} ({mean - half:+.1f} to {mean + half:+.1f}) | 0.80 to {end:.2f} |"
        assert f"| {letter} | {seeds} | {shown}" in text
        spread = np.array([1.0, -1.0] * (seeds // 2))
        spread *= half / (evidence.student_t_interval(spread)[2])
        answer = evidence.verdicts.helps((mean + spread) / 100)
        run = {"config": {"condition": "untrained"}, "curves": {"probe": {
            "moments": ["start", 1], "misalignment": [[0.8], [end]]}}}
        gate = "" if seeds >= gates.SEEDS else "too few seeds"
        found = evidence.verdict(answer, untested=gate, treated=evidence.treated({0: run}), faster=faster)
        assert evidence.verdicts.kind(found) == nb09.TRUTH[letter], letter


def test_the_verdicts_of_09_are_judged_letter_by_letter():
    check = find("09", "evidence")
    assert check(nb09.TRUTH).right
    assert check(nb09.TRUTH | {"E": "holds"}).text == (
        f"5 of 6 are right. E: {nb09.VERDICTS['holds, but not by alignment']}")
    assert "There is no answer 'fine'" in check(nb09.TRUTH | {"A": "fine"}).text


# 08

def net_and_guide():
    """Nets of the form that notebook 08 has, shorter."""
    layers = [nn.Flatten()]
    for inputs in (64, 8, 8):
        layers += [nn.Linear(inputs, 8), nn.BatchNorm1d(8), nn.ReLU()]
    guide = nn.Sequential()
    for i, channels in enumerate((1, 4, 4), 1):
        guide.add_module(f"conv{i}", nn.Conv2d(channels, 4, 3))
    for name, module in {"flat": nn.Flatten(), "head": nn.Linear(16, 10)}.items():
        guide.add_module(name, module)
    return nn.Sequential(*layers, nn.Linear(8, 10)), guide


def paired(*pairs):
    return (*net_and_guide(), list(pairs))


RIGHT = {"A": "follows", "B": "dose", "C": "steps", "D": "seeds", "E": "test"}


@pytest.mark.parametrize(("name", "answer", "said"), [
    ("weight", lambda alignment, task, wanted: wanted * task / alignment, ""),
    ("weight", lambda alignment, task, wanted: task / alignment, "`wanted` has no part"),
    ("weight", lambda alignment, task, wanted: alignment / (wanted * task), "Upside down: the larger"),
    ("weight", lambda alignment, task, wanted: wanted * alignment / task, "Upside down in one place"),
    ("weight", lambda alignment, task, wanted: alignment / task, "the dose at weight 1"),
    ("weight", lambda alignment, task, wanted: wanted, "takes a weight of 5; yours is 0.5"),
    ("pairs", paired(("6", "conv2"), ("9", "conv3")), ""),
    ("pairs", (*net_and_guide(), {"6": "conv2", "9": "conv3"}), ""),
    ("pairs", paired(("conv2", "6"), ("conv3", "9")), "Turned round"),
    ("pairs", paired(("6", "conv3"), ("9", "conv2")), "crossed"),
    ("pairs", paired(("4", "conv2"), ("7", "conv3")), "among yours is a Linear"),
    ("pairs", paired(("3", "conv2"), ("6", "conv3")), "two pairs are asked for".capitalize()),
    ("pairs", paired(("9", "conv3")), "of the last two ReLUs, \\['6', '9'\\]"),
    ("pairs", paired(("99", "conv3")), "stops with ValueError: no target layer that ran matches '99'"),
    ("pairs", (*net_and_guide(), "last-2"), "a list of pairs".capitalize()),
    ("evidence", RIGHT, ""),
    ("evidence", RIGHT | {"B": "follows"}, "B: look at the column `dose`"),
    ("evidence", RIGHT | {"A": "dose", "C": "follows"}, "3 of 5 are right. A: both sides had"),
    ("evidence", RIGHT | {"E": "luck"}, "There is no answer 'luck': choose from 'follows'"),
    ("evidence", ["dose"], "A dict with the keys A, B, C, D, E"),
])
def test_answers_to_08(name, answer, said):
    judged(find("08", name)(answer), said)


def test_the_letters_of_08_each_have_a_word_of_their_own():
    check = find("08", "evidence")
    assert check(RIGHT).right and check(RIGHT | {"D": ...}).text == TO_FILL
    for letter, word in RIGHT.items():
        other = next(w for w in RIGHT.values() if w != word)
        assert check(RIGHT | {letter: other}).text.startswith(f"4 of 5 are right. {letter}: ")
