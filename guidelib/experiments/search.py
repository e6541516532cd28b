"""The searches behind the settings, all chosen on validation, on seeds that no result is reported on.

    python -m guidelib.experiments.search tuned deep-fcn --regime overfit --out results/search
    python -m guidelib.experiments.search size copy-paste --out results/search
    python -m guidelib.experiments.search equal deep-fcn --out results/search

"tuned" is behind base-tuned: the fair base is the best setting of the unguided target. It sees base runs
alone, at most 40 of them. Half the settings go on to a second seed.

"size" is behind a `fast` size, where the base fails in the paper's sense while the guide's own architecture
learns. It sees the base and guide-alone, never a guided run, at most 40 runs an experiment.

"equal" gives every side the same: base, guides and controls, six trials each, two seeds a trial.

What each of them tries is in the experiment's file in guidelib/experiments/catalogue.
"""

import argparse
from itertools import product
from pathlib import Path

import pandas as pd

from . import REGIMES, config, run_grid
from .catalogue import CATALOGUE

SEARCHED = (100, 101)  # seeds
DECAYS = (0.0, 1e-4, 1e-2)  # weight decays that "tuned" tries with the best setting of the space
FINALISTS = 6  # settings that go on to the second seed there

REACHED = ("validation_accuracy", "validation_loss", "status", "best_epoch")
REACHED_BY_SIZE = (
    "status", "best_epoch", "train_accuracy_last", "validation_accuracy", "validation_accuracy_last",
    "validation_loss", "validation_loss_last", "chance", "chance_loss", "floor_loss")


def tuned(experiment, *, regime="untrainable", profile="fast", out, jobs=2):
    """Table of all settings tried, with validation accuracy and loss at the best epoch by seed.

    First every setting on one seed, then the FINALISTS on the other, then weight decay on both with the best
    of these. The chosen one is marked.
    """
    space, by = CATALOGUE[experiment].space, CATALOGUE[experiment].chosen_by
    names = [*space, "weight_decay"]
    rows = []

    def measure(settings, seeds):
        configs = [config(experiment, profile=profile, regime=regime, seed=seed, **values)
                   for values, seed in product(settings, seeds)]
        for made, record in zip(configs, run_grid(configs, out=out, jobs=jobs), strict=True):
            row = {name: getattr(made, name) for name in names}
            row["seed"] = made.seed
            rows.append(row | {name: record["metrics"][name] for name in REACHED})

    combinations = [dict(zip(space, values, strict=True)) for values in product(*space.values())]
    measure(combinations, SEARCHED[:1])
    measure(best_first(rows, names, by=by)[:FINALISTS], SEARCHED[1:])
    best = best_first(rows, names, by=by, seeds=2)[0]
    measure([best | {"weight_decay": decay} for decay in DECAYS if decay != best["weight_decay"]], SEARCHED)
    best = best_first(rows, names, by=by, seeds=2)[0]
    table = pd.DataFrame(rows)
    table["chosen"] = [all(row[name] == best[name] for name in names) for row in rows]
    return table


def best_first(rows, names, *, by="validation_accuracy", seeds=1):
    """The settings of rows by the mean of a metric, the best first, if they ran on so many seeds at least.

    >>> rows = [{"lr": 0.1, "validation_loss": 2.0}, {"lr": 0.2, "validation_loss": 1.0}]
    >>> best_first(rows, ["lr"], by="validation_loss")
    [{'lr': 0.2}, {'lr': 0.1}]
    """
    sign = -1 if by == "validation_loss" else 1
    scores = {}
    for row in rows:
        setting = tuple(row[name] for name in names)
        scores.setdefault(setting, []).append(sign * row[by])
    means = {setting: sum(found) / len(found) for setting, found in scores.items() if len(found) >= seeds}
    return [dict(zip(names, setting, strict=True)) for setting in sorted(means, key=means.get, reverse=True)]


