"""The book: which executed copies it takes, what a page says of itself, sources that name no other host."""

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
from guidelib.course import citations
from guidelib.course.checkout import notebooks
from guidelib.course.headless import run_notebook

ROOT = Path(__file__).parent.parent
GLOSSARY = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")


@pytest.fixture
def executed(tmp_path):
    """(source, executed copy) of a tiny tutorial."""
    source = make(tmp_path / "02_a.ipynb", "print(profile)")
    copy = tmp_path / "out" / "02_a.ipynb"
    assert run_notebook(source, copy, {"profile": "smoke"}) is None
    return source, copy


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


def put_in_front(copy, text):
    """Give the copy a first cell of text."""
    nb = nbformat.read(copy, 4)
    nb.cells.insert(0, nbformat.v4.new_markdown_cell(text))
    nbformat.write(nb, copy)


def test_a_page_says_which_profile_it_shows(executed, tmp_path):
    _, copy = executed
    put_in_front(copy, "# A title\n\nand text")
    book_command.copy_with_profile(copy, tmp_path / "page.ipynb")
    page = nbformat.read(tmp_path / "page.ipynb", 4)
    text = page.cells[0].source
    assert text.startswith("# A title\n\n```{note}\nThis page shows profile **smoke**")
    assert text.endswith("and text")
    tags = [tag for cell in page.cells for tag in cell.metadata.get("tags", [])]
    assert "injected-parameters" not in tags


def test_a_page_keeps_the_alternative_texts_and_tells_no_profile_that_nobody_knows(tmp_path):
    """MyST-NB drops what an output says of its image, and writes the path of the file in its place."""
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

    image = new_output("display_data", data={"image/png": "iVBORw0KGgo="},
                       metadata={"image/png": {"alt": "A falling line.", "width": 650}})
    nb = new_notebook(cells=[new_markdown_cell("# A page"), new_code_cell("show()", outputs=[image])])
    nbformat.write(nb, tmp_path / "done.ipynb")
    book_command.copy_with_profile(tmp_path / "done.ipynb", tmp_path / "page.ipynb")
    title, code = nbformat.read(tmp_path / "page.ipynb", 4).cells
    assert code.metadata["mystnb"] == {"image": {"alt": "A falling line."}}
    assert "shows profile" not in title.source and "executed as a whole" in title.source


def test_a_page_says_truly_how_many_runs_it_computed(executed, tmp_path):
    _, copy = executed
    put_in_front(copy, "# A title")
    assert book_command.runs_shown(copy) is None
    table = copy.parent / "tables" / f"{copy.stem}.json"
    table.parent.mkdir()
    said = {(95, 4): "99 training runs behind its table it computed 4; 95 are records kept with the project.",
            (0, 9): "Of the 9 training runs behind its table it computed 9."}
    for (kept, computed), words in said.items():
        runs = {"kept": kept, "computed": computed}
        table.write_text(json.dumps({"runs": runs, "rows": []}))
        book_command.copy_with_profile(copy, tmp_path / "page.ipynb", runs=book_command.runs_shown(copy))
        assert words in nbformat.read(tmp_path / "page.ipynb", 4).cells[0].source
    assert "all of its numbers" not in inspect.getsource(book_command)
    assert "Every number" not in (ROOT / "book" / "index.md").read_text()


def test_a_markdown_table_in_an_output_becomes_a_table(tmp_path):
    """Built by Sphinx with the book's own settings for notebooks: without them a page shows the raw pipes."""
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
    from sphinx.cmd.build import main as sphinx

    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    output = new_output("display_data", data={"text/markdown": table, "text/plain": "table"})
    code = new_code_cell("show()", outputs=[output], execution_count=1)
    nb = new_notebook(cells=[new_markdown_cell("# A page"), code])
    nbformat.write(nb, tmp_path / "index.ipynb")
    settings = (ROOT / "book" / "conf.py").read_text(encoding="utf-8")
    chosen = "\n".join(re.findall(r"^nb_.*$", settings, re.MULTILINE))
    pages = {}
    for name, conf in (("ours", chosen), ("without", chosen.replace("nb_render_markdown_format", "unused"))):
        (tmp_path / "conf.py").write_text(f"extensions = ['myst_nb']\n{conf}\n")
        assert sphinx(["-q", "-E", "-b", "html", str(tmp_path), str(tmp_path / name)]) == 0
        pages[name] = (tmp_path / name / "index.html").read_text(encoding="utf-8")
    assert "<td" in pages["ours"]
    assert "|—|" not in pages["ours"].replace("&mdash;", "—")
    assert "<td" not in pages["without"]


