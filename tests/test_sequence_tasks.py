"""Sequence tasks: worked examples by hand, and splits that never meet.

Chance and floor are found by closed form, by enumeration and by simulation.
"""

import math
from collections import Counter

import pytest
import torch

from guidelib import tasks
from guidelib.tasks import IGNORED
from guidelib.tasks.sequence_task import content_hash
from guidelib.training.loop import train

SMALL = {"copy-paste": {"shortest": 3, "longest": 6}, "parity": {"shortest": 3, "longest": 9},
         "grammar": {"length": 24}}
SPLITS = ("train", "validation", "test")


def small(name, **options):
    return tasks.load(name, **{"train": 60, "validation": 20, "test": 30} | SMALL[name] | options)


def rows(task, split):
    return set(map(tuple, task.split(split)[0].tolist()))


# What every generated task does

@pytest.mark.parametrize("name", SMALL)
def test_facts(name):
    task = small(name)
    assert task.name == name and task.encoding == "generated"
    assert [len(task.split(split)[1]) for split in SPLITS] == [60, 20, 30]
    assert len(task.words) == task.vocab and task.input_shape == task.test[0].shape[1:]
    for split in SPLITS:
        x, y = task.split(split)
        scored = y[y != IGNORED]
        assert x.dtype == y.dtype == torch.int64
        assert 0 <= x.min() and x.max() < task.vocab
        assert 0 <= scored.min() and scored.max() < task.classes
    assert isinstance(task.to("cpu"), tasks.SequenceTask)


@pytest.mark.parametrize("name", SMALL)
def test_the_seed_decides_and_nothing_else(name):
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    first, again, other = small(name), small(name), small(name, split_seed=1)
    assert torch.equal(torch.rand(2), expected)  # the global stream is left alone
    for split in SPLITS:
        assert all(map(torch.equal, first.split(split), again.split(split)))
        assert not torch.equal(first.split(split)[0], other.split(split)[0])
        if first.pad is not None:
            (x, _), (x_other, _) = first.split(split), other.split(split)
            assert not torch.equal(first.lengths(x), other.lengths(x_other))


@pytest.mark.parametrize("name", SMALL)
def test_sizes_do_not_move_the_splits(name):
    whole, part = small(name, train=3000), small(name, train=2)
    for a, b in zip(whole.test + whole.validation, part.test + part.validation, strict=True):
        assert torch.equal(a, b)
    for a, b in zip(whole.train, part.train, strict=True):
        assert torch.equal(a[:2], b)


@pytest.mark.parametrize(("name", "options"), [
    ("copy-paste", {}), ("parity", {}), ("parity", {"shortest": 3, "longest": 4}),
    ("grammar", {"length": 32})])
def test_splits_share_no_sequence(name, options):
    task = small(name, train=2000, validation=500, test=500, **options)
    a, b, c = (rows(task, split) for split in SPLITS)
    assert not (a & b or a & c or b & c)


@pytest.mark.parametrize("name", SMALL)
def test_the_fingerprint_is_the_data_hash_of_every_instance(name):
    task, other = small(name), small(name, train=3, split_seed=7)
    assert tasks.fingerprint(name) == task.data_hash == other.data_hash
    assert len({tasks.fingerprint(each) for each in SMALL}) == 3


@pytest.mark.parametrize(("name", "size", "instances"), [
    ("copy-paste", 8, [{"published": False}, {"published": True}]), ("parity", 16, [{"shortest": 2}]),
    ("grammar", 16, [{"length": 12}, {"length": 12, "recall": True}])])
def test_the_fingerprint_is_the_hash_of_all_that_small_instances_hold(name, size, instances):
    """So any change of what a generator gives, in any split and in x or y, is a change of the fingerprint."""
    tensors = []
    for options in instances:
        task = small(name, train=size, validation=size, test=size, **options)
        tensors += [*task.test, *task.validation, *task.train]
    assert content_hash(tensors) == tasks.fingerprint(name)
    for i, tensor in enumerate(tensors):
        changed = [*tensors[:i], tensor + 1, *tensors[i + 1:]]
        assert content_hash(changed) != tasks.fingerprint(name)


