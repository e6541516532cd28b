"""Guidance: the misalignment of a target's layers to a guide's, as a term of whatever loss the target is trained with."""

from collections import Counter
from dataclasses import replace
from itertools import groupby

import torch
from torch import nn

from .. import similarity as similarities
from ..similarity import CKA, CKA_DEBIASED, double_centre
from ..similarity._base import same_type
from .activations import listened, outputs_of, selected
from .frozen import as_call
from .guides import Call, as_guide, unwrap
from .pairing import MATCHES
from .plan import Side, pair_sides, plan_rows
from .samples import SAMPLES, as_samples
from .term import Handle

REDUCTIONS = {"sum": torch.sum, "mean": torch.mean}


def guide(target, guide, *, layers=None, match="depth", similarity="cka", debiased=False, reduce="sum", weight=1.0,
          stop_after=None, samples="batch", batch_dim=0):
    """Align a target, layer by layer, to a frozen guide: returns a Guidance whose loss() is added to the task's loss.

    The paper's method, section 3: the sum over layer pairs of 1 - CKA, on the same batch. Use as a context manager, or
    call remove() at the end. `guide` is a torch.nn.Module, a gl.Guide or one of gl.controls.

    layers: None for the default layers of both, {target glob: guide glob}, or [(target name, guide name), ...].
    match: "depth", the paper's rule, or "reference", the released code's. similarity: "cka", "sp" or a gl.similarity.Similarity.
    reduce: "sum" or "mean" over pairs. weight: a number or a callable of the step; 0 skips the guide. stop_after: steps, after
    which the hooks are off. samples: "batch", each example with all its features; "tokens", each place of an example, such as a
    token or a pixel, which needs as many on both sides; "pool", the mean over places. batch_dim: the axis of the examples.
    ValueError or TypeError for options that make no sense, a compiled target, or a guide that shares parameters with the target.

    >>> target, net = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)), nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2))
    >>> x = torch.eye(3).repeat(2, 1)
    >>> with guide(target, net) as g:
    ...     loss = target(x).square().mean() + g.loss()
    ...     g.plan()[["target", "guide", "reason"]]
      target guide               reason
    0      0     0                     
    1      1        last layer (logits)
    2            1  last layer (logits)
    """
    return Guidance(target, guide, layers=layers, match=match, similarity=similarity, debiased=debiased, reduce=reduce, weight=weight,
                    stop_after=stop_after, samples=samples, batch_dim=batch_dim)


