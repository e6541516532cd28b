"""The house: a wing imports only wings below it, and no module bears the name of something that its wing exports."""

import ast
import importlib
from pathlib import Path

import pytest

import guidelib

ROOT = Path(guidelib.__file__).parent
FLOORS = ("files", "similarity networks tasks training", "guidance", "baselines analysis", "experiments", "evidence", "figures", "course", "cli")
BELOW = {wing: {"files", *" ".join(FLOORS[:i]).split()} for i, floor in enumerate(FLOORS) for wing in floor.split()}
BELOW |= {"guidance": {"similarity"}, "baselines": {"files", "similarity", "guidance"}, "analysis": {"similarity", "guidance", "tasks"}}


def imported(path):
    """The wings that a module imports, wherever in the module it does; `from .. import networks` counts as networks."""
    package = ("guidelib", *path.relative_to(ROOT).parent.parts)
    for node in (n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.ImportFrom) and n.level):
        whole = [*package[:len(package) - node.level + 1], *(node.module or "").split(".")]
        yield from [whole[1]] if len(whole) > 1 and whole[1] else [alias.name for alias in node.names]


@pytest.mark.parametrize("wing", BELOW)
def test_a_wing_imports_only_wings_below_it(wing):
    paths = list((ROOT / wing).rglob("*.py")) or [ROOT / f"{wing}.py"]
    found = {(path.name, other) for path in paths for other in imported(path)} - {(path.name, wing) for path in paths}
    assert paths and {pair for pair in found if pair[1] in BELOW.keys() - BELOW[wing]} == set()


def test_the_rule_sees_every_way_to_import():
    assert {"guidance", "similarity"} <= set(imported(ROOT / "__init__.py"))
    assert "networks" in imported(ROOT / "experiments" / "catalogue" / "images.py")  # from ... import networks
    assert "tasks" in imported(ROOT / "experiments" / "configuration.py")  # inside a function
    assert {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in ROOT.rglob("*.py")} == {*BELOW, "__init__", "__main__"}


@pytest.mark.parametrize("wing", ["guidelib", *(f"guidelib.{wing}" for wing in BELOW if (ROOT / wing).is_dir())])
def test_no_module_bears_the_name_of_what_its_wing_exports(wing):
    package = importlib.import_module(wing)
    inside = {path.stem for path in Path(package.__file__).parent.glob("*.py")}
    exported = {name for name in getattr(package, "__all__", ()) if not isinstance(getattr(package, name), type(ast))}
    assert inside & exported == set()