@pytest.mark.parametrize(("name", "options", "message"), [
    ("copy-paste", {"shortest": 5, "longest": 4}, "shortest=5, longest=4"),
    ("copy-paste", {"shortest": 6, "symbols": 2}, "symbols=2"), ("copy-paste", {"test": 0}, "test=0"),
    ("parity", {"shortest": 0}, "shortest=0"), ("parity", {"validation": 0}, "validation=0"),
    ("grammar", {"length": 0}, "length=0"), ("grammar", {"more": 1.0}, r"more=1\.0"),
    ("grammar", {"train": -1}, "train=-1")])
def test_options_that_cannot_be(name, options, message):
    with pytest.raises(ValueError, match=message):
        small(name, **options)


# Copy-paste

def test_copy_paste_by_hand():
    """The sequences themselves are random; all else is written down from them."""
    task = tasks.copy_paste(shortest=2, longest=3, train=20, validation=1, test=1)
    eos, copy, blank, pad, dot = 10, 11, 12, 13, IGNORED
    assert task.words[eos:] == ("EOS", "COPY", "BLANK", "PAD")
    assert task.pad == pad and task.classes == eos + 1
    seen = set()
    for x, y, length in zip(*task.train, task.lengths(task.train[0]).tolist(), strict=True):
        if length == 6:
            a, b = x[:2].tolist()
            assert x.tolist() == [a, b, copy, blank, blank, eos, pad, pad]
            assert y.tolist() == [dot, dot, dot, a, b, eos, dot, dot]
        else:
            a, b, c = x[:3].tolist()
            assert x.tolist() == [a, b, c, copy, blank, blank, blank, eos]
            assert y.tolist() == [dot, dot, dot, dot, a, b, c, eos]
        assert max(x[:(length - 2) // 2]) < 10
        seen.add(length)
    assert seen == {6, 8}


def test_published_layout_by_hand():
    options = {"shortest": 3, "longest": 3, "train": 50, "validation": 1, "test": 1}
    ours = tasks.copy_paste(**options)
    theirs = tasks.copy_paste(**options, published=True)
    x, y = ours.train
    symbols = x[:, :3]
    expected = torch.cat([symbols, torch.tensor([[11, 0, 0, 0, 12]]).expand(50, 5)], 1)  # COPY, blanks, EOS
    assert torch.equal(theirs.train[0], expected)
    assert (theirs.vocab, theirs.classes, theirs.pad) == (13, 13, 0)
    labels = torch.cat([torch.zeros(50, 4, dtype=torch.int64), symbols, torch.full((50, 1), 12)], 1)
    assert torch.equal(theirs.train[1], labels.where(labels != 0, IGNORED))
    assert (labels[:, 4:] == 0).any()


def test_symbols_and_lengths_are_uniform():
    task = tasks.copy_paste(shortest=3, longest=6, train=4000, validation=1, test=1)
    lengths = (task.lengths(task.train[0]) - 2) // 2
    counts = Counter(lengths.tolist())
    for length in range(3, 7):
        assert abs(counts[length] - 1000) < 4 * math.sqrt(750)
    for place in (0, 2):  # of the short ones, a part is set aside for other splits: no symbol may suffer
        symbols = task.train[0][lengths == 3][:, place].bincount(minlength=10)
        n = symbols.sum().item()
        assert (symbols[:10] - n / 10).abs().max() < 5 * math.sqrt(0.09 * n)


def blind(task, split, symbols):
    """Logits of a guess that knows where symbols are due, and which can be, but not which they are."""
    x, _ = task.split(split)
    eos = task.words.index("EOS")
    logits = torch.full((*x.shape, task.classes), -1e9)
    logits[..., symbols] = 0.0
    logits[x == eos] = -1e9
    logits[..., eos] = torch.where(x == eos, 0.0, -1e9)
    return logits


@pytest.mark.parametrize(("published", "symbols"), [(False, range(10)), (True, range(1, 10))])
def test_copy_paste_chance_by_simulation(published, symbols):
    task = tasks.copy_paste(train=1, validation=1, test=1500, published=published)
    x, y = task.test
    logits = blind(task, "test", list(symbols))
    noise = torch.rand(logits.shape, generator=torch.Generator().manual_seed(0))
    hits, scored = task.hits(logits + noise, y)  # a tie is decided by a coin
    error = math.sqrt(task.chance * (1 - task.chance) / scored)
    assert abs(hits / scored - task.chance) < 4 * error < 0.007
    exact = 1e-6 if not published else 0.002  # how many labels are scored is random there
    assert task.loss(logits, y).item() == pytest.approx(task.chance_loss, rel=exact)


def test_copy_paste_chance_in_closed_form():
    lengths = [3, 5]  # 10 labels, of which 2 are known, 8 are guessed among 4
    expected = (4 / 10, 0.8 * math.log(4))
    assert tasks.copy_paste_chance(lengths, symbols=4) == pytest.approx(expected, rel=1e-12)
    accuracy, loss = tasks.copy_paste_chance(range(20, 41), published=True)
    assert accuracy == pytest.approx(4 / 28, rel=1e-12)
    assert loss == pytest.approx(27 * math.log(9) / 28, rel=1e-12)
    # What the released baseline stays at.
    assert round(100 * accuracy, 2) == 14.29 and round(loss, 4) == 2.1188


def test_a_causal_copier_reaches_the_floor():
    """A reader that keeps the symbols until COPY, and sees nothing ahead, is never wrong."""
    task = small("copy-paste")
    x, y = task.test
    logits = torch.full((*x.shape, task.classes), -100.0)
    eos, copy, blank = (task.words.index(word) for word in ("EOS", "COPY", "BLANK"))
    for i, tokens in enumerate(x.tolist()):
        kept = []
        due = None
        for t, token in enumerate(tokens):
            if token == copy:
                due = iter(kept)
            elif token == blank:
                logits[i, t, next(due)] = 0.0
            elif token == eos:
                logits[i, t, eos] = 0.0
            else:
                kept.append(token)
    hits, scored = task.hits(logits, y)
    assert hits == scored > 0
    assert task.loss(logits, y).item() == pytest.approx(task.floor_loss, abs=1e-6)


# Parity

def test_parity_by_hand():
    task = tasks.parity(shortest=2, longest=5, train=40, validation=1, test=1)
    x, y = task.train
    for string, label in zip(x.tolist(), y.tolist(), strict=True):
        bits = [bit for bit in string if bit != 2]
        assert string == bits + [2] * (5 - len(bits))  # padding at the end alone
        assert label == bits.count(1) % 2
    assert set(task.lengths(x).tolist()) == {2, 3, 4, 5}
    assert (task.vocab, task.pad, task.classes) == (3, 2, 2)


def test_parity_is_balanced_and_lengths_tell_nothing():
    task = tasks.parity(train=4000, validation=1, test=500)
    x, y = task.train
    lengths = task.lengths(x).double()
    assert y.double().mean() == 0.5 == task.chance
    assert task.chance_loss == pytest.approx(math.log(2), rel=1e-12) and task.floor_loss == 0
    spread = math.sqrt((49 ** 2 - 1) / 12)  # of a uniform draw from 2 to 50
    assert abs(lengths[y == 1].mean() - lengths[y == 0].mean()) < 4 * spread * math.sqrt(2 / 2000)
    assert abs(lengths.mean() - 26) < 4 * spread / math.sqrt(4000)
    last = x.gather(1, lengths.long()[:, None] - 1)[:, 0]  # it makes the label, yet does not give it away
    standard_error = 0.5 / math.sqrt(4000)
    for known in (x[:, 0], x[:, 1], last):
        # Strings so short that these bits tell something, of 2 for one, are few.
        assert abs((known == y).double().mean() - 0.5) < 4 * standard_error + 0.01


def test_odd_numbers_of_strings_have_one_label_more():
    task = tasks.parity(train=2, validation=2, test=3)
    assert task.test[1].tolist() == [0, 1, 0] and task.chance == 2 / 3
    assert task.chance_loss == pytest.approx(math.log(3) - 2 / 3 * math.log(2), rel=1e-12)


@pytest.mark.parametrize("length", [3, 4, 6])
def test_all_strings_are_shared_out_in_quarters(length):
    """Drawn often enough, every split shows all its strings: 1/2, 1/4, 1/4 of those of either label."""
    options = {"shortest": length, "longest": length, "train": 600, "validation": 400, "test": 400}
    task = tasks.parity(**options)
    for split, part in (("train", 2), ("validation", 4), ("test", 4)):
        x, y = task.split(split)
        for label in (0, 1):
            strings = set(map(tuple, x[y == label].tolist()))
            assert len(strings) == 2 ** (length - 1) // part
    if length == 6:
        other = tasks.parity(**options, split_seed=1)
        assert rows(other, "test") != rows(task, "test")  # the seed shares them out anew


# Grammar

def sentences(law, length, state=0):
    """Yield (log-probability, words) of all texts of that length."""
    if length == 0:
        yield 0.0, ()
        return
    for word in law.emit[state].nonzero()[:, 0].tolist():
        for rest, words in sentences(law, length - 1, law.follow[state, word].item()):
            yield law.emit[state, word].log().item() + rest, (word, *words)


@pytest.mark.parametrize("recall", [False, True])
def test_floor_and_chance_by_enumeration(recall):
    """The entropy of all texts of 4 words is the floor four times over.

    Their words' frequencies are those of the blind guess.
    """
    law = tasks.language(more=0.3, recall=recall)
    share = Counter()
    whole = 0.0
    floor = 0.0
    for log, words in sentences(law, 4):
        probability = math.exp(log)
        whole += probability
        floor -= log * probability / 4
        for word in words:
            share[word] += probability / 4
    entropy = -sum(p * math.log(p) for p in share.values())
    task = small("grammar", length=4, more=0.3, recall=recall)
    assert whole == pytest.approx(1, rel=1e-9)
    assert task.floor_loss == pytest.approx(floor, rel=1e-9)
    assert task.chance == pytest.approx(max(share.values()), rel=1e-9)
    assert task.chance_loss == pytest.approx(entropy, rel=1e-9)


@pytest.mark.parametrize(("more", "recall"), [(0.3, False), (0.7, False), (0.5, True)])
def test_floor_and_chance_by_simulation(more, recall):
    task = tasks.grammar(train=1, validation=1, test=8000, length=20, more=more, recall=recall)
    x, y = task.test
    log = tasks.language(more=more, recall=recall).predict(x)
    assert torch.equal(log.exp().sum(-1).round(decimals=9), torch.ones(x.shape, dtype=torch.float64))
    each = -log.gather(2, y[..., None])[..., 0].mean(1)  # (n,)
    assert abs(each.mean() - task.floor_loss) < 3 * each.std() / math.sqrt(len(x)) < 0.006
    share = y.flatten().bincount(minlength=task.classes) / y.numel()
    assert share.max().item() == pytest.approx(task.chance, abs=0.004)
    assert torch.special.entr(share).sum().item() == pytest.approx(task.chance_loss, abs=0.01)


def test_the_last_word_alone_is_not_enough():
    """The best guess from one word, fitted on the very text that it is tested on, stays above the floor."""
    task = tasks.grammar(train=1, validation=1, test=8000)
    x, y = (part.flatten() for part in task.test)
    pairs = (x * task.vocab + y).bincount(minlength=task.vocab**2)
    counts = pairs.view(task.vocab, task.vocab).double()
    bigram = (counts / counts.sum(1, keepdim=True).clamp(min=1)).log()
    assert task.loss(bigram[x], y).item() > task.floor_loss + 0.09


def test_the_verb_agrees_with_its_subject_and_with_no_other_noun():
    task = tasks.grammar(train=1, validation=1, test=400)
    singulars = "cat dog bird child fox king owl queen".split()
    distances = Counter()
    others = Counter()  # by the subject's number and theirs
    for sequence in task.test[0].tolist():
        for sentence in " ".join(task.words[i] for i in sequence).split(" .")[:-1]:
            subject, *between, verb = sentence.removeprefix(". ").split()
            singular = subject in singulars
            assert verb.endswith("s") == singular
            assert between[::2] == ["near"] * (len(between) // 2)
            distances[len(between)] += 1
            others.update((singular, noun in singulars) for noun in between[1::2])
    # The nouns in between are of either number, whatever the subject is: within 4 standard errors.
    for singular in (True, False):
        n = others[singular, True] + others[singular, False]
        assert abs(others[singular, True] / n - 0.5) < 2 / math.sqrt(n) < 0.08
    assert distances[0] / distances.total() == pytest.approx(0.5, abs=0.05)
    assert max(distances) >= 8 and all(distance % 2 == 0 for distance in distances)


def test_the_subject_is_said_again():
    """In sentences that do agree as before: that word alone is sure, and needs the whole sentence."""
    task = tasks.grammar(train=1, validation=1, test=400, recall=True)
    between = Counter()
    for sequence in task.test[0].tolist():
        for sentence in " ".join(task.words[i] for i in sequence).split(" .")[:-1]:
            subject, *others, verb, again = sentence.removeprefix(". ").split()
            assert again == subject
            assert verb.endswith("s") != subject.endswith("s") or subject == "children"
            between[len(others)] += 1
    assert max(between) >= 6
    # The sure word and the full stop lower the entropy of a word, and make two sentences of one length rarer.
    plain = tasks.grammar(train=1, validation=1, test=1)
    assert task.floor_loss < plain.floor_loss - 0.2 and task.chance_loss > plain.chance_loss


def test_texts_that_the_language_cannot_say():
    law = tasks.language()
    with pytest.raises(ValueError, match="word 0 of sequence 1"):
        law.predict(torch.tensor([[0, 2], [2, 3]]))
    with pytest.raises(ValueError, match="word 2 of sequence 0"):
        law.predict(torch.tensor([[0, 2, 0]]))  # a full stop after a noun


def test_the_language_has_a_seed_of_its_own():
    laws = [tasks.language(language_seed=seed).emit for seed in (0, 1)]
    assert torch.equal(laws[0].sort(1).values, laws[1].sort(1).values)
    assert not torch.equal(*laws)
    task, other = small("grammar"), small("grammar", language_seed=1)
    assert other.floor_loss == pytest.approx(task.floor_loss, rel=1e-12)


def test_perplexity():
    assert tasks.perplexity(0.0) == 1 and tasks.perplexity(math.log(30)) == pytest.approx(30)
    # Per word, from a loss per token.
    assert tasks.perplexity(2.0, tokens_per_word=1.5) == pytest.approx(math.exp(3.0))


# All of them in the loop

class Reader(torch.nn.Module):
    """Embedding and linear layer; the mean over positions where a sequence has one label."""

    def __init__(self, task):
        super().__init__()
        self.embedding = torch.nn.Embedding(task.vocab, 8)
        self.head = torch.nn.Linear(8, task.classes)
        self.pooled = task.train[1].ndim == 1

    def forward(self, x):
        x = self.embedding(x)  # (n, t, 8)
        if self.pooled:
            x = x.mean(1)  # (n, 8)
        return self.head(x)


@pytest.mark.parametrize("name", SMALL)
def test_one_epoch_of_a_tiny_model(name):
    task = small(name, train=300)
    history = train(Reader(task), task, epochs=1, batch_size=16, lr=0.05)
    row = history.table.iloc[0]
    assert history.status == "ok" and 0 <= row["test_accuracy"] <= 1
    assert task.floor_loss < row["test_loss"] < math.log(task.classes) + 0.5