class Guidance(Handle):
    """What guide() returns: loss() once after each forward of the target; plan() and report() are tables."""

    maker = "gl.guide(target, guide)"

    def __init__(self, target, guide, *, layers, match, similarity, debiased, reduce, weight, stop_after, samples, batch_dim):
        _check_target(target)
        _check_options(layers, match, reduce, weight, stop_after, samples)
        target, self.guide = unwrap(target), as_guide(guide)
        self.similarity = similarities.find(similarity, debiased=debiased)
        self.guide.check(self.similarity)
        _check_apart(target, self.guide)
        self.layers, self.match, self.reduce, self.samples, self.dropped = layers, match, reduce, samples, Counter()
        self.pairs, self._sides, self._rows, self._last = None, None, [], None
        super().__init__(target, modules=listened(target, self._asked(0)), default=selected(target), weight=weight, stop_after=stop_after,
                         batch_dim=batch_dim)

    def __repr__(self):
        pairs = "not paired yet" if self.pairs is None else f"{len(self.pairs)} pairs"
        return f"Guidance({type(self.target).__name__} <- {self.guide!r}, {self.similarity.name}, {pairs}, step {self.step})"

    def plan(self, sample=None):
        """Table of the layer pairs, then of the layers that have no part and why: names, n, features, cost of a step.

        gflop is what the pair's Gram matrices and their gradient cost, traffic_mb what they read and write in memory.
        Needs a forward of the target, or `sample`: a tensor, a tuple of arguments or a dict of keywords, on which both networks
        are run as in eval, left as found. RuntimeError without either.
        """
        import pandas as pd

        if sample is not None:
            modules = listened(self.target, self._asked(0))
            self._resolve(Call(*as_call(sample), self.batch_dim), outputs_of(self.target, sample, batch_dim=self.batch_dim, modules=modules))
        elif self.pairs is None:
            if self.recorder.forwards != 1:
                raise RuntimeError("plan() does not know the layers yet: run the target once, or pass plan(sample=batch)")
            self._resolve(*self.recorder.take())
        return pd.DataFrame(self._rows)

    def report(self):
        """Table of the last loss(), one row a pair: misalignment, biased and debiased CKA, chance, participation ratios.

        chance is the mean biased CKA if the guide's examples are permuted, sqrt(pr_target pr_guide) / (n - 1); that of the debiased
        form is 0. The participation ratio tr(K)^2 / |K|^2 counts the dimensions that the n examples spread over, at most n - 1.
        dropped counts the steps in which a layer of the pair did not run. All of it is about the Gram matrices of the similarity in use:
        those of "rsa" are of examples scaled to length one, those of "ridge" of projected features where there are many.
        """
        import pandas as pd

        if self._last is None:
            raise RuntimeError("report() is about the last loss(), and there was none yet")
        pairs, grams, misalignment = self._last
        names = pd.DataFrame([self._names(p) for p in pairs], columns=["target", "guide"])
        measures = pd.concat([pd.DataFrame(_measures(k, l)) for k, l in grams], ignore_index=True)
        table = pd.concat([names, measures[["n"]], measures.drop(columns="n")], axis=1)
        table.insert(3, "misalignment", misalignment.double().cpu().numpy())
        return table.assign(dropped=[self.dropped[p] for p in pairs])

    def misalignments(self):
        """{"target <- guide": misalignment} of the last loss(), 0-dim tensors without gradient."""
        pairs, _, misalignment = self._last or ((), None, ())
        return {" <- ".join(self._names(p)): m for p, m in zip(pairs, misalignment, strict=True)}

    def state_dict(self):
        """The step, the counts and the guide's random streams, for a checkpoint."""
        dropped = [[*map(list, pair), count] for pair, count in self.dropped.items()]
        return super().state_dict() | {"dropped": dropped, "guide": self.guide.state_dict()}

    def load_state_dict(self, state):
        self.dropped = Counter({(tuple(target), tuple(guide)): count for target, guide, count in state["dropped"]})
        self.guide.load_state_dict(state["guide"])
        super().load_state_dict(state)

    # How a step is made

    def _asked(self, side):
        """The names that a user gave for the target's side (0) or the guide's (1): layers that are not default ones among them."""
        asked = self.layers.items() if isinstance(self.layers, dict) else self.layers or ()
        names = [p[side] for p in asked]
        return names + [name.rpartition("[")[0] for name in names if name.endswith("]")]

    def _term(self, call, outputs):
        """The misalignments of a step, reduced over the pairs."""
        if call.n < self.similarity.least:
            raise ValueError(f"{self.similarity.name} needs n >= {self.similarity.least} examples, the target received n = {call.n}: "
                             "use a larger batch, or leave out the last, ragged one (drop_last=True)")
        if self.pairs is None:
            guide_grams = self._resolve(call, outputs)
        else:
            guide_grams, _ = self._run_guide(call, keys={key for _, key in self.pairs})
        found = {o.key: o.x for o in outputs if o.x is not None}
        pairs = [p for p in self.pairs if p[0] in found and p[1] in guide_grams]
        self.dropped.update(p for p in self.pairs if p not in pairs)
        if not pairs:
            return torch.zeros((), device=call.device)
        kinds = {o.key: o.type for o in outputs}
        target_grams = {key: self._gram(found[key], kinds[key]) for key in dict(pairs)}
        grams = self._stacks(pairs, target_grams, guide_grams)  # [(k, l)], each (pairs, n, n)
        misalignment = torch.cat([self.similarity.misalignment(k, l) for k, l in grams])  # (pairs,)
        self._last = (pairs, [(k.detach(), l) for k, l in grams], misalignment.detach())
        return REDUCTIONS[self.reduce](misalignment)

    def _gram(self, x, kind):
        return self.similarity.gram(as_samples(x, kind, samples=self.samples))

    def _stacks(self, pairs, target_grams, guide_grams):
        """Gram matrices of consecutive pairs with as many samples, as stacks: all of them in one, unless samples are tokens."""
        for pair in pairs:
            sizes = target_grams[pair[0]].shape[-1], guide_grams[pair[1]].shape[-1]
            if sizes[0] != sizes[1]:
                raise ValueError("samples='tokens' compares place by place, but {} has {} of them in this batch and {} has {}: pair layers with as "
                                 "many, or use samples='pool'".format(*(v for named in zip(self._names(pair), sizes, strict=True) for v in named)))
        stacks = []
        for _, group in groupby(pairs, key=lambda pair: target_grams[pair[0]].shape[-1]):
            group = list(group)
            stacks.append(same_type(torch.stack([target_grams[t] for t, _ in group]), torch.stack([guide_grams[g] for _, g in group])))
        return stacks

    def _run_guide(self, call, keys=None):
        """Run the guide: {key: Gram matrix (n, n)}, each made as its layer comes, and the Outputs without their features."""
        grams, outputs, newest = {}, [], (None, None)

        def visit(o):
            nonlocal newest
            if o.x is not None:
                if o.x is not newest[0]:  # controls show one and the same tensor for every layer
                    newest = (o.x, self._gram(o.x.detach(), o.type))
                grams[o.key] = newest[1]
            outputs.append(replace(o, x=None))

        self.guide.run(call, visit, keys=keys, also=self._asked(1))
        return grams, outputs

    def _resolve(self, call, outputs):
        """Pair the layers of a first forward, and listen to no more than these from now on; returns the guide's Gram matrices."""
        ran = {o.key[0] for o in outputs}
        target = Side("target", [replace(o, x=None) for o in outputs], absent=[name for name in self.recorder.modules if name not in ran])
        call.target_layers = target.defaults
        grams, guide_outputs = self._run_guide(call)
        guide = Side("guide", guide_outputs, drops_last=self.guide.drops_last)
        names = self.guide.rearrange(pair_sides(target, guide, layers=self.layers, match=self.match))
        self.pairs = [(target.keys[t], guide.keys[g]) for t, g in names]
        self._sides, self._rows = (target, guide), plan_rows(names, target, guide, call, samples=self.samples)
        self.recorder.restrict({key[0] for key, _ in self.pairs})
        return grams

    def _names(self, pair):
        return tuple(side.names[key] for side, key in zip(self._sides, pair, strict=True))


