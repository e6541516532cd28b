"""Records that the project keeps, so that a tutorial can show many runs and make few."""

import os
from dataclasses import MISSING
from pathlib import Path

from .configuration import Config
from .configuration import config as config_
from .grid import run_grid
from .records import path_of, read
from .settings import seeds

KEPT = Path(__file__).resolve().parents[2] / "results"  # committed records, results/PROFILE/*.json
_handed_out = set()  # keys of the kept records that this process has been given: what it shows besides them it has computed


def collect(configs, *, out, make, kept=KEPT, jobs=2, device="auto"):
    """(records, missing): the kept record of each Config, else the one in `out`, else, with make=True, a new one made there.

    records are in the order of the configs. missing lists the Configs without a record, to be shown as missing. Where the variable
    GUIDELIB_RECOMPUTE is set, as by `guidelib figures --recompute`, nothing kept is used and everything is made.

    >>> from guidelib.experiments import config
    >>> records, missing = collect([config("deep-fcn", profile="smoke")], out="nowhere", make=False)
    >>> len(records), missing[0].condition
    (0, 'base')
    """
    recompute = bool(os.environ.get("GUIDELIB_RECOMPUTE"))
    found, rest = {}, []
    for config in configs:
        folders = (out,) if recompute else (kept / config.profile, out)
        path = next((p for p in (path_of(config, folder) for folder in folders) if p.exists()), None)
        if path is not None:
            found[config.key()] = read(path)
            if path.parent != Path(out):
                _handed_out.add(config.key())
        else:
            rest.append(config)
    if rest and (make or recompute):
        found |= {c.key(): r for c, r in zip(rest, run_grid(rest, out=out, jobs=jobs, device=device), strict=True)}
        rest = []
    return [found[c.key()] for c in configs if c.key() in found], rest


def kept_among(records):
    """How many of these records were handed out by `collect` from those that the project keeps; the others were computed here."""
    known = Config.__dataclass_fields__
    needed = {name for name, field in known.items() if field.default is MISSING}
    whole = [r["config"] for r in records if needed <= set(r["config"]) <= set(known)]
    return sum(Config(**facts).key() in _handed_out for facts in whole)


def free_seed(experiment, condition, *, profile="fast", regime="untrainable", kept=KEPT, **overrides):
    """The first seed, after those that results are reported on, of which the project keeps no record: for a run made before the reader's eyes.

    >>> free_seed("deep-fcn", "base", profile="smoke")
    2
    """
    seed = max(seeds(experiment, profile=profile, regime=regime)) + 1
    while path_of(config_(experiment, condition=condition, profile=profile, regime=regime, seed=seed, **overrides), kept / profile).exists():
        seed += 1
    return seed
