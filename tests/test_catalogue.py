"""The catalogue: an experiment is one file in it, and all its names and settings are known."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import guidelib
from guidelib.experiments import CONDITIONS, EXPERIMENTS, PROFILES, REGIMES, Config, catalogue, config, seeds
from guidelib.experiments.catalogue import CATALOGUE

FILE = '''
from .base import Experiment
from .images import IMAGES, fcn, resnet, row_transformer

EXPERIMENT = Experiment(
    name="shallow-fcn", about="a small net", recipe=1, shifted=True,
    target=fcn, guide=resnet, other=row_transformer,
    sizes={"smoke": IMAGES["smoke"] | {"depth": 2}, "fast": {"depth": 3}},
    regimes={("overfit", "smoke"): {"train": 100}})
'''


@pytest.fixture
def added(tmp_path, monkeypatch):
    """Add a file to the catalogue, for one test."""
    (tmp_path / "shallow_fcn.py").write_text(FILE)
    monkeypatch.setattr(catalogue, "__path__", [*catalogue.__path__, str(tmp_path)])
    monkeypatch.setitem(CATALOGUE, "shallow-fcn", catalogue.find()["shallow-fcn"])
    yield CATALOGUE["shallow-fcn"]
    del sys.modules["guidelib.experiments.catalogue.shallow_fcn"]


def test_an_experiment_added_as_one_file_has_its_numbers(added, monkeypatch, tmp_path):
    assert list(catalogue.find()) == [*EXPERIMENTS, "shallow-fcn"]
    assert seeds("shallow-fcn", profile="smoke") == [0, 1]
    assert seeds("shallow-fcn") == list(range(20, 30))
    base = config("shallow-fcn", profile="smoke", seed=5)
    assert (base.recipe, base.depth, base.train, base.split_seed) == (1, 2, 200, 5)
    assert (base.lr, base.dose) == (1e-3, 1.0)
    overfit = config("shallow-fcn", profile="smoke", regime="overfit", condition="untrained", seed=5)
    assert (overfit.train, overfit.split_seed, overfit.dose) == (100, 5, 1.0)
    assert config("shallow-fcn", profile="smoke", condition="shifted-init").shift == 1.0
    chosen = {"shallow-fcn-untrainable-smoke": {"base": {"lr": 0.01}, "untrained": {"dose": 3.0}}}
    monkeypatch.setattr(catalogue.base, "CHOSEN", tmp_path / "chosen.json")
    catalogue.base.CHOSEN.write_text(json.dumps(chosen))
    found = {name: config("shallow-fcn", profile="smoke", condition=name)
             for name in ("base", "base-tuned", "untrained", "untrained-stopped", "shuffled")}
    assert [c.lr for c in found.values()] == [0.01, 1e-3, 1e-3, 1e-3, 1e-3]
    assert [c.dose for c in found.values()] == [1.0, 1.0, 3.0, 3.0, 1.0]  # stopped is tuned as throughout
    assert config("shallow-fcn", profile="smoke", regime="overfit").lr == 1e-3
    with pytest.raises(ValueError, match="shallow-fcn has no base-residual: its target"):
        config("shallow-fcn", profile="smoke", condition="base-residual")
    with pytest.raises(ValueError, match="shallow-fcn has no profile 'full': choose from smoke, fast"):
        config("shallow-fcn", profile="full")


def test_the_commands_hear_of_an_experiment_added_as_one_file(tmp_path):
    """A copy of the library with one file more, as a reader has it after adding that file."""
    package = Path(guidelib.__file__).parent
    shutil.copytree(package, tmp_path / "guidelib", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "guidelib" / "experiments" / "catalogue" / "shallow_fcn.py").write_text(FILE)
    commands = [["list"], ["run", "shallow-fcn", "--profile", "smoke", "--dry-run"],
                ["run", "shallow-fcn", "--profile", "smoke", "--condition", "other-family", "--seed", "5"]]
    script = f"from guidelib.__main__ import main; print([main(words) for words in {commands}])"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(tmp_path)}, timeout=300)
    assert done.stdout.splitlines()[-1] == "[0, 0, 0]", done.stderr
    for told in ("\n  shallow-fcn       a small net\n", "target parameters", "test_accuracy"):
        assert told in done.stdout


def test_a_file_that_is_named_otherwise_than_its_experiment_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "copied.py").write_text(FILE)
    monkeypatch.setattr(catalogue, "__path__", [*catalogue.__path__, str(tmp_path)])
    with pytest.raises(ValueError, match=r"catalogue/copied.py has an experiment 'shallow-fcn'"):
        catalogue.find()
    del sys.modules["guidelib.experiments.catalogue.copied"]


@pytest.mark.parametrize("experiment", CATALOGUE.values(), ids=CATALOGUE)
def test_every_name_in_an_experiment_is_known(experiment):
    """A misspelt profile, regime, condition or setting would be passed over in silence."""
    places = {*experiment.regimes, *experiment.compared, *experiment.varied, *experiment.candidates}
    assert places <= {(regime, profile) for regime in REGIMES for profile in PROFILES}
    assert set(experiment.sizes) <= set(PROFILES)
    assert set().union(*experiment.compared.values()) <= set(CONDITIONS)

    for place, varied in experiment.varied.items():
        assert set(varied) <= set(experiment.compared[place])
    settings = [*experiment.sizes.values(), *experiment.regimes.values(), experiment.recipes]
    for varied in experiment.varied.values():
        settings += varied.values()
    for candidates in experiment.candidates.values():
        settings += candidates
    names = {name for values in settings for name in values}
    assert names <= {field.name for field in dataclasses.fields(Config)}
