"""Tutorial 01 and the file beside it: numbers, drawings, checks of the exercises, the notebook as a whole."""

import ast
import contextlib
import doctest
import importlib
import io
import itertools
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

import guidelib as gl

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "notebooks"
NOTEBOOK = FOLDER / "01_representational_alignment.ipynb"
sys.path.insert(0, str(FOLDER))
basics = importlib.import_module("alignment_basics")

EXERCISES = ("centre", "cka", "expected", "judge")
ALLOWED = {"numpy", "matplotlib", "ipywidgets", "IPython"}
FORBIDDEN = ("guidelib", "torch", "pandas", "seaborn", "scipy", "sklearn")
CELLS = {cell.id: cell for cell in nbformat.read(NOTEBOOK, 4).cells}
CODE = {name: cell.source for name, cell in CELLS.items() if cell.cell_type == "code"}
# Cells after which names of the text are there that exercises use.
BEFORE = ("setup", "data", "offset", "centred-gram")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def front_end(monkeypatch):
    monkeypatch.setattr(basics, "interactive", lambda: True)
    monkeypatch.setattr(basics, "_predictions", {})


# Numbers

@pytest.mark.parametrize("debiased", [False, True])
@pytest.mark.parametrize("shape", [(6, 3, 9), (40, 5, 5), (12, 100, 2)])
def test_cka_is_that_of_the_library(rng, shape, debiased):
    n, p, q = shape
    x, y = rng.standard_normal((n, p)) + 2, rng.standard_normal((n, q))
    y[:, 0] += x[:, 0]
    oracle = gl.cka(torch.from_numpy(x), torch.from_numpy(y), debiased=debiased).item()
    assert basics.cka(x, y, debiased=debiased) == pytest.approx(oracle, abs=1e-12)


def test_cka_to_itself_is_one_and_to_orthogonal_features_zero(rng):
    q = np.linalg.qr(np.c_[np.ones(20), rng.standard_normal((20, 6))])[0][:, 1:]  # centred, orthonormal
    assert basics.cka(q[:, :3], 5 * q[:, :3]) == pytest.approx(1, abs=1e-12)
    assert basics.cka(q[:, :3], q[:, 3:]) == pytest.approx(0, abs=1e-12)
    assert basics.cka(q[:, :4], q[:, 2:]) == pytest.approx(0.5, abs=1e-12)  # two of four directions shared


def test_centring_is_h_on_both_sides_and_features_less_their_mean(rng):
    x = rng.standard_normal((9, 4)) + 3
    h = np.eye(9) - 1 / 9
    k = basics.centre(basics.gram(x))
    np.testing.assert_allclose(k, h @ basics.gram(x) @ h, atol=1e-12)
    np.testing.assert_allclose(k, basics.gram(x - x.mean(0)), atol=1e-12)


def test_u_centring_leaves_no_diagonal_and_no_row_sums_and_sees_no_offset(rng):
    x = rng.standard_normal((9, 4))
    k = basics.u_centre(basics.gram(x))
    assert np.all(np.diag(k) == 0)
    np.testing.assert_allclose(k.sum(0), 0, atol=1e-12)
    np.testing.assert_allclose(k, k.T, atol=1e-12)
    np.testing.assert_allclose(basics.u_centre(basics.gram(x + 3)), k, atol=1e-10)


