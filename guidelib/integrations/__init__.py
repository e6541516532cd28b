"""Guidance inside other people's training loops: a callback for Lightning, a Trainer for transformers.

Each is imported at first use. What is installed where: pip install 'guidelib[integrations]'.
"""

import importlib

PLACES = {"GuidanceCallback": "lightning", "GuidanceMixin": "transformers", "GuidedTrainer": "transformers"}
__all__ = ["GuidanceCallback", "GuidanceMixin", "GuidedTrainer"]


def __getattr__(name):
    if name in PLACES:
        return getattr(importlib.import_module(f".{PLACES[name]}", __name__), name)
    raise AttributeError(f"module 'guidelib.integrations' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *PLACES])
