"""Tune every condition of an experiment alike, and keep the log; go on from the log that is there.

    guidelib tune deep-fcn
    guidelib tune deep-fcn --conditions base untrained --jobs 4
    guidelib tune deep-fcn --conditions untrained --set layers=first-5
    guidelib tune deep-fcn --setting

With --setting the size of the experiment itself is looked for, among its candidates, by what the base and the
guide alone reach. Otherwise the chosen settings are those that every later run has, if the log is the one
that the project keeps; with another --out nothing but that log changes. What is tuned with --set counts for
runs with the same settings alone.
"""

from pathlib import Path

from ..experiments.screen import say
from .options import assignment


def arguments(parser):
    parser.add_argument("experiment")
    parser.add_argument("--regime", default="untrainable")
    parser.add_argument("--profile", default="fast")
    parser.add_argument("--conditions", nargs="+", help="those to tune; all that are compared without it")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="tune them anew under a setting; may be repeated")
    parser.add_argument("--setting", action="store_true", help="try the candidates for the setting instead")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--out", type=Path, default=Path("results/search"), help="folder of the logs")


def main(options):
    from ..experiments import tuning
    from ..experiments.catalogue import CATALOGUE
    from ..experiments.kept import KEPT
    from ..experiments.settings import check

    where = {"regime": options.regime, "profile": options.profile}
    how = {"out": options.out, "jobs": options.jobs}
    try:
        check("experiment", options.experiment, CATALOGUE)
        if options.setting:
            table = tuning.setting(options.experiment, **where, **how)
        else:
            settings = dict(assignment(text) for text in options.set)
            table = tuning.tune(options.experiment, **where, **how, conditions=options.conditions,
                                settings=settings)
            if options.out.resolve() == KEPT / "search":
                tuning.choose(options.experiment, **where, table=table)
            table = table[table["chosen"]].drop_duplicates("condition")
    except (RuntimeError, ValueError, OSError) as error:
        say(f"guidelib tune: {error}")
        return 2
    print(table.drop(columns=["key"]).to_string(index=False, na_rep=""))
    return 0