def test_every_tutorial_is_in_the_table_of_contents():
    index = (ROOT / "book" / "index.md").read_text(encoding="utf-8")
    assert all(path.stem in index for path in notebooks())


def documented():
    """Every name on the pages of the reference, in full, members after what they belong to."""
    names = []
    for path in sorted((ROOT / "book").glob("api_*.md")):
        directives = re.findall(r"^\.\. auto\w+:: (?:guidelib\.)?(\S+)((?:\n   :.*)*)",
                                path.read_text(encoding="utf-8"), re.MULTILINE)
        for name, options in directives:
            names.append(name)
            members = re.search(r":members: (.*)", options)
            names += [f"{name}.{member}" for member in members[1].split(", ")] if members else []
    return names


def test_every_public_name_is_in_the_reference_once():
    names = documented()
    ends = {name.rpartition(".")[2] for name in names}
    assert [name for name in gl.__all__ if name not in ends] == []
    assert len(names) == len(set(names))


def test_every_network_and_task_is_in_the_reference():
    left_out = {"IGNORED", "MissingData", "cifar10_download", "language"}
    names = [f"networks.{name}" for name in gl.networks.__all__]
    names += [f"tasks.{name}" for name in gl.tasks.__all__ if name not in left_out]
    assert [name for name in names if name not in documented()] == []


def test_every_page_of_the_reference_is_in_its_guide():
    guide = (ROOT / "book" / "api.md").read_text(encoding="utf-8")
    listed = re.findall(r"^api_\w+$", guide, re.MULTILINE)
    assert sorted(listed) == sorted(path.stem for path in (ROOT / "book").glob("api_*.md"))
    asked = re.findall(r"<guidelib\.(\S+)>`", guide)
    assert asked and set(asked) <= set(documented())


def test_the_ledger_lies_where_its_page_includes_it_from(tmp_path):
    """In the checkout and in a build alike: the same relative path, and the marks at which the page cuts."""
    page = (ROOT / "book" / "ledger.md").read_text(encoding="utf-8")
    (path,) = set(re.findall(r"\{include\} (\S+)", page))
    committed = ROOT / "book" / path
    marks = re.findall(r":(?:start-after|end-before): \"(.*)\"", page)
    text = committed.read_text(encoding="utf-8")
    assert [text.count(mark) for mark in marks] == [1]
    source = tmp_path / "_build" / "source"
    source.mkdir(parents=True)
    book_command.copy_included(committed, tmp_path / "_build" / "results" / "ledger.md")
    assert (source / path).read_bytes() == committed.read_bytes()


def test_what_pages_include_is_copied_beside_them():
    pages = [path.read_text(encoding="utf-8") for path in (ROOT / "book").glob("*.md")]
    included = set(re.findall(r"\{(?:literal)?include\} \.\./(\S+)", "\n".join(pages)))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("<!-- short:start -->")[2].partition("<!-- short:end -->")[0]
    included |= set(re.findall(r"!\[[^]]*\]\(([^)]+)\)", shown))
    assert included == set(book_command.INCLUDED)
    assert all((ROOT / path).exists() for path in included)


