"""The runs behind the ledger: which records there are, which settings each was made with, and how a base fails."""

import json
import math
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from .intervals import student_t_interval

SHOWN = ("fast", "full", "paper")  # profiles; smoke only shows that everything runs
RECORD = re.compile(r"-\d+-[0-9a-f]{16}\.json$")  # how guidelib.experiments.records names a record
FAIR = ("base", "base-tuned")
OF_GUIDANCE = ("similarity", "debiased", "match", "reduce", "layers", "weight", "warm_up_steps", "warm_up_lr", "stop_steps")


@dataclass(frozen=True)
class Run:
    """A record, the names of its settings that its condition would not have by itself, and why it is left out, if it is."""

    record: dict
    changed: frozenset = frozenset()
    left_out: str = ""

    @property
    def config(self):
        return self.record["config"]

    @property
    def group(self):
        """What runs of an experiment must share to be compared, besides their overrides: profile, regime, data."""
        return self.config["profile"], self.config["regime"], self.config.get("data", ""), self.config.get("data_hash", "")

    def has(self, condition, overrides):
        """Whether this is a run of `condition` with exactly these overrides. What concerns the guide does not concern a base."""
        if self.left_out or self.config["condition"] != condition:
            return False
        if condition in FAIR:
            overrides = {name: v for name, v in overrides.items() if concerns_a_base(name)}
        changed = {name for name in self.changed if condition not in FAIR or concerns_a_base(name)}
        return changed <= set(overrides) and all(name in self.config and self.config[name] == v for name, v in overrides.items())


def concerns_a_base(name):
    """Whether a setting changes a run without a guide.

    >>> concerns_a_base("depth"), concerns_a_base("layers"), concerns_a_base("guide_width")
    (True, False, False)
    """
    return name not in OF_GUIDANCE and not name.startswith("guide_")


def runs(folder):
    """The Runs of all records below a folder, but for profile smoke and the records of searches; other files are passed over."""
    from ..experiments.records import read

    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}: give the folder of the records, results/ in a checkout")
    inside = {path.relative_to(folder): path for path in folder.rglob("*.json") if RECORD.search(path.name)}
    records = [read(inside[path]) for path in sorted(inside, key=lambda path: path.as_posix()) if "search" not in path.parts]
    return [as_run(record) for record in records if record["config"]["profile"] in SHOWN]


def as_run(record):
    """The Run of a record: its settings against those its condition has today. A setting that only one of them knows does not count."""
    from ..experiments import config

    mine = record["config"]
    try:
        made = config(mine["experiment"], condition=mine["condition"], profile=mine["profile"], regime=mine["regime"], seed=mine["seed"])
    except (KeyError, ValueError):
        return Run(record, left_out="of an experiment, condition or regime that is not known today")
    today = json.loads(json.dumps(asdict(made)))
    if mine["recipe"] != today["recipe"]:
        return Run(record, left_out="of another recipe")
    return Run(record, frozenset(name for name in today if name in mine and mine[name] != today[name]) - {"data_hash"})


def by_seed(found):
    """{seed: record} of some Runs. Of two that share a seed the one with fewer overrides counts, then the one that knows more settings.

    ValueError for two with equal settings and unequal results.
    """
    chosen = {}
    for run in sorted(found, key=lambda run: (-len(run.changed), len(run.config))):
        config, other = run.config, chosen.get(run.config["seed"])
        if other and other.config == config and any(other.record[part] != run.record[part] for part in ("metrics", "curves")):
            raise ValueError(f"two records of {config['experiment']}, {config['condition']}, {config['profile']}, seed {config['seed']} have equal "
                             "settings and unequal results: delete one of them")
        chosen[config["seed"]] = run
    return {seed: chosen[seed].record for seed in sorted(chosen)}


def value(record, metric):
    """A metric of a record, or the end of its training curve of that name; None if it has neither, or it is not finite.

    >>> value({"metrics": {"gap_last": 0.1}, "curves": {"training": {"train_loss": [2.0, 0.5]}}}, "train_loss")
    0.5
    """
    found = record["metrics"].get(metric)
    if found is None:
        found = (record["curves"].get("training", {}).get(metric) or [None])[-1]
    return None if found is None or not math.isfinite(found) else float(found)


def failing(records, *, alone=()):
    """How a base fails in the paper's sense, by rule: "at chance", "overfits", "saturates", or "" if it does not.

    At chance: the interval of its test accuracy over seeds includes chance, or lies below. Overfits: after the last epoch training
    accuracy is above validation accuracy, by more than 0.1 in the mean, and the interval excludes 0. Saturates: training accuracy ends
    more than 0.1 below that of the guide's architecture trained alone (records `alone`; below 1 without them), and its mean over the last
    quarter of the epochs is less than 0.01 above that over the quarter before. With one seed its value stands for the interval.

    >>> record = {"metrics": {"test_accuracy": 0.1, "chance": 0.1}, "curves": {}}
    >>> failing([record]), failing([record | {"metrics": {"test_accuracy": 0.5, "chance": 0.1}}])
    ('at chance', '')
    """
    accuracy, chance, gap = (_interval(records, metric) for metric in ("test_accuracy", "chance", "gap_last"))
    if accuracy[1] <= chance[0]:
        return "at chance"
    if gap[0] > 0.1 and gap[1] > 0:
        return "overfits"
    ceiling = _interval(alone, "train_accuracy")[0]
    ceiling = 1.0 if math.isnan(ceiling) else ceiling
    curves = [r["curves"].get("training", {}).get("train_accuracy") or () for r in records]
    curves = [c for c in curves if len(c) >= 8 and None not in c]
    if not curves:
        return ""
    rise = _mean([_mean(c[-(len(c) // 4):]) - _mean(c[-2 * (len(c) // 4):-(len(c) // 4)]) for c in curves])
    return "saturates" if rise < 0.01 and _mean([c[-1] for c in curves]) < ceiling - 0.1 else ""


def _interval(records, metric):
    """(mean, lower end) over the records; the mean twice for one seed, NaN for none."""
    found = [v for v in (value(r, metric) for r in records) if v is not None]
    mean, low, _ = student_t_interval(found) if found else (math.nan,) * 3
    return mean, mean if math.isnan(low) else low


def _mean(values):
    return math.fsum(values) / len(values)
