"""Named experiments: a frozen configuration in, a run record out."""

from . import architectures, initialisations, tuning
from .conditions import CONDITIONS, Condition, find_condition, variant
from .configuration import Config, config
from .families import make_guide_network, make_target, make_task
from .grid import run_grid
from .kept import collect, kept_record
from .records import read_all
from .runs import find_device, network, run
from .settings import EXPERIMENTS, PROFILES, REGIMES, seeds

__all__ = ["CONDITIONS", "EXPERIMENTS", "PROFILES", "REGIMES", "Condition", "Config", "architectures",
           "collect", "config", "find_condition", "find_device", "initialisations", "kept_record",
           "make_guide_network", "make_target", "make_task", "network", "read_all", "run", "run_grid",
           "seeds", "tuning", "variant"]
