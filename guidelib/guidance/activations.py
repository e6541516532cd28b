"""Adds to by_hand.py: the layers of any network, and their outputs, of any form, with the examples first."""

from collections import Counter

import torch
from torch import nn

NORMALISATION = tuple(kind for name, kind in vars(nn).items()
                      if name.endswith("Norm") or "BatchNorm" in name or "InstanceNorm" in name)
EMBEDDING = (nn.Embedding, nn.EmbeddingBag)
POOLING = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)


def selected(model):
    """{name: module} of the layers taken by default: the paper's layers with tunable weights (section 3).

    Leaf modules that own a parameter of two or more dimensions (Linear, Conv, recurrent layers, Hugging
    Face's Conv1D), never normalisation or embeddings, plus adaptive average pooling as in the released code.
    nn.MultiheadAttention counts as a leaf, because it never calls the Linear inside it.

    >>> list(selected(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 1))))
    ['0', '3']
    """
    chosen, inside = {}, set()
    for name, module in model.named_modules():
        attention = isinstance(module, nn.MultiheadAttention)
        excluded = isinstance(module, NORMALISATION + EMBEDDING)
        if module in inside or excluded or not (attention or is_leaf(module)):
            continue
        if attention:
            inside.update(module.modules())
        if isinstance(module, POOLING) or any(p.ndim >= 2 for p in module.parameters(recurse=False)):
            chosen[name] = module
    return chosen


def is_leaf(module):
    return not any(True for _ in module.children())


def listened(model, names=(), *, default=True):
    """{name: module} of the default layers, unless told otherwise, and of those of `names` that exist."""
    named = {name: module for name, module in model.named_modules() if name}
    return (selected(model) if default else {}) | {name: named[name] for name in names if name in named}


def display(keys):
    """{key: name}: `fc` for a layer called once in a forward, `fc[0]`, `fc[1]` for one called several times.

    >>> list(display([("fc", 0), ("out", 0), ("fc", 1)]).values())
    ['fc[0]', 'out', 'fc[1]']
    """
    calls = Counter(name for name, _ in keys)
    return {(name, i): name if calls[name] == 1 else f"{name}[{i}]" for name, i in keys}


def tensors(value):
    """Every tensor in nested tuples, lists and dicts."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (tuple, list, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from tensors(inner)


def first_tensor(output):
    """The first floating-point tensor in an output, a tensor, tuple, dict or object with fields; or None.

    >>> first_tensor((torch.ones(1), torch.zeros(2)))
    tensor([1.])
    """
    if isinstance(output, torch.Tensor):
        return output if output.is_floating_point() else None
    if not isinstance(output, (dict, tuple, list)):
        output = getattr(output, "__dict__", ())
    parts = output.values() if isinstance(output, dict) else output
    return next((x for x in map(first_tensor, parts) if x is not None), None)


def batch_size(args, kwargs, batch_dim=0):
    """The number of examples n in a forward's arguments: the size of `batch_dim` in their first tensor."""
    for value in (*args, *kwargs.values()):
        x = next(tensors(value), None)
        if x is not None and x.ndim > batch_dim:
            return x.shape[batch_dim]
    raise ValueError(f"no tensor with a batch axis (batch_dim={batch_dim}) among the {len(args)} arguments "
                     f"and keywords {list(kwargs)}")


def examples(x, n, *, batch_dim=0):
    """View a layer's output as examples (n, ...), or say why that cannot be: (tensor or None, reason).

    The batch axis is `batch_dim` if it has size n; otherwise a leading axis that is a multiple of n, as where
    a network folds tokens or windows into the batch, is unfolded to (n, ...).

    >>> examples(torch.zeros(6, 4), 2)[0].shape
    torch.Size([2, 3, 4])
    """
    if x is None:
        return None, "no floating-point tensor in its output"
    if not x.numel():
        return None, f"output {tuple(x.shape)} is empty"
    if x.ndim > batch_dim and x.shape[batch_dim] == n:
        return (x.movedim(batch_dim, 0) if batch_dim else x), ""
    if x.ndim and n and x.shape[0] % n == 0:
        return (x if x.shape[0] == n else x.unflatten(0, (n, -1))), ""
    return None, f"output {tuple(x.shape)} has no batch axis of n = {n} examples"
