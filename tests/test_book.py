"""The book: which executed copies it takes, what each page says of itself, and that its sources name no other host."""

import json
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from notebook_maker import make

from guidelib.checkout import notebooks
from guidelib.commands import book_command
from guidelib.headless import run_notebook

ROOT = Path(__file__).parent.parent


@pytest.fixture
def executed(tmp_path):
    """(source, executed copy) of a tiny tutorial."""
    source = make(tmp_path / "02_a.ipynb", "print(profile)")
    assert run_notebook(source, tmp_path / "out" / "02_a.ipynb", {"profile": "smoke"}) is None
    return source, tmp_path / "out" / "02_a.ipynb"


def test_an_executed_copy_of_the_present_source_is_taken(executed):
    source, copy = executed
    assert book_command.is_copy_of(copy, source)


def test_a_copy_of_an_older_source_is_not(executed, tmp_path):
    _, copy = executed
    assert not book_command.is_copy_of(copy, make(tmp_path / "02_b.ipynb", "print(profile, 'changed')"))
    assert not book_command.is_copy_of(tmp_path / "nowhere.ipynb", copy)


def test_a_copy_that_failed_is_not(tmp_path):
    source = make(tmp_path / "02_bad.ipynb", "1 / 0")
    assert run_notebook(source, tmp_path / "out.ipynb", {}) is not None
    assert not book_command.is_copy_of(tmp_path / "out.ipynb", source)


def test_a_page_says_which_profile_it_shows(executed, tmp_path):
    _, copy = executed
    nb = nbformat.read(copy, 4)
    nb.cells.insert(0, nbformat.v4.new_markdown_cell("# A title\n\nand text"))
    nbformat.write(nb, copy)
    book_command.copy_with_profile(copy, tmp_path / "page.ipynb")
    page = nbformat.read(tmp_path / "page.ipynb", 4)
    assert page.cells[0].source.startswith("# A title\n\n```{note}\nThis page shows profile **smoke**") and page.cells[0].source.endswith("and text")
    assert not any("injected-parameters" in c.metadata.get("tags", []) for c in page.cells)


def test_every_tutorial_is_in_the_table_of_contents():
    index = (ROOT / "book" / "index.md").read_text(encoding="utf-8")
    assert all(path.stem in index for path in notebooks())


def test_every_public_name_is_in_the_reference():
    import guidelib

    api = (ROOT / "book" / "api.md").read_text(encoding="utf-8")
    missing = [name for name in guidelib.__all__ if not re.search(rf"\b{name}\b", api)]
    assert missing == []


def test_mathematics_needs_no_script():
    code = "import sys; sys.path.insert(0, 'book'); import book_math, latex2mathml.converter as c; print(c.convert(r'\\frac{1}{n}'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "<mfrac>" in done.stdout and "script" not in done.stdout


def test_sources_of_the_book_fetch_nothing():
    for path in [*(ROOT / "book").glob("*.py"), *(ROOT / "book").glob("_static/*")]:
        assert not re.search(r"https?://|//cdn|@import", path.read_text(encoding="utf-8")), path
    for path in notebooks():
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert not any(re.search(r"<(script|img|link|iframe)[^>]*https?:", "".join(c["source"])) for c in cells), path
