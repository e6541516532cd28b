"""What a run would take, without its data and without its memory.

Networks are built on the meta device, and each kind of step is counted there once.
"""

from math import prod
from types import SimpleNamespace

import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from ..baselines.balance import first_and_last, gradient_ratio
from ..guidance.activations import is_leaf
from ..guidance.calls import Call
from ..guidance.controls import same_family
from ..guidance.guidance import guide as guide_
from ..guidance.hooks import Listener
from ..guidance.tables import layers
from ..networks.seeding import weightless
from ..tasks import options_of
from ..tasks.task import LEAST
from .conditions import GUIDES, find_condition
from .configuration import examples_of
from .families import make_guide_network, make_other, make_target, make_task

# Data that may not be here: (shape of an input, classes, and for sequences the vocabulary).
SKETCHES = {
    "cifar10": ((3, 32, 32), 10, None),
    "imagenet": ((3, 224, 224), 1000, None),
    "wikitext-2-small": (None, 12950, 12950),
}


def dry_run(config):
    """Table (quantity, value) of a Config on the meta device: parameters, memory, steps and operations.

    Memory is that of float32 weights, their gradients and Adam's two moments for what is trained, weights
    alone for the guide, and what the layers of both put out for one batch, an upper bound of what the
    backward keeps. FLOPs count multiplications and additions of matrix products and convolutions: forward and
    backward of each step of warm-up and training, the guide's forward where it runs, the Gram matrices, and
    the training of a guide or teacher that learns; not the evaluation after each epoch, nor the looks that a
    run takes at its target. Gram matrices are counted whole, though a CPU saves a quarter of their forward.

    >>> from guidelib.experiments import config
    >>> made = config("deep-fcn", profile="smoke", condition="untrained")
    >>> table = dry_run(made).set_index("quantity")["value"]
    >>> int(table["target parameters"]), int(table["layer pairs"]), int(table["steps"])
    (8074, 21, 21)
    """
    condition = find_condition(config.condition)
    kind = GUIDES.get(condition.guide)
    task = sketch(config)
    full = config.batch_size
    steps = steps_of(config, config.guide_epochs if condition.alone else config.epochs)
    warm = config.warm_up_steps if condition.warms_up else 0
    stop = {"warm-up": 0, "stopped": config.stop_steps}.get(condition.timing, len(steps))  # guided steps

    def batch(n):
        return torch.zeros(n, *task.input_shape, dtype=torch.long if task.vocab else torch.float32)

    with weightless():
        like = (make_other if condition.other else make_guide_network)(config, task)
        trained = like if condition.alone else make_target(config, task)
        teacher = like if condition.teacher and not condition.uniform else None
        guide = teacher
        pairs = ()
        x = batch(full)
        if kind is not None:
            guide = guide_of(kind, config, task, trained, like)
            pairs = paired(trained, guide, x, config, like=like if kind.layers == "same" else None)
            places = pairs[0].n // full
        memory = 16 * count(trained) + outputs(trained, x)
        if guide is not None:
            memory += 4 * count(guide) + outputs(guide, x)

        # Operations of a step, by the size of its batch: the target's, the guide's, the teacher's.
        plain = {n: forward_backward(trained, batch(n)) for n in {*steps, full}}
        guided = dict.fromkeys(plain, 0)
        if kind is not None:
            guided = {n: guidance(kind, guide, pairs, batch(n), places=places) for n in plain}
        taught = dict.fromkeys(plain, 0)
        if teacher is not None:
            taught = {n: forward(like, batch(n)) for n in plain}

        if config.dimension:
            guided = {n: dimension_term(trained, batch(n)) for n in plain}
            stop = len(steps)

        total = sum(plain[n] + taught[n] for n in steps) + sum(guided[n] for n in steps[:stop])
        if warm:
            total += warm * (balance_step(trained, x) if condition.balanced else
                             alignment_step(trained, pairs, x) + guided[full])
        if kind is not None and not kind.runs:
            total += forward(like, x)  # once, to learn which layers it has
        # A guide that learns, or one that a target without a guide is measured against.
        if condition.learns or (kind is None and not condition.alone and config.watched == "trained"):
            learning = steps_of(config, config.guide_epochs)
            cost = {n: forward_backward(like, batch(n)) for n in set(learning)}
            total += sum(cost[n] for n in learning)
    step = plain[full] + taught[full]
    if condition.stays or config.dimension:
        step += guided[full]

    rows = {"target parameters": count(trained), "guide parameters": count(like if guide is None else guide)}
    if kind is not None:
        rows["layer pairs"] = len(pairs)
    rows["memory (GB)"] = memory / 1e9
    rows["GFLOP a step"] = step / 1e9
    if config.train:  # 0: as many as the data hold
        rows["steps"] = len(steps)
        rows["PFLOP in all"] = total / 1e15
    if warm:
        rows["warm-up steps"] = warm
    return pd.DataFrame({"quantity": list(rows), "value": [float(v) for v in rows.values()]})