def test_the_null_law_is_exact_over_all_permutations(rng):
    x, y = rng.standard_normal((5, 2)), rng.standard_normal((5, 7))
    ways = [y[list(order)] for order in itertools.permutations(range(5))]
    law = np.sqrt(basics.participation_ratio(x) * basics.participation_ratio(y)) / 4
    assert np.mean([basics.cka(x, way) for way in ways]) == pytest.approx(law, abs=1e-12)
    assert np.mean([basics.cka(x, way, debiased=True) for way in ways]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("n, p, q", [(16, 4, 4), (32, 256, 256), (32, 8, 128)])
def test_the_chance_level_is_that_of_noise(rng, n, p, q):
    values = [basics.cka(rng.standard_normal((n, p)), rng.standard_normal((n, q))) for _ in range(200)]
    error = np.std(values) / np.sqrt(len(values))
    law = basics.chance(n, p, q)
    # The ratio of two means is not the mean of the ratio: one part in a hundred for that.
    assert np.mean(values) == pytest.approx(law, abs=4 * error + 0.01 * law)


def test_the_chance_level_at_its_ends():
    assert basics.chance(33, 1) == pytest.approx(1 / 32)  # one dimension on each side
    assert basics.chance(33, 1e9) == pytest.approx(1, abs=1e-6)


def test_unequal_examples_and_too_few_are_errors_that_say_the_shapes():
    with pytest.raises(ValueError, match=r"\(5, 2\) and \(4, 2\): take the rows"):
        basics.cka(np.ones((5, 2)), np.ones((4, 2)))
    with pytest.raises(ValueError, match="n >= 4"):
        basics.cka(np.ones((3, 2)), np.ones((3, 2)), debiased=True)
    assert basics.cka(np.ones((5, 2)), np.eye(5)) == 0  # constant features


def test_its_examples():
    done = doctest.testmod(basics)
    assert done.attempted > 10
    assert done.failed == 0


# Figures and widgets

def test_a_figure_is_saved_twice_and_carries_its_alternative_text(tmp_path):
    figure = basics.gram_row({"K": np.eye(3)}, note="three examples")
    image = basics.show(figure, "k", alt="A diagonal.", out=tmp_path / "new")
    assert image.alt == "A diagonal."
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"01_k.svg", "01_k.png"}
    assert "A diagonal." in (tmp_path / "new" / "01_k.svg").read_text()
    with pytest.raises(ValueError, match="'k' needs alt="):
        basics.show(figure, "k", alt=" ", out=tmp_path)


def test_the_same_figure_is_the_same_file(tmp_path):
    for folder in ("a", "b"):
        basics.show(basics.unchanged_or_not({"r": 1.0, "s": 0.5}), "u", alt="Bars.", out=tmp_path / folder)
    assert (tmp_path / "a" / "01_u.svg").read_bytes() == (tmp_path / "b" / "01_u.svg").read_bytes()


def test_bars_say_what_is_unchanged():
    texts = [text.get_text() for text in basics.unchanged_or_not({"r": 1 - 1e-12, "s": 0.999}).axes[0].texts]
    assert texts == ["1.00, unchanged", "1.00, changed"]


@pytest.fixture
def widgets(front_end, tmp_path, rng):
    x = rng.standard_normal((30, 6))
    path = np.stack([x * scale for scale in np.linspace(1, 2, 21)])
    path += rng.standard_normal(path.shape) * np.linspace(1, 0, 21)[:, None, None]
    return {"grams": basics.grams_side_by_side(x, {"itself": x, "shuffled": x[::-1]}, out=tmp_path),
            "chance": basics.chance_level(out=tmp_path), "replay": basics.replay(path, x, out=tmp_path)}


def test_a_widget_says_its_state_in_words_and_follows_its_controls(widgets):
    dropdown, picture, state = widgets["grams"].children
    assert state.value == "itself: CKA with the original is 1.00"
    before = picture.value
    dropdown.value = "shuffled"
    assert state.value.startswith("shuffled: CKA with the original is 0.")
    assert picture.value != before
    assert f'alt="{state.value}"' in picture.value
    n, p, _, state = widgets["chance"].children
    n.value, p.value = 64, 512
    assert state.value.startswith("n = 64 examples, p = 512 features")
    assert state.value.endswith(f"the law says {basics.chance(64, 512):.2f}")
    step, _, state = widgets["replay"].children
    step.value = step.max
    assert state.value == "step 20 of 20: CKA of X with Y is 1.00"


def test_every_control_has_a_description(widgets):
    children = [child for box in widgets.values() for child in box.children]
    controls = [child for child in children if type(child).__name__ != "HTML"]
    assert len(controls) == 4
    assert all(control.description for control in controls)


def test_a_response_takes_at_most_a_tenth_of_a_second(widgets):
    """In processor time, the best of five, at the largest sizes: asked for, so that a slider feels alive."""
    grams, chance, steps = (widgets[name].children for name in ("grams", "chance", "replay"))
    chance[0].value = 128
    moves = {"grams": (grams[0], ["shuffled", "itself"]), "chance": (chance[1], [512, 256]),
             "replay": (steps[0], [20, 10])}
    for name, (control, values) in moves.items():
        took = []
        for value in [*values, *values, *values]:  # the first is for warming
            start = time.process_time()
            control.value = value
            took.append(time.process_time() - start)
        assert min(took[1:6]) < 0.1, name


