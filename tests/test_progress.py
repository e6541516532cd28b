"""The line that says how far a grid is: it moves within a run, is plain text, and changes no record."""

import errno
import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import IPython
import pytest

import guidelib as gl
from guidelib.experiments import grid, progress, records, runs, screen
from guidelib.experiments import procedure as runner
from guidelib.experiments import run as run_
from guidelib.experiments.progress import (
    Report,
    State,
    beside,
    duration,
    fraction,
    label,
    line,
    progress_of,
    seconds_left,
    telling,
)

E = gl.experiments


def smoke(condition="base", seed=0, **overrides):
    settings = {"depth": 2, "epochs": 4, "train": 96} | overrides
    return E.config("deep-fcn", condition=condition, profile="smoke", seed=seed, **settings)


def bits(record):
    parts = {name: record[name] for name in ("config", "metrics", "curves")}
    return json.dumps(records.finite(parts), sort_keys=True)


def epochs(seed, at):
    return State(f"base seed {seed}", "epoch", at, 40)


# The text


@pytest.mark.parametrize(("states", "done", "left", "text"), [
    ([], 0, None, "0 of 3 runs done"),
    ([State("base seed 0", "start", 0, 1)], 0, None, "run 1 of 3, base seed 0: starts"),
    ([epochs(0, 4)], 0, 20.4, "run 1 of 3, base seed 0: epoch 4 of 40, about 20 s left"),
    ([epochs(2, 40)], 2, 1.0, "run 3 of 3, base seed 2: epoch 40 of 40, about 1 s left"),
    ([epochs(0, 4), epochs(1, 3)], 0, 40.0,
     "0 of 3 runs done; base seed 0: epoch 4 of 40; base seed 1: epoch 3 of 40; about 40 s left"),
    ([State("a", "warm-up", 120, 300), State("b", "guide", 2, 5)], 1, None,
     "1 of 3 runs done; a: warm-up step 120 of 300; b: its guide's epoch 2 of 5"),
])
def test_the_line(states, done, left, text):
    assert line(states, done, 3, left) == text


def test_many_runs_under_way_are_counted():
    states = [epochs(seed, 1) for seed in range(5)]
    assert label(states) == "base seed 0: epoch 1 of 40; base seed 1: epoch 1 of 40; 3 more"


def test_one_line_holds_what_is_named():
    """About a hundred characters stand on a line of JupyterLab at 1280 pixels.

    A longer one would push the cells below up and down.
    """
    long = [State(f"other-family-warm-up seed {seed}", "warm-up", 44, 300) for seed in range(2)]
    many = [epochs(seed, 1) for seed in range(5)]
    assert label(long) == "other-family-warm-up seed 0: warm-up step 44 of 300; 1 more"
    assert label([]) == ""
    for states in (long, many):
        assert len(line(states, 10, 100, 3600.0)) <= 110


def test_durations_are_said_in_units_of_their_size():
    assert [duration(s) for s in (0.2, 99, 100, 5999, 6000)] == ["0 s", "99 s", "2 min", "100 min", "1.7 h"]


@pytest.mark.parametrize(("condition", "phase", "part"), [
    ("base", "start", None),
    ("trained", "guide", None),
    ("base", "epoch", 0.25),
    ("untrained", "epoch", 0.25),
    ("untrained-warm-up", "warm-up", 0.125),
    ("untrained-warm-up", "epoch", 0.625),
])
def test_the_part_of_a_run_that_is_over(condition, phase, part):
    assert fraction(smoke(condition), State("", phase, 10, 40)) == part


@pytest.mark.parametrize(("first", "last", "now", "left"), [
    ((5.0, 0.0), (5.0, 0.0), 60.0, None),  # nothing has been done since the clock started
    ((5.0, 0.2), (6.0, 0.4), 6.0, None),  # one second says too little
    ((5.0, 0.2), (15.0, 0.4), 15.0, 30.0),  # what was done before the clock started gives no pace
    ((5.0, 0.2), (15.0, 0.4), 20.0, 25.0),
    ((5.0, 0.2), (15.0, 0.4), 90.0, 1.0),  # later than thought: soon, never before now
    ((5.0, 0.5), (15.0, 0.4), 15.0, None),  # a lost worker began again
])
def test_time_left(first, last, now, left):
    assert seconds_left(first, last, now) == (left if left is None else pytest.approx(left))


