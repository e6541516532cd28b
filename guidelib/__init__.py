"""guidelib: train a target with its task loss plus the misalignment of its layers to a frozen guide's.

import guidelib as gl
"""

import importlib

from .guidance import Guidance, Guide, controls, guide, layers, warm_up
from .similarity import cka, sp

__version__ = "0.1.0"
__all__ = ["Guidance", "Guide", "cka", "controls", "guide", "layers", "sp", "warm_up"]

# Imported at first use, so that `import guidelib` is quick and needs torch, numpy and pandas alone.
WINGS = ("analysis", "baselines", "course", "evidence", "experiments", "figures", "integrations", "networks",
         "tasks", "training", "widgets")


def __getattr__(name):
    if name in WINGS:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module 'guidelib' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *WINGS])
