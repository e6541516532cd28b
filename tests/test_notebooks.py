"""The tutorials as files, and the strict lane: a golden executed copy whose numbers must come out again."""

import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import guidelib as gl
from guidelib.experiments.kept import KEPT
from guidelib.experiments.records import path_of
from guidelib.experiments.runs import threads

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
GOLDEN = Path(__file__).parent / "golden"


def code_cells(path):
    return [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


def test_there_are_tutorials():
    assert {path.name[:2] for path in NOTEBOOKS} >= {"02", "03", "04"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestTutorial:
    def test_is_committed_without_outputs(self, path):
        for cell in code_cells(path):
            assert cell.outputs == []
            assert cell.execution_count is None
        assert "widgets" not in nbformat.read(path, 4).metadata

    def test_is_valid_small_and_has_a_kernel(self, path):
        nb = nbformat.read(path, 4)
        nbformat.validate(nb)
        assert nb.metadata.kernelspec.name == "python3"
        assert path.stat().st_size < 300_000

    def test_has_one_parameters_cell_with_the_common_names(self, path):
        (tagged,) = [cell for cell in code_cells(path) if "parameters" in cell.metadata.get("tags", [])]
        lines = [line for line in tagged.source.splitlines() if " = " in line]
        names = [line.split("=")[0].strip() for line in lines]
        assert {"profile", "seeds", "device", "out_dir"} <= set(names)
        assert len(names) <= 8
        assert all("#" in line for line in lines), "each parameter says what it is"

    def test_cells_are_short(self, path):
        lengths = [len(cell.source.splitlines()) for cell in code_cells(path)]
        assert statistics.median(lengths) <= 5
        assert max(lengths) <= 15
        widths = [len(line) for cell in code_cells(path) for line in cell.source.splitlines()]
        assert max(widths) <= 100

    def test_holds_what_teaches_and_no_plumbing(self, path):
        """No path is built, no text taken apart, no private name imported: that is the lesson's work."""
        source = "\n".join(cell.source for cell in code_cells(path)[1:])
        source = source.replace("super().__init__()", "")  # of a reader's own network
        surgery = (".replace(", ".split(", ".removeprefix(", ".partition(", ".startswith(", ".endswith(")
        for part in (*surgery, "open(", "Path(", "out_dir}", "os.", "import _", "._", "display("):
            assert part not in source, part

    def test_never_trains_or_draws_by_hand(self, path):
        source = "\n".join(cell.source for cell in code_cells(path))
        assert "plt." not in source
        assert "cross_entropy(target" not in source

    def test_ends_with_the_table_and_saves_it(self, path):
        source = "\n".join(cell.source for cell in code_cells(path))
        if path.name.startswith("01"):  # NumPy alone
            assert "guidelib" not in source
            return
        assert f'gl.course.Lesson("{path.stem}"' in source
        if path.name.startswith(("00", "08")):  # they make no claim
            return
        assert "lesson.close(" in code_cells(path)[-1].source + code_cells(path)[-2].source

    def test_a_misspelt_profile_is_one_line_that_says_the_repair(self, path):
        """The first cells, with the commonest slip: the library's own words, and not a KeyError."""
        if path.name.startswith("01"):  # which has no use for a profile
            return
        names = {}
        parameters, start = code_cells(path)[:2]
        exec(parameters.source, names)
        with pytest.raises(ValueError, match="no profile 'fats', did you mean 'fast'"):
            exec(start.source, names | {"profile": "fats"})

    def test_its_runs_come_from_the_lesson(self, path):
        """So that the closing table can say how many of them were computed."""
        source = "\n".join(cell.source for cell in code_cells(path))
        for part in ("run_grid(", "collect(", "evidence.save(", "GUIDELIB_RECOMPUTE"):
            assert part not in source, part

    def test_links_lead_somewhere(self, path):
        for cell in nbformat.read(path, 4).cells:
            if cell.cell_type == "markdown":
                for link in re.findall(r"\]\(([^)#]+\.ipynb)\)", cell.source):
                    assert (path.parent / link).exists(), link


def test_no_two_tutorials_hold_the_same_helper():
    helpers = {}
    for path in NOTEBOOKS:
        for cell in code_cells(path):
            for name in re.findall(r"^def (\w+)\(", cell.source, re.MULTILINE):
                helpers.setdefault(name, set()).add(path.stem)
    assert {name: where for name, where in helpers.items() if len(where) > 1} == {}


def strict(path):
    """pytest's exit code and words for nbval's comparing lane."""
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "--nbval-sanitize-with",
               str(GOLDEN / "sanitise.cfg"), "-q", "-p", "no:cacheprovider", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=ROOT,
                          env=os.environ | {"OMP_NUM_THREADS": "1"})
    return done.returncode, done.stdout


def test_golden_notebook_comes_out_again():
    code, text = strict(GOLDEN / "alignment.ipynb")
    assert code == 0, text


def test_a_changed_number_in_the_golden_notebook_fails(tmp_path):
    text = (GOLDEN / "alignment.ipynb").read_text()
    assert text.count("0.557613") == 1
    changed = tmp_path / "alignment.ipynb"
    changed.write_text(text.replace("0.557613", "0.557614"))
    code, text = strict(changed)
    assert code == 1
    assert "0.557614" in text


# Tutorial 02: its exercise, and what is made before the reader's eyes

FIRST = next(path for path in NOTEBOOKS if path.name.startswith("02"))


def defining(path, *names):
    """The sources of the code cells that define these names, in the notebook's order, each once."""
    cells = [cell.source for cell in code_cells(path)]
    found = set()
    for name in names:
        defines = re.compile(rf"^(def {name}\(|{name}\b.* = )", re.MULTILINE)
        found.add(next(i for i, source in enumerate(cells) if defines.search(source)))
    return [cells[i] for i in sorted(found)]


def test_the_exercise_of_02_does_what_the_text_does(tmp_path, monkeypatch):
    """Given the text's own guide, the exercise ends at the numbers of the text's run, on as many threads."""
    monkeypatch.setenv("GUIDELIB_PROFILE", "smoke")
    monkeypatch.setenv("GUIDELIB_OUT", str(tmp_path))
    names = {}
    wanted = ("profile", "lesson", "config", "new_target", "guide", "sample", "try_guide")
    for source in defining(FIRST, *wanted):
        exec(source, names)
    record = gl.experiments.run(names["config"], device="cpu")
    curves = record["curves"]["warm_up"]
    last = [sum(values[-5:]) / 5 for name, values in curves.items() if name not in ("step", "loss")]
    with threads(1):
        misalignment, accuracy = names["try_guide"](names["guide"])
    assert accuracy == record["metrics"]["test_accuracy"]
    assert misalignment == pytest.approx(sum(last) / len(last), abs=1e-4)  # a record keeps four digits


def test_the_hint_of_02_calls_the_exercise_with_guides_that_fit():
    hint = next(c.source for c in nbformat.read(FIRST, 4).cells if "try_guide(gl" in c.source)
    calls = re.findall(r"^    try_guide\((.*)\)$", hint, re.MULTILINE)
    task = gl.tasks.digits(train=64)
    for call in calls:
        target = gl.networks.FCN(inputs=64, outputs=10, depth=4, width=8)
        history = gl.warm_up(target, eval(call, {"gl": gl}), sample=task.train[0][:16], steps=1)
        assert len(history.columns) > 2
    assert len(calls) >= 2


@pytest.mark.parametrize("condition", ["base", "untrained", "untrained-warm-up", "shuffled-warm-up"])
def test_what_is_made_live_can_be_held_against_a_kept_record(condition):
    seed = gl.experiments.seeds("deep-fcn")[0]
    assert path_of(gl.experiments.config("deep-fcn", condition=condition, seed=seed), KEPT / "fast").exists()
