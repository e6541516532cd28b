"""Which guide layer steers which target layer."""

from fnmatch import fnmatchcase

MATCHES = ("depth", "reference")


def by_depth(guide_layers, target_layers):
    """Pairs (target index, guide index) that spread the guide's layers evenly over the target's (paper, algorithm 1).

    Guide layer i of l steers target layer min(round(i (t - 1) / (l - 1)), t - 1), halves rounded to even.

    >>> by_depth(3, 5)
    [(0, 0), (2, 1), (4, 2)]
    >>> by_depth(5, 2)
    [(0, 0), (0, 1), (0, 2), (1, 3), (1, 4)]
    """
    step = (target_layers - 1) / (guide_layers - 1) if guide_layers > 1 else 1
    return [(min(round(i * step), target_layers - 1), i) for i in range(guide_layers)]


def last_wins(pairs):
    """Keep one guide layer for each target layer, the last: what the released code does where several meet.

    >>> last_wins(by_depth(5, 2))
    [(0, 2), (1, 4)]
    """
    return list(dict(pairs).items())


def pair(target_names, guide_names, *, match="depth"):
    """Pairs (target name, guide name) of two lists of layers in execution order.

    match="depth" is the paper's rule, several guide layers on one target layer all counting; "reference" the released code's.

    >>> pair(["a", "b"], ["x", "y", "z"])
    [('a', 'x'), ('a', 'y'), ('b', 'z')]
    """
    pairs = by_depth(len(guide_names), len(target_names))
    if match == "reference":
        pairs = last_wins(pairs)
    return [(target_names[i], guide_names[j]) for i, j in pairs]


def pair_named(layers, target, guide, *, match="depth"):
    """Pairs (target name, guide name) for what a user asked: {target glob: guide glob} or [(target name, guide name)].

    `target` and `guide` are dicts {layer that ran: is it taken by default}. An exact name finds any layer, a glob only
    those taken by default; the lists that a pair of globs finds are paired by `match`. A name or glob that finds nothing is a ValueError.

    >>> pair_named({"fc*": "conv"}, {"fc1": True, "fc2": True}, {"conv": True})
    [('fc1', 'conv')]
    """
    asked = layers.items() if isinstance(layers, dict) else layers
    pairs = []
    for left, right in asked:
        pairs += pair(find(left, target, "target"), find(right, guide, "guide"), match=match)
    return pairs


def find(pattern, names, side):
    """The layers that an exact name or a glob stands for, in execution order.

    >>> find("fc", {"fc[0]": True, "fc[1]": True, "norm": False}, "target")
    ['fc[0]', 'fc[1]']
    """
    exact = [name for name in names if name == pattern or name.rpartition("[")[0] == pattern]
    found = exact or [name for name, default in names.items() if default and fnmatchcase(name, pattern)]
    if not found:
        raise ValueError(f"no {side} layer that ran matches {pattern!r}; the layers are {list(names)}")
    return found
