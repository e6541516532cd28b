"""Equal trials: every condition that is compared is tuned by the same number of draws, from the same list.

First the setting itself, among a few candidates: by what the base and the guide's architecture reach alone,
and by whether guided targets align, never by what they reach. Then each condition: some draws at one seed,
the best of them at the other seeds, on validation, on seeds that no result is reported on. The logs are text,
and all that is needed to go on.
"""

import json
from math import comb
from pathlib import Path

import pandas as pd

from ..files import write_whole
from . import records
from .catalogue import CATALOGUE, parted, variant
from .catalogue.base import CHOSEN, place
from .conditions import find_condition
from .configuration import config
from .draws import SEARCHED, draws, effort, space
from .grid import run_grid
from .kept import KEPT
from .lock import locked

RATES = (3e-4, 1e-3, 3e-3, 1e-2)  # of the base, in each candidate for a setting
REACHED = ("validation_accuracy", "validation_loss", "best_epoch", "status", "validation_loss_last")
SIGN = {"validation_loss": 1, "validation_accuracy": -1}  # so that less is better
# Columns that rows are ordered by.
NAMED = ("data", "depth", "width", "candidate", "start", "target", "guide", "condition")
LAST = (*REACHED, "train_accuracy_last", "misalignment_start", "misalignment_end", "steps", "seconds", "key")


def tune(experiment, *, regime="untrainable", profile="fast", out, conditions=None, settings=None,
         jobs=2):
    """The log of all trials of an experiment, a table: a row a trial and seed, the chosen ones marked.

    conditions: those to tune, of the ones that are compared, where any are; None for all. settings: {field of
    Config: value} that all of them have besides; what is chosen is then for runs with these alone. The log
    lies in `out`, where it is added to after each run: what it holds is not run again. Returned is the whole
    of it.
    ValueError for a condition that is not compared here or has nothing to tune, and for settings that change
    nothing or are drawn.
    """
    compared = CATALOGUE[experiment].compared.get((regime, profile)) or conditions or ()
    count, finalists = effort(profile)
    tunable = [name for name in compared if space(experiment, name)]
    for name in conditions or ():
        if name not in tunable:
            raise ValueError(f"{name!r} is not tuned in {place(experiment, regime, profile)}: "
                             f"choose from {tunable}")
    log = Log(Path(out) / f"{place(experiment, regime, profile)}.csv")

    def row(condition, number, seed):
        drawn = draws(experiment, condition, count=count)[number]
        made = config(experiment, condition=condition, regime=regime, profile=profile, seed=seed,
                      **settings | drawn)
        return {"condition": variant(condition, settings), "draw": number, "seed": seed, **drawn}, made

    chosen = conditions or tunable
    if not chosen:
        raise ValueError(f"nothing is compared in {place(experiment, regime, profile)}: name it in its file")
    for name in chosen:
        plain, asked = (config(experiment, condition=name, regime=regime, profile=profile, **given)
                        for given in ({}, settings or {}))
        settings = {given: getattr(asked, given) for given in settings or {}}
        for given, value in settings.items():
            if given in space(experiment, name):
                raise ValueError(f"{given} is drawn for {name}: leave it out, received {value!r}")
            if getattr(plain, given) == value:
                raise ValueError(f"{given} = {value!r} is what {name} has by itself: leave it out")
    first, *others = SEARCHED
    every = [row(name, number, first) for name in chosen for number in range(count)]
    log.fill(every, jobs=jobs)
    by = CATALOGUE[experiment].chosen_by
    more = []
    for name in chosen:
        best = ranked(log.table(), variant(name, settings), by=by, seeds=(first,))[:finalists]
        more += [row(name, number, seed) for seed in others for number in best]
    log.fill(more, jobs=jobs)
    return marked(log.table(), by=by)


