"""The ledger and its page: verdicts by rule from records alone, strict about which belong to a claim."""

import json
import math
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev

import pytest

from guidelib.__main__ import main
from guidelib.evidence import gates, in_short, page
from guidelib.evidence._ledger import ledger
from guidelib.evidence.claim import Claim
from guidelib.evidence.matching import as_run
from guidelib.evidence.verdicts import UNTESTED
from guidelib.experiments import CONDITIONS, config
from guidelib.experiments.catalogue import CATALOGUE, base, variant
from guidelib.experiments.records import finite, path_of

RESULTS = Path(__file__).parent.parent / "results"
CLAIM = Claim("c", "table 0", "it helps", "1 -> 2 %", "deep-fcn", "untrained")
HARM = Claim("h", "table 0", "it harms", "", "deep-fcn", "untrained", worse=True)
SEEDS = tuple(range(20, 30))
CONTROLS = [name for name in CATALOGUE["deep-fcn"].compared["untrainable", "fast"]
            if (c := CONDITIONS[name]).role == "control" and c.guide and c.timing == ""]
FAIR = {"base": 0.3, "guide-alone": 0.9, "untrained": 0.6} | dict.fromkeys(CONTROLS, 0.4)
P = 2 / 2**10  # of ten differences that are all above 0


def shared(seed):
    """What runs of a seed share, so that it cancels in pairs."""
    return 0.01 * (seed % 3)


def add(folder, condition, mean, *, experiment="deep-fcn", seeds=SEEDS, noise=0.0, profile="fast",
        regime="untrainable", recipe=0, curves=None, metrics=None, data="h", **overrides):
    """Write made-up records; noise: added to odd seeds and taken from the others."""
    for seed in seeds:
        made = config(experiment, condition=condition, profile=profile, regime=regime, seed=seed,
                      data_hash=data, **overrides)
        score = mean + shared(seed) + noise * (-1) ** (seed + 1)
        found = {"test_accuracy": score, "validation_accuracy": score, "chance": 0.1, "n_test": 497,
                 "steps": 320}
        settings = made.facts() | {"recipe": made.recipe + recipe}
        write(whole(settings, found | (metrics or {}), curves), path_of(made, folder / profile))


def whole(settings, metrics, curves=None):
    """A record with all that one holds."""
    return {"config": settings, "metrics": metrics, "curves": curves or {}, "environment": {"device": "cpu"},
            "duration_s": 1.0, "schema": 1}


def write(record, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(finite(record)))


def fair(folder, **changes):
    """Write a setting that passes its gates, but for `changes`: a mean or None by condition, with _ for -."""
    for condition, mean in (FAIR | {name.replace("_", "-"): v for name, v in changes.items()}).items():
        if mean is not None:
            add(folder, condition, mean)


def only(folder, claim=CLAIM):
    """The one row of the ledger of a claim."""
    (_, row), = ledger(folder, claims=[claim]).iterrows()
    return row


def probed(first, last):
    """Curves of a guided run, by its misalignment at the start and at the end."""
    return {"probe": {"moments": ["start", 1, 20], "misalignment": [[first], [0.5], [last]]}}


@pytest.fixture
def tuned(monkeypatch):
    """Settings that a tuning chose for every condition; a test may take some away."""
    found = dict.fromkeys(CONDITIONS, {"lr": 0.1})
    monkeypatch.setattr(gates, "chosen", lambda experiment, regime, profile: found)
    return found


@pytest.fixture
def folder(tmp_path, tuned):
    """A folder for records of experiments whose conditions are all tuned alike."""
    return tmp_path


def test_holds_with_three_answers_and_all_numbers(folder):
    fair(folder, base_tuned=0.5)
    row = only(folder)
    assert (row["verdict"], row["helps"]) == ("holds", "helps")
    assert (row["specific"], row["useful"]) == ("beats its controls", "worth it")
    assert (row["against"], row["seeds"], row["n"], row["note"]) == ("base", 10, 497, "")
    scores = [0.6 + shared(seed) for seed in SEEDS]
    assert row["mean"] == pytest.approx(fmean(scores))
    t = 2.262157  # of 9 degrees of freedom, by table
    half = t * stdev(scores) / math.sqrt(10)
    assert (row["low"], row["high"]) == pytest.approx((row["mean"] - half, row["mean"] + half), rel=1e-6)
    assert (row["effect"], row["effect_low"], row["effect_high"]) == pytest.approx((0.3, 0.3, 0.3))
    assert (row["worth"], row["worth_low"], row["worth_high"]) == pytest.approx((0.1, 0.1, 0.1))
    assert row["over"] == {name: pytest.approx((0.2, 0.2, 0.2)) for name in CONTROLS}
    assert row["p"] == row["adjusted"] == P


