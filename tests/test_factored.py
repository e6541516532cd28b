"""CKA from features where samples are many: equal to that from Gram matrices, in value and gradient."""

from dataclasses import replace

import pytest
import torch
from torch import nn

import guidelib as gl
from guidelib.similarity import CKA, CKA_DEBIASED, Factored, participation_ratio

BOTH = pytest.mark.parametrize("similarity", [CKA, CKA_DEBIASED], ids=lambda s: s.name)


def draw(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def by_features(similarity, x, y):
    return similarity.factored(Factored.of(x), Factored.of(y))[0]


def by_grams(similarity, x, y):
    return similarity.misalignment(similarity.gram(x), similarity.gram(y))


@BOTH
@pytest.mark.parametrize(("n", "p", "q"), [(50, 7, 3), (5, 4, 5), (9, 1, 1), (200, 30, 64)])
def test_it_is_that_of_the_gram_matrices(similarity, n, p, q):
    x = draw(n, p) @ draw(p, p, seed=1) + 3  # features that are correlated, and not centred
    y = torch.cat([x, draw(n, q, seed=2)], 1)[:, :q]  # and partly shared
    wanted = by_grams(similarity, x, y)
    assert by_features(similarity, x, y).item() == pytest.approx(wanted.item(), rel=1e-9, abs=1e-12)
    other = CKA if similarity is CKA_DEBIASED else CKA_DEBIASED
    if n < 100 and p > 1:  # the tolerance can fail
        assert by_features(other, x, y).item() != pytest.approx(wanted.item(), rel=1e-4)


@BOTH
def test_its_gradients_are_those_of_the_gram_matrices_and_of_finite_differences(similarity):
    x, y = draw(12, 4).requires_grad_(), draw(12, 3, seed=1).requires_grad_()
    ours = torch.autograd.grad(by_features(similarity, x, y), (x, y))
    theirs = torch.autograd.grad(by_grams(similarity, x, y), (x, y))
    for a, b in zip(ours, theirs, strict=True):
        assert torch.allclose(a, b, rtol=1e-8, atol=1e-12)

    def value(x, y):
        return by_features(similarity, x, y)

    assert torch.autograd.gradcheck(value, (x, y))
    assert torch.autograd.gradgradcheck(value, (x, y))


@BOTH
def test_a_constant_side_gives_nothing_and_no_gradient_that_is_not_a_number(similarity):
    x = torch.full((20, 3), 0.1, dtype=torch.float32, requires_grad=True)
    y = draw(20, 3, dtype=torch.float32).requires_grad_()
    value = by_features(similarity, x, y)
    assert value.item() == 1
    value.backward()
    assert x.grad.abs().max() == 0 and y.grad.abs().max() == 0


@BOTH
@pytest.mark.parametrize("shape", [lambda x: x + 1e4, lambda x: x * 1e-25, lambda x: x * 1e15,
                                   lambda x: torch.cat([x, torch.full_like(x, 7e3)], 1)],
                         ids=["offset", "tiny", "large", "constant features beside"])
def test_offsets_scales_and_constant_features_do_not_matter_in_float32(similarity, shape):
    x, y = draw(300, 6), draw(300, 6, seed=1) + draw(300, 6)
    wanted = by_grams(similarity, x, y).item()
    assert by_features(similarity, shape(x.float()), y.float()).item() == pytest.approx(wanted, abs=2e-3)
    assert abs(by_features(similarity, x[torch.randperm(300)], y).item() - wanted) > 0.1


def test_autocast_makes_no_half_precision_product():
    x, y = draw(400, 8, dtype=torch.float32), draw(400, 8, seed=1, dtype=torch.float32)
    wanted = by_features(CKA, x, y).item()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert by_features(CKA, x, y).item() == wanted
        assert by_features(CKA, x.bfloat16(), y).dtype == torch.float32


class Words(nn.Module):
    """A net over tokens: ids (n, t) to logits (n, t, 5)."""

    def __init__(self, width, seed):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.embedding = nn.Embedding(7, width)
            self.a, self.b, self.head = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, 5)

    def forward(self, ids):
        return self.head(self.b(self.a(self.embedding(ids)).relu()).relu())


def guided(similarity, *, width, guide_width, n=6, t=5):
    """Loss, gradients and report of a step with tokens as samples."""
    target, guide = Words(width, 0), Words(guide_width, 1)
    ids = torch.randint(0, 7, (n, t), generator=torch.Generator().manual_seed(0))
    with gl.guide(target, guide, samples="tokens", similarity=similarity) as g:
        target(ids)
        loss = g.loss()
        loss.backward()
        return loss, [p.grad for p in target.parameters() if p.grad is not None], g.report()


@BOTH
@pytest.mark.parametrize(("width", "guide_width"), [(8, 12), (64, 12), (8, 64), (64, 64)])
def test_guidance_is_the_same_whichever_way_a_side_is_held(similarity, width, guide_width):
    """With 30 tokens: of layers of 64 features the Gram matrix is made, of the others it is not."""
    ours = guided(similarity, width=width, guide_width=guide_width)
    theirs = guided(replace(similarity, factored=None), width=width, guide_width=guide_width)
    assert ours[0].item() == pytest.approx(theirs[0].item(), rel=1e-5)
    for a, b in zip(ours[1], theirs[1], strict=True):
        assert torch.allclose(a, b, rtol=1e-3, atol=1e-6)
    names = ["target", "guide", "n"]
    assert ours[2][names].equals(theirs[2][names])
    numbers = [column for column in ours[2] if column not in names]
    assert ours[2][numbers].to_numpy() == pytest.approx(theirs[2][numbers].to_numpy(), rel=1e-3, abs=1e-5)


def test_tokens_whose_gram_matrix_would_fill_the_memory():
    """60,000 of them: 14 GB a layer."""
    loss, grads, report = guided("cka", width=8, guide_width=12, n=600, t=100)
    assert report["n"].tolist() == [60_000] * 2
    assert 0 < loss.item() < 2 and all(grad.isfinite().all() for grad in grads)
    assert (report["cka"] - report["cka_debiased"]).abs().max() < 1e-2  # with so many the bias is gone


def test_a_guide_that_says_nothing_is_refused_as_ever():
    target, guide = Words(8, 0), Words(8, 1)
    for layer in (guide.a, guide.b):
        nn.init.zeros_(layer.weight)
    with gl.guide(target, guide, samples="tokens") as g:
        target(torch.randint(0, 7, (6, 5)))
        with pytest.raises(ValueError, match="the guide has nothing to say"):
            g.loss()


def test_the_participation_ratio_is_that_of_the_gram_matrix():
    held = Factored.of(draw(40, 5) * torch.arange(1, 6))
    assert participation_ratio(held.covariance()).item() == pytest.approx(
        participation_ratio(held.gram()).item(), rel=1e-9)
