"""The ledger and its page: verdicts by rule from records alone, strict about which belong to a claim."""

import math
import re
from pathlib import Path

import pytest

from guidelib.__main__ import main
from guidelib.evidence._ledger import ledger, page
from guidelib.evidence.claim import Claim
from guidelib.evidence.gates import failing
from guidelib.evidence.metrics import METRICS
from guidelib.evidence.paper import CLAIMS
from guidelib.evidence.verdicts import kind
from guidelib.experiments import config
from guidelib.experiments.records import path_of, write

RESULTS = Path(__file__).parent.parent / "results"
CLAIM = Claim("c", "table 0", "it helps", "1 -> 2 %", "deep-fcn", "untrained")
SPREAD = {0: 0.0, 1: 0.02, 2: 0.01}  # what seeds share, so that it cancels in pairs


def add(folder, condition, mean, *, seeds=(0, 1, 2), noise=0.0, profile="fast", regime="untrainable",
        recipe=0, curves=None, metrics=None, data="h", **overrides):
    """Write made-up records; noise: added to odd seeds, so that differences have an interval."""
    for seed in seeds:
        made = config("deep-fcn", condition=condition, profile=profile, regime=regime, seed=seed,
                      data_hash=data, **overrides)
        score = mean + SPREAD[seed] + noise * (seed % 2)
        found = {"test_accuracy": score, "validation_accuracy": score, "chance": 0.1, "n_test": 497}
        found |= metrics or {}
        settings = made.facts() | {"recipe": made.recipe + recipe}
        write(whole(settings, found, curves), path_of(made, folder / profile))


def whole(settings, metrics, curves=None):
    """A record with all that one holds."""
    return {"config": settings, "metrics": metrics, "curves": curves or {}, "environment": {"device": "cpu"},
            "duration_s": 1.0, "schema": 1}


def only(folder, claim=CLAIM):
    """The one row of the ledger of a claim."""
    (_, row), = ledger(folder, claims=[claim]).iterrows()
    return row


def test_holds(tmp_path):
    add(tmp_path, "base", 0.1)
    add(tmp_path, "untrained", 0.5)
    add(tmp_path, "identity", 0.3)
    row = only(tmp_path)
    assert row["verdict"] == "holds"
    assert (row["against"], row["control"]) == ("base", "identity")
    assert (row["seeds"], row["n"]) == (3, 497)
    assert row["mean"] == pytest.approx(0.51)
    t = 4.30265  # of 2 degrees of freedom, by table
    assert row["high"] - row["mean"] == pytest.approx(t * 0.01 / math.sqrt(3), rel=1e-4)
    assert row["effect"] == pytest.approx(0.4)
    assert row["effect_low"] == pytest.approx(0.4)
    assert row["over_control"] == pytest.approx(0.2)
    notes = ["base at chance", "3 of 5 seeds", "no base-tuned", "no runs of the guide's architecture alone"]
    assert row["note"].split("; ") == notes


def test_holds_not_told_apart_names_every_control_that_is_not(tmp_path):
    add(tmp_path, "base", 0.1)
    add(tmp_path, "untrained", 0.5)
    add(tmp_path, "identity", 0.3)
    add(tmp_path, "data-gram", 0.5, noise=0.01)
    add(tmp_path, "shuffled", 0.5, noise=0.3)
    row = only(tmp_path)
    assert row["verdict"] == "holds, not told apart from: data-gram, shuffled"
    assert row["control"] == "shuffled"  # the lowest lower end
    add(tmp_path, "same-family", 0.6)
    assert only(tmp_path)["verdict"] == "holds, not told apart from: data-gram, shuffled; better: same-family"


def test_holds_but_a_control_is_better(tmp_path):
    add(tmp_path, "base", 0.1)
    add(tmp_path, "untrained", 0.5)
    add(tmp_path, "identity", 0.6)
    verdict = only(tmp_path)["verdict"]
    assert kind(verdict) == "holds, but better"
    assert verdict.endswith(": identity")


def aligned(first, last):
    """Curves of a run guided throughout, by its misalignment in the first and the last epoch."""
    misalignment = [first, (first + last) / 2, last]
    return {"training": {"misalignment": misalignment, "train_accuracy": [0.1, 0.2, 0.3]}}


