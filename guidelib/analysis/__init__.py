"""What a network looks like inside: dimension, gradients, what decoders read, errors that networks share."""

from .consistency import ErrorConsistency, consistency_matrix, error_consistency
from .dimension import effective_dimension, effective_dimension_by_layer
from .gradients import gradient_norms
from .overfitting import generalisation_gap
from .probes import Probe, linear_probe, probe_layers

__all__ = ["ErrorConsistency", "Probe", "consistency_matrix", "effective_dimension",
           "effective_dimension_by_layer", "error_consistency", "generalisation_gap", "gradient_norms",
           "linear_probe", "probe_layers"]
