"""All settings at once: where a guide helps, whether it was the guide, and whether it was worth it."""

from collections import Counter

from ..experiments import REGIMES
from ..experiments.catalogue import CATALOGUE
from .effects import effect_of_groups, required, rival
from .matching import SHOWN, one_a_seed, runs
from .metrics import judged_by
from .words import named

GUIDES = {"Guided throughout": ("untrained", "trained"),
          "Guided for the first steps only": ("untrained-stopped", "trained-stopped"),
          "Aligned before training only": ("untrained-warm-up", "trained-warm-up")}
TIMINGS = (", warm-up", ", then stopped")  # in the labels of controls
STANDS = {"below": "better in", "as good": "as good in", "not told apart": "not told apart in"}  # a control
ANSWERS = ("helps", "harms", "shows no effect", "is undecided", "is not tested")
WORTH = {"worth it": "better in", "no better": "no better in", "not worth it": "worse in",
         "not separated": "not told apart in"}


def in_short(folder, *, profile="fast"):
    """What the records in folder say of untrained and trained guides over all settings, as markdown lines.

    Counts, each of which follows by rule from the effects of the ledger. No lines without records;
    FileNotFoundError without such a folder.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as empty:
    ...     in_short(empty)
    []
    """
    return over(settings_of(runs(folder)), profile=profile)


def over(settings, *, profile="fast"):
    """The same of {place: {condition: {seed: record}}}."""
    places = {place: groups for place, groups in settings.items() if place[1] == profile}
    lines, every = [], {}
    for when, conditions in GUIDES.items():
        found = {}
        for place, groups in places.items():
            for condition in conditions:
                if condition in groups and (made := effect_at(place, groups, condition)).against:
                    found[place, condition] = made
        lines += counted(when, found) if found else []
        every |= found
    return [in_all(every), "", *lines] if every else []


def in_all(found):
    """The three questions over all of {(place, condition): Effect}, in two sentences."""
    answers = Counter(answer(made) for made in found.values())
    helping = [made for made in found.values() if answer(made) == "helps"]
    text = f"In all, a guide **helps in {answers['helps']} of {len(found)}** comparisons with its base"
    text += f", and harms in {answers['harms']}." if answers["harms"] else "."
    if not helping:
        return text
    alone = sum(made.specific == "beats its controls" for made in helping)
    worth = sum(made.useful == "worth it" for made in helping)
    known = sum(made.useful != "" for made in helping)
    text += f" Where it helps, it **beats every control in {alone or 'none'}** of {len(helping)}"
    return f"{text}, and **the best recipe without a guide in {worth or 'none'}** of {known}."


def settings_of(found):
    """{(experiment, profile, regime): {condition: {seed: record}}} of all Runs without overrides."""
    places = {}
    for run in found:
        if not run.left_out and not run.changed:
            c = run.config
            place = (c["experiment"], c["profile"], c["regime"])
            places.setdefault(place, {}).setdefault(c["condition"], []).append(run)
    order = list(CATALOGUE)
    ordered = sorted(places, key=lambda place: (order.index(place[0]), SHOWN.index(place[1]),
                                                list(REGIMES).index(place[2])))
    return {place: {name: one_a_seed(group) for name, group in places[place].items()} for place in ordered}


def effect_at(place, groups, condition):
    """The Effect of a condition at a setting, from its {condition: {seed: record}}, by its own metric."""
    records = [record for group in groups.values() for record in group.values()]
    controls = required(condition, records)
    return effect_of_groups(groups, condition, rival(condition, groups), controls=controls,
                            metric=judged_by(records[0]), overfitting=place[2] == "overfit")


def counted(when, found):
    """The three questions over {(place, condition): Effect}, each with its counts, as a list in markdown."""
    answers = Counter(answer(made) for made in found.values())
    told = ", ".join(f"{words} in {answers[words]}" for words in ANSWERS if answers[words])
    settings = len({place for place, _ in found})
    lines = [f"- **{when}**, by an untrained or a trained guide, {len(found)} comparisons with the base in "
             f"{settings} setting{'s' * (settings > 1)}: it {told}."]
    helping = {key: made for key, made in found.items() if answer(made) == "helps"}
    if not helping:
        return lines
    alone = [key for key, made in helping.items() if made.specific == "beats its controls"]
    lines.append(f"  - Is it the guide? Where it helps, it beats every control in {len(alone) or 'none'}"
                 f"{where(alone)}{rivals(helping)}.")
    worth = {word: [key for key, made in helping.items() if made.useful == word] for word in WORTH}
    told = ", ".join(f"{WORTH[word]} {len(keys)}{where(keys) * (word == 'worth it')}"
                     for word, keys in worth.items() if keys)
    if told:
        lines.append(f"  - Is it worth it? Beside the best recipe without a guide it is {told}.")
    return lines


def answer(made):
    """The answer to "does it help?" as a verb; that of a setting that tests nothing, too."""
    if made.gate:
        return "is not tested"
    if made.helps in ("helps", "harms"):
        return made.helps
    return "is undecided" if made.helps.startswith("undecided") else "shows no effect"


def where(keys):
    """Settings and their guides in brackets, "" for none.

    >>> where([(("wide-fcn", "fast", "untrainable"), "trained")])
    ' (`wide-fcn`, trained)'
    """
    guides = {}
    for (experiment, _, regime), condition in keys:
        setting = f"`{experiment}`" + f" {regime}" * (regime != "untrainable")
        guides.setdefault(setting, []).append(condition.partition("-")[0])
    told = "; ".join(f"{setting}, {' and '.join(names)}" for setting, names in guides.items())
    return f" ({told})" * bool(guides)


def rivals(helping):
    """The controls that are as good as a guide, or more, those first that are so most often."""
    stands = {}
    for made in helping.values():
        for name, how in made.stands.items():
            if how in STANDS:
                label = named(name, short=True)
                for timing in TIMINGS:
                    label = label.removesuffix(timing)
                stands.setdefault(label, Counter())[how] += 1
    ordered = sorted(stands.items(), key=lambda item: -item[1].total())
    told = [f"{name} ({', '.join(f'{words} {counts[how]}' for how, words in STANDS.items() if counts[how])})"
            for name, counts in ordered]
    return f". Elsewhere at least one is as good, or may be: {'; '.join(told)}" * bool(told)
