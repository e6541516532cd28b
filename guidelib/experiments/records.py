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
    return write_whole(path, (laid_out(finite(record)) + "\n").encode())


def laid_out(value, indent=""):
    """JSON with a line for each name, and lists whole in theirs, so that a record is short and can be read.

    >>> print(laid_out({"b": [1, 2], "a": {"c": None}}))
    {
     "a": {
      "c": null
     },
     "b": [1, 2]
    }
    """
    if not isinstance(value, dict) or not value:
        return json.dumps(value, ensure_ascii=False)
    inner = indent + " "
    lines = [f"{inner}{json.dumps(name, ensure_ascii=False)}: {laid_out(value[name], inner)}"
             for name in sorted(value)]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


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