def test_two_sides_at_chance_test_nothing(tmp_path):
    add(tmp_path, "base", 0.11)
    add(tmp_path, "base-tuned", 0.6)
    add(tmp_path, "untrained", 0.1, noise=0.01, curves=aligned(0.8, 0.3))
    expected = "does not test the claim: both sides stand within 3 points of chance"
    assert only(tmp_path)["verdict"] == expected  # though far below the tuned base
    add(tmp_path, "base", 0.2)  # it left chance: a guide that keeps the net there does harm
    assert only(tmp_path)["verdict"] == "does not hold"


def test_a_guide_no_better_than_the_base_tests_nothing(tmp_path):
    add(tmp_path, "base", 0.5)
    add(tmp_path, "untrained", 0.7)
    add(tmp_path, "guide-alone", 0.5, noise=0.1)
    expected = "does not test the claim: the guide's architecture alone does not beat the base"
    assert only(tmp_path)["verdict"] == expected
    alone = Claim("a", "table 0", "the guide is better", "", "deep-fcn", "guide-alone")
    assert only(tmp_path, alone)["verdict"] == "undecided at this n"  # of such a claim that is the answer
    add(tmp_path, "guide-alone", 0.9)
    row = only(tmp_path)
    assert row["verdict"] == "holds"
    assert "architecture alone" not in row["note"]


@pytest.mark.parametrize(("ours", "curves", "expected"), [
    (0.7, aligned(0.8, 0.7), "helps, but not by alignment"),
    (0.7, aligned(0.8, 0.5), "holds"),
    (0.4, aligned(0.8, 0.7), "does not test the claim: the misalignment did not fall"),
    (0.4, aligned(0.8, 0.5), "does not hold"),
    (0.4, aligned(0.04, 0.0), "does not test the claim: the misalignment did not fall"),
])
def test_a_guide_that_was_not_approached(tmp_path, ours, curves, expected):
    add(tmp_path, "base", 0.5)
    add(tmp_path, "untrained", ours, curves=curves)
    assert only(tmp_path)["verdict"] == expected


def test_a_warm_up_is_judged_by_its_steps_and_harm_is_named(tmp_path):
    claim = Claim("w", "figure 0", "x", "", "deep-fcn", "untrained-warm-up")
    steps = {"step": list(range(10)), "loss": [0.0] * 10}
    steps |= {"a <- b": [0.8] * 5 + [0.9] * 5, "c <- d": [0.6] * 5 + [0.5] * 5}
    add(tmp_path, "base", 0.5)
    add(tmp_path, "untrained-warm-up", 0.7, curves={"warm_up": steps})
    assert only(tmp_path, claim)["verdict"] == "helps, but not by alignment"
    steps["c <- d"] = [0.6] * 5 + [0.1] * 5
    add(tmp_path, "untrained-warm-up", 0.7, curves={"warm_up": steps})
    assert only(tmp_path, claim)["verdict"] == "holds"
    harm = Claim("h", "figure 0", "it harms", "", "deep-fcn", "untrained", worse=True)
    add(tmp_path, "untrained", 0.3, curves=aligned(0.8, 0.8))
    assert only(tmp_path, harm)["verdict"] == "harms, but not by alignment"


def test_a_claim_about_alignment_needs_one_side_that_aligned(tmp_path):
    claim = Claim("m", "appendix 0", "aligns more easily", "", "deep-fcn", "untrained", against="trained",
                  metric="misalignment")
    add(tmp_path, "base", 0.2)
    for condition, last in (("untrained", 0.78), ("trained", 0.79)):
        add(tmp_path, condition, 0.5, curves=aligned(0.8, last))
    assert only(tmp_path, claim)["verdict"] == "does not test the claim: neither misalignment fell"
    add(tmp_path, "untrained", 0.5, curves=aligned(0.8, 0.4))
    assert only(tmp_path, claim)["verdict"] == "holds"


def test_the_page_leads_with_how_many_comparisons_test_nothing(tmp_path):
    add(tmp_path, "base", 0.1)
    add(tmp_path, "untrained", 0.1)
    text = page(tmp_path, claims=[CLAIM])
    assert "**1 of 1 comparisons do not test their claim**" in text
    assert text.index("1 of 1 comparisons") < text.index("| | fast |")
    assert "| does not test the claim | 1 | 0 | 0 |" in text