def _measures(k, l):
    """Columns of the report for stacks of Gram matrices (pairs, n, n)."""
    n, pr_target, pr_guide = k.shape[-1], _participation(k), _participation(l)
    columns = {"n": torch.full_like(pr_target, n), "cka": CKA.value(double_centre(k), double_centre(l)),
               "cka_debiased": CKA_DEBIASED.value(k, l) if n >= CKA_DEBIASED.least else torch.full_like(pr_target, torch.nan),
               "chance": (pr_target * pr_guide).sqrt() / (n - 1), "pr_target": pr_target, "pr_guide": pr_guide}
    return {name: column.double().cpu().numpy() for name, column in columns.items()} | {"n": n}


def _participation(k):
    """tr(K)^2 / |K|^2 of Gram matrices (pairs, n, n), after centring; 0 where K is 0."""
    k = double_centre(k)
    trace, square = k.diagonal(dim1=-2, dim2=-1).sum(-1), k.square().sum((-2, -1))
    return torch.where(square == 0, torch.zeros_like(trace), trace.square() / square)


def _check_target(target):
    if not isinstance(target, nn.Module):
        raise TypeError(f"the target is a torch.nn.Module, received {type(target).__name__}")
    if isinstance(target, torch.jit.ScriptModule):
        raise TypeError("the target is a scripted module, which hooks cannot follow: pass the module it was made from")
    for name, module in target.named_modules():
        if type(module).__name__ == "OptimizedModule" or getattr(module, "_compiled_call_impl", None) is not None:
            raise ValueError(f"the target{' at ' + repr(name) if name else ''} is compiled already, and a compiled module ignores later hooks: "
                             "call gl.guide(target, guide) first and torch.compile(target) second")


def _check_options(layers, match, reduce, weight, stop_after, samples):
    if match not in MATCHES:
        raise ValueError(f"match is one of {MATCHES}, received {match!r}; to name layers yourself use layers={{target: guide}}")
    if reduce not in REDUCTIONS:
        raise ValueError(f"reduce is one of {tuple(REDUCTIONS)}, received {reduce!r}")
    if samples not in SAMPLES:
        raise ValueError(f"samples is one of {SAMPLES}, received {samples!r}")
    if not callable(weight) and not isinstance(weight, (int, float)):
        raise TypeError(f"weight is a number or a callable of the step, received {type(weight).__name__}")
    if stop_after is not None and (not isinstance(stop_after, int) or stop_after < 0):
        raise ValueError(f"stop_after is a number of steps, 0 or more, or None; received {stop_after!r}")
    asked = layers.items() if isinstance(layers, dict) else layers
    if layers is not None and (not isinstance(layers, (dict, list, tuple)) or not layers
                               or any(isinstance(p, str) or len(p) != 2 or not all(isinstance(name, str) for name in p) for p in asked)):
        raise ValueError(f"layers is {{target glob: guide glob}} or [(target name, guide name), ...], received {layers!r}")


def _check_apart(target, guide):
    own = {id(p) for p in target.parameters()}
    for net in guide.networks():
        if any(id(p) in own for p in net.parameters()):
            raise ValueError("the guide shares parameters with the target, so it would not stay frozen: pass copy.deepcopy(guide)")
