"""The ledger as a page: what is tested and what is not, the effects, then every claim, on any screen."""

import math
from collections import Counter

from ..experiments import REGIMES
from ..experiments.catalogue import CATALOGUE
from . import gates
from ._commands import code, command
from ._ledger import WAITING, rows, said
from .effects import effect_of_groups
from .matching import runs
from .metrics import METRICS, judged_by
from .overall import effect_at, over, settings_of
from .paper import CLAIMS
from .verdicts import UNTESTED, VERDICTS, kind
from .words import beside, in_words, named, percent, question, recipe, shown

SMOOTHED = "distilled-uniform"
MAIN = ("untrained", "trained", "untrained-warm-up", "trained-warm-up", "untrained-stopped",
        "trained-stopped", "distilled", "distilled-untrained", "shifted-untrained", "shifted-trained")


def page(folder, *, claims=CLAIMS):
    """The ledger as a markdown page, the same to the last byte for the same records."""
    found = runs(folder)
    made = rows(folder, claims=claims, found=found)
    settings = settings_of(found)
    lines = [HEAD, "<details><summary><b>How to read it</b></summary>", "", RULES, "</details>", "",
             "## What is tested, and what is not", ""]
    for name, experiment in CATALOGUE.items():
        lines.append(f"- **{name}**, {experiment.about}")
        mine = [place for place in settings if place[0] == name]
        lines += [f"  - {setting_said(place, settings[place])}" for place in mine]
        studied = [row for row in made if row.experiment == name and row.profile]
        if not mine:
            lines.append("  - its claims: " + ", ".join(f'<a href="#{row.id}">{row.id}</a>'
                                                              for row in studied)
                         if studied else f"  - {WAITING}")
    lines += ["", *counted(made), "", "## Effects", "", *over(settings), ""]
    for place, groups in settings.items():
        lines += effects(place, groups)
    lines += ["## Every claim", "", "By verdict, each with a link to its line below:", "", *index(made)]
    originals = {row.id: row for row in reversed(made)}
    for source in dict.fromkeys(row.source.partition(",")[0] for row in made):
        lines += [f"### {source[:1].upper()}{source[1:]}", ""]
        for row in made:
            if row.source.partition(",")[0] == source:
                anchor = row.id if originals[row.id] is row else f"{row.id}-{row.profile}-{row.regime}"
                lines += [card(row, originals.get(row.restates), anchor=anchor), ""]
    left_out = Counter(run.left_out for run in found if run.left_out)
    lines += [f"Left out: {count} records {why}." for why, count in sorted(left_out.items())]
    return "\n".join(lines).rstrip() + "\n"


def setting_said(place, groups):
    """One line on a setting: what base and guide's architecture reach, and the gate that it fails, if any."""
    base = groups.get("base", {})
    alone = groups.get("guide-alone", {})
    metric = judged_by(some(groups))
    reached = [f"{words} {percent(*gates.interval(side, metric))}"
               for words, side in (("base", base), ("guide's architecture alone", alone)) if side]
    condition = next((name for name in MAIN if name in groups), None)
    if condition is None:
        why = "no guided runs"
    else:
        why = effect_at(place, groups, condition).gate
    about = " of claims about overfitting" * (place[2] == "overfit")
    verdict = f"does not test its claims: {why}" if why else f"passes the gates{about}"
    by = f" ({METRICS[metric].words})" * (metric != "test_accuracy")
    return f"{title(place)}{by}: {', '.join(reached)}; {verdict}."


def some(groups):
    """One of the records of {condition: {seed: record}}."""
    return next(record for group in groups.values() for record in group.values())


def title(place):
    """A setting in words.

    >>> title(("deep-fcn", "fast", "untrainable"))
    'deep-fcn (fast)'
    """
    experiment, profile, regime = place
    return f"{experiment} ({said(regime if regime != 'untrainable' else '', profile, by=', ')})"


def counted(made):
    """How many claims there are of which kind; the verdicts are not what to read first."""
    kinds = {}
    for row in made:
        kinds.setdefault(row.id, set()).add(kind(row.verdict))
    closed = len({row.id for row in made if not row.experiment})
    waiting = sum(found == {"not tested"} for found in kinds.values()) - closed
    tested = sum(not found <= {UNTESTED, "not tested"} for found in kinds.values())
    untested = len(kinds) - tested - waiting - closed
    again = len({row.id for row in made if row.restates})
    words = [f"{word}: {count}" for word in VERDICTS[1:-1]
             if (count := sum(kind(row.verdict) == word for row in made))]
    return [f"Of {len(kinds)} claims, {again} of which repeat another, {tested} are tested by runs that pass "
            f"their gates ({'; '.join(words) or 'none'}), {untested} fail a gate of their own, "
            f"{waiting} are {WAITING}, and {closed} no experiment here tests."]


