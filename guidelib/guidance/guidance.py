"""Adds to by_hand.py: the method's options, each Gram matrix made once, and all pairs compared at once."""

import warnings
from collections import Counter
from dataclasses import replace
from functools import partial
from itertools import groupby

import torch

from ..similarity import Factored, find, traces, whole
from . import tables
from .activations import listened
from .axes import differ, readings
from .calls import Call
from .frozen import as_call
from .guides import as_guide
from .hooks import Listener, outputs_of
from .inputs import ignored, mask_of
from .options import REDUCTIONS, check_options
from .pairing import Side, asked, pair_sides
from .samples import as_samples
from .term import Term


def guide(target, guide, *, layers=None, match="depth", similarity="cka", debiased=False, reduce="sum",
          weight=1.0, stop_after=None, samples="batch", channels=None, mask=None, batch_dim=0,
          batch_size=None):
    """Align a target, layer by layer, to a frozen guide: a Guidance, whose loss() is added to the task's.

    The paper's method, section 3: the sum over layer pairs of 1 - CKA, on the same batch. Use as a context
    manager, or call remove() at the end. `guide` is a torch.nn.Module, a gl.Guide or one of gl.controls.

    layers: None for the default layers of both, {target glob: guide glob}, [(target name, guide name), ...],
    or "first-K" or "last-K" of the default pairs (paper, table 5). match: "depth", the paper's rule,
    "reference", the released code's, or "neighbours", each target layer with the guide's layers beside its
    own too. similarity: a name in gl.similarity.SIMILARITIES or a
    gl.similarity.Similarity; debiased: for "cka". reduce: "sum" or "mean" over pairs. weight: a number or a
    callable of the step; 0 skips the guide. stop_after: steps, after which the hooks are off. samples:
    "batch", each example with all its features; "tokens", each place of an example, such as a token or a
    pixel, which needs as many on both sides; "pool", the mean over places. channels: the axis that holds the
    features of a place, None to know it by the type of the layer. mask: which places of an example count, not
    padding: the keyword or number of an argument of the target, such as "attention_mask", or a
    callable(*args, **kwargs), (n, places); layers with other places are taken whole. batch_dim: the axis of
    the examples, or {layer glob: axis} for layers of the target, "*" for its inputs; where a shape leaves the
    axis of a layer in doubt it is found out, once, by two forwards in eval. batch_size: callable(*args,
    **kwargs) that returns n, where the inputs do not show it. In distributed training n is that of each
    process. ValueError or TypeError for options that make no sense, a compiled target, or a guide that shares
    parameters with the target; at the first loss(), for a guide none of whose layers varies over the
    examples.

    >>> target = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    >>> net = nn.Sequential(nn.Linear(4, 5), nn.Linear(5, 2))
    >>> with guide(target, net) as g:
    ...     loss = target(torch.eye(4)).square().mean() + g.loss()
    ...     g.plan()[["target", "guide", "reason"]].values.tolist()
    [['0', '0', ''], ['1', '', 'last layer (logits)'], ['', '1', 'last layer (logits)']]
    """
    return Guidance(target, guide, layers=layers, match=match, similarity=similarity, debiased=debiased,
                    reduce=reduce, weight=weight, stop_after=stop_after, samples=samples, channels=channels,
                    mask=mask, batch_dim=batch_dim, batch_size=batch_size)


