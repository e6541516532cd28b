"""Effects, and the tables, sentences and pages that tell them: every number can be traced to records."""

import json
import re

import pytest

from guidelib import evidence
from guidelib.evidence import gates
from guidelib.evidence._ledger import WAITING, Row
from guidelib.evidence._page import counted, page
from guidelib.evidence.claim import Claim
from guidelib.evidence.metrics import METRICS
from guidelib.evidence.paper import CLAIMS
from guidelib.evidence.words import in_words
from guidelib.experiments import CONDITIONS, config
from guidelib.experiments.catalogue import CATALOGUE
from guidelib.experiments.conditions import ROLES
from guidelib.experiments.records import path_of

SEEDS = range(20, 30)
MEANS = {"base": 0.1, "untrained": 0.5, "identity": 0.3, "shuffled": 0.2, "guide-alone": 0.9}


def record(condition, seed, test, *, validation=None, looks=None):
    """A record of a setting at which nothing is compared and nothing tuned."""
    metrics = {"test_accuracy": test, "validation_accuracy": test, "n_test": 497}
    if validation is not None:
        metrics["validation_accuracy"] = validation
    curves = {}
    if looks:
        curves["probe"] = {"moments": ["start", 20], "misalignment": [[look] for look in looks]}
    return {"config": {"condition": condition, "seed": seed, "profile": "smoke", "data": "digits"},
            "metrics": metrics, "curves": curves, "environment": {"device": "cpu"}}


def runs(condition, mean, **options):
    """A record a seed; what seeds share, 0.011 in the mean, cancels in pairs."""
    return [record(condition, seed, mean + 0.01 * (seed % 3), **options) for seed in SEEDS]


def scattered(condition, mean, by):
    """A record a seed, above and below the others in turn."""
    return [record(condition, r["config"]["seed"], r["metrics"]["test_accuracy"] + by * (-1) ** i)
            for i, r in enumerate(runs(condition, mean))]


RECORDS = [r for condition, mean in MEANS.items() for r in runs(condition, mean)]


def told(records=RECORDS, condition="untrained", **options):
    return evidence.row(records, "it helps", condition, paper="yes", **options)


def test_row_is_paired_by_seed_and_holds_every_control():
    row = told()
    assert row["ours"] == pytest.approx(0.511)
    assert (row["seeds"], row["n"], row["base"]) == (10, 497, "base")
    assert (row["gain"], row["gain_low"], row["gain_high"]) == pytest.approx((0.4,) * 3)
    assert row["over"] == {"identity": pytest.approx((0.2,) * 3), "shuffled": pytest.approx((0.3,) * 3)}
    assert (row["helps"], row["specific"], row["useful"]) == ("helps", "beats its controls", "")
    assert row["verdict"] == "holds"


def test_controls_are_those_that_were_run_unless_they_are_named():
    named = told(controls=("shuffled", "fresh-noise"))
    assert list(named["over"]) == ["shuffled"]
    assert named["verdict"] == "does not test the claim: controls without 8 seeds: fresh-noise"
    found = evidence.effect(RECORDS, "untrained", controls=("shuffled", "fresh-noise"))
    assert found.lacking == ("fresh-noise",)
    assert told(controls=())["specific"] == "no control"
    warm = [*RECORDS, *runs("identity-warm-up", 0.9)]  # at another timing
    assert list(told(warm)["over"]) == ["identity", "shuffled"]


def test_the_answer_turns_when_a_control_is_not_told_apart_and_the_verdict_does_not():
    others = [r for r in RECORDS if r["config"]["condition"] != "identity"]
    row = told([*others, *scattered("identity", 0.5, 0.1)])
    assert (row["specific"], row["verdict"]) == ("not separated from: identity", "holds")
    said = evidence.sentence(row)
    assert "Is it the guide? **Not separated from: identity Gram matrix.**" in said
    assert "Verdict by rule: **holds**" in said


def test_a_row_asks_the_gates():
    poor = [r for r in RECORDS if r["config"]["condition"] != "guide-alone"]
    why = "the guide's architecture alone is not clearly better than the base"
    assert told([*poor, *runs("guide-alone", 0.1)])["verdict"] == f"does not test the claim: {why}"
    few = [r for r in RECORDS if r["config"]["seed"] < 27]
    assert told(few)["verdict"] == "does not test the claim: 7 of the 8 seeds that a verdict takes"
    apart = [r for r in RECORDS if r["config"]["condition"] != "untrained"]
    row = told([*apart, *runs("untrained", 0.5, looks=(0.8, 0.79))])
    assert row["verdict"] == "holds, but not by alignment"


