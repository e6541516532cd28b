"""The conditions of the experiments: what each is called, what it is for, and how its guide is built.

Nobody else takes a name apart. A condition is a base or a reference without a guide, a distillation, or a
guide or control under a timing; add a line to UNGUIDED, DISTILLATIONS or GUIDES, and it can be run, costed,
drawn and judged.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ..guidance import controls
from .settings import check

ROLES = ("base", "guided", "control", "distilled", "reference")
TIMINGS = {  # name: (what it is, what a label adds)
    "": ("throughout, on data", ""),
    "warm-up": ("alignment alone, on noise, before training", "warm-up"),
    "stopped": ("for the first steps on data, then none", "then stopped"),
    "noise-fed": ("throughout, the guide fed noise", "fed noise"),
}


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One condition.

    role: one of ROLES. guide: the name of what steers the target, or None; timing: one of TIMINGS, when it
    does. build: makes the guide from its Parts. learns: the guide, or the teacher, is trained first. teacher:
    outputs are distilled from it; other: it is of the third family; uniform: it says the same of every class,
    and is no network. alone: the guide's own network is trained
    in the target's place; decoded: and linear decoders read its layers. moved: the target is not warmed up
    but moved as far, in a random direction. balanced: it is warmed up by its gradient ratio, without a guide.
    longer: it is trained for as many steps more as a warm-up takes. any_recipe: tuned over whatever needs no
    guide. like: the condition as which it is tuned, "" for itself. settings: what else it changes in a
    Config. needs: the field of Experiment that says whether an experiment has it, "" if all do; why: the
    others do not.
    """

    name: str
    role: str
    label: str
    guide: str | None = None
    timing: str = ""
    build: Callable | None = field(default=None, repr=False, compare=False)
    learns: bool = False
    teacher: bool = False
    other: bool = False
    uniform: bool = False
    alone: bool = False
    decoded: bool = False
    moved: bool = False
    balanced: bool = False
    longer: bool = False
    any_recipe: bool = False
    like: str = ""
    settings: dict = field(default_factory=dict)
    needs: str = ""
    why: str = ""

    @property
    def warms_up(self):
        """Whether the target is aligned before training, and trained without a guide."""
        return self.balanced or (self.guide is not None and self.timing == "warm-up")

    @property
    def stays(self):
        """Whether the guide is there while the target is trained, to the end or not."""
        return self.guide is not None and self.timing != "warm-up"

    @property
    def rival(self):
        """The base that an effect of it is measured against: it had as many steps, and the same start.

        >>> [CONDITIONS[name].rival for name in ("trained", "trained-warm-up", "shifted-trained")]
        ['base', 'base-longer', 'shifted-init']
        """
        if self.warms_up:
            return "base-longer"
        return "shifted-init" if self.guide and "shift" in self.settings else "base"

    def at(self, timing):
        """The condition in which the same guide steers the target at another timing.

        >>> CONDITIONS["identity"].at("warm-up").name
        'identity-warm-up'
        """
        return CONDITIONS[f"{self.guide}-{timing}" if timing else self.guide]

    def controls(self):
        """The conditions that an effect of this one has to beat: every control under its timing.

        Of what is distilled, smoothed labels; there are none for what has no guide or teacher to explain.

        >>> [c.name for c in CONDITIONS["trained-warm-up"].controls()][:2]
        ['moved-as-far', 'identity-warm-up']
        >>> [c.name for c in CONDITIONS["distilled"].controls()]
        ['distilled-uniform']
        """
        if self.role not in ("guided", "distilled"):
            return ()
        return tuple(c for c in CONDITIONS.values() if c.role == "control" and c.timing == self.timing
                     and c.teacher == self.teacher)


@dataclass(frozen=True)
class Parts:
    """What a guide is built from.

    like: the Guide around a network of the guide's family; same, other: call for a Guide around a random net
    of the target's family and of a third one; seed: of what the control draws; pad: the task's token that is
    no part of a sequence, or None.
    """

    like: object
    same: Callable
    other: Callable
    seed: int
    pad: int | None = None


@dataclass(frozen=True)
class Kind:
    """What steers the target, under any timing: its role, label, and how it is built from Parts.

    otherwise: it was trained for another task. layers: whose layers the target's are paired with, a name of
    Parts; runs: that network runs at each step; whole: what one Gram matrix for all layers is made of in
    their place, "examples", "inputs" or "lengths", or "". anew: its examples or features are others at each
    step, so that it cannot be approached. settings: what else it changes in a Config. needs, why: as of a
    Condition.
    """

    role: str
    label: str
    build: Callable
    learns: bool = False
    otherwise: bool = False
    layers: str = "like"
    runs: bool = True
    whole: str = ""
    anew: bool = False
    settings: dict = field(default_factory=dict)
    needs: str = ""
    why: str = ""


