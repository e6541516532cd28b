"""A cell that is run again, or from the notebook's last state, finds the names that it was written for."""

import ast
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
EXERCISE = {"stub", "solution"}
GROW = {"runs", "live"}  # sums of course.Runs, which leave out the runs that are there already
CHANGES = {"append", "extend", "insert", "update", "pop", "remove", "clear", "sort"}
INNER = (ast.FunctionDef, ast.Lambda, ast.ClassDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def from_outside(node):
    """The names that a function, a class or a comprehension reads and does not bind."""
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
    own = {n.id for n in names if not isinstance(n.ctx, ast.Load)}
    own |= {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
    return {n.id for n in names} - own


class Cell(ast.NodeVisitor):
    """What a cell does with the notebook's names, in the order in which it runs.

    `binds` are given a value, `reads` are read before that, or whenever a function of the cell is called;
    `grows` are the targets of `+=`, `changes` what is changed in place, of names that the cell does not bind.
    """

    def __init__(self, source):
        self.binds, self.reads, self.grows, self.changes = set(), set(), set(), set()
        self.visit(ast.parse(source))

    def visit_Name(self, node):
        if not isinstance(node.ctx, ast.Load):
            self.binds.add(node.id)
        elif node.id not in self.binds:
            self.reads.add(node.id)

    def visit_Assign(self, node):
        for part in (node.value, *node.targets):
            self.visit(part)

    def visit_For(self, node):
        for part in (node.iter, node.target, *node.body, *node.orelse):
            self.visit(part)

    def visit_AugAssign(self, node):
        self.visit(node.value)
        if not isinstance(node.target, ast.Name):
            self.visit(node.target)
        elif node.target.id not in self.binds:
            self.reads.add(node.target.id)
            self.grows.add(node.target.id)

    def visit_Subscript(self, node):
        if not isinstance(node.ctx, ast.Load):
            self.change(node.value)
        self.generic_visit(node)

    def visit_Call(self, node):
        if isinstance(node.func, ast.Attribute) and node.func.attr in CHANGES:
            self.change(node.func.value)
        self.generic_visit(node)

    def change(self, node):
        if isinstance(node, ast.Name) and node.id not in self.binds:
            self.changes.add(node.id)

    def visit_alias(self, node):
        self.binds.add(node.asname or node.name.partition(".")[0])

    def visit(self, node):
        if isinstance(node, INNER):  # read at each call, so that the cell's own value may be gone by then
            self.reads |= from_outside(node)
            self.binds |= {getattr(node, "name", None)} - {None}
        elif isinstance(node, COMPREHENSIONS):
            self.reads |= from_outside(node) - self.binds
        else:
            super().visit(node)


def cells(path):
    """{id: (Cell, whether it is part of an exercise)} of a notebook's code cells."""
    found = {}
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "code":
            found[cell.id] = Cell(cell.source), bool(EXERCISE & set(cell.metadata.get("tags", [])))
    return found


def bound_twice(found):
    """{name: cells} of what some cell reads and more than one cell outside the exercises binds."""
    read = set().union(*(cell.reads for cell, _ in found.values()))
    binders = {name: [i for i, (cell, exercise) in found.items() if name in cell.binds and not exercise]
               for name in sorted(read)}
    return {name: where for name, where in binders.items() if len(where) > 1}


def grown(found):
    """{name: cells} of what `+=` makes longer at each run."""
    grows = [(name, i) for i, (cell, _) in found.items() for name in sorted(cell.grows - GROW)]
    return {name: [i for other, i in grows if other == name] for name, _ in grows}


def changed(found):
    """{cell: names} of lists and dicts that are made in another cell and changed in place."""
    return {i: sorted(cell.changes) for i, (cell, _) in found.items() if cell.changes}


def of_exercises(found):
    """Names that an exercise binds, and a cell outside the exercises binds or reads."""
    inside = set().union(*(cell.binds for cell, exercise in found.values() if exercise))
    outside = set().union(*(cell.binds | cell.reads for cell, exercise in found.values() if not exercise))
    return sorted(inside & outside)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestCells:
    def test_read_names_that_one_cell_alone_binds(self, path):
        assert bound_twice(cells(path)) == {}

    def test_add_to_runs_alone(self, path):
        assert grown(cells(path)) == {}

    def test_change_nothing_that_another_has_made(self, path):
        assert changed(cells(path)) == {}

    def test_do_not_depend_on_exercises(self, path):
        assert of_exercises(cells(path)) == []


def made_of(*sources, exercise=()):
    """As cells(), of sources; exercise: the numbers of those that are part of one."""
    return {i: (Cell(source), i in exercise) for i, source in enumerate(sources)}


@pytest.mark.parametrize(("sources", "twice"), [
    (("x = 1", "print(x)", "x = 2"), {"x": [0, 2]}),
    (("x = 1", "assert x", "x, y = 2, 3"), {"x": [0, 2]}),
    (("x = 1", "x = x + 1"), {"x": [0, 1]}),  # one more at each run
    (("def f():\n    return k", "k = 1", "f()", "k = 2"), {"k": [1, 3]}),
    (("k = 1\ndef f():\n    return k", "k = 2", "f()"), {"k": [0, 1]}),  # what f reads is not k = 1 for long
    (("x = 1", "[x * i for i in (1, 2)]", "with open(p) as x:\n    pass"), {"x": [0, 2]}),
    (("import a as x", "x", "for x in (1, 2):\n    pass"), {"x": [0, 2]}),
    (("for x in (1, 2):\n    print(x)", "for x in (3, 4):\n    print(x)"), {}),  # each reads its own
    (("x = 1", "print(x)", "[x for x in (1, 2)]", "f = lambda x: x", "def g(x):\n    x = 2"), {}),
    (("x = 1", "x += 1"), {}),  # told by grown()
])
def test_a_name_with_two_meanings_is_found(sources, twice):
    assert bound_twice(made_of(*sources)) == twice


@pytest.mark.parametrize(("source", "grows", "changes"), [
    ("rows += [1]", {"rows": [0]}, {}),
    ("rows = []\nrows += [1]", {}, {}),
    ("runs += more", {}, {}),
    ("rows.append(1)", {}, {0: ["rows"]}),
    ("rows = []\nfor i in (1, 2):\n    rows.append(i)", {}, {}),
    ("nets['a'] = 1", {}, {0: ["nets"]}),
    ("nets = {}\nnets['a'] = 1", {}, {}),
    ("def f(rows):\n    rows.append(1)\n    rows += [2]", {}, {}),
])
def test_what_grows_with_each_run_is_found(source, grows, changes):
    found = made_of(source)
    assert (grown(found), changed(found)) == (grows, changes)


def test_what_an_exercise_binds_belongs_to_it_alone():
    sources = ("x = ...", "x = 1", "print(x)")
    assert of_exercises(made_of(*sources, exercise=(0, 1))) == ["x"]
    assert of_exercises(made_of(*sources[:2], exercise=(0, 1))) == []
    assert bound_twice(made_of(*sources, exercise=(0, 1))) == {}
