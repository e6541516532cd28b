"""From run records to tables, intervals, verdicts and sentences; trains nothing."""

from . import nearness, real_images, starts, which_layers
from ._at_a_glance import at_a_glance
from ._commands import command, commands, study_command
from ._ledger import ledger
from ._page import page
from .effects import Effect, by_seed, effect, required, rival
from .gates import failing, mean_misalignment, misalignment, treated
from .intervals import paired_difference, student_t_interval
from .metrics import METRICS, value
from .overall import in_short
from .provenance import again, basis, caution, origin, remade
from .rows import readable, row, save, table
from .significance import false_discovery, holm, sign_flip
from .tables import difference, dimensions, histories, results, summary
from .verdicts import DELTA, VERDICTS, standing, verdict
from .words import (
    alignment_said,
    bullets,
    compared,
    controls_said,
    metric_table,
    named,
    percent,
    premise_said,
    role,
    sentence,
    shown,
    warm_up_said,
)

__all__ = ["DELTA", "METRICS", "VERDICTS", "Effect", "again", "alignment_said", "at_a_glance",
           "basis", "bullets", "by_seed", "caution", "command", "commands", "compared",
           "controls_said", "difference", "dimensions", "effect", "failing", "false_discovery",
           "histories", "holm", "in_short", "ledger", "mean_misalignment", "metric_table",
           "misalignment", "named", "nearness", "origin", "page", "paired_difference", "percent",
           "premise_said", "readable", "real_images", "remade", "required", "results", "rival",
           "role", "row", "save", "sentence", "shown", "sign_flip", "standing", "starts",
           "student_t_interval", "study_command", "summary", "table", "treated", "value", "verdict",
           "warm_up_said", "which_layers"]
