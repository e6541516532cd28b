"""Initialisations without a guide: what they change, by how much, and what they do to the gradients."""

import copy

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from guidelib.analysis import gradient_norms
from guidelib.baselines import move_as_far, shift_batchnorm
from guidelib.networks import FCN, RNN, ResNet


def test_shifting_adds_to_the_biases_of_normalisation_and_to_nothing_else():
    net = FCN(inputs=30, outputs=2, depth=3, width=20)
    shifted = shift_batchnorm(copy.deepcopy(net), 0.5)
    for (name, a), (_, b) in zip(net.named_parameters(), shifted.named_parameters(), strict=True):
        assert torch.equal(b, a + 0.5 if name.endswith("norm.bias") else a), name
    biases = [m.bias for m in shift_batchnorm(ResNet(width=4)).modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(biases) > 10 and all((b == 1).all() for b in biases)


def test_a_net_without_normalisation_cannot_be_shifted():
    with pytest.raises(ValueError, match="RNN has no normalisation layer with a bias to shift"):
        shift_batchnorm(RNN(vocab=4, outputs=2, width=8, depth=2))


def test_shifted_biases_keep_gradients_of_one_size_through_depth():
    """Yang et al. 2019: at biases of 0 they grow by a constant factor a layer.

    Where most ReLUs pass their input on, they hardly do.
    """
    x = torch.randn(64, 30, generator=torch.Generator().manual_seed(0))
    ratio = {}
    for by in (0.0, 1.0):
        net = shift_batchnorm(FCN(inputs=30, outputs=10, depth=30, width=64), by)
        norms = gradient_norms(net, F.cross_entropy(net(x), torch.arange(64) % 10))
        norms = norms.set_index("layer")["gradient_norm"]
        ratio[by] = norms["blocks.0.linear"] / norms["blocks.29.linear"]
    assert ratio[0.0] > 20 * ratio[1.0]


def test_every_parameter_is_moved_as_far_and_elsewhere():
    net = FCN(inputs=30, outputs=2, depth=3, width=20)
    trained = FCN(inputs=30, outputs=2, depth=3, width=20, seed=1)
    moved = move_as_far(copy.deepcopy(net), trained, seed=3)
    for p, q, r in zip(net.parameters(), trained.parameters(), moved.parameters(), strict=True):
        assert (r - p).norm().item() == pytest.approx((q - p).norm().item(), rel=1e-4, abs=1e-7)
        if p.numel() > 100:  # in high dimensions a random direction is nearly at right angles
            cosine = F.cosine_similarity((r - p).flatten(), (q - p).flatten(), dim=0)
            assert abs(cosine.item()) < 0.3
    again = move_as_far(copy.deepcopy(net), trained, seed=3)
    assert all(torch.equal(a, b) for a, b in zip(moved.parameters(), again.parameters(), strict=True))
