"""WikiText-2, the small part of it: words of its validation file to train on, read from disk and never fetched."""

import hashlib
from collections import Counter
from functools import lru_cache

import torch

from .cifar10_files import MissingData, check_sum, data_folder
from .sequence_task import SequenceTask
from .task import permutation

FILES = ("valid.txt", "test.txt")
TOKENS = {"valid.txt": (3_760, 217_646), "test.txt": (4_358, 245_569)}  # lines, and words with an <eos> for each line
UNKNOWN, END = "<unk>", "<eos>"


def wikitext2_small(*, length=64, train=None, validation=None, test=None, split_seed=0, folder=None):
    """Next-word prediction on WikiText-2 (Merity et al. 2017) with its validation file in the place of the training file: x and y (n, length).

    The first 90 % of valid.txt are for training, the last 10 % for validation, test.txt for the test, each cut into windows of `length` words,
    one after the other without overlap; y is x one word on. A word is what stands between spaces, and the end of each line is the word <eos>.
    The vocabulary is that of the training part, 12,950 words by frequency. All others are <unk>, in validation and test alike (7.1 and 5.4 % of
    their words, besides those that the files call <unk>). train, validation: windows, the first so many of an order drawn from split_seed; test:
    the first so many of the file. None takes all. Losses are per word, so exp(loss) is the perplexity per word, of this vocabulary: it cannot
    be compared with that of another.

    chance and chance_loss are those of a guess by the frequencies of the test split: its most frequent word's share, its entropy. folder: with
    the two files, or with a `wikitext-2` that has them; default $GUIDELIB_DATA, else `data` in the current folder. MissingData, a
    FileNotFoundError, if they are not there. ValueError if they are not right: SHA256SUMS in their folder or the one above decides where there
    is one, and the numbers of lines and words always.

        task = gl.tasks.wikitext2_small(length=50)    # task.train[0] is (3917, 50)
    """
    if length < 1:
        raise ValueError(f"length is at least 1 word, received {length}")
    valid, tested, words, data_hash = _read(tuple((path, path.stat().st_size, path.stat().st_mtime_ns) for path in _find(folder)))
    cut = len(valid) * 9 // 10
    splits = {"train": _windows(valid[:cut], length, train, "train", split_seed),
              "validation": _windows(valid[cut:], length, validation, "validation", split_seed),
              "test": _windows(tested, length, test, "test", None)}
    share = splits["test"][1].flatten().bincount(minlength=len(words)).double()
    share /= share.sum()
    return SequenceTask(name="wikitext-2-small", vocab=len(words), classes=len(words), words=words, chance=share.max().item(),
                        chance_loss=torch.special.entr(share).sum().item(), floor_loss=None, data_hash=data_hash, encoding="words", **splits)


def wikitext2_small_hash(folder=None):
    """SHA-256 of valid.txt followed by test.txt."""
    return hashlib.sha256(b"".join(path.read_bytes() for path in _find(folder))).hexdigest()


def _find(folder):
    """Paths of the two files."""
    root = data_folder(folder)
    for place in (root / "wikitext-2", root):
        paths = [place / name for name in FILES]
        if all(path.is_file() for path in paths):
            return paths
    raise MissingData(
        f"WikiText-2 is not in {str(root)!r}: put valid.txt and test.txt (1.1 and 1.3 MB), to be had from word_language_model/data/wikitext-2 "
        f"of the GitHub repository pytorch/examples, into {str(root / 'wikitext-2')!r}, or set the environment variable GUIDELIB_DATA to the "
        "folder in which wikitext-2/ holds them")


@lru_cache(maxsize=1)
def _read(versions):
    """(ids of valid.txt, ids of test.txt, words by id, data hash); what was read stays in memory until a file changes."""
    data = [path.read_bytes() for path, *_ in versions]
    valid, tested = (_words(content, path) for content, (path, *_) in zip(data, versions, strict=True))
    frequency = Counter(valid[:len(valid) * 9 // 10])
    words = tuple(sorted(frequency | Counter({UNKNOWN: 1}), key=lambda word: (-frequency[word], word)))
    number = {word: i for i, word in enumerate(words)}
    ids = (torch.tensor([number.get(word, number[UNKNOWN]) for word in part]) for part in (valid, tested))
    return *ids, words, hashlib.sha256(b"".join(data)).hexdigest()


def _words(content, path):
    """The words of a file with <eos> at each line's end; ValueError if it is not the file it should be."""
    check_sum(content, path)
    try:
        lines = content.decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 ({error}); get it again") from error
    words = [word for line in lines for word in (*line.split(), END)]
    if (len(lines), len(words)) != TOKENS[path.name]:
        expected = "{:,} lines and {:,} words".format(*TOKENS[path.name])
        raise ValueError(f"{path} is not {path.name} of WikiText-2, or was altered or cut off: expected {expected} (an <eos> for each line "
                         f"included), found {len(lines):,} and {len(words):,}; get it again")
    return words


def _windows(ids, length, n, name, seed):
    """(x, y) of n windows, each (n, length): in the file's order, or in one drawn from a seed."""
    available = (len(ids) - 1) // length
    n = available if n is None else n
    if not 1 <= n <= available:
        raise ValueError(f"{name} has {available:,} windows of {length} words, received {name}={n}")
    x, y = (ids[first:first + available * length].view(available, length) for first in (0, 1))
    order = torch.arange(n) if seed is None else permutation(available, seed)[:n]
    return x[order], y[order]
