"""The catalogue of experiments, one file each: a file here that defines EXPERIMENT is one that can be run."""

from importlib import import_module
from pkgutil import iter_modules

from .base import Experiment, chosen, parted, settings_said, tuned_as, variant

ORDER = ("deep-fcn", "wide-fcn", "deep-convnet", "deep-fcn-vit", "copy-paste", "copy-paste-fixed", "parity",
         "language-model", "architectures")


def find():
    """{name: Experiment} of all files here, those of ORDER first.

    ValueError if a file has not the name of its experiment.

    >>> find()["parity"].target.__name__
    'transformer'
    """
    found = {}
    for file in iter_modules(__path__):
        module = import_module(f"{__name__}.{file.name}")
        if not hasattr(module, "EXPERIMENT"):
            continue
        name = module.EXPERIMENT.name
        if name.replace("-", "_") != file.name:
            raise ValueError(f"catalogue/{file.name}.py has an experiment {name!r}: name one after the other")
        found[name] = module.EXPERIMENT
    return {name: found[name] for name in (*ORDER, *found)}


CATALOGUE = find()

__all__ = ["CATALOGUE", "Experiment", "chosen", "settings_said", "parted", "tuned_as", "variant"]
