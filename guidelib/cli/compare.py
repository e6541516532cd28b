"""Make all runs that an experiment compares, on the seeds that results are reported on; resume what is there.

    guidelib compare deep-fcn --out results/fast
    guidelib compare deep-fcn --conditions base untrained --seeds 20 21 --out records
    guidelib compare deep-fcn --conditions untrained shuffled --set layers=first-5 --out records
    guidelib compare deep-fcn --profile full --dry-run

Each condition has the settings that `guidelib tune` chose for it, with the same --set where it was tuned so,
but for those that are set here.
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
    parser.add_argument("--out", type=Path, default=Path("records"),
                        help="folder of the records (default records)")
    parser.add_argument("--dry-run", action="store_true", help="print what it would take, and run nothing")


def main(options):
    from ..evidence import metric_table
    from ..experiments import config, run_grid, seeds
    from ..experiments.catalogue import settings_said

    where = {"profile": options.profile, "regime": options.regime}
    try:
        groups = groups_of(options)
        asked = options.seeds or seeds(options.experiment, **where)
        # Seed by seed, so that what is there at any time are whole comparisons.
        configs = {(at, seed): config(options.experiment, condition=name, seed=seed, **where, **settings)
                   for seed in asked for at, (name, settings) in enumerate(groups)}
        if options.dry_run:
            costs(options, groups, [configs[at, asked[0]] for at in range(len(groups))], runs=len(asked))
            return 0
        records = run_grid(list(configs.values()), out=options.out, jobs=options.jobs, device=options.device)
    except (RuntimeError, ValueError, OSError) as error:
        say(f"guidelib compare: {error}")
        return 2
    made = dict(zip(configs, records, strict=True))
    for settings in {settings_said(settings): None for _, settings in groups}:
        shown = [made[at, seed] for at, (_, mine) in enumerate(groups) if settings_said(mine) == settings
                 for seed in asked]
        print(f"\n{settings}\n" * bool(settings) + metric_table(shown))
    return 0


def groups_of(options):
    """[(condition, settings)] of what is asked for: all that is compared, some with other settings too."""
    from ..experiments.catalogue import CATALOGUE
    from ..experiments.settings import check

    check("experiment", options.experiment, CATALOGUE)
    settings = dict(assignment(text) for text in options.set)
    place = options.regime, options.profile
    names = options.conditions or CATALOGUE[options.experiment].compared.get(place, ())
    if not names:
        raise ValueError(f"nothing is compared in {options.experiment}, {options.regime}, "
                         f"{options.profile}: name --conditions")
    groups = [(name, settings) for name in names]
    if not options.conditions and not settings:
        groups += CATALOGUE[options.experiment].varied.get(place, {}).items()
    return groups


def costs(options, groups, configs, *, runs):
    """Print what the runs of each group take, and the trials that `guidelib tune` makes before them."""
    from ..experiments.catalogue import chosen, variant
    from ..experiments.cost import dry_run
    from ..experiments.draws import SEARCHED, effort, space

    draws, finalists = effort(options.profile)
    trials = draws + finalists * (len(SEARCHED) - 1)
    apart = chosen(options.experiment, options.regime, options.profile)
    total = tuned = 0.0
    print(f"{'PFLOP a run':>12}  runs  condition")
    for (name, settings), made in zip(groups, configs, strict=True):
        table = dry_run(made).set_index("quantity")["value"]
        each = table.get("PFLOP in all", float("nan"))
        total += runs * each
        label = variant(name, settings)
        if space(options.experiment, name) and (not settings or label in apart):
            tuned += trials * each
        print(f"{each:12.4g}{runs:6}  {label}")
    print(f"{total:12.4g} PFLOP in all: {total / 36:.2g} hours at 10 TFLOP a second")
    print(f"{tuned:12.4g} PFLOP more for `guidelib tune`, {trials} trials of each condition that is tuned")
