"""Adds to by_hand.py: the method's options, each Gram matrix made once, and all pairs compared at once."""

from collections import Counter
from dataclasses import replace
from itertools import groupby

import torch

from ..similarity import find, same_type
from . import tables
from .activations import listened
from .frozen import as_call
from .guides import as_guide
from .hooks import Call, outputs_of
from .pairing import ENDS, MATCHES, Side, asked, pair_sides
from .samples import SAMPLES, as_samples
from .term import Term

REDUCTIONS = {"sum": torch.sum, "mean": torch.mean}


def guide(target, guide, *, layers=None, match="depth", similarity="cka", debiased=False, reduce="sum",
          weight=1.0, stop_after=None, samples="batch", batch_dim=0):
    """Align a target, layer by layer, to a frozen guide: a Guidance, whose loss() is added to the task's.

    The paper's method, section 3: the sum over layer pairs of 1 - CKA, on the same batch. Use as a context
    manager, or call remove() at the end. `guide` is a torch.nn.Module, a gl.Guide or one of gl.controls.

    layers: None for the default layers of both, {target glob: guide glob}, [(target name, guide name), ...],
    or "first-K" or "last-K" of the default pairs (paper, table 5). match: "depth", the paper's rule, or
    "reference", the released code's. similarity: a name in gl.similarity.SIMILARITIES or a
    gl.similarity.Similarity; debiased: for "cka". reduce: "sum" or "mean" over pairs. weight: a number or a
    callable of the step; 0 skips the guide. stop_after: steps, after which the hooks are off. samples:
    "batch", each example with all its features; "tokens", each place of an example, such as a token or a
    pixel, which needs as many on both sides; "pool", the mean over places. batch_dim: the axis of the
    examples. ValueError or TypeError for options that make no sense, a compiled target, or a guide that
    shares parameters with the target.

    >>> target = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    >>> net = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2))
    >>> with guide(target, net) as g:
    ...     loss = target(torch.eye(3)).square().mean() + g.loss()
    ...     g.plan()[["target", "guide", "reason"]].values.tolist()
    [['0', '0', ''], ['1', '', 'last layer (logits)'], ['', '1', 'last layer (logits)']]
    """
    return Guidance(target, guide, layers=layers, match=match, similarity=similarity, debiased=debiased,
                    reduce=reduce, weight=weight, stop_after=stop_after, samples=samples, batch_dim=batch_dim)


