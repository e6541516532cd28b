"""Padding: places that a mask leaves out have no part in a similarity, in any of the three ways to sample."""

import warnings

import pytest
import torch
from torch import nn

import guidelib as gl

LENGTHS = torch.tensor([2, 5, 3, 4, 5, 1, 4, 3])
SEEN = torch.arange(5) < LENGTHS[:, None]  # (n, places)


class Reader(nn.Module):
    """Each place by itself, so that paddings change nothing but themselves."""

    def __init__(self, width, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.embed, self.hidden = nn.Embedding(20, 6), nn.Linear(6, width)
        self.pooler, self.out = nn.Linear(width, 3), nn.Linear(3, 2)

    def forward(self, ids, attention_mask=None):
        seen = attention_mask[..., None].to(torch.float32)
        return self.out(self.pooler((self.hidden(self.embed(ids)) * seen).sum(1)))

    def features(self, ids):
        return self.hidden(self.embed(ids))  # (n, places, width)


@pytest.fixture
def nets():
    return Reader(4, 0), Reader(5, 1)


@pytest.fixture
def ids():
    return torch.randint(3, 20, (8, 5), generator=torch.Generator().manual_seed(0))


def found(nets, ids, *, seen=SEEN, mask="attention_mask", **options):
    """The misalignment of the two hidden layers in one step."""
    target, guide = nets
    with gl.guide(target, guide, layers={"hidden": "hidden"}, mask=mask, **options) as g:
        target(ids, attention_mask=seen.long())
        return g.loss().item()


def by_hand(nets, ids, samples):
    x, y = (net.features(ids) for net in nets)
    if samples == "tokens":
        return x[SEEN], y[SEEN]
    zeroed = [torch.where(SEEN[..., None], a, 0) for a in (x, y)]
    return zeroed if samples == "batch" else [a.sum(1) / LENGTHS[:, None] for a in zeroed]


@pytest.mark.parametrize("debiased", [False, True])
@pytest.mark.parametrize("samples", ["batch", "tokens", "pool"])
def test_it_is_the_similarity_of_the_places_that_count(nets, ids, samples, debiased):
    expected = 1 - gl.cka(*by_hand(nets, ids, samples), debiased=debiased).item()
    assert found(nets, ids, samples=samples, debiased=debiased) == pytest.approx(expected, rel=1e-4)
    other = torch.where(SEEN, ids, 3)  # paddings of one kind
    assert found(nets, other, samples=samples, debiased=debiased) == pytest.approx(expected, rel=1e-4)
    whole = [found(nets, x, mask=None, seen=torch.ones_like(SEEN), samples=samples, debiased=debiased)
             for x in (ids, other)]
    assert abs(whole[0] - whole[1]) > 0.01  # without a mask paddings count


@pytest.mark.parametrize("mask", ["attention_mask", lambda ids, attention_mask: attention_mask.bool()])
def test_a_mask_is_named_or_made_and_new_in_each_step(nets, ids, mask):
    target, guide = nets
    with gl.guide(target, guide, layers={"hidden": "hidden"}, mask=mask, samples="tokens") as g:
        for seen in (SEEN, SEEN.flip(0)):
            target(ids, attention_mask=seen.long())
            x, y = (net.features(ids)[seen] for net in nets)
            assert g.loss().item() == pytest.approx(1 - gl.cka(x, y).item(), rel=1e-4)


def test_layers_with_other_places_are_taken_whole(nets, ids):
    target, guide = nets
    with gl.guide(target, guide, layers={"pooler": "pooler"}, mask="attention_mask") as g:
        target(ids, attention_mask=SEEN.long())
        x, y = (net.pooler((net.features(ids) * SEEN[..., None]).sum(1)) for net in nets)
        assert g.loss().item() == pytest.approx(1 - gl.cka(x, y).item(), rel=1e-4)


def test_the_inputs_own_gram_matrix_leaves_paddings_out_too(nets, ids):
    target, _ = nets
    with gl.guide(target, gl.controls.data_gram(inputs=0), layers={"hidden": "data_gram*"},
                  mask="attention_mask", reduce="mean") as g:
        target(ids, attention_mask=SEEN.long())
        codes = nn.functional.one_hot(ids).float() * SEEN[..., None]
        hidden = torch.where(SEEN[..., None], target.features(ids), 0)
        assert g.loss().item() == pytest.approx(1 - gl.cka(hidden, codes).item(), rel=1e-4)


def test_who_pads_without_a_mask_hears_of_it_once(nets, ids):
    target, guide = nets
    with gl.guide(target, guide, samples="pool") as g:
        with pytest.warns(UserWarning, match="mask='attention_mask' leaves them out"):
            target(ids, attention_mask=SEEN.long())
            g.loss()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            target(ids, attention_mask=SEEN.long())
            g.loss()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found(nets, ids, mask=None, seen=torch.ones_like(SEEN))
        found(nets, ids)


@pytest.mark.parametrize(("mask", "said"), [
    ("mask", r"no mask 'mask' among the target's arguments: choose from \[0, 'attention_mask'\]"),
    (lambda *args, **kwargs: SEEN[0], r"mask is \(n, places\) with n = 8, received \(5,\)"),
    (lambda *args, **kwargs: None, "received NoneType"),
    (lambda *args, **kwargs: torch.zeros(8, 5), "leaves out every place")])
def test_a_mask_that_is_none_is_refused(nets, ids, mask, said):
    with pytest.raises(ValueError, match=said):
        found(nets, ids, mask=mask)
