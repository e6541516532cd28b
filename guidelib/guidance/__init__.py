"""The core: hooks on a target and its guide, Gram matrices of what they output, one more term of the loss.

Read by_hand first, the method on one page. Each other file opens with what it adds to that page; in this
order they read well: activations, calls, hooks, axes, frozen, guides, pairing, samples, term, guidance,
noise, warmup, controls, tables.
"""

from . import controls
from .calls import Call, Output
from .frozen import recalibrate
from .guidance import Guidance, guide
from .guides import BaseGuide, Guide
from .hooks import capture
from .tables import layers
from .warmup import warm_up

__all__ = ["BaseGuide", "Call", "Guidance", "Guide", "Output", "capture", "controls", "guide", "layers",
           "recalibrate", "warm_up"]
