"""The judge of the zoo: is a network read and led aright as the target, and as the guide?

Nothing here trusts how the library reads a layer. The judge has hooks and a CKA of its own, and finds the
axis of the examples by what it means: other data for example 0 must change row 0 of a layer and no other.
"""

import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import nn
from zoo import VOCABULARY

import guidelib as gl
from guidelib.guidance import capture
from guidelib.guidance.activations import selected

ROLES = ("target", "guide")
STILL, NO_AXIS = "do not depend on the examples", "have no axis of the examples"
MOVED = 1e-5  # of a layer's largest number: rounding moves less than this, other data much more
FAINT = 1e-18  # inner products of such features leave the range of float32
FEWER = 5  # examples in the last batch
LIBRARY = str(Path(gl.__file__).parent)
# Words that tell what to do
REPAIRS = ("gl.", "pass ", "use ", "call ", "take ", "takes ", "leave ", "repeat ")


@dataclass(frozen=True)
class Verdict:
    """word: right, refused, unclear refusal, wrong or crash; paired: how many of its layers took part."""

    word: str
    why: str = ""
    paired: str = ""

    def __str__(self):
        return f"{self.word}: {self.why}" if self.why else self.word


class Plain(nn.Module):
    """The other network of a row: `depth` linear layers and a head, on the first thing in the sample."""

    def __init__(self, sample, depth=3, seed=1):
        super().__init__()
        torch.manual_seed(seed)
        x = next(iter(sample.values()))
        self.embed = nn.Identity() if x.is_floating_point() else nn.Embedding(VOCABULARY, 4)
        width = self.embed(x).flatten(1).shape[1]
        self.inner = nn.ModuleList([nn.Linear(width, 16), *(nn.Linear(16, 16) for _ in range(depth - 1))])
        self.head = nn.Linear(16, 3)

    def forward(self, **sample):
        x = self.embed(next(iter(sample.values()))).flatten(1)  # (n, width)
        for i, layer in enumerate(self.inner):
            x = torch.tanh(layer(x)) + (x if i else 0)
        return self.head(x)


# What a layer gave, and the right way to read it


def first_real(value):
    """The first floating tensor in an output, however it is wrapped; None if there is none."""
    if isinstance(value, torch.Tensor):
        return value if value.is_floating_point() else None
    if not isinstance(value, (tuple, list, dict)):
        value = vars(value) if hasattr(value, "__dict__") else ()
    parts = value.values() if isinstance(value, dict) else value
    return next((x for x in map(first_real, parts) if x is not None), None)


class Ears:
    """Hooks of the judge's own on the layers of these names, `fc` or `fc[1]` for the second call of `fc`."""

    def __init__(self, net, names):
        self.names, self.calls, self.handles = names, {}, []
        for place in {self.place(name)[0] for name in names}:
            hook = partial(self._hear, place)
            self.handles.append(net.get_submodule(place).register_forward_hook(hook))

    @staticmethod
    def place(name):
        """(module, number of the call)"""
        module, _, number = name.rpartition("[")
        return (module, int(number[:-1])) if module and name.endswith("]") else (name, 0)

    def _hear(self, place, module, args, output):
        x = first_real(output)  # a copy: what is changed in place later was another thing when it was heard
        self.calls.setdefault(place, []).append(None if x is None else x.double().clone())

    def take(self, names=None):
        """{name: tensor in float64, as the layer gave it}; the hooks come off."""
        for handle in self.handles:
            handle.remove()
        names = self.names if names is None else names
        places = {name: self.place(name) for name in names}
        return {name: self.calls[place][i] for name, (place, i) in places.items()}