def test_every_control_is_told_and_none_is_picked(folder):
    fair(folder, same_family=0.7, shuffled=0.61)
    add(folder, "identity", 0.6, noise=0.01)
    add(folder, "data-gram", 0.6, noise=0.3)
    row = only(folder)
    said = "better: shuffled, same-family; as good: identity; not separated from: data-gram"
    assert row["specific"] == said
    assert list(row["over"]) == [name for name in CONDITIONS if name in CONTROLS]
    assert len(CONTROLS) >= 4
    assert row["verdict"] == "holds"  # of the claim, which is that it helps
    assert row["useful"] == ""


def test_two_sides_at_chance_test_nothing(folder):
    fair(folder, base=0.11, untrained=0.1)
    assert only(folder)["verdict"] == f"{UNTESTED}: both sides stand within 3 points of chance"
    add(folder, "base", 0.2)  # it left chance: a guide that keeps the net there does harm
    assert only(folder)["verdict"] == "does not hold: it harms"


def test_a_guide_no_better_than_the_base_tests_nothing_but_the_claim_that_it_is(folder):
    fair(folder)
    add(folder, "guide-alone", 0.37, noise=0.1)  # 7 points above it, by an interval that reaches below 0
    expected = "the guide's architecture alone is not clearly better than the base"
    assert only(folder)["verdict"] == f"{UNTESTED}: {expected}"
    alone = Claim("a", "table 0", "the guide is better", "", "deep-fcn", "guide-alone")
    assert only(folder, alone)["verdict"].startswith("undecided: about ")
    for path in folder.glob("fast/*guide-alone*"):
        path.unlink()
    assert only(folder)["verdict"] == f"{UNTESTED}: no runs of the guide's architecture alone"


@pytest.mark.parametrize(("ours", "ends", "expected"), [
    (0.7, (0.8, 0.7), "holds, but not by alignment"),
    (0.7, (0.8, 0.5), "holds"),
    (0.3, (0.8, 0.7), f"{UNTESTED}: the guide was not approached"),
    (0.2, (0.8, 0.7), f"{UNTESTED}: it harms, but the guide was not approached"),
    (0.2, (0.8, 0.5), "does not hold: it harms"),
    (0.2, (0.04, 0.0), f"{UNTESTED}: it harms, but the guide was not approached"),
])
def test_a_guide_that_was_not_approached(folder, ours, ends, expected):
    fair(folder)
    add(folder, "untrained", ours, curves=probed(*ends))
    row = only(folder)
    assert row["verdict"] == expected
    assert row["aligned"] == pytest.approx(ends)


def test_a_warm_up_is_judged_on_noise_against_a_base_of_as_many_steps(folder):
    claim = Claim("w", "figure 0", "x", "", "deep-fcn", "untrained-warm-up")
    compared = CATALOGUE["deep-fcn"].compared["untrainable", "fast"]
    controls = [c.name for c in CONDITIONS["untrained-warm-up"].controls() if c.name in compared]
    fair(folder, base_longer=0.4, **dict.fromkeys(controls, 0.5))
    curves = probed(0.8, 0.1)  # for all that happened later
    for last, expected in ((0.65, "holds, but not by alignment"), (0.5, "holds")):
        add(folder, "untrained-warm-up", 0.7, curves=curves | {"noise": {"start": 0.8, "warmed up": last}})
        row = only(folder, claim)
        assert row["verdict"] == expected
        assert (row["against"], row["effect"]) == ("base-longer", pytest.approx(0.3))
        assert set(row["over"]) == set(controls)
        assert "moved-as-far" in row["over"]


