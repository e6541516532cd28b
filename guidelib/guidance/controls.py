"""Adds to by_hand.py: guides that isolate one cause, on the pairs that the guide would get.

If a control does as well as the guide, then what the guide adds beyond that one cause is nothing.
"""

import copy
from dataclasses import replace

import torch

from ..streams import drawing_from
from .calls import Output
from .frozen import unwrap
from .guides import BaseGuide, as_guide
from .inputs import as_features, input_of
from .noise import Stream

__all__ = ["data_gram", "fresh_noise", "identity", "length_gram", "same_family", "shuffled",
           "shuffled_layers"]


def identity(like=None):
    """The identity as the guide's Gram matrix at every pair: keep all examples apart, and know nothing else.

    `like`: a guide whose pairs are used; without it every default layer of the target. A ValueError under a
    similarity to which the identity says nothing: debiased CKA, which drops the diagonal, and RSA.

    >>> identity()
    Control(identity)
    """
    return Identity("identity", like, whole=True)


def data_gram(like=None, *, inputs=None):
    """The input's own Gram matrix at every pair: hand the data through, as a perfectly linear guide would.

    Integer inputs (tokens) count as one-hot. `like` as for identity. inputs: which of the target's arguments
    is the input, a keyword, a number, or a callable(*args, **kwargs) that returns it; None to take the first
    that has an entry an example and is neither mask, nor named labels or targets, with a warning if there are
    several.

    >>> data_gram()
    Control(data_gram)
    """
    return DataGram("data_gram", like, inputs=inputs, whole=True)


def length_gram(like=None, *, pad, inputs=None):
    """How long each sequence is, and nothing else, as the Gram matrix at every pair: min(length, length').

    What stands in a sequence plays no part but `pad`, the token that is none of it. `like` as for identity,
    `inputs` as for data_gram. Sequences of one length have nothing to tell apart, which guide() refuses as a
    control without variation.

    >>> length_gram(pad=0)
    Control(length_gram)
    """
    return LengthGram("length_gram", like, inputs=inputs, pad=pad, whole=True)


def fresh_noise(like, *, seed=0):
    """Independent N(0, 1) features of the guide's shapes, new at each step: a geometry of pure chance.

    >>> fresh_noise(nn.Linear(2, 2))
    Control(fresh_noise, like=Guide(Linear, norm='running', inputs='same'))
    """
    return FreshNoise("fresh_noise", like, stream=Stream(seed))


def shuffled(guide, *, seed=0):
    """The guide with its examples permuted, anew at each step: the right spectrum, the wrong examples.

    >>> shuffled(nn.Linear(2, 2))
    Control(shuffled, like=Guide(Linear, norm='running', inputs='same'))
    """
    return Shuffled("shuffled", guide, Stream(seed))


def shuffled_layers(guide, *, seed=0):
    """The guide with its layers dealt to the pairs at random, once: the right geometry at the wrong depth.

    >>> shuffled_layers(nn.Linear(2, 2))
    Control(shuffled_layers, like=Guide(Linear, norm='running', inputs='same'))
    """
    return ShuffledLayers("shuffled_layers", guide, Stream(seed))


def same_family(target, *, seed=0, make=None):
    """A random network of the target's own architecture, as nn.Module: no other family's bias to pass on.

    A copy of the target in which the entries of each parameter stand in another order, drawn from `seed`: the
    network's own initialisation, if the target is fresh, and of a trained one all but what its weights have
    learnt together. make: a callable that builds the network instead, with torch's global stream at `seed`.

    >>> net = nn.Linear(2, 2)
    >>> torch.equal(same_family(net, seed=1).weight, same_family(net, seed=2).weight)
    False
    """
    if make is not None:
        with drawing_from(seed, target):
            return make()
    net = copy.deepcopy(unwrap(target))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in net.parameters():
            order = torch.randperm(p.numel(), generator=generator).to(p.device)
            p.copy_(p.flatten()[order].view(p.shape))
    for module in net.modules():
        if hasattr(module, "reset_running_stats"):
            module.reset_running_stats()
    return net


class Control(BaseGuide):
    """A guide that stands around another, `like`, or around none."""

    def __init__(self, name, like, stream=None):
        self.name, self.stream = name, stream
        self.like = None if like is None else as_guide(like)

    def __repr__(self):
        return f"Control({self.name})" if self.like is None else f"Control({self.name}, like={self.like!r})"


class StandIn(Control):
    """Features of its own in the place of a network's; `like` runs once, to learn which layers it has.

    A subclass says features(call, shape of the layer they stand for) -> (n, ...). whole: they are the same
    for all layers.
    """

    def __init__(self, name, like, *, whole=False, stream=None):
        super().__init__(name, like, stream)
        self.whole, self.layers = whole, None

    def run(self, call, visit, *, keys=None, also=()):
        if self.layers is None or keys is None:  # without keys it is the first step of a handle
            self.layers = self._layers_of_like(call, also)
        x = self.features(call, None) if self.whole else None  # one object: its Gram matrix is made once
        for key, shape in self.layers:
            if keys is None or key in keys:
                own = x if self.whole else self.features(call, shape)
                visit(Output(key, self.name, tuple(own.shape), own))

    def _layers_of_like(self, call, also):
        if self.like is None:
            return [((self.name, i), None) for i in range(len(call.target_layers))]
        found = {}

        def note(o):
            found[o.key] = None if o.x is None else tuple(o.x.shape)

        self.like.run(call, note, also=also)
        return [(key, shape) for key, shape in found.items() if shape is not None]


class Identity(StandIn):
    def features(self, call, shape):
        return torch.eye(call.n, device=call.device)

    def check(self, similarity):
        repair = "use controls.shuffled or controls.fresh_noise"
        if not similarity.diagonal:
            raise ValueError("controls.identity with debiased=True: U-centring removes the diagonal, and the "
                             f"identity has nothing else; {repair}, or debiased=False")
        if not similarity.equidistant:
            raise ValueError(f"controls.identity with similarity={similarity.name!r}: its examples are all "
                             "equally far apart, and distances that are equal have no correlation; " + repair)


class DataGram(StandIn):
    def __init__(self, name, like, *, inputs, **options):
        super().__init__(name, like, **options)
        self.inputs = inputs

    def features(self, call, shape):
        return as_features(input_of(call, self.inputs))


class LengthGram(DataGram):
    def __init__(self, name, like, *, pad, **options):
        super().__init__(name, like, **options)
        self.pad = pad

    def features(self, call, shape):
        return (input_of(call, self.inputs) != self.pad).float()  # (n, steps)


class FreshNoise(StandIn):
    def features(self, call, shape):
        generator = self.stream.on(call.device)
        return torch.randn(call.n, *shape[1:], generator=generator, device=call.device)


class Shuffled(Control):
    def run(self, call, visit, *, keys=None, also=()):
        order = torch.randperm(call.n, generator=self.stream.on("cpu")).to(call.device)  # (n,)

        def show(o):
            visit(o if o.x is None else replace(o, x=o.x[order]))

        self.like.run(call, show, keys=keys, also=also)


class ShuffledLayers(Control):
    def rearrange(self, pairs):
        pairs = super().rearrange(pairs)
        order = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(self.stream.seed)).tolist()
        return [(target, pairs[j][1]) for (target, _), j in zip(pairs, order, strict=True)]
