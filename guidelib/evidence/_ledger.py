"""The ledger: every claim of the paper and of the news article against our runs, by rule, from run records alone.

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
from .words import RULES, shown

WAITING = "no records yet"


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
    """Table with a row a claim and setting, in the claims' order, columns as in Row, from the records below `folder`.

    Numbers are shares, not per cent. FileNotFoundError without the folder; ValueError for two runs that
    differ in their results alone.

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
    """The Rows of a claim from all Runs: one for each setting with runs of its condition, else one that says why not."""
    words = {"id": claim.id, "source": claim.source, "claim": claim.statement, "paper": claim.paper,
             "experiment": claim.experiment, "condition": claim.condition, "overrides": listed(claim.overrides)}
    if claim.reason:
        return [Row(**words, note=claim.reason)]
    words["metric"] = claim.metric
    mine = [run for run in found if run.config["experiment"] == claim.experiment]
    mine = [run for run in mine if claim.regime in ("", run.config["regime"])]
    groups = {run.group for run in mine if run.has(claim.condition, claim.overrides)}
    made = []
    for group in sorted(groups, key=lambda group: (SHOWN.index(group[0]), *group[1:])):
        made.append(Row(**words, **findings(claim, [run for run in mine if run.group == group])))
    return made or [Row(**words, note=WAITING)]


def findings(claim, found):
    """What a Row holds beside the claim's own words, from the Runs of its experiment at one setting."""
    def of(condition, overrides=claim.overrides):
        return one_a_seed([run for run in found if run.has(condition, overrides)])

    guided = of(claim.condition)
    base, tuned = (list(of(name).values()) for name in FAIR)
    for_alone = {name: v for name, v in claim.overrides.items() if concerns_a_base(name)}
    alone = list(of("guide-alone", for_alone).values())
    if claim.against:
        rivals = {claim.against: of(claim.against, claim.against_overrides)}
    else:  # a claim of harm is against the base as it is: beside a tuned one everything would look harmful
        rivals = {name: of(name) for name in (FAIR[:1] if claim.worse else FAIR)}
    effect = measure(claim.condition, guided, rivals, controls={name: of(name) for name in claim.controls}, base=base,
                     alone=alone, metric=claim.metric, worse=claim.worse)

    row = about(guided) | {"seeds": effect.seeds} | dict(zip(("mean", "low", "high"), effect.ours, strict=True))
    notes = [failure("base", base, alone), failure("tuned base", tuned, alone)]
    wanted = len(seeds_of(claim.experiment, profile=row["profile"], regime=row["regime"]))
    if effect.seeds < wanted:
        notes.append(f"{effect.seeds} of {wanted} seeds")
    if effect.seeds < effect.found:
        notes.append(f"{effect.found - effect.seeds} of {effect.found} runs without a finite "
                     f"{METRICS[claim.metric].words}, left out")
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
    row |= dict(zip(("effect", "effect_low", "effect_high"), effect.gain, strict=True))
    row |= dict(zip(("over_control", "over_control_low", "over_control_high"), effect.over_control, strict=True))
    return row | {"against": said(effect.against, listed(claim.against_overrides), by=" "), "control": effect.control,
                  "verdict": effect.verdict, "note": said(*notes)}


def about(records):
    """Profile, regime, data, devices and test examples of records of one setting."""
    first = next(iter(records.values()))
    devices = {r["environment"].get("device", "") for r in records.values()}
    row = {name: first["config"].get(name, "") for name in ("profile", "regime", "data")}
    return row | {"device": " and ".join(sorted(devices)), "n": first["metrics"].get("n_test", 0)}


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
    return f"{name} {failing(records, alone=alone) or 'does not fail at this size'}" if records else ""


def page(folder, *, claims=CLAIMS):
    """The ledger as a markdown page, the same to the last byte for the same records."""
    table = ledger(folder, claims=claims)
    kinds = table["verdict"].map(kind)
    compared = kinds != "not tested"
    tried, waiting = (table.loc[which, "id"].nunique() for which in (compared, table["note"] == WAITING))
    closed = sum(bool(claim.reason) for claim in claims)
    alone = len(claims) - tried - waiting - closed
    lines = [HEAD, f"**{int((kinds == UNTESTED).sum())} of {int(compared.sum())} comparisons do not test their claim**: the "
             "setting could not have gone either way, or what the claim is about did not happen in it.", "",
             "| | " + " | ".join(SHOWN) + " |", "|---|" + "---|" * len(SHOWN)]
    for words in VERDICTS[:-1]:
        counts = [int(((kinds == words) & (table["profile"] == profile)).sum()) for profile in SHOWN]
        if any(counts):
            lines.append(f"| {words} | " + " | ".join(map(str, counts)) + " |")
    lines += ["", f"Of {len(claims)} claims {tried} are compared at one size at least; {alone} have runs, but nothing to "
              f"compare them with or nothing to cure; {waiting} wait for records; {closed} no experiment here tests.", "",
              RULES]
    lines += ["| claim | verdict | effect against | over the nearest control | paper | ours | runs | source | note |",
              "|" + "---|" * 9]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in table.itertuples()]
    left_out = Counter(run.left_out for run in runs(folder) if run.left_out)
    lines += ["", *(f"Left out: {count} records {why}." for why, count in sorted(left_out.items()))]
    return "\n".join(lines).rstrip() + "\n"


def cells(row):
    """The cells of a line of the page."""
    effect = shown(row.metric, row.effect, row.effect_low, row.effect_high, signed=True)
    over = shown(row.metric, row.over_control, row.over_control_low, row.over_control_high, signed=True)
    made = ""
    if row.profile:
        seeds = f"{row.seeds} seed{'s' * (row.seeds != 1)}"
        made = f"{row.profile}, {row.regime}: {seeds}, n = {row.n} ({row.data}), {row.device}"
    what = said(row.experiment, row.condition, row.overrides, by=" ") if row.condition else ""
    if row.metric not in ("", "test_accuracy"):
        what += f": {METRICS[row.metric].words}"
    return [row.claim, row.verdict, f"{row.against}: {effect}" if effect else "", f"{row.control}: {over}" if over else "",
            row.paper, shown(row.metric, row.mean, row.low, row.high), said(what, made), row.source, row.note]


HEAD = """# Ledger

Every claim of the paper and of the news article, in our own words, against our runs. Made by
`python -m guidelib ledger --write` from the run records in this folder; nothing here is typed by hand.
"""
