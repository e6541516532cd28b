"""Equal trials: one list of draws, a log that is enough to go on, and what it chose is what runs."""

import dataclasses
import json
from pathlib import Path

import pandas as pd
import pytest

from guidelib.__main__ import main
from guidelib.cli.options import assignment
from guidelib.experiments import config, kept, records, seeds, tuning
from guidelib.experiments.catalogue import CATALOGUE, base, chosen, parted
from guidelib.experiments.catalogue.base import place
from guidelib.experiments.draws import DRAWS, FINALISTS, RANGES, SEARCHED, draws, space
from guidelib.experiments.records import path_of

SEARCH = Path(__file__).parent.parent / "results" / "search"
LOGS = {place(name, *where): (name, where) for name in CATALOGUE
        for where in CATALOGUE[name].compared or [("untrainable", "fast")]}


def test_a_guide_and_its_controls_share_their_draws():
    assert draws("deep-fcn", "untrained") == draws("deep-fcn", "identity") == draws("wide-fcn", "trained")
    assert draws("deep-fcn", "trained-warm-up") == draws("deep-fcn", "moved-as-far")
    assert draws("deep-fcn", "untrained-stopped") == []  # tuned as throughout


def test_draws_are_spread_evenly_over_each_range():
    for name in ("lr", "dose"):
        low, high = RANGES[name]
        values = sorted(d[name] for d in draws("deep-fcn", "untrained"))
        cells = [low * (high / low) ** (i / DRAWS) for i in range(DRAWS + 1)]
        assert all(a < v < b for a, v, b in zip(cells, values, cells[1:], strict=False))
    assert [d["lr"] for d in draws("deep-fcn", "base")] != sorted(d["lr"] for d in draws("deep-fcn", "base"))


def test_the_tuned_base_draws_every_choice_that_needs_no_guide():
    found = draws("deep-fcn", "base-tuned")
    for name, choices in CATALOGUE["deep-fcn"].recipes.items():
        assert {d[name] for d in found} == set(choices), name
    assert set(space("copy-paste", "base-tuned")) == {"lr", "clip", "weight_decay", "schedule"}


@pytest.fixture
def made_up(monkeypatch, tmp_path):
    """Runs whose validation accuracy follows from their settings; returns how many were asked for."""
    asked = []

    def run_grid(configs, *, out, jobs, each):
        for made in configs:
            asked.append(made)
            score = made.lr + made.dose / 1000 + made.seed / 1e6
            metrics = {"validation_accuracy": score, "validation_loss": -score,
                       "validation_loss_last": -score, "best_epoch": 1,
                       "status": "ok", "train_accuracy_last": 0.5, "steps": 9}
            probe = {"misalignment": [[0.5, 0.7], [0.2, 0.2]]}
            record = {"config": made.facts(), "metrics": metrics, "curves": {"probe": probe},
                      "environment": {}, "duration_s": 1.0, "schema": records.SCHEMA}
            records.write(record, path_of(made, out))
            each(made)

    monkeypatch.setattr(tuning, "run_grid", run_grid)
    monkeypatch.setattr(tuning, "CHOSEN", tmp_path / "chosen.json")
    tuning.CHOSEN.write_text("{}")
    return asked


def test_every_condition_gets_as_many_trials_and_the_best_go_on(made_up, tmp_path):
    names = ["base", "untrained", "identity-warm-up"]
    table = tuning.tune("deep-fcn", out=tmp_path, conditions=names)
    counts = table.groupby("condition").size()
    assert set(counts) == {DRAWS + FINALISTS * (len(SEARCHED) - 1)} and set(counts.index) == set(names)
    for name in names:
        best = max(draws("deep-fcn", name), key=lambda d: d["lr"] + d.get("dose", 1.0) / 1000)
        found = tuning.settings_of(table, "deep-fcn")[name]
        assert found == best
    assert table.loc[table["condition"] == "untrained", "misalignment_end"].eq(0.2).all()
    assert not {made.seed for made in made_up} & set(seeds("deep-fcn"))