def test_the_page_of_errors_says_what_the_library_says(tmp_path, monkeypatch):
    """Every example on the page in its order, dots for what is left out; and a changed message would fail."""
    import doctest

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GUIDELIB_DATA", raising=False)
    page = (ROOT / "book" / "errors.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```pycon\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    names = {}
    for i, block in enumerate(blocks):
        examples = doctest.DocTestParser().get_doctest(block, names, f"block {i}", "errors.md", 0)
        runner.run(examples, clear_globs=False)
        names = examples.globs
    assert runner.summarize(verbose=False).failed == 0
    assert page.count("Traceback") == len([block for block in blocks if "Traceback" in block]) >= 10
    wrong = doctest.DocTestParser().get_doctest(blocks[1].replace("'fast'", "'last'"), names, "", "", 0)
    assert doctest.DocTestRunner(verbose=False).run(wrong, out=lambda text: None).failed == 1


def test_every_word_that_a_page_links_to_is_in_the_glossary():
    entries = set(re.findall(r"^(\S.*)$", GLOSSARY.partition(":::{glossary}\n")[2], re.MULTILINE)) - {":::"}
    asked = set()
    for path in (ROOT / "book").glob("*.md"):
        roles = re.findall(r"\{term\}`([^`]*)`", path.read_text(encoding="utf-8"))
        asked |= {re.sub(r".*<(.*)>", r"\1", role) for role in roles}
    assert asked and asked <= entries
    assert sorted(entries, key=str.lower) == [line for line in GLOSSARY.splitlines() if line in entries]


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem[:2])
def test_the_words_that_a_tutorial_begins_with_are_in_the_glossary(path):
    """Those in italics in its line of words, and no entry is longer than three lines."""
    cells = nbformat.read(path, 4).cells[:3]
    words = re.findall(r"\*\*Words:\*\*(.*?)(?:\n> - \*\*|\Z)", "\n".join(c.source for c in cells), re.DOTALL)
    named = {re.sub(r"\s*\n>\s*", " ", word) for text in words for word in re.findall(r"\*([^*]+)\*", text)}
    entries = GLOSSARY.lower()
    assert [word for word in named if word.lower() not in entries] == []


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem[:2])
def test_every_work_that_a_tutorial_names_is_in_the_list_of_references(path):
    known = citations.works()
    lists = 0
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "markdown":
            lists += citations.LIST in cell.source
            text = citations.with_citations(cell.source, known)
            assert citations.NAMED.search(text.partition(citations.LIST)[0]) is None
    assert lists == 1


def test_a_work_that_is_not_in_the_list_of_references_is_an_error():
    with pytest.raises(ValueError, match="no work of 2031 in references.bib"):
        citations.with_citations("**References.** Nobody (2031).", citations.works())


def test_mathematics_needs_no_script():
    code = ("import sys; sys.path.insert(0, 'book'); import book_math, latex2mathml.converter as c; "
            "print(c.convert(r'\\frac{1}{n}'))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "<mfrac>" in done.stdout
    assert "script" not in done.stdout


def test_sources_of_the_book_fetch_nothing():
    for path in [*(ROOT / "book").glob("*.py"), *(ROOT / "book").glob("_static/*")]:
        text = path.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")  # a name
        assert not re.search(r"https?://|//cdn|@import", text), path
    for path in notebooks():
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            assert not re.search(r"<(script|img|link|iframe)[^>]*https?:", "".join(cell["source"])), path


# Differences from the paper: each switch that the page names is called, with what else the call needs.

NET = {"vocab": 13, "width": 8, "depth": 2}
FEW = {"train": 8, "validation": 4, "test": 4}
TASK = gl.tasks.parity(longest=6, **FEW)


def network(seed):
    return gl.networks.Transformer(**NET, heads=2, outputs=2, pool="mean", seed=seed)


def time_first(seed):
    """Words, one after the other, of sentences side by side: (time, examples)."""
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Embedding(13, 8), torch.nn.LSTM(8, 8), Last())


class Last(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.head = torch.nn.Linear(8, 2)

    def forward(self, states):
        return self.head(states[0][-1])


def guided(**options):
    sample, make = torch.arange(20).view(4, 5) % 13, network
    if "batch_dim" in options:
        sample, make = sample.t(), time_first
    with gl.guide(make(0), make(1), **options) as g:
        plan = g.plan(sample)
    assert len(plan[plan["reason"] == ""]) > 0


def two_layers():
    return torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 2))


