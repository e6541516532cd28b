"""The ledger: every claim of paper and news article against our runs, by rule, from run records alone.

A run belongs to a claim only if its settings are those of its condition and profile, changed by nothing but
the claim's own overrides. `python -m guidelib ledger --write` writes the page.
"""

import math
from collections import Counter
from dataclasses import asdict, dataclass, fields

import pandas as pd

from ..experiments import seeds as seeds_of
from .effects import FAIR, measure
from .gates import failing
from .matching import SHOWN, concerns_a_base, one_a_seed, runs
from .metrics import METRICS
from .paper import CLAIMS
from .verdicts import UNTESTED, VERDICTS, kind
from .words import shown

WAITING = "no records yet"
COLUMNS = ("claim", "verdict", "effect against", "over the nearest control", "paper", "ours", "runs",
           "source", "note")  # of the page


@dataclass(frozen=True, kw_only=True)
class Row:
    """One claim at one setting: what was found, and the verdict that follows.

    mean is as measured; effects above 0 speak for the claim. control: of all controls the one that comes
    nearest, whose difference has the lowest lower end.
    """

    id: str
    source: str
    claim: str
    paper: str
    experiment: str = ""
    condition: str = ""
    overrides: str = ""
    metric: str = ""
    profile: str = ""
    regime: str = ""
    data: str = ""
    device: str = ""
    n: int = 0
    seeds: int = 0
    mean: float = math.nan
    low: float = math.nan
    high: float = math.nan
    against: str = ""
    effect: float = math.nan
    effect_low: float = math.nan
    effect_high: float = math.nan
    control: str = ""
    over_control: float = math.nan
    over_control_low: float = math.nan
    over_control_high: float = math.nan
    verdict: str = "not tested"
    note: str = ""


def ledger(folder, *, claims=CLAIMS):
    """Table with a row a claim and setting, in the claims' order, columns as in Row.

    It is made from the records below `folder`. Numbers are shares, not per cent. FileNotFoundError without
    the folder; ValueError for two runs that differ in their results alone.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = ledger(folder)
    >>> table["verdict"].unique().tolist(), len(table) == len(CLAIMS)
    (['not tested'], True)
    """
    found = runs(folder)
    made = [asdict(row) for claim in claims for row in rows(claim, found)]
    return pd.DataFrame(made, columns=[f.name for f in fields(Row)])


def rows(claim, found):
    """The Rows of a claim from all Runs: one a setting that has its condition, else one that says why not."""
    words = {
        "id": claim.id, "source": claim.source, "claim": claim.statement, "paper": claim.paper,
        "experiment": claim.experiment, "condition": claim.condition, "overrides": listed(claim.overrides),
    }
    if claim.reason:
        return [Row(**words, note=claim.reason)]
    words["metric"] = claim.metric
    mine = [run for run in found if run.config["experiment"] == claim.experiment]
    if claim.regime:
        mine = [run for run in mine if run.config["regime"] == claim.regime]
    groups = {run.group for run in mine if run.has(claim.condition, claim.overrides)}
    made = []
    for group in sorted(groups, key=lambda group: (SHOWN.index(group[0]), *group[1:])):
        together = [run for run in mine if run.group == group]
        made.append(Row(**words, **findings(claim, together)))
    return made or [Row(**words, note=WAITING)]


