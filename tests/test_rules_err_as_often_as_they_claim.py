"""The rules of the answers, on seeds drawn at random: how often they err, and how small an effect they find.

The rules are done over for many draws at once; the first draws of each simulation show that guidelib's own
say the same.
"""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

from guidelib.evidence.significance import false_discovery, holm, sign_flip
from guidelib.evidence.verdicts import DELTA, alike, helps, specific, standing

pytestmark = pytest.mark.slow
SEEDS = 10
DRAWS = 100_000
SHOWN = 100  # draws in which both rules are compared


def most(rate, draws=DRAWS):
    """What a rate reaches by chance, at most: three standard errors of the simulation above."""
    return rate + 3 * math.sqrt(rate * (1 - rate) / draws)


def half(differences, confidence):
    """Half the interval over the last axis, (..., seeds) -> (...)."""
    n = differences.shape[-1]
    t = stats.t.ppf((1 + confidence) / 2, n - 1)
    return t * differences.std(axis=-1, ddof=1) / math.sqrt(n)


def above(differences):
    return differences.mean(axis=-1) > half(differences, 0.95)


def below(differences):
    return above(-differences)


def as_good(differences):
    """Two one-sided tests within the margin, where nothing is told apart."""
    inside = abs(differences.mean(axis=-1)) + half(differences, 0.9) < DELTA
    return inside & ~above(differences) & ~below(differences)


def share(rule, differences):
    """How often a rule says so; after a look whether guidelib's own does where this does."""
    words = {above: "above", below: "below", as_good: "as good"}
    said = rule(differences)
    assert [standing(row) == words[rule] for row in differences[:SHOWN]] == said[:SHOWN].tolist()
    return said.mean()


def normal(rng, *shape):
    return rng.normal(0.5, 0.05, shape)


def bimodal(rng, *shape):
    """A net that learns or stays, whatever its guide."""
    return rng.choice([0.2, 0.6], shape)


def blurred(rng, *shape):
    return bimodal(rng, *shape) + rng.normal(0.0, 0.02, shape)


def rare(rng, *shape):
    """One seed in five learns: the mean is far from normal."""
    return np.where(rng.random(shape) < 0.2, 0.6, 0.2) + rng.normal(0.0, 0.02, shape)


# How often "helps" errs where nothing does: Student's interval is exact for normal differences only. Where a
# net learns or stays with even odds, it errs a little more often than in one case of forty; see exact().
ERRS = {normal: 0.025, rare: 0.025, bimodal: 0.029, blurred: 0.029}


@pytest.mark.parametrize("spread", ERRS)
@pytest.mark.parametrize("rule", [above, below])
def test_no_effect_helps_or_harms_in_hardly_more_than_one_case_of_forty(spread, rule):
    rng = np.random.default_rng(0)
    found = share(rule, spread(rng, DRAWS, SEEDS) - spread(rng, DRAWS, SEEDS))
    assert found <= most(ERRS[spread])
    if spread is normal:  # where the rule is exact
        assert found >= 0.05 - most(0.025)


def exact(n):
    """How often no effect helps over n pairs of nets that learn or stay with even odds, by counting.

    A difference is then 1, -1 or 0 with chances 1/4, 1/4 and 1/2.
    """
    total = 0.0
    for up in range(n + 1):
        for down in range(n + 1 - up):
            differences = np.repeat([1.0, -1.0, 0.0], [up, down, n - up - down])
            ways = math.comb(n, up) * math.comb(n - up, down)
            total += above(differences) * ways * 0.25 ** (up + down) * 0.5 ** (n - up - down)
    return total


@pytest.mark.parametrize("n", [8, 9, 10])
def test_between_nets_that_learn_or_stay_the_rule_errs_as_often_as_can_be_counted(n):
    rate = exact(n)
    assert 0.025 < rate < ERRS[bimodal]
    rng = np.random.default_rng(7)
    found = share(above, bimodal(rng, DRAWS, n) - bimodal(rng, DRAWS, n))
    assert found == pytest.approx(rate, abs=most(rate) - rate)
    assert exact(20) < 0.025


def test_the_tolerance_sees_a_rule_that_errs_a_tenth_more_often():
    rng = np.random.default_rng(0)
    differences = normal(rng, DRAWS, SEEDS) - normal(rng, DRAWS, SEEDS)
    found = (differences.mean(axis=-1) > half(differences, 0.945)).mean()
    assert found > most(0.025)
    sloppy = differences.mean(axis=-1) > 1.96 * differences.std(axis=-1, ddof=1) / math.sqrt(SEEDS)
    assert sloppy.mean() > 1.5 * most(0.025)  # a normal quantile, a common slip


@pytest.mark.parametrize("spread", ERRS)
def test_signs_are_as_surprising_as_p_says(spread):
    rng = np.random.default_rng(1)
    draws = 3000
    differences = spread(rng, draws, SEEDS) - spread(rng, draws, SEEDS)
    p = np.array([sign_flip(row) for row in differences])
    for level in (0.01, 0.05, 0.2):
        assert (p <= level).mean() <= most(level, draws)
        if spread is normal:  # p has steps of 2 / 2**10
            assert (p <= level + 0.002).mean() >= 2 * level - most(level, draws)


def power(sd, *, effect=2 * DELTA, n=SEEDS):
    """The closed form: how often the lower end of the interval is above 0."""
    return stats.nct.sf(stats.t.ppf(0.975, n - 1), n - 1, effect / sd * math.sqrt(n))


def found_at(sd):
    rng = np.random.default_rng(2)
    return share(above, rng.normal(2 * DELTA, sd, (DRAWS, SEEDS)))


