"""A task on sequences of tokens, and what its generators share: random streams by name, splits by hash."""

import hashlib
from dataclasses import dataclass

import torch

from .task import Task

# The quarters of all sequences that may be drawn for a split.
QUARTERS = {"test": (0,), "validation": (1,), "train": (2, 3)}
CHUNK = 1024


@dataclass(frozen=True, kw_only=True)
class SequenceTask(Task):
    """Tokens x (n, t) int64 with labels y int64, (n,) or (n, t), where IGNORED is not scored.

    vocab: number of token ids. pad: the id that fills up short sequences at their right end, or None.
    classes: number of outputs. chance: accuracy of the best blind guess, one that knows the format but not
    the content; chance_loss: its cross-entropy in nats. floor_loss: the lowest mean loss in nats that any
    predictor can reach, 0 where the answer follows from the input, None where it is not known. words: what
    each id stands for. perplexity: whether a label is a word, so that the loss is told as a perplexity.
    """

    vocab: int
    classes: int
    chance: float
    chance_loss: float
    floor_loss: float | None
    pad: int | None = None
    words: tuple = ()
    perplexity: bool = False

    @property
    def input_shape(self):
        """(t,)"""
        return tuple(self.train[0].shape[1:])

    def lengths(self, x):
        """Tokens of each sequence of x (n, t) before its padding, int64 (n,)."""
        if self.pad is None:
            return torch.full((len(x),), x.shape[1], device=x.device)
        return (x != self.pad).sum(1)


def stream(*names):
    """A random generator of its own for these names, the same each time.

    >>> a, b = (torch.rand((), generator=stream("parity", 0, name)).item() for name in ("train", "test"))
    >>> a == torch.rand((), generator=stream("parity", 0, "train")).item() != b
    True
    """
    seed = int.from_bytes(_digest(repr(names).encode(), 4), "little")
    return torch.Generator().manual_seed(seed)


def rows(width, high, generator):
    """Yield rows (width,) of independent draws from 0 to high - 1 without end.

    How many are taken does not change the next.
    """
    while True:
        yield from torch.randint(high, (CHUNK, width), generator=generator).numpy()


def quarter(content, *names):
    """0, 1, 2 or 3, as a hash of content and names says: in which split a sequence may appear (QUARTERS).

    >>> quarter(b"0110", 0), quarter(b"0110", 1)
    (2, 3)
    """
    return _digest(repr(names).encode() + content, 1)[0] % 4


def content_hash(tensors):
    """SHA-256 of the shapes and values of int64 tensors, the same on every machine.

    >>> content_hash([torch.arange(4)]) == content_hash([torch.arange(4).view(2, 2)])
    False
    """
    total = hashlib.sha256()
    for tensor in tensors:
        total.update(repr(tuple(tensor.shape)).encode())
        total.update(tensor.numpy().astype("<i8").tobytes())
    return total.hexdigest()


def check_splits(**sizes):
    """ValueError unless every split has at least one sequence."""
    if min(sizes.values()) < 1:
        received = ", ".join(f"{name}={value}" for name, value in sizes.items())
        raise ValueError(f"each split has at least 1 sequence, received {received}")


def _digest(content, size):
    return hashlib.blake2b(content, digest_size=size).digest()
