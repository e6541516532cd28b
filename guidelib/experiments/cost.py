"""What a run would take, without its data and without its memory: networks built on the meta device, each kind of step counted there once."""

from types import SimpleNamespace

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ..guidance.activations import first_tensor
from ..guidance.controls import same_family
from ..guidance.guidance import guide as guide_
from ..networks.seeding import weightless
from .conditions import GUIDES, find_condition
from .configuration import chosen_layers
from .families import make_guide_network, make_other, make_target
from .procedure import make_task

SKETCHES = {  # data that may not be here: (shape of an input, classes, and for sequences the vocabulary)
    "cifar10": ((3, 32, 32), 10, None), "imagenet": ((3, 224, 224), 1000, None), "wikitext-2-small": (None, 12950, 12950),
}


def dry_run(config):
    """Table (quantity, value) of a Config on the meta device: parameters, memory, steps and operations of its warm-up and training.

    Memory is that of float32 weights, their gradients and Adam's two moments for what is trained, weights alone for the guide, and what
    the layers of both put out for one batch, an upper bound of what the backward keeps. FLOPs count multiplications and additions of
    matrix products and convolutions: forward and backward of each step, the guide's forward where it runs, the Gram matrices, and the
    training of a guide or teacher that learns; not the evaluation after each epoch. Gram matrices are counted whole, though a CPU saves a
    quarter of their forward.

    >>> from guidelib.experiments import config
    >>> table = dry_run(config("deep-fcn", profile="smoke", condition="untrained")).set_index("quantity")["value"]
    >>> int(table["target parameters"]), int(table["layer pairs"]), int(table["steps"])
    (8074, 21, 21)
    """
    import pandas as pd

    condition, task = find_condition(config.condition), sketch(config)
    kind, pairs = GUIDES.get(condition.guide), ()
    with weightless():
        like = make_guide_network(config, task)
        trained = like if condition.alone else make_target(config, task)

        def batch(n):
            return torch.zeros(n, *task.input_shape, dtype=torch.long if task.vocab else torch.float32)

        guide = None if kind is None and not condition.teacher else like
        if kind is not None:
            guide = {"like": lambda: like, "same": lambda: same_family(trained), "other": lambda: make_other(config, task)}[kind.layers]()
            pairs = paired(trained, guide, batch(config.batch_size), config)
        x = batch(config.batch_size)
        memory = 16 * count(trained) + outputs(trained, x) + (0 if guide is None else 4 * count(guide) + outputs(guide, x))
        steps, warm = steps_of(config, config.guide_epochs if condition.alone else config.epochs), condition.warms_up * config.warm_up_steps
        stop = {"warm-up": 0, "stopped": config.stop_steps}.get(condition.timing, len(steps)) if kind else 0
        plain = {n: operations(lambda n=n: trained(batch(n)).sum().backward()) for n in {*steps, config.batch_size}}
        guided = {n: guidance(kind, guide, pairs, batch(n)) for n in {*steps, config.batch_size}} if kind else {}
        teach = {n: forward(like, batch(n)) for n in set(steps)} if condition.teacher else {}
        total = sum(plain[n] + teach.get(n, 0) + (guided[n] if i < stop else 0) for i, n in enumerate(steps))
        total += warm * (alignment_step(trained, pairs, x) + guided[config.batch_size]) if warm else 0
        total += forward(like, x) if kind and not kind.runs else 0  # once, to learn which layers it has
        total += sum(operations(lambda n=n: like(batch(n)).sum().backward()) for n in steps_of(config, config.guide_epochs)) if condition.learns else 0
    step = plain[config.batch_size] + (guided[config.batch_size] if stop else 0) + teach.get(config.batch_size, 0)
    rows = {"target parameters": count(trained), "guide parameters": count(guide or like)}
    rows |= {"layer pairs": len(pairs)} if kind else {}
    rows |= {"memory (GB)": memory / 1e9, "GFLOP a step": step / 1e9}
    rows |= {"steps": len(steps), "PFLOP in all": total / 1e15} if config.train else {}  # 0: as many as the data hold
    rows |= {"warm-up steps": warm} if warm else {}
    return pd.DataFrame({"quantity": list(rows), "value": [float(v) for v in rows.values()]})


def steps_of(config, epochs):
    """The batch size of each step of a training.

    >>> from guidelib.experiments import config
    >>> steps_of(config("deep-fcn", profile="smoke", train=70), 2)
    [32, 32, 6, 32, 32, 6]
    """
    full, rest = divmod(config.train, config.batch_size)
    return ([config.batch_size] * full + [rest] * (rest > 0)) * epochs


def paired(target, guide, x, config):
    """The rows of the plan that have a part, as `layers` of the configuration asks for them."""
    with guide_(target, guide, match=config.match, similarity=config.similarity, debiased=config.debiased) as g:
        plan = g.plan(x)
    rows, asked = list(plan[plan["reason"] == ""].itertuples()), chosen_layers(config.layers)
    if asked is None:
        return rows
    return rows[:asked[1]] if asked[0] == "first" else rows[-asked[1]:]


def guidance(kind, guide, pairs, x):
    """Operations that guidance adds to a step of n examples: the guide's forward, its Gram matrices, and the target's with their backward.

    A Gram matrix of p features takes 2 n^2 p, and as much in the backward; each layer's is made once, whatever the number of its pairs.
    """
    n = len(x)
    target_side = sum({row.target: row.target_features for row in pairs}.values())
    own = {"examples": n, "inputs": x[0].numel()}.get(kind.whole, sum({row.guide: row.guide_features for row in pairs}.values()))
    return 2 * n**2 * (2 * target_side + own) + (forward(guide, x) if kind.runs else 0)


def alignment_step(target, pairs, x):
    """Operations of forward and backward of a target whose loss is made of its paired layers alone."""
    names, kept = {row.target.partition("[")[0] for row in pairs}, []
    handles = [m.register_forward_hook(lambda m, a, out: kept.append(first_tensor(out).sum())) for name, m in target.named_modules() if name in names]
    flops = operations(lambda: (target(x), sum(kept).backward()))
    for handle in handles:
        handle.remove()
    return flops


def forward(net, x):
    """Operations of a forward without gradients."""
    with torch.no_grad():
        return operations(lambda: net(x))


def sketch(config):
    """What the networks need to know of a task: shape, classes, vocabulary, padding, and whether each position has a label."""
    if config.data not in SKETCHES:
        small = {"train": 8, "validation": 8} | ({} if config.data == "digits" else {"test": 8})
        task = make_task(config.with_(**small))
        return SimpleNamespace(input_shape=task.input_shape, classes=task.classes, vocab=getattr(task, "vocab", None), pad=getattr(task, "pad", None),
                               train=task.train)
    shape, classes, vocab = SKETCHES[config.data]
    labels = torch.zeros(1, config.length) if vocab else torch.zeros(1)
    return SimpleNamespace(input_shape=shape or (config.length,), classes=classes, vocab=vocab, pad=None, train=(None, labels))


def count(net):
    return sum(p.numel() for p in net.parameters())


def operations(step):
    """Floating-point operations of a call, counted by torch."""
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def outputs(net, x):
    """Bytes that the leaf modules of a network put out for one batch."""
    total = 0

    def add(module, args, output):
        nonlocal total
        found = first_tensor(output)
        total += 0 if found is None else found.numel() * found.element_size()

    handles = [m.register_forward_hook(add) for m in net.modules() if isinstance(m, nn.Module) and not any(True for _ in m.children())]
    with torch.no_grad():
        net(x)
    for handle in handles:
        handle.remove()
    return total
