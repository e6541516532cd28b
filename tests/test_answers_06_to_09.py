"""Answers to the exercises of 06 to 09: right ones pass, and each typical slip is told by name."""

from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from answered import judged
from torch import nn

import guidelib as gl
from guidelib import evidence
from guidelib.course.checks import find, nb06, nb07, nb09
from guidelib.course.exercises import TO_FILL, tagged
from guidelib.evidence import gates

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
READ = {path.stem: nbformat.read(path, 4) for path in NOTEBOOKS}
EXERCISES = [(notebook, name) for notebook, nb in READ.items() for name in tagged(nb, "solution")]


# 06

def u_centred(K, *, over=2, last=None, keep=True):
    """The U-centred Gram matrix of K (n, n); over, last: what its slips subtract, and divide by."""
    n = len(K)
    K = K - K.diag().diag()
    rows = K.sum(1, keepdim=keep) / (n - over)
    centred = K - rows - (rows.T if keep else rows) + K.sum() / (last or (n - 1) * (n - 2))
    return centred - centred.diag().diag()


def nearest(guide, controls, *, end=1, best=min, by=None):
    found = {name: gl.evidence.paired_difference(guide, c) for name, c in controls.items()}
    name = best(found, key=lambda name: found[name][end if by is None else by])
    return name, found[name][end]


@pytest.mark.parametrize(("name", "answer", "said"), [
    ("batch", lambda g, most: g / most - g, ""),
    ("batch", lambda g, most: np.ceil(g / most - g), ""),
    ("batch", lambda g, most: g / most, "stands below the line as well"),
    ("batch", lambda g, most: g * most / (1 - most), "here it is given"),
    ("batch", lambda g, most: g, "it takes 270 examples; yours is 30"),
    ("batch", lambda g, most: g / most - g - 1, "it takes 270 examples; yours is 269"),
    ("batch", lambda g, most: np.floor(g / most - g), "it takes 56 examples; yours is 55"),
    ("nearest", nearest, ""),
    ("nearest", lambda *a: nearest(*a, end=0), "is the mean lead over steady"),
    ("nearest", lambda *a: nearest(*a, end=2), "is the upper end"),
    ("nearest", lambda *a: nearest(*a, best=max), "Over far .* over scattered"),
    ("nearest", lambda *a: nearest(*a, by=0), "Over steady .* over scattered"),
    ("nearest", lambda *a: nearest(*a)[0], "The name of a control and a number"),
    ("nearest", lambda *a: (nearest(*a)[0], 0.5), "is at least -0.060; yours is 0.500"),
    ("debiased", u_centred, ""),
    ("debiased", lambda K: u_centred(K, over=0, last=len(K) ** 2), "means over n"),
    ("debiased", lambda K: u_centred(K, last=len(K) ** 2), "The rows are right. The last term"),
    ("debiased", lambda K: u_centred(K, over=1), "Each row should add up to 0"),
    ("debiased", lambda K: u_centred(K, keep=False), "not symmetric"),
    ("debiased", lambda K: K.sum(1), r"A matrix of shape \(6, 6\) is asked for; yours is \(6,\)"),
])
def test_answers_to_06(name, answer, said):
    judged(find("06", name)(answer), said)


def test_what_06_asks_for_is_what_the_library_debiases_by():
    g = torch.Generator().manual_seed(1)
    x, y = torch.randn(9, 3, generator=g).double(), torch.randn(9, 5, generator=g).double()
    K, L = u_centred(x @ x.T), u_centred(y @ y.T)
    assert torch.isclose((K * L).sum() / (K.norm() * L.norm()), gl.cka(x, y, debiased=True))


def flaw_of_06(report):
    """The flaw that the rules of 06 find in a report."""
    (first, last), (p, q) = report["ends"], report["pr"]
    if not report["lead"]:
        return "no control"
    if report["doses"] != nb06.EQUAL:
        return "weak control"
    if report["lead"][1] <= 0:
        return "not told apart"
    if first - last < max(first / 4, 0.05):
        return "not approached"
    return "free likeness" if (p * q) ** 0.5 / (report["n"] - 1) > 1 - last - 0.1 else "nothing"


