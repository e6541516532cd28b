"""The configuration of one run: every number that matters, nothing implied."""

import hashlib
import json
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from inspect import signature
from types import NoneType
from typing import get_args

from ..guidance.pairing import ENDS
from ..tasks import placed_digits
from .catalogue import CATALOGUE, chosen, tuned_as
from .conditions import find_condition
from .settings import PROFILES, REGIMES, check

# Other people's words for a setting, and ours.
MEANT = {"learning_rate": "lr", "num_layers": "depth", "hidden_size": "width"}


@dataclass(frozen=True, kw_only=True)
class Config:
    """One run of an experiment.

    Sizes are in examples, lengths in epochs or steps; the seeds of what is random are apart.
    layers: "all" pairs, or "first-k" or "last-k" of them in the target's order, or a glob of the target's
    layers that are steered. stop_steps: when a guide is let go under "-stopped". data_hash: of the data, ""
    until somebody looks. A field that is added has a default, the behaviour before it, and metadata={"since":
    ...}: then it leaves the names of all records that were made without it as they are.
    """

    experiment: str
    condition: str
    profile: str
    regime: str = "untrainable"
    seed: int
    recipe: int = 4
    threads: int = 1
    # data
    data: str = "digits"
    data_hash: str = ""
    train: int = 1000
    validation: int = 300
    test: int = 0  # 0: the task's own, here and down to copies
    shortest: int = 0
    longest: int = 0
    length: int = 0
    recall: bool = field(default=False, metadata={"since": 3})
    canvas: int = 0
    copies: int = 0
    split_seed: int = 0
    # target
    family: str = field(default="", metadata={"since": 3})  # where an experiment has several
    depth: int = 50
    width: int = 192
    norm: str | None = "batch"
    dropout: float = 0.1
    init: str = "default"
    shift: float = 0.0  # of the biases of normalisation, before training
    residual: bool = False
    heads: int = 0
    nonlinearity: str = "tanh"
    leak: bool = False
    # guide, or teacher
    guide_family: str = field(default="", metadata={"since": 3})
    guide_width: int = 8
    guide_depth: int = 0
    guide_heads: int = 0
    guide_norm: str = "running"
    watched: str = field(default="untrained", metadata={"since": 4})  # how near to which guide a base is
    guide_epochs: int = 6
    guide_lr: float = 1e-3
    tied: bool = False
    # guidance
    similarity: str = "cka"
    debiased: bool = False
    match: str = "depth"
    reduce: str = "mean"
    layers: str = "all"
    samples: str = field(default="batch", metadata={"since": 3})
    subset: int = field(default=0, metadata={"since": 4})  # of a batch, whose alignment counts; 0: all
    dose: float = 1.0  # gradient norm of the guide's term over the task's, at the start of training
    weight: float = 0.0  # of the term; 0: the one that gives the dose
    warm_up_steps: int = 100
    warm_up_lr: float = 3e-3
    stop_steps: int = 48
    # without a guide
    dimension: float = field(default=0.0, metadata={"since": 2})  # that the layers are kept near; 0: none is
    # distillation
    temperature: float = 2.0
    alpha: float = 0.5
    # training
    epochs: int = 13
    batch_size: int = 64
    optimizer: str = "adam"
    lr: float = 1e-3
    weight_decay: float = 0.0
    schedule: str | None = None
    clip: float | None = None
    # seeds
    target_seed: int
    guide_seed: int
    order_seed: int
    dropout_seed: int
    noise_seed: int

    def facts(self):
        """All settings as a dict, as a record holds them: without later fields that have their default."""
        late = {f.name: f.default for f in fields(self) if "since" in f.metadata}
        facts = asdict(self)
        return {name: value for name, value in facts.items() if name not in late or value != late[name]}

    def key(self):
        """The hash that names the record of this run: equal for equal configurations, and for nothing else.

        >>> config("deep-fcn", seed=1).key() == config("deep-fcn", seed=1, lr=0.1).key()
        False
        """
        text = json.dumps(self.whole().facts(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def whole(self):
        """The same with the hash of its data, which is looked up if it is not known yet."""
        from ..tasks import fingerprint

        if self.data_hash:
            return self
        return self.with_(data_hash=fingerprint(self.data))

    def steered(self):
        """What gl.guide takes as `layers`.

        >>> config("parity", layers="blocks.*.out").steered()
        {'blocks.*.out': '*'}
        """
        if self.layers == "all":
            return None
        return self.layers if ENDS.fullmatch(self.layers) else {self.layers: "*"}

    def with_(self, **changes):
        """The same configuration with some fields changed."""
        return replace(self, **changes)


WORDS = {int: "a whole number", float: "a number", str: "a word", bool: "True or False", NoneType: "None"}


def typed(name, value):
    """A setting of a Config as its field has it, a whole number where a number is asked for as a float.

    ValueError if it is of another kind.

    >>> typed("lr", 1), typed("debiased", "true")
    (1.0, True)
    >>> typed("depth", "abc")
    Traceback (most recent call last):
    ValueError: depth is a whole number, received 'abc': give it as depth=50
    """
    known = Config.__dataclass_fields__[name]
    kinds = get_args(known.type) or (known.type,)
    if hasattr(value, "item"):  # numbers of numpy and torch
        value = value.item()
    if float in kinds and type(value) is int:
        value = float(value)
    if bool in kinds and str(value).lower() in ("true", "false"):  # as other languages have it
        return str(value).lower() == "true"
    if type(value) in kinds:
        return value
    wanted = " or ".join(WORDS[kind] for kind in kinds)
    example = "" if known.default is MISSING else f": give it as {name}={known.default!r}"
    raise ValueError(f"{name} is {wanted}, received {value!r}{example}")


def config(experiment, *, condition="base", profile="fast", regime="untrainable", seed=0, **overrides):
    """The Config of one run: profile, regime and condition give the numbers, `overrides` change any of them.

    The random streams of target, guide, data order, dropout and noise are seeded apart, all following from
    `seed`. ValueError for a name or a choice that is not known, with the list of those that are. No data are
    read.

    >>> config("deep-fcn", condition="untrained-warm-up", profile="smoke", seed=3).guide_seed
    1003
    """
    check("experiment", experiment, CATALOGUE)
    check("profile", profile, PROFILES)
    check("regime", regime, REGIMES)
    catalogued = CATALOGUE[experiment]
    known = list(dict.fromkeys(["untrainable", *(name for name, _ in catalogued.regimes)]))
    if regime not in known:
        raise ValueError(f"{experiment} has no regime {regime!r}: choose from {', '.join(known)}")
    asked = find_condition(condition)
    if asked.needs and not getattr(catalogued, asked.needs):
        raise ValueError(f"{experiment} has no {condition}: {asked.why}")
    names = [f.name for f in fields(Config)]
    for name in overrides:
        check("setting", name, names, meant=MEANT.get(name))
    if profile not in catalogued.sizes:
        known = ", ".join(catalogued.sizes)
        raise ValueError(f"{experiment} has no profile {profile!r}: choose from {known}")

    # What comes later wins: the experiment at this size, then in this regime, the condition, the caller.
    overrides = {name: typed(name, value) for name, value in overrides.items()}
    tuned = chosen(experiment, regime, profile)
    like = tuned_as(tuned, condition, overrides) or tuned_as(tuned, asked.like, overrides)
    values = {"recipe": catalogued.recipe, "split_seed": seed}
    values |= {"target_seed": seed, "guide_seed": 1000 + seed, "order_seed": 2000 + seed,
               "dropout_seed": 3000 + seed, "noise_seed": 4000 + seed}
    values |= catalogued.sizes[profile]
    values |= catalogued.regimes.get((regime, profile), {})
    values |= tuned.get(like, {})
    values |= asked.settings
    values |= overrides
    made = Config(experiment=experiment, condition=condition, profile=profile, regime=regime, seed=seed,
                  **values)
    check_choices(made)
    if asked.longer and "epochs" not in overrides:
        made = made.with_(epochs=made.epochs + more_epochs(made))
    return made


def examples_of(config):
    """How many training examples a Config has, each image counted as often as it is placed; 0: all there are.

    >>> examples_of(config("wide-fcn")), examples_of(config("deep-fcn"))
    (2000, 1000)
    """
    if config.data != "placed-digits":
        return config.train
    return config.train * (config.copies or signature(placed_digits).parameters["copies"].default)


def more_epochs(config):
    """How many epochs a warm-up of this Config is worth, in steps.

    >>> more_epochs(config("deep-fcn", profile="smoke", warm_up_steps=10, train=200, batch_size=32))
    2
    """
    examples = examples_of(config) or config.warm_up_steps * config.batch_size
    return -(-config.warm_up_steps * config.batch_size // examples)


def check_choices(config):
    """ValueError for a choice that nothing knows, before anything is read or trained."""
    from ..guidance.guides import NORMS as GUIDE_NORMS
    from ..guidance.options import REDUCTIONS
    from ..guidance.pairing import MATCHES
    from ..guidance.samples import SAMPLES
    from ..networks.fcn import INITS, NORMS
    from ..similarity import find
    from ..training.loop import OPTIMIZERS, SCHEDULES

    choices = {"match": MATCHES, "reduce": REDUCTIONS, "optimizer": OPTIMIZERS, "schedule": SCHEDULES,
               "norm": NORMS, "init": INITS, "guide_norm": GUIDE_NORMS, "samples": SAMPLES,
               "watched": ("untrained", "trained")}
    for name, known in choices.items():
        value = getattr(config, name)
        if value is None and None in known:
            continue
        check(name, value, [word for word in known if word is not None])
    least = find(config.similarity, debiased=config.debiased).least
    if config.subset and config.subset < least:
        raise ValueError(f"subset is 0, for all of a batch, or at least {least} examples, received "
                         f"{config.subset}")
    if config.layers != "all" and not ENDS.fullmatch(config.layers) and not set(config.layers) & set("*."):
        raise ValueError("layers is 'all', 'first-K' or 'last-K', or a glob of the target's layers such as "
                         f"'blocks.*.out', received {config.layers!r}")
