"""Train all that a study compares, and keep the log; go on from the one there.

    guidelib study                         deep nets from many initialisations, at several sizes
    guidelib study architectures           nets of four families, each guided by every other
    guidelib study --seeds 20 21 --out search

Of the initialisations is asked: does the gradient ratio before training, or the geometry that is left then,
tell what a start is worth? Of the architectures: is the ease of guiding a distance between them?
"""

from pathlib import Path

from ..experiments.screen import say

SHOWN = {  # of each study: what its rows are of, and the means that are printed
    "initialisations": (["data", "depth", "width", "start"],
                        ["gradient_ratio", "geometry", "test_accuracy"]),
    "architectures": (["target", "guide", "condition"],
                      ["misalignment_start", "misalignment_end", "test_accuracy"]),
}


def arguments(parser):
    parser.add_argument("what", nargs="?", default="initialisations", choices=SHOWN, metavar="STUDY",
                        help=f"{' or '.join(SHOWN)}, the first without it")
    parser.add_argument("--profile", default="fast")
    parser.add_argument("--seeds", nargs="+", type=int, help="five of the reported ones without it")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--out", type=Path, default=Path("results/search"), help="folder of the log")


def main(options):
    from .. import experiments

    try:
        chosen = options.seeds or experiments.seeds("deep-fcn", profile=options.profile)[:5]
        study = getattr(experiments, options.what).study
        table = study(out=options.out, seeds=chosen, profile=options.profile, jobs=options.jobs)
    except (RuntimeError, ValueError, OSError) as error:
        say(f"guidelib study: {error}")
        return 2
    places, names = SHOWN[options.what]
    print(table[table["chosen"]].groupby(places, sort=False)[names].mean().round(3).to_string())
    return 0