def test_does_not_hold_against_the_fair_base_though_it_beats_the_base_as_it_is(tmp_path):
    add(tmp_path, "base", 0.1)
    add(tmp_path, "base-tuned", 0.6)
    add(tmp_path, "untrained", 0.5)
    row = only(tmp_path)
    assert (row["verdict"], row["against"]) == ("does not hold", "base-tuned")
    assert row["effect"] == pytest.approx(-0.1)


def test_undecided(tmp_path):
    add(tmp_path, "base", 0.1)
    add(tmp_path, "untrained", 0.1, noise=0.2)
    assert only(tmp_path)["verdict"] == "undecided at this n"


def test_one_seed_decides_nothing(tmp_path):
    add(tmp_path, "base", 0.1)
    add(tmp_path, "untrained", 0.9, seeds=(1,))
    row = only(tmp_path)
    assert (row["verdict"], row["seeds"]) == ("undecided at this n", 1)
    assert math.isnan(row["low"])
    assert "1 of 5 seeds" in row["note"]


@pytest.mark.parametrize(("claim", "note"), [
    (CLAIM, "no records yet"),
    (Claim("o", "news 0", "it is grand", "", reason="an opinion"), "an opinion"),
    (Claim("u", "table 0", "x", "", "an-experiment-of-tomorrow", "untrained"), "no records yet"),
    (Claim("v", "table 0", "x", "", "deep-fcn", "untrained", overrides={"tomorrow": 1}), "no records yet"),
])
def test_not_tested_says_why(tmp_path, claim, note):
    add(tmp_path, "base", 0.1)
    row = only(tmp_path, claim)
    assert (row["verdict"], row["note"]) == ("not tested", note)


def test_without_a_base_nothing_is_tested(tmp_path):
    add(tmp_path, "untrained", 0.5)
    row = only(tmp_path)
    assert row["verdict"] == "not tested"
    assert row["note"].startswith("no records of a base")
    assert row["mean"] == pytest.approx(0.51)


def test_missing_controls_are_told(tmp_path):
    add(tmp_path, "base", 0.1)
    add(tmp_path, "untrained", 0.5)
    add(tmp_path, "identity-warm-up", 0.9)  # at another timing: no control of this claim
    row = only(tmp_path)
    assert (row["verdict"], row["control"]) == ("holds", "")
    assert "no control" in row["note"]


def test_seeds_are_paired_and_missing_ones_told(tmp_path):
    add(tmp_path, "base", 0.1, seeds=(0, 1))
    add(tmp_path, "untrained", 0.5)
    row = only(tmp_path)
    assert row["effect"] == pytest.approx(0.4)
    assert "2 of 3 seeds paired" in row["note"]


def test_no_seed_in_common_is_not_tested(tmp_path):
    add(tmp_path, "base", 0.1, seeds=(0,))
    add(tmp_path, "untrained", 0.5, seeds=(1, 2))
    assert only(tmp_path)["verdict"] == "not tested"


def test_lower_is_better(tmp_path):
    claim = Claim("p", "table 0", "lower", "69 -> 40", "deep-fcn", "untrained", metric="test_perplexity")
    perplexities = {"base": 69.0, "base-tuned": 60.0, "untrained": 40.0, "identity": 50.0, "shuffled": 80.0}
    for condition, perplexity in perplexities.items():
        metrics = {"test_perplexity": perplexity, "validation_loss": math.log(perplexity)}
        add(tmp_path, condition, 0.5, metrics=metrics)
    row = only(tmp_path, claim)
    assert row["verdict"] == "holds"
    assert (row["against"], row["control"]) == ("base-tuned", "identity")
    assert row["mean"] == 40.0
    assert row["effect"] == pytest.approx(20.0)
    assert row["over_control"] == pytest.approx(10.0)
    text = page(tmp_path, claims=[claim])
    assert "| holds | base-tuned: +20.00" in text
    assert "| 40.00 (40.00 to 40.00) |" in text


def test_the_base_is_chosen_on_validation_and_no_control_is_picked(tmp_path):
    accuracies = {"base": (0.9, 0.1), "base-tuned": (0.2, 0.8), "untrained": (0.5, 0.5),
                  "identity": (0.1, 0.7), "shuffled": (0.6, 0.6)}
    for condition, (test, validation) in accuracies.items():
        add(tmp_path, condition, test, metrics={"validation_accuracy": validation})
    row = only(tmp_path)
    assert (row["against"], row["control"]) == ("base-tuned", "shuffled")
    assert row["verdict"] == "holds, but better: shuffled"