def warm_up(**options):
    gl.warm_up(two_layers(), two_layers(), sample=torch.zeros(4, 3), steps=1, **options)


def keep_dimension(**options):
    gl.baselines.keep_dimension(two_layers(), dimension=2, **options).remove()


def as_guide(**options):
    with gl.guide(two_layers(), gl.Guide(two_layers(), **options)) as g:
        assert len(g.plan(torch.randn(4, 3))) > 0


def distil(**options):
    gl.baselines.kd_loss(torch.zeros(2, 3), torch.ones(2, 3), torch.tensor([0, 1]), **options)


CALLS = {
    "gl.guide": guided,
    "gl.Guide": as_guide,
    "gl.warm_up": warm_up,
    "gl.training.train": lambda **options: gl.training.train(network(0), TASK, epochs=1, **options),
    "gl.networks.RNN": lambda **options: gl.networks.RNN(**NET, **options),
    "gl.networks.Transformer": lambda **options: gl.networks.Transformer(**NET, heads=2, **options),
    "gl.networks.FCN": lambda **options: gl.networks.FCN(inputs=4, outputs=2, **options),
    "gl.networks.load_torchvision": None,  # would download: its options are looked up only
    "gl.tasks.copy_paste": lambda **options: gl.tasks.copy_paste(**options | FEW),
    "gl.tasks.perplexity": lambda **options: gl.tasks.perplexity(1.0, **options),
    "gl.baselines.keep_dimension": keep_dimension,
    "gl.baselines.kd_loss": distil,
}


