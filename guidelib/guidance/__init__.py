"""The core: hooks on a target and its guide, Gram matrices of what they output, and one more term of the loss.

In the order in which one reads it: activations (which layers there are, as examples), hooks (their outputs during a forward), frozen
(running a network without a trace), guides, pairing, guidance, warmup; then controls, samples and noise.
"""

from . import controls
from .activations import capture, layers
from .frozen import recalibrate
from .guidance import Guidance, guide
from .guides import Guide
from .warmup import warm_up

__all__ = ["Guidance", "Guide", "capture", "controls", "guide", "layers", "recalibrate", "warm_up"]
