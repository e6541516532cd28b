"""Noise shaped like a sample: which distribution, from which stream, and what stays."""

import math

import pytest
import torch

from guidelib.guidance.noise import Stream, noise_like


def test_floats_are_standard_normal_of_the_samples_kind():
    sample = torch.full((200, 500), 7.0, dtype=torch.float64)
    noise = noise_like(sample, stream=Stream(0))
    assert noise.shape == sample.shape
    assert noise.dtype == torch.float64
    bound = 5 / math.sqrt(sample.numel())  # five standard errors
    assert abs(noise.mean()) < bound
    assert abs(noise.var() - 1) < bound * math.sqrt(2)
    beyond = noise.abs().gt(1.959964).double().mean()
    assert abs(beyond - 0.05) < bound * math.sqrt(0.05 * 0.95)


def test_integers_are_uniform_over_the_samples_range():
    sample = torch.tensor([3, 5, 9]).repeat(10000)
    counts = noise_like(sample, stream=Stream(0)).bincount(minlength=11)
    assert counts[:3].sum() == 0
    assert counts[10] == 0
    expected = 30000 / 7
    chi_square = ((counts[3:10] - expected).square() / expected).sum()
    assert chi_square < 22.5  # 6 degrees of freedom, 0.1 %


def test_nested_samples_masks_and_others_stay():
    mask = torch.ones(2)
    flag = torch.tensor([True, False])
    sample = {"x": torch.zeros(2, 3), "attention_mask": mask, "rest": (flag, None, "word", torch.zeros(2))}
    noise = noise_like(sample, stream=Stream(0))
    assert noise["attention_mask"] is mask
    assert noise["rest"][:3] == (flag, None, "word")
    assert noise["x"].abs().sum() > 0
    assert noise["rest"][3].abs().sum() > 0


def test_noise_of_ones_own():
    def uniform(sample, generator):
        return torch.rand(sample.shape, generator=generator)

    noise = noise_like(torch.zeros(4), stream=Stream(0), noise=uniform)
    assert ((0 <= noise) & (noise < 1)).all()
    assert noise.sum() > 0


def test_same_seed_same_noise_and_the_global_stream_is_not_touched():
    before = torch.get_rng_state()
    sample = torch.zeros(5)
    a, b = Stream(4), Stream(4)
    for _ in range(2):
        assert torch.equal(noise_like(sample, stream=a), noise_like(sample, stream=b))
    assert not torch.equal(noise_like(sample, stream=a), noise_like(sample, stream=Stream(5)))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_stream_goes_on_where_it_was_saved():
    stream = Stream(1)
    sample = torch.zeros(5)
    noise_like(sample, stream=stream)
    state = stream.state_dict()
    wanted = noise_like(sample, stream=stream)
    other = Stream(99)
    other.load_state_dict(state)
    assert torch.equal(noise_like(sample, stream=other), wanted)


def test_an_unknown_noise_is_repeated():
    with pytest.raises(ValueError, match="received 'uniform'"):
        noise_like(torch.zeros(2), stream=Stream(0), noise="uniform")
