"""Runs notebooks for the commands, some at a time, and says meanwhile how far they are."""

import sys
import tempfile
import threading
import time
from pathlib import Path

from ..course.headless import run_notebook
from ..experiments.progress import progress_of
from ..experiments.screen import say


def run_notebooks(paths, out, parameters, *, at_once=1, environment=None):
    """Execute notebooks, `at_once` at a time, into copies in a folder; returns the Failures, in order."""
    from joblib import Parallel, delayed

    failures = {}
    with Progress(len(paths)) as progress:
        todo = (delayed(attempt)(path, out / path.name, parameters, environment or {}, progress.folder)
                for path in paths)
        for path, failed, seconds in Parallel(n_jobs=at_once, return_as="generator_unordered")(todo):
            progress.end(path.stem, "FAILED" if failed else "done", seconds)
            if failed:
                failures[path] = failed
    return [failures[path] for path in paths if path in failures]


def attempt(path, copy, parameters, environment, folder):
    """Execute one notebook, its progress told in files of a folder: (path, Failure or None, seconds)."""
    start = time.perf_counter()
    begun(folder, path.stem).touch()
    told = {"GUIDELIB_PROGRESS": str(runs_of(folder, path.stem))}
    failed = run_notebook(path, copy, parameters, environment=environment | told)
    return path, failed, time.perf_counter() - start


def begun(folder, name):
    return folder / f"{name}.begun"


def runs_of(folder, name):
    return folder / f"{name}.runs"


class Progress:
    """Says which notebooks run, and how far their training runs are: a bar on a terminal, else lines.

    total: how many notebooks. every: the seconds after which a line tells again of one of them.
    """

    def __init__(self, total, *, every=20.0):
        from tqdm import tqdm

        self.total = total
        self.every = every
        self.number = {}  # {name: its number, in the order in which they begin}
        self.said = {}  # {name: (when, what was last told of its runs)}, of those under way
        self.status = {}  # {name: how far it is}, of those under way
        self.place = tempfile.TemporaryDirectory()
        self.folder = Path(self.place.name)
        self.watched = sys.stderr.isatty()
        self.bar = tqdm(total=total, unit="notebook", disable=not self.watched,
                        bar_format="{desc} |{bar}| {n_fmt}/{total_fmt} [{elapsed}]")
        self.lock = threading.Lock()  # one looks while another ends
        self.done = threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.done.set()
        self.thread.join()
        self.bar.close()
        self.place.cleanup()

    def end(self, name, word, seconds):
        """Tell that a notebook has ended."""
        with self.lock:
            self._begin(name)
            self._tell(name, f"{word} after {seconds:.0f} s")
            del self.said[name], self.status[name]
            self.bar.update()

    def _begin(self, name):
        if name not in self.number:
            self.number[name] = len(self.number) + 1
            self.said[name] = time.perf_counter(), None
            self._tell(name, "starts")

    def _tell(self, name, what):
        self.status[name] = what
        if self.watched:
            each = (f"{name[:2]} {text}" for name, text in self.status.items())
            self.bar.set_description_str("; ".join(each))
        else:
            say(f"[{self.number[name]}/{self.total}] {name} {what}")

    def _watch(self):
        while not self.done.wait(1.0):
            with self.lock:
                self._look()

    def _look(self):
        for path in sorted(self.folder.glob("*.begun"), key=lambda path: path.stat().st_mtime_ns):
            self._begin(path.stem)
        for name, (when, last) in list(self.said.items()):
            now = progress_of(runs_of(self.folder, name))
            if not now or now == last or not (self.watched or time.perf_counter() - when > self.every):
                continue
            self.said[name] = time.perf_counter(), now
            runs = f"{now['done']}/{now['total']} training runs"
            self._tell(name, f"{runs}; {now['label']}" if now["label"] else runs)