def switches():
    """{code: row} of the last column of the tables of book/differences.md."""
    page = (ROOT / "book" / "differences.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in page.splitlines() if re.match(r"\| (?!what )\S", line)]
    assert len(rows) > 30
    for row in rows:
        assert len(row) == 5
        assert "`gl." in row[4] or row[4].strip().startswith("none"), row
    codes = [code for row in rows for code in re.findall(r"`(gl\.[^`]+\))`", row[4])]
    return [code for code in codes if not code.endswith("()")]


@pytest.mark.parametrize("code", switches())
def test_every_switch_of_the_page_of_differences_works_and_is_not_the_default(code):
    call = ast.parse(code, mode="eval").body
    name = ast.unparse(call.func)
    function = attrgetter(name.removeprefix("gl."))(gl)
    options = {k.arg: eval(ast.unparse(k.value), {"torch": torch}) for k in call.keywords}
    assert options
    if name == "gl.experiments.config":
        (experiment,) = map(ast.literal_eval, call.args)
        plain = gl.experiments.config(experiment, profile=options.pop("profile", "fast"))
        changed = gl.experiments.config(experiment, profile=plain.profile, **options)
        assert options
        for key, value in options.items():
            assert getattr(changed, key) == value != getattr(plain, key)
        return
    parameters = inspect.signature(function).parameters
    assert not call.args
    for key, value in options.items():
        assert parameters[key].default != value
    run = CALLS.get(name, function)
    if run is not None:
        run(**options)


def test_two_forwards_a_step_as_in_the_released_code():
    target = two_layers()
    x = torch.randn(6, 3)
    with gl.guide(target, two_layers()) as g:
        target(x)
        g.reset()
        target(x)
        assert g.loss() > 0


# The reference: how docstrings are shown.

@pytest.fixture
def docstrings(monkeypatch):
    """The module of the book that turns docstrings into reStructuredText."""
    monkeypatch.syspath_prepend(ROOT / "book")
    return pytest.importorskip("book_docstrings")


def listed(docstrings, obj):
    """[(name, text), ...] of the options that are shown as a list."""
    markup = docstrings.as_markup(inspect.getdoc(obj).splitlines(), docstrings.parameters_of(obj))
    return re.findall(r"^(``\w+``(?:, ``\w+``)*)\n    (\S.*)$", "\n".join(markup), re.MULTILINE)


def words_of(text):
    return re.sub(r"[`\":;.]", "", text).split()  # without the marks that a list or code does away with


@pytest.mark.parametrize("obj", [gl.guide, gl.warm_up, gl.training.train])
def test_options_are_a_list_in_the_order_of_the_docstring(docstrings, obj):
    items = [name.strip("`") for name, _ in listed(docstrings, obj)]
    asked = inspect.signature(obj).parameters
    written = re.findall(r"[.;] (\w+): ", " ".join(inspect.getdoc(obj).split()))
    assert len(items) >= 6
    assert items == [name for name in written if name in asked]


def test_an_item_ends_with_its_sentence(docstrings):
    items = dict(listed(docstrings, gl.guide))
    assert items["``debiased``"] == "for ``\"cka\"``."
    assert items["``weight``"] == "a number or a callable of the step; 0 skips the guide."
    assert items["``batch_size``"].endswith("where the inputs do not show it.")
    assert not any("ValueError" in text for text in items.values())
    assert dict(listed(docstrings, gl.training.train))["``clip``"].endswith("or None.")
    pair = listed(docstrings, gl.analysis.error_consistency)
    assert pair == [("``right_a``, ``right_b``", "booleans (n,), whether each answer is right.")]


def test_without_parameters_nothing_is_a_list(docstrings):
    """Names that are no parameters of this signature, though they look like it, are left in their prose."""
    assert docstrings.parameters_of(gl.guidance.BaseGuide) == docstrings.parameters_of(gl.analysis) == []
    assert listed(docstrings, gl.guidance.BaseGuide) == []
    markup = "\n".join(docstrings.as_markup(inspect.getdoc(gl.guidance.BaseGuide).splitlines()))
    assert "\nlike: another guide" in markup and " stream: the random stream" in markup


def test_where_brackets_do_not_match_a_paragraph_stays_whole(docstrings):
    assert docstrings.parts("a: in (0, 1. b: two.", ["a", "b"]) == [([], "a: in (0, 1. b: two.")]
    assert docstrings.parts("a: in (0, 1]. b: two.", ["a", "b"]) == [(["a"], "in (0, 1]."), (["b"], "two.")]
    assert docstrings.parts("a: of Gao et al. 2017. See b.", ["a"])[0] == (["a"], "of Gao et al. 2017.")


def test_examples_and_indented_blocks_of_a_docstring_stay_as_they_are(docstrings):
    text = inspect.getdoc(gl.tasks.copy_paste)
    markup = docstrings.as_markup(text.splitlines(), docstrings.parameters_of(gl.tasks.copy_paste))
    kept = [line for line in text.splitlines() if line.startswith((">>>", "    x", "    y"))]
    assert len(kept) >= 4 and [line for line in markup if line in kept] == kept
    assert markup[markup.index(kept[0]) - 2] == "::"


def test_the_examples_of_the_module_that_shows_docstrings(docstrings):
    import doctest

    done = doctest.testmod(docstrings)
    assert done.failed == 0 and done.attempted >= 3


@pytest.mark.parametrize("name", documented())
def test_no_word_of_a_docstring_is_lost_or_moved(docstrings, name):
    """Read by docutils, which also says where a sign of the prose would be taken for markup."""
    import docutils.core
    import docutils.nodes

    obj = gl
    for part in name.split("."):
        obj = getattr(obj, part)
    text = inspect.getdoc(obj) or ""
    markup = docstrings.as_markup(text.splitlines(), docstrings.parameters_of(obj))
    tree = docutils.core.publish_doctree("\n".join(markup), settings_overrides={"report_level": 5})
    assert not list(tree.findall(docutils.nodes.system_message))
    leaves = [node.astext() for node in tree.findall(docutils.nodes.TextElement)
              if not isinstance(node.parent, docutils.nodes.TextElement)]
    assert words_of(" ".join(leaves)) == words_of(text)
    literal = [node for node in tree.findall(docutils.nodes.Text) if "``" in node]
    assert literal == []
