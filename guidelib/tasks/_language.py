"""A small language whose verb agrees with a subject some words back, or that names it again; perplexity.

The best possible loss of the language is known exactly.
"""

import math
from dataclasses import dataclass
from functools import cache

import torch

from .sequence_task import QUARTERS, SequenceTask, check_splits, content_hash, stream

NOUNS = "cat dog bird child fox king owl queen".split()  # singular
PLURALS = "cats dogs birds children foxes kings owls queens".split()
VERBS = "run sleep sing eat wait fall".split()  # plural; the singular has an s
WORDS = (".", "near", *NOUNS, *PLURALS, *(verb + "s" for verb in VERBS), *VERBS)
N, V = len(NOUNS), len(VERBS)
STOP, NEAR_WORD, FIRST_NOUN, FIRST_VERB = 0, 1, 2, 2 + 2 * N  # places in WORDS
# What can have been said: the sentence is over; all of it but its full stop; else the last word, and what is
# to be remembered of the subject: see language().
OVER, ALL, LATER = 0, 1, 2


def grammar(*, length=32, more=0.5, recall=False, language_seed=0, train=4_000, validation=500, test=1_000,
            split_seed=0):
    """Sentences such as "dog near cats near king sleeps .", to be read by predicting each next word.

    A subject is singular or plural by a fair coin. After any noun comes "near" and another noun of either
    number with probability `more`, else the verb, whose number is the subject's, however far back, then a
    full stop; with recall=True the subject is said again before it, so that not its number alone has to be
    remembered but the word. Which nouns and verbs are frequent (as 1, 1/2, 1/3, ...) is drawn from
    language_seed. x (n, length) begins with the full stop that ends a sentence before; y (n, length) is x one
    word on.

    What was said tells what can come next, so floor_loss, the entropy per word in nats given all words
    before, is a closed sum. chance and chance_loss are those of a guess by frequency alone: the share of the
    most frequent word, and the entropy of the shares. Splits are independent draws of the same law; two equal
    sequences among 10,000 of the default length have a probability below 1e-12. ValueError for options that
    cannot be.

    >>> task = grammar(train=2, validation=1, test=1, length=9)
    >>> " ".join(task.words[i] for i in task.train[0][0])
    '. birds near queen run . foxes fall .'
    """
    if length < 1 or not 0 <= more < 1:
        raise ValueError("length is at least 1 word, and more is from 0 to below 1, "
                         f"received length={length}, more={more}")
    sizes = {"train": train, "validation": validation, "test": test}
    check_splits(**sizes)
    law = language(more=more, recall=recall, language_seed=language_seed)
    chance, chance_loss = law.chance(length)
    splits = {name: law.sample(n, length, split_seed, name) for name, n in sizes.items()}
    return SequenceTask(name="grammar", vocab=len(WORDS), classes=len(WORDS), words=WORDS, chance=chance,
                        chance_loss=chance_loss, floor_loss=law.floor(length), data_hash=grammar_hash(),
                        encoding="generated", perplexity=True, **splits)


def perplexity(loss, *, tokens_per_word=1.0):
    """exp(loss) of a mean loss in nats per token: how many equally likely tokens are as uncertain.

    Where a token is a word, it is the perplexity per word. For other tokens pass how many there are to a
    word: exp(loss tokens_per_word) is then per word and can be compared.

    >>> round(perplexity(math.log(50)), 9), round(perplexity(math.log(50), tokens_per_word=2), 6)
    (50.0, 2500.0)
    """
    return math.exp(loss * tokens_per_word)


