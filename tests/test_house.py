"""The house: a wing imports only wings below it, and no module bears the name of what its wing exports."""

import ast
import importlib
from pathlib import Path
from types import ModuleType

import pytest

import guidelib

ROOT = Path(guidelib.__file__).parent
FLOORS = (
    ("files", "bars", "streams"), ("similarity", "networks", "tasks", "training"), ("guidance",),
    ("baselines", "analysis", "integrations"), ("experiments",), ("evidence",), ("figures",), ("widgets",),
    ("course",), ("cli",))
BELOW = {}
for number, floor in enumerate(FLOORS):
    BELOW |= dict.fromkeys(floor, set().union(*FLOORS[:number]))
BELOW["guidance"] = {"bars", "streams", "similarity"}
BELOW["integrations"] = {"guidance"}
BELOW["baselines"] = {"bars", "streams", "similarity", "guidance"}
BELOW["analysis"] = {"bars", "similarity", "guidance", "tasks"}
PACKAGES = ["guidelib", *(f"guidelib.{wing}" for wing in BELOW if (ROOT / wing).is_dir())]


def imported(path):
    """The wings that a module imports, wherever in the module; `from .. import networks` is networks."""
    package = ["guidelib", *path.relative_to(ROOT).parent.parts]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        parts = package[:len(package) - node.level + 1]
        if node.module:
            parts += node.module.split(".")
        found |= set(parts[1:2]) or {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("wing", BELOW)
def test_a_wing_imports_only_wings_below_it(wing):
    paths = list((ROOT / wing).rglob("*.py")) or [ROOT / f"{wing}.py"]
    forbidden = BELOW.keys() - BELOW[wing] - {wing}
    for path in paths:
        assert imported(path) & forbidden == set(), path.name


def test_the_rule_sees_every_way_to_import():
    assert {"guidance", "similarity"} <= imported(ROOT / "__init__.py")
    # from ... import networks
    assert "networks" in imported(ROOT / "experiments" / "catalogue" / "images.py")
    assert "tasks" in imported(ROOT / "experiments" / "configuration.py")  # inside a function
    wings = {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in ROOT.rglob("*.py")}
    assert wings == {*BELOW, "__init__", "__main__"}


@pytest.mark.parametrize("wing", PACKAGES)
def test_no_module_bears_the_name_of_what_its_wing_exports(wing):
    package = importlib.import_module(wing)
    inside = {path.stem for path in Path(package.__file__).parent.glob("*.py")}
    exported = set()
    for name in getattr(package, "__all__", ()):
        if not isinstance(getattr(package, name), ModuleType):
            exported.add(name)
    assert inside & exported == set()