def test_comparison_with_another_condition(tmp_path):
    add(tmp_path, "trained", 0.3)
    add(tmp_path, "untrained", 0.5)
    add(tmp_path, "base-tuned", 0.9)
    row = only(tmp_path, Claim("o", "table 0", "order", "", "deep-fcn", "untrained", against="trained"))
    assert (row["verdict"], row["against"]) == ("holds", "trained")
    assert row["effect"] == pytest.approx(0.2)
    row = only(tmp_path, Claim("o", "table 0", "order", "", "deep-fcn", "trained", against="untrained"))
    assert row["verdict"] == "does not hold"


def test_a_claim_of_harm_is_against_the_base_as_it_is(tmp_path):
    claim = Claim("w", "table 0", "it harms", "", "deep-fcn", "distilled-untrained", worse=True)
    add(tmp_path, "base-tuned", 0.9)
    add(tmp_path, "base", 0.2)
    add(tmp_path, "distilled-untrained", 0.2, noise=0.01)
    assert only(tmp_path, claim)["verdict"] == "undecided at this n"
    add(tmp_path, "distilled-untrained", 0.1, noise=0.01)
    add(tmp_path, "base", 0.4)
    row = only(tmp_path, claim)
    assert (row["verdict"], row["against"]) == ("holds", "base")
    assert row["effect"] > 0.29


def test_other_overrides_belong_only_to_claims_that_name_them(tmp_path):
    layers = {"layers": "first-5"}
    first = Claim("f", "table 0", "first five", "", "deep-fcn", "untrained", overrides=layers)
    over = Claim("g", "table 0", "first five beat all", "", "deep-fcn", "untrained", overrides=layers,
                 against="untrained")
    add(tmp_path, "base", 0.1)
    add(tmp_path, "untrained", 0.5)
    add(tmp_path, "untrained", 0.7, layers="first-5")
    add(tmp_path, "untrained", 0.9, layers="first-5", lr=0.5)
    add(tmp_path, "untrained", 0.99, warm_up_lr=1e-5)
    add(tmp_path, "identity", 0.6)
    add(tmp_path, "identity", 0.2, layers="first-5")
    assert only(tmp_path)["mean"] == pytest.approx(0.51)
    row = only(tmp_path, first)
    assert row["effect"] == pytest.approx(0.6)  # the base needs no layers,
    assert row["over_control"] == pytest.approx(0.5)  # the control does
    assert only(tmp_path, over)["effect"] == pytest.approx(0.2)


def test_runs_with_other_settings_are_no_stand_in_but_a_base_does_not_mind_those_of_a_guide(tmp_path):
    add(tmp_path, "base", 0.1, layers="first-5", guide_width=3)
    add(tmp_path, "untrained", 0.9, warm_up_lr=1e-5)
    assert only(tmp_path)["note"] == "no records yet"
    add(tmp_path, "untrained", 0.5)
    assert only(tmp_path)["effect"] == pytest.approx(0.4)


def test_records_of_searches_are_passed_over(tmp_path):
    add(tmp_path / "search" / "records", "untrained", 0.5)
    assert only(tmp_path)["note"] == "no records yet"


def test_an_override_of_the_task_is_asked_of_the_base_as_well(tmp_path):
    deep = Claim("d", "table 0", "deeper", "", "deep-fcn", "untrained", overrides={"depth": 30})
    add(tmp_path, "base", 0.1)
    add(tmp_path, "untrained", 0.5, depth=30)
    assert only(tmp_path, deep)["verdict"] == "not tested"
    add(tmp_path, "base", 0.2, depth=30)
    assert only(tmp_path, deep)["effect"] == pytest.approx(0.3)


def test_regimes_profiles_and_data_are_kept_apart_and_smoke_is_not_shown(tmp_path):
    settings = [("untrainable", "h", 0.5), ("overfit", "h", 0.7), ("untrainable", "other data", 0.9)]
    for regime, data, mean in settings:
        add(tmp_path, "untrained", mean, regime=regime, data=data)
        add(tmp_path, "base", 0.1, regime=regime, data=data)
    add(tmp_path, "untrained", 0.99, profile="smoke", seeds=(0, 1))
    table = ledger(tmp_path, claims=[CLAIM])
    assert table["regime"].tolist() == ["overfit", "untrainable", "untrainable"]
    assert table["effect"].round(6).tolist() == [0.6, 0.4, 0.8]
    one = Claim("r", "table 0", "x", "", "deep-fcn", "untrained", regime="overfit")
    assert only(tmp_path, one)["regime"] == "overfit"