@dataclass(frozen=True)
class Language:
    """A probabilistic finite automaton.

    emit: (states, words), what is said in a state. follow: (states, words), where that leads.
    """

    emit: torch.Tensor
    follow: torch.Tensor

    def sample(self, n, length, seed, split):
        """(x, y), each int64 (n, length), drawn from the full stop on."""
        chance = torch.rand(n, length, dtype=torch.float64, generator=stream("grammar", seed, split))
        below = self.emit.cumsum(1)
        # The last step ends at 1 exactly, so that no rounding lets a word of probability 0 be drawn.
        below = below / below[:, -1:]
        said = torch.zeros(n, length + 1, dtype=torch.int64)
        state = torch.full((n,), OVER)
        for t in range(length):
            word = (below[state] <= chance[:, t, None]).sum(1)  # (n,)
            said[:, t + 1] = word
            state = self.follow[state, word]
        return said[:, :-1].clone(), said[:, 1:].clone()

    def predict(self, x):
        """What the best predictor says: log-probabilities of the next word, float64 (n, t, words).

        x (n, t) begins with a full stop. ValueError for words that the language cannot say.
        """
        state = torch.full((len(x),), OVER)
        found = []
        for t in range(x.shape[1]):
            possible = self.emit[state, x[:, t]] > 0 if t else x[:, 0] == STOP
            if not possible.all():
                first = int((~possible).nonzero()[0])
                raise ValueError(f"the language cannot say word {t} of sequence {first}; "
                                 f"a sequence begins with {WORDS[STOP]!r}")
            if t:
                state = self.follow[state, x[:, t]]
            found.append(self.emit[state].log())
        return torch.stack(found, dim=1)

    def states(self, length):
        """Probability of each state when word 0, 1, ... is due: float64 (length, states)."""
        states = len(self.emit)
        move = torch.zeros(states, states, dtype=torch.float64).scatter_add(1, self.follow, self.emit)
        probability = torch.eye(states, dtype=torch.float64)[OVER]
        found = []
        for _ in range(length):
            found.append(probability)
            probability = probability @ move
        return torch.stack(found)

    def floor(self, length):
        """Entropy of the next word given all before it, mean over positions, in nats."""
        return (self.states(length) @ entropy(self.emit)).mean().item()

    def chance(self, length):
        """(share of the most frequent word, entropy of all shares in nats) over positions."""
        share = self.states(length).mean(0) @ self.emit  # (words,)
        return share.max().item(), entropy(share).item()


def language(*, more=0.5, recall=False, language_seed=0):
    """The Language of grammar()."""
    nouns = _frequencies(N, language_seed, "nouns")
    verbs = _frequencies(V, language_seed, "verbs")
    either = torch.cat([nouns, nouns]) / 2  # of either number
    subjects = torch.arange(2 * N)
    memory = subjects if recall else subjects // N  # what is remembered of each: the word, or its number
    memories = int(memory.max()) + 1
    # States from LATER on: a noun was said, "near" was said, a verb was said; each with every memory.
    noun, near, verb = (LATER + k * memories for k in range(3))
    states = verb + memories * recall
    emit = torch.zeros(states, len(WORDS), dtype=torch.float64)
    follow = torch.zeros(states, len(WORDS), dtype=torch.int64)
    emit[OVER, FIRST_NOUN:FIRST_VERB] = either
    follow[OVER, FIRST_NOUN:FIRST_VERB] = noun + memory
    emit[ALL, STOP] = 1.0
    follow[ALL, STOP] = OVER
    for m in range(memories):
        first = FIRST_VERB + V * (m // N if recall else m)  # of the verbs of the subject's number
        emit[noun + m, NEAR_WORD] = more
        follow[noun + m, NEAR_WORD] = near + m
        emit[noun + m, first:first + V] = (1 - more) * verbs
        follow[noun + m, first:first + V] = verb + m if recall else ALL
        emit[near + m, FIRST_NOUN:FIRST_VERB] = either
        follow[near + m, FIRST_NOUN:FIRST_VERB] = noun + m
        if recall:
            emit[verb + m, FIRST_NOUN + m] = 1.0
            follow[verb + m, FIRST_NOUN + m] = ALL
    return Language(emit, follow)


@cache
def grammar_hash():
    """SHA-256 of a small fixed instance: any change of the generator or of the language changes it."""
    tensors = []
    for recall in (False, True):
        for name in QUARTERS:
            tensors += language(recall=recall).sample(16, 12, 0, name)
    return content_hash(tensors)


def entropy(p):
    """Entropy in nats along the last axis."""
    return torch.special.entr(p).sum(-1)


def _frequencies(n, seed, name):
    """1, 1/2, ..., 1/n, normalised, in an order drawn from the seed: float64 (n,)."""
    weights = 1 / torch.arange(1, n + 1, dtype=torch.float64)
    order = torch.randperm(n, generator=stream("grammar", "words", seed, name))
    return (weights / weights.sum())[order]