def test_a_claim_about_alignment_needs_one_side_that_aligned(folder):
    claim = Claim("m", "appendix 0", "aligns more easily", "", "deep-fcn", "untrained", against="trained",
                  metric="misalignment")
    fair(folder)
    for condition, last in (("untrained", 0.78), ("trained", 0.79)):
        add(folder, condition, 0.5, curves=probed(0.8, last))
    assert only(folder, claim)["verdict"] == f"{UNTESTED}: neither guide was approached"
    add(folder, "untrained", 0.5, curves=probed(0.8, 0.4))
    row = only(folder, claim)
    assert (row["verdict"], row["effect"]) == ("holds", pytest.approx(0.39))
    assert row["specific"] == "no control"


def test_it_is_against_the_base_and_the_tuned_base_says_what_it_is_worth(folder):
    fair(folder, base_tuned=0.7)
    row = only(folder)
    assert (row["verdict"], row["against"], row["useful"]) == ("holds", "base", "not worth it")
    assert (row["effect"], row["worth"]) == pytest.approx((0.3, -0.1))
    tuned_base = Claim("t", "table 0", "x", "", "deep-fcn", "untrained", against="base-tuned")
    row = only(folder, tuned_base)
    assert (row["verdict"], row["useful"]) == ("does not hold: it harms", "")


def test_no_effect_needs_an_interval_within_the_margin_else_it_is_undecided(folder):
    fair(folder)
    add(folder, "untrained", 0.3, noise=0.01)
    assert only(folder)["verdict"] == "does not hold: no effect beyond 3 points"
    add(folder, "untrained", 0.3, noise=0.1)  # sd 0.1054: (1.96 * 0.1054 / 0.03)**2 = 47.4, more by Student
    assert only(folder)["verdict"] == "undecided: about 50 seeds would tell it to 3 points"


def test_too_few_seeds_decide_nothing(folder):
    fair(folder)
    for path in folder.glob("fast/*-untrained-fast-2[1-9]-*"):
        path.unlink()
    row = only(folder)
    assert row["verdict"] == f"{UNTESTED}: 1 of the 8 seeds that a verdict takes"
    assert (row["seeds"], row["p"]) == (1, 1)
    assert math.isnan(row["low"])
    assert row["note"] == "1 of 10 seeds"
    assert math.isnan(row["adjusted"])


def test_conditions_that_were_not_tuned_alike_test_nothing(folder, tuned):
    fair(folder)
    del tuned["identity"], tuned["base"]
    assert only(folder)["verdict"] == f"{UNTESTED}: not tuned alike: base, identity"


@pytest.mark.parametrize(("claim", "note"), [
    (CLAIM, "not run at the present settings yet"),
    (Claim("o", "news 0", "it is grand", "", reason="an opinion"), "an opinion"),
    (Claim("u", "table 0", "x", "", "an-experiment-of-tomorrow", "untrained"),
     "not run at the present settings yet"),
    (Claim("v", "table 0", "x", "", "deep-fcn", "untrained", overrides={"tomorrow": 1}),
     "not run at the present settings yet"),
])
def test_not_tested_says_why(folder, claim, note):
    add(folder, "base", 0.1)
    row = only(folder, claim)
    assert (row["verdict"], row["note"]) == ("not tested", note)


def test_without_a_base_nothing_is_tested(folder):
    add(folder, "untrained", 0.5)
    row = only(folder)
    assert (row["verdict"], row["note"]) == ("not tested", "no records of base to pair with")
    assert row["mean"] == pytest.approx(0.5 + fmean(map(shared, SEEDS)))


def test_a_control_that_the_experiment_compares_must_be_there(folder):
    fair(folder, identity=None, shuffled_warm_up=0.9)  # at another timing: no control of this claim
    row = only(folder)
    assert row["verdict"] == f"{UNTESTED}: controls without 8 seeds: identity"
    assert set(row["over"]) == set(CONTROLS) - {"identity"}


def test_where_an_experiment_compares_nothing_the_controls_that_were_run_count(folder):
    claim = Claim("p", "table 0", "x", "", "parity", "untrained")
    assert CATALOGUE["parity"].compared.get(("untrainable", "paper")) is None
    conditions = {"base": 0.3, "guide-alone": 0.9, "untrained": 0.6, "identity": 0.4, "shuffled": 0.7}
    for condition, mean in conditions.items():
        add(folder, condition, mean, experiment="parity", profile="paper")
    row = only(folder, claim)
    assert (row["specific"], row["verdict"]) == ("better: shuffled", "holds")
    assert set(row["over"]) == {"identity", "shuffled"}
    assert "is it the guide? better: shuffled examples" in page(folder, claims=[claim]).split("## How")[0]


