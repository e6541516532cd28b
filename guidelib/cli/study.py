"""Train a deep net from many initialisations, at several sizes, and keep the log; go on from the one there.

    guidelib study
    guidelib study --seeds 20 21 --out search

What is asked: does the gradient ratio before training, or the geometry that is left then, tell what a start
is worth?
"""

from pathlib import Path

from ..experiments.screen import say


def arguments(parser):
    parser.add_argument("--profile", default="fast")
    parser.add_argument("--seeds", nargs="+", type=int, help="five of the reported ones without it")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--out", type=Path, default=Path("results/search"), help="folder of the log")


def main(options):
    from ..experiments import seeds
    from ..experiments.initialisations import study

    try:
        chosen = options.seeds or seeds("deep-fcn", profile=options.profile)[:5]
        table = study(out=options.out, seeds=chosen, profile=options.profile, jobs=options.jobs)
    except (RuntimeError, ValueError, OSError) as error:
        say(f"guidelib study: {error}")
        return 2
    names = ["gradient_ratio", "geometry", "test_accuracy"]
    shown = table[table["chosen"]].groupby(["data", "depth", "width", "start"], sort=False)[names].mean()
    print(shown.round(3).to_string())
    return 0
