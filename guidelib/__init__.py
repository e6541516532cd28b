"""guidelib: train a target with its task loss plus a layer-by-layer misalignment to a frozen guide, controls included.

import guidelib as gl
"""

import importlib

from . import controls, similarity
from .activations import layers
from .guidance import Guidance, guide
from .guides import Guide
from .similarity import cka, sp
from .warmup import warm_up

__version__ = "0.1.0"
__all__ = ["Guidance", "Guide", "cka", "controls", "guide", "layers", "similarity", "sp", "warm_up"]

# Imported at first use, so that `import guidelib` is quick and needs torch, numpy and pandas alone.
LAZY = ("activations", "analysis", "claims", "consistency", "distillation", "experiments", "figures", "networks", "probes", "regularisers",
        "statistics", "tasks", "training")


def __getattr__(name):
    if name in LAZY:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module 'guidelib' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *LAZY])
