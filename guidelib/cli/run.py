"""Make one run of an experiment, resume one that was stopped, or read its record, and print its numbers.

    guidelib run deep-fcn --condition untrained-warm-up --seed 0 --profile fast --out records
    guidelib run deep-fcn --condition base --set lr=0.003 --set dropout=0.0
    guidelib run deep-fcn --condition untrained --profile paper --dry-run
"""

from pathlib import Path

from ..experiments.screen import say
from .options import assignment

WIDTH = 30  # of names, before their values


def arguments(parser):
    parser.add_argument("experiment")
    parser.add_argument("--condition", default="base")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--profile", default="fast")
    parser.add_argument("--regime", default="untrainable")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, help="folder of the records; without it nothing is kept")
    parser.add_argument("--dry-run", action="store_true",
                        help="print parameters, memory, steps and operations, and run nothing")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="override a setting; may be repeated")


def main(options):
    from ..experiments import config, run
    from ..experiments.cost import dry_run
    from ..experiments.records import path_of
    from ..files import writable

    try:
        settings = dict(assignment(text) for text in options.set)
        made = config(options.experiment, condition=options.condition, profile=options.profile,
                      regime=options.regime, seed=options.seed, **settings)
        if options.dry_run:
            for quantity, value in dry_run(made).itertuples(index=False):
                shown = f"{value:,.0f}" if value == int(value) or value >= 1000 else f"{value:.3g}"
                print(f"{quantity:{WIDTH}}{shown}")
            return 0
        if options.out:
            writable(options.out)
        record = run(made, out=options.out, device=options.device)
    except (ValueError, OSError) as error:
        say(f"guidelib run: {error}")
        return 2
    for name, value in sorted(record["metrics"].items()):
        shown = f"{value:.4f}" if isinstance(value, float) else value
        print(f"{name:{WIDTH}}{shown}")
    print(f"{'seconds':{WIDTH}}{record['duration_s']}")
    if options.out:
        print(f"{'record':{WIDTH}}{path_of(made, options.out)}")
    return 0
