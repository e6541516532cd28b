"""Build the course as HTML into book/_build/html, offline, from executed notebooks.

It takes the copies in figures/ if they are all there and of the present notebooks, and otherwise runs the notebooks at profile smoke first.
"""

import json
import shutil
import sys
from pathlib import Path

from ..course.checkout import checkout, notebooks
from ..course.headless import run_notebook
from ..experiments.screen import say


def arguments(parser):
    parser.add_argument("--executed", type=Path, help="folder of executed notebooks (default figures/ of the checkout)")


def main(options, rest=()):
    try:
        import myst_nb  # noqa: F401
        from sphinx.cmd.build import main as sphinx
    except ImportError:
        say("guidelib book: Sphinx and its extensions are not installed: pip install -e '.[book]'")
        return 2
    root = checkout()
    build, source = root / "book" / "_build", root / "book" / "_build" / "source"
    executed = executed_copies(options.executed or root / "figures", build / "executed")
    if executed is None:
        return 1
    for folder in (source, build / "html"):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(root / "book", source, ignore=shutil.ignore_patterns("_build", "__pycache__"))
    copy_ledger(root / "results" / "ledger.md", build / "results" / "ledger.md")
    for path in executed:
        copy_with_profile(path, source / path.name, runs=runs_shown(path))
    sys.path.insert(0, str(source))  # for the extension beside conf.py
    code = sphinx(["-W", "-n", "--keep-going", "-q", "-b", "html", "-d", str(build / "doctrees"), str(source), str(build / "html")])
    if code == 0:
        print(f"The book is {build / 'html' / 'index.html'}")
    return code


def executed_copies(folder, fallback):
    """The executed copies of all notebooks: from `folder` if they are whole and of the present source, else made at smoke; None if that fails."""
    sources = notebooks()  # once: someone may add one meanwhile
    copies = [folder / path.name for path in sources]
    stale = [copy.name for path, copy in zip(sources, copies, strict=True) if not is_copy_of(copy, path)]
    if not stale:
        return copies
    say(f"{', '.join(stale)}: no executed copy of the present source in {folder}; the book is made at profile smoke")
    for path in sources:
        failed = run_notebook(path, fallback / path.name, {"profile": "smoke", "out_dir": str(fallback)},
                              environment={"GUIDELIB_PROGRESS": str(fallback / "progress.json")})
        if failed:
            say(str(failed))
            return None
    return [fallback / path.name for path in sources]


def copy_ledger(path, target):
    """Copy the ledger to where book/ledger.md includes it from: beside the copied sources as it lies beside book/ in the checkout."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)


def is_copy_of(copy, path):
    """Whether an executed notebook ran to its end and has the cells of the notebook at `path`."""
    import nbformat

    if not copy.exists():
        return False
    done, source = nbformat.read(copy, 4), nbformat.read(path, 4)
    if done.metadata.get("papermill", {}).get("exception"):
        return False
    cells = [cell.source for cell in done.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    return cells == [cell.source for cell in source.cells]


def runs_shown(path):
    """What the table beside an executed notebook says of its runs: {"kept": ..., "computed": ...}, or None without one."""
    table = path.parent / "tables" / f"{path.stem}.json"
    return json.loads(table.read_text(encoding="utf-8")).get("runs") if table.exists() else None


def copy_with_profile(path, target, *, runs=None):
    """Copy an executed notebook, with a line below its title that says which profile it shows, and who made its runs."""
    import nbformat

    nb = nbformat.read(path, 4)
    profile = nb.metadata.get("papermill", {}).get("parameters", {}).get("profile", "unknown")
    words = {"smoke": "sizes of a few seconds, to show that everything runs: its numbers say nothing about guidance",
             "fast": "a laptop without a GPU", "full": "one GPU"}.get(profile, "")
    made = "" if runs is None else (
        f" Of the {runs['kept'] + runs['computed']} training runs behind its table it computed {runs['computed']}"
        + (f"; {runs['kept']} are records kept with the project." if runs["kept"] else "."))
    note = f"```{{note}}\nThis page shows profile **{profile}**: {words}. It was executed as a whole.{made}\n```"
    title, _, rest = nb.cells[0].source.partition("\n")
    nb.cells[0].source = f"{title}\n\n{note}\n{rest}"
    nb.cells = [cell for cell in nb.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    nb.metadata.pop("widgets", None)
    nbformat.write(nb, target)
