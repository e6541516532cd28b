"""What one experiment is: its networks, its numbers at each size, what is compared in it and tuned over."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
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
    """{condition or variant: settings} that the tuning of an experiment chose in a regime at a size."""
    return parsed(CHOSEN.read_text(encoding="utf-8")).get(place(experiment, regime, profile), {})


@lru_cache(maxsize=1)
def parsed(text):
    """What a text in JSON holds; not to be changed, for the same text is read for every configuration."""
    return json.loads(text)


def settings_said(settings):
    """Settings as text, in the order of their names.

    >>> settings_said({"match": "type", "layers": "first-5"})
    'layers = first-5, match = type'
    """
    return ", ".join(f"{name} = {settings[name]}" for name in sorted(settings))


def variant(condition, settings):
    """What a condition with other settings than its own is called, and tuned as.

    >>> variant("untrained", {"layers": "first-5"}), variant("base", {})
    ('untrained (layers = first-5)', 'base')
    """
    return f"{condition} ({settings_said(settings)})" if settings else condition


def parted(name):
    """A variant as its condition and its settings, these as text.

    >>> parted("untrained (layers = first-5)"), parted("base")
    (('untrained', {'layers': 'first-5'}), ('base', {}))
    """
    condition, _, words = name.removesuffix(")").partition(" (")
    return condition, dict(pair.split(" = ") for pair in words.split(", ") if pair)


def tuned_as(tuned, condition, settings):
    """Which of what was tuned a condition has its settings from, "" if from none.

    tuned: as of chosen(). Of its variants, the one with the most settings that are all among these.

    >>> tuned = dict.fromkeys(["base", "untrained", "untrained (layers = first-5)"])
    >>> tuned_as(tuned, "untrained", {"layers": "first-5", "lr": 0.1}), tuned_as(tuned, "untrained", {})
    ('untrained (layers = first-5)', 'untrained')
    """
    fitting = {}
    for name in tuned:
        its, asked = parted(name)
        if its == condition and all(str(settings.get(key)) == text for key, text in asked.items()):
            fitting[name] = len(asked)
    return max(fitting, key=fitting.get, default="")


def place(experiment, regime, profile):
    """What an experiment in a regime at a size is called in files.

    >>> place("deep-fcn", "untrainable", "fast")
    'deep-fcn-untrainable-fast'
    """
    return f"{experiment}-{regime}-{profile}"
