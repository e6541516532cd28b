"""What is installed where: pyproject.toml is the only list of ranges, the others agree with it."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import guidelib

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_environment_yml_leaves_every_range_to_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, pip, lists = environment["dependencies"]
    assert python == f"python{PROJECT['requires-python']}" and pip == "pip"
    assert lists == {"pip": ["-e .[dev]"]}
    assert environment["channels"] == ["conda-forge"]


def test_ranges_are_bounded_where_a_new_release_would_hurt():
    requirements = map(Requirement, PROJECT["dependencies"])
    (torch,) = [r.specifier for r in requirements if r.name == "torch"]
    assert torch.contains("2.6.0")
    assert torch.contains("2.13.0")
    assert not torch.contains("2.14.0")
    assert not SpecifierSet(PROJECT["requires-python"]).contains("3.10")


def test_version_is_said_once_the_same():
    assert guidelib.__version__ == PROJECT["version"]
    assert f"version: {guidelib.__version__}" in (ROOT / "CITATION.cff").read_text()


def test_dev_is_all_of_them():
    (dev,) = PROJECT["optional-dependencies"]["dev"]
    assert Requirement(dev).extras == set(PROJECT["optional-dependencies"]) - {"dev"}


def test_import_needs_torch_numpy_and_pandas_alone():
    """Of what else the project installs nothing can be imported here, and guidelib is."""
    others = {"sklearn", "scipy", "matplotlib", "seaborn", "pyarrow", "PIL", "joblib", "tqdm", "papermill",
              "ipykernel", "IPython", "ipywidgets"}
    code = f"import sys; sys.modules |= dict.fromkeys({others}); import guidelib; print(guidelib.cka)"
    loaded = f"{code}; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, timeout=120)
    assert "function cka" in done.stdout, done.stderr
    found = set(done.stdout.splitlines())
    assert "torch.nn" in found and "torch._dynamo" not in found  # torch's compiler: as long as all the rest
    code += "; guidelib.tasks.digits()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "No module named 'sklearn.datasets'" in done.stderr


# The lock

LOCK = dict(line.split("==") for line in (ROOT / "requirements.lock").read_text().splitlines())


def required(extras=("lab", "lint", "test", "browser", "zoo", "oracles", "integrations", "book")):
    """Every requirement that pyproject.toml names, those of the extras included."""
    groups = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][name] for name in extras)]
    return [Requirement(text) for group in groups for text in group]


@pytest.mark.parametrize("requirement", required(), ids=str)
def test_the_lock_has_a_version_that_pyproject_allows(requirement):
    version = {canonicalize_name(name): v for name, v in LOCK.items()}[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version), version


def test_the_lock_names_versions_and_no_place():
    for name, version in LOCK.items():
        assert re.fullmatch(r"[A-Za-z0-9._-]+", name) and re.fullmatch(r"[0-9][0-9a-z.]*", version), name
    assert "guidelib" not in LOCK
