"""Conditions of an experiment: a base, a distillation of outputs or of similarities, or GUIDE[-SCHEDULE]."""

from dataclasses import dataclass

from .settings import check

GUIDES = ("trained", "untrained", "identity", "data-gram", "shuffled", "same-family", "other-family", "fresh-noise")
SCHEDULES = {
    "": "throughout, on data",
    "warm-up": "alignment alone, on noise, before training",
    "stopped": "for the first steps on data, then none",
    "noise-fed": "throughout, the guide fed noise",
}
BASES = ("base", "base-tuned", "base-residual")
SHIFTED = "shifted-init"  # no guide: every BatchNorm's bias starts at 1
ALONE = "guide-alone"  # a network of the guide's family trained by itself: what the target is measured by
DISTILLATIONS = ("distilled", "distilled-untrained")
PRESERVED = ("sp-trained", "sp-untrained")  # similarity-preserving distillation, over the same layer pairs as guidance
CONDITIONS = BASES + (SHIFTED, ALONE) + DISTILLATIONS + PRESERVED + tuple(f"{guide}-{schedule}".rstrip("-") for guide in GUIDES for schedule in SCHEDULES)


@dataclass(frozen=True)
class Condition:
    """guide: one of GUIDES or None. schedule: one of SCHEDULES. teacher: None, "trained" or "untrained"."""

    name: str
    guide: str | None = None
    schedule: str = ""
    teacher: str | None = None


def parse(name):
    """The Condition of a name; ValueError lists them all.

    >>> parse("same-family-warm-up")
    Condition(name='same-family-warm-up', guide='same-family', schedule='warm-up', teacher=None)
    """
    check("condition", name, CONDITIONS)
    if name in BASES or name in (SHIFTED, ALONE):
        return Condition(name)
    if name in DISTILLATIONS:
        return Condition(name, teacher="untrained" if name.endswith("-untrained") else "trained")
    if name in PRESERVED:
        return Condition(name, guide=name.removeprefix("sp-"))
    guide = next(g for g in GUIDES if name == g or name.startswith(f"{g}-"))
    return Condition(name, guide=guide, schedule=name[len(guide) + 1:])
