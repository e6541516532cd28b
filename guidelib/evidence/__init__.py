"""From run records to tables, intervals, verdicts and sentences; trains nothing."""

from ._ledger import ledger, page
from .gates import at_chance, beats, fell, misalignment, untested
from .intervals import DELTA, VERDICTS, nearest, paired_difference, standing, student_t_interval, verdict
from .tables import difference, results, summary
from .words import (
    alignment_said,
    basis,
    best,
    caution,
    controls_said,
    effect,
    named,
    origin,
    percent,
    premise_said,
    readable,
    role,
    row,
    save,
    sentence,
    table,
)

__all__ = [
    "DELTA", "VERDICTS", "alignment_said", "at_chance", "basis", "beats", "best", "caution", "controls_said", "difference", "effect", "fell",
    "ledger", "misalignment", "named", "nearest", "origin", "page", "paired_difference", "percent", "premise_said", "readable", "results",
    "role", "row", "save", "sentence", "standing", "student_t_interval", "summary", "table", "untested", "verdict",
]
