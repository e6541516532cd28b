"""Digits at random places: no digit in two splits, each whole, and somewhere else each time."""

import pytest
import torch

from guidelib import tasks
from guidelib.tasks._digits import _arrays


def raw(task, split):
    """The images of a split with the ground at 0."""
    x = task.split(split)[0]
    return x * task.deviation[0] + task.mean[0]


def cut(image):
    """The smallest rectangle that holds all that is not ground, as bytes."""
    rows, columns = image.round().nonzero(as_tuple=True)
    inside = image[rows.min():rows.max() + 1, columns.min():columns.max() + 1]
    return inside.round().to(torch.uint8).numpy().tobytes()


@pytest.fixture(scope="module")
def task():
    return tasks.placed_digits(train=200, validation=50)


def test_each_image_is_a_digit_of_its_label_somewhere_on_an_empty_ground(task):
    pixels, labels = _arrays()
    known = {}
    for image, label in zip(pixels, labels, strict=True):
        known.setdefault(cut(torch.tensor(image).view(8, 8)), set()).add(int(label))
    for split in ("train", "validation", "test"):
        images = raw(task, split)[:, 0]
        for image, label in zip(images[::7], task.split(split)[1][::7], strict=True):
            assert int(label) in known[cut(image)]


def test_no_digit_is_in_two_splits_and_each_has_as_many_places_as_asked_for():
    task = tasks.placed_digits(train=200, validation=50, copies=3)
    digits = tasks.digits(train=200, validation=50)
    for split, places in (("train", 3), ("validation", 4), ("test", 4)):
        expected = digits.split(split)[1].repeat_interleave(places)
        assert torch.equal(task.split(split)[1], expected)
        plain = digits.split(split)[0] * digits.deviation[0] + digits.mean[0]
        images = raw(task, split)
        for i in range(0, len(plain), 9):
            assert {cut(images[places * i + j, 0]) for j in range(places)} == {cut(plain[i, 0])}


def test_all_places_of_the_canvas_are_used_and_alike():
    """With 16 - 8 + 1 = 9 rows each is as likely: 1988 test images, a chi-squared of 8 degrees of freedom."""
    task = tasks.placed_digits()
    images = raw(task, "test")[:, 0]
    pixels, _ = _arrays()
    first_rows = torch.tensor(pixels).view(-1, 8, 8).sum(2).ne(0).float().argmax(1)
    assert (first_rows == 0).float().mean() > 0.9  # nearly every digit touches its own upper edge
    top = images.round().sum(2).ne(0).float().argmax(1).clamp(max=8)
    counts = torch.bincount(top, minlength=9).double()
    expected = len(images) / 9
    chi2 = ((counts - expected) ** 2 / expected).sum().item()
    assert chi2 < 40  # p = 3e-6; the few digits that do not touch the edge shift it a little
    skewed = counts.clone()
    skewed[0] += 150
    assert ((skewed - expected) ** 2 / expected).sum() > 40


def test_the_places_follow_from_the_seed_alone():
    one, two, other = (tasks.placed_digits(train=50, validation=20, split_seed=s) for s in (1, 1, 2))
    assert torch.equal(one.train[0], two.train[0])
    assert not torch.equal(one.train[0][:5], other.train[0][:5])


@pytest.mark.parametrize(("options", "message"), [
    ({"train": 1400}, "share 1300 digits"), ({"canvas": 7}, "received canvas=7"),
    ({"copies": 0}, "copies=0")])
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        tasks.placed_digits(**options)


def test_a_convolution_sees_the_same_digit_where_a_plain_layer_does_not():
    """Mean over places of a circular convolution is the same for two placements away from the edges."""
    task = tasks.placed_digits(train=20, validation=10, copies=2)
    images = raw(task, "train")
    kernel = torch.randn(1, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    padded = torch.nn.functional.pad(images, (2, 2, 2, 2))
    pooled = torch.nn.functional.conv2d(padded, kernel).relu().sum((1, 2, 3))  # (n,)
    assert torch.allclose(pooled[::2], pooled[1::2], rtol=1e-4)
    weights = torch.randn(16 * 16, generator=torch.Generator().manual_seed(1))
    plain = images.flatten(1) @ weights
    assert (plain[::2] - plain[1::2]).abs().mean() > 0.1 * plain.abs().mean()
