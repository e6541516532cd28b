"""Which networks play in each experiment: its target, the guide's family, and a family that is neither (paper, section 4)."""

from math import prod

from .. import networks

RESNETS = {18: ("basic", (2, 2, 2, 2)), 50: ("bottleneck", (3, 4, 6, 3)), 14: ("bottleneck", (1, 1, 1, 1))}


def fcn(config, task, seed):
    return networks.FCN(inputs=prod(task.input_shape), outputs=task.classes, depth=config.depth, width=config.width, norm=config.norm,
               dropout=config.dropout, init=config.init, residual=config.residual, seed=seed)


def convnet(config, task, seed):
    """ResNet-50 without skips, and with them where the residual base is asked for."""
    block, blocks = layout(config.depth)
    return networks.ResNet(channels=task.input_shape[0], outputs=task.classes, width=config.width, block=block, blocks=blocks, skips=config.residual,
                           init=config.init, stem=stem(task), seed=seed)


def resnet(config, task, seed):
    block, blocks = layout(config.guide_depth or 18)
    return networks.ResNet(channels=task.input_shape[0], outputs=task.classes, width=config.guide_width, block=block, blocks=blocks, stem=stem(task),
                           seed=seed)


def stem(task):
    return "imagenet" if task.input_shape[1] >= 128 else "small"


def small_resnet(config, task, seed):
    return networks.ResNet(channels=task.input_shape[0], outputs=task.classes, width=8, seed=seed)


def layout(depth):
    """(block, blocks) of a ResNet by its depth in the usual count; ValueError lists those there are."""
    if depth not in RESNETS:
        raise ValueError(f"a ResNet has depth {', '.join(map(str, sorted(RESNETS)))}, received {depth}")
    return RESNETS[depth]


def vit(config, task, seed):
    patch = max(task.input_shape[1] // 4, 1) if task.input_shape[1] < 224 else 16
    return networks.ViT(inputs=task.input_shape, outputs=task.classes, patch=patch, width=config.guide_width, depth=config.guide_depth,
               heads=config.guide_heads, seed=seed)


def row_transformer(config, task, seed):
    return networks.RowTransformer(inputs=task.input_shape, outputs=task.classes, depth=4, width=64, seed=seed)


def rnn(config, task, seed, *, side="target"):
    depth, width = (config.depth, config.width) if side == "target" else (config.guide_depth, config.guide_width)
    return networks.RNN(vocab=task.vocab, outputs=task.classes, width=width, depth=depth, nonlinearity=config.nonlinearity, leak=config.leak,
               pool=pooled(task, "last"), pad=task.pad, seed=seed)


def transformer(config, task, seed, *, side="target"):
    depth, width, heads = (config.depth, config.width, config.heads) if side == "target" else \
        (config.guide_depth, config.guide_width, config.guide_heads)
    pool = pooled(task, "mean")
    return networks.Transformer(vocab=task.vocab, outputs=task.classes, width=width, depth=depth, heads=heads, causal=pool is None, pool=pool,
                       pad=task.pad, dropout=config.dropout if side == "target" else 0.0, tied=config.tied and side == "guide", seed=seed)


def lstm(config, task, seed):
    return networks.LSTM(vocab=task.vocab, outputs=task.classes, width=config.guide_width, depth=config.guide_depth, pool=pooled(task, "last"),
                pad=task.pad, seed=seed)


def pooled(task, how):
    """How a sequence becomes one answer; None where every position has its own."""
    return how if task.train[1].ndim == 1 else None


def as_guide_side(make):
    return lambda config, task, seed: make(config, task, seed, side="guide")


# experiment: (target, guide's family, a family that is neither)
FAMILIES = {
    "deep-fcn": (fcn, resnet, row_transformer),
    "wide-fcn": (fcn, resnet, row_transformer),
    "deep-convnet": (convnet, resnet, row_transformer),
    "deep-fcn-vit": (fcn, vit, small_resnet),
    "copy-paste": (rnn, as_guide_side(transformer), lstm),
    "parity": (transformer, as_guide_side(rnn), lstm),
    "language-model": (rnn, as_guide_side(transformer), lstm),
}


def make_target(config, task):
    """The target of an experiment, from its own seed.

    >>> from guidelib import tasks
    >>> from guidelib.experiments import config
    >>> type(make_target(config("deep-fcn", profile="smoke"), tasks.digits())).__name__
    'FCN'
    """
    return FAMILIES[config.experiment][0](config, task, config.target_seed)


def make_guide_network(config, task):
    """An untrained network of the guide's family, from the guide's seed."""
    return FAMILIES[config.experiment][1](config, task, config.guide_seed)


def make_other(config, task):
    """An untrained network of a family that is neither the target's nor the guide's, from the guide's seed."""
    return FAMILIES[config.experiment][2](config, task, config.guide_seed)
