"""Exercises: stubs are solutions without the blanks, and each check tells the learner's slips apart."""

import ast
import importlib
import json
import re
from pathlib import Path

import nbformat
import pytest

from guidelib.cli import main
from guidelib.course import exercises
from guidelib.course.checks import find
from guidelib.course.exercises import TO_FILL, exercise, stub, tagged

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

    def test_no_other_input_is_folded_since_the_book_calls_each_a_solution(self, notebook, name):
        for cell in READ[notebook].cells:
            assert len({"hide-input", "solution"} & set(cell.metadata.get("tags", []))) != 1

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