def steps_of(config, epochs):
    """The batch size of each step of a training.

    >>> from guidelib.experiments import config
    >>> steps_of(config("deep-fcn", profile="smoke", train=70), 2)
    [32, 32, 6, 32, 32, 6]
    """
    full, rest = divmod(examples_of(config), config.batch_size)
    return ([config.batch_size] * full + [rest] * (rest >= LEAST)) * epochs


def guide_of(kind, config, task, target, like):
    """The network whose layers the target's are paired with; like: the one of the guide's family."""
    if kind.layers == "same":
        return same_family(target)
    if kind.layers == "other":
        return make_other(config, task)
    return like


def paired(target, guide, x, config, *, like=None):
    """The rows of the plan that have a part, as `layers` of the configuration asks for them.

    like: the network whose pairs a guide of the target's own family is given.
    """
    def plan(network, layers):
        with guide_(target, network, layers=layers, match=config.match, similarity=config.similarity,
                    debiased=config.debiased, samples=config.samples) as g:
            table = g.plan(x)
        return list(table[table["reason"] == ""].itertuples())

    layers = config.steered()
    if like is not None:
        layers = [(name, name) for name in dict.fromkeys(row.target for row in plan(like, layers))]
    return plan(guide, layers)


def guidance(kind, guide, pairs, x, *, places=1):
    """Operations that guidance adds to a step of n examples.

    They are the guide's forward, its Gram matrices, and the target's with their backward. A Gram matrix of p
    features takes 2 n^2 p, and as much in the backward; each layer's is made once, whatever the number of its
    pairs. places: samples of an example, more than one where tokens are samples: of so many no Gram matrix is
    made, but products of features.
    """
    n = places * len(x)
    target_features = {row.target: row.target_features for row in pairs}
    guide_features = {row.guide: row.guide_features for row in pairs}
    if places > 1:
        own = sum(3 * p**2 for p in target_features.values()) + sum(q**2 for q in guide_features.values())
        products = 2 * n * (own + sum(2 * row.target_features * row.guide_features for row in pairs))
        return products + forward(guide, x) if kind.runs else products
    whole = {"examples": n, "inputs": x[0].numel(), "lengths": x[0].numel()}
    own = whole.get(kind.whole, sum(guide_features.values()))
    grams = 2 * n**2 * (2 * sum(target_features.values()) + own)
    return grams + forward(guide, x) if kind.runs else grams


def dimension_term(target, x):
    """Operations of keeping the dimension of the layers: their Gram matrices, forward and backward."""
    table = layers(target, x)
    features = table["features"][table["selected"]].tolist()
    return 2 * len(x)**2 * 2 * sum(features)


def alignment_step(target, pairs, x):
    """Operations of forward and backward of a target whose loss is made of its paired layers alone."""
    names = {row.target.partition("[")[0] for row in pairs}
    modules = {name: module for name, module in target.named_modules() if name in names}
    kept = []

    def step():
        target(x)
        sum(kept).backward()

    with Listener(modules, lambda o: kept.append(o.x.sum()), call=Call((x,), {})):
        return operations(step)


def balance_step(target, x):
    """Operations of a step that brings a target's gradient ratio nearer to 1."""
    ends = first_and_last(target)

    def step():
        outputs = target(x)
        gradient_ratio(outputs, torch.ones_like(outputs), ends).log().square().backward()

    return operations(step)


def forward(net, x):
    """Operations of a forward without gradients."""
    with torch.no_grad():
        return operations(lambda: net(x))


def forward_backward(net, x):
    """Operations of a forward and its backward."""
    return operations(lambda: net(x).sum().backward())


def sketch(config):
    """What the networks need to know of a task.

    Its shape, classes, vocabulary, padding, and whether each position has a label.
    """
    if config.data not in SKETCHES:
        small = dict.fromkeys({"train", "validation", "test"} & set(options_of(config.data)), 8)
        task = make_task(config.with_(**small))
        return SimpleNamespace(input_shape=task.input_shape, classes=task.classes, train=task.train,
                               vocab=getattr(task, "vocab", None), pad=getattr(task, "pad", None))
    shape, classes, vocab = SKETCHES[config.data]
    labels = torch.zeros(1, config.length) if vocab else torch.zeros(1)
    return SimpleNamespace(input_shape=shape or (config.length,), classes=classes, train=(None, labels),
                           vocab=vocab, pad=None)


def count(net):
    return sum(p.numel() for p in net.parameters())


def operations(step):
    """Floating-point operations of a call, counted by torch."""
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def outputs(net, x):
    """Bytes that the leaf modules of a network put out for one batch, in float32."""
    leaves = {name: module for name, module in net.named_modules() if is_leaf(module)}
    sizes = []
    hooks = Listener(leaves, lambda o: sizes.append(prod(o.shape or (0,))), call=Call((x,), {}))
    with hooks, torch.no_grad():
        net(x)
    return 4 * sum(sizes)
