"""The doctor in broken worlds: each thing that can be wrong is told, with its repair."""

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

import guidelib as gl
from guidelib.__main__ import main
from guidelib.course import doctor
from guidelib.course.doctor import Finding, Findings, jupyter, machine, pace
from guidelib.course.doctor.report import guarded
from guidelib.course.step import step_seconds

# Versions

@pytest.mark.parametrize("allowed", [">=2.6,<2.14", ">=3.11", ">2.6,<=2.13.0", "!=2.7.0", "==2.13"])
@pytest.mark.parametrize("version", ["2.5.9", "2.6", "2.6.0", "2.7.0", "2.13.0", "2.13.1", "2.14.0", "3.11"])
def test_a_range_of_versions_is_read_as_pip_reads_it(version, allowed):
    assert machine.within(version, allowed) == SpecifierSet(allowed).contains(version)


def test_a_local_build_counts_as_its_release_and_nonsense_is_an_error():
    assert machine.within("2.13.0+cu126", ">=2.6,<2.14")
    with pytest.raises(ValueError, match="begins with a number, received 'new'"):
        machine.within("new", ">=2.6")
    with pytest.raises(ValueError, match="received '~2.6'"):
        machine.within("2.6", "~2.6")


def test_ranges_are_those_of_pyproject_else_of_the_installed_package(tmp_path, monkeypatch):
    text = '[project]\nrequires-python = ">=3.50"\ndependencies = ["torchvision>=9", "torch>=7,<8"]\n'
    (tmp_path / "pyproject.toml").write_text(text)
    assert machine.needed("python", root=tmp_path) == ">=3.50"
    assert machine.needed("torch", root=tmp_path) == ">=7,<8"
    with pytest.raises(ValueError, match="'jax' is no dependency"):
        machine.needed("jax", root=tmp_path)

    class About(dict):
        def get_all(self, name):
            return {"Requires-Dist": ["numpy>=1", 'torch<8,>=7; extra == "x"']}[name]
    monkeypatch.setattr(machine, "metadata", lambda name: About({"Requires-Python": ">=3.60"}))
    assert machine.needed("python", root=tmp_path / "none") == ">=3.60"
    assert machine.needed("torch", root=tmp_path / "none") == "<8,>=7"


def test_a_torch_that_is_too_old_or_too_new_is_wrong_with_the_command_that_mends_it():
    for version in ("2.5.1", "2.14.0+cpu"):
        found = machine.torch_version(version, ">=2.6,<2.14")
        assert found.state == "wrong" and version in found.found
        assert 'pip install "torch>=2.6,<2.14"' in found.repair
    assert machine.torch_version("2.6.0", ">=2.6,<2.14").state == "ok"
    assert machine.python_version("3.10.2", ">=3.11").state == "wrong"
    assert machine.python_version("3.11.0", ">=3.11").state == "ok"


# Device

def test_the_device_is_told_with_what_it_has():
    here = partial(machine.device, cuda=None, mps=False, cores=8, threads=4)
    assert here().state == "ok" and "CPU, 8 cores, torch uses 4" in here().found
    assert "CUDA: H9, 80 GB" in here(cuda=("H9", 80e9), driver=True).found
    assert '"mps"' in here(mps=True).found
    assert here(driver=True).state == "note" and "CUDA build" in here(driver=True).repair
    assert here(cores=1).state == "note" and "--jobs 1" in here(cores=1).repair


# Data

MISSING = gl.tasks.MissingData("CIFAR-10 is not here")


def test_data_that_are_not_there_are_no_fault_and_the_profiles_that_need_them_are_named():
    found = machine.data(present={"digits": None, "cifar10": MISSING}, wanted={"cifar10": ["full"]},
                         folder="data", given=False)
    assert found.state == "note" and "cifar10 (for profile full)" in found.found
    assert "GUIDELIB_DATA" in found.repair


