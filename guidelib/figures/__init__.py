"""Every figure of the tutorials: drawn from run records, saved as SVG and PNG, shown with alternative text.

Each seed is a point; intervals are Student-t 95 % over seeds; colour and marker tell the role, so that
neither is needed alone.
"""

from ._at_a_glance import at_a_glance
from ._effects import effects
from ._insides import alignment, by_layer, dimension, grams, images, influence
from ._layers import which_layers
from ._map import nearness
from ._runs import accuracy, best_so_far, curves, ratios, timings, under
from ._starts import starts
from ._style import DASHED, MARKERS, PALETTE, SHARES, axes, show, theme

__all__ = ["DASHED", "MARKERS", "PALETTE", "SHARES", "accuracy", "alignment", "at_a_glance", "axes",
           "best_so_far", "by_layer", "curves", "dimension", "effects", "grams", "images", "influence",
           "nearness", "ratios", "show", "starts", "theme", "timings", "under", "which_layers"]