def test_a_log_is_all_that_is_needed_to_go_on(made_up, tmp_path):
    first = tuning.tune("deep-fcn", out=tmp_path, conditions=["base", "untrained"])
    runs = len(made_up)
    assert not list(tmp_path.glob("**/deep-fcn-base-*.json"))  # no record is needed afterwards
    again = tuning.tune("deep-fcn", out=tmp_path, conditions=["base", "untrained"])
    assert len(made_up) == runs
    pd.testing.assert_frame_equal(first, again)
    path = tmp_path / "deep-fcn-untrainable-fast.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:-3]) + "\n")  # as if it had been stopped three runs earlier
    tuning.tune("deep-fcn", out=tmp_path, conditions=["base", "untrained"])
    assert len(made_up) == runs + 3
    assert path.read_text().splitlines() == lines


def test_two_processes_at_one_log_lose_nothing(made_up, tmp_path):
    path = tmp_path / "log.csv"
    mine, theirs = tuning.Log(path), tuning.Log(path)  # both read it while it is empty
    wanted = [({"condition": "base", "draw": draw, "seed": 100},
               config("deep-fcn", seed=100, lr=0.001 * draw)) for draw in (1, 2)]
    mine.fill(wanted[:1], jobs=1)
    theirs.fill(wanted[1:], jobs=1)
    assert tuning.Log(path).table()["draw"].tolist() == [1, 2]
    mine.fill(wanted, jobs=1)
    assert len(made_up) == 2  # what the other has done is not done again
    assert tuning.Log(path).table()["draw"].tolist() == [1, 2]


def test_a_trial_that_diverged_is_a_row_like_any_other(made_up, tmp_path):
    assert tuning.mean([0.25, None]) is None
    made = config("deep-fcn", condition="untrained", seed=100)
    metrics = dict.fromkeys((*tuning.REACHED, "train_accuracy_last"), None)
    metrics |= {"status": "diverged", "steps": 9}
    record = {"metrics": metrics, "curves": {"probe": {"misalignment": [[0.5, 0.7], [None, 0.2]]}},
              "duration_s": 1.0}
    row = tuning.tried(record, {"condition": made.condition})
    assert (row["misalignment_start"], row["misalignment_end"], row["status"]) == (0.6, None, "diverged")


def test_what_was_chosen_is_written_where_configurations_read_it(made_up, tmp_path):
    table = tuning.tune("deep-fcn", out=tmp_path, conditions=["base"])
    tuning.choose("deep-fcn", regime="untrainable", profile="fast", table=table)
    best = max(draws("deep-fcn", "base"), key=lambda d: d["lr"])
    assert json.loads(tuning.CHOSEN.read_text()) == {"deep-fcn-untrainable-fast": {"base": best}}


FIRST = {"layers": "first-5"}


def test_what_a_variant_is_tuned_to_counts_for_its_settings_alone(made_up, tmp_path, monkeypatch):
    tuning.tune("deep-fcn", out=tmp_path, conditions=["untrained"])
    runs = len(made_up)
    table = tuning.tune("deep-fcn", out=tmp_path, conditions=["untrained"], settings=FIRST)
    label = "untrained (layers = first-5)"
    assert table["condition"].value_counts().to_dict() == {"untrained": runs, label: runs}
    assert all(made.layers == "first-5" for made in made_up[runs:]) and len(made_up) == 2 * runs
    tried = [sorted(zip(rows["draw"], rows["lr"], rows["dose"], rows["seed"], strict=True))
             for _, rows in table.groupby("condition")]
    assert tried[0] == tried[1]
    assert table.loc[table["condition"] == label, "misalignment_end"].eq(0.2).all()

    # What was chosen with the setting is what runs with it have, and no others.
    table.loc[table["condition"] == label, "chosen"] = table["draw"] == 0
    tuning.choose("deep-fcn", regime="untrainable", profile="fast", table=table)
    monkeypatch.setattr(base, "CHOSEN", tuning.CHOSEN)
    drawn = draws("deep-fcn", "untrained")
    made = config("deep-fcn", condition="untrained", layers="first-5", width=64)
    assert {name: getattr(made, name) for name in drawn[0]} == drawn[0]
    stopped = config("deep-fcn", condition="untrained-stopped", **FIRST)
    assert (stopped.lr, stopped.dose) == (made.lr, made.dose)
    best = max(drawn, key=lambda d: d["lr"] + d["dose"] / 1000)
    for others in ({}, {"layers": "first-2"}, {"width": 64}):
        made = config("deep-fcn", condition="untrained", **others)
        assert (made.lr, made.dose) == (best["lr"], best["dose"]), others
    assert config("deep-fcn", condition="untrained", **FIRST, lr=0.5).lr == 0.5


