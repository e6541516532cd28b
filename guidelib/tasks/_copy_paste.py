"""Copy-paste: read a sequence, and write it down again once told to."""

import math
from functools import cache

import torch

from .sequence_task import QUARTERS, SequenceTask, check_splits, content_hash, quarter, rows, stream
from .task import IGNORED

ENOUGH = 100  # sequences of one length, so that each split finds some of its own


def copy_paste(*, shortest=20, longest=40, symbols=10, train=20_000, validation=2_000, test=2_000,
               split_seed=0, published=False):
    """The copy-paste task (paper, section 4): random symbols, to be repeated after a token COPY.

    With L symbols, `shortest` to `longest`, x (n, 2 longest + 2) is the L symbols, COPY, L times BLANK, EOS,
    then PAD; y is not scored up to and including COPY, then it is the L symbols and EOS. Each label is due
    after everything it depends on, so a causal network can be right throughout: floor_loss is 0. For 3
    symbols out of 10, longest=3 (ids: symbols 0 to 9, EOS 10, COPY 11, BLANK 12, PAD 13; a dot is IGNORED):

        x   7     1     7    COPY  BLANK BLANK BLANK EOS
        y   .     .     .     .     7     1     7    EOS

    classes: the symbols and EOS. Lengths are uniform, symbols uniform and independent. Every sequence belongs
    to one split, by a hash; within a split one may come twice. A blind guess knows EOS, since it is told by
    the input, and is right on one in `symbols` of the rest: chance and chance_loss hold for the lengths of
    the test split (see copy_paste_chance).

    published=True has the ids and labels of the released code: BLANK and PAD are 0 like the first symbol,
    COPY is symbols + 1, EOS symbols + 2 (11 and 12), and a label 0 is not scored, so that the first symbol
    never is; classes is symbols + 3. The published sizes are train=80_000, validation=10_000, test=10_000,
    though drawn anew at each access. ValueError for lengths or sizes that cannot be, and for fewer than 100
    sequences of the shortest length, which splits could not share.

    >>> task = copy_paste(shortest=3, longest=3, train=1, validation=1, test=1)
    >>> task.test[0].tolist(), task.test[1].tolist(), task.chance
    ([[4, 7, 8, 11, 12, 12, 12, 10]], [[-100, -100, -100, -100, 4, 7, 8, 10]], 0.325)
    """
    if not 1 <= shortest <= longest or symbols ** shortest < ENOUGH:
        raise ValueError(f"lengths are 1 <= shortest <= longest, with at least {ENOUGH} sequences of the "
                         "shortest so that splits need not share them, "
                         f"received shortest={shortest}, longest={longest}, symbols={symbols}: "
                         "take longer ones or more symbols")
    sizes = {"train": train, "validation": validation, "test": test}
    check_splits(**sizes)
    pieces = {name: _sequences(name, n, shortest, longest, symbols, split_seed) for name, n in sizes.items()}
    splits = {name: _laid_out(sequences, longest, symbols, published) for name, sequences in pieces.items()}
    tested = [len(sequence) for sequence in pieces["test"]]
    chance, chance_loss = copy_paste_chance(tested, symbols=symbols, published=published)
    vocab, classes, pad, words = _alphabet(symbols, published)
    return SequenceTask(name="copy-paste", vocab=vocab, pad=pad, classes=classes, words=words, chance=chance,
                        chance_loss=chance_loss, floor_loss=0.0, data_hash=copy_paste_hash(),
                        encoding="generated", **splits)


def copy_paste_chance(lengths, *, symbols=10, published=False):
    """(accuracy, cross-entropy in nats) of the best blind guess on sequences of these lengths.

    Of length L there are L + 1 scored labels, of which 1 is known and L / symbols are guessed. published=True
    leaves out the first symbol's labels, one in `symbols` on average, and the guess among the other symbols
    is as much better; these are the published run's 14.29 % and 2.1188.

    >>> [round(value, 4) for value in copy_paste_chance([3])]
    [0.325, 1.7269]
    >>> [round(value, 4) for value in copy_paste_chance(range(20, 41), published=True)]
    [0.1429, 2.1188]
    """
    lengths = list(lengths)
    among = symbols - 1 if published else symbols
    known = len(lengths)
    guessed = sum(lengths) * among / symbols
    accuracy = (guessed / among + known) / (guessed + known)
    loss = guessed * math.log(among) / (guessed + known)
    return accuracy, loss


@cache
def copy_paste_hash():
    """SHA-256 of a small fixed instance in both layouts: any change of the generator changes it."""
    tensors = []
    for published in (False, True):
        for name in QUARTERS:
            sequences = _sequences(name, 8, 3, 6, 10, 0)
            tensors += _laid_out(sequences, 6, 10, published)
    return content_hash(tensors)


def _sequences(split, n, shortest, longest, symbols, seed):
    """n sequences that belong to this split, each a numpy int64 (L,)."""
    generator = stream("copy-paste", "lengths", seed, split)
    lengths = torch.randint(shortest, longest + 1, (n,), generator=generator)
    draws = rows(longest, symbols, stream("copy-paste", "symbols", seed, split))
    found = []
    for length in lengths.tolist():
        for row in draws:
            sequence = row[:length]
            if quarter(sequence.astype("<i8").tobytes(), "copy-paste", seed) in QUARTERS[split]:
                break
        found.append(sequence)
    return found


def _alphabet(symbols, published):
    """(vocab, classes, pad, words)"""
    names = tuple(str(i) for i in range(symbols))
    if published:
        return symbols + 3, symbols + 3, 0, (*names, "unused", "COPY", "EOS")
    return symbols + 4, symbols + 1, symbols + 3, (*names, "EOS", "COPY", "BLANK", "PAD")


def _laid_out(sequences, longest, symbols, published):
    """(x, y), each (n, 2 longest + 2)."""
    eos, copy, blank, pad = range(symbols, symbols + 4)
    if published:
        eos, copy, blank, pad = symbols + 2, symbols + 1, 0, 0
    x = torch.full((len(sequences), 2 * longest + 2), pad)
    y = torch.full_like(x, IGNORED)
    for i, sequence in enumerate(map(torch.from_numpy, sequences)):
        middle = len(sequence)
        end = 2 * middle + 1
        x[i, :middle] = sequence
        x[i, middle] = copy
        x[i, middle + 1:end] = blank
        x[i, end] = eos
        y[i, middle + 1:end] = sequence
        y[i, end] = eos
    if published:
        y[y == 0] = IGNORED
    return x, y
