"""Tables and sentences are made from records: every number in them can be traced."""

import json
import re

import pytest

from guidelib import evidence
from guidelib.evidence.words import in_words
from guidelib.experiments import CONDITIONS
from guidelib.experiments.conditions import ROLES


def record(condition, seed, test, validation=None):
    return {"config": {"condition": condition, "seed": seed, "profile": "smoke", "data": "digits"},
            "metrics": {"test_accuracy": test, "validation_accuracy": test if validation is None else validation, "n_test": 497},
            "curves": {}, "environment": {"device": "cpu"}}


RECORDS = [record(c, seed, value + shift) for seed, shift in ((0, 0.0), (1, 0.02), (2, 0.01))
           for c, value in (("base", 0.1), ("untrained", 0.5), ("identity", 0.3), ("shuffled", 0.2))]


def test_row_is_paired_by_seed_and_names_the_control_that_comes_nearest():
    row = evidence.row(RECORDS, "it helps", "untrained", paper="yes", against="base", controls=("shuffled", "identity", "fresh-noise"))
    assert row["ours"] == pytest.approx(0.51) and (row["seeds"], row["n"]) == (3, 497)
    assert (row["gain"], row["gain_low"]) == (pytest.approx(0.4), pytest.approx(0.4))  # the seeds' common shift cancels
    assert row["control"] == "identity" and row["over_control"] == pytest.approx(0.2)
    assert row["verdict"] == "holds"


def test_the_verdict_turns_when_a_control_is_not_told_apart():
    matched = [r | {"metrics": r["metrics"] | {"test_accuracy": 0.5 + 0.02 * (r["config"]["seed"] % 2)}} if r["config"]["condition"] == "identity" else r
               for r in RECORDS]
    row = evidence.row(matched, "it helps", "untrained", paper="yes", against="base", controls=("identity", "shuffled"))
    assert row["verdict"] == "holds, not told apart from: identity"
    assert "**holds, not told apart from: identity Gram matrix**" in evidence.sentence(row)


def test_a_row_asks_the_gates():
    poor = [record("guide-alone", seed, 0.1 + shift) for seed, shift in ((0, 0.0), (1, 0.02), (2, 0.01))]
    row = evidence.row(RECORDS + poor, "it helps", "untrained", paper="yes", against="base")
    assert row["verdict"] == "does not test the claim: the guide's architecture alone does not beat the base"
    apart = [r | {"curves": {"training": {"misalignment": [0.8, 0.79]}}} for r in RECORDS]
    assert evidence.row(apart, "it helps", "untrained", paper="yes", against="base")["verdict"] == "helps, but not by alignment"


def test_not_told_apart_is_never_said_to_be_as_good():
    values = {"identity": (0.1, 0.9, 0.3), "shuffled": (0.5, 0.52, 0.51), "data-gram": (0.6, 0.62, 0.61), "same-family": (0.1, 0.12, 0.11)}
    records = [r for r in RECORDS if r["config"]["condition"] == "untrained"] + [record(c, seed, v) for c, three in values.items() for seed, v in enumerate(three)]
    said = evidence.controls_said(records, "untrained", list(values)).split("\n- ")
    assert [re.split(r" [+-]", line)[0] for line in said[1:]] == [
        "it is above: random net of the target's family", "it is below: the input's own Gram matrix",
        "it is as good, within 3 points, as: shuffled examples", "these 3 seeds cannot tell it from: identity Gram matrix"]


def test_sentence_and_table_hold_the_numbers_of_the_row():
    row = evidence.row(RECORDS, "it helps", "untrained", paper="yes", against="base", controls=("identity",))
    for text in (evidence.sentence(row), evidence.readable([row]).to_string(), evidence.table([row]).data):
        assert "51.0 %" in text and "+40.0" in text and "+20.0" in text


def test_only_the_names_of_controls_are_put_into_words():
    reason = "does not test the claim: the guide's architecture alone does not beat the base"
    assert in_words(reason) == reason
    assert in_words("holds, but better: base-tuned, shuffled") == "holds, but better: tuned base, shuffled examples"


def test_before_its_controls_no_verdict_is_said():
    row = evidence.row(RECORDS, "it helps", "untrained", paper="yes", against="base")
    said = evidence.sentence(row, judged=False)
    assert said.endswith("points over base without a guide.") and "erdict" not in said and "control" not in said


def test_no_cell_of_the_closing_table_is_cut():
    row = evidence.row(RECORDS, "a claim of many words, " * 9, "untrained", paper="what the paper says at length, " * 5, against="base", controls=("identity",))
    html = evidence.table([row]).data
    assert "..." not in html and row["claim"].strip() in html and row["paper"].strip() in html and "control: identity Gram matrix" in html
    assert "..." in evidence.readable([row])._repr_html_()  # what pandas would have made of it


def test_alignment_is_told_from_first_to_last():
    runs = [record(c, seed, 0.5) | {"curves": {"training": {"misalignment": [0.8, last]}}} for c, last in (("untrained", 0.4), ("shuffled", 0.79))
            for seed in (0, 1)]
    table = evidence.alignment_said(runs, ["base", "untrained", "shuffled"])
    assert "| untrained guide | 0.80 to 0.40 | yes |" in table and "| control: shuffled examples | 0.80 to 0.79 | no |" in table and "base" not in table


def test_the_fair_base_is_chosen_on_validation_not_on_test():
    records = [record("base", 0, test=0.9, validation=0.1), record("base-tuned", 0, test=0.1, validation=0.9)]
    assert evidence.effect([*records, record("untrained", 0, 0.5)], "untrained").against == "base-tuned"


def test_a_condition_that_was_not_run_is_named():
    with pytest.raises(ValueError, match="no run of 'trained'"):
        evidence.difference(RECORDS, "trained", "base")


def test_every_condition_has_a_label_and_a_role():
    assert len({evidence.named(c) for c in CONDITIONS}) == len(CONDITIONS)
    assert {evidence.role(c) for c in CONDITIONS} == set(ROLES)


def test_save_writes_what_the_command_joins(tmp_path):
    path = evidence.save([{"claim": "c", "ours": 0.5}], "02_x", profile="smoke", out=tmp_path, records=RECORDS)
    assert json.loads(path.read_text()) == {"notebook": "02_x", "profile": "smoke", "runs": {"kept": 0, "computed": len(RECORDS)},
                                            "rows": [{"claim": "c", "ours": 0.5}]}
    assert path == tmp_path / "tables" / "02_x.json"
