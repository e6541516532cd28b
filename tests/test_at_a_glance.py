"""All settings in one table and one figure: differences by hand, and every mark where its number is."""

import json
from pathlib import Path
from statistics import fmean

import pandas as pd
import pytest

from guidelib import figures
from guidelib.evidence import at_a_glance

RESULTS = Path(__file__).parent.parent / "results"
NUMBERS = {("guide", "trained"): 0.4, ("guide", "untrained"): 0.3, ("control", "identity"): 0.1,
           ("control", "data-gram"): 0.2, ("recipe", "base-tuned"): 0.7}


@pytest.fixture(scope="module")
def kept():
    return at_a_glance(RESULTS)


def made_up(*, experiment="deep-fcn", regime="untrainable", verdict="holds", metric="test_accuracy"):
    rows = [{"experiment": experiment, "regime": regime, "profile": "fast", "when": "guided throughout",
             "metric": metric, "part": part, "condition": condition, "seeds": 10, "gain": gain,
             "low": gain - 0.05, "high": gain + 0.05, "verdict": verdict if part == "guide" else ""}
            for (part, condition), gain in NUMBERS.items()]
    return pd.DataFrame(rows)


def test_each_row_is_a_difference_paired_by_seed(kept):
    score = {}
    for path in (RESULTS / "fast").glob("parity-*.json"):
        record = json.loads(path.read_text())
        mine = record["config"]
        score.setdefault(mine["condition"], {})[mine["seed"]] = record["metrics"]["test_accuracy"]
    rows = kept[kept["experiment"] == "parity"].set_index("condition")
    assert {"untrained", "trained", "data-gram", "base-tuned"} <= set(rows.index)
    for condition, row in rows.iterrows():
        by_hand = [score[condition][seed] - score["base"][seed] for seed in score["base"]]
        assert row["gain"] == pytest.approx(fmean(by_hand)) and row["low"] <= row["gain"] <= row["high"]
        assert row["seeds"] == len(by_hand) == 10


def test_a_warm_up_is_set_against_a_base_of_as_many_steps():
    rows = at_a_glance(RESULTS, when="Aligned before training only")
    rows = rows[rows["regime"] == "untrainable"]
    mine = rows[(rows["experiment"] == "deep-fcn") & (rows["condition"] == "base-tuned")]
    scores = {}
    for path in (RESULTS / "fast").glob("deep-fcn-base-*.json"):
        record = json.loads(path.read_text())
        if record["config"]["regime"] == "untrainable":
            scores.setdefault(record["config"]["condition"], []).append(record["metrics"]["test_accuracy"])
    gap = fmean(scores["base-tuned"]) - fmean(scores["base-longer"])
    assert mine["gain"].item() == pytest.approx(gap)
    assert set(rows["when"]) == {"aligned before training only"}


def test_every_setting_has_its_guides_and_their_verdicts(kept):
    guides = kept[kept["part"] == "guide"]
    assert set(guides["condition"]) == {"untrained", "trained"} and (guides["verdict"] != "").all()
    assert (kept.loc[kept["part"] != "guide", "verdict"] == "").all()
    assert kept.groupby(["experiment", "regime"])["part"].nunique().eq(3).all()


def test_a_mark_stands_where_its_number_is_and_the_best_control_is_named():
    (ax,) = figures.at_a_glance(made_up()).axes
    marks = [line for line in ax.lines if line.get_linestyle() == "None"]
    assert [line.get_xdata()[0] for line in marks] == pytest.approx([100 * g for g in NUMBERS.values()])
    assert [text.get_text() for text in ax.texts] == ["the input's own Gram matrix"]
    assert ax.texts[0].xy[0] == pytest.approx(20)
    heights = {(part, name): line.get_ydata()[0] for (part, name), line in zip(NUMBERS, marks, strict=True)}
    assert heights["guide", "trained"] < heights["guide", "untrained"] < heights["control", "identity"]
    assert heights["control", "identity"] == heights["control", "data-gram"] < heights["recipe", "base-tuned"]
    assert ax.get_title() == "guided throughout, 10 seeds, profile fast; Student-t 95 %"


def test_what_tests_nothing_is_crossed_out_and_said():
    both = pd.concat([made_up(), made_up(experiment="parity", verdict="does not test the claim: no room")])
    figure = figures.at_a_glance(both.reset_index(drop=True))
    crosses = [line for line in figure.axes[0].lines if line.get_marker() == "x"]
    assert [line.get_ydata()[0] for line in crosses] == pytest.approx([0.73, 0.91])  # of the second setting
    (legend,) = figure.legends
    assert legend.get_texts()[-1].get_text() == "tests nothing"
    (plain,) = figures.at_a_glance(made_up()).legends
    assert len(plain.get_texts()) == len(legend.get_texts()) - 1


def test_shares_of_the_way_are_told_apart_from_accuracies():
    (ax,) = figures.at_a_glance(made_up(experiment="language-model", metric="test_share")).axes
    assert "language-model: of the way" in ax.get_xlabel()
    assert "of the way" not in figures.at_a_glance(made_up()).axes[0].get_xlabel()


def test_without_rows_there_is_nothing_to_draw():
    with pytest.raises(ValueError, match="no setting to draw"):
        figures.at_a_glance(made_up().iloc[:0])