def test_a_static_twin_is_one_image_with_the_words_of_all_its_settings(tmp_path, monkeypatch, rng):
    monkeypatch.setattr(basics, "interactive", lambda: False)
    image = basics.chance_level(out=tmp_path)
    assert image.alt.count("the law says") == 4
    path = rng.standard_normal((21, 8, 3))
    image = basics.replay(path, path[-1], out=tmp_path)
    assert re.findall(r"step (\d+) of 20", image.alt) == ["0", "2", "5", "20"]
    image = basics.grams_side_by_side(path[0], {"a": path[0], "b": path[1]}, shown=["b"], out=tmp_path)
    assert image.alt.startswith("b: CKA with the original is 0.")
    assert (tmp_path / "01_replay.png").stat().st_size > 5000


@pytest.mark.parametrize("shell, static, widgets, expected", [
    ("kernel", "", True, True), ("kernel", "1", True, False), ("kernel", "0", True, True),
    ("kernel", "", False, False), ("terminal", "", True, False), ("none", "", True, False)])
def test_widgets_are_for_kernels_that_can_show_them(monkeypatch, shell, static, widgets, expected):
    shells = {"kernel": type("Shell", (), {"kernel": None})(), "terminal": object(), "none": None}
    monkeypatch.setattr("IPython.get_ipython", lambda: shells[shell])
    monkeypatch.setenv("GUIDELIB_STATIC", static)
    if not widgets:
        monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert basics.interactive() is expected


# Predictions

def test_a_prediction_stands_beside_what_was_found(front_end):
    _, buttons = basics.predict("Is it?", ["yes", "no"], name="it").children
    assert buttons.value is None
    assert basics.compare("it", "0.4").data == "Found: 0.4"
    buttons.value = "no"
    assert basics.compare("it", "0.4").data == "You predicted: *no*; found: 0.4"
    assert basics.predict("Is it?", ["yes", "no"], name="it").children[1].value == "no"  # the cell run again
    assert basics.compare("other", "0.4").data == "Found: 0.4"


def test_without_a_front_end_a_prediction_is_text(monkeypatch):
    monkeypatch.setattr(basics, "interactive", lambda: False)
    text = basics.predict("Is it?", ["yes", "no"], name="it").data
    assert text.splitlines() == ["**Predict.** Is it?", "", "- yes", "- no", "", "My prediction: ____"]


def test_every_comparison_of_the_notebook_has_its_prediction():
    source = "\n".join(CODE.values())
    asked = re.findall(r'name="(\w+)"\)', source)
    told = re.findall(r'basics\.compare\("(\w+)"', source)
    assert sorted(asked) == sorted(told)
    assert len(asked) >= 5


# Exercises

def said(source, *, names=None):
    """What a cell prints, in the names that the text has made before."""
    names = {} if names is None else names
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(source, names)
    return out.getvalue().strip()


@pytest.fixture(scope="module")
def text_names():
    names = {}
    for name in BEFORE:
        exec(CODE[name], names)
    return names


def blanked(solution):
    """A solution with ... for what stands between ` = ` or `return ` and a `# fill in` comment."""
    lines = []
    for line in solution.splitlines():
        found = re.match(r"(.*)(  # fill in(?:: .*)?)$", line)
        if found:
            body, comment = found.groups()
            head = re.match(r"(?:\s*return |.*? = )", body).group()
            line = f"{head}...{comment}"
        lines.append(line)
    return "\n".join(lines)


@pytest.mark.parametrize("name", EXERCISES)
class TestExercise:
    def test_has_its_four_cells_in_order(self, name):
        order = list(CELLS)
        first = order.index(f"exercise-{name}")
        kinds = [f"{kind}-{name}" for kind in ("exercise", "stub", "hints", "solution")]
        assert order[first:first + 4] == kinds
        assert [CELLS[kind].metadata.get("tags", []) for kind in kinds] == [
            ["exercise"], ["stub"], [], ["solution", "hide-input"]]
        assert CELLS[kinds[3]].metadata["jupyter"] == {"source_hidden": True}

    def test_says_its_time_and_difficulty_and_gives_hints(self, name):
        lines = CELLS[f"exercise-{name}"].source.splitlines()
        assert lines[0].startswith("### Exercise: ")
        assert re.fullmatch(r"\*\d+ minutes, difficulty [123] of 3\.\*", lines[2])
        assert CELLS[f"hints-{name}"].source.count("<summary>Hint</summary>\n\n") in (1, 2)

    def test_the_stub_is_the_solution_less_its_blanks(self, name):
        solution = CODE[f"solution-{name}"]
        assert blanked(solution) == CODE[f"stub-{name}"] != solution

    def test_the_stub_says_what_to_do_and_the_solution_is_right(self, name, text_names):
        assert said(CODE[f"stub-{name}"], names=dict(text_names)) == basics.BLANK
        assert said(CODE[f"solution-{name}"], names=dict(text_names)).startswith("Right: ")