def findings(claim, found):
    """What a Row holds beside the claim's own words, from the Runs of its experiment at one setting."""
    def of(condition, overrides=claim.overrides):
        return one_a_seed([run for run in found if run.has(condition, overrides)])

    guided = of(claim.condition)
    base = list(of("base").values())
    tuned = list(of("base-tuned").values())
    for_alone = {name: v for name, v in claim.overrides.items() if concerns_a_base(name)}
    alone = list(of("guide-alone", for_alone).values())
    if claim.against:
        rivals = {claim.against: of(claim.against, claim.against_overrides)}
    elif claim.worse:  # against the base as it is: beside a tuned one everything would look harmful
        rivals = {"base": of("base")}
    else:
        rivals = {name: of(name) for name in FAIR}
    controls = {name: of(name) for name in claim.controls}
    effect = measure(claim.condition, guided, rivals, controls=controls, base=base, alone=alone,
                     metric=claim.metric, worse=claim.worse)

    row = about(guided)
    row["seeds"] = effect.seeds
    row["mean"], row["low"], row["high"] = effect.ours
    notes = [failure("base", base, alone), failure("tuned base", tuned, alone)]
    wanted = len(seeds_of(claim.experiment, profile=row["profile"], regime=row["regime"]))
    if effect.seeds < wanted:
        notes.append(f"{effect.seeds} of {wanted} seeds")
    if effect.seeds < effect.found:
        without = effect.found - effect.seeds
        words = METRICS[claim.metric].words
        notes.append(f"{without} of {effect.found} runs without a finite {words}, left out")
    if not effect.against:
        return row | {"note": said(f"no records of {claim.against or 'a base'} to pair with", *notes)}
    if claim.needs and failing(base, alone=alone) != claim.needs:
        return row | {"note": said(f"only where the base {claim.needs}", *notes)}
    if effect.paired < effect.seeds:
        notes.append(f"{effect.paired} of {effect.seeds} seeds paired")
    absent = sorted(set(rivals) - set(effect.rivals))
    if absent:
        notes.append(f"no {' or '.join(absent)}")
    if claim.controls and not effect.over:
        notes.append("no control")
    if effect.helped and not alone:
        notes.append("no runs of the guide's architecture alone")
    row["against"] = said(effect.against, listed(claim.against_overrides), by=" ")
    row["effect"], row["effect_low"], row["effect_high"] = effect.gain
    row["control"] = effect.control
    row["over_control"], row["over_control_low"], row["over_control_high"] = effect.over_control
    row["verdict"] = effect.verdict
    row["note"] = said(*notes)
    return row


def about(records):
    """Profile, regime, data, devices and test examples of records of one setting."""
    first = next(iter(records.values()))
    devices = {r["environment"].get("device", "") for r in records.values()}
    row = {name: first["config"].get(name, "") for name in ("profile", "regime", "data")}
    row["device"] = " and ".join(sorted(devices))
    row["n"] = first["metrics"].get("n_test", 0)
    return row


def listed(overrides):
    """Overrides as text.

    >>> listed({"layers": "first-5"})
    '(layers = first-5)'
    """
    settings = [f"{name} = {overrides[name]}" for name in sorted(overrides)]
    return f"({', '.join(settings)})" if settings else ""


def said(*texts, by="; "):
    """Those of some texts that say something, in one."""
    return by.join(filter(None, texts))


def failure(name, records, alone):
    """How a base fails, in words; "" without records."""
    if not records:
        return ""
    how = failing(records, alone=alone) or "does not fail at this size"
    return f"{name} {how}"


def page(folder, *, claims=CLAIMS):
    """The ledger as a markdown page, the same to the last byte for the same records."""
    table = ledger(folder, claims=claims)
    kinds = table["verdict"].map(kind)
    compared = kinds != "not tested"
    untested = kinds == UNTESTED
    lines = [
        HEAD,
        f"**{untested.sum()} of {compared.sum()} comparisons do not test their claim**: the setting could "
        "not have gone either way, or what the claim is about did not happen in it.",
        "",
        "| | " + " | ".join(SHOWN) + " |",
        "|---|" + "---|" * len(SHOWN),
    ]
    for words in VERDICTS[:-1]:
        profiles = table.loc[kinds == words, "profile"].tolist()
        if profiles:
            counts = [str(profiles.count(profile)) for profile in SHOWN]
            lines.append(f"| {words} | " + " | ".join(counts) + " |")

    tried = table.loc[compared, "id"].nunique()
    waiting = table.loc[table["note"] == WAITING, "id"].nunique()
    closed = sum(bool(claim.reason) for claim in claims)
    alone = len(claims) - tried - waiting - closed
    lines += [
        "",
        f"Of {len(claims)} claims {tried} are compared at one size at least; {alone} have runs, but nothing "
        f"to compare them with or nothing to cure; {waiting} wait for records; {closed} no experiment here "
        "tests.",
        "",
        RULES,
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
    ]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in table.itertuples()]
    left_out = Counter(run.left_out for run in runs(folder) if run.left_out)
    lines.append("")
    lines += [f"Left out: {count} records {why}." for why, count in sorted(left_out.items())]
    return "\n".join(lines).rstrip() + "\n"


