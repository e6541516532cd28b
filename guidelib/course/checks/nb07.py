"""Exercises of 07: a floor by hand, a net that sees the future, tokens as samples, and six reports."""

import math

import pandas as pd
import torch

from ... import cka, networks, tasks
from .. import planted
from ..exercises import exercise

LAWS = (  # the next word's law after each word (k, k), and how often each word comes (k,)
    ([[0.9, 0.1], [0.5, 0.5]], [5 / 6, 1 / 6]),
    ([[0.5, 0.25, 0.25], [0.8, 0.1, 0.1], [0.2, 0.4, 0.4]], [0.5, 0.25, 0.25]),
)
WORDS, LENGTH = 13, 9  # of the nets that are tried for leaks
FLAWS = {  # flaw: where it shows
    "at chance": "set both sides beside chance: what has either of them learned?",
    "below chance": "set the base beside chance. What if each of its answers were turned round?",
    "below the floor": "set both sides beside the floor: which predictor can do that without reading ahead?",
    "lengths": "look at the control that knows the lengths alone.",
    "other units": "look at what each side is counted per: what is each perplexity per word?",
    "nothing": "go through the columns once more: chance, floor, lengths, units.",
}
TRUTH = {"A": "below chance", "B": "lengths", "C": "nothing", "D": "below the floor", "E": "at chance",
         "F": "other units"}
MADE_UP = {  # base, guided, and the control that knows the lengths
    "A": ("parity", (0.023, 0.610, None)),
    "B": ("copy-paste", (0.310, 0.442, 0.446)),
    "C": ("copy-paste", (0.310, 0.401, 0.312)),
    "D": ("language", (1.94, 1.22, None)),
    "E": ("copy-paste", (0.130, 0.142, 0.133)),
    "F": ("perplexity", (8.10, 5.30, None)),
}
TOKENS_PER_WORD = 1.3


@exercise("A loss below this number is a leak, or a slip in counting, and no skill.")
def floor(answer):
    """An answer: callable(follow, share) that returns the lowest mean loss in nats."""
    for follow, share in LAWS:
        follow, share = torch.tensor(follow).double(), torch.tensor(share).double()
        rows = torch.special.entr(follow).sum(1)  # (k,)
        truth = float(rows @ share)
        got = answer(follow, share)
        if isinstance(got, torch.Tensor) and got.numel() != 1:
            return f"One number is asked for, over all words; yours has the shape {tuple(got.shape)}."
        got = float(got)
        slips = {
            -truth: "The sign is turned: the logarithm of a probability is below 0, a loss above.",
            truth / math.log(2): "That is in bits. Nats take the natural logarithm.",
            math.exp(truth): "That is the perplexity; its logarithm, the loss, is asked for.",
            float(torch.special.entr(share).sum()): "That is the entropy of the words alone: chance, a guess "
                                                    "by frequency. The floor knows the word before.",
            float(rows.mean()): "Each word counts alike there; a frequent word should count as often as it "
                                "comes.",
            float(rows.sum()): "The entropies are added up; a mean over words is asked for.",
        }
        if close(got, truth):
            continue
        for slip, words in slips.items():
            if close(got, slip):
                return words
        return f"For a language of {len(share)} words the floor is {truth:.4f} nats; yours is {got:.4f}."
    return ""


@exercise("No look inside is needed: change what comes later, and see whether what came before has changed.")
def future(answer):
    """An answer: callable(net, ids) that returns whether an output before the last knows the last token."""
    g = torch.Generator().manual_seed(0)
    for seed in range(3):
        ids = torch.randint(1, 10, (LENGTH,), generator=g)
        sizes = {"vocab": WORDS, "width": 8, "depth": 3, "seed": seed}
        honest, leaking = (networks.RNN(leak=leak, **sizes) for leak in (False, True))
        told = []
        for net in (honest, leaking):
            got = answer(net, ids.clone())
            if isinstance(got, torch.Tensor) and got.numel() != 1:
                return f"One answer is asked for, yes or no; yours has the shape {tuple(got.shape)}."
            told.append(bool(got))
        if told == [False, True]:
            continue
        if told == [True, False]:
            return "Turned round: it calls the honest net leaking, and the leaking one honest."
        if told == [True, True]:
            return ("It finds a leak in an honest net too. The last output may depend on the last token: is "
                    "it left out?")
        return ("It finds no leak in a net that has one. Is the last token another than before, and are the "
                "outputs before it compared?")
    return ""


@exercise("By tokens a delay is seen; by sequences only which of them are alike.")
def tokens(answer):
    """An answer: callable(X, Y) that returns CKA, each token of (n, t, p) a sample."""
    g = torch.Generator().manual_seed(0)
    x, y = (torch.randn(8, 5, 3, generator=g) for _ in range(2))  # (n, t, p)
    y = y + x
    truth = cka(x.flatten(0, 1), y.flatten(0, 1))
    got = torch.as_tensor(answer(x, y))
    if got.numel() != 1:
        return f"One number is asked for; yours has the shape {tuple(got.shape)}."
    by_moment = float(sum(cka(x[:, i], y[:, i]) for i in range(5)) / 5)
    slips = {
        float(cka(x, y)): "There a whole sequence is a sample: done one step later it is as alike as "
                          "before. Make each token one, (n t, p).",
        float(cka(x.flatten(0, 1).T, y.flatten(0, 1).T)): "There a feature is a sample: tokens come first, "
                                                          "(n t, p).",
        by_moment: "That is the mean over moments: sequences are compared within each, moments never.",
    }
    if close(float(got), float(truth)):
        return ""
    for slip, words in slips.items():
        if close(float(got), slip):
            return words
    return f"On a small case it is {float(truth):.4f}, and yours is {float(got):.4f}."


def close(a, b):
    return math.isclose(a, b, rel_tol=1e-4)


def reports():
    """Six made-up reports as a table; chance and floor are those of the library's tasks."""
    return pd.DataFrame([line(letter) for letter in MADE_UP]).set_index("report")


def limits():
    """{task: (chance, floor)}: accuracies, nats or perplexities."""
    law = tasks.language()
    nats = law.chance(24)[1], law.floor(24)
    copying, _ = tasks.copy_paste_chance(range(20, 41))
    return {"parity": (0.5, 1.0), "copy-paste": (copying, 1.0), "language": nats,
            "perplexity": tuple(map(tasks.perplexity, nats))}


def line(letter):
    """One report, {column: as it is printed}."""
    task, sides = MADE_UP[letter]
    kinds = {"language": "loss, nats per word: lower is better",
             "perplexity": "perplexity of the language: lower is better"}
    chance, best = limits()[task]
    base, guided, lengths = (printed(task, value) for value in sides)
    if task == "perplexity":
        base, guided = f"{base} per word", f"{guided} per token, {TOKENS_PER_WORD} tokens a word"
    return {"report": letter, "measure": kinds.get(task, f"{task}, accuracy"), "base": base,
            "guided": guided, "control: lengths alone": lengths, "chance": printed(task, chance),
            "the best possible": printed(task, best)}


def printed(task, value):
    if value is None:
        return "-"
    return f"{value:.2f}" if task in ("language", "perplexity") else f"{100 * value:.1f} %"


@exercise("Chance, floor, units and one plain control: four looks before a number is believed.")
def evidence(answer):
    """An answer: {letter: flaw}."""
    return planted.wrong(answer, TRUTH, flaws=FLAWS)
