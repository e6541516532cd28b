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

    Beside them stand the same runs of `condition` and the base. Each pair shares its seed: the split, the
    target's first weights and the order of the data.
    """
    needed = (claim.condition, claim.alike, "base")
    groups = {name: one_a_seed([run for run in found if run.has(name, {})]) for name in (*needed, *BESIDE)}
    seeds = sorted(set.intersection(*(set(groups[name]) for name in needed)))
    if not seeds:
        lacking = [name for name in needed if not groups[name]]
        return {"note": f"no records of {', '.join(lacking)} to pair with"}
    marks = {seed: right(groups[claim.condition][seed]) for seed in seeds}
    found = {name: [error_consistency(marks[seed], right(groups[name][seed]), draws=1) for seed in seeds]
             for name in groups if set(seeds) <= set(groups[name])}
    kappas = {name: [pair.kappa for pair in pairs] for name, pairs in found.items()}
    most = math.fsum(pair.most for pair in found["base"]) / len(seeds)
    together = kappas[claim.alike]
    differences = [a - b for a, b in zip(together, kappas["base"], strict=True)]
    row = {"seeds": len(seeds), "against": "base", "p": sign_flip(differences)}
    row["mean"], row["low"], row["high"] = student_t_interval(together)
    row["effect"], row["effect_low"], row["effect_high"] = student_t_interval(differences)
    row["helps"] = helps(differences, margin=METRICS[METRIC].margin, points=False)
    gate = ""
    if len(seeds) < SEEDS:
        gate = f"{len(seeds)} of the {SEEDS} seeds that a verdict takes"
    for name in (claim.condition, claim.alike):
        if not gate and at_chance(groups[name]):
            gate = f"{name} is at chance, and nets that know nothing err alike or not by luck"
    if not gate and most <= row["mean"]:
        gate = (f"two accuracies as far apart as those of {claim.condition} and the base allow a kappa of "
                f"{most:.2f} at most")
    row["verdict"] = verdict(row["helps"], describes=True, untested=gate)
    told = [f"{math.fsum(kappas[name]) / len(seeds):.2f} with {name}"
            for name in ("base", *BESIDE) if name in kappas]
    row["note"] = (f"Cohen's kappa of right and wrong, {claim.condition} with {claim.alike}, of one seed; of "
                   f"{claim.condition} it is {', '.join(told)}")
    return row
