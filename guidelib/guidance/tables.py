"""Every table of the core: the layers of a network, the plan of the pairs, and the report of a step."""

from collections import Counter

import pandas as pd
import torch

from ..similarity import CKA, CKA_DEBIASED, Factored, double_centre, participation_ratio
from .activations import EMBEDDING, NORMALISATION, display, is_leaf, owns_matrix, selected
from .calls import Call
from .frozen import as_call
from .hooks import outputs_of
from .pairing import LOGITS, Side
from .samples import sample_shape


def layers(model, sample, *, batch_dim=0, batch_size=None):
    """Table of a network's leaf layers: name, type, output shape, features, calls, selected, reason.

    One row for each call, in execution order, then the layers that did not run. `selected` are those that
    guidance takes by default, all that own a weight matrix but the last, which holds the logits; `reason`
    says why a layer is not. Of several heads only the last to run counts as one: `layers` of gl.guide leaves
    the others out. Modules that own weights beside their parts are listed too. Operations that are functions,
    such as F.relu, do not show. batch_dim, batch_size as in gl.guide.

    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> layers(net, torch.zeros(5, 2))[["name", "output", "reason"]].values.tolist()
    [['0', (5, 3), ''], ['1', (5, 3), 'no weight matrix'], ['2', (5, 2), 'last layer (logits)']]
    """
    default = selected(model)
    inside = {part for module in default.values() for part in module.modules()}
    leaves = {name: module for name, module in model.named_modules() if name in default
              or name and module not in inside and (is_leaf(module) or owns_matrix(module))}
    outputs = outputs_of(model, Call(*as_call(sample), batch_dim, batch_size), modules=leaves)
    names, calls = display([o.key for o in outputs]), Counter(name for name, _ in (o.key for o in outputs))
    logits = Side("model", outputs).logits
    rows = []
    for o in outputs:
        name = o.key[0]
        reason = o.reason if o.default else why_not(leaves[name])
        if names[o.key] in logits:
            reason = LOGITS
        features = 0 if o.x is None else o.x[0].numel()
        rows.append((names[o.key], o.type, o.shape, features, calls[name], not reason, reason))
    silent = {name: type(module).__name__ for name, module in leaves.items() if not calls[name]}
    rows += [(name, kind, None, 0, 0, False, "did not run") for name, kind in silent.items()]
    return pd.DataFrame(rows, columns=["name", "type", "output", "features", "calls", "selected", "reason"])


def why_not(module):
    """Why a module that ran is no default layer."""
    if isinstance(module, NORMALISATION):
        return "normalisation"
    if isinstance(module, EMBEDDING):
        return "embedding"
    return "no weight matrix" if is_leaf(module) else "owns weights beside its parts, name it in layers="


def plan(pairs, target, guide, call, *, factored=False, **options):
    """One row a pair of names, then one a layer of the two Sides without a part; n counts samples.

    factored: whether features of many tokens take the place of Gram matrices. options: those of as_samples.

    Cost of a pair with p and q features: its forward Gram matrices and the one product of the backward, 2 n^2
    (2 p + q) operations; at best its features are touched 4 p + q times n. Of two that are Factored: products
    of features, 2 n (3 p^2 + 2 p q + q^2), which touch them 4 p + 2 q times.
    """
    found = [{side.names[o.key]: o for o in side.outputs} for side in (target, guide)]
    rows = []
    for left, right in pairs:
        n, p = sample_shape(found[0].get(left), **options)
        m, q = sample_shape(found[1].get(right), **options)
        n, reason = max(n, m), "" if n and m else "a layer of it did not run yet"
        products, touched = 2 * n**2 * (2 * p + q), 4 * n * (4 * p + q)
        if factored and options["samples"] == "tokens" and n >= max(p, q):
            products, touched = 2 * n * (3 * p**2 + 2 * p * q + q**2), 4 * n * (4 * p + 2 * q)
        rows.append((left, right, n, p, q, products / 1e9, touched / 1e6, reason))
    for i, side in enumerate((target, guide)):
        for name, reason in side.reasons([pair[i] for pair in pairs]).items():
            rows.append((*((name, ""), ("", name))[i], call.n, 0, 0, 0.0, 0.0, reason))
    columns = ["target", "guide", "n", "target_features", "guide_features", "gflop", "traffic_mb", "reason"]
    return pd.DataFrame(rows, columns=columns)


def report(names, grams, misalignment):
    """One row a pair: names [(target, guide)], [(K, L)] of Gram matrices (pairs, n, n), misalignment."""
    table = pd.DataFrame(names, columns=["target", "guide"])
    measured = pd.concat([measures(k, l) for k, l in grams], ignore_index=True)
    table = table.assign(n=measured.pop("n"), misalignment=misalignment.cpu().double().numpy())
    return pd.concat([table, measured], axis=1)


def with_dropped(table, dropped):
    """The report with a row for each pair of {(target, guide): how often it was dropped}, in that order."""
    order = pd.DataFrame([(*names, count) for names, count in dropped.items()],
                         columns=["target", "guide", "dropped"])
    whole = order.merge(table, on=["target", "guide"], how="left")
    return whole.assign(n=whole["n"].fillna(0).astype(int))[[*table.columns, "dropped"]]


def measures(k, l):
    """Table of n, both CKAs, chance and participation ratios, for stacks of Gram matrices (pairs, n, n).

    Or for two that are Factored, of one pair.
    """
    n = k.shape[-1]
    if isinstance(k, Factored) and isinstance(l, Factored):
        pr_target, pr_guide = (participation_ratio(side.covariance())[None] for side in (k, l))
        debiased = 1 - CKA_DEBIASED.factored(k, l) if n >= CKA_DEBIASED.least else pr_target * torch.nan
        return measured(n, 1 - CKA.factored(k, l), debiased, pr_target, pr_guide)
    centred, centred_guide = double_centre(k), double_centre(l)
    pr_target, pr_guide = participation_ratio(centred), participation_ratio(centred_guide)
    debiased = CKA_DEBIASED.value(k, l) if n >= CKA_DEBIASED.least else torch.full_like(pr_target, torch.nan)
    return measured(n, CKA.value(centred, centred_guide), debiased, pr_target, pr_guide)


def measured(n, cka, debiased, pr_target, pr_guide):
    """The columns of measures(), each (pairs,)."""
    chance = (pr_target * pr_guide).sqrt() / (n - 1)
    columns = {"cka": cka, "cka_debiased": debiased, "chance": chance, "pr_target": pr_target,
               "pr_guide": pr_guide}
    return pd.DataFrame({"n": n} | {name: column.cpu().double().numpy() for name, column in columns.items()})