def cells(row):
    """The cells of a line of the page."""
    ours = shown(row.metric, row.mean, row.low, row.high)
    effect = shown(row.metric, row.effect, row.effect_low, row.effect_high, signed=True)
    if effect:
        effect = f"{row.against}: {effect}"
    over = shown(row.metric, row.over_control, row.over_control_low, row.over_control_high, signed=True)
    if over:
        over = f"{row.control}: {over}"
    made = ""
    if row.profile:
        seeds = f"{row.seeds} seed{'s' * (row.seeds != 1)}"
        made = f"{row.profile}, {row.regime}: {seeds}, n = {row.n} ({row.data}), {row.device}"
    what = said(row.experiment, row.condition, row.overrides, by=" ") if row.condition else ""
    if row.metric not in ("", "test_accuracy"):
        what += f": {METRICS[row.metric].words}"
    return [row.claim, row.verdict, effect, over, row.paper, ours, said(what, made), row.source, row.note]


HEAD = """# Ledger

Every claim of the paper and of the news article, in our own words, against our runs. Made by
`python -m guidelib ledger --write` from the run records in this folder; nothing here is typed by hand.
"""
RULES = """## How to read the table

- ours: the mean over seeds, with its Student-t 95 % interval. Accuracies in per cent, their differences in
  points.
- effect: the condition minus what it is compared with, paired by seed, signed so that above 0 speaks for the
  claim. Unless the claim names another condition, that is the fair base: the better of base and base-tuned,
  chosen on validation; for a claim of harm the base as it is, which has the same learning rate.
- nearest control: the same against the control, at the same timing, whose interval reaches lowest. The
  verdict counts all of them.
- verdict, by rule, the first that fits. *does not test the claim* if the guided runs stand within 3 points of
  chance, and so do the base or those compared with; or if the guide's architecture, trained alone, does not
  beat the base by an interval above 0; or if nothing is gained and the misalignment did not fall. *helps, but
  not by alignment* (or *harms*) if the effect's lower end is above 0 though the misalignment did not fall.
  *holds* if that end is above 0, and so are those over all controls; *holds, not told apart from* names the
  controls whose interval includes 0, *better* those above the guided runs. *does not hold* if the effect's
  upper end is below 0; else *undecided at this n*. A claim that guidance cures overfitting is tested only
  where the base overfits.
- a misalignment *fell* if in 80 % of the seeds it ends at least a quarter lower than it began, and began at
  0.05 or more: the mean over pairs, of training batches in the first and the last epoch with a guide, or of
  noise in the first and the last five steps of a warm-up. What the first epoch itself brought is not seen in
  this, so that the rule is hard on guides that are approached at once.
- the base is *at chance* if the interval of its test accuracy includes chance or lies below; it *overfits* if
  training accuracy ends above validation accuracy by more than 10 points in the mean, and by an interval that
  excludes 0; it *saturates* if training accuracy ends more than 10 points below the guide's architecture
  trained alone (below 100 % without such runs) and rises by less than 1 point over the last quarter of the
  epochs. Otherwise it does not fail at this size, and there is nothing to cure.
- equal trials of tuning were given in deep-fcn, regime untrainable, alone: to base, tuned base, shifted
  biases and kept dimension, and to guides and controls throughout and as warm-up. There guides that are let
  go have the rate and weight of those that stay, and distillations the base's rate, no more; elsewhere only
  the bases were tuned. A verdict against a tuned base is harder on what was not tuned.
- smoke runs are never shown, and runs with other settings than the claim's are not counted.
"""
