"""What the figures command says while notebooks run."""

import sys
import tempfile
import threading
import time
from pathlib import Path

from ..experiments.progress import progress_of
from ..experiments.screen import say


class Progress:
    """Says which notebook is running, and how far its training runs are: a bar on a terminal, else lines."""

    def __init__(self, total, *, every=20.0):
        from tqdm import tqdm

        self.total = total
        self.count = 0
        self.name = ""
        self.every = every
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name) / "progress.json"
        self.watched = sys.stderr.isatty()
        self.bar = tqdm(total=total, unit="notebook", disable=not self.watched,
                        bar_format="{desc} |{bar}| {n_fmt}/{total_fmt} [{elapsed}]")
        self.done = threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.done.set()
        self.thread.join()
        self.bar.close()
        self.folder.cleanup()

    def begin(self, name):
        self.file.unlink(missing_ok=True)
        self.count += 1
        self.name = name
        self.start = time.perf_counter()
        self._tell("starts")

    def end(self, failed):
        word = "FAILED" if failed else "done"
        self._tell(f"{word} after {time.perf_counter() - self.start:.0f} s")
        self.bar.update()

    def _tell(self, what):
        if self.watched:
            self.bar.set_description_str(f"{self.name}: {what}")
        else:
            say(f"[{self.count}/{self.total}] {self.name} {what}")

    def _watch(self):
        last = None
        said = time.perf_counter()
        while not self.done.wait(1.0):
            now = progress_of(self.file)
            due = self.watched or time.perf_counter() - said > self.every
            if not now or now == last or not due:
                continue
            last = now
            said = time.perf_counter()
            runs = f"{now['done']}/{now['total']} training runs"
            self._tell(f"{runs}; {now['label']}" if now["label"] else runs)