# The file beside the record


def test_phases_are_told_in_order_with_their_totals():
    heard = []
    run = smoke("trained-warm-up", guide_epochs=2, warm_up_steps=3)
    runner.run(run, device=E.find_device("cpu"), store=None, tell=lambda *state: heard.append(state))
    expected = []
    for phase, of in (("guide", 2), ("warm-up", 3), ("epoch", 4)):
        expected += [(phase, n + 1, of) for n in range(of)]
    assert heard == expected


def test_a_file_is_written_twice_a_second_and_at_the_end_of_a_phase_and_then_is_gone(tmp_path, monkeypatch):
    clock = [100.0]
    path = tmp_path / "a.progress"
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def at():
        return progress_of(path)["at"]

    with telling(path) as tell:
        assert progress_of(path) == {"phase": "start", "at": 0, "of": 1}
        tell("epoch", 1, 9)
        assert at() == 0
        clock[0] += 0.5
        tell("epoch", 2, 9)
        assert at() == 2
        tell("epoch", 3, 9)
        assert at() == 2
        tell("epoch", 9, 9)
        assert at() == 9
    assert list(tmp_path.iterdir()) == []


def test_neither_success_nor_failure_leaves_a_file(tmp_path, monkeypatch):
    seen = []
    train = runner.train

    def watched(*args, **options):
        seen.append(beside(smoke(), tmp_path).exists())
        return train(*args, **options)
    monkeypatch.setattr(runner, "train", watched)
    run_(smoke(), out=tmp_path, device="cpu")
    with pytest.raises(ValueError, match="middle-3"):
        run_(smoke("untrained").with_(layers="middle-3"), out=tmp_path, device="cpu")
    assert seen == [True]
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]


def test_a_full_disk_changes_no_run(tmp_path, monkeypatch):
    expected = bits(run_(smoke(), device="cpu"))

    def full(path, *args, **options):
        assert path.suffix == ".progress"
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", full)
        assert bits(run_(smoke(), out=tmp_path, device="cpu")) == expected


# The line of a grid


@pytest.fixture
def notebook(monkeypatch):
    """Stands in for a notebook's cell: the texts it has shown, one after the other, in one output."""
    texts = []

    def show(bundle, *, raw):
        assert raw and list(bundle) == ["text/plain"]
        texts.append(bundle["text/plain"])

    def display(bundle, *, raw, display_id):
        assert display_id and not texts
        show(bundle, raw=raw)
        return SimpleNamespace(update=show)
    monkeypatch.delenv("GUIDELIB_PROGRESS", raising=False)
    monkeypatch.setattr(screen, "in_kernel", lambda: True)
    monkeypatch.setattr("IPython.display.display", display)
    return texts


@pytest.fixture
def every_step(monkeypatch):
    """Look at the files whenever a run has told something, and at no other time; the Reports, one a grid."""
    reports = []

    class Known(Report):
        def __enter__(self):
            reports.append(self)
            return super().__enter__()

    def watched(path):
        told = telling(path)

        class Watched:
            def __enter__(self):
                tell = told.__enter__()

                def tell_and_look(*state):
                    tell(*state)
                    reports[-1].refresh()
                return tell_and_look

            def __exit__(self, *exception):
                return told.__exit__(*exception)
        return Watched()
    monkeypatch.setattr(progress, "LOOKED", 3600.0)
    monkeypatch.setattr(progress, "TOLD", 0.0)
    monkeypatch.setattr(grid, "Report", Known)
    monkeypatch.setattr(runs, "telling", watched)
    return reports


def test_the_line_moves_within_a_run(tmp_path, notebook, every_step):
    config = smoke("untrained-warm-up", warm_up_steps=2)
    E.run_grid([config], out=tmp_path, jobs=1, device="cpu")
    name = "run 1 of 1, untrained-warm-up seed 0"
    steps = [f"{name}: warm-up step {n} of 2" for n in (1, 2)]
    after = [f"{name}: epoch {n} of 4" for n in (1, 2, 3, 4)]
    told = [text.split(", about")[0] for text in notebook]
    assert told[:-1] == ["0 of 1 runs done", *steps, *after]
    assert told[-1].startswith("1 of 1 runs done in ")
    assert not every_step[0].thread.is_alive()