def test_records_of_another_recipe_are_left_out_and_counted(tmp_path):
    add(tmp_path, "base", 0.1)
    add(tmp_path, "untrained", 0.5, recipe=-1)
    assert only(tmp_path)["note"] == "no records yet"
    assert page(tmp_path, claims=[CLAIM]).endswith("Left out: 3 records of another recipe.\n")


def test_a_setting_that_a_record_does_not_know_does_not_count_and_the_one_that_knows_more_wins(tmp_path):
    add(tmp_path, "base", 0.1)
    add(tmp_path, "untrained", 0.5)
    old = config("deep-fcn", condition="untrained", seed=0, data_hash="h").facts()
    old["of yesterday"] = 1
    del old["temperature"], old["alpha"]
    path = tmp_path / "old" / "deep-fcn-untrained-fast-0-0123456789abcdef.json"
    write(whole(old, {"test_accuracy": 0.9, "validation_accuracy": 0.9}), path)
    assert only(tmp_path)["mean"] == pytest.approx(0.51)
    for path in tmp_path.glob("fast/deep-fcn-untrained-fast-0-*"):
        path.unlink()
    assert only(tmp_path)["mean"] == pytest.approx((0.9 + 0.52 + 0.51) / 3)


def test_equal_settings_with_unequal_results_are_an_error(tmp_path, capsys):
    add(tmp_path, "untrained", 0.5)
    add(tmp_path / "again", "untrained", 0.6)
    said = "deep-fcn, untrained, fast, seed 0 have equal settings and unequal results"
    with pytest.raises(ValueError, match=said):
        ledger(tmp_path, claims=[CLAIM])
    assert main(["ledger", str(tmp_path)]) == 2
    assert "unequal results" in capsys.readouterr().err


def test_runs_without_a_finite_value_are_left_out_and_told(tmp_path):
    add(tmp_path, "base", 0.1)
    add(tmp_path, "untrained", 0.5, seeds=(0, 2))
    add(tmp_path, "untrained", 0.5, seeds=(1,), metrics={"test_accuracy": math.nan})
    row = only(tmp_path)
    assert row["seeds"] == 2
    assert "1 of 3 runs without a finite test accuracy" in row["note"]


def record(accuracy=0.5, gap=0.0, curve=(0.5,) * 4 + (0.6,) * 4):
    metrics = {"test_accuracy": accuracy, "chance": 0.1, "gap_last": gap, "train_accuracy": max(curve)}
    return {"metrics": metrics, "curves": {"training": {"train_accuracy": curve}}}


FLAT = (0.2, 0.3, 0.4, 0.5, 0.6, 0.6, 0.6, 0.6)
SHORT = FLAT[:6]


@pytest.mark.parametrize(("records", "alone", "expected"), [
    ([record(0.09), record(0.13)], (), "at chance"),
    ([record(0.05)], (), "at chance"),
    ([record(gap=0.2), record(gap=0.21)], (), "overfits"),
    ([record(gap=0.0, curve=SHORT), record(gap=0.3, curve=SHORT)], (), ""),
    ([record(gap=0.09, curve=SHORT), record(gap=0.09, curve=SHORT)], (), ""),
    ([record(curve=FLAT)], (), "saturates"),
    ([record(curve=FLAT)], [record(curve=(0.65,))], ""),
    ([record(curve=FLAT)], [record(curve=(0.8,))], "saturates"),
    ([record(curve=(0.2,) * 4 + (0.4, 0.4, 0.6, 0.6))], (), ""),
    ([record(curve=(0.99,) * 8)], (), ""),
])
def test_failing(records, alone, expected):
    assert failing(records, alone=alone) == expected


def test_a_cure_of_overfitting_is_tested_only_where_the_base_overfits(tmp_path):
    claim = Claim("g", "figure 0", "less gap", "", "deep-fcn", "untrained", metric="gap_last",
                  needs="overfits")
    add(tmp_path, "base", 0.5, metrics={"gap_last": 0.01})
    add(tmp_path, "untrained", 0.5, metrics={"gap_last": 0.005})
    row = only(tmp_path, claim)
    assert row["verdict"] == "not tested"
    assert row["note"].startswith("only where the base overfits; base does not fail at this size")
    add(tmp_path, "base", 0.5, metrics={"gap_last": 0.3})
    row = only(tmp_path, claim)
    assert row["verdict"] == "holds"
    assert row["note"].startswith("base overfits; ")
    assert row["effect"] == pytest.approx(0.295)