def test_data_that_are_all_there_are_ok(tmp_path):
    found = machine.data(present={"digits": None}, wanted={}, folder=tmp_path, given=True)
    assert found.state == "ok" and str(tmp_path) in found.found


@pytest.mark.parametrize("error", [ValueError("test.txt was cut off"), ImportError("no module sklearn")])
def test_data_that_cannot_be_read_are_wrong_in_the_words_of_the_task(error):
    found = machine.data(present={"digits": error, "cifar10": MISSING}, wanted={}, folder="d", given=False)
    assert found.state == "wrong" and f"digits cannot be read: {error}" in found.found


def test_a_data_folder_that_is_named_and_not_there_is_wrong(tmp_path):
    found = machine.data(present={"cifar10": MISSING}, wanted={}, folder=tmp_path / "gone", given=True)
    assert found.state == "wrong" and "no such folder" in found.found


def test_every_task_is_looked_for_where_the_tasks_look(tmp_path, monkeypatch):
    monkeypatch.setenv("GUIDELIB_DATA", str(tmp_path))
    present = machine.present()
    assert present.keys() == gl.tasks.TASKS.keys()
    absent = {name for name, error in present.items() if error is not None}
    assert absent == {"cifar10", "wikitext-2-small"}
    assert all(isinstance(present[name], gl.tasks.MissingData) for name in absent)
    for split in ("train", "test"):
        (tmp_path / gl.tasks.cifar10_files.FILE.format(split=split)).touch()
    (tmp_path / "valid.txt").write_text("cut off")
    (tmp_path / "test.txt").write_text("cut off")
    present = machine.present()
    assert present["cifar10"] is None
    assert present["wikitext-2-small"] is None  # its hash asks for no more than the files


def test_digits_are_not_among_what_full_alone_needs():
    wanted = machine.wanted()
    assert wanted["cifar10"] == ["full", "overnight"]
    assert {"smoke", "fast"} <= set(wanted["digits"])


# The folder for results

def test_a_folder_that_is_not_there_yet_is_judged_by_the_one_above_and_not_made(tmp_path):
    assert machine.existing(tmp_path / "a" / "b") == tmp_path
    assert machine.results_folder(tmp_path / "a" / "b", free=5e9).state == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_folder_is_wrong(tmp_path):
    def refuse(folder):
        raise OSError(f"nothing can be written to {folder} (Read-only file system): choose another folder")
    found = machine.results_folder(tmp_path, free=5e9, write=refuse)
    assert found.state == "wrong" and found.found.endswith("(Read-only file system)")
    (tmp_path / "file").touch()
    assert machine.results_folder(tmp_path / "file" / "out", free=5e9).state == "wrong"


@pytest.mark.parametrize("free, state", [(0, "wrong"), (0.04e9, "wrong"), (0.06e9, "note"), (0.99e9, "note"),
                                         (1.01e9, "ok")])
def test_a_full_disk_is_wrong_and_a_nearly_full_one_a_note(tmp_path, free, state):
    assert machine.results_folder(tmp_path, free=free).state == state


# Jupyter

@pytest.fixture
def environment(tmp_path):
    """(prefix, python) of an environment that is nearly empty."""
    python = tmp_path / "env" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    return python.parent.parent, python


def test_a_kernel_of_this_environment_is_ok(environment):
    prefix, python = environment
    for first in ("python", "python3", "python3.12", str(python), str(python.with_name("python"))):
        assert jupyter.kernel(([first, "-m"], str(prefix)), python=str(python), prefix=prefix).state == "ok"


def test_a_kernel_whose_python_was_deleted_is_wrong_and_replaced_where_it_lies(environment, tmp_path):
    prefix, python = environment
    gone = str(tmp_path / "gone" / "bin" / "python")
    home = tmp_path / "home" / "kernels" / "python3"
    found = jupyter.kernel(([gone], str(home)), python=str(python), prefix=prefix)
    assert found.state == "wrong" and f"{gone}, which does not exist" in found.found
    assert "--user" in found.repair
    found = jupyter.kernel(([gone], str(prefix / "share")), python=str(python), prefix=prefix)
    assert "--sys-prefix" in found.repair


