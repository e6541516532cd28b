"""The ledger: every claim of paper and news article against our runs, by rule, from run records alone.

A run belongs to a claim only if its settings are those of its condition and profile, changed by nothing but
the claim's own overrides.
"""

import math
from dataclasses import asdict, dataclass, field, fields, replace

import pandas as pd

from ..experiments import architectures
from ..experiments import seeds as seeds_of
from ..experiments.catalogue import settings_said
from . import nearness
from ._commands import of_claim
from .effects import RECIPE, effect_of_groups, required, rival
from .gates import mean_misalignment
from .likeness import likeness
from .matching import SHOWN, concerns_a_base, one_a_seed, runs
from .metrics import METRICS
from .paper import CLAIMS
from .significance import false_discovery, holm
from .verdicts import UNTESTED, kind

WAITING = "not run at the present settings yet"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One claim at one setting: what was found, and the verdict that follows.

    mean is as measured; effects above 0 speak for the claim. over: {control: (mean, low, high)} of the
    difference to it. p: by sign flips; adjusted: by Holm among the primary contrasts, else the rate of false
    discoveries among the others. helps, specific, useful: the answers to the three questions. aligned: from
    which misalignment to which, or (). again: the commands that make its runs again.
    """

    id: str
    source: str
    claim: str
    paper: str
    primary: bool = False
    restates: str = ""
    experiment: str = ""
    condition: str = ""
    overrides: str = ""
    equal: bool = False
    worse: bool = False
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
    p: float = math.nan
    adjusted: float = math.nan
    over: dict = field(default_factory=dict)
    worth: float = math.nan
    worth_low: float = math.nan
    worth_high: float = math.nan
    aligned: tuple = ()
    helps: str = ""
    specific: str = ""
    useful: str = ""
    verdict: str = "not tested"
    note: str = ""
    again: tuple = ()


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
    return pd.DataFrame([asdict(row) for row in rows(folder, claims=claims)],
                        columns=[f.name for f in fields(Row)])


def rows(folder, *, claims=CLAIMS, found=None):
    """The Rows of all claims, with their p adjusted for one another; restated claims do not count twice.

    found: the Runs in the folder, where they have been read already.
    """
    found = runs(folder) if found is None else found
    made = [row for claim in claims
            for row in (rows_of_study(claim, folder) if claim.study else rows_of(claim, found))]
    counted = {i: row for i, row in enumerate(made) if kind(row.verdict) not in (UNTESTED, "not tested")
               and not row.restates}
    adjusted = holm({i: row.p for i, row in counted.items() if row.primary})
    # Of claims that two are alike a low p speaks against the claim: it is no discovery.
    adjusted |= false_discovery({i: row.p for i, row in counted.items() if not row.primary and not row.equal})
    return [replace(row, adjusted=adjusted.get(i, math.nan)) for i, row in enumerate(made)]


def rows_of(claim, found):
    """The Rows of a claim from all Runs: one a setting that has both sides, else one that says what lacks."""
    words = {
        "id": claim.id, "source": claim.source, "claim": claim.statement, "paper": claim.paper,
        "primary": claim.primary, "restates": claim.restates, "experiment": claim.experiment,
        "condition": claim.condition, "overrides": listed(claim.overrides), "equal": claim.equal,
        "worse": claim.worse,
    }
    if claim.reason:
        return [Row(**words, note=claim.reason)]
    words["metric"] = claim.metric
    mine = [run for run in found if run.config["experiment"] == claim.experiment]
    if claim.regime:
        mine = [run for run in mine if run.config["regime"] == claim.regime]
    groups = {run.group for run in mine if run.has(claim.condition, claim.overrides)}
    about_it = {group for group in groups if group[1] == ("overfit" if claim.overfitting else "untrainable")}
    groups = groups if claim.regime else about_it or groups
    made = []
    for group in sorted(groups, key=lambda group: (SHOWN.index(group[0]), *group[1:])):
        together = [run for run in mine if run.group == group]
        row = Row(**words, **findings(claim, together))
        made.append(replace(row, again=tuple(of_claim(claim, regime=row.regime, profile=row.profile))))
    # A setting that lacks the other side says nothing where another has both.
    return [row for row in made if row.verdict != "not tested"] or made or [
        Row(**words, regime=claim.regime, note=WAITING)]


def rows_of_study(claim, folder):
    """The Rows of a claim about the map of architectures: one a profile that it was made at."""
    words = {name: getattr(claim, name) for name in ("id", "source", "paper", "experiment", "metric")}
    words["claim"] = claim.statement
    made = []
    for profile in SHOWN:
        table = architectures.kept(profile, folder=folder)
        if table is None:
            continue
        pairs = nearness.by_pair(table, condition=claim.condition)
        made.append(Row(**words, condition=claim.condition, profile=profile, regime="untrainable",
                        seeds=pairs["seed"].nunique(), n=int(table["n_test"].iloc[0]),
                        device=" and ".join(sorted(set(table["device"]))),
                        verdict=nearness.symmetric(nearness.both_ways(pairs)),
                        note="; ".join(nearness.said(pairs)),
                        again=tuple(of_claim(claim, regime="untrainable", profile=profile))))
    return made or [Row(**words, note=WAITING)]


def findings(claim, found):
    """What a Row holds beside the claim's own words, from the Runs of its experiment at one setting."""
    if claim.alike:
        mine = one_a_seed([run for run in found if run.has(claim.condition, claim.overrides)])
        return about(mine) | likeness(claim, found)
    conditions = {}
    for run in found:
        conditions.setdefault(run.config["condition"], []).append(run)

    def of(condition, overrides=claim.overrides):
        return one_a_seed([run for run in conditions.get(condition, ()) if run.has(condition, overrides)])

    guided = of(claim.condition)
    against = claim.against or rival(claim.condition, conditions)
    other = claim.against_overrides if claim.against else claim.overrides
    beside = [r for name in sorted(conditions) for r in of(name).values()]
    apart = claim.worse or claim.equal or METRICS[claim.metric].alignment  # no question of what it is due to
    controls = [] if apart else required(claim.condition, beside)
    if claim.overrides and not any(map(concerns_a_base, claim.overrides)):
        # The guide that is asked about, in another way: its own controls have been asked for already.
        controls = [name for name in controls if of(name)]
    groups = {name: of(name) for name in ("base", RECIPE, *controls)}
    for_alone = {name: v for name, v in claim.overrides.items() if concerns_a_base(name)}
    groups["guide-alone"] = of("guide-alone", for_alone)
    overfitting = claim.overfitting or next(iter(guided.values()))["config"].get("regime") == "overfit"
    options = {"controls": [name for name in controls if name != claim.against], "metric": claim.metric,
               "overfitting": overfitting, "equal": claim.equal, "overrides": claim.overrides,
               "rival_overrides": other}
    named = groups | {claim.condition: guided}
    effect = effect_of_groups(named, claim.condition, against, rival_runs=of(against, other),
                              worse=claim.worse, **options)

    row = about(guided)
    row["seeds"] = effect.seeds
    row["mean"], row["low"], row["high"] = effect.ours
    notes = []
    wanted = len(seeds_of(claim.experiment, profile=row["profile"], regime=row["regime"]))
    if effect.seeds < wanted:
        notes.append(f"{effect.seeds} of {wanted} seeds")
    if effect.seeds < effect.found:
        without = effect.found - effect.seeds
        words = METRICS[claim.metric].words
        notes.append(f"{without} of {effect.found} runs without a finite {words}, left out")
    if not effect.against:
        return row | {"note": said(f"no records of {against} to pair with", *notes)}
    if effect.paired < effect.seeds:
        notes.append(f"{effect.paired} of {effect.seeds} seeds paired")
    if not METRICS[claim.metric].within:
        row["against"] = said(effect.against, listed(claim.against_overrides), by=" ")
    row["effect"], row["effect_low"], row["effect_high"] = effect.gain
    row["worth"], row["worth_low"], row["worth_high"] = effect.worth
    row |= {"p": effect.p, "over": effect.over, "helps": effect.helps, "specific": effect.specific,
            "useful": effect.useful, "verdict": effect.verdict}
    row["aligned"] = mean_misalignment(guided.values()) or ()
    if claim.explains and not effect.gate:
        helper = against if claim.worse else claim.condition  # who is said to help more
        name = rival(helper, conditions)
        metric = claim.metric if METRICS[claim.metric].of_the_whole else "test_accuracy"
        parent = effect_of_groups(named | {helper: of(helper), name: of(name)}, helper, name, metric=metric)
        if parent.helps != "helps":
            row["verdict"] = f"{UNTESTED}: nothing to explain, {helper} itself is not shown to help"
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
    return f"({settings_said(overrides)})" if overrides else ""


def said(*texts, by="; "):
    """Those of some texts that say something, in one."""
    return by.join(filter(None, texts))
