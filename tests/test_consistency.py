"""Error consistency: scikit-learn's kappa, closed forms, what is undefined, and an interval that covers."""

import math

import numpy as np
import pytest
import torch

from guidelib.analysis.consistency import consistency_matrix, error_consistency


def draw(n, p, q, shared, seed):
    """Right answers of two networks with accuracies p and q, of which a share `shared` has common luck.

    kappa is `shared` if p = q.
    """
    rng = np.random.default_rng(seed)
    luck, a, b = rng.random((3, n))
    common = rng.random(n) < shared
    return np.where(common, luck, a) < p, np.where(common, luck, b) < q


@pytest.mark.parametrize(("p", "q", "shared"), [(0.5, 0.5, 0.0), (0.9, 0.7, 0.4),
                                                (0.1, 0.2, 0.9), (0.02, 0.6, 0.5)])
def test_kappa_is_sklearns(p, q, shared):
    from sklearn.metrics import cohen_kappa_score

    a, b = draw(500, p, q, shared, seed=1)
    found = error_consistency(a, b)
    assert found.kappa == pytest.approx(cohen_kappa_score(a, b), rel=1e-12)
    assert error_consistency(b, a) == found  # symmetric, interval included
    assert error_consistency(~a, ~b).kappa == pytest.approx(found.kappa, rel=1e-12)
    assert (found.observed, found.n) == (pytest.approx((a == b).mean()), 500)
    both_right = a.mean() * b.mean()
    both_wrong = (~a).mean() * (~b).mean()
    assert found.expected == pytest.approx(both_right + both_wrong, rel=1e-12)


def test_closed_forms():
    """Counts (both, a, b, neither) = (4, 1, 2, 3): observed 0.7, expected 0.5 * 0.6 + 0.5 * 0.4 = 0.5."""
    a, b = np.repeat([[1, 1, 0, 0], [1, 0, 1, 0]], [4, 1, 2, 3], axis=1).astype(bool)
    found = error_consistency(a, b)
    assert (found.observed, found.expected, found.kappa) == pytest.approx((0.7, 0.5, 0.4))
    assert error_consistency(a, a).kappa == 1
    half = np.arange(10) < 5
    assert error_consistency(half, ~half).kappa == -1
    pairs, single = np.tile([True, True, False, False], 5), np.tile([True, False], 10)
    assert error_consistency(pairs, single).kappa == 0  # independent to the digit


def test_range_that_the_accuracies_allow():
    """By enumeration of every overlap."""
    for a, b, n in ((3, 5, 9), (8, 7, 9), (0, 4, 9), (1, 9, 9)):
        left, right = np.arange(n) < a, np.arange(n) < b
        kappas = [error_consistency(left, np.roll(right, shift), draws=0).kappa for shift in range(n)]
        found = error_consistency(left, right, draws=0)
        assert (found.least, found.most) == pytest.approx((min(kappas), max(kappas)))
    far = error_consistency(*draw(1000, 0.05, 0.9, 0.0, seed=0))
    assert far.most < 0.02  # accuracies of 5 and 90 % hide whatever the errors have in common


@pytest.mark.parametrize("right", [True, False])
def test_kappa_is_undefined_where_chance_explains_everything(right):
    always = np.full(7, right)
    found = error_consistency(always, always)
    undefined = (found.kappa, found.low, found.high, found.least, found.most)
    assert all(math.isnan(value) for value in undefined)
    assert (found.observed, found.expected) == (1, 1)
    assert error_consistency(always, ~always).kappa == 0  # one always right, one always wrong: defined


def test_one_network_that_is_always_right_has_nothing_to_say():
    found = error_consistency(np.ones(10, bool), np.arange(10) < 4)
    assert (found.kappa, found.low, found.high, found.least, found.most) == (0, 0, 0, 0, 0)


def test_interval_comes_from_its_seed():
    a, b = draw(300, 0.6, 0.7, 0.4, seed=0)
    state = np.random.get_state()[1].copy()
    first, again, other = (error_consistency(a, b, seed=s) for s in (3, 3, 4))
    assert first == again != other
    assert (np.random.get_state()[1] == state).all()
    assert first.low < first.kappa < first.high
    assert other.low == pytest.approx(first.low, abs=0.03)
    narrow = error_consistency(a, b, seed=3, confidence=0.5)
    assert first.low < narrow.low < narrow.high < first.high


def test_resampling_cells_is_resampling_examples():
    a, b = draw(80, 0.6, 0.7, 0.4, seed=0)
    rng = np.random.default_rng(0)
    kappas = [error_consistency(a[i], b[i], draws=0).kappa for i in rng.integers(80, size=(3000, 80))]
    found = error_consistency(a, b, draws=20_000)
    low, high = np.quantile(kappas, [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.025)


def test_interval_covers_the_truth():
    """95 % intervals of 200 data sets whose kappa is 0.5: 190 cover on average, 175 if they were of 87 %."""
    found = [error_consistency(*draw(400, 0.7, 0.7, 0.5, seed=seed), draws=400) for seed in range(200)]
    covered = sum(f.low <= 0.5 <= f.high for f in found)
    assert 178 <= covered < 200


def test_matrix_of_networks():
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    predictions = {"a": torch.tensor([0, 1, 2, 1, 2, 0]), "b": [0, 1, 0, 0, 2, 0], "perfect": labels.clone()}
    table = consistency_matrix(predictions, labels)
    assert list(table.index) == list(table.columns) == ["a", "b", "perfect"]
    a, b = (torch.as_tensor(predictions[name]) == labels for name in "ab")
    assert error_consistency(a, b).kappa == pytest.approx(1 / 3)
    assert table.loc["a", "b"] == table.loc["b", "a"] == error_consistency(a, b).kappa
    assert table.loc["a", "a"] == 1
    assert table.loc["a", "perfect"] == 0
    assert math.isnan(table.loc["perfect", "perfect"])


def test_matrix_of_sequences_leaves_out_what_is_not_scored():
    labels = torch.tensor([[3, -100, 1], [-100, 2, 2]])
    a = torch.tensor([[3, 9, 1], [9, 0, 2]])
    b = torch.tensor([[3, -100, 0], [-100, 0, 2]])
    expected = error_consistency([True, True, False, True], [True, False, False, True]).kappa
    assert consistency_matrix({"a": a, "b": b}, labels).loc["a", "b"] == pytest.approx(expected, rel=1e-12)


def test_wrong_input_is_repeated():
    with pytest.raises(TypeError, match="right_b holds booleans.*int64: pass predictions == labels"):
        error_consistency([True, False], [1, 0])
    for a, b in ((1, 2), (0, 0), ((1, 1), (1, 1))):
        with pytest.raises(ValueError, match="the same n >= 1 examples on both sides, received shapes"):
            error_consistency(np.ones(a, bool), np.ones(b, bool))
    with pytest.raises(ValueError, match=r"'net' has predictions \(2, 5\) for labels \(2,\)"):
        consistency_matrix({"net": torch.zeros(2, 5)}, torch.zeros(2))