def test_each_flaw_of_06_is_in_one_report_by_the_rules():
    assert {letter: flaw_of_06(made) for letter, made in nb06.REPORTS.items()} == nb06.TRUTH
    assert sorted(nb06.TRUTH.values()) == sorted(nb06.FLAWS)
    assert all(low > 0 for _, low, _ in nb06.GAINS.values()), "each guide helps"
    assert list(nb06.reports()) == list(nb06.TRUTH)


# 07

def lowest_loss(follow, share, *, log=torch.log, weights=None):
    entropy = -(follow * log(follow)).sum(1)
    return (entropy * (share if weights is None else weights)).sum()


def sees(net, ids, *, token=1, end=-1):
    other = ids.clone()
    other[-1] = (ids[-1] + token) % 10
    before, after = (net(tokens[None])[0] for tokens in (ids, other))
    return not torch.equal(before[:end], after[:end])


def by_tokens(X, Y):
    return gl.cka(X.flatten(0, 1), Y.flatten(0, 1))


@pytest.mark.parametrize(("name", "answer", "said"), [
    ("floor", lowest_loss, ""),
    ("floor", lambda f, s: -lowest_loss(f, s), "The sign is turned"),
    ("floor", lambda f, s: lowest_loss(f, s, log=torch.log2), "That is in bits"),
    ("floor", lambda f, s: lowest_loss(f, s).exp(), "the perplexity"),
    ("floor", lambda f, s: -(s * s.log()).sum(), "a guess by frequency"),
    ("floor", lambda f, s: lowest_loss(f, s, weights=1 / len(s)), "Each word counts alike"),
    ("floor", lambda f, s: lowest_loss(f, s, weights=1), "are added up"),
    ("floor", lambda f, s: -(f * f.log()).sum(1), r"One number .* shape \(2,\)"),
    ("floor", lambda f, s: 0.0, "is 0.3864 nats; yours is 0.0000"),
    ("future", sees, ""),
    ("future", lambda net, ids: sees(net, ids, end=None), "a leak in an honest net too"),
    ("future", lambda net, ids: sees(net, ids, token=0), "no leak in a net that has one"),
    ("future", lambda net, ids: not sees(net, ids), "Turned round"),
    ("future", lambda net, ids: net(ids[None])[0] > 0, "One answer is asked for"),
    ("tokens", by_tokens, ""),
    ("tokens", gl.cka, "a whole sequence is a sample"),
    ("tokens", lambda X, Y: gl.cka(X.flatten(0, 1).T, Y.flatten(0, 1).T), "a feature is a sample"),
    ("tokens", lambda X, Y: sum(gl.cka(X[:, i], Y[:, i]) for i in range(X.shape[1])) / X.shape[1],
     "the mean over moments"),
    ("tokens", lambda X, Y: by_tokens(X, Y) / 2, "On a small case"),
])
def test_answers_to_07(name, answer, said):
    judged(find("07", name)(answer), said)


def test_words_of_the_small_languages_of_07_come_as_often_as_they_follow():
    for follow, share in nb07.LAWS:
        follow, share = torch.tensor(follow), torch.tensor(share)
        assert torch.allclose(follow.sum(1), torch.ones(len(share)))
        assert torch.allclose(share @ follow, share)


def flaw_of_07(task, sides):
    """The flaw that the rules of 07 find in a report."""
    base, guided, lengths = sides
    chance, best = nb07.limits()[task]
    if task == "perplexity":  # as counted it looks better, and per word it is not
        return "other units" if guided < base < guided ** nb07.TOKENS_PER_WORD else "nothing"
    if task == "language":
        return "below the floor" if guided < best < base < chance else "nothing"
    if base < chance - 0.02:
        return "below chance"
    if max(base, guided) - chance < 0.03:
        return "at chance"
    return "lengths" if abs(lengths - guided) < 0.03 else "nothing"


