"""How far a grid is: each run tells it in a small file beside its record, and a line is made of them."""

import json
import shutil
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from .conditions import find_condition
from .records import path_of, write

TOLD = 0.5  # seconds between two writes of one run, at least
LOOKED = 1.0  # seconds between two looks at the files of all runs
PACE = 2.0  # seconds that must have been watched before a time left is said
NAMED, WIDE = 3, 70  # runs under way that are named in the line, at most, and characters for them, if more than one
PHASES = {"start": "starts", "guide": "its guide's epoch {at} of {of}",
          "warm-up": "warm-up step {at} of {of}", "epoch": "epoch {at} of {of}"}


class State(NamedTuple):
    """Where a run is: `at` of `of` steps or epochs of a phase, one of PHASES, are done."""

    name: str
    phase: str
    at: int
    of: int

    def __str__(self):
        return f"{self.name}: {PHASES[self.phase].format(at=self.at, of=self.of)}"


# In the process that makes a run


@contextmanager
def telling(path):
    """Within, a tell(phase, at, of) that writes where the run is, twice a second and at the end of a phase.

    The file is gone afterwards, however the run ends; if it cannot be written or deleted, the run goes on.
    """
    due = 0.0

    def tell(phase, at, of):
        nonlocal due
        if at == of or time.monotonic() >= due:
            due = time.monotonic() + TOLD
            with suppress(OSError):
                path.write_text(json.dumps({"phase": phase, "at": at, "of": of}), encoding="utf-8")

    tell("start", 0, 1)
    try:
        yield tell
    finally:
        with suppress(OSError):
            path.unlink()


def beside(config, out):
    """The file in which a run tells where it is; not .json, so that nobody takes it for a record."""
    return path_of(config, out).with_suffix(".progress")


# In the process that watches


def forget(configs, out):
    """Delete what killed runs have left, lest it be taken for news; a run that lives soon writes again."""
    for config in configs:
        with suppress(OSError):
            beside(config, out).unlink()


