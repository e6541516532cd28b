"""The runs behind the ledger: which records there are, and with which settings each was made."""

import json
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ..experiments import Config, config, find_condition
from ..experiments.catalogue import chosen, parted, tuned_as
from ..experiments.records import read

SHOWN = ("fast", "overnight", "full", "paper")  # profiles; smoke only shows that everything runs
RECORD = re.compile(r"-\d+-[0-9a-f]{16}\.json$")  # how guidelib.experiments.records names a record
OF_GUIDANCE = ("similarity", "debiased", "match", "reduce", "layers", "samples", "subset", "dose", "weight",
               "warm_up_steps", "warm_up_lr", "stop_steps")
# Settings that came later: a record without one was made with its default.
LATE = {f.name: f.default for f in fields(Config) if "since" in f.metadata}


@dataclass(frozen=True)
class Run:
    """A record, the settings that its condition would not have by itself, and why it is left out, or ""."""

    record: dict
    changed: frozenset = frozenset()
    left_out: str = ""

    @property
    def config(self):
        return self.record["config"]

    @property
    def group(self):
        """What runs of an experiment must share to be compared, besides overrides: profile, regime, data."""
        mine = self.config
        return mine["profile"], mine["regime"], mine.get("data", ""), mine.get("data_hash", "")

    def has(self, condition, overrides):
        """Whether this is a run of `condition` with exactly these overrides.

        What concerns the guide does not concern a base.
        """
        if self.left_out or self.config["condition"] != condition:
            return False
        overrides = concerning(condition, overrides)
        changed = concerning(condition, dict.fromkeys(self.changed)).keys()
        known = LATE | self.config
        same = all(name in known and known[name] == v for name, v in overrides.items())
        return same and changed <= set(overrides)


def concerning(condition, overrides):
    """Those of some settings that change runs of a condition.

    >>> concerning("base", {"depth": 20, "layers": "first-5"}), concerning("trained", {"layers": "first-5"})
    ({'depth': 20}, {'layers': 'first-5'})
    """
    found = find_condition(condition)
    if found.role not in ("base", "reference") or found.guide:
        return dict(overrides)
    return {name: value for name, value in overrides.items() if concerns_a_base(name)}


def concerns_a_base(name):
    """Whether a setting changes a run without a guide.

    >>> concerns_a_base("depth"), concerns_a_base("layers"), concerns_a_base("guide_width")
    (True, False, False)
    """
    return name not in OF_GUIDANCE and not name.startswith("guide_")


def runs(folder, *, experiment=""):
    """The Runs of all records below a folder, or of an experiment's, but for profile smoke and searches.

    Other files are passed over.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}: give the folder of the records, results/ in a checkout")
    files = folder.rglob(f"{experiment}*.json")
    inside = [path.relative_to(folder) for path in files if RECORD.search(path.name)]
    wanted = [path for path in inside if "search" not in path.parts]
    records = [read(folder / path) for path in sorted(wanted, key=lambda path: path.as_posix())]
    return [as_run(record) for record in records if record["config"]["profile"] in SHOWN
            and experiment in ("", record["config"]["experiment"])]


def as_run(record):
    """The Run of a record: its settings against those its condition has today, tuned anew for them or not.

    A setting that came later has its default in a record without it; another that only one of them knows does
    not count.
    """
    mine = LATE | record["config"]
    try:
        anew = tuned_for(mine)
        made = config(mine["experiment"], condition=mine["condition"], profile=mine["profile"],
                      regime=mine["regime"], seed=mine["seed"], **anew)
    except (KeyError, ValueError):
        return Run(record, left_out="of an experiment, condition or regime that is not known today")
    if mine["recipe"] != made.recipe:
        return Run(record, left_out="of another recipe")
    today = json.loads(json.dumps(asdict(made)))
    changed = {name for name in today if name in mine and mine[name] != today[name]}
    return Run(record, frozenset(changed | set(anew)) - {"data_hash"})


def tuned_for(mine):
    """The settings of a run, of a variant of its condition that was tuned by its own trials; {} otherwise."""
    tuned = chosen(mine["experiment"], mine["regime"], mine["profile"])
    condition = mine["condition"]
    name = tuned_as(tuned, condition, mine) or tuned_as(tuned, find_condition(condition).like, mine)
    return {setting: mine[setting] for setting in parted(name)[1]}


def one_a_seed(found):
    """{seed: record} of some Runs.

    Of two that share a seed the one with fewer overrides counts, then the one that knows more settings.
    ValueError for two with equal settings and unequal results.
    """
    chosen = {}
    for run in sorted(found, key=lambda run: (-len(run.changed), len(run.config))):
        mine = run.config
        seed = mine["seed"]
        other = chosen.get(seed)
        unequal = other and any(other.record[part] != run.record[part] for part in ("metrics", "curves"))
        if unequal and other.config == mine:
            raise ValueError(f"two records of {mine['experiment']}, {mine['condition']}, {mine['profile']}, "
                             f"seed {seed} have equal settings and unequal results: delete one of them")
        chosen[seed] = run
    return {seed: chosen[seed].record for seed in sorted(chosen)}