def test_the_log_of_the_conditions_themselves_is_without_variants(made_up, tmp_path):
    folder = tmp_path / "search"
    alone = tuning.tune("deep-fcn", out=folder, conditions=["untrained"])
    tuning.tune("deep-fcn", out=folder, conditions=["untrained"], settings=FIRST)
    pd.testing.assert_frame_equal(tuning.trials("deep-fcn", kept=tmp_path), alone)


@pytest.mark.parametrize(("settings", "message"), [
    ({"layers": "all"}, "layers = 'all' is what untrained has by itself"),
    ({"lr": 0.1}, "lr is drawn for untrained"),
    ({"layer": "first-5"}, "no setting 'layer', did you mean 'layers'"),
])
def test_a_variant_differs_and_leaves_what_is_drawn(made_up, tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        tuning.tune("deep-fcn", out=tmp_path, conditions=["untrained"], settings=settings)
    assert not made_up


def test_a_setting_is_chosen_without_a_look_at_guided_accuracy(made_up, tmp_path):
    table = tuning.setting("deep-fcn", out=tmp_path)
    guided = table[table["condition"] == "untrained"]
    assert guided["validation_accuracy"].isna().all() and guided["train_accuracy_last"].isna().all()
    assert guided["misalignment_end"].notna().all()
    assert table.loc[table["condition"] != "untrained", "validation_accuracy"].notna().all()
    candidates = CATALOGUE["deep-fcn"].candidates["untrainable", "fast"]
    assert len(table) == len(candidates) * 6 * 2


def test_a_log_calls_a_candidate_as_it_is_called_now(made_up, tmp_path, monkeypatch):
    """Once a size is chosen, it is the experiment as it stands, and what stood before has its differences."""
    tuning.setting("copy-paste", out=tmp_path)
    runs = len(made_up)
    found = CATALOGUE["copy-paste"]
    chosen = {"candidates": {("untrainable", "fast"): ({}, {"shortest": 8, "longest": 12})}}
    monkeypatch.setitem(CATALOGUE, "copy-paste", dataclasses.replace(found, **chosen))
    table = tuning.setting("copy-paste", out=tmp_path)
    assert len(made_up) == runs
    assert set(table["candidate"]) == {"as it stands", "shortest=8 longest=12"}


def test_what_is_not_compared_is_not_tuned(tmp_path):
    with pytest.raises(ValueError, match="'untrained-stopped' is not tuned in deep-fcn-untrainable-fast"):
        tuning.tune("deep-fcn", out=tmp_path, conditions=["untrained-stopped"])


def test_the_learning_rate_that_was_best_on_some_seeds_alone_is_not_chosen():
    rows = [("a", 0, 100, 0.9), ("a", 1, 100, 0.5), ("a", 1, 101, 0.6), ("a", 1, 102, 0.7)]
    table = pd.DataFrame(rows, columns=["condition", "draw", "seed", "validation_accuracy"])
    assert tuning.marked(table, by="validation_accuracy")["chosen"].tolist() == [False, True, True, True]


@pytest.mark.parametrize("name", [name for name in LOGS if (SEARCH / f"{name}.csv").exists()])
def test_the_settings_that_run_are_those_that_the_committed_log_chose(name):
    experiment, (regime, profile) = LOGS[name]
    table = pd.read_csv(SEARCH / f"{name}.csv")
    table = tuning.marked(table, by=CATALOGUE[experiment].chosen_by)
    found = tuning.settings_of(table, experiment)
    assert found == chosen(experiment, regime, profile)
    assert len(set(table.groupby("condition").size())) == 1
    for tuned, settings in found.items():
        condition, asked = parted(tuned)
        asked = dict(assignment(f"{setting}={text}") for setting, text in asked.items())
        made = config(experiment, condition=condition, regime=regime, profile=profile, **asked)
        assert {key: getattr(made, key) for key in settings} == settings, tuned


def test_only_the_log_that_the_project_keeps_changes_what_runs(made_up, tmp_path, monkeypatch, capsys):
    command = ["tune", "deep-fcn", "--conditions", "base", "--out"]
    assert main([*command, str(tmp_path / "elsewhere")]) == 0
    assert tuning.CHOSEN.read_text() == "{}"
    monkeypatch.setattr(kept, "KEPT", tmp_path)
    assert main([*command, str(tmp_path / "search")]) == 0
    assert list(json.loads(tuning.CHOSEN.read_text())) == ["deep-fcn-untrainable-fast"]


@pytest.mark.parametrize(("words", "said"), [
    (["tune", "deep-fnc"], "no experiment 'deep-fnc', did you mean 'deep-fcn'"),
    (["tune", "parity", "--profile", "paper"], "nothing is compared in parity-untrainable-paper"),
    (["tune", "parity", "--profile", "paper", "--setting"], "parity-untrainable-paper has no candidates"),
    (["compare", "parity", "--profile", "paper", "--out", "nowhere"],
     "nothing is compared in parity, untrainable, paper"),
    (["compare", "deep-fcn", "--conditions", "bse", "--out", "nowhere"],
     "no condition 'bse', did you mean 'base'"),
])
def test_a_slip_is_one_line_with_the_repair(words, said, capsys):
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_compare_makes_all_runs_and_shows_them_in_the_order_asked_for(tmp_path, capsys):
    words = ["compare", "deep-fcn", "--profile", "smoke", "--conditions", "shifted-init", "base"]
    assert main([*words, "--seeds", "5", "--jobs", "1", "--out", str(tmp_path)]) == 0
    assert len(list(tmp_path.glob("*-smoke-5-*.json"))) == 2
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == [
        "| no guide, biases of BatchNorm start at 1", "| base without a guide"]


@pytest.mark.parametrize(("base", "tuned", "lr"), [(0.7, 0.6, 0.1), (0.6, 0.7, 0.2)])
def test_the_tuned_base_is_never_worse_than_the_base_on_validation(base, tuned, lr):
    same = {"draw": 0, "seed": 100, "chosen": True, "clip": None, "weight_decay": None, "schedule": None}
    rows = [same | {"condition": name, "lr": rate, "validation_accuracy": reached}
            for name, rate, reached in (("base", 0.1, base), ("base-tuned", 0.2, tuned))]
    found = tuning.settings_of(pd.DataFrame(rows), "copy-paste")
    assert found["base"] == {"lr": 0.1}
    assert found["base-tuned"]["lr"] == lr
    assert (found["base-tuned"] == found["base"]) == (base > tuned)


def test_where_nothing_is_compared_any_condition_may_be_tuned(tmp_path):
    table = tuning.tune("architectures", conditions=["base"], profile="smoke", out=tmp_path,
                        settings={"family": "ResNet"}, jobs=1)
    assert set(table["condition"]) == {"base (family = ResNet)"} and table["chosen"].any()
    with pytest.raises(ValueError, match="no condition 'bases'"):
        tuning.tune("architectures", conditions=["bases"], profile="smoke", out=tmp_path, jobs=1)
