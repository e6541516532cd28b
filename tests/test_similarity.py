"""CKA and SP: golden values, invariances that hold and that must break, precision, gradients, edges."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import guidelib as gl
from guidelib.similarity import (
    CKA,
    CKA_DEBIASED,
    RIDGE,
    RSA,
    SIMILARITIES,
    SP,
    Similarity,
    double_centre,
    find,
    gram,
    u_centre,
)

FORMS = [False, True]


def rand(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def related(n=40, p=12, q=9, seed=0):
    x = rand(n, p, seed=seed)
    return x, x @ rand(p, q, seed=seed + 1) + 0.5 * rand(n, q, seed=seed + 2)


def rotation(p, seed=9):
    return torch.linalg.qr(rand(p, p, seed=seed))[0]


def numpy_cka(x, y):
    """Biased CKA in feature space (Kornblith et al. 2019, eq. for linear kernels), an independent route."""
    x = x.numpy() - x.numpy().mean(0)
    y = y.numpy() - y.numpy().mean(0)
    return np.linalg.norm(x.T @ y) ** 2 / np.linalg.norm(x.T @ x) / np.linalg.norm(y.T @ y)


# Values


def test_golden_values_of_kornblith():
    random = np.random.RandomState(1337)
    x = random.randn(100, 10)
    y = random.randn(100, 10) + x
    x, y = torch.tensor(x), torch.tensor(y)
    assert gl.cka(x, y).item() == pytest.approx(0.557613256611759, rel=1e-12)
    assert gl.cka(x, y, debiased=True).item() == pytest.approx(0.513456489505526, rel=1e-12)
    assert gl.cka(x, y).item() != pytest.approx(0.5576132, rel=1e-9)  # the tolerance can fail


@pytest.mark.parametrize("seed", range(3))
def test_gram_form_equals_feature_form(seed):
    x, y = related(seed=10 * seed)
    assert gl.cka(x, y).item() == pytest.approx(numpy_cka(x, y), rel=1e-12)


def test_debiased_is_hsic_1_of_song_where_that_is_stable():
    """The three-term sum of Song et al. 2012, which U-centring equals, but which cancels."""
    def hsic(k, l):
        n = len(k)
        k, l = (m - torch.diag(m.diagonal()) for m in (k, l))
        trace = (k * l).sum()
        product = k.sum() * l.sum() / (n - 1) / (n - 2)
        return trace + product - 2 * (k.sum(0) * l.sum(0)).sum() / (n - 2)

    x, y = related()
    k, l = x @ x.T, y @ y.T
    expected = hsic(k, l) / (hsic(k, k) * hsic(l, l)).sqrt()
    assert gl.cka(x, y, debiased=True).item() == pytest.approx(expected.item(), rel=1e-10)


@pytest.mark.parametrize("project", [double_centre, u_centre])
def test_centring_is_an_orthogonal_projection(project):
    k, l = (gram(rand(15, 6, seed=s), centred=False) for s in (0, 1))
    assert torch.allclose(project(project(k)), project(k), atol=1e-12)
    assert (project(k) * l).sum().item() == pytest.approx((k * project(l)).sum().item(), rel=1e-12)
    assert project(k).sum(0).abs().max() < 1e-11


def test_u_centring_has_a_zero_diagonal_and_ignores_shifts():
    k = gram(rand(15, 6), centred=False)
    a = rand(15, 1, seed=3)
    assert torch.equal(u_centre(k).diagonal(), torch.zeros(15, dtype=k.dtype))
    assert torch.allclose(u_centre(k + a + a.T), u_centre(k), atol=1e-11)


# Invariances

def permutation(n, seed=1):
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed))


HOLDS = {
    "rotation": lambda x: x @ rotation(x.shape[1]),
    "permuted features": lambda x: x[:, permutation(x.shape[1])],
    "scale": lambda x: -3.7 * x,
    "shift": lambda x: x + 5 * rand(x.shape[1], seed=4),
}
BREAKS = {
    "permuted examples": lambda x: x[permutation(len(x))],
    "stretched features": lambda x: x * torch.linspace(0.1, 3, x.shape[1], dtype=x.dtype),
    "one outlier": lambda x: torch.cat([20 * x[:1], x[1:]]),
}


@pytest.mark.parametrize("debiased", FORMS)
@pytest.mark.parametrize("name", HOLDS)
def test_cka_does_not_see(name, debiased):
    x, y = related()
    before = gl.cka(x, y, debiased=debiased)
    for pair in ((HOLDS[name](x), y), (x, HOLDS[name](y))):
        assert torch.allclose(gl.cka(*pair, debiased=debiased), before, atol=1e-12)


@pytest.mark.parametrize("debiased", FORMS)
@pytest.mark.parametrize("name", BREAKS)
def test_cka_sees(name, debiased):
    x, y = related()
    before = gl.cka(x, y, debiased=debiased)
    assert (gl.cka(BREAKS[name](x), y, debiased=debiased) - before).abs() > 0.02


def test_sp_holds_and_breaks():
    x, y = related()
    before = gl.sp(x, y)
    for name in ("rotation", "permuted features", "scale"):
        assert torch.allclose(gl.sp(HOLDS[name](x), y), before, atol=1e-12), name
    assert (gl.sp(HOLDS["shift"](x), y) - before).abs() > 0.01 * before  # it does not centre
    k, l = (torch.nn.functional.normalize(a @ a.T, dim=1) for a in (x, y))
    assert before.item() == pytest.approx((k - l).square().mean().item(), rel=1e-12)


@pytest.mark.parametrize("debiased", FORMS)
def test_self_similarity_symmetry_and_common_permutation(debiased):
    x, y = related()
    order = permutation(len(x), seed=2)
    value = gl.cka(x, y, debiased=debiased)
    assert gl.cka(x, x, debiased=debiased).item() == pytest.approx(1, abs=1e-12)
    assert torch.allclose(gl.cka(y, x, debiased=debiased), value, atol=1e-14)
    assert torch.allclose(gl.cka(x[order], y[order], debiased=debiased), value, atol=1e-13)


def test_any_shape_after_the_first_axis_and_any_memory_format():
    x = rand(10, 4, 3, 5, dtype=torch.float32)
    y = rand(10, 7, dtype=torch.float32, seed=1)
    assert torch.allclose(gl.cka(x, y), gl.cka(x.flatten(1), y))
    channels_last = x.to(memory_format=torch.channels_last)
    assert torch.allclose(gl.cka(channels_last, y), gl.cka(x, y), atol=1e-6)
    view = gl.similarity.flatten(channels_last)
    assert view.data_ptr() == channels_last.data_ptr()  # not a copy
    assert gl.cka(x[:, 0, 0, 0], y).shape == ()


# Precision


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("debiased", FORMS)
def test_types_in_at_least_float32_inside(dtype, debiased):
    x, y = related(n=64, p=200, q=100)
    x, y = x.to(dtype), y.to(dtype)
    value = gl.cka(x, y, debiased=debiased)
    assert value.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    exact = gl.cka(x.double(), y.double(), debiased=debiased)
    assert value.item() == pytest.approx(exact.item(), abs=2e-6)


@pytest.mark.parametrize("debiased", FORMS)
def test_autocast_never_produces_the_gram(debiased):
    x, y = related(n=64, p=300, q=200)
    x, y = (10 + x).float().requires_grad_(), y.float()
    plain = gl.cka(x, y, debiased=debiased)
    (wanted,) = torch.autograd.grad(plain, x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = gl.cka(x, y, debiased=debiased)
        assert (x @ x.T).dtype == torch.bfloat16  # what autocast would have done
        (grad,) = torch.autograd.grad(value, x)
    assert value.dtype == torch.float32
    assert torch.equal(value, plain)
    assert torch.equal(grad, wanted)


@pytest.mark.parametrize("offset", [0, 1, 10, 100, 1000])
@pytest.mark.parametrize("debiased", FORMS)
def test_large_means_do_not_cancel(offset, debiased):
    x = rand(128, 2048, dtype=torch.float32)
    y = x[:, :1500] + rand(128, 1500, dtype=torch.float32, seed=1)
    shifted = (x + offset).requires_grad_()
    exact = gl.cka(shifted.detach().double(), y.double(), debiased=debiased).item()
    value = gl.cka(shifted, y, debiased=debiased)
    assert value.item() == pytest.approx(exact, abs=1e-4)
    wide = shifted.detach().double().requires_grad_()
    (wanted,) = torch.autograd.grad(gl.cka(wide, y.double(), debiased=debiased), wide)
    (grad,) = torch.autograd.grad(value, shifted)
    cosine = torch.nn.functional.cosine_similarity(grad.double().flatten(), wanted.flatten(), dim=0)
    assert cosine > 0.999


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1e3, 1e12])
@pytest.mark.parametrize("debiased", FORMS)
def test_products_of_large_activations_do_not_overflow(scale, debiased):
    x, y = (rand(32, 2000, seed=s, dtype=torch.float32) for s in (0, 1))
    plain = gl.cka(x, y, debiased=debiased).item()
    assert gl.cka(scale * x, scale * y, debiased=debiased).item() == pytest.approx(plain, abs=1e-5)


def test_half_precision_grams_would_overflow_and_ours_do_not():
    x = torch.ones(4, 70_000, dtype=torch.float16) * rand(4, 1).sign().half()
    x[0] = 2
    assert torch.isfinite(gl.cka(x, rand(4, 3).float()))


# Gradients


@pytest.mark.parametrize("similarity", [CKA, CKA_DEBIASED, SP], ids=lambda s: s.name)
def test_first_and_second_derivatives(similarity):
    x, y = rand(7, 4).requires_grad_(), rand(7, 5, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(similarity, (x, y))
    assert torch.autograd.gradgradcheck(similarity, (x, y))


@pytest.mark.parametrize("debiased", FORMS)
def test_gradient_is_orthogonal_to_the_features_and_has_no_mean(debiased):
    x, y = related()
    x.requires_grad_()
    (grad,) = torch.autograd.grad(gl.cka(x, y, debiased=debiased), x)
    assert grad.norm() > 1e-3
    assert grad.sum(0).abs().max() < 1e-14  # a shift changes nothing
    assert (grad * x).sum().abs() < 1e-13  # nor does a scale


@pytest.mark.parametrize("debiased", FORMS)
def test_one_matrix_product_in_the_backward(debiased):
    n, p, q = 20, 300, 200
    x, y = rand(n, p).requires_grad_(), rand(n, q, seed=1)
    value = gl.cka(x, y, debiased=debiased)
    with FlopCounterMode(display=False) as counter:
        value.backward()
    assert counter.get_total_flops() == 2 * n * n * p
    with FlopCounterMode(display=False) as counter:  # autograd on the plain formula does two
        z = x.detach().requires_grad_()
        k = z @ z.T
    with FlopCounterMode(display=False) as counter:
        k.sum().backward()
    assert counter.get_total_flops() == 4 * n * n * p


def test_gradient_keeps_the_type_of_its_input():
    x = rand(8, 5).bfloat16().requires_grad_()
    gl.cka(x, rand(8, 3).float()).backward()
    assert x.grad.dtype == torch.bfloat16
    assert x.grad.abs().sum() > 0


# Edges


@pytest.mark.parametrize("value", [0.0, 3.7, -1e6])
@pytest.mark.parametrize("debiased", FORMS)
def test_constant_features_are_unlike_everything_and_get_no_gradient(value, debiased):
    x = torch.full((8, 5), value, requires_grad=True)
    y = rand(8, 3).float().requires_grad_()
    loss = 1 - gl.cka(x, y, debiased=debiased)
    loss.backward()
    assert loss.item() == 1
    assert torch.equal(x.grad, torch.zeros_like(x))
    assert torch.equal(y.grad, torch.zeros_like(y))


def test_one_constant_row_pattern_of_the_identity_kind_is_zero_when_debiased():
    x = torch.eye(6, requires_grad=True)  # U-centring removes the diagonal, which is all there is
    value = gl.cka(x, rand(6, 3).float(), debiased=True)
    value.backward()
    assert value.item() == 0
    assert torch.equal(x.grad, torch.zeros_like(x))


@pytest.mark.parametrize("similarity", [CKA, CKA_DEBIASED, RIDGE, RSA, SP], ids=lambda s: s.name)
def test_whether_the_diagonal_counts_and_whether_equal_distances_say_something(similarity):
    k, l = (similarity.gram(a) for a in related())
    other = similarity.value(k + torch.diag(torch.linspace(1, 2, len(k), dtype=k.dtype)), l)
    same = torch.allclose(other, similarity.value(k, l), atol=1e-12)
    assert same == (not similarity.diagonal)
    if not similarity.equidistant:
        equal = similarity.gram(torch.eye(len(k), dtype=k.dtype))
        assert similarity.value(equal, l) == similarity.value(equal, equal) == 0


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("debiased", FORMS)
def test_what_is_not_a_number_stays_so(bad, debiased):
    x = rand(8, 5)
    x[0, 0] = bad
    assert torch.isnan(gl.cka(x, rand(8, 3), debiased=debiased))


@pytest.mark.parametrize(("x", "y", "debiased", "words"), [
    ((5, 3), (4, 3), False, [r"\(5, 3\)", r"\(4, 3\)", "first axis must agree"]),
    ((1, 3), (1, 3), False, [r"\(1, 3\)", "n >= 2"]),
    ((3, 3), (3, 2), True, [r"\(3, 3\)", r"\(3, 2\)", "n >= 4"]),
    ((), (3,), False, [r"\(\)", r"\(3,\)"]),
    ((4, 0), (4, 2), False, [r"\(4, 0\)"]),
])
def test_wrong_shapes_are_repeated(x, y, debiased, words):
    for word in words:
        with pytest.raises(ValueError, match=word):
            gl.cka(torch.zeros(x), torch.zeros(y), debiased=debiased)


def test_wrong_types_are_repeated():
    with pytest.raises(TypeError, match=r"torch.int64.*x.float\(\)"):
        gl.cka(torch.ones(4, 2, dtype=torch.long), torch.ones(4, 2))
    with pytest.raises(TypeError, match="ndarray.*torch.as_tensor"):
        gl.cka(np.ones((4, 2)), torch.ones(4, 2))


def test_smallest_n():
    two = gl.cka(rand(2, 3), rand(2, 4, seed=1))
    assert two.item() == pytest.approx(1)  # two points are always on a line
    assert torch.isfinite(gl.cka(rand(4, 3), rand(4, 4, seed=1), debiased=True))


def test_names_of_similarities():
    assert find("cka") is CKA
    assert find("cka", debiased=True) is CKA_DEBIASED
    assert find(CKA) is CKA
    own = Similarity(name="own", gram=gram, value=CKA.value, misalignment=CKA.misalignment)
    assert find(own) is own
    with pytest.raises(ValueError, match=r"'rdm'.*\['cka', 'ridge', 'ridge-100', 'rsa', 'sp'\]"):
        find("rdm")
    with pytest.raises(ValueError, match="debiased=True.*'sp'"):
        find("sp", debiased=True)


# The null law: independent features look alike when n is small against their effective dimension


@pytest.mark.parametrize(("n", "p", "q"), [(32, 64, 500), (64, 1000, 1000)])
def test_null_law_of_independent_features(n, p, q):
    values = []
    for seed in range(40):
        x, y = rand(n, p, seed=seed), rand(n, q, seed=1000 + seed)
        values.append((gl.cka(x, y).item(), gl.cka(x, y, debiased=True).item()))
    biased, debiased = np.array(values).T
    expected = ((1 + n / p) * (1 + n / q)) ** -0.5  # isotropic: participation ratios p and q
    assert biased.mean() == pytest.approx(expected, rel=0.02)
    assert abs(debiased.mean()) < 4 * debiased.std() / np.sqrt(40)
    assert biased.mean() > 0.5  # far from what "unrelated" suggests


@pytest.mark.parametrize("n", [5, 22, 64, 256])
def test_debiased_cka_of_examples_that_are_equally_far_apart_is_zero_with_any_mean(n):
    """Nothing is left of their Gram matrix but rounding, which must not pass for features."""
    generator = torch.Generator().manual_seed(n)
    x = torch.randn(n, 2, generator=generator)
    for _ in range(4000 // n):
        mean = 2 * torch.rand(n + 1, generator=generator, dtype=torch.float64) - 1
        y = (10 * (torch.eye(n + 1)[:n] + mean)).float()
        assert gl.cka(x, y, debiased=True).item() == 0
    assert gl.cka(x, torch.cat([y, 0.1 * x], 1), debiased=True).item() > 0.9  # a little on top is seen


@pytest.mark.parametrize("name", sorted(SIMILARITIES))
def test_of_the_first_examples_is_that_of_these_alone(name):
    similarity = SIMILARITIES[name]
    x, y = (torch.randn(40, d, generator=torch.Generator().manual_seed(d)) for d in (5, 7))
    few = similarity.of_first(16)
    assert few(x, y) == similarity(x[:16], y[:16]) != similarity(x, y)
    assert few(x[:9], y[:9]) == similarity(x[:9], y[:9])  # a last batch that is smaller
    assert few.tap is few.factored is None  # both make more of a layer than the first examples


def test_guidance_by_the_first_examples_leaves_the_others_alone():
    target, guide = (nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 2)) for _ in range(2))
    x = torch.randn(20, 3)
    losses = []
    for similarity, batch in ((CKA.of_first(8), x), ("cka", x[:8]), ("cka", x)):
        with gl.guide(target, guide, similarity=similarity) as g:
            target(batch)
            losses.append(g.loss().item())
    assert losses[0] == pytest.approx(losses[1], abs=1e-6) and abs(losses[0] - losses[2]) > 1e-4
