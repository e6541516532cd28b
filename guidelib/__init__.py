"""guidelib: train a target with its task loss plus a layer-by-layer misalignment to a frozen guide, controls included."""

from .similarity import cka, sp