def test_each_flaw_of_07_is_in_one_report_by_the_rules():
    assert {letter: flaw_of_07(*made) for letter, made in nb07.MADE_UP.items()} == nb07.TRUTH
    assert sorted(nb07.TRUTH.values()) == sorted(nb07.FLAWS)
    assert list(nb07.reports().index) == list(nb07.TRUTH)


@pytest.mark.parametrize(("notebook", "module"), [("06", nb06), ("07", nb07)])
def test_flaws_of_other_kinds_are_judged_letter_by_letter(notebook, module):
    check = find(notebook, "evidence")
    assert check(module.TRUTH).right
    assert check(module.TRUTH | {"A": ...}).text == TO_FILL
    for letter, flaw in module.TRUTH.items():
        other = next(name for name in module.FLAWS if name != flaw)
        assert check(module.TRUTH | {letter: other}).text == (
            f"5 of 6 are right. {letter}: {module.FLAWS[flaw]}")
    assert "There is no answer 'one seed': choose from" in check(module.TRUTH | {"A": "one seed"}).text


# 08

def net_and_guide():
    """Nets of the form that notebook 08 has, shorter."""
    layers = [nn.Flatten()]
    for inputs in (64, 8, 8):
        layers += [nn.Linear(inputs, 8), nn.BatchNorm1d(8), nn.ReLU()]
    guide = nn.Sequential()
    for i, channels in enumerate((1, 4, 4), 1):
        guide.add_module(f"conv{i}", nn.Conv2d(channels, 4, 3))
    for name, module in {"flat": nn.Flatten(), "head": nn.Linear(16, 10)}.items():
        guide.add_module(name, module)
    return nn.Sequential(*layers, nn.Linear(8, 10)), guide


def paired(*pairs):
    return (*net_and_guide(), list(pairs))


RIGHT = {"A": "follows", "B": "dose", "C": "steps", "D": "seeds", "E": "test"}


@pytest.mark.parametrize(("name", "answer", "said"), [
    ("weight", lambda alignment, task, wanted: wanted * task / alignment, ""),
    ("weight", lambda alignment, task, wanted: task / alignment, "`wanted` has no part"),
    ("weight", lambda alignment, task, wanted: alignment / (wanted * task), "Upside down: the larger"),
    ("weight", lambda alignment, task, wanted: wanted * alignment / task, "Upside down in one place"),
    ("weight", lambda alignment, task, wanted: alignment / task, "the dose at weight 1"),
    ("weight", lambda alignment, task, wanted: wanted, "takes a weight of 5; yours is 0.5"),
    ("pairs", paired(("6", "conv2"), ("9", "conv3")), ""),
    ("pairs", (*net_and_guide(), {"6": "conv2", "9": "conv3"}), ""),
    ("pairs", paired(("conv2", "6"), ("conv3", "9")), "Turned round"),
    ("pairs", paired(("6", "conv3"), ("9", "conv2")), "crossed"),
    ("pairs", paired(("4", "conv2"), ("7", "conv3")), "among yours is a Linear"),
    ("pairs", paired(("3", "conv2"), ("6", "conv3")), "two pairs are asked for".capitalize()),
    ("pairs", paired(("9", "conv3")), "of the last two ReLUs, \\['6', '9'\\]"),
    ("pairs", paired(("99", "conv3")), "stops with ValueError: no target layer that ran matches '99'"),
    ("pairs", (*net_and_guide(), "last-2"), "a list of pairs".capitalize()),
    ("evidence", RIGHT, ""),
    ("evidence", RIGHT | {"B": "follows"}, "B: look at the column `dose`"),
    ("evidence", RIGHT | {"A": "dose", "C": "follows"}, "3 of 5 are right. A: both sides had"),
    ("evidence", RIGHT | {"E": "luck"}, "There is no answer 'luck': choose from 'follows'"),
    ("evidence", ["dose"], "A dict with the keys A, B, C, D, E"),
])
def test_answers_to_08(name, answer, said):
    judged(find("08", name)(answer), said)


