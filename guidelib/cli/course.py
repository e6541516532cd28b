"""Copies of the notebooks for a class: without the solutions, and with them in the open.

    guidelib course export DIR      DIR/student/ and DIR/solutions/, a copy of every notebook each
"""

import shutil
from pathlib import Path

from ..course import exercises
from ..course.checkout import notebooks
from ..experiments.screen import say
from ..files import writable

COPIES = {"student": exercises.student, "solutions": exercises.solved}


def arguments(parser):
    parser.add_argument("action", choices=["export"])
    parser.add_argument("folder", type=Path, metavar="DIR")


def main(options):
    import nbformat

    try:
        paths = notebooks()
        for name, made in COPIES.items():
            folder = writable(options.folder / name)
            for path in paths:
                nbformat.write(made(nbformat.read(path, 4)), folder / path.name)
            for module in paths[0].parent.glob("*.py"):  # what a notebook imports from beside it
                shutil.copyfile(module, folder / module.name)
            print(f"{len(paths)} notebooks in {folder}")
    except OSError as error:
        say(f"guidelib course: {error}")
        return 2
    return 0
