"""Outside oracles, from the extra `oracles`: other people's code gives the same numbers."""

import pytest
import torch

import guidelib as gl

WHY = "the extra `oracles` is not installed: pip install -e '.[oracles]'"


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(30, 12, generator=generator, dtype=torch.float64)
    return x, x[:, :7] + torch.randn(30, 7, generator=generator, dtype=torch.float64)


def test_rsatoolbox_whitened_cosine_is_cka(pair):
    """Linear CKA is the whitened cosine of squared Euclidean dissimilarities (Williams 2024)."""
    toolbox = pytest.importorskip("rsatoolbox", reason=WHY)
    data = [toolbox.data.Dataset(a.numpy()) for a in pair]
    rdms = [toolbox.rdm.calc_rdm(each, method="euclidean") for each in data]
    value = toolbox.rdm.compare(*rdms, method="cosine_cov").item()
    assert gl.cka(*pair).item() == pytest.approx(value, rel=1e-9)
    assert gl.cka(*pair, debiased=True).item() != pytest.approx(value, rel=1e-3)


@pytest.mark.parametrize("debiased", [False, True])
def test_ckatorch(pair, debiased):
    module = pytest.importorskip("ckatorch.core", reason=WHY)
    value = module.cka_base(*pair, kernel="linear", unbiased=debiased).item()
    assert gl.cka(*pair, debiased=debiased).item() == pytest.approx(value, rel=1e-10)
    assert gl.cka(*pair, debiased=not debiased).item() != pytest.approx(value, rel=1e-3)


def test_pytorch_cka_hsic(pair):
    module = pytest.importorskip("cka.hsic", reason=WHY)
    k, l = ((a @ a.T)[None] for a in pair)  # stacks of one, (1, n, n)
    kl, kk, ll = (h.squeeze() for h in module.hsic(k, l))
    value = (kl / (kk * ll).sqrt()).item()
    assert gl.cka(*pair, debiased=True).item() == pytest.approx(value, rel=1e-9)
    assert gl.cka(*pair).item() != pytest.approx(value, rel=1e-3)
