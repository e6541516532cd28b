"""What a network looks like inside: dimension, geometry, gradients, what decoders read, shared errors."""

from .consistency import ErrorConsistency, consistency_matrix, error_consistency
from .dimension import effective_dimension, effective_dimension_by_layer
from .geometry import input_geometry
from .gradients import gradient_norms
from .overfitting import generalisation_gap
from .probes import Probe, linear_probe, probe_layers

__all__ = ["ErrorConsistency", "Probe", "consistency_matrix", "effective_dimension",
           "effective_dimension_by_layer", "error_consistency", "generalisation_gap", "gradient_norms",
           "input_geometry", "linear_probe", "probe_layers"]
