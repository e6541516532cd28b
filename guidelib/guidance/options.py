"""Adds to by_hand.py: the words that options of guidance may be, checked before anything runs."""

import torch

from .pairing import ENDS, MATCHES
from .samples import SAMPLES

REDUCTIONS = {"sum": torch.sum, "mean": torch.mean}


def check_options(layers, **options):
    """ValueError for a word that is none of its choices, or for `layers` of another form."""
    for name, value in options.items():
        choices = {"match": MATCHES, "reduce": tuple(REDUCTIONS), "samples": SAMPLES}[name]
        if value not in choices:
            raise ValueError(f"{name} is one of {choices}, received {value!r}")
    if isinstance(layers, str):
        right = ENDS.fullmatch(layers)
    else:
        pairs = list(layers.items()) if isinstance(layers, dict) else layers
        right = pairs is None or isinstance(pairs, (list, tuple)) and pairs and all(
            isinstance(pair, (list, tuple)) and len(pair) == 2 and all(isinstance(name, str) for name in pair)
            for pair in pairs)
    if not right:
        raise ValueError("layers is {target glob: guide glob}, [(target name, guide name), ...], "
                         f"'first-K' or 'last-K', received {layers!r}")
