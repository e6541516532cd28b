"""What the layers of a network output during one forward pass: which layers, in which order, as examples (n, ...)."""

from collections import Counter
from dataclasses import dataclass

import torch
from torch import nn

from .frozen import as_call, frozen_forward

NORMALISATION = tuple(t for name, t in vars(nn).items() if name.endswith("Norm") or "BatchNorm" in name or "InstanceNorm" in name
                      or name == "LocalResponseNorm")
EMBEDDING = (nn.Embedding, nn.EmbeddingBag)
POOLING = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)


@dataclass(frozen=True)
class Output:
    """One output of one layer: `key` = (module name, number of the call), and `x` (n, ...) or the `reason` there is none."""

    key: tuple
    type: str
    shape: tuple | None = None
    x: torch.Tensor | None = None
    reason: str = ""
    default: bool = True  # whether the layer is one of those taken by default


def selected(model):
    """{name: module} of the layers taken by default: what the paper calls layers with tunable weights (section 3).

    Leaf modules that own a parameter of two or more dimensions (Linear, Conv, recurrent layers, Hugging Face's Conv1D),
    never normalisation or embeddings, plus adaptive average pooling as in the released code. nn.MultiheadAttention
    counts as a leaf, because it never calls the Linear inside it.

    >>> list(selected(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 1))))
    ['0', '3']
    """
    chosen, inside = {}, set()
    for name, module in model.named_modules():
        if module in inside:
            continue
        attention = isinstance(module, nn.MultiheadAttention)
        if attention:
            inside.update(module.modules())
        if not attention and (any(True for _ in module.children()) or isinstance(module, NORMALISATION + EMBEDDING)):
            continue
        if isinstance(module, POOLING) or any(p.ndim >= 2 for p in module.parameters(recurse=False)):
            chosen[name] = module
    return chosen


def listened(model, names=(), *, default=True):
    """{name: module} of the default layers, unless told otherwise, and of those of `names` that exist.

    >>> list(listened(nn.Sequential(nn.Linear(1, 1), nn.ReLU()), ["1", "none"]))
    ['0', '1']
    """
    named = {name: module for name, module in model.named_modules() if name}
    return (selected(model) if default else {}) | {name: named[name] for name in names if name in named}


def first_tensor(output):
    """The first floating-point tensor in a layer's output: a tensor, tuple, dict, or an object with fields; or None.

    >>> first_tensor((torch.ones(1), torch.zeros(2)))
    tensor([1.])
    """
    if isinstance(output, torch.Tensor):
        return output if output.is_floating_point() else None
    if isinstance(output, dict):
        output = output.values()
    elif not isinstance(output, (tuple, list)):
        output = vars(output).values() if hasattr(output, "__dict__") else ()
    return next((t for t in map(first_tensor, output) if t is not None), None)


