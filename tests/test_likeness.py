"""Whether two nets err alike: right and wrong from the answers kept, kappa by seed, what stands beside."""

from dataclasses import replace

import numpy as np
import pytest

from guidelib import evidence
from guidelib.evidence import likeness
from guidelib.evidence.claim import Claim
from guidelib.experiments import config, make_task
from guidelib.experiments.procedure import written
from guidelib.experiments.records import path_of, write

SEEDS = range(20, 28)
CLAIM = Claim("k", "table 0", "they err alike", "0.5 against 0.0", "deep-fcn", "untrained",
              metric="error_consistency", alike="other-family")


def add(folder, condition, wrong, *, seeds=SEEDS, accuracy=None):
    """Records in which a net errs on the examples `wrong`(seed, n), and on no others."""
    for seed in seeds:
        made = config("deep-fcn", condition=condition, seed=seed, data_hash="h")
        labels = make_task(made).test[1].numpy()
        errs = wrong(seed, len(labels))
        answers = np.where(errs, (labels + 1) % 10, labels)
        metrics = {"test_accuracy": 1 - errs.mean() if accuracy is None else accuracy, "chance": 0.1,
                   "n_test": len(labels), "steps": 320}
        write({"config": made.facts(), "metrics": metrics, "curves": {"answers": written(answers.tolist())},
               "environment": {"device": "cpu"}, "duration_s": 1.0, "schema": 1}, path_of(made, folder))


def at_random(stream, share):
    """Errors on a share of the examples, others for each stream."""
    return lambda seed, n: np.random.default_rng([stream, seed]).random(n) < share


def nearly(errors, other):
    """The same errors but for those examples that the other has."""
    return lambda seed, n: errors(seed, n) ^ other(seed, n)


def only(folder):
    (_, row), = evidence.ledger(folder, claims=[CLAIM]).iterrows()
    return row


def test_right_is_read_from_the_answers_against_the_labels_of_the_seeds_own_split(tmp_path):
    add(tmp_path, "untrained", at_random(1, 0.3), seeds=[21])
    record, = evidence.matching.runs(tmp_path)
    expected = ~at_random(1, 0.3)(21, 497)
    assert (likeness.right(record.record) == expected).all()


def test_nets_that_share_their_errors_err_alike(tmp_path):
    add(tmp_path, "untrained", at_random(1, 0.4))
    add(tmp_path, "other-family", nearly(at_random(1, 0.4), at_random(3, 0.12)))
    assert only(tmp_path)["note"] == "no records of base to pair with"
    add(tmp_path, "base", at_random(2, 0.5))
    row = only(tmp_path)
    assert (row["verdict"], row["seeds"], row["against"]) == ("holds", 8, "base")
    # By hand: 0.88 agree, 0.6 * 0.576 + 0.4 * 0.424 by chance.
    assert row["mean"] == pytest.approx(0.753, abs=0.04) and row["effect"] == pytest.approx(0.753, abs=0.06)
    assert row["p"] == 2 / 2**8
    assert "data-gram" not in row["note"]
    add(tmp_path, "data-gram", at_random(1, 0.4))
    assert "1.00 with data-gram" in only(tmp_path)["note"]


def test_accuracies_so_far_apart_that_no_errors_could_be_as_alike_test_nothing(tmp_path):
    add(tmp_path, "untrained", at_random(1, 0.4))
    add(tmp_path, "other-family", at_random(1, 0.4))
    add(tmp_path, "base", at_random(2, 0.8))
    row = only(tmp_path)
    # By hand: at most 0.6 agree, 0.6 * 0.2 + 0.4 * 0.8 = 0.44 by chance: (0.6 - 0.44) / 0.56 = 0.29.
    assert row["verdict"].startswith("does not test the claim: two accuracies as far apart")
    assert float(row["verdict"].split()[-3]) == pytest.approx(0.29, abs=0.03)


def test_nets_whose_errors_have_nothing_to_do_with_each_other_do_not(tmp_path):
    for stream, (condition, share) in enumerate([("untrained", 0.4), ("other-family", 0.4), ("base", 0.8)]):
        add(tmp_path, condition, at_random(stream, share))
    row = only(tmp_path)
    assert abs(row["mean"]) < 0.05
    assert row["verdict"] == "does not hold: no effect beyond 0.05"


def test_nets_at_chance_and_few_seeds_test_nothing(tmp_path):
    add(tmp_path, "untrained", at_random(1, 0.4), seeds=[20, 21])
    add(tmp_path, "other-family", at_random(1, 0.4), seeds=[20, 21])
    add(tmp_path, "base", at_random(2, 0.8))
    assert only(tmp_path)["verdict"] == "does not test the claim: 2 of the 8 seeds that a verdict takes"
    add(tmp_path, "untrained", at_random(1, 0.4))
    add(tmp_path, "other-family", at_random(1, 0.9), accuracy=0.1)
    assert "other-family is at chance" in only(tmp_path)["verdict"]


def test_less_alike_than_another_pair_is_a_claim_too(tmp_path):
    claim = replace(CLAIM, condition="distilled", alike="distilled-other", worse=True,
                    alike_against=("untrained", "other-family"))
    for condition, wrong in (("untrained", at_random(1, 0.4)),
                             ("other-family", nearly(at_random(1, 0.4), at_random(3, 0.12))),
                             ("distilled", at_random(4, 0.4)),
                             ("distilled-other", nearly(at_random(4, 0.4), at_random(5, 0.25)))):
        add(tmp_path, condition, wrong)
    (_, row), = evidence.ledger(tmp_path, claims=[claim]).iterrows()
    (_, other), = evidence.ledger(tmp_path, claims=[replace(claim, worse=False)]).iterrows()
    assert row["against"] == "untrained with other-family" and row["effect"] > 0.1
    assert row["effect"] == pytest.approx(-other["effect"]) and row["mean"] == other["mean"]
    assert (row["verdict"], other["verdict"][:13]) == ("holds", "does not hold")
    assert row["note"].endswith(f"of untrained with other-family it is {row['mean'] + row['effect']:.2f}")