def test_metrics_at_the_end_of_a_curve(tmp_path):
    claim = Claim("l", "figure 0", "lower loss", "", "deep-fcn", "untrained", metric="train_loss")
    for condition, loss in (("base", 2.0), ("untrained", 0.5)):
        curves = {"train_loss": [9.0, loss], "train_accuracy": [0.1, 0.2]}
        add(tmp_path, condition, 0.5, curves={"training": curves})
    assert only(tmp_path, claim)["effect"] == pytest.approx(1.5)


def test_claims_are_complete_as_data():
    experiments = {"deep-fcn", "wide-fcn", "deep-convnet", "deep-fcn-vit", "copy-paste", "parity",
                   "language-model"}
    assert len({claim.id for claim in CLAIMS}) == len(CLAIMS)
    for claim in CLAIMS:
        assert re.match(r"(table|figure|section|appendix|news|project page)", claim.source), claim
        assert claim.statement
        assert "|" not in claim.statement + claim.paper + claim.reason
        assert bool(claim.reason) != bool(claim.experiment and claim.condition), claim
        assert claim.metric in METRICS, claim
        assert claim.reason or claim.paper, claim
        assert set(claim.experiment.split()) <= experiments


def test_each_table_and_each_sentence_of_the_news_has_its_claims():
    sources = [claim.source for claim in CLAIMS]
    assert {"table 2", "table 3", "table 5", "table 6", "figure 4", "figure 5", "appendix J"} <= set(sources)
    numbers = set()
    for source in sources:
        if source.startswith("news"):
            low, high = re.fullmatch(r"news (\d+)(?:-(\d+))?", source).groups()
            numbers |= set(range(int(low), int(high or low) + 1))
    assert numbers == set(range(1, 37))


def test_controls_share_the_timing():
    def controls(condition, **options):
        return Claim("c", "s", "x", "", "deep-fcn", condition, **options).controls

    assert controls("trained-warm-up")[-1] == "fresh-noise-warm-up"
    assert controls("base") == ()
    assert controls("distilled") == ()
    assert "same-family" not in controls("untrained", against="same-family")


def test_the_committed_page_is_made_from_the_committed_records():
    committed = (RESULTS / "ledger.md").read_bytes()
    assert committed == page(RESULTS).encode(), "run: python -m guidelib ledger --write"


def test_a_changed_record_changes_the_page_and_the_order_of_files_does_not(tmp_path):
    add(tmp_path / "z", "base", 0.1)
    add(tmp_path / "a", "untrained", 0.5)
    before = page(tmp_path)
    (tmp_path / "b").mkdir()
    (tmp_path / "z" / "fast").rename(tmp_path / "b" / "fast")
    (tmp_path / "b" / "notes.json").write_text("not a record")
    assert page(tmp_path) == before
    add(tmp_path / "a", "untrained", 0.6)
    assert page(tmp_path) != before


def test_the_command_prints_and_writes_the_same(tmp_path, capsys):
    add(tmp_path, "base", 0.1)
    add(tmp_path, "untrained", 0.5)
    assert main(["ledger", str(tmp_path), "--write", "--csv", str(tmp_path / "ledger.csv")]) == 0
    printed = capsys.readouterr().out
    assert (tmp_path / "ledger.md").read_bytes().decode() == printed
    assert str(tmp_path) not in printed
    assert (tmp_path / "ledger.csv").read_text().count("t3-deep-fcn-untrained") == 1
    assert main(["ledger", str(tmp_path / "nothing")]) == 2
    assert "no folder" in capsys.readouterr().err


def test_results_stay_small_and_readable():
    """Text, or pictures under 200 kB; under 20 MB in all. Records of searches stay where they were made."""
    files = [path for path in RESULTS.rglob("*") if path.is_file()]
    files = [path for path in files if not {"__pycache__", "guides"} & set(path.parts)]
    files = [path for path in files if path.relative_to(RESULTS).parts[:2] != ("search", "records")]
    assert sum(path.stat().st_size for path in files) < 20e6
    for path in files:
        if path.suffix == ".png":
            assert path.stat().st_size < 200_000, path
        else:
            assert "\0" not in path.read_text(encoding="utf-8"), path