@pytest.mark.parametrize("name, right, wrong, message", [
    ("centre", "H @ K @ H", "H @ K", "H stands on one side"),
    ("centre", "H @ K @ H", "K @ H", "H stands on one side"),
    ("centre", "H @ K @ H", "H * K * H", "`*` multiplies entry by entry"),
    ("centre", "H @ K @ H", "K - K.mean()", "takes away the mean of all entries"),
    ("centre", "H @ K @ H", "K - K.mean(0) - K.mean(1, keepdims=True)", "the mean of all twice"),
    ("centre", "H @ K @ H", "K", "that is K itself"),
    ("centre", "H @ K @ H", "2 * K", "the rows of a centred matrix sum to 0; yours sum to as much as"),
    ("centre", "H @ K @ H", "K.mean(0)", "a matrix of shape (6, 6), yours has shape (6,)"),
    ("centre", "H @ K @ H", "K @ missing", "NameError: name 'missing' is not defined"),
    ("centre", "H @ K @ H", "K / 0", "NaN or infinity"),
    ("centre", "H @ K @ H", "'K'", "Python stopped with ValueError"),
    ("cka", "np.sum(K * L)", "np.sum(K @ L)", "`K @ L` is the matrix product"),
    ("cka", "np.sum(K * L)", "np.mean(K * L)", "that is a mean"),
    ("cka", "np.sum(K * L)", "K * L", "should be one number, yours has shape (12, 12)"),
    ("cka", "centred_gram(x)", "x @ x.T", "one of the Gram matrices is not centred"),
    ("cka", "centred_gram(y)", "y @ y.T", "one of the Gram matrices is not centred"),
    ("cka", "centred_gram(y)", "centred_gram(x)", "K and L are both made of x"),
    ("cka", "centred_gram(x)", "x.T @ x", "Python stopped with ValueError"),
    ("cka", "inner / (np.linalg.norm(K) * np.linalg.norm(L))", "inner", "the inner product alone"),
    ("cka", "(np.linalg.norm(K) * np.linalg.norm(L))", "np.sum(K * K) / np.sum(L * L)", "norms are squared"),
    ("cka", "np.sum(K * L)", "np.sum(K * L) / 3", "for this pair CKA is 0."),
    ("expected", '["B", "C"]', '["A", "B", "C"]', "A does not follow"),
    ("expected", '["B", "C"]', '["c"]', "B follows"),
    ("expected", '["B", "C"]', '["B"]', "C follows"),
    ("expected", '["B", "C"]', '["B", "C", "D"]', "D does not follow"),
    ("expected", '["B", "C"]', '["B", "E"]', "the claims are A, B, C and D; received E"),
    ("expected", '["B", "C"]', "3", "a list of letters is needed"),
    ("judge", '"no chance level"', '"none"', "Report 1: not yet: which number says"),
    ("judge", '"n smaller than p"', '"no chance level"', "Report 2: not yet: set n beside p"),
    ("judge", '"different examples"', '"one seed"', "Report 3: not yet: look at what each side was shown"),
    ("judge", '"one seed"', '"none"', "Report 4: not yet: how much would the gain change"),
    ("judge", '"none"', '"one seed"', "Report 5: not yet: go through the list"),
    ("judge", '"none"', '"nothing"', "'nothing' is not in the list: no chance level, n smaller than p"),
    ("judge", '"none"', "...", f"Report 5: {basics.BLANK}"),
    ("judge", '"none"', "np.zeros(2)", "is not in the list")])
def test_a_wrong_answer_gets_the_message_meant_for_it(text_names, name, right, wrong, message):
    solution = CODE[f"solution-{name}"]
    assert right in solution
    told = said(solution.replace(right, wrong, 1), names=dict(text_names))
    assert message in told
    assert "Right" not in told


@pytest.mark.parametrize("right", ["centred_gram(x)", "centred_gram(y)", "np.sum(K * L)"])
def test_one_blank_left_of_several_is_told(text_names, right):
    told = said(CODE["solution-cka"].replace(right, "...", 1), names=dict(text_names))
    assert told == basics.BLANK


