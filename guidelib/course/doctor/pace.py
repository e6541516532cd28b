"""How fast this machine trains, beside the one on which the kept timings were made."""

import math

from .. import timings
from .report import Finding

SLOW = 3.0  # times the reference, from which on a reader should know
PROFILE = "fast"  # whose minutes are told


def lasting(minutes):
    """Minutes in words.

    >>> lasting(5.6), lasting(1.2), lasting(150)
    ('about 6 minutes', 'about 1 minute', 'about 2.5 hours')
    """
    if minutes >= 90:
        return f"about {minutes / 60:.1f} hours"
    whole = max(round(minutes), 1)
    return f"about {whole} minute" + "s" * (whole > 1)


def reference(table):
    """Of the kept timings what `speed` needs beside its seconds; {} without any at profile fast.

    The shortest step: others may be disturbed, and nothing makes one too short.
    """
    found = table[table["profile"] == PROFILE]
    if found.empty:
        return {}
    return {"reference": table["step_s"].min(), "minutes": timings.whole(found)[PROFILE] / 60,
            "machine": found["machine"].iloc[0]}


def speed(seconds, *, reference=None, minutes=None, machine=""):
    """How long the course takes here, from the seconds of a training step.

    reference: the seconds of one on another machine, in words `machine`. minutes: of `make figures` there.
    None for all: only the step is told. ValueError unless seconds is above 0 and finite.
    """
    if not (seconds > 0 and math.isfinite(seconds)):
        raise ValueError(f"a step takes a time above 0, received {seconds}")
    if reference is None:
        return Finding("speed", "ok", f"{1000 * seconds:.0f} ms a training step")
    ratio = seconds / reference
    if ratio > 1.5:
        words = f"{ratio:.1f} times slower than the reference"
    elif ratio < 1 / 1.5:
        words = f"{1 / ratio:.1f} times as fast as the reference"
    else:
        words = "about as fast as the reference"
    found = (f"{1000 * seconds:.0f} ms a training step: {words} ({machine}); `make figures` would take "
             f"{lasting(minutes * ratio)}")
    if ratio <= SLOW:
        return Finding("speed", "ok", found)
    return Finding("speed", "note", found,
                   "close what else is running; begin with `make figures PROFILE=smoke`, or one notebook")
