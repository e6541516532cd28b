"""The ledger: every claim of the paper and of the news article against our runs, by rule, made from run records alone.

A run belongs to a claim only if its settings are those of its condition and profile, changed by nothing but the claim's own overrides.
An effect is signed so that above 0 speaks for the claim, and is paired by seed. `python -m guidelib ledger --write` writes the page.
"""

import math
from collections import Counter
from dataclasses import asdict, dataclass, fields

from . import gates
from .intervals import UNTESTED, VERDICTS, kind, nearest, paired_difference, student_t_interval, verdict
from .matching import FAIR, SHOWN, by_seed, concerns_a_base, failing, runs, value
from .paper import CLAIMS, METRICS
from .words import best, percent

WAITING = "no records yet"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One claim at one setting: what was found, and the verdict that follows. mean is as measured; effects above 0 speak for the claim.

    control: of all controls the one that comes nearest, whose difference has the lowest lower end.
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
    """Table (pandas) with a row a claim and setting, in the claims' order and with the columns of Row, made from the records below `folder`.

    Numbers are shares, not per cent. FileNotFoundError without the folder; ValueError for two runs that differ in their results alone.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = ledger(folder)
    >>> table["verdict"].unique().tolist(), len(table) == len(CLAIMS)
    (['not tested'], True)
    """
    import pandas as pd

    found = runs(folder)
    return pd.DataFrame([asdict(row) for claim in claims for row in rows(claim, found)], columns=[f.name for f in fields(Row)])


def rows(claim, found):
    """The Rows of a claim from all Runs: one for each setting with runs of its condition, else one that says why there is none."""
    words = {"id": claim.id, "source": claim.source, "claim": claim.statement, "paper": claim.paper, "experiment": claim.experiment,
             "condition": claim.condition, "overrides": listed(claim.overrides), "metric": "" if claim.reason else claim.metric}
    if claim.reason:
        return [Row(**words, note=claim.reason)]
    mine = [run for run in found if run.config["experiment"] == claim.experiment and claim.regime in ("", run.config["regime"])]
    settings = sorted({run.group for run in mine if run.has(claim.condition, claim.overrides)}, key=lambda s: (SHOWN.index(s[0]), *s[1:]))
    return [Row(**words, **findings(claim, [run for run in mine if run.group == setting])) for setting in settings] \
        or [Row(**words, note=WAITING)]


def findings(claim, found):
    """What a Row holds beside the claim's own words, from the Runs of its experiment at one setting."""
    from ..experiments import find_condition, seeds

    def of(condition, overrides):
        return by_seed([run for run in found if run.has(condition, overrides)])

    guided = of(claim.condition, claim.overrides)
    ours = scores(guided, claim)
    base, tuned = (list(of(name, claim.overrides).values()) for name in FAIR)
    alone = list(of("guide-alone", {name: v for name, v in claim.overrides.items() if concerns_a_base(name)}).values())
    row = about(guided) | {"seeds": len(ours)}
    notes = [words for words in (_failure("base", base, alone), _failure("tuned base", tuned, alone)) if words]
    if len(ours) < (wanted := len(seeds(claim.experiment, profile=row["profile"], regime=row["regime"]))):
        notes.append(f"{len(ours)} of {wanted} seeds")
    if len(ours) < len(guided):
        notes.append(f"{len(guided) - len(ours)} of {len(guided)} runs without a finite {METRICS[claim.metric].words}, left out")
    if ours:
        measured = [value(guided[seed], claim.metric) for seed in ours]
        row |= dict(zip(("mean", "low", "high"), student_t_interval(measured), strict=True))

    bases = FAIR[:1] if claim.worse else FAIR  # against a tuned base everything with the base's own settings would look harmful
    rivals = {claim.against: of(claim.against, claim.against_overrides)} if claim.against else {name: of(name, claim.overrides) for name in bases}
    rivals = {name: records for name, records in rivals.items() if set(ours) & set(scores(records, claim))}
    if not rivals:
        return row | {"note": "; ".join([f"no records of {claim.against or 'a base'} to pair with", *notes])}
    if claim.needs and failing(base, alone=alone) != claim.needs:
        return row | {"note": "; ".join([f"only where the base {claim.needs}", *notes])}
    controls = {name: of(name, claim.overrides) for name in claim.controls}
    controls = {name: records for name, records in controls.items() if set(ours) & set(scores(records, claim))}

    rival = chosen(rivals, claim.metric)
    theirs = scores(rivals[rival], claim)
    gain = paired_difference(ours, theirs)
    over = {name: paired_difference(ours, scores(records, claim)) for name, records in controls.items()}
    control = nearest(over)
    row |= dict(zip(("effect", "effect_low", "effect_high"), gain, strict=True))
    row |= dict(zip(("over_control", "over_control_low", "over_control_high"), over.get(control, (math.nan,) * 3), strict=True))
    if len(set(ours) & set(theirs)) < len(ours):
        notes.append(f"{len(set(ours) & set(theirs))} of {len(ours)} seeds paired")
    if not claim.against and set(rivals) < set(bases):
        notes.append(f"no {' or '.join(sorted(set(bases) - set(rivals)))}")
    if claim.controls and not controls:
        notes.append("no control")
    helped = find_condition(claim.condition).role in ("guided", "control", "distilled")
    if helped and not alone:
        notes.append("no runs of the guide's architecture alone")
    stands = METRICS[claim.metric].of_the_whole
    untested = gates.untested(list(guided.values()), base, against=list(rivals[rival].values()), alone=alone, premise=helped,
                              metric=claim.metric if stands else "test_accuracy", higher=METRICS[claim.metric].higher or not stands)
    aligned = gates.fell(list(guided.values()))
    if claim.metric == "misalignment" and aligned is not None:  # the claim is about alignment itself: one of the two has to align
        aligned = None if aligned or gates.fell(list(rivals[rival].values())) else False
        untested = untested or ("neither misalignment fell" if aligned is False else "")
    return row | {"against": " ".join(filter(None, (rival, listed(claim.against_overrides)))), "control": control,
                  "verdict": verdict(gain, over, untested=untested, aligned=aligned, worse=claim.worse), "note": "; ".join(notes)}


