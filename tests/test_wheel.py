"""The wheel: built, put into a folder of its own, and used far from the checkout."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.slow


def called(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out, source = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("source")
    shutil.copytree(ROOT / "guidelib", source / "guidelib", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    done = called(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(out), str(source))
    if done.returncode and "No matching distribution found for setuptools" in done.stderr:
        pytest.skip("no package index in reach, from which pip takes setuptools to build a wheel")
    assert done.returncode == 0, done.stderr
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def elsewhere(wheel, tmp_path_factory):
    """(an empty folder to stand in, an environment in which the wheel's guidelib is found first)."""
    place = tmp_path_factory.mktemp("site")
    done = called(sys.executable, "-m", "pip", "install", "--no-deps", "--target", str(place), str(wheel))
    assert done.returncode == 0, done.stderr
    return tmp_path_factory.mktemp("empty"), os.environ | {"PYTHONPATH": str(place), "OMP_NUM_THREADS": "1"}


def test_the_wheel_holds_every_module_and_the_chosen_settings(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    files = [path for path in (ROOT / "guidelib").rglob("*") if path.suffix in (".py", ".json")]
    assert {str(path.relative_to(ROOT)) for path in files} <= inside
    assert not [name for name in inside if name.startswith(("tests", "notebooks", "results"))]


@pytest.mark.parametrize(("words", "said"), [
    (["list"], "deep-fcn"),
    (["run", "deep-fcn", "--profile", "smoke", "--out", "records"], "test_accuracy"),
])
def test_a_command_works_without_a_checkout(elsewhere, words, said):
    folder, environment = elsewhere
    done = called(sys.executable, "-m", "guidelib", *words, cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout


def test_a_command_that_needs_the_checkout_says_so(elsewhere):
    folder, environment = elsewhere
    done = called(sys.executable, "-m", "guidelib", "figures", cwd=folder, env=environment)
    assert done.returncode == 2
    assert "this command works in a checkout" in done.stderr


def test_the_snippet_of_the_readme_runs(elsewhere):
    """As it is pasted."""
    folder, environment = elsewhere
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(import torch\n.*?)```", readme, re.DOTALL)
    done = called(sys.executable, "-c", snippet + "\nprint(gl.__file__)", cwd=folder, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith(environment["PYTHONPATH"])
