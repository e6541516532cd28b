"""Checkpoints of one training run: written whole or not at all, gone once the record is there.

One is read only if its checksum is right.
"""

import glob
import hashlib
import io
import json
import pickle
import time
import warnings
from pathlib import Path

import torch

from .. import streams
from ..files import write_whole

KEPT = 2  # the newest, and the one before it should the newest be damaged
SHARE = 20  # writing takes no more than one part in SHARE of the time, however large the network


class Checkpoint:
    """Where train() keeps its state: files STEM.EPOCH.checkpoint, of which the last two stay.

    Without a stem it keeps nothing. every: seconds between two writes, at least; 0 writes after each epoch.
    found: whether a whole one lay there. extras: a small dict that JSON can hold, kept along with the state,
    for what a caller made before the training and would not make again. seconds: what earlier processes spent
    on what was found.

    >>> Checkpoint().found
    False
    """

    def __init__(self, stem=None, *, every=5.0):
        self.stem = stem
        self.every = every
        self._due = time.monotonic() + every
        self._state = None if stem is None else newest(stem)
        self.found = self._state is not None
        self.seconds = self._state["seconds"] if self.found else 0.0
        self._born = time.monotonic()
        self.extras = json.loads(self._state["extras"]) if self.found else {}

    def keep(self, extras):
        """Keep these extras with each checkpoint from now on; those of one that was found take their place.

        Returns what is kept; ValueError if what was found lacks a key of these, or of a dict among them.
        """
        if not self.found:
            self.extras = extras
        elif lacks := missing(self.extras, extras):
            raise ValueError(f"{self.stem}.*.checkpoint has no {', '.join(lacks)}: another version of "
                             "guidelib wrote it. Delete these files, and the run starts anew")
        return self.extras

    def restore(self, parts, *, sample):
        """Load what was found into the parts of a training, torch's own streams among them.

        Returns the rows of the epochs done. parts: {name: object with state_dict() and load_state_dict(),
        torch.Generator, or None}, "guidance" among them. sample: a batch of inputs (n, ...), from which a
        guidance learns its layer pairs.
        """
        if self._state is None:
            return []
        state = self._state
        self._state = None  # a large one is held no longer than needed
        try:
            if parts["guidance"] is not None:
                # The run that finds the pairs shows all layers, and may draw more noise than later ones.
                parts["guidance"].prepare(sample)
            for name, part in parts.items():
                if part is not None:
                    load_state(part, state["parts"][name])
        except Exception as error:
            error.add_note(f"This happened in resuming from {self.stem}.*.checkpoint: delete these files, "
                           "and the run starts anew.")
            raise
        streams.restore(state["streams"], sample.device)
        return state["rows"]

    def save(self, parts, rows, *, device="cpu"):
        """Write a checkpoint if it is time; device: whose random streams the training draws on.

        One that cannot be written is a warning: the run goes on, and older ones stay.
        """
        if self.stem is None or time.monotonic() < self._due:
            return
        start = time.monotonic()
        states = {name: state_of(part) for name, part in parts.items() if part is not None}
        state = {"parts": states, "streams": streams.states(device), "rows": rows,
                 "extras": json.dumps(self.extras), "seconds": self.seconds + start - self._born}
        buffer = io.BytesIO()
        torch.save(state, buffer)
        try:
            write_whole(f"{self.stem}.{len(rows):06d}.checkpoint", sealed(buffer.getvalue()))
            for path in beside(self.stem, "checkpoint")[:-KEPT]:
                path.unlink()
        except OSError as error:
            text = f"no checkpoint after epoch {len(rows)}, the run goes on without: {error}"
            warnings.warn(text, RuntimeWarning, stacklevel=3)
        now = time.monotonic()
        self._due = now
        if self.every:
            self._due += max(self.every, SHARE * (now - start))

    def remove(self):
        """Delete all checkpoints of this run, and what a killed process left half written."""
        if self.stem is not None:
            for path in beside(self.stem, "checkpoint") + beside(self.stem, "part"):
                path.unlink(missing_ok=True)
        self._state = None
        self.found = False
        self.extras = {}
        self.seconds = 0.0


def state_of(part):
    """The state of a part, as load_state() will take it."""
    return part.get_state() if isinstance(part, torch.Generator) else part.state_dict()


def load_state(part, state):
    """Set a part to a state that state_of() gave."""
    if isinstance(part, torch.Generator):
        part.set_state(state)
    else:
        part.load_state_dict(state)


def missing(found, wanted):
    """The keys that a dict found in a file lacks of those wanted, its dicts included, as words.

    >>> missing({"a": 1, "b": {"x": 2, "y": 3}}, {"a": 5, "b": {"x": 0, "z": 0}, "c": 0})
    ['z in b', 'c']
    """
    lacks = []
    for key, value in wanted.items():
        if key not in found:
            lacks.append(key)
        elif isinstance(value, dict):
            lacks += [f"{inner} in {key}" for inner in missing(found[key], value)]
    return lacks


def beside(stem, ending):
    """The files STEM.*.ending, oldest first where they are checkpoints."""
    found = glob.glob(f"{glob.escape(str(stem))}.*.{ending}")
    return sorted(map(Path, found))


def newest(stem):
    """The newest state that is whole, on the CPU, or None. A warning names each that is not."""
    paths = beside(stem, "checkpoint")
    for path in reversed(paths):
        try:
            data = io.BytesIO(opened(path.read_bytes()))
            return torch.load(data, map_location="cpu", weights_only=True)
        # the last two: written by another version of torch
        except (OSError, ValueError, RuntimeError, pickle.UnpicklingError) as error:
            warnings.warn(f"{path} is passed over: {error}", RuntimeWarning, stacklevel=4)
    if paths:
        text = f"none of {len(paths)} checkpoints is whole: the run starts anew"
        warnings.warn(text, RuntimeWarning, stacklevel=4)
    return None


def sealed(data):
    """Bytes with their checksum at the end.

    >>> opened(sealed(b"state"))
    b'state'
    """
    return data + hashlib.sha256(data).digest()


def opened(data):
    """The bytes that were sealed; ValueError if they have changed since, or end early."""
    data, checksum = data[:-32], data[-32:]
    if hashlib.sha256(data).digest() != checksum:
        raise ValueError(f"its checksum is wrong ({len(data)} bytes): it was damaged or cut off")
    return data