class Guidance(Term):
    """What guide() returns: loss() once after each forward of the target; plan() and report() are tables."""

    maker = "gl.guide(target, guide)"

    def __init__(self, target, guide, *, layers, match, similarity, debiased, reduce, samples, channels,
                 mask, **step):
        check_options(layers, match=match, reduce=reduce, samples=samples)
        super().__init__(target, asked=asked(layers, 0), **step)  # weight, stop_after, batch_dim, batch_size
        self.guide, self.similarity = as_guide(guide), find(similarity, debiased=debiased)
        self.guide.check(self.similarity)
        own = {id(p) for p in self.target.parameters()}
        if any(id(p) in own for net in self.guide.networks() for p in net.parameters()):
            raise ValueError("the guide shares parameters with the target, so it would not stay frozen: "
                             "pass copy.deepcopy(guide)")
        self.layers, self.match, self.reduce = layers, match, reduce
        self.samples, self.viewed = samples, {"samples": samples, "channels": channels}
        self.mask, self._seen = mask, None  # _seen: which places of this step's examples count
        self.pairs, self.names, self.dropped = None, {}, Counter()  # names: {pair: (target's, guide's)}
        self._sides, self._plan, self._last = None, None, None
        self._looked = self._few = False  # whether warnings were given
        self.arm()

    def __repr__(self):
        pairs = "not paired yet" if self.pairs is None else f"{len(self.pairs)} pairs"
        return (f"Guidance({type(self.target).__name__} <- {self.guide!r}, {self.similarity.name}, {pairs}, "
                f"step {self.step})")

    def plan(self, sample=None):
        """Table of the layer pairs, then of layers without a part and why: names, n, features, cost, reason.

        gflop is what the pair's Gram matrices and their gradient cost, traffic_mb what they read and write in
        memory. A pair has a reason if it says nothing: a layer does not vary over the examples, or did not
        run yet. Needs a forward of the target, or `sample`: a tensor, a tuple of arguments or a dict of
        keywords, on which both networks are run as in eval, left as found. RuntimeError without either.
        """
        if sample is not None:
            call = Call(*as_call(sample), self.batch_dim, self.batch_size)
            outputs = outputs_of(self.target, call, modules=listened(self.target, asked(self.layers, 0)))
            self.pairs = None
            self._note_constant(call, *self._compare(outputs, self._resolve(call, outputs)))
        elif self._plan is None:
            if self.recorder.forwards != 1:
                raise RuntimeError("plan() does not know the layers yet: run the target once, or pass "
                                   "plan(sample=batch)")
            call, outputs = self.recorder.take()
            self.recorder.outputs = outputs = self._verified(call, outputs)
            self._note_constant(call, *self._compare(outputs, self._resolve(call, outputs)))
        return self._plan.copy()

    def prepare(self, sample):
        self.plan(sample)

    def report(self):
        """Table of the last loss() that compared the two, one row a pair.

        Columns: misalignment, both CKAs, chance, participation ratios. chance is the mean biased CKA if the
        guide's examples are permuted, sqrt(pr_target pr_guide) / (n - 1); that of the debiased form is 0. The
        participation ratio tr(K)^2 / |K|^2 counts the dimensions that the n examples spread over, at most n -
        1. dropped counts the steps in which a layer of the pair did not run; where this was one, there is
        nothing else to report. All of it is about the Gram matrices of the similarity in use: those of "rsa"
        are of examples scaled to length one, those of "ridge" of projected features where there are many.
        RuntimeError before any loss().
        """
        if self._last is None:
            raise RuntimeError("report() is about the last loss() that compared target and guide, and there "
                               "was none yet")
        pairs, grams, misalignment = self._last
        table = tables.report([self.names[pair] for pair in pairs], grams, misalignment)
        return tables.with_dropped(table, {self.names[pair]: self.dropped[pair] for pair in self.pairs})

    @property
    def misalignment(self):
        """Misalignments of the last loss(), (pairs,) without gradient, or None.

        None before the first one, and after one that compared nothing: at weight 0, or when stopped.
        """
        return self._last[2] if self.measured else None

    def misalignments(self):
        """{"target <- guide": misalignment} of the last loss(), 0-dim tensors; {} where that is None."""
        if not self.measured:
            return {}
        names = [" <- ".join(self.names[pair]) for pair in self._last[0]]
        return dict(zip(names, self.misalignment, strict=True))

    def state_dict(self):
        """The step, the pairs, the counts and the guide's random streams, for a checkpoint."""
        pairs = [[*map(list, pair), *self.names[pair], self.dropped[pair]] for pair in self.pairs or ()]
        return super().state_dict() | {"pairs": pairs, "guide": self.guide.state_dict()}

    def load_state_dict(self, state):
        loaded = [((tuple(t), tuple(g)), rest) for t, g, *rest in state["pairs"]]
        if loaded and self.pairs != [pair for pair, _ in loaded]:
            self.pairs = [pair for pair, _ in loaded]
            self.names = {pair: (t, g) for pair, (t, g, _) in loaded}
            self._plan = None  # what else there is shows in the next step
        self.dropped = Counter({pair: count for pair, (*_, count) in loaded if count})
        self.guide.load_state_dict(state["guide"])
        super().load_state_dict(state)

    # How a step is made

    def _term(self, call, outputs):
        """The misalignments of a step, reduced over the pairs."""
        if call.n < self.similarity.least:
            least = self.similarity.least
            raise ValueError(f"{self.similarity.name} needs n >= {least} examples, the target received n = "
                             f"{call.n}: use a larger batch, or leave out the last one (drop_last=True)")
        if self.similarity.diagonal and self.similarity.tap and call.n < 4 and not self._few:
            self._few = True
            warn(f"with n = {call.n} examples biased CKA is near 1 whatever the features, so that the loss "
                 "says almost nothing: use a larger batch, or leave out the last one (drop_last=True)")
        if self._plan is None:
            outputs = self._verified(call, outputs)
            guide_grams = self._resolve(call, outputs)
        else:
            self._seen = mask_of(call, self.mask)
            guide_grams, _ = self._run_guide(call, keys=self._guide_keys)
        pairs, grams = self._compare(outputs, guide_grams)
        if len(pairs) < len(self.pairs):
            self.dropped.update(pair for pair in self.pairs if pair not in pairs)
        if not pairs:
            return torch.zeros((), device=call.device)
        misalignment = torch.cat([self._misalignment(k, l) for k, l in grams])  # (pairs,)
        self._last = (pairs, [(k.detach(), l) for k, l in grams], misalignment.detach())
        self.measured = True
        if not self._looked:
            self._look(call, misalignment)
        return REDUCTIONS[self.reduce](misalignment)

    def _compare(self, outputs, guide_grams):
        """The pairs whose layers ran, and their Gram matrices [(K, L)], each (pairs, n, n)."""
        found = {o.key: o for o in outputs if o.x is not None}
        pairs = [pair for pair in self.pairs if pair[0] in found and pair[1] in guide_grams]
        return pairs, self._stacks(pairs, {key: self._gram(found[key]) for key in dict(pairs)}, guide_grams)

    def _gram(self, o):
        """The Gram matrix (n, n) of a layer, Factored if its samples are tokens, and more than features."""
        if o.gram is not None:
            return o.gram
        x = as_samples(o.x, o.type, mask=self._seen, **self.viewed)
        many = self.samples == "tokens" and len(x) >= x[0].numel()
        return Factored.of(x) if many and self.similarity.factored else self.similarity.gram(x)

    def _misalignment(self, k, l):
        factored = isinstance(k, Factored) and isinstance(l, Factored)
        return (self.similarity.factored if factored else self.similarity.misalignment)(k, l)

    def _stacks(self, pairs, target_grams, guide_grams):
        """[(K, L)], each (pairs, n, n), of pairs with as many samples: one, unless these are tokens.

        Two that are Factored are a stack by themselves.
        """
        stacks = []
        for n, group in groupby(pairs, key=lambda pair: target_grams[pair[0]].shape[-1]):
            group = list(group)
            for pair in group:
                if (m := guide_grams[pair[1]].shape[-1]) != n:
                    left, right = self.names[pair]
                    raise ValueError(f"samples='tokens' compares place by place, but {left} has {n} of them "
                                     f"in this batch and {right} has {m}: pair layers with as many, or use "
                                     "samples='pool'")
            sides = [(target_grams[t], guide_grams[g]) for t, g in group]
            if any(isinstance(gram, Factored) for gram in sum(sides, ())):
                stacks += [side if all(isinstance(gram, Factored) for gram in side) else
                           tuple(whole(gram)[None] for gram in side) for side in sides]
            else:
                stacks.append(tuple(map(torch.stack, zip(*sides, strict=True))))
        return stacks

    def _run_guide(self, call, keys=None):
        """Run the guide: {key: Gram matrix (n, n)}, each made as its layer comes, and the Outputs, hollow."""
        grams, outputs, newest = {}, {}, (None, None)

        def visit(o):
            nonlocal newest
            grams.pop(o.key, None)
            if o.x is not None:
                if o.x is not newest[0]:  # controls show one and the same tensor for every layer
                    newest = (o.x, self._gram(o if o.x.grad_fn is None else replace(o, x=o.x.detach())))
                grams[o.key] = newest[1]
            if keys is None:
                outputs[o.key] = o.hollow()

        self.guide.run(call, visit, keys=keys, also=asked(self.layers, 1))
        return grams, list(outputs.values())

    # The first step

    def _verified(self, call, outputs):
        """The target's Outputs with the examples at the axis where they are, and the recorder told of it."""
        listener = partial(Listener, self.recorder.modules, default=self.recorder.default, call=call)
        found = readings(self.target, call, outputs, listener)
        return [o.read(call.n, found[o.key]) if o.key in found else o for o in outputs]

    def _resolve(self, call, outputs):
        """Pair the layers of a first forward, and listen to no others; returns the guide's Gram matrices."""
        self._seen = mask_of(call, self.mask)
        self.recorder.readings = {o.key: o.reading for o in outputs}
        target = self.side(outputs)
        call.target_layers, state = target.defaults, self.guide.state_dict()
        grams, outputs = self._run_guide(call)
        guide = Side("guide", outputs, drops_last=self.guide.drops_last)
        if self.pairs is not None:  # loaded: the guide draws what it would have drawn had the run gone on
            self.guide.load_state_dict(state)
            grams, _ = self._run_guide(call, keys={key for _, key in self.pairs})
        else:
            found = self.guide.rearrange(pair_sides(target, guide, layers=self.layers, match=self.match))
            self.names = {(target.keys[t], guide.keys[g]): (t, g) for t, g in found}
            self.pairs = [(target.keys[t], guide.keys[g]) for t, g in found]
        self._sides, self._guide_keys = (target, guide), {key for _, key in self.pairs}
        names = [self.names[pair] for pair in self.pairs]
        factored = self.similarity.factored is not None
        self._plan = tables.plan(names, target, guide, call, factored=factored, **self.viewed)
        self.recorder.restrict({name for (name, _), _ in self.pairs})
        if self.samples == "batch" and self.mask is None and self.similarity.tap is not None:
            self.recorder.tap, self.recorder.tapped = self.similarity.tap, {key for key, _ in self.pairs}
        return grams

    def _look(self, call, misalignment):
        """Warn, once, of what the value of a loss would hide."""
        pairs, grams, _ = self._last
        constant, mute = self._note_constant(call, pairs, grams)
        if mute:
            raise ValueError("the guide has nothing to say: its features do not vary over the examples in "
                             f"any of {len(pairs)} pairs, see plan(). One that is untrained and has "
                             "BatchNorm may vary with gl.Guide(net, norm='batch')")
        self._looked = True
        if constant:
            warn(f"{len(constant)} of {len(pairs)} pairs say nothing, a layer of them does not vary over the "
                 f"examples: {', '.join(constant[:5])}; their misalignment is 1, without a gradient, see "
                 "plan(). An untrained guide with BatchNorm may vary with gl.Guide(net, norm='batch')")
        if not misalignment.requires_grad and torch.is_grad_enabled():
            warn("the loss has no gradient: no parameter before the target's paired layers needs one")
        if self.mask is None and (padding := ignored(call)):
            warn(f"places that {padding} leaves out count as any other here, and paddings are alike: "
                 f"mask={padding!r} leaves them out")
        target, _ = self._sides
        if silent := [name for name in target.absent if name in self.recorder.default]:
            warn(f"layers of the target did not run in its first forward and are not paired: {silent}. If "
                 "they run later: g.plan(sample) before training sees all that run in eval, or name them in "
                 "layers=")

    def _note_constant(self, call, pairs, grams):
        """Write into the plan which pairs have features that do not vary, unless the inputs do not either.

        Returns their names, and whether the guide's features vary in none of all pairs.
        """
        found = []
        if not grams or not differ(call):
            return found, False
        sides = {"target": [k for k, _ in grams], "guide": [l for _, l in grams]}
        still = {side: torch.cat([traces(k) for k in stack]) == 0 for side, stack in sides.items()}
        for i, pair in enumerate(pairs):
            if constant := [side for side in still if still[side][i]]:
                reason = f"features of the {' and the '.join(constant)} do not vary over the examples"
                self._plan.loc[self.pairs.index(pair), "reason"] = reason
                found.append(" <- ".join(self.names[pair]))
        return found, bool(still["guide"].all())


def warn(text):
    warnings.warn(text, stacklevel=6)  # at the user's own loss()
