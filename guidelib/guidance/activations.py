"""Adds to by_hand.py: the layers of any network, and their outputs, of any form, with the examples first."""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from fnmatch import fnmatchcase

import torch
from torch import nn
from torch.nn.utils import parametrize
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

NORMALISATION = tuple(kind for name, kind in vars(nn).items()
                      if name.endswith("Norm") or "BatchNorm" in name or "InstanceNorm" in name)
EMBEDDING = (nn.Embedding, nn.EmbeddingBag)
POOLING = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)
# Layers whatever hangs below them: a parametrised weight, the parts of an adapter, a fake quantiser.
WEIGHTED = (nn.Linear, nn.Bilinear, nn.modules.conv._ConvNd, nn.RNNBase, nn.RNNCellBase,
            nn.MultiheadAttention, nn.modules.lazy.LazyModuleMixin)
FOLDED = "folded"  # a reading of an output (n k, ...): n examples one after the other, k rows each


def selected(model):
    """{name: module} of the layers taken by default: the paper's layers with tunable weights (section 3).

    Leaf modules that own a parameter of two or more dimensions (Linear, Conv, recurrent layers, Hugging
    Face's Conv1D), never normalisation or embeddings, plus adaptive average pooling as in the released code.
    torch's own layers with weights count as leaves whatever hangs below them: nn.MultiheadAttention, which
    never calls the Linear inside it, layers with a parametrised weight, lazy and quantised ones, adapters
    that are a Linear.

    >>> list(selected(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 1))))
    ['0', '3']
    """
    chosen, inside = {}, set()
    for name, module in model.named_modules():
        if module in inside or isinstance(module, NORMALISATION + EMBEDDING):
            continue
        if is_weighted(module):
            inside.update(module.modules())
            chosen[name] = module
        elif is_leaf(module) and (isinstance(module, POOLING) or owns_matrix(module)):
            chosen[name] = module
    return chosen


def is_leaf(module):
    return not any(True for _ in module.children())


def is_weighted(module):
    """Whether it is a layer with weights although it may have parts."""
    if isinstance(module, WEIGHTED) or parametrize.is_parametrized(module):
        return True
    return any(kind.__name__ == "WeightedQuantizedModule" for kind in type(module).__mro__)


def owns_matrix(module):
    return any(p.ndim >= 2 for p in module.parameters(recurse=False))


def listened(model, names=(), *, default=True):
    """{name: module} of the default layers, unless told otherwise, and of those of `names` that exist."""
    # Those of a module with two names, of which the first is the one that is shown.
    named = {name: module for name, module in model.named_modules(remove_duplicate=False) if name}
    return (selected(model) if default else {}) | {name: named[name] for name in names if name in named}


def display(keys):
    """{key: name}: `fc` for a layer called once in a forward, `fc[0]`, `fc[1]` for one called several times.

    >>> list(display([("fc", 0), ("out", 0), ("fc", 1)]).values())
    ['fc[0]', 'out', 'fc[1]']
    """
    calls = Counter(name for name, _ in keys)
    return {(name, i): name if calls[name] == 1 else f"{name}[{i}]" for name, i in keys}


def tensors(value):
    """Every tensor in nested tuples, lists, mappings and dataclasses."""
    if isinstance(value, torch.Tensor):
        yield value
    else:
        for inner in parts(value):
            yield from tensors(inner)


def parts(value):
    """What is directly in a tuple, list, mapping, dataclass or other object with fields; else nothing."""
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, (tuple, list)):
        return list(value)
    if dataclasses.is_dataclass(value):
        return [getattr(value, field.name) for field in dataclasses.fields(value)]
    if isinstance(value, (str, type, nn.Module)) or not hasattr(value, "__dict__"):
        return []
    inner = vars(value)
    data = inner.get("data", inner)  # collections.UserDict, as of a tokeniser
    return list(data.values()) if isinstance(data, Mapping) else list(inner.values())


