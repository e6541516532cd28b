"""Noise shaped like a sample: which distribution, from which stream, and what stays."""

import math

import pytest
import torch

from guidelib.guidance.noise import Stream, noise_like


def test_floats_are_standard_normal_of_the_samples_kind():
    sample = torch.full((200, 500), 7.0, dtype=torch.float64)
    noise = noise_like(sample, stream=Stream(0))
    assert noise.shape == sample.shape and noise.dtype == torch.float64
    bound = 5 / math.sqrt(sample.numel())  # five standard errors
    assert abs(noise.mean()) < bound and abs(noise.var() - 1) < bound * math.sqrt(2)
    assert abs(noise.abs().gt(1.959964).double().mean() - 0.05) < 5 * math.sqrt(0.05 * 0.95 / sample.numel())


def test_integers_are_uniform_over_the_samples_range():
    sample = torch.tensor([3, 5, 9]).repeat(10000)
    counts = noise_like(sample, stream=Stream(0)).bincount(minlength=11)
    assert counts[:3].sum() == 0 and counts[10] == 0
    expected = 30000 / 7
    assert ((counts[3:10] - expected).square() / expected).sum() < 22.5  # chi-square with 6 degrees of freedom, 0.1 %


def test_nested_samples_masks_and_others_stay():
    mask, flag = torch.ones(2), torch.tensor([True, False])
    sample = {"x": torch.zeros(2, 3), "attention_mask": mask, "rest": (flag, None, "word", torch.zeros(2))}
    noise = noise_like(sample, stream=Stream(0))
    assert noise["attention_mask"] is mask and noise["rest"][:3] == (flag, None, "word")
    assert noise["x"].abs().sum() > 0 and noise["rest"][3].abs().sum() > 0


def test_noise_of_ones_own():
    sample = torch.zeros(4)
    noise = noise_like(sample, stream=Stream(0), noise=lambda t, generator: torch.rand(t.shape, generator=generator))
    assert ((0 <= noise) & (noise < 1)).all() and noise.sum() > 0


def test_same_seed_same_noise_and_the_global_stream_is_not_touched():
    before, sample = torch.get_rng_state(), torch.zeros(5)
    a, b = Stream(4), Stream(4)
    for _ in range(2):
        assert torch.equal(noise_like(sample, stream=a), noise_like(sample, stream=b))
    assert not torch.equal(noise_like(sample, stream=a), noise_like(sample, stream=Stream(5)))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_stream_goes_on_where_it_was_saved():
    stream, sample = Stream(1), torch.zeros(5)
    noise_like(sample, stream=stream)
    state = stream.state_dict()
    wanted = noise_like(sample, stream=stream)
    other = Stream(99)
    other.load_state_dict(state)
    assert torch.equal(noise_like(sample, stream=other), wanted)


def test_an_unknown_noise_is_repeated():
    with pytest.raises(ValueError, match="received 'uniform'"):
        noise_like(torch.zeros(2), stream=Stream(0), noise="uniform")
