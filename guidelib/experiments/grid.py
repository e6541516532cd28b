"""Many runs, two at a time: what is there is reused, a failure stops nobody, and somebody is told how far it is."""

import json
import os
import traceback
from pathlib import Path

from .records import path_of, read, write
from .run import run


def run_grid(configs, *, out, jobs=2, device="auto", recompute=False, progress=True):
    """The records of many Configs, in their order, made by `jobs` processes at a time through joblib and kept in `out`.

    A run that fails does not stop the others; at the end a RuntimeError lists each with its error, and what succeeded stays in
    `out`. joblib's parallel_config chooses another backend. How many are done is shown by a bar if somebody watches, and
    written to the file that GUIDELIB_PROGRESS names.
    """
    from joblib import Parallel, delayed

    configs = list(configs)
    todo = {c.key(): c for c in configs if recompute or not path_of(c, out).exists()}
    report = _Report(len(configs), len(configs) - len(todo), progress)
    failures = {}
    calls = (delayed(attempt)(c, out, device, recompute) for c in todo.values())
    for key, name, error in Parallel(n_jobs=jobs, return_as="generator_unordered")(calls) if todo else ():
        if error:
            failures[key] = f"{name}: {error}"
        report.one_more(name)
    report.close()
    if failures:
        raise RuntimeError(f"{len(failures)} of {len(configs)} runs failed, the others are in {out}:\n" + "\n".join(failures.values()))
    return [read(path_of(c, out)) for c in configs]


def attempt(config, out, device, recompute):
    """Run one Config in a worker: (key, name, error or "")."""
    name = f"{config.condition} seed {config.seed}"
    try:
        run(config, out=out, device=device, recompute=recompute)
        return config.key(), name, ""
    except Exception as error:
        return config.key(), name, "".join(traceback.format_exception_only(error)).strip()


class _Report:
    """Tells how many runs are done: a bar for who watches, a small file for who started this process."""

    def __init__(self, total, done, progress):
        from tqdm.auto import tqdm

        self.total, self.done, self.path = total, done, os.environ.get("GUIDELIB_PROGRESS")
        # In a notebook run headless nobody watches, and the bar's frames would only fill the saved copy.
        self.bar = tqdm(total=total, initial=done, unit="run", disable=True if not progress or self.path else None, leave=False)
        self.tell("")

    def one_more(self, name):
        self.done += 1
        self.bar.update()
        self.tell(name)

    def tell(self, label):
        if self.path:
            write({"done": self.done, "total": self.total, "label": label}, Path(self.path))

    def close(self):
        self.bar.close()


def progress_of(path):
    """What a grid last told: {"done", "total", "label"}, or None."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return None