def effects(place, groups):
    """The effects of all guided conditions at a setting, with what stands beside them."""
    lines = []
    for condition in MAIN:
        if condition not in groups:
            continue
        found = effect_at(place, groups, condition)
        if found.against:
            lines += ["<details>", f"<summary>{summary(condition, found)}</summary>", "",
                      *details(groups, condition, found), "", "</details>", ""]
    experiment, profile, regime = place
    again = code([command(experiment, regime=regime, profile=profile)])
    return [f"### {title(place)}", "", f"Made by {again}.", "", *lines] if lines else []


def summary(condition, found):
    """An effect in a line."""
    gain = shown(found.metric, *found.gain, signed=True)
    return (f"<b>{named(condition)}</b>: {gain} points against {named(found.against)}, {found.paired} seeds. "
            f"{found.verdict[:1].upper()}{found.verdict[1:]}.")


def details(groups, condition, found):
    """The three answers of an effect, and the numbers behind them, as a list."""
    metric = found.metric
    lines = [f"- reached: {shown(metric, *found.ours)}, n = {found.n}; p = {found.p:.3f} by sign flips"]
    answers = {"does it help?": found.helps, question(condition): in_words(found.specific)}
    if found.gate:
        answers = {"its controls": ""}
    lines += [f"- {question} {answer}".rstrip() for question, answer in answers.items()]
    lines += [f"  - against {named(name, short=True)}: {shown(metric, *gap, signed=True)}"
              for name, gap in sorted(found.over.items(), key=lambda item: item[1][0])]
    worth = shown(metric, *found.worth, signed=True)
    if worth:
        answer = "" if found.gate else f"is it worth it? {found.useful}: "
        lines.append(f"- {answer}{worth} against {recipe(condition)}")
        if SMOOTHED in groups and SMOOTHED not in found.over:
            # Another recipe without a guide, tuned by itself: the search of the tuned base did not hold it.
            gap = effect_of_groups(groups, condition, SMOOTHED, metric=metric).gain
            lines.append(f"  - against {named(SMOOTHED, short=True)}: {shown(metric, *gap, signed=True)}")
    ends = gates.mean_misalignment(groups[condition].values())
    if ends:
        lines.append(f"- misalignment: {ends[0]:.2f} to {ends[1]:.2f}")
    return lines


def index(made):
    """The claims by the kind of their verdict, a row that folds a kind: links to their cards."""
    lines = []
    tested = {row.id for row in made if kind(row.verdict) not in (UNTESTED, "not tested")}
    for verdict in VERDICTS:
        # What is tested at one size is not untested, whatever it is at another.
        found = {row.id: row for row in made if kind(row.verdict) == verdict
                 and (verdict != UNTESTED or row.id not in tested)}
        if found:
            links = [f'- <a href="#{name}">{row.claim}</a> ({row.source})' for name, row in found.items()]
            head = f"<details><summary>{verdict}: {len(found)}</summary>"
            lines += [head, "", *links, "", "</details>", ""]
    return lines


def card(row, original=None, *, anchor=""):
    """A claim as a row that folds; original: the row of the claim that it repeats, or turns round.

    anchor: what links lead to, by default its id.
    """
    place = "" if row.profile or not row.regime else REGIMES[row.regime]  # of what has not been run yet
    where = said(row.experiment, row.condition, row.overrides, place, by=" ") if row.condition else ""
    setting = title((row.experiment, row.profile, row.regime)) if row.profile else ""
    primary = " (primary)" * row.primary
    lines = [f'<details id="{anchor or row.id}"><summary>{row.claim}: <b>{row.verdict}</b>{primary}'
             "</summary>", "", f"- paper: {row.paper}" if row.paper else "", f"- {row.id}, {row.source}"]
    if row.restates:
        same = original is None or (row.condition, row.worse) == (original.condition, original.worse)
        words = "says the same as" if same else "says the converse of"
        lines.append(f'- {words} <a href="#{row.restates}">{row.restates}</a>')
    if row.metric not in ("", "test_accuracy"):
        where += f": {METRICS[row.metric].words}"
    if where:
        lines.append(f"- runs: {where}{f', {setting}' * bool(setting)}")
    if not math.isnan(row.mean):
        lines.append(f"- ours: {shown(row.metric, row.mean, row.low, row.high)}; {row.seeds} seeds, "
                     f"n = {row.n} ({row.data}), {row.device}")
    if row.against:
        ends = (row.effect, row.effect_low, row.effect_high)
        if row.worse:  # told as it was measured, and not as it speaks for the claim
            ends = (0.0 - row.effect, 0.0 - row.effect_high, 0.0 - row.effect_low)
        lines.append(f"- {beside(row.metric, *ends, row.against)}{', claimed to be below' * row.worse}, "
                     f"p = {row.p:.3f}{adjusted(row)}")
        about = METRICS[row.metric]
        asked = kind(row.verdict) != UNTESTED and not about.describes and not about.alignment
        if asked and not row.equal:
            lines += [f"- does it help? {row.helps}", f"- {question(row.condition)} {in_words(row.specific)}"]
        if asked and row.useful:
            worth = beside(row.metric, row.worth, row.worth_low, row.worth_high, recipe(row.condition))
            lines.append(f"- is it worth it? {row.useful}: {worth}")
    if row.aligned:
        lines.append(f"- misalignment: {row.aligned[0]:.2f} to {row.aligned[1]:.2f}")
    if row.note:
        lines.append(f"- {row.note}")
    if row.again:
        lines.append(f"- again: {code(row.again)}")
    return "\n".join([line for i, line in enumerate(lines) if line or i == 1] + ["", "</details>"])