def test_seeds_are_paired_and_missing_ones_told(folder):
    fair(folder, base=None)
    add(folder, "base", 0.3, seeds=SEEDS[:8])
    row = only(folder)
    assert (row["verdict"], row["effect"]) == ("holds", pytest.approx(0.3))
    assert row["note"] == "8 of 10 seeds paired"
    assert row["p"] == 2 / 2**8


def test_no_seed_in_common_is_not_tested(folder):
    add(folder, "base", 0.1, seeds=SEEDS[:5])
    add(folder, "untrained", 0.5, seeds=SEEDS[5:])
    row = only(folder)
    assert (row["verdict"], row["note"]) == ("not tested", "no records of base to pair with; 5 of 10 seeds")


def test_runs_without_a_finite_value_are_left_out_told_and_make_no_pair(folder):
    fair(folder)
    add(folder, "untrained", 0.5, seeds=SEEDS[:1], metrics={"test_accuracy": math.nan})
    row = only(folder)
    assert row["seeds"] == 9
    assert row["note"] == "9 of 10 seeds; 1 of 10 runs without a finite test accuracy, left out"
    assert row["verdict"] == "holds"
    add(folder, "base", 0.3, seeds=SEEDS[-2:], metrics={"test_accuracy": math.nan})
    row = only(folder)
    assert row["verdict"] == f"{UNTESTED}: 7 of the 8 seeds that a verdict takes"
    assert row["note"].endswith("7 of 9 seeds paired")


@pytest.mark.parametrize(("experiment", "settings"), [
    ("deep-fcn", {"samples": "pool"}), ("deep-fcn", {"dimension": 3.0}), ("parity", {"samples": "batch"})])
def test_a_run_with_another_setting_that_came_later_is_no_run_of_the_condition_as_it_is(folder, experiment,
                                                                                      settings):
    """Whether its record names the setting, or leaves it out where it is that of before."""
    claim = Claim("s", "table 0", "x", "", experiment, "untrained")
    add(folder, "untrained", 0.5, experiment=experiment, **settings)
    add(folder, "base", 0.5, experiment=experiment)
    assert only(folder, claim)["note"] == "not run at the present settings yet"
    add(folder, "untrained", 0.9, experiment=experiment)
    assert only(folder, claim)["mean"] == pytest.approx(0.9, abs=0.1)
    assert only(folder, replace(claim, overrides=settings))["mean"] == pytest.approx(0.5, abs=0.1)


def test_lower_is_better_for_perplexity_and_it_decides_whether_there_is_something_to_explain(folder):
    options = {"experiment": "language-model", "condition": "untrained", "metric": "test_perplexity"}
    claim = Claim("p", "table 0", "lower", "69 -> 40", **options)
    perplexities = {"base": 69.0, "base-tuned": 60.0, "untrained": 40.0, "trained": 55.0, "identity": 50.0,
                    "data-gram": 50.0, "shuffled": 80.0, "same-family": 80.0, "guide-alone": 20.0}
    for condition, perplexity in perplexities.items():
        losses = {"test_loss": math.log(perplexity), "chance_loss": math.log(100), "floor_loss": 1.0}
        add(folder, condition, 0.5, experiment="language-model",
            metrics={"test_perplexity": perplexity} | losses)
    row = only(folder, claim)
    assert (row["verdict"], row["useful"]) == ("holds", "worth it")
    assert row["specific"] == "beats its controls"
    assert row["mean"] == 40.0
    assert (row["effect"], row["worth"]) == pytest.approx((29.0, 20.0))
    assert row["over"] == {name: pytest.approx((perplexities[name] - 40.0,) * 3)
                           for name in ("identity", "data-gram", "shuffled", "same-family")}
    text = page(folder, claims=[claim])
    assert "- lower by 29.00 (29.00 to 29.00) than base, p = 0.002" in text
    assert "- ours: 40.00 (40.00 to 40.00); 10 seeds, n = 497 (grammar), cpu" in text
    gone = (math.log(100) - math.log(69)) / (math.log(100) - 1)
    assert ("language-model (fast) (share of the way from chance to the floor): base "
            f"{100 * gone:.1f} % (") in text
    row = only(folder, Claim("o", "table 0", "order", "", against="trained", **options))
    assert (row["verdict"], row["effect"]) == ("holds", pytest.approx(15.0))  # though no accuracy rose


