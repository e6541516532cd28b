"""Records that the project keeps, so that a tutorial can show many runs and make few."""

import os

from ..checkout import ROOT
from .grid import run_grid
from .records import path_of, read

KEPT = ROOT / "results"  # committed records, results/PROFILE/*.json


def gather(configs, *, out, make, kept=KEPT, jobs=2, device="auto"):
    """(records, missing): the kept record of each Config, else the one in `out`, else, with make=True, a new one made there.

    records are in the order of the configs. missing lists the Configs without a record, to be shown as missing. Where the variable
    GUIDELIB_RECOMPUTE is set, as by `guidelib figures --recompute`, nothing kept is used and everything is made.

    >>> from guidelib.experiments import config
    >>> records, missing = gather([config("deep-fcn", profile="smoke")], out="nowhere", make=False)
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
        else:
            rest.append(config)
    if rest and (make or recompute):
        found |= {c.key(): r for c, r in zip(rest, run_grid(rest, out=out, jobs=jobs, device=device), strict=True)}
        rest = []
    return [found[c.key()] for c in configs if c.key() in found], rest