@pytest.mark.parametrize("check", [basics.check_centre, basics.check_cka, basics.check_expected,
                                   basics.check_judge])
@pytest.mark.parametrize("answer", [..., None, 3, "B", [], {}, [...], lambda: None, lambda *a: a,
                                    lambda *a: [...]])
def test_a_check_never_raises_and_always_speaks(capsys, check, answer):
    check(answer)
    out = capsys.readouterr().out
    assert out.strip()
    assert "Right" not in out


def test_what_was_said_to_follow_is_what_the_law_says():
    assert basics.chance(32, 512) == pytest.approx(0.93, abs=0.015)  # the first pair's value
    assert basics.chance(2048, 64) < 0.4 / 10  # far below the second's


def test_later_cells_need_neither_stub_nor_solution(tmp_path, monkeypatch):
    monkeypatch.setenv("GUIDELIB_OUT", str(tmp_path))
    source = "\n".join(text for name, text in CODE.items() if not name.startswith(("stub-", "solution-")))
    said(source)
    assert len(list(tmp_path.glob("01_*.svg"))) == 7


# The notebook as a whole

def roots(source):
    """First names of all modules that a source imports, at the top and inside functions."""
    top, inside = set(), set()
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found = {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found = {node.module.partition(".")[0]}
        else:
            continue
        (top if node in tree.body else inside).update(found)
    return top, inside


def test_nothing_is_imported_but_what_a_browser_has():
    top, inside = roots(Path(basics.__file__).read_text(encoding="utf-8"))
    assert top - sys.stdlib_module_names == {"numpy", "matplotlib"}
    assert inside - sys.stdlib_module_names == {"ipywidgets", "IPython"}
    top, inside = roots("\n".join(CODE.values()))
    assert (top | inside) - sys.stdlib_module_names == {"numpy", "alignment_basics"}


def test_the_notebook_runs_where_nothing_else_can_be_imported(tmp_path):
    """In a fresh process that has neither the library nor what it needs, and no widgets either."""
    program = tmp_path / "run.py"
    blocked = (*FORBIDDEN, "ipywidgets")
    before = f"import sys\nfor name in {blocked!r}: sys.modules[name] = None\n"
    after = f"\nassert [name for name in {blocked!r} if sys.modules.get(name)] == []\nprint('ran')\n"
    program.write_text(before + "\n".join(CODE.values()) + after)
    done = subprocess.run([sys.executable, str(program)], capture_output=True, text=True, timeout=120,
                          env={"PYTHONPATH": str(FOLDER), "GUIDELIB_OUT": str(tmp_path), "PATH": "",
                               "MPLCONFIGDIR": str(tmp_path), "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("ran\n")


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    from guidelib.course.headless import run_notebook

    out = tmp_path_factory.mktemp("static")
    failed = run_notebook(NOTEBOOK, out / NOTEBOOK.name, {"out_dir": str(out)}, timeout=120)
    assert failed is None, failed
    return out


def test_static_it_shows_no_widget_and_every_figure_with_its_text(executed):
    nb = nbformat.read(executed / NOTEBOOK.name, 4)
    outputs = [output for cell in nb.cells if cell.cell_type == "code" for output in cell.outputs]
    data = [output.data for output in outputs if "data" in output]
    assert not any("application/vnd.jupyter.widget-view+json" in part for part in data)
    images = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(images) == 7
    assert all(len(image.metadata["image/png"]["alt"]) > 30 for image in images)
    assert len(list(executed.glob("01_*.png"))) == len(list(executed.glob("01_*.svg"))) == 7


def test_static_each_exercise_shows_its_message_and_then_that_the_solution_is_right(executed):
    cells = {cell.id: cell for cell in nbformat.read(executed / NOTEBOOK.name, 4).cells}
    for name in EXERCISES:
        assert cells[f"stub-{name}"].outputs[0].text.strip() == basics.BLANK
        assert cells[f"solution-{name}"].outputs[0].text.startswith("Right: ")


def test_headings_come_in_order_and_ids_are_words():
    levels = [len(mark) for cell in CELLS.values() if cell.cell_type == "markdown"
              for mark in re.findall(r"^(#+) ", cell.source, re.MULTILINE)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert all(re.fullmatch(r"[a-z][a-z-]*", name) for name in CELLS)
