"""The command line as a user meets it: exit codes, what is kept when something fails, and parameters that really arrive."""

import json
import subprocess
import sys

import pytest
from notebook_maker import make, outputs

from guidelib.__main__ import main
from guidelib.cli import figures as figures_command
from guidelib.course.headless import known_parameters, run_notebook


def guidelib(*words):
    return subprocess.run([sys.executable, "-m", "guidelib", *map(str, words)], capture_output=True, text=True, timeout=300)


@pytest.fixture
def tutorials(tmp_path, monkeypatch):
    """Replace the tutorials by tiny ones; returns a function that runs the figures command on them."""
    def run(*paths, **parameters):
        return figures_command.make(list(paths), tmp_path / "out", {"profile": "smoke", "out_dir": str(tmp_path / "out")} | parameters)
    return run


def test_a_parameter_reaches_the_notebook(tmp_path, tutorials):
    path = make(tmp_path / "02_a.ipynb", "print('x is', x, 'profile', profile)")
    assert tutorials(path, x=41) == 0
    assert "x is 41 profile smoke" in outputs(tmp_path / "out" / "02_a.ipynb")


def test_an_unknown_parameter_is_an_error_before_anything_runs(tmp_path):
    path = make(tmp_path / "02_a.ipynb", f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(ValueError, match=r"no parameter \['epcohs'\].*'profile'"):
        run_notebook(path, tmp_path / "out.ipynb", {"epcohs": 3})
    assert not (tmp_path / "ran").exists() and not (tmp_path / "out.ipynb").exists()


def test_a_misspelt_setting_of_the_command_is_an_error_before_anything_runs(tmp_path, capsys):
    assert main(["figures", "02", "--profile", "smoke", "--out", str(tmp_path), "--set", "epcohs=3"]) == 2
    assert "'epcohs'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [("--jobs", "0"), ("--jobs", "-1"), ("--set", "jobs=0"), ("--set", "jobs=True")])
def test_jobs_that_are_no_number_of_processes_are_an_error_before_anything_runs(tmp_path, capsys, words):
    assert main(["figures", "02", "--profile", "smoke", "--out", str(tmp_path), *words]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith("guidelib figures: jobs is the number of training runs at a time, 1 or more; received ")
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_where_the_runs_are(monkeypatch):
    progress, told = figures_command.Progress(1, every=-1.0), []
    news = [{"done": 2, "total": 4, "label": "untrained seed 15: epoch 12 of 40"}, {"done": 4, "total": 4, "label": ""}]

    def over(seconds):
        if news:
            progress.file.write_text(json.dumps(news.pop(0)))
            return False
        return True
    monkeypatch.setattr(progress.done, "wait", over)
    monkeypatch.setattr(progress, "_tell", told.append)
    progress._watch()
    progress.folder.cleanup()
    assert told == ["2/4 training runs; untrained seed 15: epoch 12 of 40", "4/4 training runs"]


def test_a_notebook_without_parameters_cell_is_named(tmp_path):
    with pytest.raises(ValueError, match="02_a.ipynb has no cell tagged 'parameters'"):
        known_parameters(make(tmp_path / "02_a.ipynb", "1", parameters=None))


def test_a_failing_cell_is_named_the_partial_notebook_kept_and_the_others_run(tmp_path, tutorials, capfd):
    bad = make(tmp_path / "02_bad.ipynb", "print('before')", "# a comment\n1 / 0", "print('never')")
    good = make(tmp_path / "03_good.ipynb", "print('fine')")
    assert tutorials(bad, good) == 1
    partial = tmp_path / "out" / "02_bad.ipynb"
    assert "before" in outputs(partial) and "never" not in outputs(partial)
    assert "fine" in outputs(tmp_path / "out" / "03_good.ipynb")
    told = capfd.readouterr().err
    assert "02_bad.ipynb failed in code cell 3: # a comment" in told and "ZeroDivisionError" in told and str(partial) in told


def test_a_cell_that_takes_too_long_is_a_failure(tmp_path):
    path = make(tmp_path / "02_slow.ipynb", "while True: pass")
    failed = run_notebook(path, tmp_path / "out.ipynb", {}, timeout=1)
    assert failed is not None and failed.cell == 2 and "while True" in failed.line


def test_tables_are_joined_and_printed(tmp_path, tutorials, capsys):
    row = {"claim": "it helps", "paper": "yes", "condition": "untrained", "ours": 0.5, "low": 0.4, "high": 0.6, "seeds": 3, "n": 10, "base": "base",
           "gain": 0.4, "gain_low": 0.3, "gain_high": 0.5, "control": None, "over_control": None, "over_control_low": None,
           "over_control_high": None, "verdict": "holds"}
    code = f"from guidelib import evidence\nevidence.save([{row!r}], '02_a', profile=profile, out=out_dir)"
    assert tutorials(make(tmp_path / "02_a.ipynb", code)) == 0
    printed = capsys.readouterr().out
    assert "it helps" in printed and "+40.0 (+30.0 to +50.0)" in printed and "results.csv" in printed
    assert "it helps" in (tmp_path / "out" / "results.csv").read_text()


def test_help_names_the_commands():
    done = guidelib("--help")
    assert done.returncode == 0 and all(name in done.stdout for name in ("figures", "test", "book", "run", "list"))


def test_wrong_words_exit_with_two():
    assert main(["figures", "99"]) == 2
    assert main(["figures", "--profile", "huge"]) == 2
    assert main(["run", "deep-fcn", "--condition", "guided"]) == 2
    with pytest.raises(SystemExit) as error:
        main(["figures", "--recompte"])
    assert error.value.code == 2


def test_run_prints_its_numbers_and_keeps_the_record(tmp_path, capsys):
    words = ["run", "deep-fcn", "--profile", "smoke", "--out", str(tmp_path), "--set", "epochs=1", "--set", "lr=0.01"]
    assert main(words) == 0
    assert "test_accuracy" in capsys.readouterr().out
    (path,) = tmp_path.glob("*.json")
    assert json.loads(path.read_text())["config"]["lr"] == 0.01


def test_list_names_everything(capsys):
    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("02_untrained_guide_transfer", "deep-fcn", "untrained-warm-up", "smoke", "overfit"))


def test_the_test_command_ends_with_the_exit_code_of_pytest():
    assert guidelib("test", "-q", "-k", "nothing_is_called_like_this").returncode == 5  # pytest's word for "no test was selected"


@pytest.mark.parametrize(("words", "said"), [
    (["run", "deep-fcn", "--set", "depth=abc"], "depth is a whole number, received 'abc': give it as depth=50"),
    (["run", "deep-fcn", "--profile", "fats"], "no profile 'fats', did you mean 'fast'?"),
    (["run", "deep-fcn", "--condition", "untrained-warmup"], "no condition 'untrained-warmup', did you mean 'untrained-warm-up'?"),
    (["run", "deep-fcn", "--profile", "smoke", "--out", "FILE/records"], "choose another folder, out_dir in a notebook or --out in a command"),
    (["figures", "--profile", "Smoke"], "no profile 'Smoke', did you mean 'smoke'?"),
    (["figures", "--profile", "smoke", "--out", "FILE/figures"], "choose another folder, out_dir in a notebook or --out in a command")])
def test_a_slip_is_answered_in_one_line_with_the_repair(tmp_path, capsys, words, said):
    (tmp_path / "FILE").write_text("no folder")  # nothing can be made in it, whoever asks
    assert main([word.replace("FILE", str(tmp_path / "FILE")) for word in words]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and said in lines[0]


def test_a_folder_that_cannot_be_written_to_is_named_before_a_grid_or_a_figure(tmp_path):
    import guidelib as gl

    (tmp_path / "file").write_text("no folder")
    smoke = gl.experiments.config("deep-fcn", profile="smoke")
    for write in (lambda out: gl.experiments.run_grid([smoke], out=out), lambda out: gl.figures.show(None, "name", alt="words", out=out)):
        with pytest.raises(OSError, match="nothing can be written to .*file.*choose another folder"):
            write(tmp_path / "file" / "inside")


def test_bars_leave_no_frames_in_an_executed_copy(tmp_path, tutorials):
    code = ("import torch, guidelib as gl\nnet = lambda: torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))\n"
            "history = gl.warm_up(net(), net(), sample=torch.zeros(8, 3), steps=3, progress=True)\nprint(len(history))")
    assert tutorials(make(tmp_path / "02_a.ipynb", code)) == 0
    assert outputs(tmp_path / "out" / "02_a.ipynb").strip().splitlines()[-1] == "3" and "warm-up" not in outputs(tmp_path / "out" / "02_a.ipynb")
