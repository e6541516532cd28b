"""Reports on real runs, each with a flaw planted in it but one, for a learner to find."""

import random

import pandas as pd

from ..evidence import named, percent, student_t_interval, value
from ..experiments import config, seeds, tuning
from ..experiments.kept import KEPT
from ..experiments.records import path_of, read

FLAWS = {  # flaw: where it shows
    "no control": "look at which rows are missing: what would explain the gain without the guide?",
    "one seed": "look at the column `seeds`, and at what an interval would need.",
    "unequal trials": "look at the column `trials`: who was tuned, and who was not?",
    "another dose": "look at the column `dose`: trials draw it from 0.1 to 10; was each given that chance?",
    "unequal steps": "look at the column `steps`: who was trained for longer?",
    "nothing": "go through all five columns once more: is anything in it unfair?",
}
LETTERS = "ABCDEF"
ROLES = ("base", "guide", "control")


def dealt(name, *, flaws=FLAWS):
    """{letter: flaw}, in an order that belongs to a name, the same each time; flaws: {flaw: where it shows}.

    >>> sorted(dealt("02").values()) == sorted(FLAWS), dealt("02") == dealt("02")
    (True, True)
    """
    order = list(flaws)
    random.Random(name).shuffle(order)
    return dict(zip(LETTERS, order, strict=True))


def reports(name, experiment, *, guide, control, regime="untrainable"):
    """{letter: table} of the base, a guide and a control that the project keeps, true but for the flaw.

    name: of the notebook, to which an order of the flaws belongs. No accuracy is changed, but that one seed
    stands for all where that is the flaw.
    """
    trials = tuning.trials(experiment, regime=regime)["condition"].value_counts()
    runs = {}
    for condition in ("base", guide, control):
        made = [config(experiment, condition=condition, regime=regime, seed=seed)
                for seed in seeds(experiment, regime=regime)]
        runs[condition] = [read(path_of(c, KEPT / "fast")) for c in made]
    shown = {}
    for letter, flaw in dealt(name).items():
        rows = [planted(row(found, trials[condition], one=flaw == "one seed"), flaw, role)
                for role, (condition, found) in zip(ROLES, runs.items(), strict=True)]
        shown[letter] = pd.DataFrame(row for row in rows if row)
    return shown


def row(runs, trials, *, one):
    """What a report says of the runs of a condition; one: of the first alone."""
    runs = runs[:1] if one else runs
    made = runs[0]["config"]
    accuracy = [value(r, "test_accuracy") for r in runs]
    interval = accuracy if one else student_t_interval(accuracy)
    dose = f"{made['dose']:g}" if made["condition"] != "base" else ""
    return {"run": named(made["condition"], short=True), "seeds": len(runs), "trials": int(trials),
            "dose": dose, "steps": runs[0]["metrics"]["steps"], "test accuracy": percent(*interval)}


def planted(row, flaw, role):
    """A row with the flaw in it, if that shows in the row of this role; None where it is left out."""
    if flaw == "no control" and role == "control":
        return None
    changed = {("unequal trials", "base"): {"trials": 1}, ("another dose", "control"): {"dose": "0.01"},
               ("unequal steps", "base"): {"steps": row["steps"] // 2}}
    return row | changed.get((flaw, role), {})


def in_markdown(table):
    """A report as a table in Markdown.

    >>> print(in_markdown(pd.DataFrame([{"run": "base", "seeds": 10}])))
    | run | seeds |
    |---|---|
    | base | 10 |
    """
    rows = [list(table), *table.astype(str).to_numpy().tolist()]
    head, *body = [f"| {' | '.join(cells)} |" for cells in rows]
    return "\n".join([head, "|---" * len(table.columns) + "|", *body])


def wrong(answer, truth, *, flaws=FLAWS):
    """What is wrong with the flaws that a learner names, or ""; answer, truth: {letter: flaw}.

    flaws: {flaw: where it shows}.

    >>> wrong({"A": "one seed"}, {"A": "nothing"})
    '0 of 1 are right. A: go through all five columns once more: is anything in it unfair?'
    """
    if not isinstance(answer, dict) or set(answer) != set(truth):
        return f"A dict with the keys {', '.join(truth)} is asked for; yours is {answer!r}."
    unknown = [flaw for flaw in answer.values() if flaw not in flaws]
    if unknown:
        return f"There is no answer {unknown[0]!r}: choose from {', '.join(map(repr, flaws))}."
    missed = [letter for letter in truth if answer[letter] != truth[letter]]
    if not missed:
        return ""
    said = flaws[truth[missed[0]]]
    right = len(truth) - len(missed)
    return f"{right} of {len(truth)} are right. {missed[0]}: {said}"