def test_the_third_answer_is_about_the_tuned_base_whatever_validation_says():
    found = told([*RECORDS, *runs("base-tuned", 0.6, validation=0.0)])
    assert (found["base"], found["useful"], found["verdict"]) == ("base", "not worth it", "holds")
    assert (found["gain"], found["worth"]) == pytest.approx((0.4, -0.1))
    said = evidence.sentence(found)
    assert "Is it worth it? **Not worth it" in said
    assert "-10.0 (-10.0 to -10.0) points against the tuned base." in said
    against = told([*RECORDS, *runs("base-tuned", 0.6)], against="base-tuned")
    assert (against["base"], against["useful"]) == ("base-tuned", "")
    assert told([*RECORDS, *runs("base-tuned", 0.6)], worse=True)["useful"] == ""


def test_without_runs_to_compare_nothing_is_tested():
    row = told(runs("untrained", 0.5))
    assert (row["verdict"], row["base"], row["helps"]) == ("not tested", "", "")
    assert evidence.sentence(row).endswith("so the claim is **not tested** here.")
    with pytest.raises(ValueError, match="two runs of 'base' share seed 20"):
        told([*RECORDS, record("base", 20, 0.5)])


def test_not_told_apart_is_never_said_to_be_as_good():
    records = [*runs("untrained", 0.5), *scattered("identity", 0.45, 0.3), *runs("shuffled", 0.5),
               *runs("data-gram", 0.6), *runs("same-family", 0.1)]
    controls = ("identity", "shuffled", "data-gram", "same-family")
    for options in ({}, {"controls": controls}):
        said = evidence.controls_said(records + runs("base", 0.1), "untrained", **options).split("\n- ")
        assert [re.split(r" [+-]", line)[0] for line in said[1:]] == [
            "it is above: random net of the target's family",
            "it is below: the input's own Gram matrix",
            "it is as good, within 3 points, as: shuffled examples",
            "these 10 seeds cannot tell it from: identity Gram matrix",
        ]


def test_sentence_and_table_hold_the_numbers_and_answers_of_the_row():
    row = told([*RECORDS, *runs("base-tuned", 0.48)], controls=("identity",))
    for text in (evidence.sentence(row), evidence.readable([row]).to_string(), evidence.table([row]).data):
        for number in ("51.1 %", "+40.0", "+2.0"):
            assert number in text
        for answer in ("elps", "eats its controls", "orth it", "holds"):
            assert answer in text


def test_only_the_names_of_conditions_are_put_into_words():
    reason = "does not test the claim: the guide's architecture alone is not clearly better than the base"
    assert in_words(reason) == reason
    said = in_words("better: base-tuned, shuffled; as good: data-gram")
    assert said == "better: tuned base; shuffled examples; as good: the input's own Gram matrix"


def test_before_its_controls_no_verdict_is_said():
    said = evidence.sentence(told(), judged=False)
    assert said.endswith("points against base without a guide.")
    assert "erdict" not in said
    assert "it the guide" not in said


def test_no_cell_of_the_closing_table_is_cut():
    row = evidence.row(RECORDS, "a claim of many words, " * 9, "untrained",
                       paper="what the paper says at length, " * 5)
    html = evidence.table([row]).data
    assert "..." not in html
    assert row["claim"].strip() in html
    assert row["paper"].strip() in html
    assert "..." in evidence.readable([row])._repr_html_()  # what pandas would have made of it
    labels = re.findall(r'<td data-of="([^"]+)"', evidence.table([row, row]).data)
    assert labels == 2 * list(evidence.readable([row]).columns)  # for a card a row on a phone


def test_alignment_is_told_from_first_to_last_of_what_can_be_approached():
    records = [*runs("untrained", 0.5, looks=[0.8, 0.4]), *runs("identity", 0.5, looks=[0.8, 0.79]),
               *runs("shuffled", 0.5, looks=[0.8, 0.4])]
    table = evidence.alignment_said(records, ["base", "untrained", "identity", "shuffled"])
    assert "| untrained guide | 0.80 to 0.40 | yes |" in table
    assert "| control: identity Gram matrix | 0.80 to 0.79 | no |" in table
    assert "base" not in table
    assert "shuffled" not in table


def test_a_condition_that_was_not_run_is_named():
    with pytest.raises(ValueError, match="no run of 'trained'"):
        evidence.difference(RECORDS, "trained", "base")


