"""Notebook 00: its exercises, their checks, and that it runs."""

from pathlib import Path

import nbformat
import numpy as np
import pytest

import guidelib as gl
from guidelib.course.checks import find, nb00
from guidelib.course.exercises import TO_FILL
from guidelib.course.headless import run_notebook

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "00_start_here.ipynb"
CELLS = {cell.id: cell for cell in nbformat.read(NOTEBOOK, 4).cells}
EXERCISES = [name.removeprefix("stub-") for name in CELLS if name.startswith("stub-")]


def judged(name, answer):
    found = find("00_start_here", name)(answer)
    return found.right, found.text


@pytest.mark.parametrize("answer, said", [
    ({"A", "B", "C"}, "one of them holds 0"), ({"B"}, "cannot tell"), (["A", "B"], "cannot tell"),
    ({"A"}, "C is small"), ({"C"}, "interval of A"), ({"D"}, "set of letters"), (set(), "set of letters"),
    (3, "received 3"), (None, "received None")])
def test_wrong_readings_of_the_figure(answer, said):
    passed, message = judged("read-figure", answer)
    assert not passed and said in message


@pytest.mark.parametrize("answer", [{"A", "C"}, ["c", "a"], "AC", ("A", "C")])
def test_right_readings_of_the_figure(answer):
    assert judged("read-figure", answer)[0]


def test_the_letters_follow_from_the_intervals_that_the_notebook_shows():
    line = CELLS["made-up-figure"].source.splitlines()[0]
    held = {}
    exec(line, held)
    assert held["gains"] == nb00.GAINS
    helping = {name for name, (_, low, _) in nb00.GAINS.items() if low > 0}
    assert judged("read-figure", helping)[0]
    exec(CELLS["two-lists"].source, held | {"np": np}, held)
    assert (held["guided"].tolist(), held["base"].tolist()) == (nb00.GUIDED, nb00.BASE)


def by_t(spread, *, sign=1):
    """An interval around the mean difference, with a spread of the learner's own."""
    from scipy.stats import t

    def interval(a, b):
        d = sign * (a - b)
        half = t.ppf(0.975, len(d) - 1) * spread(a, b)
        return d.mean(), d.mean() - half, d.mean() + half
    return interval


@pytest.mark.parametrize("interval, said", [
    (by_t(lambda a, b: (a - b).std() / len(a) ** 0.5), "ddof=1"),
    (by_t(lambda a, b: (a - b).std(ddof=1)), "root of their number"),
    (by_t(lambda a, b: (a - b).std(ddof=1) / len(a)), "divided by its root"),
    (by_t(lambda a, b: ((a.var(ddof=1) + b.var(ddof=1)) / len(a)) ** 0.5), "nothing to do with each other"),
    (by_t(lambda a, b: 1.0), "yours reaches 2.78"),
    (by_t(lambda a, b: (a - b).std(ddof=1) / len(a) ** 0.5, sign=-1), "turned round"),
    (lambda a, b: (1.0, 0.0, 2.0), "is 4.60, yours 1.00"),
    (lambda a, b: 4.6, "three numbers"), (lambda a, b: None, "three numbers"),
    (lambda a, b: np.zeros((3, 2)), "three numbers"),
    (lambda a, b: a.mena(), "AttributeError"), (lambda a: a, "TypeError"),
    (lambda a, b: a[0.5], "IndexError"), (4.6, "the function itself")])
def test_wrong_intervals(interval, said):
    passed, message = judged("one-seed", interval)
    assert not passed and said in message


def test_an_interval_of_the_shown_lists_alone_is_not_enough():
    """Numbers that are copied, and the number of seeds written in."""
    assert not judged("one-seed", lambda a, b: (4.6, 0.4306, 8.7694))[0]
    shown = by_t(lambda a, b: (a - b).std(ddof=1) / 5 ** 0.5)
    assert not judged("one-seed", shown)[0]


def test_a_blank_that_is_left_and_used_is_told_as_a_blank():
    def interval(a, b):
        difference = ...
        return difference.mean(), 0, 0
    assert judged("one-seed", interval) == (False, TO_FILL)


RIGHT = [right for right, _ in nb00.CLAIMS.values()]


@pytest.mark.parametrize("number", nb00.CLAIMS)
def test_each_wrong_word_of_each_claim_is_answered_by_what_stands_beside_it(number):
    for word in set(nb00.PARTS) - {RIGHT[number - 1]}:
        answers = [*RIGHT[:number - 1], word, *RIGHT[number:]]
        passed, message = judged("what-is-missing", answers)
        assert not passed and message.count("\n") == 0
        assert message == f"Claim {number} does not lack {word}: {nb00.CLAIMS[number][1][word]}."


@pytest.mark.parametrize("answers, said", [
    (["luck", *RIGHT[1:]], "received 'luck'"), (RIGHT[:3], "four answers"), ("seeds", "four answers"),
    (RIGHT[::-1], "Claim 4")])
def test_other_answers_to_the_claims(answers, said):
    passed, message = judged("what-is-missing", answers)
    assert not passed and said in message


@pytest.mark.slow  # the quick lane runs its cells too, at smoke
def test_it_runs_headless_and_shows_kept_runs_alone(tmp_path):
    copy = tmp_path / "00.ipynb"
    parameters = {"profile": "fast", "out_dir": str(tmp_path), "device": "cpu"}
    failed = run_notebook(NOTEBOOK, copy, parameters, timeout=300)
    assert failed is None, str(failed)
    shown = {}
    for cell in nbformat.read(copy, 4).cells:
        texts = []
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            texts.append(output.get("text", "") + data.get("text/markdown", ""))
            if "image/png" in data:
                assert len(output.metadata["image/png"]["alt"]) > 20
        shown[cell.id] = "".join(texts)
    assert "| **wrong** |" not in shown["doctor"]
    assert "**Ready: " in shown["doctor"]
    assert "computed here: 0" in shown["figure"] and "missing" not in shown["figure"]
    assert "+4.6 (+0.4 to +8.8)" in shown["paired-or-not"]  # the unpaired interval holds 0
    assert "unpaired: +4.6 (-" in shown["paired-or-not"]
    runs = gl.course.Lesson("00", profile="fast", out_dir=str(tmp_path))
    runs = runs.runs("deep-fcn", "base", "untrained")
    assert gl.evidence.compared(runs, "untrained", "base") in shown["differences"]
    assert "does not test" not in shown["verdict"] and "Verdict by rule" in shown["verdict"]
    for name in EXERCISES:
        assert shown[f"stub-{name}"] == f"**Not yet.** {TO_FILL}"
        assert shown[f"solution-{name}"].startswith("**Right.** ")
    assert {path.name for path in tmp_path.glob("*.svg")} == {"00_reading.svg", "00_gains.svg"}
