"""The course as a table: what each notebook asks, what a learner does there, and how long it takes."""

import re
from statistics import median

import pandas as pd

from . import timings
from .checkout import notebooks
from .exercises import tagged

EXERCISE = re.compile(r"### Exercise: (?P<title>.+)\n+"
                      r"\*(?P<minutes>\d+) minutes?, difficulty (?P<level>\d) of 3\.\*")
WIDGET = re.compile(r"\bgl\.widgets\.\w+\(|\bbasics\.(?:chance_level|grams_side_by_side|replay)\(")
PREDICTION = re.compile(r"\b(?:lesson|basics)\.predict\(")


def outline(paths=None):
    """A row a notebook: title, question, code cells and their lines, exercises and their minutes, widgets,
    predictions, and the seconds that it took headless at smoke and fast, where they are kept.

    >>> outline(notebooks(["02"]))["cells"].item() > 20
    True
    """
    import nbformat

    kept = timings.kept()
    rows = []
    for path in paths or notebooks():
        nb = nbformat.read(path, 4)
        code = [cell.source for cell in nb.cells if cell.cell_type == "code"]
        lines = [len(source.splitlines()) for source in code]
        text = nb.cells[0].source
        done = exercises_of(nb)
        row = {"notebook": path.stem, "title": text.splitlines()[0].lstrip("# "),
               "question": question(text), "cells": len(code), "median": median(lines), "longest": max(lines),
               "exercises": len(done), "minutes": sum(minutes for _, minutes, _ in done),
               "widgets": sum(len(WIDGET.findall(source)) for source in code),
               "predictions": sum(len(PREDICTION.findall(source)) for source in code)}
        for profile in ("smoke", "fast"):
            found = kept[(kept["notebook"] == path.stem) & (kept["profile"] == profile)]
            row[profile] = found["seconds"].iloc[0] if len(found) else None
        rows.append(row)
    return pd.DataFrame(rows)


def question(text):
    """The first question of a notebook's opening cell, on one line.

    >>> question("# 00 A title\\n\\n**Question.** Is it\\nso? And why?")
    'Is it so? And why?'
    """
    found = re.search(r"\*\*Question\.\*\* (.+?)(?:\n\n|\Z)", text, re.DOTALL)
    return " ".join(found[1].split()) if found else ""


def exercises_of(nb):
    """(title, minutes, difficulty of 3) of each exercise of a notebook, in its order."""
    found = [EXERCISE.search(cell.source) for cell in tagged(nb, "exercise").values()]
    return [(each["title"], int(each["minutes"]), int(each["level"])) for each in found if each]


def page(paths=None):
    """The tables of the course as Markdown: notebooks with their times, and all exercises."""
    import nbformat

    rows = []
    tasks = ["| notebook | exercise | minutes | difficulty, of 3 |", "|---|---|---|---|"]
    for row in outline(paths).to_dict("records"):
        link = f"[{row['title']}]({row['notebook']}.ipynb)"
        rows.append(f"| {link} | {row['exercises']} ({row['minutes']} min) | {row['widgets']} | "
                    f"{row['predictions']} | {taken(row['smoke'])} | {taken(row['fast'])} |")
    for path in paths or notebooks():
        for title, minutes, level in exercises_of(nbformat.read(path, 4)):
            tasks.append(f"| [{path.stem[:2]}]({path.stem}.ipynb) | {title} | {minutes} | {level} |")
    head = ["| notebook | exercises | widgets | predictions | smoke | fast |",
            "|---|---|---|---|---|---|"]
    kept = timings.kept()
    where = "Not timed yet."
    if len(kept):
        beside = timings.beside(kept[kept["profile"] == "fast"])
        where = f"Run headless{beside}; {kept['machine'].iloc[0]}."
    return "\n".join([*head, *rows, "", where, "", "### Exercises", "", *tasks, ""])


def taken(seconds):
    """Seconds in words, or a dash where they were not measured."""
    return "-" if pd.isna(seconds) else timings.lasting(seconds)
