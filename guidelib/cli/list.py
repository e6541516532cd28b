"""List the notebooks, experiments, conditions, timings, regimes and profiles there are."""


def arguments(parser):
    pass


def main(options):
    from ..course.checkout import notebooks
    from ..experiments import CONDITIONS, EXPERIMENTS, PROFILES, REGIMES
    from ..experiments.catalogue import CATALOGUE
    from ..experiments.conditions import TIMINGS

    try:
        names = [path.stem for path in notebooks()]
    except FileNotFoundError:
        names = ["(none: installed without a checkout)"]
    listed = {"notebooks": names, "experiments": EXPERIMENTS, "profiles": PROFILES, "regimes": REGIMES,
              "conditions": CONDITIONS}
    for title, entries in listed.items():
        print(f"{title}:")
        for entry in entries:
            about = CATALOGUE[entry].about if entry in CATALOGUE else REGIMES.get(entry, "")
            print(f"  {entry:18}{about}".rstrip())
    print("timings, the ends of conditions:")
    for name, (text, _) in TIMINGS.items():
        print(f"  {name or '(none)':12}{text}")
    return 0