def progress_of(path):
    """What a grid last told, {"done", "total", "label"}, or a run, {"phase", "at", "of"}; None if nothing."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def name_of(config):
    return f"{config.condition} seed {config.seed}"


def fraction(config, state):
    """The part of a run that is over, its warm-up half of it; None before warm-up and training have begun.

    >>> from guidelib.experiments import config
    >>> fraction(config("deep-fcn", condition="untrained-warm-up"), State("", "epoch", 10, 40))
    0.625
    """
    if state.phase not in ("warm-up", "epoch"):
        return None
    part = state.at / state.of
    if not find_condition(config.condition).warms_up:
        return part
    return part / 2 if state.phase == "warm-up" else 0.5 + part / 2


def seconds_left(first, last, now):
    """Seconds left at the pace between two marks, (time, fraction done); None while there is no pace yet.

    >>> seconds_left((0.0, 0.0), (10.0, 0.25), 12.0)
    28.0
    """
    (t0, f0), (t1, f1) = first, last
    if t1 - t0 < PACE or f1 <= f0:
        return None
    return max((t1 - t0) * (1 - f1) / (f1 - f0) - (now - t1), 1.0)


def duration(seconds):
    """Seconds as one would say them.

    >>> duration(41.3), duration(150), duration(9000)
    ('41 s', '2 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def label(states):
    """The runs under way, in words, as many of the first three by name as one line holds.

    >>> label([State("base seed 0", "epoch", 4, 40), State("base seed 1", "start", 0, 1)])
    'base seed 0: epoch 4 of 40; base seed 1: starts'
    """
    for named in range(min(NAMED, len(states)), 0, -1):
        more = [f"{len(states) - named} more"] if len(states) > named else []
        text = "; ".join([*map(str, states[:named]), *more])
        if len(text) <= WIDE or named == 1:
            return text
    return ""


def line(states, done, total, left=None):
    """The line for who watches; left: seconds, or None where nobody knows.

    >>> line([State("base seed 0", "epoch", 4, 40)], 0, 3, left=20.0)
    'run 1 of 3, base seed 0: epoch 4 of 40, about 20 s left'
    """
    alone = len(states) == 1
    begin = f"run {done + 1} of {total}" if alone else f"{done} of {total} runs done"
    soon = "" if left is None else f"about {duration(left)} left"
    return (", " if alone else "; ").join(filter(None, [begin, label(states), soon]))


class Report:
    """Within, tells once a second how far a grid is, and at the end how it ended.

    todo: {key: Config}, which the grid empties as runs are done. failures: {key: text}, which it fills.
    show: what screen() gives. file: where a dict for progress_of() is written, or None.
    """

    def __init__(self, todo, failures, *, total, out, show=None, file=None):
        self.todo, self.failures, self.total, self.out = todo, failures, total, out
        self.show, self.file, self.shown, self.written = show, file, None, None
        self.begun, self.runs, self.marks = time.monotonic(), len(todo), []
        self.over, self.thread = threading.Event(), threading.Thread(target=self.watch, daemon=True)

    def __enter__(self):
        forget(self.todo.values(), self.out)
        self.refresh()
        if self.todo and (self.show or self.file):
            self.thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self.over.set()
        if self.thread.is_alive():
            self.thread.join()
        forget(self.todo.values(), self.out)
        kept = self.total - len(self.todo.keys() | self.failures.keys())
        ended = f"{kept} of {self.total} runs done in {duration(time.monotonic() - self.begun)}"
        ended += f", {len(self.failures)} failed" if self.failures else ""
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            ended = f"interrupted: {kept} of {self.total} runs are kept, the next start goes on from there"
        self.tell(ended, "", end="\n")

    def watch(self):
        while not self.over.wait(LOOKED):
            self.refresh()

    def refresh(self):
        """Look at the files of the runs that are not done, and tell what has changed."""
        runs = list(self.todo.values())  # a copy: the grid takes runs out meanwhile
        found = [(c, state) for c in runs if (state := self.state(c))]
        states, left = [state for _, state in found], self.left([fraction(*pair) for pair in found])
        self.tell(line(states, self.total - len(self.todo), self.total, left), label(states))

    def state(self, config):
        found = progress_of(beside(config, self.out))
        return found and State(name_of(config), **found)

    def left(self, parts):
        """Seconds left, from the fractions of the runs under way; the clock starts with the first that is known."""
        now, over = time.monotonic(), self.runs - len(self.todo)
        if over or any(part is not None for part in parts):
            mark = (now, (over + sum(filter(None, parts))) / self.runs)
            if not self.marks or mark[1] > self.marks[-1][1]:  # a run whose file is gone already counts as over a moment later
                self.marks = [*self.marks[:1], mark]
        return seconds_left(self.marks[0], self.marks[-1], now) if self.marks else None

    def tell(self, text, running, end=""):
        news = {"done": self.total - len(self.todo), "total": self.total, "label": running}
        with suppress(OSError):  # a full disk, or a terminal that is gone: no reason to stop the runs
            if self.show and text != self.shown:
                self.show(text, end)
            if self.file and news != self.written:
                write(news, Path(self.file))
        self.shown, self.written = text, news


# Where the line is shown


def screen():
    """A function(text, end) that shows a line in place of the one before; None where nobody would see it."""
    if in_kernel():
        return Cell()
    return on_terminal if sys.stderr is not None and sys.stderr.isatty() else None


def in_kernel():
    """Whether this process is the kernel of a notebook."""
    return "IPython" in sys.modules and hasattr(sys.modules["IPython"].get_ipython(), "kernel")


class Cell:
    """One output of a cell, in plain text: a widget would be empty once the notebook is saved and reopened."""

    def __init__(self):
        self.handle = None

    def __call__(self, text, end=""):
        from IPython.display import display

        if self.handle is None:
            self.handle = display({"text/plain": text}, raw=True, display_id=True)
        else:
            self.handle.update({"text/plain": text}, raw=True)


def on_terminal(text, end=""):
    """Rewrite the terminal's last line, cut to its width; a warning would take its place."""
    width = shutil.get_terminal_size().columns - 1
    sys.stderr.write(f"\r{text[:width].ljust(width)}" + (end or "\r"))
    sys.stderr.flush()


def say(text):
    """A line for whoever watches, at once."""
    print(text, file=sys.stderr, flush=True)