def test_an_effect_of_two_margins_is_found_in_four_of_five_cases():
    assert found_at(0.05) >= 0.8


@pytest.mark.parametrize("sd", [0.03, 0.05, 0.06, 0.08])
def test_it_is_found_as_often_as_the_closed_form_says(sd):
    error = math.sqrt(power(sd) * (1 - power(sd)) / DRAWS)
    assert found_at(sd) == pytest.approx(power(sd), abs=3 * error)
    if power(sd) < 0.99:
        assert abs(found_at(sd) - power(sd, n=SEEDS - 1)) > 3 * error  # a seed fewer would be seen


def test_ten_seeds_bear_pairs_that_spread_by_six_points():
    """The sd at which an effect of two margins is found in four of five cases, no more and no less."""
    assert found_at(0.059) > 0.8 > found_at(0.062)
    assert brentq(lambda sd: power(sd) - 0.8, 0.01, 0.2) == pytest.approx(0.0602, abs=0.0002)


@pytest.mark.parametrize("sd", [0.01, 0.02, 0.03, 0.05])
@pytest.mark.parametrize("true", [DELTA, -DELTA])
def test_a_difference_of_the_margin_is_called_none_in_at_most_one_case_of_twenty(sd, true):
    rng = np.random.default_rng(3)
    assert share(as_good, rng.normal(true, sd, (DRAWS, SEEDS))) <= most(0.05)


@pytest.mark.parametrize("sd", [0.01, 0.02, 0.03, 0.05])
def test_two_that_differ_by_the_margin_are_called_alike_in_at_most_one_case_of_twenty(sd):
    rng = np.random.default_rng(8)
    differences = rng.normal(DELTA, sd, (DRAWS, SEEDS))
    inside = abs(differences.mean(axis=-1)) + half(differences, 0.9) < DELTA
    said = [alike(row).startswith("no effect") for row in differences[:SHOWN]]
    assert said == inside[:SHOWN].tolist()
    assert inside.mean() <= most(0.05)
    if sd == 0.01:  # where one of the two tests alone decides, no fewer either
        assert inside.mean() >= 0.1 - most(0.05)


def test_no_difference_is_called_none_where_seeds_hardly_spread():
    rng = np.random.default_rng(3)
    found = share(as_good, rng.normal(0.0, 0.01, (DRAWS, SEEDS)))
    assert 0.94 < found < 0.96  # all but those that are told apart, one in twenty
    assert share(as_good, rng.normal(0.0, 0.1, (DRAWS, SEEDS))) < 0.05


@pytest.mark.parametrize("spread", ERRS)
@pytest.mark.parametrize("equal", [1, 3, 7])
def test_a_guide_that_some_of_seven_controls_equal_beats_them_no_more_often_than_one_alone(spread, equal):
    """No correction for their number is needed: to beat them all is to beat the one that is as good."""
    rng = np.random.default_rng(4)
    draws = 40_000
    guide = spread(rng, draws, 1, SEEDS)
    controls = spread(rng, draws, 7, SEEDS)
    controls[:, equal:] -= 5.0  # far below
    gaps = guide - controls  # (draws, 7, seeds)
    said = above(gaps).all(axis=1)
    assert said.mean() <= most(ERRS[spread], draws)
    if spread is normal and equal == 1:
        assert said.mean() >= 0.05 - most(0.025, draws)
    for row, beats in zip(gaps[:SHOWN], said[:SHOWN], strict=True):
        stands = {f"control {i}": standing(gap) for i, gap in enumerate(row)}
        assert (specific(stands) == "beats its controls") == beats
    if equal == 7 and spread is normal:  # as against any one of them, picked for being far
        assert above(gaps).any(axis=1).mean() > 2 * most(0.025, draws)


def test_the_answer_is_how_the_two_sides_stand():
    rng = np.random.default_rng(5)
    answers = {"above": "helps", "below": "harms", "as good": "no effect"}
    said = set()
    for sd, mean in ((0.01, 0.0), (0.05, 0.05), (0.05, -0.05), (0.05, 0.0)):
        for row in rng.normal(mean, sd, (SHOWN, SEEDS)):
            stands = standing(row)
            assert helps(row).startswith(answers.get(stands, "undecided"))
            said.add(stands)
    assert said == {*answers, "not told apart"}


def test_among_many_claims_corrections_keep_their_rates():
    """Holm: any error at all; Benjamini and Hochberg: the share of errors in what is found."""
    rng = np.random.default_rng(6)
    draws, claims, none = 4000, 8, 6
    shift = np.r_[np.zeros(none), np.full(claims - none, 3.0)]  # of z: the first six have no effect
    ps = 2 * stats.norm.sf(abs(rng.normal(shift, 1.0, (draws, claims))))
    errors = {"none": 0, "holm": 0, "rate": 0.0}
    for row in ps:
        named = dict(enumerate(row))
        by_holm, q = holm(named), false_discovery(named)
        errors["none"] += (row[:none] <= 0.05).any()
        errors["holm"] += any(by_holm[i] <= 0.05 for i in range(none))
        hits = [i for i in range(claims) if q[i] <= 0.05]
        errors["rate"] += sum(i < none for i in hits) / max(len(hits), 1)
    assert errors["holm"] / draws <= most(0.05, draws)
    assert errors["rate"] / draws <= most(0.05, draws)
    assert errors["rate"] / draws > 0.05 * none / claims / 2  # and not for finding nothing
    assert errors["none"] / draws > 0.2  # 1 - 0.95**6 = 0.26, without a correction
