"""The search behind a `fast` setting: where the base fails in the paper's sense while the guide's own architecture learns.

    python -m guidelib.experiments.size_search copy-paste --out results/search

It sees the base and `guide-alone`, never a guided run, on a seed that no result is reported on, at most 40 runs an experiment.
"""

import argparse
from pathlib import Path

from . import EXPERIMENTS, config, run_grid

SEARCHED = 100

# What is tried for each experiment, beside its present `fast` setting ({}).
CANDIDATES = {
    "deep-fcn": ({}, {"depth": 30}),
    "deep-fcn-vit": ({}, {"guide_lr": 3e-3}),
    "wide-fcn": ({}, {"train": 200}, {"train": 60, "width": 1024}, {"guide_epochs": 60, "guide_lr": 1e-3}),
    "deep-convnet": ({}, {"train": 500, "epochs": 8}, {"guide_epochs": 6}),
    "copy-paste": ({}, {"shortest": 4, "longest": 8}, {"shortest": 8, "longest": 12, "epochs": 10}),
    "parity": ({}, {"guide_lr": 1e-3}, {"longest": 30}),
    "language-model": ({}, {"depth": 4, "width": 64, "epochs": 8}, {"depth": 8, "guide_width": 32, "epochs": 8}),
}
COLUMNS = ("status", "best_epoch", "train_accuracy_last", "validation_accuracy", "validation_accuracy_last", "validation_loss", "validation_loss_last",
           "chance", "chance_loss", "floor_loss")


def search(experiment, *, out, jobs=2, candidates=None):
    """Table with one row a candidate and condition: its overrides, what base and guide-alone reach, and how long a run takes."""
    import pandas as pd

    tried = [(o, c) for o in candidates or CANDIDATES[experiment] for c in ("base", "guide-alone")]
    records = run_grid([config(experiment, condition=c, seed=SEARCHED, **o) for o, c in tried], out=out, jobs=jobs)
    return pd.DataFrame([{"overrides": " ".join(f"{k}={v}" for k, v in o.items()), "condition": c, "seed": SEARCHED}
                         | {name: r["metrics"].get(name) for name in COLUMNS} | {"duration_s": r["duration_s"]}
                         for (o, c), r in zip(tried, records, strict=True)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", choices=EXPERIMENTS)
    parser.add_argument("--out", type=Path, default=Path("results/search"))
    options = parser.parse_args()
    table = search(options.experiment, out=options.out / "records")
    path = options.out / f"{options.experiment}-size.csv"
    table.to_csv(path, index=False)
    print(table.to_string(index=False), f"\n{len(table)} runs, written to {path}")


if __name__ == "__main__":
    main()
