"""Named experiments: a frozen configuration in, a run record out; grids, tables and intervals over records."""

from .conditions import CONDITIONS, Condition, find_condition, variant
from .config import Config, config
from .families import make_target
from .gather import free_seed, gather
from .grid import run_grid
from .records import difference, read_all, results, summary
from .run import find_device, run
from .runner import make_task
from .settings import EXPERIMENTS, PROFILES, REGIMES, seeds

__all__ = ["CONDITIONS", "Condition", "Config", "EXPERIMENTS", "PROFILES", "REGIMES", "config", "difference", "find_condition", "find_device",
           "free_seed", "gather", "make_target", "make_task", "read_all", "results", "run", "run_grid", "seeds", "summary", "variant"]
