"""Many runs, two at a time: what is there is reused, and somebody is told how far it is.

Neither a failure nor a lost worker stops the others.
"""

import os
import time
import traceback
from pathlib import Path

from ..files import writable
from .progress import Report, forget, name_of
from .records import path_of, read
from .runs import find_device, lock_of, run
from .screen import say, screen

LIVES = 3  # how often a run is begun whose worker is lost


def run_grid(configs, *, out, jobs=2, device="auto", recompute=False, progress=True, each=None):
    """The records of many Configs, in their order, made by `jobs` processes at a time and kept in `out`.

    A run that fails does not stop the others; at the end a RuntimeError lists each with its error, and what
    succeeded stays in `out`. A run whose worker is killed, or runs out of memory, is resumed from its
    checkpoint in a new one; if that happens three times, it is listed too. The processes are joblib's;
    joblib.parallel_config(backend=...) chooses other workers, such as those of a Dask cluster, which must see
    the folder `out`. How far they are is shown in one line of text if somebody watches; where
    GUIDELIB_PROGRESS names a file, it is written there instead, for progress_of(). each: a callable(Config),
    told of each run as it is made; an error of its own is raised when all runs are done. ValueError unless
    jobs is a whole number, 1 or more, and the device one that is here; OSError if `out` cannot be written to.
    """
    check_jobs(jobs)
    find_device(device)
    configs = list(configs)
    out = Path(out).resolve()  # a worker may have another working folder
    todo = {c.key(): c for c in configs if recompute or not path_of(c, out).exists()}
    since = time.time() if recompute else 0.0  # a guide that one of these runs trains is another's too
    failures, raised = {}, []
    if todo:
        writable(out)  # said once, before anything is computed
    file = os.environ.get("GUIDELIB_PROGRESS")
    # In a notebook run headless nobody watches: who started it reads the file, and shows that.
    show = screen() if progress and todo and not file else None

    def make(some):
        """Make some runs in one pool, and take what is done out of `todo`; returns those lost as it broke."""
        try:
            for key, error in made(some, jobs, out, device, since):
                config = todo.pop(key)
                if error:
                    failures[key] = f"{name_of(config)}: {error}"
                elif each is not None and not raised:
                    try:
                        each(config)
                    except Exception as error:
                        raised.append(error)  # the runs go on: it is no fault of theirs
        except Exception as error:  # what a run raises comes back as text, so that this is the pool's own
            say(f"a worker was lost, {len(todo)} runs are still to do: {message(error)}")
            forget(todo.values(), out)  # with the pool all of its workers are gone
        return [c for c in some if c.key() in todo]

    with Report(todo, failures, total=len(configs), out=out, show=show, file=file):
        rest = list(todo.values())
        suspects = []
        while rest:
            lost = make(rest)
            # One of the runs under way broke the pool, and may break the next: each is resumed alone, later.
            begun = [c for c in lost if lock_of(c, out).exists()] or lost
            suspects += begun
            rest = [c for c in lost if c not in begun]
        for config in suspects:
            for _ in range(LIVES - 1):
                if not make([config]):
                    break
            else:
                text = f"its worker was lost {LIVES} times, killed or out of memory"
                failures[config.key()] = f"{name_of(config)}: {text}"
    if raised:
        raise raised[0]
    if failures:
        others = f", the others are in {out}" if len(failures) < len(configs) else ""
        head = f"{len(failures)} of {len(configs)} runs failed{others}:"
        raise RuntimeError("\n".join([head, *failures.values()]))
    return [read(path_of(c, out)) for c in configs]


def check_jobs(jobs):
    """ValueError unless jobs is a number of processes."""
    if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1:
        raise ValueError(f"jobs is the number of training runs at a time, 1 or more; received {jobs!r}")


def made(configs, jobs, out, device, since):
    """Yield (key, error or "") of each run as it is done."""
    from joblib import Parallel, delayed

    pool = Parallel(n_jobs=jobs, return_as="generator_unordered")
    yield from pool(delayed(attempt)(c, out, device, since) for c in configs)


def attempt(config, out, device, since):
    """Run one Config in a worker: (key, error or "")."""
    try:
        run(config, out=out, device=device, recompute=since)
        return config.key(), ""
    except Exception as error:
        return config.key(), message(error)


def message(error):
    """An error as one would read it at the end of a traceback, without the traceback."""
    return "".join(traceback.format_exception_only(error)).strip()
