"""The cards of the ledger: numbers with the sign that was measured, converses, and gates of a setting."""

import re
from dataclasses import replace

import pytest
from test_ledger import FAIR, add, fair, folder, probed, tuned  # noqa: F401

from guidelib.evidence import effect, page
from guidelib.evidence.claim import Claim
from guidelib.evidence.verdicts import UNTESTED

HELPS = Claim("h", "table 0", "it helps", "", "deep-fcn", "untrained")
HARMS = Claim("w", "table 0", "it harms", "", "deep-fcn", "untrained", worse=True, restates="h")
LESS = Claim("l", "table 0", "less than trained", "", "deep-fcn", "untrained", against="trained", worse=True)
MORE = Claim("m", "table 0", "more than untrained", "", "deep-fcn", "trained", against="untrained",
             restates="l")


def cards(folder, *claims):  # noqa: F811
    """{id: card} of a page with these claims."""
    text = page(folder, claims=claims).partition("## Every claim")[2]
    return {name: rest for name, rest in re.findall(r'<details id="(\w+)">(.*?)</details>', text, re.DOTALL)}


@pytest.mark.parametrize(("mean", "gain", "harms"), [
    (0.6, "+30.0 (+30.0 to +30.0)", "does not hold: it helps"),
    (0.2, "-10.0 (-10.0 to -10.0)", "holds"),
])
def test_a_claim_of_harm_shows_the_difference_as_it_was_measured(folder, mean, gain, harms):  # noqa: F811
    fair(folder, untrained=mean)
    made = cards(folder, HELPS, HARMS)
    assert f"- {gain} points against base, p" in made["h"]
    assert f"- {gain} points against base, claimed to be below, p" in made["w"]
    assert f"it harms: <b>{harms}</b>" in made["w"]
    assert 'says the converse of <a href="#h">' in made["w"]


def test_the_converse_of_a_claim_has_a_verdict_of_its_own(folder):  # noqa: F811
    fair(folder, trained=0.8)
    made = cards(folder, LESS, MORE)
    assert "less than trained: <b>holds</b>" in made["l"]
    assert "more than untrained: <b>holds</b>" in made["m"]
    assert 'says the converse of <a href="#l">' in made["m"]
    again = Claim("a", "news 0", "again", "", "deep-fcn", "untrained", restates="h")
    assert 'says the same as <a href="#h">' in cards(folder, HELPS, again)["a"]


def test_less_help_is_told_where_the_one_that_helps_more_helps(folder):  # noqa: F811
    fair(folder, untrained=0.3, trained=0.8)
    assert "<b>holds</b>" in cards(folder, LESS)["l"]
    fair(folder, untrained=0.1, trained=0.3)
    assert "nothing to explain, trained itself is not shown to help" in cards(folder, LESS)["l"]


def test_where_the_base_overfits_that_is_the_gate_of_every_claim(folder):  # noqa: F811
    overfits = {"validation_loss": 1.0, "validation_loss_last": 1.2, "best_epoch": 5, "epochs": 20}
    for condition, mean in (FAIR | {"guide-alone": 0.1, "untrained-noise-fed": 0.6}).items():
        add(folder, condition, mean, regime="overfit", metrics=overfits)
    claim = Claim("n", "appendix 0", "noise helps", "", "deep-fcn", "untrained-noise-fed")
    made = cards(folder, claim)["n"]
    # It is not the guide's architecture, which is below the base here, that speaks against the setting.
    assert "noise helps: <b>does not test the claim: controls without" in made


@pytest.mark.parametrize(("doses", "expected"), [
    ((1.3, 1.3), "holds"), ((4.2, 1.3), f"{UNTESTED}: unequal doses, 4.2 and 1.3")])
def test_which_guide_is_easier_to_align_to_takes_one_dose(doses, expected):
    records = [{"config": {"condition": name, "seed": seed, "dose": dose}, "curves": probed(0.8, last),
                "metrics": {"test_accuracy": a + seed / 1000, "n_test": 9, "chance": 0.1}}
               for name, a, last, dose in (("untrained", 0.5, 0.3, doses[0]), ("trained", 0.5, 0.5, doses[1]),
                                           ("base", 0.3, 0.8, 1.0), ("guide-alone", 0.9, 0.8, 1.0))
               for seed in range(8)]
    found = effect(records, "untrained", against="trained", metric="misalignment", controls=())
    assert found.verdict == expected


def test_a_claim_with_two_sizes_has_a_card_each_and_is_untested_if_both_test_nothing(folder):  # noqa: F811
    fair(folder)
    for condition, mean in FAIR.items():
        add(folder, condition, mean, profile="overnight", seeds=(20, 21, 22))
    text = page(folder, claims=[HELPS])
    assert re.findall(r'<details id="(.*?)"><summary>it helps: <b>(.*?)</b>', text) == [
        ("h", "holds"), ("h-overnight-untrainable", f"{UNTESTED}: 3 of the 8 seeds that a verdict takes")]
    assert "<summary>holds: 1</summary>" in text and f"<summary>{UNTESTED}:" not in text
    for record in folder.glob("fast/*-base-fast-2[0-3]-*.json"):
        record.unlink()
    assert f"<summary>{UNTESTED}: 1</summary>" in page(folder, claims=[HELPS])


def test_what_has_not_been_run_in_a_regime_of_its_own_names_it(folder):  # noqa: F811
    fair(folder)
    text = page(folder, claims=[replace(HELPS, regime="overfit")])
    assert "- runs: deep-fcn untrained where it overfits\n- not run at the present settings yet" in text
