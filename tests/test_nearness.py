"""The map of architectures, read: falls, gains, whether both ways are alike, and the verdict that follows."""

import numpy as np
import pandas as pd
import pytest

from guidelib import evidence, figures
from guidelib.evidence import nearness
from guidelib.experiments import architectures

NAMES = ("A", "B", "C")


def study(fall, *, gain=lambda target, guide: 0.0, noise=0.01, seeds=range(5)):
    """A study in which fall(target, guide) and gain(target, guide) are known, but for noise."""
    generator = np.random.default_rng(0)
    rows = []
    for seed in seeds:
        for target in NAMES:
            for guide in NAMES:
                for condition in ("base", "untrained"):
                    guided = condition == "untrained"
                    end = 0.7 - guided * fall(target, guide) + noise * generator.normal()
                    reached = 0.5 + guided * gain(target, guide)
                    for lr in (0.1, 0.2):  # the second is the better by validation, the first is nonsense
                        good = lr == 0.2
                        rows.append({"target": target, "guide": guide, "condition": condition, "lr": lr,
                                     "seed": seed, "misalignment_start": 0.7 + generator.normal() * 1e-9,
                                     "misalignment_end": end if good else 9.0,
                                     "test_accuracy": reached if good else 9.0,
                                     "validation_accuracy": reached if good else 0.0,
                                     "n_test": 100, "device": "cpu"})
    return architectures.better(pd.DataFrame(rows), architectures.PLACES)


def test_falls_and_gains_are_those_of_the_chosen_rate_against_the_same_target_without_a_guide():
    table = study(lambda t, g: 0.1 * NAMES.index(t), gain=lambda t, g: 0.02 * NAMES.index(g), noise=0.0)
    pairs = nearness.by_pair(table)
    assert len(pairs) == 5 * 9
    means = nearness.cells(pairs).set_index(["measure", "target", "guide"])["mean"]
    for i, target in enumerate(NAMES):
        for j, guide in enumerate(NAMES):
            assert means["fall", target, guide] == pytest.approx(0.1 * i, abs=1e-6)
            assert means["gain", target, guide] == pytest.approx(0.02 * j)
            assert means["start", target, guide] == pytest.approx(0.7, abs=1e-6)


@pytest.mark.parametrize(("fall", "noise", "verdict"), [
    (lambda t, g: 0.3, 0.01, "holds"),  # all alike
    (lambda t, g: 0.1 * abs(NAMES.index(t) - NAMES.index(g)), 0.01, "holds"),  # a distance
    (lambda t, g: 0.2 * NAMES.index(t), 0.01, "does not hold: it differs"),  # the target alone counts
    (lambda t, g: 0.02 * NAMES.index(t), 0.001, "holds"),  # it differs, by less than counts
    (lambda t, g: 0.3, 0.5, "undecided")])
def test_a_distance_is_the_same_both_ways(fall, noise, verdict):
    ways = nearness.both_ways(nearness.by_pair(study(fall, noise=noise)))
    assert len(ways) == 3
    assert nearness.symmetric(ways) == verdict


def test_p_is_students_adjusted_for_the_number_of_pairs():
    from scipy.stats import ttest_1samp

    pairs = nearness.by_pair(study(lambda t, g: 0.02 * NAMES.index(t), noise=0.02))
    ways = nearness.both_ways(pairs)
    raw = []
    for row in ways.itertuples():
        there = pairs.query("target == @row.target and guide == @row.guide")["fall"].to_numpy()
        back = pairs.query("target == @row.guide and guide == @row.target")["fall"].to_numpy()
        raw.append(ttest_1samp(there - back, 0.0).pvalue)
    assert ways["p"].to_list() == list(evidence.holm(dict(enumerate(raw))).values())
    assert max(ways["p"] / raw) == pytest.approx(3)  # of the smallest


def test_the_answers_name_the_widest_gap_and_its_direction():
    def fall(target, guide):
        return 0.3 if (target, guide) == ("A", "C") else 0.1

    first, gain, start = nearness.said(nearness.by_pair(study(fall, gain=fall, noise=0.001)))
    assert "in 1 of 3 pairs of families" in first
    assert "widest for A targets with C guides, whose misalignment falls by 0.20 more" in first
    assert gain.startswith("over 5 seeds") and "gain in accuracy is +" in gain
    assert "untouched nets" in start


def test_the_ledger_has_a_row_of_the_map_only_where_it_is_kept(tmp_path):
    def row():
        table = evidence.ledger(tmp_path)
        return table[table["id"] == "n23"].iloc[0]

    assert row()["verdict"] == "not tested" and row()["note"] == "not run at the present settings yet"
    assert "its claims" not in evidence.page(tmp_path)
    (tmp_path / "search").mkdir()
    def fall(target, guide):
        return 0.2 * NAMES.index(target)

    table = study(fall, gain=fall).drop(columns="chosen").assign(key="k")
    table.to_csv(tmp_path / "search" / "architectures-fast.csv", index=False)
    found = row()
    assert found["verdict"] == "does not hold: it differs" and found["seeds"] == 5 and found["n"] == 100
    page = evidence.page(tmp_path)
    assert 'its claims: <a href="#n23">n23</a>' in page and "in 3 of 3 pairs of families" in page


def test_a_map_has_a_mean_and_half_an_interval_in_each_cell():
    cells = nearness.cells(nearness.by_pair(study(lambda t, g: 0.2 * NAMES.index(t))))
    drawn = figures.nearness(cells, measure="fall", note="made up")
    texts = [text.get_text() for text in drawn.axes[0].texts]
    assert len(texts) == 9 and all("±" in text for text in texts)
    assert texts[-1].startswith("+0.4") and drawn.axes[0].get_title().endswith("made up")
    assert [label.get_text() for label in drawn.axes[0].get_yticklabels()] == list(NAMES)
