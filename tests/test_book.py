"""The book: which executed copies it takes, what each page says of itself, and that its sources name no other host."""

import ast
import inspect
import json
import re
import subprocess
import sys
from operator import attrgetter
from pathlib import Path

import nbformat
import pytest
import torch
from notebook_maker import make

import guidelib as gl
from guidelib.cli import book as book_command
from guidelib.course.checkout import notebooks
from guidelib.course.headless import run_notebook

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


def test_a_page_says_truly_how_many_runs_it_computed(executed, tmp_path):
    _, copy = executed
    nb = nbformat.read(copy, 4)
    nb.cells.insert(0, nbformat.v4.new_markdown_cell("# A title"))
    nbformat.write(nb, copy)
    assert book_command.runs_shown(copy) is None
    (copy.parent / "tables").mkdir()
    for runs, words in (({"kept": 95, "computed": 4}, "Of the 99 training runs behind its table it computed 4; 95 are records kept with the project."),
                        ({"kept": 0, "computed": 9}, "Of the 9 training runs behind its table it computed 9.")):
        (copy.parent / "tables" / f"{copy.stem}.json").write_text(json.dumps({"runs": runs, "rows": []}))
        book_command.copy_with_profile(copy, tmp_path / "page.ipynb", runs=book_command.runs_shown(copy))
        assert words in nbformat.read(tmp_path / "page.ipynb", 4).cells[0].source
    assert "all of its numbers" not in inspect.getsource(book_command) and "Every number" not in (ROOT / "book" / "index.md").read_text()


def test_a_markdown_table_in_an_output_becomes_a_table(tmp_path):
    """Built by Sphinx with the book's own settings for notebooks: without them a page shows the raw pipes."""
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
    from sphinx.cmd.build import main as sphinx

    output = new_output("display_data", data={"text/markdown": "| a | b |\n|---|---|\n| 1 | 2 |", "text/plain": "table"})
    nb = new_notebook(cells=[new_markdown_cell("# A page"), new_code_cell("show()", outputs=[output], execution_count=1)])
    nbformat.write(nb, tmp_path / "index.ipynb")
    settings = (ROOT / "book" / "conf.py").read_text(encoding="utf-8")
    chosen = "\n".join(re.findall(r"^nb_.*$", settings, re.MULTILINE))
    for name, conf in (("ours", chosen), ("without", chosen.replace("nb_render_markdown_format", "unused"))):
        (tmp_path / "conf.py").write_text(f"extensions = ['myst_nb']\n{conf}\n")
        assert sphinx(["-q", "-E", "-b", "html", str(tmp_path), str(tmp_path / name)]) == 0
    pages = {name: (tmp_path / name / "index.html").read_text(encoding="utf-8") for name in ("ours", "without")}
    assert "<td" in pages["ours"] and "|—|" not in pages["ours"].replace("&mdash;", "—")
    assert "<td" not in pages["without"]


def test_every_tutorial_is_in_the_table_of_contents():
    index = (ROOT / "book" / "index.md").read_text(encoding="utf-8")
    assert all(path.stem in index for path in notebooks())


def test_every_public_name_is_in_the_reference():
    import guidelib

    api = (ROOT / "book" / "api.md").read_text(encoding="utf-8")
    missing = [name for name in guidelib.__all__ if not re.search(rf"\b{name}\b", api)]
    assert missing == []


def test_every_network_and_task_is_in_the_reference():
    api = (ROOT / "book" / "api.md").read_text(encoding="utf-8")
    left_out = {"IGNORED", "MissingData", "cifar10_download", "language"}
    names = [f"networks.{name}" for name in gl.networks.__all__] + [f"tasks.{name}" for name in gl.tasks.__all__ if name not in left_out]
    assert [name for name in names if not re.search(rf"guidelib\.{name}\b", api)] == []


def test_the_ledger_lies_where_its_page_includes_it_from(tmp_path):
    """In the checkout and in a build alike: the same relative path, and both marks between which the page cuts."""
    page = (ROOT / "book" / "ledger.md").read_text(encoding="utf-8")
    (path,) = set(re.findall(r"\{include\} (\S+)", page))
    committed = ROOT / "book" / path
    marks = re.findall(r":(?:start-after|end-before): \"(.*)\"", page)
    assert len(marks) == 3 and all(committed.read_text(encoding="utf-8").count(mark) == 1 for mark in marks)
    source = tmp_path / "_build" / "source"
    source.mkdir(parents=True)
    book_command.copy_ledger(committed, tmp_path / "_build" / "results" / "ledger.md")
    assert (source / path).read_bytes() == committed.read_bytes()


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


