"""Drawn activations, and the similarities' oracles: the textbook forms in numpy's longdouble.

They judge the values as the library converts them. The tolerances follow from two numbers. First, eps, the
precision of that conversion. Second, the conditioning |C|^2 / |P|, where C are the centred features, and P is
their Gram matrix after its projection: rounding in a Gram matrix is of the size eps |C|^2, and the similarity
sees P / |P|.
"""


from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import assume
from hypothesis import strategies as st

import guidelib as gl
from guidelib.similarity import ridge, rsa

SLACK = 8  # how many roundings of the size eps may add up
CONSTANT = 4  # a feature may count as constant up to so many eps of its value
PRECISE = np.finfo(np.longdouble).eps
DTYPES = [torch.float32, torch.float16, torch.bfloat16]
if PRECISE < 1e-18:  # elsewhere longdouble is float64, and judges no better than what it judges
    DTYPES.append(torch.float64)
TALLY = Counter()


def set_aside(condition):
    """Leave out a case whose variation is below rounding; search() sees to it that these are few."""
    TALLY["aside"] += bool(condition)
    if condition:
        assume(False)


def close(found, expected, tolerance, what):
    TALLY["values"] += 1
    TALLY["sharp"] += tolerance < 0.01
    assert abs(found - float(expected)) <= tolerance, f"{what} {found}, not {expected} +- {tolerance}"


# Features

