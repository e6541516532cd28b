"""Make all runs that an experiment compares, on the seeds that results are reported on; resume what is there.

    guidelib compare deep-fcn --out results/fast
    guidelib compare deep-fcn --conditions base untrained --seeds 20 21 --out records
    guidelib compare deep-fcn --conditions untrained shuffled --set layers=first-5 --out records

Each condition has the settings that `guidelib tune` chose for it, but for those that are set here.
"""

from pathlib import Path

from ..experiments.screen import say
from .options import assignment


def arguments(parser):
    parser.add_argument("experiment")
    parser.add_argument("--regime", default="untrainable")
    parser.add_argument("--profile", default="fast")
    parser.add_argument("--conditions", nargs="+", help="those to run; all that are compared without it")
    parser.add_argument("--seeds", nargs="+", type=int, help="all that results are reported on without it")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="override a setting of all of them; may be repeated")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, required=True, help="folder of the records")


def main(options):
    from ..evidence import metric_table
    from ..experiments import config, run_grid, seeds
    from ..experiments.catalogue import CATALOGUE
    from ..experiments.settings import check

    where = {"profile": options.profile, "regime": options.regime}
    try:
        check("experiment", options.experiment, CATALOGUE)
        settings = dict(assignment(text) for text in options.set)
        asked = options.seeds or seeds(options.experiment, **where)
        compared = CATALOGUE[options.experiment].compared.get((options.regime, options.profile), ())
        names = options.conditions or compared
        if not names:
            raise ValueError(f"nothing is compared in {options.experiment}, {options.regime}, "
                             f"{options.profile}: name --conditions")
        # Seed by seed, so that what is there at any time are whole comparisons.
        configs = [config(options.experiment, condition=name, seed=seed, **where, **settings)
                   for seed in asked for name in names]
        records = run_grid(configs, out=options.out, jobs=options.jobs, device=options.device)
    except (RuntimeError, ValueError, OSError) as error:
        say(f"guidelib compare: {error}")
        return 2
    print(metric_table(sorted(records, key=lambda r: names.index(r["config"]["condition"]))))
    return 0