def first_tensor(output, depth=0):
    """The first floating-point tensor in an output, a tensor, tuple, dict or object with fields; or None.

    A packed sequence is unpacked: (n, longest, ...), the examples in their order, zeros where one has ended.

    >>> first_tensor((torch.ones(1), torch.zeros(2)))
    tensor([1.])
    """
    if isinstance(output, torch.Tensor):
        return output if output.is_floating_point() else None
    if isinstance(output, PackedSequence):
        return pad_packed_sequence(output, batch_first=True)[0]
    if depth == 8:  # an output that holds itself has no end
        return None
    return next((x for x in (first_tensor(part, depth + 1) for part in parts(output)) if x is not None), None)


def batch_size(args, kwargs, batch_dim=0):
    """The number of examples n in a forward's arguments: the size of axis `batch_dim` of all its tensors.

    Masks and sizes of 1 do not count if there are others. ValueError if there is none, or several differ.
    """
    sizes, small = [], []
    for name, value in (*enumerate(args), *kwargs.items()):
        if isinstance(value, PackedSequence):
            sizes.append((name, int(value.batch_sizes[0])))
            continue
        for x in tensors(value):
            if x.ndim > batch_dim:
                mask = x.dtype == torch.bool or "mask" in str(name).lower()
                kept = small if mask or x.shape[batch_dim] == 1 else sizes
                kept.append((name, x.shape[batch_dim]))
    sizes = sizes or small
    if not sizes:
        raise ValueError(f"no tensor with a batch axis (batch_dim={batch_dim}) among the {len(args)} "
                         f"arguments and keywords {list(kwargs)}: batch_size=callable(*args, **kwargs) says "
                         "how many examples there are")
    if len({size for _, size in sizes}) > 1:
        found = ", ".join(f"{size} in {name!r}" for name, size in sizes)
        raise ValueError(f"the arguments disagree about the number of examples (batch_dim={batch_dim}): "
                         f"{found}, by position or keyword; batch_size=callable(*args, **kwargs) says it")
    return sizes[0][1]


def axis_of_inputs(batch_dim):
    """The axis of the examples in a network's inputs: batch_dim itself, or its "*", else 0."""
    return batch_dim.get("*", 0) if isinstance(batch_dim, dict) else batch_dim


def axis_given(batch_dim, name):
    """The axis that a user gave for the layer of that name, or None; batch_dim may be {layer glob: axis}."""
    if not isinstance(batch_dim, dict):
        return None
    if name in batch_dim:
        return batch_dim[name]
    return next((axis for glob, axis in batch_dim.items() if glob != "*" and fnmatchcase(name, glob)), None)


def reading_by_shape(shape, n, batch_dim=0):
    """How to read an output of that shape as n examples, as far as its shape tells; None if it cannot be.

    The batch axis is `batch_dim` if that has size n; otherwise a leading axis that is a multiple of n, as
    where a network folds tokens or windows into the batch, is FOLDED.

    >>> reading_by_shape((5, 2), 5), reading_by_shape((6, 4), 2), reading_by_shape((5, 2), 3)
    (0, 'folded', None)
    """
    if len(shape) > batch_dim and shape[batch_dim] == n:
        return batch_dim
    if shape and n and shape[0] % n == 0:
        return 0 if shape[0] == n else FOLDED
    return None


def examples(x, n, reading):
    """View a layer's output as examples (n, ...), or say why that cannot be: (tensor or None, reason).

    reading: an axis of size n, FOLDED, None for no reading, or the reason itself.

    >>> examples(torch.zeros(6, 4), 2, FOLDED)[0].shape
    torch.Size([2, 3, 4])
    """
    if x is None:
        return None, "no floating-point tensor in its output"
    shape = tuple(x.shape)
    if not x.numel():
        return None, f"output {shape} is empty"
    if isinstance(reading, int) and x.ndim > reading and shape[reading] == n:
        return (x.movedim(reading, 0) if reading else x), ""
    if reading == FOLDED and x.ndim and shape[0] % n == 0:
        return x.unflatten(0, (n, -1)), ""
    if isinstance(reading, str) and reading != FOLDED:
        return None, reading
    axis = f" at axis {reading}" if isinstance(reading, int) else ""
    return None, f"output {shape} has no batch axis of n = {n} examples{axis}"