def test_a_kernel_of_another_environment_is_wrong(environment, tmp_path):
    prefix, python = environment
    other = tmp_path / "other" / "bin" / "python"
    other.parent.mkdir(parents=True)
    other.touch()
    found = jupyter.kernel(([str(other)], ""), python=str(python), prefix=prefix)
    assert found.state == "wrong" and "not this environment's Python" in found.found


def test_no_kernel_is_wrong(environment):
    prefix, python = environment
    for nothing in (None, ([], "")):
        found = jupyter.kernel(nothing, python=str(python), prefix=prefix)
        assert found.state == "wrong" and "ipykernel install" in found.repair


def test_jupyter_is_asked_which_kernel_it_would_take(tmp_path, monkeypatch):
    spec = tmp_path / "kernels" / "python3"
    spec.mkdir(parents=True)
    facts = {"argv": ["/gone/python", "-m", "x"], "display_name": "x", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(facts))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    command, folder = jupyter.kernel_command()
    assert command[0] == "/gone/python" and Path(folder) == spec


def test_widgets_need_their_part_for_jupyterlab(tmp_path):
    extension = tmp_path / jupyter.EXTENSION
    folders = [str(tmp_path / "empty"), str(tmp_path)]
    assert jupyter.widgets(None, [], False).state == "wrong"
    assert "jupyterlab_widgets" in jupyter.widgets("8.1", folders, True).repair
    extension.parent.mkdir(parents=True)
    extension.touch()
    assert jupyter.widgets("8.1", folders, True).state == "ok"
    assert jupyter.widgets("8.1", folders, False).state == "note"