def test_records_with_and_without_the_line_are_the_same(tmp_path, notebook, every_step):
    configs = [smoke("untrained-warm-up", warm_up_steps=2, dropout=0.3), smoke("trained", guide_epochs=1)]
    shown = E.run_grid(configs, out=tmp_path / "a", jobs=1, device="cpu")
    several = len(notebook)
    silent = E.run_grid(configs, out=tmp_path / "b", jobs=1, device="cpu", progress=False)
    assert several > 8
    assert len(notebook) == several
    alone = [run_(config, device="cpu") for config in configs]
    assert list(map(bits, shown)) == list(map(bits, silent)) == list(map(bits, alone))


def test_where_nothing_is_to_be_made_nothing_is_shown(tmp_path, notebook):
    E.run_grid([smoke()], out=tmp_path, jobs=1, device="cpu", progress=False)
    E.run_grid([smoke()], out=tmp_path, jobs=1, device="cpu")
    assert notebook == []


def test_headless_the_text_goes_into_the_file(tmp_path, notebook, every_step, monkeypatch):
    file = tmp_path / "progress.json"
    wrote = []
    write = progress.write

    def noted(news, path):
        wrote.append(news)
        write(news, path)
    monkeypatch.setenv("GUIDELIB_PROGRESS", str(file))
    monkeypatch.setattr(progress, "write", noted)
    E.run_grid([smoke(), smoke(seed=1)], out=tmp_path / "out", jobs=1, device="cpu")
    assert {"done": 1, "total": 2, "label": "base seed 1: epoch 3 of 4"} in wrote
    assert progress_of(file) == {"done": 2, "total": 2, "label": ""}
    assert notebook == []


def test_an_interrupt_is_told_and_ends_the_watcher(tmp_path, notebook, every_step, monkeypatch):
    def run(config, **options):
        if config.seed == 1:
            raise KeyboardInterrupt
        return run_(config, **options)
    monkeypatch.setattr(grid, "run", run)
    with pytest.raises(KeyboardInterrupt):
        E.run_grid([smoke(seed=seed) for seed in range(3)], out=tmp_path, jobs=1, device="cpu")
    assert notebook[-1] == "interrupted: 1 of 3 runs are kept, the next start goes on from there"
    assert not every_step[0].thread.is_alive()


def test_a_failed_run_is_counted_at_the_end(tmp_path, notebook):
    with pytest.raises(RuntimeError, match="middle-3"):
        E.run_grid([smoke(), smoke("untrained").with_(layers="middle-3")], out=tmp_path, jobs=1, device="cpu")
    assert notebook[-1].startswith("1 of 2 runs done in ")
    assert notebook[-1].endswith(", 1 failed")


def test_what_a_killed_worker_left_is_not_told(tmp_path, notebook):
    beside(smoke(), tmp_path).write_text(json.dumps({"phase": "epoch", "at": 3, "of": 4}))
    beside(smoke(seed=1), tmp_path).write_text('{"phase": "ep')
    E.run_grid([smoke(), smoke(seed=1)], out=tmp_path, jobs=1, device="cpu")
    assert notebook[0] == "0 of 2 runs done"
    assert list(tmp_path.glob("*.progress")) == []


def test_a_terminal_keeps_one_line(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.delenv("GUIDELIB_PROGRESS", raising=False)
    assert screen.screen() is None  # what pytest captures is no terminal
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    show = screen.screen()
    show("a line that is longer than the terminal")
    show("done", "\n")
    assert capsys.readouterr().err == "\ra line that is long\r" + "\rdone               \n"


def test_a_kernel_is_known_by_its_shell(monkeypatch):
    assert not screen.in_kernel()
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=None))
    assert screen.in_kernel()


def test_no_bar_is_a_widget():
    """A widget is empty once a notebook is saved and opened again: what is told of a run has to stay."""
    package = Path(gl.__file__).parent
    for path in package.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        words = ["tqdm.auto", "tqdm.notebook"]
        if path.relative_to(package).parts[0] not in ("widgets", "course"):
            words.append("ipywidgets")
        for word in words:
            assert word not in text, path.name