# Differences from the paper: each switch that the page names is called, with what else the call needs.

NET = {"vocab": 13, "width": 8, "depth": 2}
FEW = {"train": 8, "validation": 4, "test": 4}
TASK = gl.tasks.parity(longest=6, **FEW)


def network(seed):
    return gl.networks.Transformer(**NET, heads=2, outputs=2, pool="mean", seed=seed)


def guided(**options):
    sample = torch.arange(20).view(4, 5) % 13
    with gl.guide(network(0), network(1), **options) as g:
        plan = g.plan(sample.t() if "batch_dim" in options else sample)
    assert len(plan[plan["reason"] == ""]) > 0


def two_layers():
    return torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 2))


def as_guide(**options):
    with gl.guide(two_layers(), gl.Guide(two_layers(), **options)) as g:
        assert len(g.plan(torch.randn(4, 3))) > 0


CALLS = {
    "gl.guide": guided,
    "gl.Guide": as_guide,
    "gl.warm_up": lambda **options: gl.warm_up(two_layers(), two_layers(), sample=torch.zeros(4, 3), steps=1, **options),
    "gl.training.train": lambda **options: gl.training.train(network(0), TASK, epochs=1, **options),
    "gl.networks.RNN": lambda **options: gl.networks.RNN(**NET, **options),
    "gl.networks.Transformer": lambda **options: gl.networks.Transformer(**NET, heads=2, **options),
    "gl.networks.FCN": lambda **options: gl.networks.FCN(inputs=4, outputs=2, **options),
    "gl.networks.load_torchvision": None,  # would download: its options are looked up only
    "gl.tasks.copy_paste": lambda **options: gl.tasks.copy_paste(**options | FEW),
    "gl.tasks.perplexity": lambda **options: gl.tasks.perplexity(1.0, **options),
    "gl.baselines.keep_dimension": lambda **options: gl.baselines.keep_dimension(two_layers(), dimension=2, **options).remove(),
    "gl.baselines.kd_loss": lambda **options: gl.baselines.kd_loss(torch.zeros(2, 3), torch.ones(2, 3), torch.tensor([0, 1]), **options),
}


def switches():
    """{code: row} of the last column of the tables of book/differences.md."""
    page = (ROOT / "book" / "differences.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in page.splitlines() if re.match(r"\| (?!what )\S", line)]
    assert len(rows) > 30 and all(len(row) == 5 for row in rows)
    for row in rows:
        assert "`gl." in row[4] or row[4].strip().startswith("none"), row
    return [code for row in rows for code in re.findall(r"`(gl\.[^`]+\))`", row[4]) if not code.endswith("()")]


@pytest.mark.parametrize("code", switches())
def test_every_switch_of_the_page_of_differences_works_and_is_not_the_default(code):
    call = ast.parse(code, mode="eval").body
    name = ast.unparse(call.func)
    function, options = attrgetter(name.removeprefix("gl."))(gl), {k.arg: eval(ast.unparse(k.value), {"torch": torch}) for k in call.keywords}
    if name == "gl.experiments.config":
        (experiment,) = map(ast.literal_eval, call.args)
        plain = gl.experiments.config(experiment, profile=options.pop("profile", "fast"))
        changed = gl.experiments.config(experiment, profile=plain.profile, **options)
        assert options and all(getattr(changed, key) == value != getattr(plain, key) for key, value in options.items())
        return
    parameters = inspect.signature(function).parameters
    assert options and not call.args and set(options) <= set(parameters)
    assert all(parameters[key].default != value for key, value in options.items())
    if CALLS.get(name, function) is not None:
        CALLS.get(name, function)(**options)


def test_two_forwards_a_step_as_in_the_released_code():
    target, x = two_layers(), torch.randn(6, 3)
    with gl.guide(target, two_layers()) as g:
        target(x)
        g.reset()
        target(x)
        assert g.loss() > 0
