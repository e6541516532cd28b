"""Build the course as HTML into book/_build/html, offline, from executed notebooks.

It takes the copies in figures/, or else those in figures/smoke/, if they are all there and of the present
notebooks, and otherwise runs the notebooks at profile smoke first.
"""

import json
import shutil
import sys
from pathlib import Path

from ..course import citations, outline
from ..course.checkout import checkout, notebooks
from ..course.headless import own_cells
from ..experiments.screen import say
from .figures import figures_of, notebooks_at_once
from .watch import run_notebooks

INCLUDED = ("results/ledger.md", "results/fast/at_a_glance.png", "README.md",
            "guidelib/guidance/by_hand.py")  # files that pages show
SIZES = {
    "smoke": "sizes of a few seconds, to show that everything runs: its numbers say nothing about guidance",
    "fast": "a laptop without a GPU",
    "full": "one GPU",
}


def arguments(parser):
    parser.add_argument("--executed", type=Path,
                        help="folder of executed notebooks (default figures/ of the checkout)")


def main(options):
    try:
        import myst_nb  # noqa: F401
        from sphinx.cmd.build import main as sphinx
    except ImportError:
        say("guidelib book: Sphinx and its extensions are not installed: pip install -e '.[book]'")
        return 2
    root = checkout()
    build = root / "book" / "_build"
    source = build / "source"
    html = build / "html"
    folders = [options.executed] if options.executed else [figures_of("fast"), figures_of("smoke")]
    executed = executed_copies(folders, build / "executed")
    if executed is None:
        return 1
    for folder in (source, html):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(root / "book", source, ignore=shutil.ignore_patterns("_build", "__pycache__"))
    (source / "outline.txt").write_text(outline.page(), encoding="utf-8")
    for included in INCLUDED:
        copy_included(root / included, build / included)
    for path in executed:
        copy_with_profile(path, source / path.name, runs=runs_shown(path))
    sys.path.insert(0, str(source))  # for the extension beside conf.py
    doctrees = build / "doctrees"
    code = sphinx(["-W", "-n", "--keep-going", "-q", "-b", "html", "-d", *map(str, (doctrees, source, html))])
    if code == 0:
        print(f"The book is {html / 'index.html'}")
    return code


def executed_copies(folders, fallback):
    """The executed copies of all notebooks: of the first folder in which all are, of the present source.

    Otherwise all are made at profile smoke, in `fallback`; None if that fails.
    """
    sources = notebooks()  # once: someone may add one meanwhile
    for folder in folders:
        copies = [folder / path.name for path in sources]
        stale = [copy.stem[:2] for path, copy in zip(sources, copies, strict=True)
                 if not is_copy_of(copy, path)]
        if not stale:
            return copies
        say(f"{folder}: no executed copy of the present {', '.join(stale)}")
    say("the notebooks are run at profile smoke first, which takes some minutes: their numbers say nothing "
        "about guidance; `make figures`, and then `make book`, gives those of a laptop")
    parameters = {"profile": "smoke", "out_dir": str(fallback)}
    failures = run_notebooks(sources, fallback, parameters, at_once=notebooks_at_once("smoke"))
    for failed in failures:
        say(str(failed))
    return None if failures else [fallback / path.name for path in sources]


def copy_included(path, copy):
    """Copy a file to where a page includes it from: beside the copied sources, as it lies beside book/."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, copy)


def is_copy_of(copy, path):
    """Whether an executed notebook ran to its end and has the cells of the notebook at `path`."""
    import nbformat

    if not copy.exists():
        return False
    done = nbformat.read(copy, 4)
    if done.metadata.get("papermill", {}).get("exception"):
        return False
    source = nbformat.read(path, 4)
    return [cell.source for cell in own_cells(done)] == [cell.source for cell in source.cells]


def runs_shown(path):
    """What the table beside an executed notebook says of its runs: {"kept": 1, "computed": 2}, or None."""
    table = path.parent / "tables" / f"{path.stem}.json"
    if not table.exists():
        return None
    return json.loads(table.read_text(encoding="utf-8")).get("runs")


def copy_with_profile(path, copy, *, runs=None):
    """Copy an executed notebook, with a note below its title: the profile it shows, and who made its runs."""
    import nbformat

    nb = nbformat.read(path, 4)
    profile = nb.metadata.get("papermill", {}).get("parameters", {}).get("profile")
    note = "This page was executed as a whole."
    if profile in SIZES:
        note = f"This page shows profile **{profile}**: {SIZES[profile]}. It was executed as a whole."
    if runs is not None and runs["kept"] + runs["computed"]:
        kept = runs["kept"]
        computed = runs["computed"]
        note += f" Of the {kept + computed} training runs behind its table it computed {computed}"
        note += f"; {kept} are records kept with the project." if kept else "."
    title, _, text = nb.cells[0].source.partition("\n")
    nb.cells[0].source = f"{title}\n\n```{{note}}\n{note}\n```\n{text}"
    nb.cells = own_cells(nb)
    known = citations.works()
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            cell.source = citations.with_citations(cell.source, known)
        for output in cell.get("outputs", ()):
            alt = output.get("metadata", {}).get("image/png", {}).get("alt")
            if alt:  # MyST-NB takes it from the cell alone
                cell.metadata["mystnb"] = {"image": {"alt": alt}}
    nb.metadata.pop("widgets", None)
    nbformat.write(nb, copy)
