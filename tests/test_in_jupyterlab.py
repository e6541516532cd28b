"""Two tutorials as a learner has them: opened in JupyterLab, run, answered."""

import re
import shutil
from pathlib import Path

import pytest
from browser import browser, expect, jupyterlab

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
pytestmark = pytest.mark.slow
MOST = 240_000  # milliseconds until a whole notebook has run


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """(a browser, the address of a JupyterLab on copies of the notebooks)."""
    folder = tmp_path_factory.mktemp("notebooks")
    for path in [*NOTEBOOKS.glob("0[0-2]*.ipynb"), *NOTEBOOKS.glob("*.py")]:
        shutil.copy(path, folder)
    out = str(tmp_path_factory.mktemp("figures"))
    with browser() as chromium, jupyterlab(
            folder, tmp_path_factory.mktemp("jupyter"), GUIDELIB_PROFILE="smoke", GUIDELIB_OUT=out,
            OMP_NUM_THREADS="1", GUIDELIB_STATIC="") as url:
        yield chromium, url


@pytest.fixture
def opened(lab):
    """callable(name): a page with a notebook open and its kernel ready."""
    chromium, url = lab
    pages = []

    def open_(name):
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        pages.append(page)
        page.goto(f"{url}lab/tree/{name}?reset&token=token")
        page.get_by_text(re.compile(r"Python 3.*\| Idle")).wait_for(timeout=90_000)
        return page

    yield open_
    for page in pages:
        page.close()


def run_all(page):
    """Run every cell, and wait until the last one has its number."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    open_cells = page.locator(".jp-CodeCell .jp-InputPrompt:not(.jp-Placeholder-prompt)")
    last = open_cells.last
    expect(last).to_have_text(re.compile(r"\[\d+\]:"), timeout=MOST)


def cell(page, source):
    """The code cell with these words in its source."""
    editor = page.locator(".jp-InputArea-editor", has_text=source)
    return page.locator(".jp-CodeCell").filter(has=editor).first


def test_a_slider_of_01_changes_the_figure(opened):
    page = opened("01_representational_alignment.ipynb")
    run_all(page)
    found = cell(page, "basics.chance_level(")
    image = found.locator("img").first
    before = image.get_attribute("src")
    found.locator(".noUi-handle").first.focus()
    page.keyboard.press("ArrowRight")
    expect(image).not_to_have_attribute("src", before, timeout=20_000)
    assert page.locator(".jp-RenderedText[data-mime-type*='error']").count() == 0


def test_a_prediction_in_02_stands_beside_its_result(opened):
    page = opened("02_untrained_guide_transfer.ipynb")
    run_all(page)
    cell(page, 'lesson.predict("learns"').get_by_text("overfit", exact=True).click()
    told = cell(page, 'lesson.found("learns"')
    told.locator(".jp-InputArea-editor").click()
    page.keyboard.press("Control+Enter")
    said = told.locator(".jp-RenderedMarkdown").first
    expect(said).to_contain_text("You predicted: overfit.", timeout=60_000)
    assert page.locator(".jp-RenderedText[data-mime-type*='error']").count() == 0
