"""The commands that make again the runs behind a number."""

from ..experiments.catalogue import CATALOGUE
from .matching import SHOWN, as_run


def command(experiment, *, regime="untrainable", profile="fast", conditions=(), settings=None):
    """The command that makes the runs of these conditions, or all that are compared where that holds them.

    >>> command("deep-fcn", conditions=["base", "untrained"])
    'python -m guidelib compare deep-fcn'
    >>> command("deep-fcn", conditions=["untrained"], settings={"layers": "first-5"})
    'python -m guidelib compare deep-fcn --conditions untrained --set layers=first-5'
    """
    words = ["python -m guidelib compare", experiment]
    words += [f"--regime {regime}"] * (regime != "untrainable")
    words += [f"--profile {profile}"] * (profile != "fast")
    compared = CATALOGUE[experiment].compared.get((regime, profile), ())
    if settings or not set(conditions) <= set(compared):
        words.append(f"--conditions {' '.join(conditions)}")
    words += [f"--set {name}={value}" for name, value in sorted((settings or {}).items())]
    return " ".join(words)


def study_command(study, profile="fast"):
    """The command that makes a study again, in a folder where it does not go on from the kept log.

    >>> study_command("architectures")
    'python -m guidelib study architectures --out search'
    """
    return f"python -m guidelib study {study}{f' --profile {profile}' * (profile != 'fast')} --out search"


def commands(records):
    """The commands that make these records again, one a setting and way of guidance; of smoke runs none.

    >>> commands([])
    []
    """
    groups = {}
    for run in (as_run(record) for record in records if record["config"]["profile"] in SHOWN):
        mine = run.config
        settings = tuple((name, mine[name]) for name in sorted(run.changed))
        place = mine["experiment"], mine["regime"], mine["profile"], settings
        groups.setdefault(place, dict.fromkeys(()))[mine["condition"]] = None
    return [command(experiment, regime=regime, profile=profile, conditions=list(names),
                    settings=dict(settings))
            for (experiment, regime, profile, settings), names in groups.items()]


def of_claim(claim, *, regime, profile):
    """The commands behind a claim at a setting: of all that is compared there, then of what is besides.

    >>> from guidelib.evidence.paper import CLAIMS
    >>> (claim,) = [claim for claim in CLAIMS if claim.id == "t5-first-10"]
    >>> for text in of_claim(claim, regime="untrainable", profile="fast"):
    ...     print(text)
    python -m guidelib compare deep-fcn
    python -m guidelib compare deep-fcn --conditions untrained --set layers=first-10
    """
    if claim.study:
        return [study_command(claim.experiment, profile)]
    compared = CATALOGUE[claim.experiment].compared.get((regime, profile), ())
    asked = [(claim.condition, claim.overrides), (claim.against, claim.against_overrides),
             *((name, {}) for name in (claim.alike, *claim.alike_against))]
    besides = [(name, settings) for name, settings in asked if name and (settings or name not in compared)]
    made = [command(claim.experiment, regime=regime, profile=profile)] * bool(compared)
    made += [command(claim.experiment, regime=regime, profile=profile, conditions=[name], settings=settings)
             for name, settings in besides]
    return list(dict.fromkeys(made))


def code(made):
    """Commands as a line of markdown.

    >>> code(["make lint", "make test"])
    '`make lint`, `make test`'
    """
    return ", ".join(f"`{text}`" for text in made)
