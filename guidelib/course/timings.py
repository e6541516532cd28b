"""How long each notebook takes, cell by cell: read from executed copies, kept in results/timings.csv."""

import os
import platform

import pandas as pd

from ..experiments.kept import KEPT
from .headless import own_cells
from .step import step_seconds

FILE = "timings.csv"


def of_copies(paths):
    """A table of executed notebooks: notebook, profile, seconds, median_s and longest_s of its code cells.

    Beside it the longest cell's first line, from_s, the seconds after the first of them began at which it
    did, the machine, and the seconds there of one training step by which another machine can be held against
    it. Copies that failed, or that papermill did not make, are left out.
    """
    import nbformat

    rows = [timed(nbformat.read(path, 4), path.stem) for path in paths if path.exists()]
    found = pd.DataFrame([row for row in rows if row])
    if found.empty:
        return found
    began = pd.to_datetime(found.pop("began"))
    return found.assign(from_s=(began - began.min()).dt.total_seconds().round(1), machine=machine(),
                        step_s=round(step_seconds(), 4))


def timed(nb, name):
    """The row of one executed notebook, or None."""
    facts = nb.metadata.get("papermill", {})
    if not facts.get("duration") or facts.get("exception"):
        return None
    taken = {}
    for cell in own_cells(nb):
        if cell.cell_type == "code":
            taken[cell.id] = cell.metadata.get("papermill", {}).get("duration") or 0.0, cell.source
    seconds = pd.Series([duration for duration, _ in taken.values()])
    longest, source = max(taken.values())
    return {"notebook": name, "profile": facts["parameters"].get("profile", "fast"),
            "began": facts["start_time"], "seconds": round(facts["duration"], 1), "cells": len(taken),
            "median_s": round(seconds.median(), 2), "longest_s": round(longest, 1),
            "longest": source.strip().splitlines()[0]}


def whole(table):
    """The seconds from the first notebook's begin to the last one's end, {profile: seconds}.

    >>> two = pd.DataFrame({"profile": ["fast", "fast"], "from_s": [0.0, 1.0], "seconds": [9.0, 5.0]})
    >>> whole(two)
    {'fast': 9.0}
    """
    return (table["from_s"] + table["seconds"]).groupby(table["profile"]).max().to_dict()


def machine():
    """The processor's kind and number of cores, and the versions that matter.

    >>> "torch" in machine()
    True
    """
    import torch

    return (f"{cores()} cores, {platform.system()} {platform.machine()}, "
            f"Python {platform.python_version()}, torch {torch.__version__.split('+')[0]}")


def cores():
    """How many this process may use: a container may have fewer than its machine."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def kept(folder=KEPT):
    """The table that the project keeps of all notebooks at smoke and fast; empty without one."""
    path = folder / FILE
    return pd.read_csv(path) if path.exists() else pd.DataFrame(columns=["notebook", "profile", "seconds"])


def said(notebook, profile, folder=KEPT):
    """How long a notebook took headless at a profile, in words, or "" where that was not measured."""
    found = kept(folder)
    found = found[found["profile"] == profile]
    row = found[found["notebook"] == notebook]
    if row.empty:
        return ""
    row = row.iloc[0]
    return (f"Run headless{beside(found)}, this page took {lasting(row['seconds'])} at this profile, its "
            f"longest cell {lasting(row['longest_s'])} ({row['machine']}).")


def beside(table):
    """How the notebooks of one profile were run, as a part of a sentence: "" if one after the other."""
    (lasted,) = whole(table).values()
    return " beside another" if table["seconds"].sum() > 1.05 * lasted else ""


def lasting(seconds):
    """Seconds in words.

    >>> lasting(12.2), lasting(150)
    ('12 s', '2.5 minutes')
    """
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} minutes"