class Guidance(Term):
    """What guide() returns: loss() once after each forward of the target; plan() and report() are tables."""

    maker = "gl.guide(target, guide)"

    def __init__(self, target, guide, *, layers, match, similarity, debiased, reduce, samples, **step):
        check_options(layers, match=match, reduce=reduce, samples=samples)
        super().__init__(target, asked=asked(layers, 0), **step)  # weight, stop_after, batch_dim
        self.guide, self.similarity = as_guide(guide), find(similarity, debiased=debiased)
        self.guide.check(self.similarity)
        own = {id(p) for p in self.target.parameters()}
        if any(id(p) in own for net in self.guide.networks() for p in net.parameters()):
            raise ValueError("the guide shares parameters with the target, so it would not stay frozen: "
                             "pass copy.deepcopy(guide)")
        self.layers, self.match, self.reduce, self.samples = layers, match, reduce, samples
        self.pairs, self.dropped = None, Counter()
        self._sides, self._plan, self._last = None, None, None
        self.arm()

    def __repr__(self):
        pairs = "not paired yet" if self.pairs is None else f"{len(self.pairs)} pairs"
        return (f"Guidance({type(self.target).__name__} <- {self.guide!r}, {self.similarity.name}, {pairs}, "
                f"step {self.step})")

    def plan(self, sample=None):
        """Table of the layer pairs, then of layers without a part and why: names, n, features, cost.

        gflop is what the pair's Gram matrices and their gradient cost, traffic_mb what they read and write in
        memory. Needs a forward of the target, or `sample`: a tensor, a tuple of arguments or a dict of
        keywords, on which both networks are run as in eval, left as found. RuntimeError without either.
        """
        if sample is not None:
            modules = listened(self.target, asked(self.layers, 0))
            outputs = outputs_of(self.target, sample, batch_dim=self.batch_dim, modules=modules)
            self._resolve(Call(*as_call(sample), self.batch_dim), outputs)
        elif self.pairs is None:
            if self.recorder.forwards != 1:
                raise RuntimeError("plan() does not know the layers yet: run the target once, or pass "
                                   "plan(sample=batch)")
            self._resolve(*self.recorder.take())
        return self._plan.copy()

    def prepare(self, sample):
        self.plan(sample)

    def report(self):
        """Table of the last loss(), one row a pair: misalignment, both CKAs, chance, participation ratios.

        chance is the mean biased CKA if the guide's examples are permuted, sqrt(pr_target pr_guide) / (n -
        1); that of the debiased form is 0. The participation ratio tr(K)^2 / |K|^2 counts the dimensions that
        the n examples spread over, at most n - 1. dropped counts the steps in which a layer of the pair did
        not run. All of it is about the Gram matrices of the similarity in use: those of "rsa" are of examples
        scaled to length one, those of "ridge" of projected features where there are many. RuntimeError before
        any loss().
        """
        if self._last is None:
            raise RuntimeError("report() is about the last loss(), and there was none yet")
        pairs, grams, misalignment = self._last
        names = [self._names(pair) for pair in pairs]
        return tables.report(names, grams, misalignment, [self.dropped[pair] for pair in pairs])

    @property
    def misalignment(self):
        """Misalignments of the last loss(), (pairs,) without gradient, or None if there was none."""
        return None if self._last is None else self._last[2]

    def misalignments(self):
        """{"target <- guide": misalignment} of the last loss(), 0-dim tensors without gradient."""
        if self._last is None:
            return {}
        names = [" <- ".join(self._names(pair)) for pair in self._last[0]]
        return dict(zip(names, self.misalignment, strict=True))

    def state_dict(self):
        """The step, the counts and the guide's random streams, for a checkpoint."""
        dropped = [[*map(list, pair), count] for pair, count in self.dropped.items()]
        return super().state_dict() | {"dropped": dropped, "guide": self.guide.state_dict()}

    def load_state_dict(self, state):
        self.dropped = Counter({(tuple(t), tuple(g)): count for t, g, count in state["dropped"]})
        self.guide.load_state_dict(state["guide"])
        super().load_state_dict(state)

    # How a step is made

    def _term(self, call, outputs):
        """The misalignments of a step, reduced over the pairs."""
        if call.n < self.similarity.least:
            least = self.similarity.least
            raise ValueError(f"{self.similarity.name} needs n >= {least} examples, the target received n = "
                             f"{call.n}: use a larger batch, or leave out the last one (drop_last=True)")
        if self.pairs is None:
            guide_grams = self._resolve(call, outputs)
        else:
            guide_grams, _ = self._run_guide(call, keys={key for _, key in self.pairs})
        found = {o.key: o for o in outputs if o.x is not None}
        pairs = [pair for pair in self.pairs if pair[0] in found and pair[1] in guide_grams]
        self.dropped.update(pair for pair in self.pairs if pair not in pairs)
        if not pairs:
            return torch.zeros((), device=call.device)
        grams = self._stacks(pairs, {key: self._gram(found[key]) for key in dict(pairs)}, guide_grams)
        misalignment = torch.cat([self.similarity.misalignment(k, l) for k, l in grams])  # (pairs,)
        self._last = (pairs, [(k.detach(), l) for k, l in grams], misalignment.detach())
        return REDUCTIONS[self.reduce](misalignment)

    def _gram(self, o):
        return self.similarity.gram(as_samples(o.x, o.type, samples=self.samples))

    def _stacks(self, pairs, target_grams, guide_grams):
        """[(K, L)], each (pairs, n, n), of pairs with as many samples: one, unless these are tokens."""
        stacks = []
        for n, group in groupby(pairs, key=lambda pair: target_grams[pair[0]].shape[-1]):
            group = list(group)
            for pair in group:
                if (m := guide_grams[pair[1]].shape[-1]) != n:
                    left, right = self._names(pair)
                    raise ValueError(f"samples='tokens' compares place by place, but {left} has {n} of them "
                                     f"in this batch and {right} has {m}: pair layers with as many, or use "
                                     "samples='pool'")
            k = torch.stack([target_grams[key] for key, _ in group])
            stacks.append(same_type(k, torch.stack([guide_grams[key] for _, key in group])))
        return stacks

    def _run_guide(self, call, keys=None):
        """Run the guide: {key: Gram matrix (n, n)}, each made as its layer comes, and the Outputs."""
        grams, outputs, newest = {}, [], (None, None)

        def visit(o):
            nonlocal newest
            if o.x is not None:
                if o.x is not newest[0]:  # controls show one and the same tensor for every layer
                    newest = (o.x, self._gram(replace(o, x=o.x.detach())))
                grams[o.key] = newest[1]
            outputs.append(replace(o, x=None))

        self.guide.run(call, visit, keys=keys, also=asked(self.layers, 1))
        return grams, outputs

    def _resolve(self, call, outputs):
        """Pair the layers of a first forward, and listen to no others; returns the guide's Gram matrices."""
        target = self.side(outputs)
        call.target_layers = target.defaults
        grams, outputs = self._run_guide(call)
        guide = Side("guide", outputs, drops_last=self.guide.drops_last)
        names = self.guide.rearrange(pair_sides(target, guide, layers=self.layers, match=self.match))
        self.pairs, self._sides = [(target.keys[t], guide.keys[g]) for t, g in names], (target, guide)
        self._plan = tables.plan(names, target, guide, call, samples=self.samples)
        self.recorder.restrict({name for (name, _), _ in self.pairs})
        return grams

    def _names(self, pair):
        return tuple(side.names[key] for side, key in zip(self._sides, pair, strict=True))


def check_options(layers, **options):
    """ValueError for a word that is none of its choices, or for `layers` of another form."""
    for name, value in options.items():
        choices = {"match": MATCHES, "reduce": tuple(REDUCTIONS), "samples": SAMPLES}[name]
        if value not in choices:
            raise ValueError(f"{name} is one of {choices}, received {value!r}")
    if isinstance(layers, str):
        right = ENDS.fullmatch(layers)
    else:
        pairs = list(layers.items()) if isinstance(layers, dict) else layers
        right = pairs is None or isinstance(pairs, (list, tuple)) and pairs and all(
            isinstance(pair, (list, tuple)) and len(pair) == 2 and all(isinstance(name, str) for name in pair)
            for pair in pairs)
    if not right:
        raise ValueError("layers is {target glob: guide glob}, [(target name, guide name), ...], "
                         f"'first-K' or 'last-K', received {layers!r}")
