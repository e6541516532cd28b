"""Whether two nets err alike: a claim about pairs of runs, and of no single one."""

import math

import numpy as np

from ..analysis.consistency import error_consistency
from ..experiments import Config, make_task
from .gates import SEEDS, at_chance
from .intervals import student_t_interval
from .matching import one_a_seed
from .metrics import METRICS
from .significance import sign_flip
from .verdicts import helps, verdict

METRIC = "error_consistency"
BESIDE = ("data-gram", "shifted-init")  # no network guides the one, nothing the other: do they err so too?


def right(record):
    """Which test examples a run got right, booleans (n,), from the answers that its record holds.

    The examples' labels are those of the task, which is made again.
    """
    answers = record["curves"]["answers"]
    if isinstance(answers, str):
        answers = [int(character, 36) for character in answers]
    labels = make_task(Config(**record["config"])).test[1]
    return np.array(answers) == labels.numpy()


def likeness(claim, found):
    """What a Row holds of a claim that runs of `condition` and of `alike` err alike, from Runs of a setting.

    More alike than another pair, by default `condition` and the base; of a claim of harm, less. Each pair
    shares its seed: the split, the target's first weights and the order of the data.
    """
    pair = (claim.condition, claim.alike)
    rivals = claim.alike_against or (claim.condition, "base")
    needed = dict.fromkeys((*pair, *rivals))
    groups = {name: one_a_seed([run for run in found if run.has(name, {})]) for name in (*needed, *BESIDE)}
    seeds = sorted(set.intersection(*(set(groups[name]) for name in needed)))
    if not seeds:
        lacking = [name for name in needed if not groups[name]]
        return {"note": f"no records of {', '.join(lacking)} to pair with"}
    marks = {name: [right(group[seed]) for seed in seeds] for name, group in groups.items()
             if set(seeds) <= set(group)}

    def consistency(one, other):
        return [error_consistency(*sides, draws=1) for sides in zip(marks[one], marks[other], strict=True)]

    ours, theirs = consistency(*pair), consistency(*rivals)
    low, high = (theirs, ours) if not claim.worse else (ours, theirs)
    differences = [a.kappa - b.kappa for a, b in zip(high, low, strict=True)]
    row = {"seeds": len(seeds), "against": " with ".join(rivals) if claim.alike_against else "base",
           "p": sign_flip(differences)}
    row["mean"], row["low"], row["high"] = student_t_interval([found.kappa for found in ours])
    row["effect"], row["effect_low"], row["effect_high"] = student_t_interval(differences)
    row["helps"] = helps(differences, margin=METRICS[METRIC].margin, points=False)
    row["verdict"] = verdict(row["helps"], describes=True,
                             untested=gate(pair, groups, low, high, rivals if low is theirs else pair))
    beside = {other: consistency(claim.condition, other) for other in ("base", *BESIDE) if other in marks}
    told = [f"{mean_kappa(found):.2f} with {other}" for other, found in beside.items()]
    if claim.alike_against:
        told = [f"{mean_kappa(theirs):.2f}"]
    of_which = " with ".join(rivals) if claim.alike_against else claim.condition
    row["note"] = (f"Cohen's kappa of right and wrong, {' with '.join(pair)}, of one seed; of {of_which} it "
                   f"is {', '.join(told)}")
    return row


def gate(pair, groups, low, high, named):
    """Why two pairs do not tell whether nets err alike, or "".

    low, high: the consistencies of the pair that is claimed to be less alike, called `named`, and of the
    other.
    """
    if len(low) < SEEDS:
        return f"{len(low)} of the {SEEDS} seeds that a verdict takes"
    for name in pair:
        if at_chance(groups[name]):
            return f"{name} is at chance, and nets that know nothing err alike or not by luck"
    most = math.fsum(found.most for found in low) / len(low)
    if most <= mean_kappa(high):
        one, other = ("the base" if name == "base" else name for name in named)
        return (f"two accuracies as far apart as those of {one} and {other} allow a kappa of {most:.2f} at "
                "most")
    return ""


def mean_kappa(found):
    return math.fsum(pair.kappa for pair in found) / len(found)
