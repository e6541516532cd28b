"""WikiText-2, the small part of it: its validation file to train on, read from disk and never fetched."""

import hashlib
from collections import Counter
from functools import lru_cache

import torch

from .cifar10_files import MissingData, check_sum, data_folder
from .sequence_task import SequenceTask
from .task import permutation

FILES = ("valid.txt", "test.txt")
# Lines, and words with an <eos> for each line.
TOKENS = {"valid.txt": (3_760, 217_646), "test.txt": (4_358, 245_569)}
UNKNOWN = "<unk>"
END = "<eos>"


def wikitext2_small(*, length=64, train=None, validation=None, test=None, split_seed=0, folder=None):
    """Next-word prediction on WikiText-2 (Merity et al. 2017), with its validation file to train on.

    The first 90 % of valid.txt are for training, the last 10 % for validation, test.txt for the test, each
    cut into windows of `length` words, one after the other without overlap; x is (n, length), y is x one word
    on. A word is what stands between spaces, and the end of each line is the word <eos>. The vocabulary is
    that of the training part, 12,950 words by frequency. All others are <unk>, in validation and test alike
    (7.1 and 5.4 % of their words, besides those that the files call <unk>). train, validation: windows, the
    first so many of an order drawn from split_seed; test: the first so many of the file. None takes all.
    Losses are per word, so exp(loss) is the perplexity per word, of this vocabulary: it cannot be compared
    with that of another.

    chance and chance_loss are those of a guess by the frequencies of the test split: its most frequent word's
    share, its entropy. folder: with the two files, or with a `wikitext-2` that has them; default
    $GUIDELIB_DATA, else `data` in the current folder. MissingData, a FileNotFoundError, if they are not
    there. ValueError if they are not right: SHA256SUMS in their folder or the one above decides where there
    is one, and the numbers of lines and words always.

        task = gl.tasks.wikitext2_small(length=50)    # task.train[0] is (3917, 50)
    """
    if length < 1:
        raise ValueError(f"length is at least 1 word, received {length}")
    versions = []
    for path in _find(folder):
        state = path.stat()
        versions.append((path, state.st_size, state.st_mtime_ns))
    valid, tested, words, data_hash = _read(tuple(versions))
    cut = len(valid) * 9 // 10
    splits = {"train": _windows(valid[:cut], length, train, "train", split_seed),
              "validation": _windows(valid[cut:], length, validation, "validation", split_seed),
              "test": _windows(tested, length, test, "test", None)}
    _, y = splits["test"]
    share = y.flatten().bincount(minlength=len(words)).double()  # (words,)
    share /= share.sum()
    entropy = torch.special.entr(share).sum().item()
    return SequenceTask(name="wikitext-2-small", vocab=len(words), classes=len(words), words=words,
                        chance=share.max().item(), chance_loss=entropy, floor_loss=None, data_hash=data_hash,
                        encoding="words", perplexity=True, **splits)


def wikitext2_small_hash(folder=None):
    """SHA-256 of valid.txt followed by test.txt."""
    data = b"".join(path.read_bytes() for path in _find(folder))
    return hashlib.sha256(data).hexdigest()


def _find(folder):
    """Paths of the two files."""
    root = data_folder(folder)
    for place in (root / "wikitext-2", root):
        paths = [place / name for name in FILES]
        if all(path.is_file() for path in paths):
            return paths
    raise MissingData(
        f"WikiText-2 is not in {str(root)!r}: put valid.txt and test.txt (1.1 and 1.3 MB), to be had from "
        "word_language_model/data/wikitext-2 of the GitHub repository pytorch/examples, into "
        f"{str(root / 'wikitext-2')!r}, or set the environment variable GUIDELIB_DATA to the folder in which "
        "wikitext-2/ holds them")


@lru_cache(maxsize=1)
def _read(versions):
    """(ids of valid.txt, of test.txt, words by id, data hash), kept in memory until a file changes."""
    texts = []
    total = hashlib.sha256()
    for path, *_ in versions:
        data = path.read_bytes()
        total.update(data)
        texts.append(_words(data, path))
    valid, tested = texts
    frequency = Counter(valid[:len(valid) * 9 // 10])
    words = tuple(sorted(frequency | Counter({UNKNOWN: 1}), key=lambda word: (-frequency[word], word)))
    number = {word: i for i, word in enumerate(words)}
    unknown = number[UNKNOWN]
    valid_ids = torch.tensor([number.get(word, unknown) for word in valid])
    tested_ids = torch.tensor([number.get(word, unknown) for word in tested])
    return valid_ids, tested_ids, words, total.hexdigest()


def _words(content, path):
    """The words of a file with <eos> at each line's end; ValueError if it is not the file it should be."""
    check_sum(content, path)
    try:
        lines = content.decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 ({error}); get it again") from error
    words = []
    for line in lines:
        words += [*line.split(), END]
    if (len(lines), len(words)) != TOKENS[path.name]:
        expected_lines, expected_words = TOKENS[path.name]
        raise ValueError(f"{path} is not {path.name} of WikiText-2, or was altered or cut off: expected "
                         f"{expected_lines:,} lines and {expected_words:,} words (an <eos> for each line "
                         f"included), found {len(lines):,} and {len(words):,}; get it again")
    return words


def _windows(ids, length, n, name, seed):
    """(x, y) of n windows, each (n, length): in the file's order, or in one drawn from a seed."""
    available = (len(ids) - 1) // length
    n = available if n is None else n
    if not 1 <= n <= available:
        raise ValueError(f"{name} has {available:,} windows of {length} words, received {name}={n}")
    used = available * length
    x = ids[:used].view(available, length)
    y = ids[1:used + 1].view(available, length)
    order = torch.arange(n) if seed is None else permutation(available, seed)[:n]
    return x[order], y[order]
