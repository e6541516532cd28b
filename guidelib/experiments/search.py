"""The search behind base-tuned: the fair base is the best setting of the unguided target, chosen on validation.

    python -m guidelib.experiments.search deep-fcn --regime overfit --out results/search

It sees base runs alone, on seeds that no result is reported on, at most 40 of them. Half the settings go on to a second seed.
"""

import argparse
from itertools import product
from pathlib import Path

from . import REGIMES, config, run_grid

SEARCHED = (100, 101)
RATES = (3e-4, 1e-3, 3e-3, 1e-2)
FCN = {"lr": RATES, "dropout": (0.0, 0.1), "init": ("default", "he", "orthogonal")}
RNN = {"lr": RATES, "clip": (None, 0.25, 1.0)}
SPACES = {"deep-fcn": FCN, "deep-fcn-vit": FCN, "wide-fcn": FCN, "deep-convnet": {"lr": RATES, "init": ("default", "he")},
          "copy-paste": RNN, "parity": {"lr": RATES, "dropout": (0.0, 0.1)}, "language-model": RNN}
DECAYS = (0.0, 1e-4, 1e-2)  # tried with the best setting of the space
FINALISTS = 6


def search(experiment, *, regime, profile="fast", out, jobs=2):
    """Table of all settings tried, with validation accuracy and loss at the best epoch by seed; the chosen one is marked.

    First every setting on one seed, then the FINALISTS on the other, then weight decay on both with the best of these.
    """
    import pandas as pd

    space = SPACES[experiment]
    rows, names = [], [*space, "weight_decay"]

    def measure(settings, seeds):
        configs = [config(experiment, profile=profile, regime=regime, seed=seed, **s) for s in settings for seed in seeds]
        for c, record in zip(configs, run_grid(configs, out=out, jobs=jobs), strict=True):
            rows.append({name: getattr(c, name) for name in names} | {"seed": c.seed}
                        | {name: record["metrics"][name] for name in ("validation_accuracy", "validation_loss", "status", "best_epoch")})

    def ranked(least):
        found = {}
        for row in rows:
            score = -row["validation_loss"] if experiment == "language-model" else row["validation_accuracy"]  # as perplexity counts there
            found.setdefault(tuple(row[name] for name in names), []).append(score)
        found = {setting: sum(v) / len(v) for setting, v in found.items() if len(v) >= least}
        return [dict(zip(names, setting, strict=True)) for setting in sorted(found, key=found.get, reverse=True)]

    measure([dict(zip(space, values, strict=True)) for values in product(*space.values())], SEARCHED[:1])
    measure(ranked(1)[:FINALISTS], SEARCHED[1:])
    best = ranked(2)[0]
    measure([best | {"weight_decay": decay} for decay in DECAYS if decay != best["weight_decay"]], SEARCHED)
    best = ranked(2)[0]
    table = pd.DataFrame(rows)
    table["chosen"] = [all(row[name] == best[name] for name in names) for row in rows]
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment")
    parser.add_argument("--regime", choices=tuple(REGIMES), default="untrainable")
    parser.add_argument("--profile", default="fast")
    parser.add_argument("--out", type=Path, default=Path("results/search"))
    options = parser.parse_args()
    table = search(options.experiment, regime=options.regime, profile=options.profile, out=options.out / "records")
    path = options.out / f"{options.experiment}-{options.regime}-{options.profile}.csv"
    table.to_csv(path, index=False)
    print(table.to_string(index=False), f"\n{len(table)} runs, written to {path}")


if __name__ == "__main__":
    main()
