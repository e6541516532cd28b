"""Figures that answer: move a slider and see what follows; the same drawing at a few settings on paper.

Where no front end listens, on GitHub, in the book or headless, each is an image with its alternative text.
"""

from ._agreement import agreement
from ._dose import dose
from ._explorer import Explorer, interactive
from ._gradients import shift
from ._grams import grams
from ._looks import looks
from ._null import null_law
from ._pairs import pairing
from ._predictions import Prediction
from ._replay import replay
from ._seeds import seeds
from ._starts import starts
from ._stopping import stopping
from ._temperature import temperature
from ._verdict import verdict

__all__ = ["Explorer", "Prediction", "agreement", "dose", "grams", "interactive", "looks", "null_law",
           "pairing", "replay", "seeds", "shift", "starts", "stopping", "temperature", "verdict"]
