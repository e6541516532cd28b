"""What one experiment is: its networks, its numbers at each size, what is compared in it and tuned over."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

CHOSEN = Path(__file__).with_name("chosen.json")  # settings that `guidelib tune` chose


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One experiment: an instance of this, called EXPERIMENT, in a file of its own in this folder.

    Settings are a dict {field of Config: value}; a field that they leave out has its default in Config.
    """

    name: str  # with hyphens; the file has the same name with underscores
    about: str  # its target, what the target is asked for, and its guide, in a line
    recipe: int  # raised whenever the numbers change

    # Networks, each built by a callable (config, task, seed) -> network.
    target: Callable
    guide: Callable  # an untrained one of the guide's family
    other: Callable  # one of a family that is neither the target's nor the guide's
    residual: bool = False  # whether the target can have skips, and base-residual exists
    shifted: bool = False  # whether it has normalisation whose biases can be shifted, and shifted-init exists
    lengths: bool = False  # whether its sequences are of several lengths, and length-gram exists
    mirrored: bool = False  # whether its units can be mirrored, and looks-linear-init exists

    # Numbers. A (regime, profile) that is not named has nothing of its own.
    sizes: dict  # {profile: settings}
    regimes: dict = field(default_factory=dict)  # {(regime, profile): settings}, over those of the size

    # What is compared, {(regime, profile): conditions}: all of them are tuned alike, and reported.
    compared: dict = field(default_factory=dict)
    # {(regime, profile): {condition: settings}}: compared once more with these, tuned without them.
    varied: dict = field(default_factory=dict)
    recipes: dict = field(default_factory=dict)  # {setting: choices}: what base-tuned may change, besides lr
    chosen_by: str = "validation_accuracy"  # or "validation_loss": the metric that decides between trials
    candidates: dict = field(default_factory=dict)  # {(regime, profile): settings}, of which one was chosen


def chosen(experiment, regime, profile):
    """{condition: settings} that the tuning chose for an experiment in a regime at a size."""
    return json.loads(CHOSEN.read_text(encoding="utf-8")).get(place(experiment, regime, profile), {})


def place(experiment, regime, profile):
    """What an experiment in a regime at a size is called in files.

    >>> place("deep-fcn", "untrainable", "fast")
    'deep-fcn-untrainable-fast'
    """
    return f"{experiment}-{regime}-{profile}"
