"""Guides that isolate one cause: each is accepted wherever a guide is, and takes the pairs that the guide would get.

If a control does as well as the guide, then what the guide adds beyond that one cause is nothing.
"""

import copy
from dataclasses import replace

import torch
import torch.nn.functional as F

from .activations import Output
from .guides import as_guide, tensors, unwrap
from .noise import Stream

__all__ = ["data_gram", "fresh_noise", "identity", "same_family", "shuffled", "shuffled_layers"]


def identity(like=None):
    """The identity as the guide's Gram matrix at every pair: keep all examples apart, and know nothing else.

    `like`: a guide whose pairs are used; without it every selected target layer. A ValueError with debiased=True, where
    U-centring removes the diagonal, which is all there is.

    >>> identity()
    Control(identity)
    """
    return _StandIn("identity", like, lambda call, shape: torch.eye(call.n, device=call.device), whole=True)


def data_gram(like=None):
    """The input's own Gram matrix at every pair: hand the data through, as a perfectly linear guide would.

    Integer inputs (tokens) count as one-hot. `like` as for identity.

    >>> data_gram()
    Control(data_gram)
    """
    return _StandIn("data_gram", like, lambda call, shape: _input_features(call), whole=True)


def fresh_noise(like, *, seed=0):
    """Independent N(0, 1) features of the guide's shapes, new at each step: a guide whose geometry is pure chance.

    >>> fresh_noise(nn.Linear(2, 2))
    Control(fresh_noise, like=Guide(Linear, norm='running', inputs='same'))
    """
    stream = Stream(seed)

    def features(call, shape):
        return torch.randn(call.n, *shape[1:], generator=stream.on(call.device), device=call.device)

    return _StandIn("fresh_noise", like, features, stream=stream)


def shuffled(guide, *, seed=0):
    """The guide with its examples permuted, anew at each step: the right spectrum, tied to the wrong examples.

    >>> shuffled(nn.Linear(2, 2))
    Control(shuffled, like=Guide(Linear, norm='running', inputs='same'))
    """
    return _Shuffled("shuffled", guide, Stream(seed))


def shuffled_layers(guide, *, seed=0):
    """The guide with its layers dealt to the pairs at random, once: the right geometry at the wrong depth.

    >>> shuffled_layers(nn.Linear(2, 2))
    Control(shuffled_layers, like=Guide(Linear, norm='running', inputs='same'))
    """
    return _ShuffledLayers("shuffled_layers", guide, Stream(seed))


def same_family(target, *, seed=0):
    """A random network of the target's own architecture, as nn.Module: no other family's bias to pass on.

    A copy of the target whose parameters are drawn again from `seed` by each module's reset_parameters(). ValueError
    if a module owns parameters but has no such method.

    >>> net = nn.Linear(2, 2)
    >>> torch.equal(same_family(net, seed=1).weight, same_family(net, seed=2).weight)
    False
    """
    net = copy.deepcopy(unwrap(target))
    with torch.random.fork_rng(devices=_cuda_devices(net)):
        torch.manual_seed(seed)
        covered = set()  # parameters that some enclosing reset_parameters() has drawn
        for name, module in reversed(list(net.named_modules())):
            reset = getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
            if reset is not None:
                reset()
                covered.update(map(id, module.parameters()))
    missing = [name for name, p in net.named_parameters() if id(p) not in covered]
    if missing:
        raise ValueError(f"same_family cannot draw {missing[:5]} again, their modules have no reset_parameters(): "
                         "build the network yourself from another seed and pass it as the guide")
    for buffer_owner in net.modules():
        if hasattr(buffer_owner, "reset_running_stats"):
            buffer_owner.reset_running_stats()
    return net


class _Control:
    """What all controls share: they stand around a guide and pass on what they do not change."""

    def __init__(self, name, like, stream=None):
        self.name, self.like, self.stream = name, None if like is None else as_guide(like), stream

    def __repr__(self):
        return f"Control({self.name})" if self.like is None else f"Control({self.name}, like={self.like!r})"

    @property
    def drops_last(self):
        return self.like is not None and self.like.drops_last

    def networks(self):
        return [] if self.like is None else self.like.networks()

    def check(self, similarity):
        """Raise a ValueError if this control, or what it stands around, makes no sense under a similarity."""
        if self.like is not None:
            self.like.check(similarity)

    def rearrange(self, pairs):
        return pairs if self.like is None else self.like.rearrange(pairs)

    def state_dict(self):
        parts = {"like": self.like, "stream": self.stream}
        return {name: part.state_dict() for name, part in parts.items() if part is not None}

    def load_state_dict(self, state):
        for name, part in state.items():
            getattr(self, name).load_state_dict(part)


class _StandIn(_Control):
    """Features of its own in the place of a network's. The guide it is like runs once, to learn which layers it has."""

    def __init__(self, name, like, features, *, whole=False, stream=None):
        super().__init__(name, like, stream)
        self.features, self.whole = features, whole
        self.layers = None

    def check(self, similarity):
        if self.name == "identity" and "debiased" in similarity.name:
            raise ValueError("controls.identity with debiased=True: U-centring removes the diagonal, and the identity has nothing "
                             "else; use debiased=False, or controls.shuffled or controls.fresh_noise")
        if self.name == "identity" and similarity.name == "rsa":
            raise ValueError("controls.identity with similarity='rsa': its examples are all equally far apart, and the correlation of distances "
                             "that are equal has no gradient; use controls.shuffled or controls.fresh_noise")

    def run(self, call, visit, *, keys=None, also=()):
        if self.layers is None:
            self.layers = self._layers_of_like(call, also)
        x = self.features(call, None) if self.whole else None  # one object for all layers: its Gram matrix is made once
        for key, shape in self.layers:
            if keys is None or key in keys:
                own = x if self.whole else self.features(call, shape)
                visit(Output(key, self.name, tuple(own.shape), own))

    def _layers_of_like(self, call, also):
        if self.like is None:
            return [((self.name, i), None) for i in range(len(call.target_layers))]
        outputs = []
        self.like.run(call, lambda o: outputs.append((o.key, o.x is not None and tuple(o.x.shape))), also=also)
        return [(key, shape) for key, shape in outputs if shape]


class _Shuffled(_Control):
    def run(self, call, visit, *, keys=None, also=()):
        order = torch.randperm(call.n, generator=self.stream.on("cpu")).to(call.device)  # (n,)
        self.like.run(call, lambda o: visit(o if o.x is None else replace(o, x=o.x[order])), keys=keys, also=also)


class _ShuffledLayers(_Control):
    def run(self, call, visit, *, keys=None, also=()):
        self.like.run(call, visit, keys=keys, also=also)

    def rearrange(self, pairs):
        pairs = super().rearrange(pairs)
        order = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(self.stream.seed)).tolist()
        return [(target, pairs[j][1]) for (target, _), j in zip(pairs, order, strict=True)]


def _input_features(call):
    x = next(tensors((call.args, call.kwargs)))
    x = x.movedim(call.batch_dim, 0)
    return x if x.is_floating_point() else F.one_hot(x.long() - int(x.min())).float()


def _cuda_devices(net):
    return sorted({p.device.index for p in net.parameters() if p.device.type == "cuda"})