def readings(x, n):
    """Every way to see n examples in x: [(axis, sizes it is unfolded to, or (); axis moved to the front)]."""
    found = []
    for axis, size in enumerate(x.shape):
        if size == n:
            found.append((axis, (), axis))
        elif size and size % n == 0:
            found += [(axis, (n, size // n), axis), (axis, (size // n, n), axis + 1)]
    return found


def read(x, reading):
    axis, sizes, front = reading
    return (x.unflatten(axis, sizes) if sizes else x).movedim(front, 0)


def moves_alone(x, other):
    """Whether the rows of x (n, ...) are examples: other data for example 0 moved row 0 and no other."""
    if x.shape != other.shape:
        return False
    moved = (x - other).abs().flatten(1).amax(1) > MOVED * x.abs().max()
    return bool(moved[0] and not moved[1:].any())


def right_readings(net, sample, other, names):
    """{name: the first right reading, or why there is none} of layers, by two forwards in eval."""
    found, n = {}, len(next(iter(sample.values())))
    heard, moved = (heard_in_eval(net, data, names) for data in (sample, other))
    for name in names:
        x, y = heard[name], moved[name]
        right = [r for r in readings(x, n) if x.shape == y.shape and moves_alone(read(x, r), read(y, r))]
        still = x.shape == y.shape and (x - y).abs().max() <= MOVED * x.abs().max()
        found[name] = right[0] if right else STILL if still else NO_AXIS
    return found


def misread(net, sample, other, names):
    """The layers of which the library's rows are not the examples."""
    found = {}
    for data in (sample, other):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            for name, x in capture(net, data).items():
                found.setdefault(name, []).append(x)
    return [name for name in names if name in found and not moves_alone(*found[name])]


@contextmanager
def in_eval(net):
    """Within, the network is in eval and draws from a fixed seed; its flags and the stream are put back."""
    flags = [(module, module.training) for module in net.modules()]
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        net.eval()
        yield net
    for module, flag in flags:
        module.training = flag


def heard_in_eval(net, sample, names):
    ears = Ears(net, names)
    with in_eval(net):
        net(**sample)
    return ears.take()


def draws(net, sample):
    """Whether a network draws random numbers even in eval, as one that masks at random does."""
    with in_eval(net):
        before = torch.get_rng_state()
        net(**sample)
        return not torch.equal(before, torch.get_rng_state())


# What the loss should be


def misalignment(x, y):
    """1 - CKA of x (n, ...) and y (n, ...) in float64, both Gram matrices centred on both sides."""
    centre = torch.eye(len(x), dtype=torch.float64) - 1 / len(x)
    k, l = (centre @ (a.flatten(1) @ a.flatten(1).T) @ centre for a in (x, y))
    return 1 - (k * l).sum() / (k.square().sum() * l.square().sum()).sqrt()


def difference(loss, wanted):
    """What is not equal between two losses, in words; [] if they agree."""
    off = abs(loss.item() - wanted.item()) / abs(wanted.item())
    return [] if off < 1e-4 else [f"loss is {loss.item():.6g} for {wanted.item():.6g}"]


def differences(loss, wanted, parameters):
    """What is not equal between two losses and their gradients, in words; [] if they agree."""
    found = difference(loss, wanted)
    grads = [torch.autograd.grad(each, parameters, retain_graph=True, allow_unused=True)
             for each in (loss, wanted)]
    a, b = (torch.cat([torch.zeros_like(p).flatten() if g is None else g.flatten()
                       for p, g in zip(parameters, each, strict=True)]).double() for each in grads)
    off = ((a - b).norm() / b.norm()).item()
    if not off < 1e-3:
        found.append(f"gradient is off by {off:.2g}")
    return found


# What is left behind


def trace(net):
    """All that a frozen or measured network must keep: hooks, flags, buffers, parameters, gradients."""
    hooks = sum(len(hooks) for m in net.modules() for key, hooks in vars(m).items()
                if key.endswith("_hooks") and hooks is not None)
    flags = [m.training for m in net.modules()] + [p.requires_grad for p in net.parameters()]
    return {"hooks": hooks, "flags": flags, "gradients": [p.grad for p in net.parameters()],
            "parameters": [p.detach().clone() for p in net.parameters()],
            "buffers": [b.clone() for b in net.buffers()]}


def changes(role, before, after, but=()):
    """What of two traces differs, in words."""
    def same(a, b):
        return torch.equal(a, b) if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor) else a is b

    found = []
    for what, was in before.items():
        now = after[what]
        kept = was == now if what == "hooks" else len(was) == len(now) and all(map(same, was, now))
        if not kept and what not in but:
            found.append(f"{what} of the {role} changed")
    return found


class Stream:
    """Within, torch's global random stream must stand still; otherwise the name of the call is noted."""

    def __init__(self, name, problems):
        self.name, self.problems = name, problems

    def __enter__(self):
        self.before = torch.get_rng_state()

    def __exit__(self, *exception):
        note = f"{self.name} drew from the global random stream"
        if not torch.equal(self.before, torch.get_rng_state()) and note not in self.problems:
            self.problems.append(note)


# The verdict


def judge(row, role, **options):
    """The Verdict on a row in a role; options go to gl.guide."""
    net, sample = row.build()
    _, second = row.build(seed=1)
    other = {key: torch.cat([second[key][:1], x[1:]]) for key, x in sample.items()}
    with in_eval(net):
        net(**sample)  # transformers puts hooks of its own on some networks in their first forward
    paired = []
    try:
        problems = examine(net, sample, other, role, paired, options)
    except Exception as error:
        return Verdict(*refusal(error), *paired)
    return Verdict("wrong" if problems else "right", "; ".join(problems), *paired)


def examine(net, sample, other, role, paired, options):
    """What is wrong, in words, [] if nothing is; writes to `paired` how many of the net's layers are."""
    if role == "target":
        layers = gl.layers(net, sample)["selected"].sum()
        target, guide = net, Plain(sample, depth=max(layers, 1))  # as many, so that all are paired
    else:
        target, guide = Plain(sample), net
    target.eval()
    guide.train()  # which must not matter
    before, problems = (trace(target), trace(guide)), []
    with gl.guide(target, guide, **options) as g:
        with Stream("plan()", problems):
            plan = g.plan(sample=sample)
        problems += changes("target", before[0], trace(target), but=["hooks"])
        pairs, names = pairs_of(plan)
        listed = [name for name in plan[role].unique() if name]
        paired.append(f"{len(names[ROLES.index(role)])} of {len(listed)}")
        found, right = one_step(g, target, guide, sample, other, pairs, names, problems)
        problems += found
        if not problems:  # what was learned from one batch must hold for a smaller one, as the last often is
            few, fewer = ({key: x[:FEWER] for key, x in each.items()} for each in (sample, other))
            found, _ = one_step(g, target, guide, few, fewer, pairs, names, problems)
            problems += [f"with n = {FEWER}, {problem}" for problem in found]
    with gl.guide(target, guide, **options) as g:  # which learns its pairs in training now
        problems += three_steps(g, target, guide, sample, right, problems)
    if trace(target)["hooks"] != before[0]["hooks"]:
        problems.append("hooks of the target stay after remove()")
    return problems + changes("guide", before[1], trace(guide))


def one_step(g, target, guide, sample, other, pairs, names, noted):
    """(problems, right readings) of one step in eval: how layers are read, the loss and its gradient."""
    nets = list(zip((target, guide), names, strict=True))
    right = [right_readings(net, sample, other, each) for net, each in nets]
    told = g.plan().query("reason.str.contains('do not vary')")[["target", "guide"]].values.flatten()
    reasons = {"are read along another axis than the examples'": [], NO_AXIS: [], STILL: []}
    for (net, each), found in zip(nets, right, strict=True):
        axis, no_axis, still = reasons.values()
        axis += [name for name in misread(net, sample, other, each) if not isinstance(found[name], str)]
        no_axis += [name for name in each if found[name] == NO_AXIS]
        still += [name for name in each if found[name] == STILL and name not in told]
    problems = [f"{len(layers)} layers {why} ({layers[0]})" for why, layers in reasons.items() if layers]
    ears = [Ears(net, each) for net, each in nets]
    target(**sample)
    with Stream("loss()", noted):
        loss = g.loss()
    own, others = (each.take() for each in ears)
    if not draws(guide, sample):
        alone = heard_in_eval(guide, sample, names[1])
        if any(not torch.equal(alone[name], others[name]) for name in names[1]):
            problems.append("the guide did not run as in eval")
    if reasons[NO_AXIS]:
        return problems, right
    wanted = expected(own, others, pairs, right)
    problems += differences(loss, wanted, [p for p in target.parameters() if p.requires_grad])
    faint = [name for heard in (own, others) for name, x in heard.items() if x.norm() < FAINT]
    if faint and problems:
        problems.append(f"{len(faint)} layers have features of norms below {FAINT} ({faint[0]})")
    return problems, right


def expected(own, others, pairs, right):
    """The sum of the misalignments of what both networks gave; a layer that never changes is unlike any."""
    return sum(torch.ones((), dtype=torch.float64) if STILL in (right[0][t], right[1][u])
               else misalignment(read(own[t], right[0][t]), read(others[u], right[1][u])) for t, u in pairs)


def three_steps(g, target, guide, sample, right, noted):
    """Problems of three steps of training, on a task of no meaning and the misalignment.

    right: the readings found in eval; in training an example moves the others through BatchNorm.
    """
    optimizer = torch.optim.SGD(target.parameters(), lr=0.01)
    ears = [Ears(net, list(selected(net))) for net in (target, guide)]
    target.train()
    torch.manual_seed(2)
    for step in range(3):
        task = first_real(target(**sample)).square().mean()
        with Stream("loss()", noted):
            misaligned = g.loss()
        if not step:
            pairs, names = pairs_of(g.plan())
            heard = [each.take(found) for each, found in zip(ears, names, strict=True)]
            known = all(name in found and found[name] != NO_AXIS
                        for each, found in zip(names, right, strict=True) for name in each)
            if not noted and known:
                off = difference(misaligned, expected(*heard, pairs, right))
                noted += [f"in training, {problem}" for problem in off]
        loss = task + misaligned
        optimizer.zero_grad()
        loss.backward()
        grads = [p.grad for p in target.parameters() if p.grad is not None]
        if not loss.isfinite() or not all(grad.isfinite().all() for grad in grads):
            return ["loss or gradient in training is not finite"]
        if not any(grad.any() for grad in grads):
            return ["no gradient in training"]
        optimizer.step()
    return []


def pairs_of(plan):
    """([target name, guide name] of each pair, [target names, guide names] without repetitions)"""
    both = (plan.target != "") & (plan.guide != "")
    pairs = plan.loc[both, ["target", "guide"]].values.tolist()
    return pairs, [list(dict.fromkeys(column)) for column in zip(*pairs, strict=True)]


def refusal(error):
    """(word, message) of an exception: one of the library's own that tells the repair is a refusal."""
    last = traceback.extract_tb(error.__traceback__)[-1].filename
    notes = " ".join(getattr(error, "__notes__", ()))
    message = " ".join(f"{error} {notes}".split())
    if not last.startswith(LIBRARY) and not notes:
        return "crash", f"{type(error).__name__}: {message[:160]}"
    clear = any(word in message for word in REPAIRS)
    return "refused" if clear else "unclear refusal", f"{type(error).__name__}: {message[:100]}"