def test_every_condition_has_a_label_and_a_role():
    assert len({evidence.named(c) for c in CONDITIONS}) == len(CONDITIONS)
    assert {evidence.role(c) for c in CONDITIONS} == set(ROLES)


def test_save_writes_what_the_command_joins(tmp_path):
    rows = [{"claim": "c", "ours": 0.5}]
    path = evidence.save(rows, "02_x", profile="smoke", out=tmp_path, kept=2, computed=3)
    counted = {"kept": 2, "computed": 3}
    saved = {"notebook": "02_x", "profile": "smoke", "runs": counted, "rows": rows}
    assert json.loads(path.read_text()) == saved
    assert path == tmp_path / "tables" / "02_x.json"


# the claims as data

def test_claims_are_complete_as_data():
    assert len({claim.id for claim in CLAIMS}) == len(CLAIMS)
    for claim in CLAIMS:
        assert re.match(r"(table|figure|section|appendix|news|project page)", claim.source), claim
        assert claim.statement
        assert not set("|<>") & set(claim.statement), claim  # it stands in a cell, and in a summary
        assert bool(claim.reason) != bool(claim.experiment and claim.condition), claim
        assert claim.metric in METRICS, claim
        assert claim.reason or claim.paper, claim
        assert claim.reason or claim.experiment in CATALOGUE, claim
        assert not claim.against or claim.against in CONDITIONS, claim


def test_what_restates_a_claim_is_the_same_comparison_and_counts_once():
    by_id = {claim.id: claim for claim in CLAIMS}
    for claim in CLAIMS:
        if claim.restates:
            first = by_id[claim.restates]
            assert not first.restates, claim
            assert not claim.primary, claim
            assert (claim.experiment, claim.metric) == (first.experiment, first.metric), claim
            assert {claim.condition, claim.against} == {first.condition, first.against}, claim
            assert (claim.overrides, claim.overfitting) == (first.overrides, first.overfitting), claim


def test_every_experiment_has_a_contrast_that_was_named_before_the_runs():
    """But for what is judged as a whole."""
    studied = {claim.experiment for claim in CLAIMS if claim.study}
    assert {claim.experiment for claim in CLAIMS if claim.primary} == set(CATALOGUE) - studied
    assert studied == {"architectures"}


def test_each_table_and_each_sentence_of_the_news_has_its_claims():
    sources = [claim.source for claim in CLAIMS]
    assert {"table 2", "table 3", "table 5", "table 6", "figure 4", "figure 5", "appendix J"} <= set(sources)
    numbers = set()
    for source in sources:
        if source.startswith("news"):
            low, high = re.fullmatch(r"news (\d+)(?:-(\d+))?", source).groups()
            numbers |= set(range(int(low), int(high or low) + 1))
    assert numbers == set(range(1, 37))


# the page of the ledger

