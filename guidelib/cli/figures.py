"""Run the tutorials headless and leave executed notebooks, SVG and PNG figures and one results table in a folder.

    guidelib figures                          all tutorials at profile fast, into figures/
    guidelib figures 02 --profile smoke       one tutorial, in seconds
    guidelib figures --set "seeds=[0, 1]"     set a parameter of the notebooks
"""

import json
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

from ..course.checkout import checkout, notebooks
from ..course.headless import check_parameters, run_notebook
from ..experiments.screen import say
from ..files import writable
from .options import assignment


def arguments(parser):
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK", help="beginnings of notebook names, such as 02; all by default")
    parser.add_argument("--profile", default="fast", help="smoke, fast or full (default fast)")
    parser.add_argument("--out", type=Path, help="folder for the results (default figures/ of the checkout)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default auto)")
    parser.add_argument("--jobs", type=int, help="training runs at a time (default 2; 1 at smoke, where starting a process takes longer than a run)")
    parser.add_argument("--recompute", action="store_true", help="forget the run records in the folder, and make every run again")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="another parameter of the notebooks; may be repeated")


def main(options, rest=()):
    try:
        paths = notebooks(options.notebooks)
        out = (options.out or checkout() / "figures").resolve()
        jobs = (1 if options.profile == "smoke" else 2) if options.jobs is None else options.jobs
        parameters = {"profile": options.profile, "device": options.device, "jobs": jobs, "out_dir": str(out)}
        parameters |= dict(assignment(text) for text in options.set)
        check_parameters(paths, parameters)
        check_profile(options.profile)
        check_jobs(parameters["jobs"])
        writable(out)
    except (ValueError, OSError) as error:
        say(f"guidelib figures: {error}")
        return 2
    return make(paths, out, parameters, recompute=options.recompute)


def make(paths, out, parameters, *, recompute=False):
    """Run the notebooks one after the other; returns 0, or 1 if any of them failed."""
    start = time.perf_counter()
    if recompute:
        shutil.rmtree(out / "records", ignore_errors=True)
    failures = []
    with Progress(len(paths)) as progress:
        for path in paths:
            progress.begin(path.stem)
            environment = {"GUIDELIB_PROGRESS": str(progress.file)} | ({"GUIDELIB_RECOMPUTE": "1"} if recompute else {})
            failed = run_notebook(path, out / path.name, parameters, environment=environment)
            progress.end(failed)
            failures += [failed] if failed else []
    for failed in failures:
        say(f"\n{failed}\nThe notebook up to that cell is {out / failed.notebook}")
    finish(paths, out, parameters["profile"], time.perf_counter() - start)
    return 1 if failures else 0


def finish(paths, out, profile, seconds):
    """Join the tables of the notebooks into results.csv, and print it with the list of files written."""
    import pandas as pd

    from ..evidence.words import readable

    tables = [json.loads(file.read_text(encoding="utf-8")) for path in paths if (file := out / "tables" / f"{path.stem}.json").exists()]
    tables = [table for table in tables if table["profile"] == profile]
    if tables:
        rows = pd.concat([pd.DataFrame(table["rows"]).assign(notebook=table["notebook"], profile=table["profile"]) for table in tables])
        rows.to_csv(out / "results.csv", index=False)
    files = sorted(p for p in out.rglob("*") if p.is_file() and p.parent.name not in ("records", "guides"))
    print(f"\nFiles in {out}:")
    for file in files:
        print(f"  {file.relative_to(out)}")
    print(f"  records/ ({len(list((out / 'records').glob('*.json')))} run records, reused the next time)")
    for table in tables:
        print(f"\n{table['notebook']} (profile {table['profile']})")
        for line in readable(table["rows"]).to_dict("records"):
            print("\n".join(f"  {name}: {value}" for name, value in line.items()) + "\n")
    print(f"{len(tables)} of {len(paths)} notebooks left a table; {seconds / 60:.1f} minutes")


def check_profile(profile):
    from ..experiments.settings import PROFILES, check

    check("profile", profile, PROFILES)


def check_jobs(jobs):
    from ..experiments import grid

    grid.check_jobs(jobs)


class Progress:
    """Says which notebook is running, and how far its training runs are: a bar on a terminal, else a line now and then."""

    def __init__(self, total, *, every=20.0):
        from tqdm import tqdm

        self.total, self.count, self.name, self.every = total, 0, "", every
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name) / "progress.json"
        self.watched = sys.stderr.isatty()
        self.bar = tqdm(total=total, unit="notebook", disable=not self.watched, bar_format="{desc} |{bar}| {n_fmt}/{total_fmt} [{elapsed}]")
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
        self.count, self.name, self.start = self.count + 1, name, time.perf_counter()
        self._tell("starts")

    def end(self, failed):
        self._tell(f"{'FAILED' if failed else 'done'} after {time.perf_counter() - self.start:.0f} s")
        self.bar.update()

    def _tell(self, what):
        if self.watched:
            self.bar.set_description_str(f"{self.name}: {what}")
        else:
            say(f"[{self.count}/{self.total}] {self.name} {what}")

    def _watch(self):
        from ..experiments.progress import progress_of

        last, said = None, time.perf_counter()
        while not self.done.wait(1.0):
            now = progress_of(self.file)
            if now and now != last and (self.watched or time.perf_counter() - said > self.every):
                last, said = now, time.perf_counter()
                self._tell(f"{now['done']}/{now['total']} training runs" + (f"; {now['label']}" if now["label"] else ""))
