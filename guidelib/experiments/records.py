"""Run records: one UTF-8 JSON object a run, named by the hash of its configuration."""

import json
import math
from pathlib import Path

from ..files import write_whole

SCHEMA = 1
PARTS = ("config", "metrics", "curves", "environment", "duration_s", "schema")


def path_of(config, out):
    """Where the record of a Config lies in the folder `out`."""
    name = f"{config.experiment}-{config.condition}-{config.profile}-{config.seed}-{config.key()}"
    return Path(out) / f"{name}.json"


def write(record, path):
    """Write a record atomically: a process that dies leaves either the whole file or none.

    Not-a-numbers become null.
    """
    text = json.dumps(finite(record), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    return write_whole(path, text.encode())


def read(path):
    """Read one record; ValueError that names the file if it is not a record of this schema."""
    repair = "delete it, and the run is made again"
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not JSON ({error}): {repair}") from error
    if not isinstance(record, dict) or set(record) != set(PARTS) or record["schema"] != SCHEMA:
        raise ValueError(f"{path} is not a run record of schema {SCHEMA}: {repair}")
    return record


def read_all(folder):
    """All records of a folder, by name."""
    return [read(path) for path in sorted(Path(folder).glob("*.json"))]


def finite(value):
    """A value whose lists and dicts hold None for each number that is not finite."""
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
