"""What the experiments on sequences share: settings, a search space, and the networks that play in them."""

from ... import networks

SEQUENCES = {
    "norm": None, "dropout": 0.0, "optimizer": "adamw", "weight_decay": 0.01, "guide_norm": "running",
}
SMALL_SEQUENCES = SEQUENCES | {
    "train": 64, "validation": 32, "test": 32,
    "depth": 2, "width": 16, "heads": 2, "epochs": 2, "batch_size": 16,
    "guide_depth": 2, "guide_width": 16, "guide_heads": 2, "guide_epochs": 1,
    "warm_up_steps": 4, "stop_steps": 2,
}
GUIDES = ("untrained", "trained", "identity", "data-gram", "shuffled", "same-family")
RNN_RECIPES = {"clip": (None, 0.25, 1.0), "weight_decay": (0.0, 0.01), "schedule": (None, "cosine")}


def rnn(config, task, seed):
    return plain_rnn(config, task, seed, depth=config.depth, width=config.width)


def guide_rnn(config, task, seed):
    return plain_rnn(config, task, seed, depth=config.guide_depth, width=config.guide_width)


def plain_rnn(config, task, seed, *, depth, width):
    return networks.RNN(
        vocab=task.vocab, outputs=task.classes, width=width, depth=depth, nonlinearity=config.nonlinearity,
        leak=config.leak, pool=pooled(task, "last"), pad=task.pad, seed=seed)


def transformer(config, task, seed):
    pool = pooled(task, "mean")
    return networks.Transformer(
        vocab=task.vocab, outputs=task.classes, width=config.width, depth=config.depth, heads=config.heads,
        causal=pool is None, pool=pool, pad=task.pad, dropout=config.dropout, seed=seed)


def guide_transformer(config, task, seed):
    pool = pooled(task, "mean")
    return networks.Transformer(
        vocab=task.vocab, outputs=task.classes, width=config.guide_width, depth=config.guide_depth,
        heads=config.guide_heads, causal=pool is None, pool=pool, pad=task.pad, tied=config.tied, seed=seed)


def lstm(config, task, seed):
    return networks.LSTM(
        vocab=task.vocab, outputs=task.classes, width=config.guide_width, depth=config.guide_depth,
        pool=pooled(task, "last"), pad=task.pad, seed=seed)


def pooled(task, how):
    """How a sequence becomes one answer; None where every position has its own."""
    return how if task.train[1].ndim == 1 else None