def setting(experiment, *, regime="untrainable", profile="fast", out, jobs=2):
    """The log of all candidates for a setting: the base at four rates, the guide alone, a guided target.

    Of the last one nothing is kept but how its misalignment changes.
    """
    log = Log(Path(out) / f"{place(experiment, regime, profile)}-setting.csv")
    rows = []
    candidates = CATALOGUE[experiment].candidates.get((regime, profile))
    if not candidates:
        raise ValueError(f"{place(experiment, regime, profile)} has no candidates: name some in its file")
    for overrides in candidates:
        words = " ".join(f"{name}={value}" for name, value in overrides.items()) or "as it stands"
        tried = [("base", {"lr": lr}) for lr in RATES]
        tried += [("guide-alone", {}), ("untrained", {"lr": 3e-3, "dose": 1.0})]
        for condition, settings in tried:
            for seed in SEARCHED[:2]:
                made = config(experiment, condition=condition, regime=regime, profile=profile, seed=seed,
                              **overrides | settings)
                rows.append(({"condition": condition, "candidate": words, "seed": seed, "lr": made.lr}, made))
    log.fill(rows, jobs=jobs)
    table = log.table()
    reached = [name for name in (*REACHED, "train_accuracy_last") if name != "status"]
    table.loc[table["condition"] == "untrained", reached] = None
    write_whole(log.path, table.to_csv(index=False).encode())
    return table


def trials(experiment, *, regime="untrainable", profile="fast", kept=KEPT):
    """The log that the project keeps of tuning an experiment, a table, or None without one.

    A row a trial and seed, the chosen ones marked, of the conditions with their own settings.
    """
    path = kept / "search" / f"{place(experiment, regime, profile)}.csv"
    if not path.exists():
        return None
    table = marked(Log(path).table(), by=CATALOGUE[experiment].chosen_by)
    return table[~table["condition"].map(lambda name: bool(parted(name)[1]))].reset_index(drop=True)


def best_of(table):
    """Table (condition, trials, validation_accuracy): what the best of so many trials reaches on average.

    Over all choices of that many draws among those that were made, at the first seed. Where two curves cross,
    which condition is better depends on how long one searches.

    >>> table = pd.DataFrame({"condition": "base", "seed": 100, "validation_accuracy": [0.2, 0.4]})
    >>> best_of(table)["validation_accuracy"].round(2).tolist()
    [0.3, 0.4]
    """
    rows = []
    for condition, found in table[table["seed"] == SEARCHED[0]].groupby("condition", sort=False):
        values = sorted(found["validation_accuracy"])
        n = len(values)
        for k in range(1, n + 1):
            # The i-th smallest is the best of k draws if the other k - 1 are among the i below it.
            shares = [comb(i, k - 1) / comb(n, k) for i in range(n)]
            mean = sum(share * value for share, value in zip(shares, values, strict=True))
            rows.append((condition, k, mean))
    return pd.DataFrame(rows, columns=["condition", "trials", "validation_accuracy"])


