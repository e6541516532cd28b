"""Is it one curve? Rank correlations of the study of starts, by hand."""

import numpy as np
import pandas as pd
import pytest

from guidelib.evidence import starts
from guidelib.experiments import initialisations

SIZE = {"data": "digits", "depth": 20, "width": 8}


def table(accuracies, *, ratios=(1.0, 2.0, 4.0, 8.0), geometries=(0.1, 0.2, 0.3, 0.4), seeds=(20, 21, 22)):
    """A study of four starts at one size; accuracies: of each start, on every seed."""
    rows = [SIZE | {"start": name, "seed": seed, "gradient_ratio": ratio, "geometry": geometry,
                    "test_accuracy": accuracy, "chosen": True}
            for seed in seeds
            for name, ratio, geometry, accuracy in zip("abcd", ratios, geometries, accuracies, strict=True)]
    return pd.DataFrame(rows)


def found(made):
    """{number: (mean, low, high)}."""
    return {r.number: (r.mean, r.low, r.high) for r in made.itertuples()}


def test_one_curve_has_a_rank_correlation_of_one():
    made = starts.one_curve(table((0.9, 0.8, 0.5, 0.1)))
    assert found(made) == {"evenness": (1.0, 1.0, 1.0), "geometry": (-1.0, -1.0, -1.0)}
    assert list(made["placed"][:1]) == list(made["reached"][:1])


def test_a_ratio_and_its_inverse_are_equally_even():
    """Evenness knows no side: 1/2 and 4 lie in the order 1/2, 4, and not the other way round."""
    made = starts.one_curve(table((0.9, 0.8, 0.5, 0.1), ratios=(1.0, 0.5, 4.0, 0.125)))
    assert found(made)["evenness"][0] == pytest.approx(1.0)


def test_the_start_that_breaks_the_order_is_named():
    """The second by evenness comes last: Spearman by its formula, 1 - 6 sum d^2 / (n (n^2 - 1))."""
    made = starts.one_curve(table((0.9, 0.1, 0.8, 0.5)))
    row = made[made["number"] == "evenness"].iloc[0]
    moved = np.array([0, 2, 1, 1])
    assert row["mean"] == pytest.approx(1 - 6 * (moved**2).sum() / (4 * 15))
    assert (row["start"], row["placed"], row["reached"], row["starts"]) == ("b", 2, 4, 4)
    assert "b: place 2 of 4, 4 by accuracy (10.0 %)" in starts.said(made)
    assert '"b", in 1 of 1' in starts.answers(made)[0]


def test_seeds_that_disagree_widen_the_interval_which_ends_at_one():
    apart = pd.concat([table((0.9, 0.8, 0.5, 0.1), seeds=(20, 21)), table((0.9, 0.1, 0.8, 0.5), seeds=(22,))])
    mean, low, high = found(starts.one_curve(apart))["evenness"]
    assert mean == pytest.approx((1 + 1 + 0.4) / 3)
    assert low < 0.4 and high == 1.0


def test_runs_at_the_other_rate_do_not_count():
    other = table((0.1, 0.5, 0.8, 0.9)).assign(chosen=False)
    both = pd.concat([table((0.9, 0.8, 0.5, 0.1)), other])
    assert found(starts.one_curve(both))["evenness"] == (1.0, 1.0, 1.0)


def test_the_kept_study_has_every_size_and_start():
    kept = initialisations.kept()
    made = starts.one_curve(kept)
    assert len(made) == 2 * len(initialisations.SIZES)
    assert (made["starts"] == len(initialisations.STARTS)).all()