def examples(x, n, *, batch_dim=0):
    """View a layer's output as examples (n, ...), or say why that cannot be: returns (tensor or None, reason).

    The batch axis is `batch_dim` if it has size n; otherwise a leading axis that is a multiple of n, as where a network
    folds tokens or windows into the batch, is unfolded to (n, ...).

    >>> examples(torch.zeros(6, 4), 2)[0].shape
    torch.Size([2, 3, 4])
    """
    if x is None:
        return None, "no floating-point tensor in its output"
    if x.ndim > batch_dim and x.shape[batch_dim] == n:
        x = x.movedim(batch_dim, 0)
    elif x.ndim and x.shape[0] and x.shape[0] % n == 0:
        x = x.reshape(n, x.shape[0] // n, *x.shape[1:]) if x.shape[0] > n else x
    else:
        return None, f"output {tuple(x.shape)} has no batch axis of n = {n} examples"
    return (x, "") if x.numel() else (None, f"output {tuple(x.shape)} is empty")


def as_output(key, module, x, n, *, batch_dim=0, default=True):
    """An Output from what a layer put out: its first tensor `x`, or None.

    >>> as_output(("fc", 0), nn.Linear(1, 2), torch.zeros(3, 2), 4).reason
    'output (3, 2) has no batch axis of n = 4 examples'
    """
    shape = None if x is None else tuple(x.shape)
    x, reason = examples(x, n, batch_dim=batch_dim)
    return Output(key, type(module).__name__, shape, x, reason, default)


def batch_size(args, kwargs, batch_dim=0):
    """The number of examples n in a forward's arguments: the size of `batch_dim` in their first tensor.

    >>> batch_size((), {"ids": torch.zeros(7, 2)})
    7
    """
    for value in (*args, *kwargs.values()):
        if isinstance(value, dict):
            value = tuple(value.values())
        if isinstance(value, (tuple, list)):
            value = next((v for v in value if isinstance(v, torch.Tensor)), None)
        if isinstance(value, torch.Tensor) and value.ndim > batch_dim:
            return value.shape[batch_dim]
    raise ValueError(f"no tensor with a batch axis (batch_dim={batch_dim}) among the {len(args)} arguments and keywords {list(kwargs)}")


def display(keys):
    """{key: name}: `fc` for a layer called once in a forward, `fc[0]`, `fc[1]` for one called several times.

    >>> list(display([("fc", 0), ("out", 0), ("fc", 1)]).values())
    ['fc[0]', 'out', 'fc[1]']
    """
    calls = Counter(name for name, _ in keys)
    return {key: key[0] if calls[key[0]] == 1 else f"{key[0]}[{key[1]}]" for key in keys}


def watch(modules, visit):
    """Hook {name: module} so that `visit(key, module, output)` is called at each output; returns the hooks' handles."""
    calls = Counter()

    def hook(name):
        def run(module, args, output):
            calls[name] += 1
            visit((name, calls[name] - 1), module, output)
        return run

    return [module.register_forward_hook(hook(name)) for name, module in modules.items()]


def capture(model, sample, *, batch_dim=0, modules=None):
    """{layer: activations (n, ...)} of the default layers in execution order, the model run as in eval and left as found.

    `sample`: a tensor, a tuple of arguments or a dict of keywords.

    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> {name: tuple(x.shape) for name, x in capture(net, torch.zeros(5, 2)).items()}
    {'0': (5, 3), '2': (5, 1)}
    """
    outputs = [o for o in outputs_of(model, sample, batch_dim=batch_dim, modules=modules) if o.x is not None]
    names = display([o.key for o in outputs])
    return {names[o.key]: o.x for o in outputs}


def outputs_of(model, sample, *, batch_dim=0, modules=None):
    """List of Output, one for each call of a layer, copied so that a later in-place operation cannot change them."""
    args, kwargs = as_call(sample)
    n, default = batch_size(args, kwargs, batch_dim), selected(model)
    outputs = []

    def visit(key, module, output):
        x = first_tensor(output)
        x = None if x is None else x.detach().clone()
        outputs.append(as_output(key, module, x, n, batch_dim=batch_dim, default=key[0] in default))

    handles = watch(default if modules is None else modules, visit)
    try:
        frozen_forward(model, args, kwargs)
    finally:
        for handle in handles:
            handle.remove()
    return outputs


def layers(model, sample, *, batch_dim=0):
    """Table of a network's leaf layers: name, type, output shape, features an example, calls, selected, reason.

    One row for each call, in execution order, then the layers that did not run. `selected` are those that guidance takes
    by default; `reason` says why a layer is not. Operations that are functions, such as F.relu, are not modules and do not show.

    >>> layers(nn.Sequential(nn.Linear(2, 3), nn.ReLU()), torch.zeros(5, 2))[["name", "output", "features", "selected"]]
      name  output  features  selected
    0    0  (5, 3)         3      True
    1    1  (5, 3)         3     False
    """
    import pandas as pd

    default = selected(model)
    leaves = {name: m for name, m in model.named_modules() if name in default or not any(True for _ in m.children())}
    outputs = outputs_of(model, sample, batch_dim=batch_dim, modules=leaves)
    names, calls = display([o.key for o in outputs]), Counter(o.key[0] for o in outputs)
    rows = []
    for o in outputs:
        reason = o.reason if o.key[0] in default else _kind(leaves[o.key[0]])
        rows.append({"name": names[o.key], "type": o.type, "output": o.shape, "features": 0 if o.x is None else o.x[0].numel(),
                     "calls": calls[o.key[0]], "selected": not reason, "reason": reason})
    for name in [name for name in leaves if not calls[name]]:
        rows.append({"name": name, "type": type(leaves[name]).__name__, "output": None, "features": 0, "calls": 0,
                     "selected": False, "reason": "did not run"})
    return pd.DataFrame(rows)


def _kind(module):
    if isinstance(module, NORMALISATION):
        return "normalisation"
    if isinstance(module, EMBEDDING):
        return "embedding"
    return "no weight matrix"
