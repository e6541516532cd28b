"""What is installed where: pyproject.toml is the only list of ranges, the others agree with it."""

import subprocess
import sys
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

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
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "function cka" in done.stdout, done.stderr
    code += "; guidelib.tasks.digits()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "No module named 'sklearn.datasets'" in done.stderr
