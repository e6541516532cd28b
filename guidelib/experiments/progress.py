"""How far a grid is: each run tells it in a small file beside its record, and a line is made of them."""

import json
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
NAMED = 3  # runs under way that are named in the line, at most
WIDE = 70  # characters for them, if more than one
PHASES = {
    "start": "starts",
    "guide": "its guide's epoch {at} of {of}",
    "warm-up": "warm-up step {at} of {of}",
    "epoch": "epoch {at} of {of}",
}


class State(NamedTuple):
    """Where a run is: `at` of `of` steps or epochs of a phase, one of PHASES, are done."""

    name: str
    phase: str
    at: int
    of: int

    def __str__(self):
        where = PHASES[self.phase].format(at=self.at, of=self.of)
        return f"{self.name}: {where}"


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
    if state.phase == "warm-up":
        return part / 2
    return 0.5 + part / 2


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
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def label(states):
    """The runs under way, in words, as many of the first three by name as one line holds.

    >>> label([State("base seed 0", "epoch", 4, 40), State("base seed 1", "start", 0, 1)])
    'base seed 0: epoch 4 of 40; base seed 1: starts'
    """
    for named in range(min(NAMED, len(states)), 0, -1):
        words = list(map(str, states[:named]))
        if len(states) > named:
            words.append(f"{len(states) - named} more")
        text = "; ".join(words)
        if len(text) <= WIDE or named == 1:
            return text
    return ""


def line(states, done, total, left=None):
    """The line for who watches; left: seconds, or None where nobody knows.

    >>> line([State("base seed 0", "epoch", 4, 40)], 0, 3, left=20.0)
    'run 1 of 3, base seed 0: epoch 4 of 40, about 20 s left'
    """
    soon = "" if left is None else f"about {duration(left)} left"
    if len(states) == 1:
        begin, between = f"run {done + 1} of {total}", ", "
    else:
        begin, between = f"{done} of {total} runs done", "; "
    return between.join(filter(None, [begin, label(states), soon]))


class Report:
    """Within, tells once a second how far a grid is, and at the end how it ended.

    todo: {key: Config}, which the grid empties as runs are done. failures: {key: text}, which it fills.
    show: what screen() gives. file: where a dict for progress_of() is written, or None.
    """

    def __init__(self, todo, failures, *, total, out, show=None, file=None):
        self.todo = todo
        self.failures = failures
        self.total = total
        self.out = out
        self.show, self.shown = show, None
        self.file, self.written = file, None
        self.begun = time.monotonic()
        self.runs = len(todo)
        self.marks = []  # (time, fraction done) of the first look that found something, and of the newest
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

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
        if self.failures:
            ended += f", {len(self.failures)} failed"
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            ended = f"interrupted: {kept} of {self.total} runs are kept, the next start goes on from there"
        self.tell(ended, "", end="\n")

    def watch(self):
        while not self.over.wait(LOOKED):
            self.refresh()

    def refresh(self):
        """Look at the files of the runs that are not done, and tell what has changed."""
        states, parts = [], []
        for config in list(self.todo.values()):  # a copy: the grid takes runs out meanwhile
            found = progress_of(beside(config, self.out))
            if found:
                state = State(name_of(config), **found)
                states.append(state)
                parts.append(fraction(config, state))
        left = self.left(parts)
        self.tell(line(states, self.total - len(self.todo), self.total, left), label(states))

    def left(self, parts):
        """Seconds left, from the fractions of the runs under way.

        The clock starts with the first that is known.
        """
        now = time.monotonic()
        over = self.runs - len(self.todo)
        if over or any(part is not None for part in parts):
            done = (over + sum(filter(None, parts))) / self.runs
            # It may fall back: a run whose file is gone already counts as over a moment later.
            if not self.marks or done > self.marks[-1][1]:
                self.marks = [*self.marks[:1], (now, done)]
        return seconds_left(self.marks[0], self.marks[-1], now) if self.marks else None

    def tell(self, text, running, end=""):
        news = {"done": self.total - len(self.todo), "total": self.total, "label": running}
        with suppress(OSError):  # a full disk, or a terminal that is gone: no reason to stop the runs
            if self.show and text != self.shown:
                self.show(text, end)
            if self.file and news != self.written:
                write(news, Path(self.file))
        self.shown = text
        self.written = news