def adjusted(row):
    if math.isnan(row.adjusted):
        return ""
    return f", {'by Holm' if row.primary else 'q ='} {row.adjusted:.3f}"


HEAD = """# Ledger

Every claim of the paper and of the news article, in our own words, against our runs. Made by
`python -m guidelib ledger --write` from the run records in this folder; nothing here is typed by hand. Open a
line to see what is behind it.
"""
RULES = f"""\
- effect: the condition minus what it is compared with, paired by seed, with its Student-t 95 % interval;
  of what should be low, by how much it is lower. Unless the claim names another condition, that is the
  base at its best rate: the same network, tuned by as many trials, after as many steps, those of a
  warm-up counted.
- **gates**, in this order; the first that fails is the verdict, *does not test the claim*. At least
  {gates.SEEDS} seeds of both sides and of all controls, all tuned by as many trials. The guide's
  architecture, trained alone, is better than the base: the whole interval lies above 6 points; for a
  setting that is about overfitting this gate is another one, that the base overfits: its validation loss
  ends at 1.1 times its minimum or higher, which came before two thirds of the training. Not both sides
  within 3 points of chance, nor both above 97 %. A claim about what makes a guide help is tested only
  where that guide helps. Where no help is found, the guide must have been approached (below), or else the
  claim was not tested.
- **does it help?** *helps* or *harms* if the interval excludes 0; *no effect beyond 3 points* if two
  one-sided tests say so; else *undecided*, and at how many seeds the interval would reach 3 points to
  either side; a large effect needs fewer, and one near the margin more.
- **is it the guide?** It *beats its controls* if it is above every one of them, each by its own interval.
  One that is *as good* lies within 3 points, by two one-sided tests. All are shown, none is picked. To
  beat all of them needs no correction; that some control is *better* is one of several looks,
  uncorrected, and weak where its interval ends near 0. The control of a teacher is that every class gets
  the same share, which takes no teacher: smoothed labels.
- **is it worth it?** Against the tuned base: the best recipe of the same network without a guide, of as
  many trials, with its dropout, initialisation, schedule and weight decay free. It has the base's steps,
  and not those that a warm-up adds. Smoothed labels, which it does not search over, stand below it where
  they were run.
- *holds, but not by alignment*: the guide was not approached, that is, the misalignment did not fall by a
  quarter, and by 0.05, in 80 % of the seeds, in eval mode, on held-out examples, or on noise for a
  warm-up. Harm by a guide that was not approached does not test the claim, but is told. Of which guide is
  the easier to align to is told only where both had one dose. *holds as speed*: accuracy still rises by 3
  points or more in the last fifth of training on one side.
- a claim that two are alike *holds* if they differ by less than 3 points, by two one-sided tests. What is
  a difference within a run, such as accuracy above chance, is set against 0; a claim that it is not there
  holds below 0 too.
- p by sign flips over seeds; one contrast an experiment, and one for the warm-up, was named as primary
  before the runs, and these are adjusted by Holm. For the others q is the least bound on the expected
  share of false discoveries at which this claim would still count (Benjamini and Hochberg); it is not the
  probability that the claim is false.
- the number after *News* is that of the claim in the news article, counted from its beginning. Smoke runs
  are never shown, and runs with other settings than the claim's are not counted.
"""
