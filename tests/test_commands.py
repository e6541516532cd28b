"""The command line as a user meets it: exit codes, what is kept after a failure, parameters that arrive."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from notebook_maker import make, outputs

import guidelib as gl
from guidelib.__main__ import main
from guidelib.cli import figures as figures_command
from guidelib.cli.watch import Progress, begun, runs_of
from guidelib.course.headless import known_parameters, run_notebook
from guidelib.experiments.catalogue import CATALOGUE

ROOT = Path(__file__).parent.parent


def guidelib(*words):
    command = [sys.executable, "-m", "guidelib", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


@pytest.fixture
def tutorials(tmp_path):
    """Replace the tutorials by tiny ones; returns a function that runs the figures command on them."""
    out = tmp_path / "out"

    def run(*paths, **parameters):
        return figures_command.make(list(paths), out, {"profile": "smoke", "out_dir": str(out)} | parameters)
    return run


def test_a_parameter_reaches_the_notebook(tmp_path, tutorials):
    path = make(tmp_path / "02_a.ipynb", "print('x is', x, 'profile', profile)")
    assert tutorials(path, x=41) == 0
    assert "x is 41 profile smoke" in outputs(tmp_path / "out" / "02_a.ipynb")


def test_an_unknown_parameter_is_an_error_before_anything_runs(tmp_path):
    path = make(tmp_path / "02_a.ipynb", f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(ValueError, match=r"no parameter \['epcohs'\].*'profile'"):
        run_notebook(path, tmp_path / "out.ipynb", {"epcohs": 3})
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "out.ipynb").exists()


def test_a_misspelt_setting_of_the_command_is_an_error_before_anything_runs(tmp_path, capsys):
    assert main(["figures", "02", "--profile", "smoke", "--out", str(tmp_path), "--set", "epcohs=3"]) == 2
    assert "'epcohs'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_no_notebook_at_a_time_is_an_error_before_anything_runs(tmp_path, capsys):
    assert main(["figures", "02", "--profile", "smoke", "--out", str(tmp_path), "--at-once", "0"]) == 2
    assert "notebooks at a time, 1 or more; received 0" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [("--jobs", "0"), ("--jobs", "-1"),
                                   ("--set", "jobs=0"), ("--set", "jobs=True")])
def test_jobs_that_are_no_number_of_processes_are_an_error_before_anything_runs(tmp_path, capsys, words):
    assert main(["figures", "02", "--profile", "smoke", "--out", str(tmp_path), *words]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    jobs = "guidelib figures: jobs is the number of training runs at a time, 1 or more; received "
    assert told.startswith(jobs)
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_where_the_runs_are(monkeypatch, capsys):
    progress = Progress(3, every=-1.0)
    news = [("02_a", {"done": 2, "total": 4, "label": "untrained seed 15: epoch 12 of 40"}),
            ("03_b", {"done": 0, "total": 1, "label": ""}), ("02_a", {"done": 4, "total": 4, "label": ""})]

    def over(seconds):
        if not news:
            return True
        name, runs = news.pop(0)
        begun(progress.folder, name).touch()
        runs_of(progress.folder, name).write_text(json.dumps(runs))
        return False
    monkeypatch.setattr(progress.done, "wait", over)
    progress._watch()
    progress.end("03_b", "done", 7.2)
    progress.end("04_quick", "FAILED", 0.1)  # over before anybody looked
    progress.place.cleanup()
    assert capsys.readouterr().err.splitlines() == [
        "[1/3] 02_a starts", "[1/3] 02_a 2/4 training runs; untrained seed 15: epoch 12 of 40",
        "[2/3] 03_b starts", "[2/3] 03_b 0/1 training runs", "[1/3] 02_a 4/4 training runs",
        "[2/3] 03_b done after 7 s", "[3/3] 04_quick starts", "[3/3] 04_quick FAILED after 0 s"]
    assert progress.status == {"02_a": "4/4 training runs"}


def test_larger_profiles_run_one_notebook_after_the_other(monkeypatch):
    monkeypatch.setattr(figures_command.timings, "cores", lambda: 8)
    assert [figures_command.notebooks_at_once(p) for p in ("smoke", "fast")] == [2, 2]
    assert [figures_command.notebooks_at_once(p) for p in ("overnight", "full", "paper")] == [1, 1, 1]
    monkeypatch.setattr(figures_command.timings, "cores", lambda: 1)
    assert figures_command.notebooks_at_once("fast") == 1


def test_two_notebooks_run_at_once(tmp_path):
    """Each waits for a file that the other writes."""
    wait = dedent("""\
        import time
        from pathlib import Path
        Path({mine!r}).touch()
        end = time.monotonic() + 60
        while not Path({other!r}).exists():
            assert time.monotonic() < end, "the other never began"
            time.sleep(0.01)
        """)
    files = [str(tmp_path / "a"), str(tmp_path / "b")]
    cells = [wait.format(mine=files[i], other=files[1 - i]) for i in (0, 1)]
    paths = [make(tmp_path / f"0{i}_each.ipynb", cells[i], f"print({i})") for i in (0, 1)]
    out = tmp_path / "out"
    parameters = {"profile": "smoke", "out_dir": str(out)}
    assert figures_command.make(paths, out, parameters, at_once=2) == 0
    assert [outputs(out / path.name) for path in paths] == ["0\n", "1\n"]


def test_a_notebook_without_parameters_cell_is_named(tmp_path):
    with pytest.raises(ValueError, match="02_a.ipynb has no cell tagged 'parameters'"):
        known_parameters(make(tmp_path / "02_a.ipynb", "1", parameters=None))


def test_a_failing_cell_is_named_the_partial_copy_kept_and_the_others_run(tmp_path, tutorials, capfd):
    bad = make(tmp_path / "02_bad.ipynb", "print('before')", "# a comment\n1 / 0", "print('never')")
    good = make(tmp_path / "03_good.ipynb", "print('fine')")
    assert tutorials(bad, good) == 1
    partial = tmp_path / "out" / "02_bad.ipynb"
    assert "before" in outputs(partial)
    assert "never" not in outputs(partial)
    assert "fine" in outputs(tmp_path / "out" / "03_good.ipynb")
    told = capfd.readouterr().err
    for part in ("02_bad.ipynb failed in code cell 3: # a comment", "ZeroDivisionError", str(partial)):
        assert part in told


def test_a_cell_that_takes_too_long_is_a_failure(tmp_path):
    path = make(tmp_path / "02_slow.ipynb", "while True: pass")
    failed = run_notebook(path, tmp_path / "out.ipynb", {}, timeout=1)
    assert failed is not None
    assert failed.cell == 2
    assert "while True" in failed.line


def test_tables_are_joined_and_printed(tmp_path, tutorials, capsys):
    row = {"claim": "it helps", "paper": "yes", "condition": "untrained", "metric": "test_accuracy",
           "ours": 0.5, "low": 0.4, "high": 0.6, "seeds": 3, "n": 10, "base": "base", "gain": 0.4,
           "gain_low": 0.3, "gain_high": 0.5, "over": {}, "worth": None, "worth_low": None,
           "worth_high": None, "helps": "helps", "specific": "no control", "useful": "", "verdict": "holds"}
    code = f"from guidelib import evidence\nevidence.save([{row!r}], '02_a', profile=profile, out=out_dir)"
    assert tutorials(make(tmp_path / "02_a.ipynb", code)) == 0
    printed = capsys.readouterr().out
    for part in ("it helps", "+40.0 (+30.0 to +50.0)", "results.csv"):
        assert part in printed
    assert "it helps" in (tmp_path / "out" / "results.csv").read_text()


@pytest.mark.parametrize("words", [["list"], ["results", "results/fast"], ["ledger"]])
def test_a_reader_that_has_seen_enough_is_no_error(words):
    """As `guidelib ledger | head`: the pipe is closed before all is written."""
    command = [sys.executable, "-m", "guidelib", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0


def test_help_names_the_commands():
    done = guidelib("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in ("figures", "test", "book", "run", "list"))


def test_wrong_words_exit_with_two():
    assert main(["figures", "99"]) == 2
    assert main(["figures", "--profile", "huge"]) == 2
    assert main(["run", "deep-fcn", "--condition", "guided"]) == 2
    with pytest.raises(SystemExit) as error:
        main(["figures", "--recompte"])
    assert error.value.code == 2


def test_run_prints_its_numbers_and_keeps_the_record(tmp_path, capsys):
    words = ["run", "deep-fcn", "--profile", "smoke", "--out", str(tmp_path)]
    assert main([*words, "--set", "epochs=1", "--set", "lr=0.01"]) == 0
    assert "test_accuracy" in capsys.readouterr().out
    (path,) = tmp_path.glob("*.json")
    assert json.loads(path.read_text())["config"]["lr"] == 0.01


def test_compare_sets_what_is_set_in_all_of_its_runs(tmp_path, capsys):
    words = ["compare", "deep-fcn", "--profile", "smoke", "--conditions", "untrained", "shuffled",
             "--seeds", "0", "--jobs", "1", "--set", "layers=first-1", "--out", str(tmp_path)]
    assert main(words) == 0
    made = [json.loads(path.read_text()) for path in tmp_path.glob("*.json")]
    assert {r["config"]["condition"] for r in made} == {"untrained", "shuffled"}
    for record in made:
        assert record["config"]["layers"] == "first-1"
        assert len(record["curves"]["probe"]["pairs"]) == 1
    assert main([*words[:-4], "--set", "layres=first-1", "--out", str(tmp_path)]) == 2
    assert "'layres'" in capsys.readouterr().err


def test_a_comparison_says_what_it_takes_and_makes_what_varies_too(tmp_path, capsys, monkeypatch):
    experiment = CATALOGUE["deep-fcn"]
    place = ("untrainable", "smoke")
    first = {"untrained": {"layers": "first-2"}}
    monkeypatch.setitem(CATALOGUE, "deep-fcn", dataclasses.replace(
        experiment, compared={place: ("base", "untrained")}, varied={place: first}))
    words = ["compare", "deep-fcn", "--profile", "smoke", "--jobs", "1", "--out", str(tmp_path / "records")]
    assert main([*words, "--dry-run"]) == 0
    *rows, total, trials = capsys.readouterr().out.splitlines()[1:]
    each = [float(row.split()[0]) for row in rows]
    assert [row.split(maxsplit=2)[2] for row in rows] == ["base", "untrained", "untrained (layers = first-2)"]
    assert each[0] < each[2] < each[1]  # fewer Gram matrices
    assert float(total.split()[0]) == pytest.approx(2 * sum(each), rel=1e-3)  # two seeds
    assert float(trials.split()[0]) == pytest.approx(14 * sum(each[:2]), rel=1e-3)
    assert not (tmp_path / "records").exists()

    assert main([*words, "--seeds", "0"]) == 0
    first, varied = capsys.readouterr().out.split("\nlayers = first-2\n")
    assert len(first.splitlines()) == 4 and len(varied.splitlines()) == 3
    assert len(list((tmp_path / "records").glob("*.json"))) == 3


def test_list_names_everything(capsys):
    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    for word in ("02_untrained_guide_transfer", "deep-fcn", "untrained-warm-up", "smoke", "overfit"):
        assert word in printed


def test_the_test_command_passes_words_to_pytest_and_ends_with_its_exit_code(monkeypatch):
    asked = []
    monkeypatch.setattr(pytest, "main", lambda words: asked.append(words) or 5)
    monkeypatch.setattr(os, "environ", dict(os.environ))  # whatever it sets ends with this test
    monkeypatch.chdir(Path.cwd())
    assert main(["test", "-q", "-k", "nothing"]) == 5
    assert main(["test", "--slow", "-x"]) == 5
    assert [words[-3:] for words in asked] == [["-q", "-k", "nothing"], ["slow", "tests", "-x"]]
    assert all(words[words.index("-m") + 1] == lane
               for words, lane in zip(asked, ("not slow", "slow"), strict=True))


@pytest.mark.slow
def test_where_no_test_is_selected_the_test_command_ends_as_pytest_does():
    done = guidelib("test", "-q", "-k", "nothing_is_called_like_this")
    assert done.returncode == 5  # pytest's word for "no test was selected"


NOWHERE = "choose another folder, out_dir in a notebook or --out in a command"


@pytest.mark.parametrize(("words", "said"), [
    (["run", "deep-fcn", "--set", "depth=abc"],
     "depth is a whole number, received 'abc': give it as depth=50"),
    (["run", "deep-fcn", "--profile", "fats"], "no profile 'fats', did you mean 'fast'?"),
    (["run", "deep-fcn", "--condition", "untrained-warmup"],
     "no condition 'untrained-warmup', did you mean 'untrained-warm-up'?"),
    (["run", "deep-fcn", "--profile", "smoke", "--out", "FILE/records"], NOWHERE),
    (["figures", "--profile", "Smoke"], "no profile 'Smoke', did you mean 'smoke'?"),
    (["figures", "--profile", "smoke", "--out", "FILE/figures"], NOWHERE)])
def test_a_slip_is_answered_in_one_line_with_the_repair(tmp_path, capsys, words, said):
    file = tmp_path / "FILE"
    file.write_text("no folder")  # nothing can be made in it, whoever asks
    assert main([word.replace("FILE", str(file)) for word in words]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert said in line


def test_a_folder_that_cannot_be_written_to_is_named_before_a_grid_or_a_figure(tmp_path):
    (tmp_path / "file").write_text("no folder")
    inside = tmp_path / "file" / "inside"
    smoke = gl.experiments.config("deep-fcn", profile="smoke")
    said = "nothing can be written to .*file.*choose another folder"
    with pytest.raises(OSError, match=said):
        gl.experiments.run_grid([smoke], out=inside)
    with pytest.raises(OSError, match=said):
        gl.figures.show(None, "name", alt="words", out=inside)


def test_bars_leave_no_frames_in_an_executed_copy(tmp_path, tutorials):
    code = """
        import torch, guidelib as gl
        net = lambda: torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
        history = gl.warm_up(net(), net(), sample=torch.zeros(8, 3), steps=3, progress=True)
        print(len(history))"""
    assert tutorials(make(tmp_path / "02_a.ipynb", dedent(code))) == 0
    printed = outputs(tmp_path / "out" / "02_a.ipynb")
    assert printed.strip().splitlines()[-1] == "3"
    assert "warm-up" not in printed


def test_an_interrupted_command_ends_in_one_line(monkeypatch, capsys):
    def interrupted(*args, **options):
        raise KeyboardInterrupt
    monkeypatch.setattr(gl.experiments, "run", interrupted)
    assert main(["run", "deep-fcn", "--profile", "smoke"]) == 130
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "used by the next start" in line


def test_a_table_fits_the_screen_unless_all_is_asked_for(capsys):
    folder = str(ROOT / "results" / "fast")
    assert main(["results", folder]) == 0
    short = capsys.readouterr().out.splitlines()
    assert main(["results", folder, "--all"]) == 0
    whole = capsys.readouterr().out.splitlines()
    assert len(short) == len(whole) and max(map(len, short)) < 140 < max(map(len, whole))
    assert all(name in short[0] for name in ("condition", "seed", "test_accuracy"))


def test_the_results_of_a_profile_do_not_take_the_place_of_anothers():
    from guidelib.cli.figures import figures_of
    assert figures_of("fast") == ROOT / "figures"
    assert figures_of("smoke") == ROOT / "figures" / "smoke"