def test_a_claim_of_harm_is_against_the_base_without_controls_or_worth(folder):
    fair(folder, base_tuned=0.9)
    row = only(folder, HARM)
    assert (row["verdict"], row["helps"]) == ("does not hold: it helps", "helps")
    add(folder, "untrained", 0.2)
    row = only(folder, HARM)
    assert (row["verdict"], row["helps"], row["against"]) == ("holds", "harms", "base")
    assert (row["specific"], row["useful"], row["effect"]) == ("no control", "", pytest.approx(0.1))
    add(folder, "untrained", 0.2, curves=probed(0.8, 0.8))
    assert only(folder, HARM)["verdict"] == "holds, but not by alignment"


def test_other_overrides_belong_only_to_claims_that_name_them(folder, tuned):
    layers = {"layers": "first-5"}
    first = Claim("f", "table 0", "first five", "", "deep-fcn", "untrained", overrides=layers)
    over = Claim("g", "table 0", "first five beat all", "", "deep-fcn", "untrained", overrides=layers,
                 against="untrained")
    apart = Claim("g", "table 0", "first beat last", "", "deep-fcn", "untrained", overrides=layers,
                  against="untrained", against_overrides={"layers": "last-5"})
    fair(folder, untrained=0.5)
    for control in CONTROLS:
        add(folder, control, 0.45, **layers)
    add(folder, "untrained", 0.7, **layers)
    add(folder, "untrained", 0.4, layers="last-5")
    add(folder, "untrained", 0.9, **layers, lr=0.5)
    add(folder, "untrained", 0.99, warm_up_lr=1e-5)
    assert only(folder)["effect"] == pytest.approx(0.2)
    # Tuned under other settings, a condition is not tuned for these,
    assert only(folder, first)["verdict"].startswith(
        f"{UNTESTED}: not tuned alike: untrained (layers = first-5), identity (layers = first-5)")
    tuned |= {variant(name, layers): {} for name in ("untrained", *CONTROLS)}
    row = only(folder, first)
    assert row["effect"] == pytest.approx(0.4)  # of which the base needs none,
    assert row["over"]["identity"] == pytest.approx((0.25,) * 3)  # the control does
    assert (row["verdict"], row["overrides"]) == ("holds", "(layers = first-5)")
    assert only(folder, over)["effect"] == pytest.approx(0.2)
    row = only(folder, apart)
    assert (row["against"], row["effect"]) == ("untrained (layers = last-5)", pytest.approx(0.3))
    assert row["verdict"] == f"{UNTESTED}: not tuned alike: untrained (layers = last-5)"


def test_of_a_guide_in_another_way_the_controls_that_were_run_so_count(folder, tuned):
    layers = {"layers": "first-5"}
    first = Claim("f", "table 0", "first five", "", "deep-fcn", "untrained", overrides=layers)
    tuned |= {variant(name, layers): {} for name in ("untrained", "identity")}
    fair(folder)
    add(folder, "untrained", 0.7, **layers)
    assert (only(folder, first)["specific"], only(folder, first)["verdict"]) == ("no control", "holds")
    add(folder, "identity", 0.5, **layers)
    assert (only(folder, first)["specific"], list(only(folder, first)["over"])) == (
        "beats its controls", ["identity"])