def test_the_letters_of_08_each_have_a_word_of_their_own():
    check = find("08", "evidence")
    assert check(RIGHT).right and check(RIGHT | {"D": ...}).text == TO_FILL
    for letter, word in RIGHT.items():
        other = next(w for w in RIGHT.values() if w != word)
        assert check(RIGHT | {letter: other}).text.startswith(f"4 of 5 are right. {letter}: ")


# 09

def steps(ps, *, factor=lambda i, m: m - i, keep=True, most=1.0):
    adjusted, highest = [], 0.0
    for i, p in enumerate(ps):
        value = min(most, p * factor(i, len(ps)))
        highest = max(highest, value) if keep else value
        adjusted.append(highest)
    return adjusted


@pytest.mark.parametrize(("name", "answer", "said"), [
    ("holm", steps, ""),
    ("holm", lambda ps: steps(ps, factor=lambda i, m: m), "That is Bonferroni"),
    ("holm", lambda ps: steps(ps, factor=lambda i, m: i + 1), "The other way round"),
    ("holm", lambda ps: steps(ps, factor=lambda i, m: m / (i + 1), keep=False), "false discoveries"),
    ("holm", lambda ps: ps, "Nothing is adjusted"),
    ("holm", lambda ps: steps(ps)[:2], "asked for as came in, 5; yours are 2"),
    ("holm", lambda ps: steps(ps)[::-1], "must not come out stronger"),
    ("holm", lambda ps: [0.9 * p for p in steps(ps)], "the adjusted ones are"),
    ("holm", lambda ps: steps(ps, most=9.0), "at most 1, however many there are; yours goes up to 1.2"),
    ("hours", lambda pflop, done, seconds: pflop / done * seconds / 3600, ""),
    ("hours", lambda pflop, done, seconds: pflop / done * seconds, "in seconds"),
    ("hours", lambda pflop, done, seconds: pflop / done * seconds / 60, "in minutes"),
    ("hours", lambda pflop, done, seconds: done / pflop * seconds / 3600, "Upside down"),
    ("hours", lambda pflop, done, seconds: 7.0, "takes 5 hours; yours is 7"),
])
def test_answers_to_09(name, answer, said):
    judged(find("09", name)(answer), said)


def test_every_verdict_of_the_table_in_09_is_what_the_rules_say():
    """Its rows as numbers: seeds, mean, half an interval, misalignment at the end, whether it still rises."""
    asked = {"A": (10, 2.0, 5.5, 0.40, 0), "B": (10, 5.0, 2.5, 0.40, 0), "C": (6, 12.0, 3.0, 0.40, 0),
             "D": (10, 5.0, 2.5, 0.40, 320), "E": (10, 5.0, 2.5, 0.76, 0), "F": (10, 0.4, 1.3, 0.40, 0)}
    text = tagged(READ["09_paper_and_beyond"], "exercise")["evidence"].source
    for letter, (seeds, mean, half, end, faster) in asked.items():
        shown = f"{mean:+.1f} ({mean - half:+.1f} to {mean + half:+.1f}) | 0.80 to {end:.2f} |"
        assert f"| {letter} | {seeds} | {shown}" in text
        spread = np.array([1.0, -1.0] * (seeds // 2))
        spread *= half / (evidence.student_t_interval(spread)[2])
        answer = evidence.verdicts.helps((mean + spread) / 100)
        run = {"config": {"condition": "untrained"}, "curves": {"probe": {
            "moments": ["start", 1], "misalignment": [[0.8], [end]]}}}
        gate = "" if seeds >= gates.SEEDS else "too few seeds"
        found = evidence.verdict(answer, untested=gate, treated=evidence.treated({0: run}), faster=faster)
        assert evidence.verdicts.kind(found) == nb09.TRUTH[letter], letter


def test_the_verdicts_of_09_are_judged_letter_by_letter():
    check = find("09", "evidence")
    assert check(nb09.TRUTH).right
    assert check(nb09.TRUTH | {"E": "holds"}).text == (
        f"5 of 6 are right. E: {nb09.VERDICTS['holds, but not by alignment']}")
    assert "There is no answer 'fine'" in check(nb09.TRUTH | {"A": "fine"}).text