@dataclass(frozen=True)
class Features:
    """Activations (n, *shape) from a seed and a structure, so that a failure can be read."""

    seed: int
    shape: tuple
    dtype: torch.dtype = torch.float32
    exponent: int = 0
    offset: float = 0.0
    rows: str = "normal"
    layout: str = "contiguous"
    bad: float = 0.0  # one entry that is no number

    def tensor(self, n):
        generator = torch.Generator().manual_seed(self.seed)
        x = torch.randn(n, *self.shape, generator=generator, dtype=torch.float64)
        mean = self.offset * (2 * torch.rand(self.shape, generator=generator, dtype=torch.float64) - 1)
        some = torch.randperm(n, generator=generator)[:max(n // 3, 1)]
        if self.rows == "outlier":
            x[some[0]] *= 1000
        elif self.rows == "one-hot":
            p = x[0].numel()
            x = torch.eye(max(n, p), dtype=x.dtype)[torch.arange(n) % p, :p].reshape(x.shape)
        x = x + mean
        if self.rows == "last places":
            x = x[:1] * (1 + (100 * torch.randn(x.shape, generator=generator)).round() * eps_of(self.dtype))
        elif self.rows in ("constant", "duplicated"):
            x[slice(None) if self.rows == "constant" else some] = x[some[0]].clone()
        elif self.rows == "constant features":
            x.flatten(1)[:, ::2] = 100 * x.flatten(1)[0, ::2]
        elif self.rows == "zeros":
            x[some] = 0
        x *= 10.0 ** (self.exponent if self.dtype != torch.float16 else max(-3, min(self.exponent, 4)))
        limit = min(1e35, torch.finfo(self.dtype).max / 2)
        x = (x * min(1, limit / max(x.abs().max().item(), 1e-300))).to(self.dtype)
        if self.bad:
            x.view(n, -1)[some[0], 0] = self.bad
        return laid_out(x, self.layout)


def laid_out(x, layout):
    """The same values in other places of memory; "expanded" repeats the first along the second axis."""
    if layout == "channels last":
        return x.movedim(1, -1).contiguous().movedim(-1, 1)
    if layout == "transposed":
        return x.transpose(0, -1).contiguous().transpose(0, -1)
    if layout == "expanded":
        return x[:, :1].expand(x.shape)
    if layout == "strided":
        return torch.stack([x, x], -1).flatten(-2)[..., ::2]
    if layout == "sliced":
        return torch.cat([torch.cat([x] * 3)] * 2, -1)[len(x):2 * len(x), ..., :x.shape[-1]]
    return x


LAYOUTS = ("contiguous", "channels last", "transposed", "expanded", "strided", "sliced")
ROWS = ("normal", "duplicated", "zeros", "outlier", "one-hot", "constant features", "last places", "constant")
SEEDS = st.integers(0, 999)
SHAPES = st.one_of(st.tuples(st.integers(1, 40)), st.tuples(*[st.integers(1, 6)] * 2),
                   st.tuples(*[st.integers(1, 4)] * 3))


def features(rows=ROWS, exponents=35, bad=(0.0,)):
    return st.builds(Features, seed=SEEDS, shape=SHAPES, dtype=st.sampled_from(DTYPES),
                     exponent=st.integers(-exponents, exponents), bad=st.sampled_from(bad),
                     offset=st.sampled_from([0, 0, 1, 30, 1e3, 1e4]), rows=st.sampled_from(rows),
                     layout=st.sampled_from(LAYOUTS))


def cases(x, y, *, least=2, **others):
    return st.fixed_dictionaries({"n": st.integers(least, 24), "x": x, "y": y, **others})


# Oracles

def eps_of(dtype):
    return torch.finfo(torch.promote_types(dtype, torch.float32)).eps


def exact(x):
    return x.detach().double().numpy().reshape(len(x), -1).astype(np.longdouble)


class Projected:
    """One side of CKA: centred features c, the projected Gram matrix of length one, its norm, its noise."""

    def __init__(self, x, debiased):
        self.eps, n = eps_of(x.dtype), len(x)
        x = exact(x)
        self.size = np.linalg.norm(x)
        c = x - x[:1]
        self.c = c - c.mean(0)
        k = whole = self.c @ self.c.T
        if debiased:
            k = k - np.diag(k.diagonal())
            rows = k.sum(0) / (n - 2)
            k = k - rows - rows[:, None] + k.sum() / (n - 1) / (n - 2)
            k = k - np.diag(k.diagonal())
        self.norm, variation = np.linalg.norm(k), np.linalg.norm(self.c)
        self.dead = self.norm <= 1000 * PRECISE * np.linalg.norm(whole)
        self.norm = 1 if self.dead else self.norm
        self.unit = k / self.norm * (not self.dead)
        # To first order the mean has no part, since a shift changes nothing.
        means = 0 if self.dead else (CONSTANT * self.eps * self.size / variation) ** 2
        self.noise = (SLACK * self.eps + means) * variation**2 / self.norm * (not self.dead)

    def gradient(self, value, other):
        """The closed form, and how large it would be if nothing in it cancelled."""
        dead = self.dead or other.dead
        g = 2 * (other.unit - value * self.unit) @ self.c / self.norm * (not dead)
        noise = (self.noise + other.noise) * np.linalg.norm(self.c) + SLACK * self.eps * self.size
        return g, 0 if dead else 2 * noise / self.norm


def check_gradient(found, expected, noise, what):
    """Relative to the norm; beyond the range of the type, or near its end, it may be left out."""
    info, dtype = torch.finfo(found.dtype), found.dtype
    wide = torch.finfo(torch.promote_types(dtype, torch.float32))
    found = exact(found)
    fits = np.abs(expected).max() < 0.9 * min(info.max, wide.max / 2**16)
    assert not np.isnan(found).any() and (fits or dtype == torch.float16 or np.isfinite(found).all()), what
    if not fits:
        compared = (found != 0) & np.isfinite(found)
        found, expected = (np.where(compared, g, 0) for g in (found, expected))
    tolerance = noise + info.eps * np.linalg.norm(expected)
    tolerance += info.smallest_normal * info.eps * found.size**0.5
    error = np.linalg.norm(found - expected)
    assert error <= tolerance, f"{what}: off by {error}, of {np.linalg.norm(expected)} +- {tolerance}"


def check_cka(case, spoil=(1, 1)):
    n, debiased = case["n"], case["debiased"]
    x, y = (case[side].tensor(n).requires_grad_() for side in "xy")
    k, l = (Projected(a, debiased) for a in (x, y))
    noise = k.noise + l.noise
    set_aside(noise > 0.1)
    expected = (k.unit * l.unit).sum()
    value = gl.cka(x, y, debiased=debiased)
    close(value.item() * spoil[0], expected, noise, "value")
    gradients = torch.autograd.grad(value, (x, y))
    for side, found, one, other in zip("xy", gradients, (k, l), (l, k), strict=True):
        check_gradient(found * spoil[1], *one.gradient(expected, other), f"gradient of {side}")
    with torch.no_grad():
        order = torch.randperm(n, generator=torch.Generator().manual_seed(n))
        close(gl.cka(y, x, debiased=debiased).item(), expected, noise, "value of (y, x)")
        close(gl.cka(x[order], y[order], debiased=debiased).item(), expected, noise, "value of other order")
    if not debiased:
        assert -32 * max(k.eps, l.eps) <= value.item() <= 1 + 32 * max(k.eps, l.eps)


def check_bad_numbers(case):
    x, y = (case[side].tensor(case["n"]) for side in "xy")
    for pair in ((x, y), (y, x)):
        assert torch.isnan(gl.cka(*pair, debiased=case["debiased"]))


def check_refused(case):
    x, y = (case[side].tensor(case["n"]) for side in "xy")
    call, least = {"cka": (gl.cka, 2), "debiased": (lambda a, b: gl.cka(a, b, debiased=True), 4),
                   "sp": (gl.sp, 2), "rsa": (rsa, 3), "ridge": (ridge, 4)}[case["name"]]
    few = case["few"] % least
    for left, right in ((x.to(case["type"]), y), (x, y.to(case["type"]))):
        with pytest.raises(TypeError, match="floating point"):
            call(left, right)
    for left, right in ((x[:-1], y), (x, y[:-1]), (x[:few], y[:few]), (x[0, ..., 0].sum(), y)):
        with pytest.raises(ValueError, match="received"):
            call(left, right)


def check_sp(case, spoil=1):
    x, y = (case[side].tensor(case["n"]) for side in "xy")
    rows, noise = [], 0
    for a in (x, y):
        eps, a = eps_of(a.dtype), exact(a)
        k = a @ a.T
        norm = np.linalg.norm(k, axis=1, keepdims=True)
        norm[norm == 0] = 1
        rows.append(k / norm)
        noise += SLACK * eps * np.linalg.norm(a, axis=1) * np.linalg.norm(a) / norm[:, 0]
    difference = np.linalg.norm(rows[0] - rows[1], axis=1)
    tolerance = (2 * difference * noise + noise**2).sum() / len(x) ** 2
    close(gl.sp(x, y).item() * spoil, (difference**2).sum() / len(x) ** 2, tolerance, "value")


def check_rsa(case, spoil=1):
    x, y = (case[side].tensor(case["n"]) for side in "xy")
    profiles, noise = [], 0
    for a in (x, y):
        eps, a = eps_of(a.dtype), exact(a)
        norm = np.linalg.norm(a, axis=1, keepdims=True)
        silent = norm[:, 0] == 0
        a = a / np.where(norm == 0, 1, norm)
        d = np.array([1 if silent[i] or silent[j] else ((a[i] - a[j]) ** 2).sum() / 2
                      for i in range(len(a)) for j in range(i)])
        centred = d - d.mean()
        length = np.linalg.norm(centred)
        equal = length <= 1000 * PRECISE * np.linalg.norm(d)
        profiles.append(centred * (not equal) / (1 if equal else length))
        # Examples of length one are known to eps, their squared distance d to eps d and eps sqrt(d).
        rounding = SLACK * eps * np.linalg.norm(d + np.sqrt(d)) + (CONSTANT * eps) ** 2 * len(d) ** 0.5
        noise += 0 if equal else rounding / length
    set_aside(noise > 0.1)
    close(rsa(x, y).item() * spoil, (profiles[0] * profiles[1]).sum(), noise, "value")


def solve(a, b):
    """Elimination without pivots, which positive definite matrices do not need; numpy has it in float64."""
    a, b = a.copy(), b.copy()
    for i in range(len(a)):
        for j in range(len(a)):
            if i != j:
                factor = a[j, i] / a[i, i]
                a[j], b[j] = a[j] - factor * a[i], b[j] - factor * b[i]
    return b / a.diagonal()[:, None]


def check_ridge(case, spoil=1):
    n = case["n"]
    x, y = (case[side].tensor(n) for side in "xy")
    eps = max(eps_of(x.dtype), eps_of(y.dtype))
    a, b = (exact(side) - exact(side)[:1] for side in (x, y))
    a, b = a - a.mean(0), b - b.mean(0)
    penalty = float(case["ratio"] * (a**2).sum() / n) or 1.0
    order = torch.randperm(n, generator=torch.Generator().manual_seed(case["seed"])).numpy()
    fit, test = order[:n // 2], order[n // 2:]
    weights = solve(a[fit] @ a[fit].T + penalty * np.eye(len(fit)), a[fit] @ a[test].T)
    predicted, size, by = weights.T @ b[fit], np.linalg.norm(b), np.linalg.norm(weights, axis=0)
    long, true = np.linalg.norm(predicted, axis=1), np.linalg.norm(b[test], axis=1)
    blank = (long == 0) | (true == 0)
    long, true = np.where(blank, 1, long), np.where(blank, 1, true)
    cosine = (predicted * b[test]).sum(1) / long / true
    spread = size * by / long
    noise = (a**2).sum() / penalty * (1 + 1 / np.where(by == 0, 1, by)) * spread + (spread + size / true) ** 2
    noise = (np.minimum(SLACK * eps * noise, 1) * ~blank).mean()
    set_aside(noise > 0.1)
    value = ridge(x, y, penalty=penalty, seed=case["seed"]).item()
    close(value * spoil, cosine.mean(), noise, "value")
