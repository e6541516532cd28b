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

    Beside it the longest cell's first line, the machine, and the seconds there of one training step by which
    another machine can be held against it. Copies that failed, or that papermill did not make, are left out.
    """
    import nbformat

    rows = [timed(nbformat.read(path, 4), path.stem) for path in paths if path.exists()]
    found = pd.DataFrame([row for row in rows if row])
    return found.assign(machine=machine(), step_s=round(step_seconds(), 4)) if len(found) else found


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
            "seconds": round(facts["duration"], 1), "cells": len(taken),
            "median_s": round(seconds.median(), 2), "longest_s": round(longest, 1),
            "longest": source.strip().splitlines()[0]}


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
    found = found[(found["notebook"] == notebook) & (found["profile"] == profile)]
    if found.empty:
        return ""
    row = found.iloc[0]
    return (f"Run headless, this page took {lasting(row['seconds'])} at this profile, its longest cell "
            f"{lasting(row['longest_s'])} ({row['machine']}).")


def lasting(seconds):
    """Seconds in words.

    >>> lasting(12.2), lasting(150)
    ('12 s', '2.5 minutes')
    """
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.1f} minutes"
