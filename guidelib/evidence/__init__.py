"""From run records to tables, intervals, verdicts and sentences; trains nothing."""

from ._ledger import ledger, page
from .effects import FAIR, Effect, effect, fair
from .gates import at_chance, beats, failing, fell, mean_misalignment, misalignment
from .intervals import paired_difference, student_t_interval
from .metrics import METRICS, value
from .rows import readable, row, save, table
from .tables import difference, dimensions, histories, results, summary
from .verdicts import DELTA, VERDICTS, nearest, standing, verdict
from .words import (
    alignment_said,
    basis,
    bullets,
    caution,
    compared,
    controls_said,
    metric_table,
    named,
    origin,
    percent,
    premise_said,
    role,
    sentence,
    shown,
    warm_up_said,
)

__all__ = ["DELTA", "FAIR", "METRICS", "VERDICTS", "Effect", "alignment_said", "at_chance", "basis", "beats",
           "bullets", "caution", "compared", "controls_said", "difference", "dimensions",
           "effect", "failing", "fair", "fell", "histories", "ledger", "mean_misalignment",
           "metric_table", "misalignment", "named", "nearest", "origin", "page",
           "paired_difference", "percent", "premise_said", "readable", "results", "role", "row",
           "save", "sentence", "shown", "standing", "student_t_interval", "summary", "table",
           "value", "verdict", "warm_up_said"]
