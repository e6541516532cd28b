"""What every task has: splits that never meet, a loss, a count of right answers, and the level of chance."""

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F

IGNORED = -100  # a label that is not scored
LEAST = 4  # examples of a shuffled batch: batch statistics and CKA need as many
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class Task:
    """Inputs x (n, ...) and labels y of three splits.

    Labels are (n,) classes, or (n, t) with IGNORED where nothing is scored. Subclasses say chance, the
    accuracy of the best blind guess, and chance_loss, its cross-entropy in nats. data_hash and encoding say
    what the data were read from.
    """

    name: str
    train: tuple
    validation: tuple
    test: tuple
    data_hash: str
    encoding: str

    def loss(self, logits, y):
        """Mean cross-entropy over the scored labels, in nats.

        logits (n, classes) and y (n,), or (n, t, classes) and (n, t).
        """
        return F.cross_entropy(logits.flatten(0, -2), y.flatten(), ignore_index=IGNORED)

    def hits(self, logits, y):
        """(right answers, scored labels), two 0-dim tensors."""
        scored = y != IGNORED
        right = (logits.argmax(-1) == y) & scored
        return right.sum(), scored.sum()

    def answers(self, logits, y):
        """What logits say of each example, int64 (n,): a class, or for a sequence 1 if all of it is right."""
        found = logits.argmax(-1)
        if y.ndim == 1:
            return found
        return ((found == y) | (y == IGNORED)).all(1).long()

    def split(self, name):
        """(x, y) of "train", "validation" or "test"."""
        if name not in SPLITS:
            raise ValueError(f"a split is 'train', 'validation' or 'test', received {name!r}")
        return getattr(self, name)

    def batches(self, split, batch_size, generator=None, *, most=None):
        """Yield (x, y) batches of a split, in a new order drawn from `generator`, or in order without one.

        most: take no more than so many, the first ones.

        The generator is on the CPU. When shuffling, a batch of fewer than 4 examples is left out. ValueError
        for an unknown split or a batch size below 1.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size is at least 1, received {batch_size}")
        x, y = self.split(split)
        if generator is None:
            order = torch.arange(len(y))[:most]
        else:
            order = torch.randperm(len(y), generator=generator)
        for index in order.split(batch_size):
            if generator is None or len(index) >= LEAST:
                index = index.to(y.device)
                yield x[index], y[index]

    def steps(self, batch_size):
        """How many batches of the training split an epoch has; ValueError if there is none."""
        if batch_size < 1:
            raise ValueError(f"batch_size is at least 1, received {batch_size}")
        n = len(self.split("train")[1])
        full, rest = divmod(n, batch_size)
        found = full * (batch_size >= LEAST) + (rest >= LEAST)
        if not found:
            raise ValueError(f"{n} training examples in batches of {batch_size} leave no batch of {LEAST}, "
                             "the least that is trained on")
        return found

    def to(self, device):
        """The same task with its tensors on a device."""
        splits = {}
        for name in SPLITS:
            x, y = self.split(name)
            splits[name] = x.to(device), y.to(device)
        return replace(self, **splits)


def permutation(n, seed):
    """A fixed order of n examples, from a seed and nothing else.

    >>> sorted(permutation(3, seed=0).tolist())
    [0, 1, 2]
    """
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed))
