"""Adds to by_hand.py: pairs that a user names, and for every other layer why it has no part."""

import re
from fnmatch import fnmatchcase

from .activations import display

LOGITS = "last layer (logits)"  # why a layer has no part
MATCHES = ("depth", "reference", "neighbours")
ENDS = re.compile(r"(first|last)-([1-9]\d*)")


def by_depth(guide_layers, target_layers):
    """Pairs (target index, guide index), the guide's spread evenly over the target's (paper, algorithm 1).

    Guide layer i of l steers target layer min(round(i (t - 1) / (l - 1)), t - 1), halves rounded to even.

    >>> by_depth(3, 5)
    [(0, 0), (2, 1), (4, 2)]
    >>> by_depth(5, 2)
    [(0, 0), (0, 1), (0, 2), (1, 3), (1, 4)]
    """
    step = (target_layers - 1) / (guide_layers - 1) if guide_layers > 1 else 1
    return [(min(round(i * step), target_layers - 1), i) for i in range(guide_layers)]


def last_wins(pairs):
    """Keep one guide layer for each target layer, the last: what the released code does."""
    return list(dict(pairs).items())


def with_neighbours(pairs, guide_layers):
    """Each pair, and the same target layer with the guide's layers right before and after (paper, table 5).

    >>> with_neighbours([(0, 0), (4, 1)], 3)
    [(0, 0), (0, 1), (4, 0), (4, 1), (4, 2)]
    """
    near = [(t, j) for t, i in pairs for j in (i - 1, i, i + 1) if 0 <= j < guide_layers]
    return list(dict.fromkeys(near))


def pair(target_names, guide_names, *, match="depth"):
    """Pairs (target name, guide name) of two lists of layers in execution order, by one of MATCHES."""
    pairs = by_depth(len(guide_names), len(target_names))
    if match == "reference":
        pairs = last_wins(pairs)
    if match == "neighbours":
        pairs = with_neighbours(pairs, len(guide_names))
    return [(target_names[i], guide_names[j]) for i, j in pairs]


def find(pattern, offered, role, *, reasons=()):
    """The layers that a name or a glob stands for, in order; offered: {layer: is it default}.

    An exact name finds any layer, a glob only those taken by default. ValueError for one that finds nothing;
    reasons: {layer: why it is not offered}, to say so.
    """
    exact = [name for name in offered if pattern in (name, name.rpartition("[")[0] or name)]
    found = exact or [name for name, default in offered.items() if default and fnmatchcase(name, pattern)]
    if not found:
        why = "".join(f"; {name}: {reason}" for name, reason in dict(reasons).items()
                      if name == pattern or fnmatchcase(name, pattern))
        hint = ""
        if set(pattern) & set("[*?"):
            hint = " (a glob finds these alone; a block that holds layers is found by its whole name)"
        raise ValueError(f"no {role} layer that ran matches {pattern!r}{why}; the layers are {list(offered)}"
                         f"{hint}")
    return found


def pair_named(layers, target, guide, *, match="depth", reasons=((), ())):
    """Pairs for {target glob: guide glob} or [(target name, guide name)]; target, guide: what each offers.

    reasons: for each side why layers are not offered.

    >>> pair_named({"fc*": "conv"}, {"fc1": True, "fc2": True}, {"conv": True})
    [('fc1', 'conv')]
    """
    pairs = []
    for left, right in layers.items() if isinstance(layers, dict) else layers:
        found = (find(left, target, "target", reasons=reasons[0]),
                 find(right, guide, "guide", reasons=reasons[1]))
        pairs += pair(*found, match=match)
    return pairs


class Side:
    """The layers of one network in one forward: Outputs without features, under the names that a reader sees.

    drops_last: the last default layer holds the logits and is not offered. absent: layers listened to that
    did not run. An output that has no features is not offered either.
    """

    def __init__(self, role, outputs, *, drops_last=True, absent=()):
        self.role = role
        self.outputs = [o.hollow() for o in outputs]
        self.absent = list(absent)
        self.names = display([o.key for o in outputs])  # {key: name}
        self.keys = {name: (name, 0) for name in absent} | {name: key for key, name in self.names.items()}
        usable = {self.names[o.key]: o.default for o in outputs if not o.reason}
        defaults = [name for name, default in usable.items() if default]
        self.logits = defaults[-1:] if drops_last else []
        self.defaults = [name for name in defaults if name not in self.logits]
        self.offered = {name: name in self.defaults for name in usable}  # whether a glob finds it

    def reasons(self, paired=()):
        """{name: why it has no part} of all layers that are not `paired`."""
        reasons = {}
        for o in self.outputs:
            name = self.names[o.key]
            if name not in paired:
                reasons[name] = o.reason or (LOGITS if name in self.logits else "not paired")
        return reasons | dict.fromkeys(self.absent, "did not run")


def pair_sides(target, guide, *, layers=None, match="depth"):
    """Pairs (target name, guide name) of two Sides; a ValueError that lists the layers if there are none."""
    if layers is not None and not isinstance(layers, str):
        late = dict.fromkeys(target.absent, False)  # a layer that is named may run for the first time later
        return pair_named(layers, late | target.offered, guide.offered, match=match,
                          reasons=(target.reasons(), guide.reasons()))
    for side in (target, guide):
        if not side.defaults:
            found = side.reasons() or "it has no layers with weights"
            raise ValueError(f"the {side.role} has no layer to align besides its last: {found}; "
                             "gl.layers(model, sample) shows them all, layers={target: guide} takes others")
    pairs = pair(target.defaults, guide.defaults, match=match)
    if layers is None:
        return pairs
    end, count = ENDS.fullmatch(layers).groups()
    return pairs[:int(count)] if end == "first" else pairs[-int(count):]


def asked(layers, side):
    """The names that a user gave in `layers` for the target's side (0) or the guide's (1)."""
    if layers is None or isinstance(layers, str):
        return []
    names = [pair[side] for pair in (layers.items() if isinstance(layers, dict) else layers)]
    return names + [name.rpartition("[")[0] for name in names if name.endswith("]")]
