"""What a run would take, without its data and without its memory: networks built on the meta device, one step counted there."""

from types import SimpleNamespace

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ..activations import first_tensor
from ..guidance import guide as guide_
from ..networks.seeding import weightless
from .conditions import find_condition
from .families import make_guide_network, make_target
from .runner import make_task

SKETCHES = {  # data that may not be here: (shape of an input, classes, and for sequences the vocabulary)
    "cifar10": ((3, 32, 32), 10, None), "imagenet": ((3, 224, 224), 1000, None), "wikitext-2-small": (None, 12950, 12950),
}


def dry_run(config):
    """Table (quantity, value) of a Config on the meta device: parameters, memory, steps and operations, for target, guide and both.

    Memory is that of float32 weights, their gradients and Adam's two moments for the target, weights alone for the guide, and what
    the layers of both put out for one batch, an upper bound of what the backward keeps. FLOPs count multiplications and additions of
    matrix products and convolutions, a step being forward, backward and, with a guide, its forward and the Gram matrices.

    >>> from guidelib.experiments import config
    >>> table = dry_run(config("deep-fcn", profile="smoke", condition="untrained")).set_index("quantity")["value"]
    >>> int(table["target parameters"]), int(table["layer pairs"]), int(table["steps"])
    (8074, 21, 21)
    """
    import pandas as pd

    condition = find_condition(config.condition)
    task, guided = sketch(config), condition.guide is not None or condition.teacher
    with weightless():
        target, net = make_target(config, task), make_guide_network(config, task)
        x = torch.zeros(config.batch_size, *task.input_shape, dtype=torch.long if task.vocab else torch.float32)
        step = operations(lambda: target(x).sum().backward())
        rows = {"target parameters": count(target), "guide parameters": count(net)}
        memory = 16 * count(target) + outputs(target, x)
        if guided:
            with guide_(target, net, match=config.match) as g:
                plan = g.plan(x)
            pairs = plan[plan["reason"] == ""]
            with torch.no_grad():
                step += operations(lambda: net(x)) + 1e9 * pairs["gflop"].sum()
            memory += 4 * count(net) + outputs(net, x)
            rows["layer pairs"] = len(pairs)
    rows |= {"memory (GB)": memory / 1e9, "GFLOP a step": step / 1e9}
    if config.train:  # 0: as many as the data hold
        steps = config.epochs * -(-config.train // config.batch_size)
        rows |= {"steps": steps, "PFLOP in all": steps * step / 1e15}
    if condition.warms_up:
        rows["warm-up steps"] = config.warm_up_steps
    return pd.DataFrame({"quantity": list(rows), "value": [float(v) for v in rows.values()]})


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
