"""Effects, and the tables and sentences that tell them: every number can be traced to records."""

import json
import re

import pytest

from guidelib import evidence
from guidelib.evidence.words import in_words
from guidelib.experiments import CONDITIONS
from guidelib.experiments.conditions import ROLES

SHIFTS = {0: 0.0, 1: 0.02, 2: 0.01}  # what seeds share, so that it cancels in pairs


def record(condition, seed, test, *, validation=None, misalignment=None):
    metrics = {"test_accuracy": test, "validation_accuracy": test, "n_test": 497}
    if validation is not None:
        metrics["validation_accuracy"] = validation
    curves = {"training": {"misalignment": misalignment}} if misalignment else {}
    return {"config": {"condition": condition, "seed": seed, "profile": "smoke", "data": "digits"},
            "metrics": metrics, "curves": curves, "environment": {"device": "cpu"}}


def runs(condition, mean, **curves):
    """A record a seed."""
    return [record(condition, seed, mean + shift, **curves) for seed, shift in SHIFTS.items()]


RECORDS = [*runs("base", 0.1), *runs("untrained", 0.5), *runs("identity", 0.3), *runs("shuffled", 0.2)]


def test_row_is_paired_by_seed_and_names_the_control_that_comes_nearest():
    row = evidence.row(RECORDS, "it helps", "untrained", paper="yes", against="base",
                       controls=("shuffled", "identity", "fresh-noise"))
    assert row["ours"] == pytest.approx(0.51)
    assert (row["seeds"], row["n"]) == (3, 497)
    assert row["gain"] == pytest.approx(0.4)
    assert row["gain_low"] == pytest.approx(0.4)  # the seeds' common shift cancels
    assert row["control"] == "identity"
    assert row["over_control"] == pytest.approx(0.2)
    assert row["verdict"] == "holds"


def test_the_verdict_turns_when_a_control_is_not_told_apart():
    identity = [record("identity", seed, 0.5 + 0.02 * (seed % 2)) for seed in SHIFTS]
    matched = [*runs("base", 0.1), *runs("untrained", 0.5), *identity, *runs("shuffled", 0.2)]
    row = evidence.row(matched, "it helps", "untrained", paper="yes", against="base",
                       controls=("identity", "shuffled"))
    assert row["verdict"] == "holds, not told apart from: identity"
    assert "**holds, not told apart from: identity Gram matrix**" in evidence.sentence(row)


def test_a_row_asks_the_gates():
    poor = runs("guide-alone", 0.1)
    row = evidence.row(RECORDS + poor, "it helps", "untrained", paper="yes", against="base")
    assert row["verdict"] == "does not test the claim: the guide's architecture alone does not beat the base"
    apart = [*runs("base", 0.1), *runs("untrained", 0.5, misalignment=[0.8, 0.79])]
    row = evidence.row(apart, "it helps", "untrained", paper="yes", against="base")
    assert row["verdict"] == "helps, but not by alignment"


def test_not_told_apart_is_never_said_to_be_as_good():
    identity = [record("identity", seed, value) for seed, value in enumerate((0.1, 0.9, 0.3))]
    records = [*runs("untrained", 0.5), *identity, *runs("shuffled", 0.5), *runs("data-gram", 0.6),
               *runs("same-family", 0.1)]
    controls = ("identity", "shuffled", "data-gram", "same-family")
    said = evidence.controls_said(records, "untrained", controls).split("\n- ")
    assert [re.split(r" [+-]", line)[0] for line in said[1:]] == [
        "it is above: random net of the target's family",
        "it is below: the input's own Gram matrix",
        "it is as good, within 3 points, as: shuffled examples",
        "these 3 seeds cannot tell it from: identity Gram matrix",
    ]


def test_sentence_and_table_hold_the_numbers_of_the_row():
    row = evidence.row(RECORDS, "it helps", "untrained", paper="yes", against="base", controls=("identity",))
    for text in (evidence.sentence(row), evidence.readable([row]).to_string(), evidence.table([row]).data):
        assert "51.0 %" in text
        assert "+40.0" in text
        assert "+20.0" in text


def test_only_the_names_of_controls_are_put_into_words():
    reason = "does not test the claim: the guide's architecture alone does not beat the base"
    assert in_words(reason) == reason
    said = in_words("holds, but better: base-tuned, shuffled")
    assert said == "holds, but better: tuned base, shuffled examples"


def test_before_its_controls_no_verdict_is_said():
    row = evidence.row(RECORDS, "it helps", "untrained", paper="yes", against="base")
    said = evidence.sentence(row, judged=False)
    assert said.endswith("points over base without a guide.")
    assert "erdict" not in said
    assert "control" not in said


def test_no_cell_of_the_closing_table_is_cut():
    row = evidence.row(RECORDS, "a claim of many words, " * 9, "untrained",
                       paper="what the paper says at length, " * 5, against="base", controls=("identity",))
    html = evidence.table([row]).data
    assert "..." not in html
    assert row["claim"].strip() in html
    assert row["paper"].strip() in html
    assert "control: identity Gram matrix" in html
    assert "..." in evidence.readable([row])._repr_html_()  # what pandas would have made of it


def test_alignment_is_told_from_first_to_last():
    records = [*runs("untrained", 0.5, misalignment=[0.8, 0.4]),
               *runs("shuffled", 0.5, misalignment=[0.8, 0.79])]
    table = evidence.alignment_said(records, ["base", "untrained", "shuffled"])
    assert "| untrained guide | 0.80 to 0.40 | yes |" in table
    assert "| control: shuffled examples | 0.80 to 0.79 | no |" in table
    assert "base" not in table


def test_the_fair_base_is_chosen_on_validation_not_on_test():
    base = record("base", 0, 0.9, validation=0.1)
    tuned = record("base-tuned", 0, 0.1, validation=0.9)
    found = evidence.effect([base, tuned, record("untrained", 0, 0.5)], "untrained")
    assert found.against == "base-tuned"


def test_a_condition_that_was_not_run_is_named():
    with pytest.raises(ValueError, match="no run of 'trained'"):
        evidence.difference(RECORDS, "trained", "base")


def test_every_condition_has_a_label_and_a_role():
    assert len({evidence.named(c) for c in CONDITIONS}) == len(CONDITIONS)
    assert {evidence.role(c) for c in CONDITIONS} == set(ROLES)


def test_save_writes_what_the_command_joins(tmp_path):
    rows = [{"claim": "c", "ours": 0.5}]
    path = evidence.save(rows, "02_x", profile="smoke", out=tmp_path, records=RECORDS)
    counted = {"kept": 0, "computed": len(RECORDS)}
    saved = {"notebook": "02_x", "profile": "smoke", "runs": counted, "rows": rows}
    assert json.loads(path.read_text()) == saved
    assert path == tmp_path / "tables" / "02_x.json"