@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Records of parity at a size at which nothing is compared, all tuned alike."""
    monkeypatch.setattr(gates, "chosen", lambda experiment, regime, profile: dict.fromkeys(CONDITIONS, {}))
    for r in [*RECORDS, *runs("base-tuned", 0.6), *runs("trained", 0.5, looks=(0.8, 0.79))]:
        made = config("parity", condition=r["config"]["condition"], profile="paper",
                      seed=r["config"]["seed"], data_hash="h")
        r = r | {"config": made.facts(), "metrics": r["metrics"] | {"chance": 0.05}, "duration_s": 1.0,
                 "schema": 1}
        path_of(made, tmp_path).write_text(json.dumps(r))
    return tmp_path


def claim(name, condition, **options):
    return Claim(name, "table 0", f"the claim {name}", "1 -> 2 %", "parity", condition, **options)


def test_a_card_holds_the_verdict_the_answers_and_the_numbers(folder):
    text = page(folder, claims=[claim("first", "untrained", primary=True)])
    card = text[text.index('<details id="first">'):]
    head = '<details id="first"><summary>the claim first: <b>holds</b> (primary)</summary>'
    assert card.startswith(f"{head}\n\n")
    lines = [line for line in card.splitlines() if line.startswith("- ")]
    assert lines == [
        "- paper: 1 -> 2 %",
        "- first, table 0",
        "- runs: parity untrained, parity (paper)",
        "- ours: 51.1 % (50.5 to 51.7); 10 seeds, n = 497 (parity), cpu",
        "- +40.0 (+40.0 to +40.0) points against base, p = 0.002, by Holm 0.002",
        "- does it help? helps",
        "- is it the guide? beats its controls",
        "- is it worth it? not worth it: -10.0 (-10.0 to -10.0) points against the tuned base",
        "- again: `python -m guidelib compare parity --profile paper --conditions untrained`",
    ]


def test_a_card_names_what_it_restates_how_it_is_adjusted_and_what_was_not_aligned(folder):
    claims = [claim("first", "untrained"), claim("again", "untrained", restates="first"),
              claim("other", "trained")]
    text = page(folder, claims=claims)
    assert '<details id="again"><summary>the claim again: <b>holds</b></summary>' in text
    assert '- says the same as <a href="#first">first</a>' in text
    index = text[text.index("By verdict"):text.index("### Table 0")]
    assert index.count("<summary>") == 2 and "<summary>holds: 2</summary>" in index
    assert '- <a href="#again">the claim again</a> (table 0)' in index
    assert "<summary>the claim other: <b>holds, but not by alignment</b></summary>" in text
    assert "- misalignment: 0.80 to 0.79" in text
    assert text.count("p = 0.002, q = 0.002") == 2
    assert text.count("<details") == text.count("</details>") == text.count("<summary>") == 8


def test_the_page_begins_with_what_is_tested_and_what_is_not(folder):
    text = page(folder, claims=[claim("first", "untrained")])
    heads = [line for line in text.splitlines() if line.startswith("#")]
    assert heads == ["# Ledger", "## What is tested, and what is not", "## Effects", "### parity (paper)",
                     "## Every claim", "### Table 0"]
    assert text.index("How to read it") < text.index(heads[1])
    assert ("  - parity (paper): base 11.1 % (10.5 to 11.7), guide's architecture alone 91.1 % "
            "(90.5 to 91.7); passes the gates.\n") in text
    assert f"its guide is a ResNet\n  - {WAITING}\n" in text
    effects = text[text.index("## Effects"):text.index("## Every")]
    assert ("<summary><b>untrained guide</b>: +40.0 (+40.0 to +40.0) points against base without a guide, "
            "10 seeds. Holds.</summary>") in effects
    assert "  - against identity Gram matrix: +20.0 (+20.0 to +20.0)\n" in effects
    for path in folder.glob("*guide-alone*"):
        path.unlink()
    why = "does not test its claims: no runs of the guide's architecture alone."
    assert why in page(folder, claims=[claim("first", "untrained")])


def test_smoothed_labels_stand_below_the_tuned_base_where_they_were_run(folder):
    """The tuned base was not offered them, and they are a recipe all the same; no verdict takes them."""
    without = page(folder, claims=[])
    assert "smoothed labels, no teacher" not in without.partition("## Effects")[2]
    for r in runs("distilled-uniform", 0.45):
        made = config("parity", condition="distilled-uniform", profile="paper", seed=r["config"]["seed"],
                      data_hash="h")
        r = r | {"config": made.facts(), "duration_s": 1.0, "schema": 1}
        path_of(made, folder).write_text(json.dumps(r))
    lines = page(folder, claims=[]).splitlines()
    (at, *_) = [i for i, line in enumerate(lines) if line.startswith("- is it worth it? not worth it: -10.0")]
    assert lines[at + 1] == "  - against smoothed labels, no teacher: +5.0 (+5.0 to +5.0)"
    assert [line for line in lines if "smoothed labels, no teacher:" not in line] == without.splitlines()


def test_each_claim_counts_once_among_what_is_tested_closed_or_waiting():
    def row(name, verdict, experiment="parity", **options):
        return Row(id=name, source="", claim="", paper="", experiment=experiment, verdict=verdict, **options)

    untested = "does not test the claim: why"
    made = [row("a", "holds"), row("a", "not tested", note="no records of base to pair with"),
            row("b", untested), row("b", untested), row("c", untested), row("c", "undecided"),
            row("d", "not tested", note=WAITING), row("e", "not tested", experiment="", note="an opinion"),
            row("f", "holds", restates="a"), row("g", "not tested", note="no records of base to pair with"),
            row("h", untested), row("h", "not tested", note="no records of base to pair with")]
    said, = counted(made)
    assert said == (
        "Of 8 claims, 1 of which repeat another, 3 are tested by runs that pass their gates (holds: 2; "
        f"undecided: 1), 2 fail a gate of their own, 2 are {WAITING}, and 1 no experiment here tests.")