def test_without_ipywidgets_nothing_breaks(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert jupyter.widgets_here() == (None, [], False)


def test_fonts_are_the_usual_one_another_or_none():
    def only(*names):
        def find(name):
            if name not in names:
                raise ValueError(name)
            return f"{name}.ttf"
        return find
    assert jupyter.fonts(only("DejaVu Sans", "Arial")).state == "ok"
    assert jupyter.fonts(only("Arial")).state == "note"
    assert jupyter.fonts(only()).state == "wrong"
    with pytest.raises(ValueError):
        jupyter.find_font("No Such Font Anywhere")


# Speed

def test_the_fastest_step_counts_and_not_the_first():
    """By a clock that the test holds: looks at it are start, then (limit), begin and end of each step."""
    times = iter([0.0, 0.0, 0.1, 0.1, 1.1, 1.1, 1.1, 1.6, 1.6, 1.6, 3.6])
    assert step_seconds(steps=3, limit=1e9, depth=1, width=4, batch=4,
                        clock=partial(next, times)) == pytest.approx(0.5)
    assert list(times) == []


def test_no_step_is_begun_after_the_limit():
    times = iter([0.0, 0.0, 4.0, 4.0, 9.0, 9.0])
    assert step_seconds(steps=99, limit=3.0, depth=1, width=4, batch=4,
                        clock=partial(next, times)) == pytest.approx(5.0)


@pytest.mark.parametrize("ratio, state, words", [
    (1.0, "ok", "about as fast as the reference"), (1.4, "ok", "about as fast"),
    (0.5, "ok", "2.0 times as fast"), (2.0, "ok", "2.0 times slower"), (4.0, "note", "4.0 times slower")])
def test_the_ratio_is_told_in_words(ratio, state, words):
    found = pace.speed(0.2 * ratio, reference=0.2, minutes=10)
    assert found.state == state and words in found.found
    assert pace.lasting(10 * ratio) in found.found


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_a_time_that_is_none_is_an_error(seconds):
    with pytest.raises(ValueError, match="above 0"):
        pace.speed(seconds)


# Findings, and the command

def test_a_finding_that_is_not_ok_says_the_repair():
    with pytest.raises(ValueError, match="say the repair"):
        Finding("x", "wrong", "broken")
    with pytest.raises(ValueError, match="received 'bad'"):
        Finding("x", "bad", "broken", "mend it")


def test_a_look_that_breaks_is_wrong_with_the_errors_words():
    def look():
        raise RuntimeError("no such\n  thing")
    found = guarded("x", look, repair="mend it")
    assert found == Finding("x", "wrong", "cannot be looked at: RuntimeError: no such thing", "mend it")


def test_the_text_is_one_screen_however_much_is_wrong():
    long = "/a/very/long/path" * 30 + " and many words" * 30
    found = Findings([Finding(f"n{i}", "wrong", long, long) for i in range(9)])
    lines = found.text().splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 80
    assert all(any(line.startswith(f"wrong  n{i} ") for line in lines) for i in range(9))
    assert "9 wrong" in found.text()


def test_a_short_text_is_not_cut():
    words = "one two three " * 12
    found = Findings([Finding("x", "note", words, "mend it")])
    assert " ".join(found.text().split()).count("three") == 12


def test_the_table_for_notebooks_holds_every_finding():
    found = Findings([Finding("x", "ok", "a | b"), Finding("y", "wrong", "broken", "`mend it`")])
    table = found._repr_markdown_()
    assert "| ok | x | a \\| b |  |" in table
    assert "| **wrong** | y | broken | `mend it` |" in table
    assert table.endswith(f"**{found.verdict()}**")


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(doctor, "step_seconds", lambda: 0.05)


def test_everything_that_was_asked_for_is_looked_at(tmp_path, quick):
    found = doctor.examine(out_dir=tmp_path)
    assert [f.name for f in found] == ["Python", "torch", "device", "data", "kernel", "widgets", "fonts",
                                       "results", "speed"]
    assert found[0].state == found[1].state == "ok"


@pytest.mark.parametrize("json_asked", [False, True])
def test_the_command_exits_with_one_if_and_only_if_something_is_wrong(tmp_path, quick, monkeypatch, capsys,
                                                                      json_asked):
    words = ["doctor", "--out", str(tmp_path), *["--json"] * json_asked]
    monkeypatch.setattr(doctor, "look_at_kernel", lambda: Finding("kernel", "ok", "fine"))
    monkeypatch.setattr(doctor, "look_at_widgets", lambda: Finding("widgets", "note", "none", "get some"))
    assert main(words) == 0
    capsys.readouterr()

    def broken():
        raise OSError("all gone")
    monkeypatch.setattr(doctor, "look_at_widgets", broken)
    assert main(words) == 1
    told = capsys.readouterr().out
    if json_asked:
        (wrong,) = [f for f in json.loads(told) if f["state"] == "wrong"]
        assert wrong["name"] == "widgets" and wrong["repair"]
    else:
        assert "wrong  widgets  cannot be looked at: OSError: all gone" in told
        assert len(told.splitlines()) <= 24


def test_it_works_with_torch_numpy_and_pandas_alone(tmp_path):
    """What is missing is told, without a traceback."""
    others = {"sklearn", "scipy", "matplotlib", "seaborn", "pyarrow", "PIL", "joblib", "tqdm", "papermill",
              "ipykernel", "IPython", "ipywidgets", "jupyter_client", "jupyter_core", "traitlets", "nbformat",
              "packaging"}
    code = (f"import sys; sys.modules |= dict.fromkeys({others}); from guidelib.__main__ import main; "
            f"sys.exit(main(['doctor', '--json', '--out', {str(tmp_path)!r}]))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    states = {f["name"]: f["state"] for f in json.loads(done.stdout)}
    assert {name for name, state in states.items() if state == "wrong"} == {"data", "kernel", "widgets",
                                                                           "fonts"}
    assert states["speed"] in ("ok", "note")
