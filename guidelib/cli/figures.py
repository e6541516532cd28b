"""Run the tutorials headless; leave executed notebooks, SVG and PNG figures and one table of results.

    guidelib figures                          all tutorials at profile fast, into figures/
    guidelib figures 02 --profile smoke       one tutorial, in seconds, into figures/smoke/
    guidelib figures --at-once 1              one tutorial after the other
    guidelib figures --set "seeds=[0, 1]"     set a parameter of the notebooks
"""

import json
import shutil
import time
from pathlib import Path

import pandas as pd

from ..course import timings
from ..course.checkout import checkout, notebooks
from ..course.headless import check_parameters
from ..experiments.grid import check_jobs
from ..experiments.screen import say
from ..experiments.settings import PROFILES, check
from ..files import writable
from .options import assignment
from .watch import run_notebooks


def arguments(parser):
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK",
                        help="beginnings of notebook names, such as 02; all by default")
    parser.add_argument("--profile", default="fast", help="smoke, fast or full (default fast)")
    parser.add_argument("--out", type=Path,
                        help="folder for the results (default figures/ of the checkout, and a folder there "
                             "named as the profile where it is not fast)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default auto)")
    parser.add_argument("--jobs", type=int,
                        help="training runs at a time in a notebook (default 2; 1 at smoke, where starting a "
                             "process takes longer than a run)")
    parser.add_argument("--at-once", type=int, metavar="N",
                        help="notebooks at a time (default 2; 1 where there is one core, and at profiles "
                             "larger than fast, whose runs fill a machine)")
    parser.add_argument("--recompute", action="store_true",
                        help="forget the run records in the folder, and make every run again")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="another parameter of the notebooks; may be repeated")


def main(options):
    jobs = options.jobs
    if jobs is None:
        jobs = 1 if options.profile == "smoke" else 2
    try:
        paths = notebooks(options.notebooks)
        check("profile", options.profile, PROFILES)
        out = (options.out or figures_of(options.profile)).resolve()
        parameters = {"profile": options.profile, "device": options.device, "jobs": jobs, "out_dir": str(out)}
        parameters |= dict(assignment(text) for text in options.set)
        check_parameters(paths, parameters)
        check_jobs(parameters["jobs"])
        at_once = notebooks_at_once(options.profile) if options.at_once is None else options.at_once
        if at_once < 1:
            raise ValueError(f"--at-once is the number of notebooks at a time, 1 or more; received {at_once}")
        writable(out)
    except (ValueError, OSError) as error:
        say(f"guidelib figures: {error}")
        return 2
    return make(paths, out, parameters, recompute=options.recompute, at_once=at_once)


def notebooks_at_once(profile):
    """How many notebooks run at a time if nobody says: most of them use one core most of the time."""
    return min(2, timings.cores()) if profile in ("smoke", "fast") else 1


def figures_of(profile):
    """The folder of a profile's results, so that one never takes the place of another's.

    >>> figures_of("smoke").name
    'smoke'
    """
    folder = checkout() / "figures"
    return folder if profile == "fast" else folder / profile


def make(paths, out, parameters, *, recompute=False, at_once=1):
    """Run the notebooks, `at_once` at a time; returns 0, or 1 if any of them failed."""
    start = time.perf_counter()
    if recompute:
        shutil.rmtree(out / "records", ignore_errors=True)
    failures = run_notebooks(paths, out, parameters, at_once=at_once,
                             environment={"GUIDELIB_RECOMPUTE": "1"} if recompute else None)
    for failed in failures:
        say(f"\n{failed}\nThe notebook up to that cell is {out / failed.notebook}")
    finish(paths, out, parameters["profile"], time.perf_counter() - start)
    return 1 if failures else 0


def finish(paths, out, profile, seconds):
    """Join the tables of the notebooks into results.csv, and print it with the list of files written."""
    from ..evidence import readable

    files = [out / "tables" / f"{path.stem}.json" for path in paths]
    tables = [json.loads(file.read_text(encoding="utf-8")) for file in files if file.exists()]
    tables = [table for table in tables if table["profile"] == profile]
    if tables:
        rows = []
        for table in tables:
            rows.append(pd.DataFrame(table["rows"]).assign(notebook=table["notebook"], profile=profile))
        pd.concat(rows).to_csv(out / "results.csv", index=False)
    timings.of_copies([out / path.name for path in paths]).to_csv(out / timings.FILE, index=False)
    print(f"\nFiles in {out}:")
    for path in sorted(out.rglob("*")):
        if path.is_file() and path.parent.name not in ("records", "guides"):
            print(f"  {path.relative_to(out)}")
    records = list((out / "records").glob("*.json"))
    print(f"  records/ ({len(records)} run records, reused the next time)")
    for table in tables:
        print(f"\n{table['notebook']} (profile {profile})")
        for line in readable(table["rows"]).to_dict("records"):
            for name, value in line.items():
                print(f"  {name}: {value}")
            print()
    print(f"{len(paths)} notebooks, {len(tables)} tables; {seconds / 60:.1f} minutes")
