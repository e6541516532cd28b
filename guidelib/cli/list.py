"""List the notebooks, experiments, conditions, timings, regimes and profiles there are."""


def arguments(parser):
    pass


def main(options, rest=()):
    from ..course.checkout import notebooks
    from ..experiments import CONDITIONS, EXPERIMENTS, PROFILES, REGIMES
    from ..experiments.conditions import TIMINGS

    try:
        names = [path.stem for path in notebooks()]
    except FileNotFoundError:
        names = ["(none: installed without a checkout)"]
    for title, entries in (("notebooks", names), ("experiments", EXPERIMENTS), ("profiles", PROFILES), ("regimes", REGIMES), ("conditions", CONDITIONS)):
        print(f"{title}:\n  " + "\n  ".join(entries))
    print("timings, the ends of conditions:\n  " + "\n  ".join(f"{name or '(none)':12}{text}" for name, (text, _) in TIMINGS.items()))
    return 0
