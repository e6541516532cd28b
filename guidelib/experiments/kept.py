"""Records that the project keeps, so that a tutorial can show many runs and make few."""

import os
from dataclasses import MISSING
from pathlib import Path

from .configuration import Config
from .grid import run_grid
from .records import path_of, read

KEPT = Path(__file__).resolve().parents[2] / "results"  # committed records, results/PROFILE/*.json
# Keys of the kept records that this process has been given: what it shows besides them it has computed.
_handed_out = set()


def collect(configs, *, out, make, kept=KEPT, jobs=2, device="auto"):
    """(records, missing): the record of each Config, and the Configs without one, to be shown as missing.

    A record is one that the project keeps, else the one in `out`, else, with make=True, a new one made there;
    they are in the order of the configs. Where the variable GUIDELIB_RECOMPUTE is set, as by `guidelib
    figures --recompute`, nothing kept is used and everything is made.

    >>> from guidelib.experiments import config
    >>> records, missing = collect([config("deep-fcn", profile="smoke")], out="nowhere", make=False)
    >>> len(records), missing[0].condition
    (0, 'base')
    """
    recompute = bool(os.environ.get("GUIDELIB_RECOMPUTE"))
    found = {}
    rest = []
    for config in configs:
        folders = (out,) if recompute else (kept / config.profile, out)
        paths = [path_of(config, folder) for folder in folders]
        path = next(filter(Path.exists, paths), None)
        if path is None:
            rest.append(config)
            continue
        found[config.key()] = read(path)
        if path.parent != Path(out):
            _handed_out.add(config.key())
    if rest and (make or recompute):
        made = run_grid(rest, out=out, jobs=jobs, device=device)
        found |= {config.key(): record for config, record in zip(rest, made, strict=True)}
        rest = []
    return [found[config.key()] for config in configs if config.key() in found], rest


def kept_among(records):
    """Those of these records that `collect` took from what the project keeps; the others were computed here.

    >>> kept_among([])
    []
    """
    known = Config.__dataclass_fields__
    needed = {name for name, field in known.items() if field.default is MISSING}
    whole = [record for record in records if needed <= set(record["config"]) <= set(known)]
    return [record for record in whole if Config(**record["config"]).key() in _handed_out]


def kept_record(record, *, kept=KEPT):
    """The record of the same run that the project keeps, or None: to hold one that was made anew against."""
    config = Config(**record["config"])
    path = path_of(config, kept / config.profile)
    return read(path) if path.exists() else None
