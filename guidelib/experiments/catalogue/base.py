"""What one experiment is: its networks, its numbers at each size, and what the searches try."""

from collections.abc import Callable
from dataclasses import dataclass, field

RATES = (3e-4, 1e-3, 3e-3, 1e-2)  # learning rates that the search "tuned" tries


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One experiment: an instance of this, called EXPERIMENT, in a file of its own in this folder.

    Settings are a dict {field of Config: value}; a field that they leave out has its default in Config.
    """

    name: str  # with hyphens; the file has the same name with underscores
    recipe: int  # raised whenever the numbers change

    # Networks, each built by a callable (config, task, seed) -> network.
    target: Callable
    guide: Callable  # an untrained one of the guide's family
    other: Callable  # one of a family that is neither the target's nor the guide's
    residual: bool = False  # whether the target can have skips, and base-residual exists
    shifted: bool = False  # whether the target's BatchNorm biases can start at 1, and shifted-init exists

    # Numbers. A (regime, profile) that is not named has nothing of its own.
    sizes: dict  # {profile: settings}
    regimes: dict = field(default_factory=dict)  # {(regime, profile): settings}, over those of the size
    tuned: dict = field(default_factory=dict)  # {(regime, profile): settings of base-tuned}
    own: dict = field(default_factory=dict)  # {(regime, profile): {condition: settings}}
    fresh: dict = field(default_factory=dict)  # {(regime, profile): seeds}, where others may have been seen
    split_by_seed: set = field(default_factory=set)  # {(regime, profile)} where each seed draws its own split

    # What the searches of guidelib.experiments.search try; empty where there is none.
    space: dict = field(default_factory=dict)  # {setting: values}: all combinations, for base-tuned
    chosen_by: str = "validation_accuracy"  # or "validation_loss": the metric that decides on base-tuned
    candidates: tuple = ()  # settings, each over the size `fast`; {} is that size as it is
    trials: dict = field(default_factory=dict)  # {condition: settings to try}