def size(experiment, *, out, jobs=2):
    """Table with one row a candidate and condition: overrides, what is reached, and how long a run takes."""
    seed = SEARCHED[0]
    tried = list(product(CATALOGUE[experiment].candidates, ("base", "guide-alone")))
    configs = [config(experiment, condition=condition, seed=seed, **overrides)
               for overrides, condition in tried]
    rows = []
    for (overrides, condition), record in zip(tried, run_grid(configs, out=out, jobs=jobs), strict=True):
        words = " ".join(f"{name}={value}" for name, value in overrides.items())
        row = {"overrides": words, "condition": condition, "seed": seed}
        row |= {name: record["metrics"].get(name) for name in REACHED_BY_SIZE}
        rows.append(row | {"duration_s": record["duration_s"]})
    return pd.DataFrame(rows)


def equal(experiment, *, profile="fast", out, jobs=2):
    """Table with one row a trial and seed: what was tried, validation accuracy and loss at the best epoch.

    The chosen trial of each condition is marked.
    """
    tried = []
    for condition, trials in CATALOGUE[experiment].trials.items():
        tried += [(condition, seed, values) for seed, values in product(SEARCHED, trials)]
    configs = [config(experiment, condition=condition, profile=profile, seed=seed, **values)
               for condition, seed, values in tried]
    rows = []
    for (condition, seed, values), record in zip(tried, run_grid(configs, out=out, jobs=jobs), strict=True):
        row = {"condition": condition} | values | {"seed": seed}
        rows.append(row | {name: record["metrics"][name] for name in REACHED})
    return mark(pd.DataFrame(rows))


def mark(table):
    """The table with a column `chosen`: each condition's trial of highest mean validation accuracy.

    Of equals it is the first.

    >>> table = pd.DataFrame({"condition": "base", "lr": [0.1, 0.2], "seed": 100})
    >>> mark(table.assign(validation_accuracy=[0.5, 0.7]))["chosen"].tolist()
    [False, True]
    """
    names = [name for name in table.columns if name not in ("seed", *REACHED, "chosen")]
    trials = table.groupby(names, dropna=False, sort=False)
    means = trials["validation_accuracy"].mean().reset_index()
    best = means.groupby("condition", sort=False)["validation_accuracy"].idxmax()
    marked = means.loc[best, names].assign(chosen=True)
    found = table[names].merge(marked, how="left", on=names)["chosen"]
    return table.assign(chosen=found.notna().to_numpy())


def chosen(table):
    """{condition: its chosen settings} of a table of trials.

    >>> row = {"condition": "base", "lr": 0.1, "weight": None, "seed": 100, "chosen": True}
    >>> chosen(pd.DataFrame([row]))
    {'base': {'lr': 0.1}}
    """
    names = [name for name in table.columns if name not in ("condition", "seed", *REACHED, "chosen")]
    rows = table[table["chosen"]].drop_duplicates("condition").set_index("condition")[names]
    return {condition: row.dropna().to_dict() for condition, row in rows.iterrows()}


# kind: (search, the field of an experiment that says what it tries, the name of its log)
KINDS = {
    "tuned": (tuned, "space", "{experiment}-{regime}-{profile}.csv"),
    "size": (size, "candidates", "{experiment}-size.csv"),
    "equal": (equal, "trials", "{experiment}-equal-{profile}.csv"),
}


def main(argv=None):
    """Parse the command line, run the search, and write its log."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    for kind, (_, tried, _) in KINDS.items():
        command = kinds.add_parser(kind)
        command.add_argument("experiment", choices=[e.name for e in CATALOGUE.values() if getattr(e, tried)])
        command.add_argument("--out", type=Path, default=Path("results/search"))
        if kind == "tuned":
            command.add_argument("--regime", choices=REGIMES, default="untrainable")
        if kind != "size":
            command.add_argument("--profile", default="fast")
    options = vars(parser.parse_args(argv))

    search, _, log = KINDS[options["kind"]]
    place = {name: options[name] for name in ("regime", "profile") if name in options}
    table = search(options["experiment"], out=options["out"] / "records", **place)
    path = options["out"] / log.format(**options)
    table.to_csv(path, index=False)
    print(table.to_string(index=False), f"\n{len(table)} runs, written to {path}")
    if search is equal:
        for condition, values in chosen(table).items():
            print(f'"{condition}": {values},')


if __name__ == "__main__":
    main()
