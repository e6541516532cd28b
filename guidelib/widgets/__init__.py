"""Figures that answer: move a slider and see what follows; the same drawing at a few settings on paper.

Where no front end listens, on GitHub, in the book or headless, each is an image with its alternative text.
"""

from ._explorer import Explorer, interactive
from ._gradients import shift
from ._grams import grams
from ._null import null_law
from ._pairs import pairing
from ._predictions import Prediction
from ._replay import replay
from ._temperature import temperature
from ._verdict import verdict

__all__ = ["Explorer", "Prediction", "grams", "interactive", "null_law", "pairing", "replay", "shift",
           "temperature", "verdict"]