def test_a_run_tuned_anew_for_its_settings_differs_by_these_alone(tmp_path, monkeypatch):
    layers = {"layers": "first-5"}
    anew = {"untrained": {"lr": 0.1}, variant("untrained", layers): {"lr": 0.2, "dose": 3.0}}
    monkeypatch.setattr(base, "CHOSEN", tmp_path / "chosen.json")
    base.CHOSEN.write_text(json.dumps({"deep-fcn-untrainable-fast": anew}))
    for condition in ("untrained", "untrained-stopped"):
        made = config("deep-fcn", condition=condition, **layers)
        assert (made.lr, made.dose) == (0.2, 3.0)
        assert as_run(whole(made.facts(), {})).changed == {"layers"}
    made = config("deep-fcn", condition="untrained", **layers, lr=0.1)
    assert as_run(whole(made.facts(), {})).changed == {"layers", "lr"}  # that of all layers
    assert as_run(whole(config("deep-fcn", condition="untrained").facts(), {})).changed == frozenset()


def test_runs_with_other_settings_are_no_stand_in_but_a_base_does_not_mind_those_of_a_guide(folder):
    fair(folder, base=None, untrained=None)
    add(folder, "base", 0.1, layers="first-5", guide_width=3)
    add(folder, "untrained", 0.9, warm_up_lr=1e-5)
    assert only(folder)["note"] == "not run at the present settings yet"
    add(folder, "untrained", 0.5)
    assert only(folder)["effect"] == pytest.approx(0.4)


def test_records_of_searches_are_passed_over(folder):
    add(folder / "search" / "records", "untrained", 0.5)
    assert only(folder)["note"] == "not run at the present settings yet"


def test_an_override_of_the_task_is_asked_of_the_base_as_well(folder):
    deep = Claim("d", "table 0", "deeper", "", "deep-fcn", "untrained", overrides={"depth": 30})
    add(folder, "base", 0.1)
    add(folder, "untrained", 0.5, depth=30)
    assert only(folder, deep)["verdict"] == "not tested"
    add(folder, "base", 0.2, depth=30)
    assert only(folder, deep)["effect"] == pytest.approx(0.3)


def test_regimes_profiles_and_data_are_kept_apart_and_smoke_is_not_shown(folder):
    settings = [("untrainable", "h", 0.5), ("overfit", "h", 0.7), ("untrainable", "other data", 0.9)]
    for regime, data, mean in settings:
        add(folder, "untrained", mean, regime=regime, data=data)
        add(folder, "base", 0.1, regime=regime, data=data)
    add(folder, "untrained", 0.99, profile="smoke", seeds=(0, 1))
    table = ledger(folder, claims=[CLAIM])
    assert table["regime"].tolist() == ["untrainable", "untrainable"]
    assert table["effect"].round(6).tolist() == [0.4, 0.8]
    for options in ({"regime": "overfit"}, {"overfitting": True}):
        row = only(folder, Claim("r", "table 0", "x", "", "deep-fcn", "untrained", **options))
        assert (row["regime"], round(row["effect"], 6)) == ("overfit", 0.6)


def test_what_has_runs_in_the_other_regime_alone_is_tested_there(folder):
    for condition, mean in (("untrained-noise-fed", 0.5), ("base", 0.1)):
        add(folder, condition, mean, regime="overfit")
    fed = Claim("d", "table 0", "x", "", "deep-fcn", "untrained-noise-fed")
    assert only(folder, fed)["regime"] == "overfit"


def test_records_of_another_recipe_are_left_out_and_counted(folder):
    add(folder, "base", 0.1)
    add(folder, "untrained", 0.5, recipe=-1)
    assert only(folder)["note"] == "not run at the present settings yet"
    assert page(folder, claims=[CLAIM]).endswith("Left out: 10 records of another recipe.\n")


def test_a_setting_that_a_record_does_not_know_does_not_count_and_the_one_that_knows_more_wins(folder):
    fair(folder)
    old = config("deep-fcn", condition="untrained", seed=20, data_hash="h").facts()
    old["of yesterday"] = 1
    del old["temperature"], old["alpha"]
    path = folder / "old" / "deep-fcn-untrained-fast-20-0123456789abcdef.json"
    write(whole(old, {"test_accuracy": 0.9, "validation_accuracy": 0.9, "chance": 0.1}), path)
    mean = 0.6 + fmean(map(shared, SEEDS))
    assert only(folder)["mean"] == pytest.approx(mean)
    for path in folder.glob("fast/deep-fcn-untrained-fast-20-*"):
        path.unlink()
    assert only(folder)["mean"] == pytest.approx(mean + (0.9 - 0.6 - shared(20)) / 10)