class Log:
    """Runs in a CSV file, one row each, told apart by the hash of their configuration.

    found: a callable(record, what was to be written of it) that returns what else is kept of a run.
    """

    def __init__(self, path, *, found=None):
        self.path = Path(path)
        self.found = found or tried
        self.rows = self.read()

    def read(self):
        """The rows in the file."""
        if not self.path.exists():
            return []
        table = pd.read_csv(self.path, dtype={"key": str})
        return [row.dropna().to_dict() for _, row in table.iterrows()]

    def merge(self):
        """Add the rows that another process has written meanwhile; returns all keys."""
        known = {row["key"] for row in self.rows}
        self.rows += [row for row in self.read() if row["key"] not in known]
        return {row["key"] for row in self.rows}

    def fill(self, wanted, *, jobs):
        """Run what the log does not hold yet of [(what to write of it, its Config)].

        Each is kept as it is done. What is written of a run follows what is asked for now: the size that a
        search ended on is then the one "as it stands".
        """
        asked = {made.key(): facts for facts, made in wanted}
        known = self.merge()
        for row in self.rows:
            row |= asked.get(row["key"], {})
        todo = {made.key(): (facts, made) for facts, made in wanted if made.key() not in known}
        folder = self.path.with_suffix("")  # the records, which nobody needs afterwards

        def note(made):
            if made.key() in known:
                return
            facts, _ = todo[made.key()]
            record = records.read(records.path_of(made, folder))
            row = facts | self.found(record, facts) | {"key": made.key()}
            with locked(self.path.with_suffix(".lock")):
                known.update(self.merge(), [made.key()])
                self.rows = [other for other in self.rows if other["key"] != row["key"]] + [row]
                write_whole(self.path, self.table().to_csv(index=False).encode())

        run_grid([made for _, made in todo.values()], out=folder, jobs=jobs, each=note)
        for _, made in todo.values():
            note(made)  # one that lay there already
            records.path_of(made, folder).unlink(missing_ok=True)

    def table(self):
        """All rows, in an order that does not depend on which run was done first."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        last = [name for name in LAST if name in names]
        names = [name for name in names if name not in last] + last
        order = sorted(self.rows, key=lambda row: [str(row.get(name, "")) for name in NAMED]
                       + [row["seed"], row.get("draw", row.get("lr", 0))])
        return pd.DataFrame(order, columns=names)


def tried(record, facts):
    """What a log of trials keeps of a run."""
    metrics = record["metrics"]
    row = {name: metrics[name] for name in (*REACHED, "train_accuracy_last")}
    probe = record["curves"]["probe"]["misalignment"]
    if probe and probe[0] and find_condition(parted(facts["condition"])[0]).guide:
        row |= {"misalignment_start": mean(probe[0]), "misalignment_end": mean(probe[-1])}
    return row | {"steps": metrics["steps"], "seconds": record["duration_s"]}


def mean(values):
    """Of a look; None if any of it is, in a run that diverged."""
    return None if None in values else round(sum(values) / len(values), 4)


def ranked(table, condition, *, by, seeds):
    """The draws of a condition that ran on all of these seeds, the best by the mean of a metric first.

    >>> table = pd.DataFrame({"condition": "base", "draw": [0, 1], "seed": 100, "validation_loss": [2.0, 1]})
    >>> ranked(table, "base", by="validation_loss", seeds=(100,))
    [1, 0]
    """
    mine = table[(table["condition"] == condition) & table["seed"].isin(seeds)]
    scores = mine.groupby("draw")[by].agg(["mean", "count"])
    scores = (SIGN[by] * scores["mean"][scores["count"] == len(seeds)]).fillna(float("inf"))
    return scores.sort_values(kind="stable").index.tolist()


def marked(table, *, by):
    """The table with a column `chosen`: of each condition the draw that is best over all seeds of the log."""
    best = {}
    for name in table["condition"].unique():
        order = ranked(table, name, by=by, seeds=table["seed"].unique())
        best[name] = order[0] if order else None
    chosen = [best[row.condition] == row.draw for row in table.itertuples()]
    return table.assign(chosen=chosen)


def settings_of(table, experiment):
    """{condition, or variant of one: the settings chosen} of a marked log.

    The tuned base may keep the recipe of the base: where none of its own trials is as good as the base's, it
    has the base's settings.

    >>> row = {"condition": "base", "draw": 0, "lr": 0.1, "seed": 100, "chosen": True}
    >>> settings_of(pd.DataFrame([row | {"validation_accuracy": 0.5}]), "deep-fcn")
    {'base': {'lr': 0.1}}
    """
    found = {}
    scores = {}
    by = CATALOGUE[experiment].chosen_by
    for condition, rows in table[table["chosen"]].groupby("condition", sort=False):
        found[condition] = draws_row(rows.iloc[0], space(experiment, parted(condition)[0]))
        scores[condition] = SIGN[by] * rows[by].mean()
    if {"base", "base-tuned"} <= found.keys() and scores["base"] < scores["base-tuned"]:
        found["base-tuned"] = found["base"]
    return found


def draws_row(row, names):
    """The settings of a row, without the numpy types."""
    values = {}
    for name in names:
        value = row[name]
        value = value.item() if hasattr(value, "item") else value
        values[name] = None if isinstance(value, float) and value != value else value
    return values


def choose(experiment, *, regime, profile, table):
    """Write what a log says into the file that config() reads its settings from."""
    with locked(CHOSEN.with_suffix(".lock")):
        every = json.loads(CHOSEN.read_text(encoding="utf-8"))
        every[place(experiment, regime, profile)] = settings_of(table, experiment)
        text = json.dumps(every, indent=1, sort_keys=True) + "\n"
        write_whole(CHOSEN, text.encode())