def scores(records, claim):
    """{seed: value} of the claim's metric, signed so that higher speaks for the claim; runs without a finite value are left out."""
    sign = -1.0 if METRICS[claim.metric].higher == claim.worse else 1.0
    return {seed: sign * v for seed, v in ((seed, value(r, claim.metric)) for seed, r in records.items()) if v is not None}


def chosen(groups, metric):
    """The name of the group that is best on validation, as guidelib.evidence.best has it; groups: {name: {seed: record}}; "" for none."""
    by, sign = METRICS[metric].chosen_on, 1.0 if METRICS[metric].chosen_higher else -1.0
    scored = [{"config": {"condition": name}, "metrics": {"score": -math.inf if (v := value(r, by)) is None else sign * v}}
              for name, records in groups.items() for r in records.values()]
    return best(scored, list(groups), metric="score") if groups else ""


def about(records):
    """Profile, regime, data, devices and test examples of records of one setting."""
    first = next(iter(records.values()))
    return {name: first["config"].get(name, "") for name in ("profile", "regime", "data")} | {
        "device": " and ".join(sorted({r["environment"].get("device", "") for r in records.values()})), "n": first["metrics"].get("n_test", 0)}


def listed(overrides):
    """Overrides as text.

    >>> listed({"layers": "first-5"})
    '(layers = first-5)'
    """
    return f"({', '.join(f'{name} = {overrides[name]}' for name in sorted(overrides))})" if overrides else ""


def _failure(name, records, alone):
    if not records:
        return ""
    return f"{name} {failing(records, alone=alone) or 'does not fail at this size'}"


def page(folder, *, claims=CLAIMS):
    """The ledger as a markdown page, the same to the last byte for the same records."""
    table = ledger(folder, claims=claims)
    kinds = table["verdict"].map(kind)
    tried, waiting = (table.loc[which, "id"].nunique() for which in (kinds != "not tested", table["note"] == WAITING))
    closed = sum(bool(claim.reason) for claim in claims)
    alone = len(claims) - tried - waiting - closed
    compared = int((kinds != "not tested").sum())
    lines = [HEAD, f"**{int((kinds == UNTESTED).sum())} of {compared} comparisons do not test their claim**: the setting could not have gone either way, or "
             "what the claim is about did not happen in it.", "",
             "| | " + " | ".join(SHOWN) + " |", "|---|" + "---|" * len(SHOWN)]
    for words in VERDICTS[:-1]:
        counts = [int(((kinds == words) & (table["profile"] == p)).sum()) for p in SHOWN]
        lines += [f"| {words} | " + " | ".join(map(str, counts)) + " |"] if any(counts) else []
    lines += ["", f"Of {len(claims)} claims {tried} are compared at one size at least; {alone} have runs, but nothing to compare them with or "
              f"nothing to cure; {waiting} wait for records; {closed} no experiment here tests.", "", RULES]
    lines += ["| claim | verdict | effect against | over the nearest control | paper | ours | runs | source | note |", "|" + "---|" * 9]
    lines += ["| " + " | ".join(_cells(row)) + " |" for row in table.itertuples()]
    left_out = Counter(run.left_out for run in runs(folder) if run.left_out)
    lines += ["", *(f"Left out: {count} records {why}." for why, count in sorted(left_out.items()))]
    return "\n".join(lines).rstrip() + "\n"