def test_equal_settings_with_unequal_results_are_an_error(folder, capsys):
    add(folder, "untrained", 0.5)
    add(folder / "again", "untrained", 0.5)
    assert only(folder)["seeds"] == 10  # the same twice is no harm
    add(folder / "again", "untrained", 0.6)
    said = "deep-fcn, untrained, fast, seed 20 have equal settings and unequal results"
    with pytest.raises(ValueError, match=said):
        ledger(folder, claims=[CLAIM])
    assert main(["ledger", str(folder)]) == 2
    assert "unequal results" in capsys.readouterr().err


def test_a_cure_of_overfitting_is_tested_only_where_the_base_overfits(folder):
    claim = Claim("g", "figure 0", "less gap", "", "deep-fcn", "untrained", metric="gap_last",
                  overfitting=True)
    fair(folder)
    for condition in FAIR:
        gap = 0.1 if condition == "untrained" else 0.4
        flat = {"gap_last": gap, "validation_loss": 1.0, "validation_loss_last": 1.0, "best_epoch": 5,
                "epochs": 20}
        add(folder, condition, 0.3, metrics=flat)
    assert only(folder, claim)["verdict"] == f"{UNTESTED}: the base does not overfit"
    add(folder, "base", 0.3, metrics=flat | {"validation_loss_last": 1.2})
    row = only(folder, claim)
    assert (row["verdict"], row["effect"]) == ("holds", pytest.approx(0.3))
    assert row["specific"] == "beats its controls"


def test_metrics_at_the_end_of_a_curve(folder):
    claim = Claim("l", "figure 0", "lower loss", "", "deep-fcn", "untrained", metric="train_loss")
    fair(folder)
    for condition, loss in (FAIR | {"base": 2.0, "untrained": 0.5}).items():
        add(folder, condition, FAIR[condition], curves={"training": {"train_loss": [9.0, loss]}})
    assert only(folder, claim)["effect"] == pytest.approx(1.5)


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
    assert "t3-deep-fcn-untrained, table 3" in printed
    lines = (tmp_path / "ledger.csv").read_text().splitlines()
    assert sum(line.startswith("t3-deep-fcn-untrained,") for line in lines) == 1
    assert main(["ledger", str(tmp_path / "nothing")]) == 2
    assert "no folder" in capsys.readouterr().err


def test_results_stay_small_and_readable():
    """Text, or pictures under 200 kB; under 30 MB in all. Records of searches stay where they were made."""
    files = [path for path in RESULTS.rglob("*") if path.is_file()]
    files = [path for path in files if not {"__pycache__", "guides"} & set(path.parts)]
    files = [path for path in files if path.relative_to(RESULTS).parts[:2] != ("search", "records")]
    assert sum(path.stat().st_size for path in files) < 30e6
    for path in files:
        if path.suffix == ".png":
            assert path.stat().st_size < 200_000, path
        else:
            assert "\0" not in path.read_text(encoding="utf-8"), path


def test_all_settings_are_counted_by_their_answers(folder):
    fair(folder, base_tuned=0.65, data_gram=0.7, trained=0.2)
    assert in_short(folder) == [
        "In all, a guide **helps in 1 of 2** comparisons with its base, and harms in 1. Where it helps, it "
        "**beats every control in none** of 1, and **the best recipe without a guide in none** of 1.", "",
        "- **Guided throughout**, by an untrained or a trained guide, 2 comparisons with the base in 1 "
        "setting: it helps in 1, harms in 1.",
        "  - Is it the guide? Where it helps, it beats every control in none. Elsewhere at least one is as "
        "good, or may be: the input's own Gram matrix (better in 1).",
        "  - Is it worth it? Beside the best recipe without a guide it is worse in 1.",
    ]
    assert in_short(folder, profile="overnight") == []


def test_a_setting_without_the_other_side_is_listed_only_where_none_has_both(folder):
    for profile in ("fast", "overnight"):
        add(folder, "untrained", 0.5, profile=profile)
    table = ledger(folder, claims=[CLAIM])
    assert table["profile"].tolist() == ["fast", "overnight"]
    assert set(table["note"]) == {"no records of base to pair with"}
    add(folder, "base", 0.3)
    assert ledger(folder, claims=[CLAIM])["profile"].tolist() == ["fast"]
