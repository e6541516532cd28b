"""The search in which every side gets the same: base, guides and controls, six trials each, two seeds a trial, chosen on validation.

    python -m guidelib.experiments.equal_search deep-fcn --out results/search

Guidance throughout is tried at two learning rates and three weights; what has no weight, the base, the shifted biases and the training
after a warm-up, at six learning rates; the base with any recipe that needs no guide at two rates and three initialisations, without
dropout. Its seeds are none of those that results are reported on.
"""

import argparse
from itertools import product
from pathlib import Path

from . import config, run_grid

SEARCHED = (100, 101)
GUIDES = ("untrained", "trained", "identity", "data-gram", "shuffled", "same-family", "other-family")
GUIDED = tuple({"lr": lr, "weight": weight} for lr, weight in product((1e-3, 3e-3), (1.0, 3.0, 10.0)))
RATES = tuple({"lr": lr} for lr in (3e-4, 1e-3, 2e-3, 3e-3, 5e-3, 1e-2))
TUNED = tuple({"lr": lr, "dropout": 0.0, "init": init} for lr, init in product((1e-3, 3e-3), ("default", "he", "orthogonal")))
TRIALS = {
    "deep-fcn": {"base": RATES, "base-tuned": TUNED, "shifted-init": RATES} | dict.fromkeys(GUIDES, GUIDED)
    | {f"{guide}-warm-up": RATES for guide in (*GUIDES, "fresh-noise")},
}
COLUMNS = ("validation_accuracy", "validation_loss", "status", "best_epoch")


def search(experiment, *, profile="fast", out, jobs=2):
    """Table with one row a trial and seed: condition, what was tried, validation accuracy and loss at the best epoch; the chosen are marked."""
    import pandas as pd

    tried = [(condition, values, seed) for condition, trials in TRIALS[experiment].items() for seed in SEARCHED for values in trials]
    records = run_grid([config(experiment, condition=c, profile=profile, seed=s, **v) for c, v, s in tried], out=out, jobs=jobs)
    table = pd.DataFrame([{"condition": c} | v | {"seed": s} | {name: r["metrics"][name] for name in COLUMNS}
                          for (c, v, s), r in zip(tried, records, strict=True)])
    return mark(table)


def mark(table):
    """The table with a column `chosen`: of each condition the trial with the highest mean validation accuracy, the first of equals.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"condition": "base", "lr": [0.1, 0.2], "seed": 100, "validation_accuracy": [0.5, 0.7]})
    >>> mark(table)["chosen"].tolist()
    [False, True]
    """
    names = [name for name in table.columns if name not in ("seed", *COLUMNS, "chosen")]
    means = table.groupby(names, dropna=False, sort=False)["validation_accuracy"].mean().reset_index()
    best = means.loc[means.groupby("condition", sort=False)["validation_accuracy"].idxmax(), names]
    return table.assign(chosen=table[names].merge(best.assign(chosen=True), how="left", on=names)["chosen"].notna().to_numpy())


def chosen(table):
    """{condition: its chosen settings} of a table of trials.

    >>> import pandas as pd
    >>> chosen(pd.DataFrame({"condition": ["base"], "lr": [0.1], "weight": [None], "seed": [100], "validation_accuracy": [0.5], "chosen": [True]}))
    {'base': {'lr': 0.1}}
    """
    names = [name for name in table.columns if name not in ("condition", "seed", *COLUMNS, "chosen")]
    rows = table[table["chosen"]].drop_duplicates("condition").set_index("condition")[names]
    return {condition: row.dropna().to_dict() for condition, row in rows.iterrows()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", choices=tuple(TRIALS))
    parser.add_argument("--profile", default="fast")
    parser.add_argument("--out", type=Path, default=Path("results/search"))
    options = parser.parse_args()
    table = search(options.experiment, profile=options.profile, out=options.out / "records")
    path = options.out / f"{options.experiment}-equal-{options.profile}.csv"
    table.to_csv(path, index=False)
    print(table.to_string(index=False), f"\n{len(table)} runs, written to {path}")
    for condition, values in chosen(table).items():
        print(f'"{condition}": {values},')


if __name__ == "__main__":
    main()