def _cells(row):
    """The cells of a line of the page."""
    def shown(mean, low, high, *, signed=False):
        if mean != mean:
            return ""
        if METRICS[row.metric].percent:
            return percent(mean, low, high, signed=signed, share=METRICS[row.metric].of_the_whole)
        sign = "+" if signed else ""
        return f"{mean:{sign}.3f}" + ("" if low != low else f" ({low:{sign}.3f} to {high:{sign}.3f})")

    setting = f"{row.profile}, {row.regime}: {row.seeds} seed{'s' * (row.seeds != 1)}, n = {row.n} ({row.data}), {row.device}" if row.profile else ""
    what = " ".join(filter(None, (row.condition, row.overrides))) + ("" if row.metric in ("", "test_accuracy") else f": {METRICS[row.metric].words}")
    effect, over = (shown(*numbers, signed=True) for numbers in ((row.effect, row.effect_low, row.effect_high),
                                                                 (row.over_control, row.over_control_low, row.over_control_high)))
    ours = shown(row.mean, row.low, row.high)
    return [row.claim, row.verdict, f"{row.against}: {effect}" if effect else "", f"{row.control}: {over}" if over else "", row.paper, ours,
            "; ".join(filter(None, (f"{row.experiment} {what}" if row.condition else "", setting))), row.source, row.note]


HEAD = """# Ledger

Every claim of the paper and of the news article, in our own words, against our runs. Made by `python -m guidelib ledger --write` from the run
records in this folder; nothing here is typed by hand.
"""
RULES = """## How to read the table

- ours: the mean over seeds, with its Student-t 95 % interval. Accuracies in per cent, their differences in points.
- effect: the condition minus what it is compared with, paired by seed, signed so that above 0 speaks for the claim. Unless the claim names
  another condition, that is the fair base: the better of base and base-tuned, chosen on validation; for a claim of harm the base as it is,
  which has the same learning rate.
- nearest control: the same against the control, at the same timing, whose interval reaches lowest. The verdict counts all of them.
- verdict, by rule, the first that fits. *does not test the claim* if the guided runs stand within 3 points of chance, and so do the base or those
  compared with; or if the guide's architecture, trained alone, does not beat the base by an interval above 0; or if nothing is gained and the
  misalignment did not fall. *helps, but not by alignment* (or *harms*) if the effect's lower end is above 0 though the misalignment did not
  fall. *holds* if that end is above 0, and so are those over all controls; *holds, not told apart from* names the controls whose
  interval includes 0, *better* those above the guided runs. *does not hold* if the effect's upper end is below 0; else
  *undecided at this n*. A claim that guidance cures overfitting is tested only where the base overfits.
- a misalignment *fell* if in 80 % of the seeds it ends at least a quarter lower than it began, and began at 0.05 or more: the mean over pairs, of
  training batches in the first and the last epoch with a guide, or of noise in the first and the last five steps of a warm-up. What the first
  epoch itself brought is not seen in this, so that the rule is hard on guides that are approached at once.
- the base is *at chance* if the interval of its test accuracy includes chance or lies below; it *overfits* if training accuracy ends above
  validation accuracy by more than 10 points in the mean, and by an interval that excludes 0; it *saturates* if training accuracy ends more than 10
  points below the guide's architecture trained alone (below 100 % without such runs) and rises by less than 1 point over the last quarter of the
  epochs. Otherwise it does not fail at this size, and there is nothing to cure.
- equal trials of tuning were given in deep-fcn, regime untrainable, alone: to base, tuned base and shifted biases, and to guides and controls
  throughout and as warm-up. There guides that are let go have the rate and weight of those that stay, and distillations the base's rate, no
  more; elsewhere only the bases were tuned. A verdict against a tuned base is harder on what was not tuned.
- smoke runs are never shown, and runs with other settings than the claim's are not counted.
"""
