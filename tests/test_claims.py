"""Tables and sentences are made from records: every number in them can be traced."""

import json

import pytest

from guidelib import claims
from guidelib.experiments import CONDITIONS


def record(condition, seed, test, validation=None):
    return {"config": {"condition": condition, "seed": seed, "profile": "smoke", "data": "digits"},
            "metrics": {"test_accuracy": test, "validation_accuracy": test if validation is None else validation, "n_test": 497},
            "environment": {"device": "cpu"}}


RECORDS = [record(c, seed, value + shift) for seed, shift in ((0, 0.0), (1, 0.02), (2, 0.01))
           for c, value in (("base", 0.1), ("untrained", 0.5), ("identity", 0.3), ("shuffled", 0.2))]


def test_row_is_paired_by_seed_and_takes_the_strongest_control():
    row = claims.row(RECORDS, "it helps", "untrained", paper="yes", base="base", controls=("shuffled", "identity", "fresh-noise"))
    assert row["ours"] == pytest.approx(0.51) and (row["seeds"], row["n"]) == (3, 497)
    assert (row["gain"], row["gain_low"]) == (pytest.approx(0.4), pytest.approx(0.4))  # the seeds' common shift cancels
    assert row["control"] == "identity" and row["over_control"] == pytest.approx(0.2)
    assert row["verdict"] == "holds"


def test_the_verdict_turns_when_a_control_does_as_well():
    matched = [r | {"metrics": r["metrics"] | {"test_accuracy": 0.5}} if r["config"]["condition"] == "identity" else r for r in RECORDS]
    row = claims.row(matched, "it helps", "untrained", paper="yes", base="base", controls=("identity",))
    assert row["verdict"] == "holds, but a control does as well"
    assert "holds, but a control does as well" in claims.sentence(row)


def test_sentence_and_table_hold_the_numbers_of_the_row():
    row = claims.row(RECORDS, "it helps", "untrained", paper="yes", base="base", controls=("identity",))
    for text in (claims.sentence(row), claims.readable([row]).to_string()):
        assert "51.0 %" in text and "+40.0" in text and "+20.0" in text


def test_the_fair_base_is_chosen_on_validation_not_on_test():
    records = [record("base", 0, test=0.9, validation=0.1), record("base-tuned", 0, test=0.1, validation=0.9)]
    assert claims.best(records, ["base", "base-tuned"]) == "base-tuned"


def test_a_condition_that_was_not_run_is_named():
    with pytest.raises(ValueError, match="no run of 'trained'"):
        claims.effect(RECORDS, "trained", against="base")


def test_every_condition_has_a_label_and_a_role():
    assert [c for c in CONDITIONS if c not in claims.LABELS] == []
    assert {claims.role(c) for c in CONDITIONS} == {"base", "guided", "control", "distilled", "reference"}
    assert all(claims.role(c) == "control" for c in CONDITIONS if c.startswith(claims.CONTROLS))


def test_save_writes_what_the_command_joins(tmp_path):
    path = claims.save([{"claim": "c", "ours": 0.5}], "02_x", profile="smoke", out=tmp_path)
    assert json.loads(path.read_text()) == {"notebook": "02_x", "profile": "smoke", "rows": [{"claim": "c", "ours": 0.5}]}
    assert path == tmp_path / "tables" / "02_x.json"