GUIDES = {
    "trained": Kind("guided", "trained guide", lambda parts: parts.like, learns=True),
    "trained-otherwise": Kind("guided", "guide trained for another task, odd or even",
                              lambda parts: parts.like, learns=True, otherwise=True),
    "untrained": Kind("guided", "untrained guide", lambda parts: parts.like),
    "identity": Kind("control", "control: identity Gram matrix", lambda parts: controls.identity(parts.like),
                     runs=False, whole="examples"),
    "data-gram": Kind("control", "control: the input's own Gram matrix",
                      lambda parts: controls.data_gram(parts.like), runs=False, whole="inputs"),
    "length-gram": Kind("control", "control: the sequences' lengths alone",
                        lambda parts: controls.length_gram(parts.like, pad=parts.pad), runs=False,
                        whole="lengths", needs="lengths", why="its examples are all of one length"),
    "shuffled": Kind("control", "control: shuffled examples",
                     lambda parts: controls.shuffled(parts.like, seed=parts.seed), anew=True),
    # BatchNorm as in eval is the identity in an untrained net: after 50 such layers all examples look alike.
    "same-family": Kind("control", "control: random net of the target's family", lambda parts: parts.same(),
                        layers="same", settings={"guide_norm": "batch"}),
    "other-family": Kind("control", "control: random net of a third family", lambda parts: parts.other(),
                         layers="other"),
    "shuffled-layers": Kind("control", "control: the guide's layers shuffled",
                            lambda parts: controls.shuffled_layers(parts.like, seed=parts.seed)),
    "fresh-noise": Kind("control", "control: noise features",
                        lambda parts: controls.fresh_noise(parts.like, seed=parts.seed), runs=False,
                        anew=True),
}

SHIFT = {"shift": 1.0}
NO_NORM = "its target has no normalisation whose biases could be shifted"
UNGUIDED = (
    Condition(name="base", role="base", label="base without a guide"),
    Condition(name="base-longer", role="base", label="base, trained longer by a warm-up's steps",
              longer=True),
    Condition(name="base-tuned", role="base", label="tuned base", any_recipe=True),
    Condition(name="base-residual", role="base", label="base with skips (another network)", like="base",
              settings={"residual": True}, needs="residual",
              why="its target is a recurrent net, or has skips already"),
    Condition(name="shifted-init", role="reference", label="no guide, biases of BatchNorm start at 1",
              settings=SHIFT, needs="shifted", why=NO_NORM),
    Condition(name="looks-linear-init", role="reference", label="no guide, looks-linear initialisation",
              settings={"init": "looks-linear"}, needs="mirrored",
              why="its target has no units that can be mirrored"),
    Condition(name="balanced-init", role="reference", label="no guide, gradients balanced on noise",
              balanced=True, needs="mirrored", why="its gradients come through more than a chain of layers"),
    Condition(name="dimension-kept", role="reference", label="no guide, effective dimension kept",
              settings={"dimension": 6.0}),
    Condition(name="guide-alone", role="reference", label="the guide's own architecture, trained alone",
              alone=True),
    # At a rate of 0 nothing is learnt, and normalisation is set to the data.
    Condition(name="guide-untrained", role="reference", label="the guide's own architecture, untrained",
              alone=True, decoded=True, settings={"guide_lr": 0.0, "guide_epochs": 1}),
)
SHIFTED = tuple(
    Condition(name=f"shifted-{guide}", role="reference", label=f"{GUIDES[guide].label}, biases start at 1",
              guide=guide, build=GUIDES[guide].build, learns=GUIDES[guide].learns, settings=SHIFT,
              needs="shifted", why=NO_NORM)
    for guide in ("untrained", "trained"))
MOVED = Condition(
    name="moved-as-far", role="control", label="control: moved as far at random", guide="untrained",
    timing="warm-up", build=GUIDES["untrained"].build, moved=True)
PRESERVING = {"similarity": "sp"}
DISTILLATIONS = (
    Condition(name="distilled", role="distilled", label="distilled, trained teacher", teacher=True,
              learns=True),
    Condition(name="distilled-untrained", role="distilled", label="distilled, untrained teacher",
              teacher=True),
    Condition(name="distilled-other", role="distilled", label="distilled, trained teacher of a third family",
              teacher=True, learns=True, other=True),
    Condition(name="distilled-uniform", role="control", label="control: smoothed labels, no teacher",
              teacher=True, uniform=True),
    Condition(name="sp-trained", role="distilled", label="similarity-preserving, trained teacher",
              guide="trained", build=GUIDES["trained"].build, learns=True, settings=PRESERVING),
    Condition(name="sp-untrained", role="distilled", label="similarity-preserving, untrained teacher",
              guide="untrained", build=GUIDES["untrained"].build, settings=PRESERVING),
)


def table():
    """{name: Condition} of all, in the order in which they are listed and drawn."""
    conditions = [*UNGUIDED, *DISTILLATIONS, *SHIFTED, MOVED]
    for guide, kind in GUIDES.items():
        for timing, (_, words) in TIMINGS.items():
            name = f"{guide}-{timing}" if timing else guide
            label = f"{kind.label}, {words}" if words else kind.label
            like = guide if timing in ("stopped", "noise-fed") else ""
            conditions.append(Condition(name=name, role=kind.role, label=label, guide=guide, timing=timing,
                                        build=kind.build, learns=kind.learns, like=like,
                                        settings=kind.settings, needs=kind.needs, why=kind.why))
    return {condition.name: condition for condition in conditions}


CONDITIONS = table()


def find_condition(name):
    """The Condition of a name; ValueError lists them all.

    A variant of a condition, "NAME (what differs)" as made by `variant`, has all but its name and label from
    NAME.

    >>> find_condition("same-family-warm-up").guide, find_condition("same-family-warm-up").timing
    ('same-family', 'warm-up')
    """
    base, _, differs = name.partition(" (")
    check("condition", base, CONDITIONS)
    found = CONDITIONS[base]
    if not differs:
        return found
    return replace(found, name=name, label=f"{found.label} ({differs}")


def variant(records, differs):
    """Records under a name of their own: what differs in them then stands behind their condition.

    >>> variant([{"config": {"condition": "base", "seed": 0}}], "orthogonal")
    [{'config': {'condition': 'base (orthogonal)', 'seed': 0}}]
    """
    renamed = []
    for record in records:
        condition = f"{record['config']['condition']} ({differs})"
        renamed.append(record | {"config": record["config"] | {"condition": condition}})
    return renamed
