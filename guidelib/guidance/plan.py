"""Who is paired with whom, what it costs, and why the others have no part: the table behind Guidance.plan()."""

from .activations import display
from .pairing import pair, pair_named
from .samples import sample_shape


class Side:
    """The layers of one network in one forward: Outputs without their features, under the names that a reader sees.

    drops_last: the last default layer holds the logits and is not offered. absent: layers that were listened to, but did not run.
    """

    def __init__(self, role, outputs, *, drops_last=True, absent=()):
        self.role, self.outputs, self.absent = role, outputs, list(absent)
        self.names = display([o.key for o in outputs])  # {key: name}
        self.keys = {name: key for key, name in self.names.items()}
        usable = [o for o in outputs if not o.reason]
        defaults = [self.names[o.key] for o in usable if o.default]
        self.logits = defaults[-1:] if drops_last else []
        self.defaults = defaults[:-1] if drops_last else defaults
        self.offered = {self.names[o.key]: self.names[o.key] in self.defaults for o in usable}

    def reasons(self, paired):
        """{name: why it has no part} of all layers that are not `paired`."""
        rest = {self.names[o.key]: o.reason for o in self.outputs if self.names[o.key] not in paired}
        reasons = {name: reason or ("last layer (logits)" if name in self.logits else "not paired") for name, reason in rest.items()}
        return reasons | {name: "did not run" for name in self.absent}


def pair_sides(target, guide, *, layers=None, match="depth"):
    """Pairs (target name, guide name) for the two sides; a ValueError that lists the layers if there is nothing to pair."""
    if layers is not None:
        return pair_named(layers, target.offered, guide.offered, match=match)
    for side in (target, guide):
        if not side.defaults:
            raise ValueError(f"the {side.role} has no layer to align besides its last: {side.reasons(()) or 'it has no layers with weights'}; "
                             "gl.layers(model, sample) shows them all, layers={target: guide} takes others")
    return pair(target.defaults, guide.defaults, match=match)


def plan_rows(pairs, target, guide, call, *, samples):
    """Rows of the plan: one a pair, then one a layer without a part.

    n counts samples, which are examples unless told otherwise. Cost of a pair with p and q features: forward Gram matrices and the one product of the backward, 2 n^2 (2 p + q) operations;
    at best its features are touched 4 p + q times n.
    """
    by_name = [{side.names[o.key]: o for o in side.outputs} for side in (target, guide)]
    rows = []
    for left, right in pairs:
        sizes = [_size(by_name[i][name], call, samples) for i, name in enumerate((left, right))]
        (n, p), (_, q) = sizes
        rows.append({"target": left, "guide": right, "n": n, "target_features": p, "guide_features": q,
                     "gflop": 2 * n**2 * (2 * p + q) / 1e9, "traffic_mb": 4 * n * (4 * p + q) / 1e6, "reason": ""})
    for i, side in enumerate((target, guide)):
        for name, reason in side.reasons({p[i] for p in pairs}).items():
            rows.append({"target": name if i == 0 else "", "guide": name if i == 1 else "", "n": call.n, "target_features": 0,
                         "guide_features": 0, "gflop": 0.0, "traffic_mb": 0.0, "reason": reason})
    return rows


def _size(output, call, samples):
    shape = list(output.shape)
    if len(shape) > call.batch_dim and shape[call.batch_dim] == call.n:
        shape.insert(0, shape.pop(call.batch_dim))
    return sample_shape(tuple(shape), output.type, call.n, samples=samples)
