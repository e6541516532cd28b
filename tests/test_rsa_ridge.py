"""RSA and ridge regression: outside oracles, closed forms, what each sees, precision, gradients, edges."""

import copy
import math

import numpy as np
import pytest
import torch
from models import batch, convnet, mlp
from scipy.spatial.distance import pdist, squareform

import guidelib as gl
from guidelib.similarity import RIDGE, RSA, double_centre, find, gram, ridge, ridge_similarity, rsa
from guidelib.similarity._ridge import dimension, halves, projection
from guidelib.similarity._rsa import dissimilarities

WHY = "the extra `oracles` is not installed: pip install -e '.[oracles]'"
BOTH = pytest.mark.parametrize("similarity", [RSA, RIDGE], ids=lambda s: s.name)


def rand(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def related(n=40, p=12, q=9, seed=0):
    x = rand(n, p, seed=seed)
    return x, x @ rand(p, q, seed=seed + 1) + 2 * rand(n, q, seed=seed + 2)


# RSA against other people's code

def test_rsatoolbox_correlation_of_cosine_distances_is_rsa():
    """rsatoolbox knows 1 - Pearson of patterns, which is 1 - cosine where every pattern's mean is 0."""
    toolbox = pytest.importorskip("rsatoolbox", reason=WHY)
    x, y = (a - a.mean(1, keepdim=True) for a in related())
    data = [toolbox.data.Dataset(a.numpy()) for a in (x, y)]
    rdms = [toolbox.rdm.calc_rdm(each, method="correlation") for each in data]
    value = toolbox.rdm.compare(*rdms, method="corr").item()
    assert rsa(x, y).item() == pytest.approx(value, rel=1e-10)
    assert rsa(x + 1, y).item() != pytest.approx(value, rel=1e-2)


@pytest.mark.parametrize("n", [3, 4, 50])
def test_rsa_by_its_definition(n):
    x, y = (a + 1 for a in related(n=n))
    d = [pdist(a.numpy(), "cosine") for a in (x, y)]
    assert rsa(x, y).item() == pytest.approx(np.corrcoef(*d)[0, 1], rel=1e-9)


def test_rsa_by_closed_form():
    """Distances of (a, b), (a, c), (b, c): 1, 2, 1 and 1, 1, 2, whose correlation is -1/2."""
    x = torch.tensor([[1.0, 0.0], [0.0, 3.0], [-2.0, 0.0]], dtype=torch.float64)
    y = torch.tensor([[5.0, 0.0], [0.0, 1.0], [0.0, -1.0]], dtype=torch.float64)
    assert rsa(x, y).item() == pytest.approx(-0.5, abs=1e-14)


def test_inner_product_rsa_with_double_centring_is_cka():
    """Williams 2024: squared Euclidean distances, doubly centred, correlated over all n^2 entries."""
    x, y = related()
    distances = [squareform(pdist(a.numpy(), "sqeuclidean")) for a in (x, y)]
    centred = [double_centre(torch.tensor(d)).flatten().numpy() for d in distances]
    cka = gl.cka(x, y).item()
    assert np.corrcoef(*centred)[0, 1] == pytest.approx(cka, rel=1e-10)
    assert rsa(x, y).item() != pytest.approx(cka, rel=0.05)  # the paper's RSA is another number


def test_dissimilarities_are_half_squared_distances():
    x = rand(7, 3)
    expected = squareform(pdist(x.numpy(), "sqeuclidean"))[np.tril_indices(7, -1)] / 2
    for k in (gram(x), gram(x, centred=False)):
        assert dissimilarities(k).numpy() == pytest.approx(expected, rel=1e-10)


# RSA: what it sees

def test_rsa_holds_and_breaks():
    x, y = (a + 0.5 for a in related())
    before = rsa(x, y)
    rotation = torch.linalg.qr(rand(12, 12, seed=9))[0]
    lengths = torch.linspace(0.1, 9, 40, dtype=x.dtype)[:, None]
    for same in (x @ rotation, 7 * x, x * lengths, x.flip(1)):
        assert torch.allclose(rsa(same, y), before, atol=1e-12)
    for other in (-x + 1, x + 5, x * torch.linspace(0.1, 3, 12, dtype=x.dtype), x.flip(0)):
        assert (rsa(other, y) - before).abs() > 0.02


def test_rsa_is_symmetric_bounded_and_1_with_itself():
    x, y = related()
    assert rsa(x, x).item() == pytest.approx(1, abs=1e-12)
    assert torch.allclose(rsa(x, y), rsa(y, x), atol=1e-14)
    assert rsa(x, y.flip(0)).item() < 0.5


@pytest.mark.parametrize("offset", [0, 10, 1000])
def test_rsa_of_nearly_parallel_examples(offset):
    """Cosines that differ in the seventh digit, as deep in an untrainable network."""
    x = rand(64, 300, dtype=torch.float32) + offset
    y = rand(64, 20, dtype=torch.float32, seed=1) + x[:, :20] - offset
    x.requires_grad_()
    wide = x.detach().double().requires_grad_()
    value = rsa(x, y)
    exact = rsa(wide, y.double())
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(exact.item(), abs=1e-3)
    unit = torch.nn.functional.normalize(x.detach())
    distances = (1 - unit @ unit.T)[tuple(torch.tril_indices(64, 64, -1))]
    plain = torch.corrcoef(torch.stack([distances, dissimilarities(RSA.gram(y))]))[0, 1]
    assert offset < 1000 or abs(plain - exact) > 0.01  # what the formula as it stands gives in float32
    (grad,) = torch.autograd.grad(value, x)
    (wanted,) = torch.autograd.grad(exact, wide)
    cosine = torch.nn.functional.cosine_similarity(grad.double().flatten(), wanted.flatten(), dim=0)
    assert cosine > 0.999


# RSA: edges

def test_an_example_of_zeros_is_at_distance_1_and_gets_no_gradient():
    x, y = related(n=6)
    x[[1, 4]] = 0
    x.requires_grad_()
    value = rsa(x, y)
    unit = torch.nn.functional.normalize(x.detach())
    distances = (1 - unit @ unit.T)[tuple(torch.tril_indices(6, 6, -1))]
    expected = np.corrcoef(distances, dissimilarities(RSA.gram(y)))[0, 1]
    assert value.item() == pytest.approx(expected, rel=1e-9)
    value.backward()
    assert torch.equal(x.grad[[1, 4]], torch.zeros(2, 12, dtype=x.dtype))
    assert (x.grad[[0, 2, 3, 5]].norm(dim=1) > 1e-6).all()


@BOTH
@pytest.mark.parametrize("constant", [0.0, 3.7, -1e6])
def test_constant_features_give_0_and_no_gradient(similarity, constant):
    for left in (True, False):
        x = torch.full((8, 5), constant, requires_grad=True)
        y = rand(8, 3).float().requires_grad_()
        value = similarity(x, y) if left else similarity(y, x)
        value.backward()
        assert value.item() == 0
        assert torch.equal(x.grad, torch.zeros_like(x))
        assert torch.equal(y.grad, torch.zeros_like(y))


def test_rsa_of_equal_distances_is_0():
    x = torch.eye(6, requires_grad=True)
    value = rsa(x, rand(6, 3).float())
    value.backward()
    assert value.item() == 0
    assert torch.equal(x.grad, torch.zeros_like(x))


@BOTH
def test_what_is_not_a_number_stays_so(similarity):
    x = rand(8, 5)
    x[3, 0] = math.nan
    assert torch.isnan(similarity(x, rand(8, 3)))
    assert torch.isnan(similarity(rand(8, 3), x))


@BOTH
def test_wrong_input_is_repeated(similarity):
    with pytest.raises(ValueError, match=r"\(5, 3\) and y \(4, 3\)"):
        similarity(torch.zeros(5, 3), torch.zeros(4, 3))
    with pytest.raises(ValueError, match=rf"n >= {similarity.least} .*\(2, 3\)"):
        similarity(torch.zeros(2, 3), torch.zeros(2, 3))
    with pytest.raises(TypeError, match="torch.int64"):
        similarity(torch.ones(8, 2, dtype=torch.long), torch.ones(8, 2))
    with pytest.raises(ValueError, match=r"\(4, 0\)"):
        similarity(torch.zeros(4, 0), torch.zeros(4, 2))


# Ridge against scikit-learn

def by_sklearn(x, y, penalty, seed=0):
    from sklearn.linear_model import Ridge
    from sklearn.metrics.pairwise import paired_cosine_distances

    x, y = ((a - a.mean(0)).numpy() for a in (x, y))
    fit, test = halves(len(x), seed)
    predicted = Ridge(alpha=penalty, fit_intercept=False).fit(x[fit], y[fit]).predict(x[test])
    return 1 - paired_cosine_distances(predicted, y[test]).mean()


@pytest.mark.parametrize("penalty", [0.1, 10.0, 100.0])
@pytest.mark.parametrize(("n", "p", "q"), [(40, 12, 9), (31, 80, 7), (20, 30, 50)])
def test_ridge_is_sklearns(n, p, q, penalty):
    x, y = related(n, p, q)
    value = by_sklearn(x, y, penalty, seed=4)
    assert ridge(x, y, penalty=penalty, seed=4).item() == pytest.approx(value, rel=1e-9)
    assert ridge(x, y, penalty=1.2 * penalty, seed=4).item() != pytest.approx(value, rel=1e-6)
    assert ridge(x, y, penalty=penalty, seed=5).item() != pytest.approx(value, rel=1e-4)


def test_ridge_by_closed_form():
    """One feature predicts itself and one that is its negative: every cosine is 1, whatever the penalty."""
    x = torch.tensor([[-3.0], [-1.0], [0.5], [3.5]], dtype=torch.float64)
    for penalty in (1e-3, 1e3):
        assert ridge(x, torch.cat([2 * x, -x], 1), penalty=penalty).item() == pytest.approx(1, abs=1e-12)


def test_ridge_is_not_symmetric():
    x = rand(60, 10)
    assert ridge(x, x[:, :2], penalty=1e-3) > 0.999
    assert ridge(x[:, :2], x, penalty=1e-3) < 0.7


def test_ridge_does_not_see_rotation_or_shift_and_sees_scale():
    x, y = related()
    before = ridge(x, y)
    rotation = torch.linalg.qr(rand(12, 12, seed=9))[0]
    for same in (x @ rotation, x + 1e3, x.flip(1)):
        assert ridge(same, y).item() == pytest.approx(before.item(), rel=1e-8)
    assert ridge(x, 5 * y + 3).item() == pytest.approx(before.item(), rel=1e-10)
    assert abs(ridge(0.1 * x, y) - before) > 1e-3


def test_ridge_of_what_is_unrelated_is_near_0():
    values = [ridge(rand(100, 10, seed=s), rand(100, 400, seed=50 + s)).item() for s in range(10)]
    assert abs(np.mean(values)) < 0.05 < ridge(*related(100)).item()


# Its projection

def test_dimension_is_sklearns():
    from sklearn.random_projection import johnson_lindenstrauss_min_dim

    for n, distortion in ((8, 0.1), (256, 0.1), (256, 0.5)):
        assert dimension(n, distortion) == johnson_lindenstrauss_min_dim(n, eps=distortion)


def test_projection_is_that_of_li():
    """Entries +-v with probability 1 / sqrt(p), in every row and every column."""
    p, q = 400, 300
    s = projection(p, q, seed=1, dtype=torch.float64).to_dense()
    assert sorted(s.unique().tolist()) == pytest.approx([-math.sqrt(20 / q), 0, math.sqrt(20 / q)])
    filled = (s != 0).double()
    assert filled.mean().item() == pytest.approx(1 / 20, abs=4 * math.sqrt(0.05 * 0.95 / p / q))
    assert abs(s.sign().sum().item()) < 4 * math.sqrt(p * q / 20)
    for axis, count in ((0, q), (1, p)):  # counts are binomial: their variance too
        assert filled.sum(axis).var().item() == pytest.approx(count * 0.05 * 0.95, rel=0.35)
    assert filled[0].sum() > 0
    assert filled[-1].sum() > 0  # it reaches the last row
    assert torch.equal(s, projection(p, q, seed=1, dtype=torch.float64).to_dense())
    assert not torch.equal(s, projection(p, q, seed=2, dtype=torch.float64).to_dense())
    assert torch.equal(projection(1, 3, seed=0).to_dense().abs(), torch.full((3, 1), 3**-0.5))


def test_ridge_projects_as_the_paper_does():
    n, p = 40, 3000
    x = rand(n, 6) @ rand(6, p, seed=1) + 0.1 * rand(n, p, seed=2)
    y = x[:, :50] + rand(n, 50, seed=3)
    q = dimension(n, 0.3)
    assert 50 < q < p
    s = projection(p, q, seed=7, dtype=torch.float64).to_dense()
    expected = by_sklearn(x @ s.T, y, 10.0, seed=7)
    assert ridge(x, y, seed=7, distortion=0.3).item() == pytest.approx(expected, rel=1e-9)
    plain = ridge(x, y, seed=7, distortion=None).item()
    assert plain == pytest.approx(by_sklearn(x, y, 10.0, seed=7), rel=1e-9)
    assert plain != pytest.approx(expected, rel=1e-6)
    assert plain == pytest.approx(expected, abs=0.05)
    images = x.view(n, 30, 10, 10)
    value = ridge(images, y, seed=7, distortion=0.3)
    assert torch.equal(ridge(images.to(memory_format=torch.channels_last), y, seed=7, distortion=0.3), value)


def test_ridge_projects_under_gradients():
    similarity = ridge_similarity(distortion=0.9)
    x, y = rand(4, 40).requires_grad_(), rand(4, 38, seed=1).requires_grad_()
    assert dimension(4, 0.9) < 38
    assert torch.autograd.gradcheck(similarity, (x, y))
    assert torch.autograd.gradgradcheck(similarity, (x, y), fast_mode=True)


# Both

@BOTH
def test_first_and_second_derivatives(similarity):
    x, y = rand(7, 4).requires_grad_(), rand(7, 5, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(similarity, (x, y))
    assert torch.autograd.gradgradcheck(similarity, (x, y))


@BOTH
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_types_in_at_least_float32_inside(similarity, dtype):
    x, y = (a.to(dtype).requires_grad_() for a in related(64, 200, 100))
    value = similarity(x, y)
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(similarity(x.double(), y.double()).item(), abs=1e-5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(similarity(x, y), value)
    value.backward()
    assert x.grad.dtype == dtype
    assert x.grad.abs().sum() > 0


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_large_activations_do_not_overflow(scale):
    x, y = (rand(32, 2000, seed=s, dtype=torch.float32) for s in (0, 1))
    assert rsa(scale * x, scale * y).item() == pytest.approx(rsa(x, y).item(), abs=1e-5)
    assert torch.isfinite(ridge(scale * x, scale * y))


@BOTH
def test_stacks_are_compared_one_by_one(similarity):
    pairs = [related(seed=10 * s) for s in range(3)]
    k = torch.stack([similarity.gram(x) for x, _ in pairs])
    l = torch.stack([similarity.gram(y) for _, y in pairs])
    expected = torch.stack([similarity(*pair) for pair in pairs])
    assert torch.allclose(similarity.value(k, l), expected, atol=1e-12)
    assert torch.allclose(similarity.misalignment(k, l), 1 - expected, atol=1e-12)


@pytest.mark.parametrize("name", ["rsa", "ridge", "ridge-100"])
def test_a_target_is_guided_by_them(name):
    target, net = mlp(16, 20, 20, 3), convnet()
    x = batch(n=24)
    optimizer = torch.optim.Adam(target.parameters(), lr=1e-2)
    losses = []
    with gl.guide(target, net, similarity=name) as g:
        for _ in range(30):
            target(x)
            loss = g.loss()
            losses.append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        pairs = len(g.report())
    assert -pairs < losses[-1] < losses[0] - 0.1 * pairs


def test_ridge_predicts_the_guide_from_the_target():
    target, net = mlp(16, 20, 3), mlp(16, 8, 3, seed=1)
    x = batch(n=24)
    with gl.guide(target, net, similarity=ridge_similarity(penalty=2, seed=3)) as g:
        target(x)
        loss = g.loss().item()
    hidden = [copy.deepcopy(m)[:2](x).detach() for m in (target, net)]
    assert loss == pytest.approx(1 - ridge(*hidden, penalty=2, seed=3).item(), abs=1e-6)


def test_options_that_make_no_sense():
    for penalty in (0, -1.0, math.nan):
        with pytest.raises(ValueError, match="penalty is above 0, received"):
            ridge_similarity(penalty=penalty)
    with pytest.raises(ValueError, match="between 0 and 1, or None for no projection, received 1.5"):
        ridge_similarity(distortion=1.5)
    assert find("rsa") is RSA
    assert find("ridge") is RIDGE
    assert find("ridge-100").name == "ridge (100)"
