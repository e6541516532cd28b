"""Tasks: splits that never meet, normalisation by the training split alone, batches, and the digits."""

import hashlib
import math

import pytest
import torch

from guidelib import tasks
from guidelib.tasks.image_task import image_task


@pytest.fixture(scope="module")
def raw_digits():
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return pixels, labels


def small_task(n=10, **changes):
    """Images whose every pixel is the example's number."""
    def split(first, n):
        numbers = torch.arange(first, first + n)
        return numbers.view(-1, 1, 1, 1).float().expand(n, 2, 3, 4), numbers % 5

    splits = {"train": split(0, n), "validation": split(100, 4), "test": split(200, 6)} | changes
    return image_task(name="numbers", classes=5, data_hash="", encoding="raw", **splits)


# What every image task does

def test_shape_and_chance():
    task = small_task()
    assert task.input_shape == (2, 3, 4)
    assert task.chance == 0.2 and task.chance_loss == pytest.approx(math.log(5), abs=1e-15)


def test_chance_loss_is_that_of_a_blind_guess():
    task = small_task()
    blind = torch.nn.functional.cross_entropy(torch.zeros(10, task.classes), task.train[1])
    assert blind.item() == pytest.approx(task.chance_loss, rel=1e-6)


def test_types():
    task = small_task(test=(torch.zeros(4, 2, 3, 4, dtype=torch.uint8), torch.zeros(4, dtype=torch.int32)))
    for name in ("train", "validation", "test"):
        x, y = task.split(name)
        assert x.dtype == torch.float32 and y.dtype == torch.int64


def test_normalised_by_the_training_split_alone():
    generator = torch.Generator().manual_seed(0)
    scale = torch.tensor([1.0, 50.0]).view(1, 2, 1, 1)  # a channel each
    train = torch.rand(8, 2, 3, 4, generator=generator) * scale + scale
    other = torch.rand(8, 2, 3, 4, generator=generator) * scale + scale
    y = torch.zeros(8)
    task = small_task(train=(train, y), validation=(other, y), test=(other * 1000, y))
    pixels = train.transpose(0, 1).reshape(2, -1).double()  # (c, n h w)
    mean = pixels.mean(1)
    deviation = pixels.std(1)

    def normalise(x):
        return ((x - mean.view(1, 2, 1, 1)) / deviation.view(1, 2, 1, 1)).float()

    torch.testing.assert_close(task.train[0], normalise(train))
    torch.testing.assert_close(task.validation[0], normalise(other))
    torch.testing.assert_close(task.test[0], normalise(other * 1000))  # far off: it had no say


def test_the_raw_images_can_be_shown_again():
    x = torch.rand(8, 2, 3, 4, generator=torch.Generator().manual_seed(0)) * 255
    task = small_task(validation=(x, torch.zeros(8)))
    mean, deviation = (torch.tensor(v).view(1, 2, 1, 1) for v in (task.mean, task.deviation))
    torch.testing.assert_close(task.validation[0] * deviation + mean, x)


def test_what_is_handed_in_stays_as_it_is():
    x = torch.rand(8, 2, 3, 4)
    y = torch.zeros(8, dtype=torch.int64)
    before = x.clone()
    task = small_task(train=(x, y))
    task.train[0].zero_()
    task.train[1].fill_(3)
    assert torch.equal(x, before) and not y.any()


def test_a_constant_channel_is_refused():
    with pytest.raises(ValueError, match=r"numbers: cannot normalise.*\(8, 2, 3, 4\)"):
        small_task(train=(torch.ones(8, 2, 3, 4), torch.zeros(8)))


def test_moving_a_task_leaves_the_first_where_it_was():
    task = small_task()
    moved = task.to("meta")
    for name in ("train", "validation", "test"):
        assert all(t.device.type == "meta" for t in moved.split(name))
    assert task.train[0].device.type == "cpu" and moved.classes == task.classes


# Batches

def labels(task, *args, **kwargs):
    return [y.tolist() for _, y in task.batches(*args, **kwargs)]


def test_batches_in_order():
    assert labels(small_task(), "train", 4) == [[0, 1, 2, 3], [4, 0, 1, 2], [3, 4]]


def test_shuffled_batches_hold_each_example_once_with_its_label():
    task = small_task(100)
    batches = list(task.batches("train", 32, torch.Generator().manual_seed(0)))
    assert [len(y) for _, y in batches] == [32, 32, 32, 4]  # the ragged one is kept
    x = torch.cat([x for x, _ in batches])
    y = torch.cat([y for _, y in batches])
    low, high = task.train[0].aminmax()
    number = ((x[:, 0, 0, 0] - low) / (high - low) * 99).round().long()
    assert torch.equal(number.sort().values, torch.arange(100)) and not torch.equal(number, torch.arange(100))
    assert torch.equal(number % 5, y)


@pytest.mark.parametrize(("n", "last"), [(35, 32), (36, 4)])
def test_fewer_than_four_left_over_are_dropped_when_shuffling(n, last):
    task = small_task(n)
    assert [len(y) for _, y in task.batches("train", 32, torch.Generator())][-1] == last
    assert sum(len(y) for _, y in task.batches("train", 32)) == n  # evaluation sees them all


def test_the_generator_decides_the_order():
    task = small_task(50)

    def order(generator):
        return labels(task, "train", 8, generator)

    generator = torch.Generator().manual_seed(3)
    first, second = order(generator), order(generator)
    assert first != second  # another order each epoch
    assert first == order(torch.Generator().manual_seed(3)) != order(torch.Generator().manual_seed(4))


def test_batches_leave_the_global_stream_alone():
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    list(small_task().batches("train", 4, torch.Generator()))
    tasks.digits(train=50)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize(("arguments", "received"), [(("trian", 4), "'trian'"), (("train", 0), "received 0")])
def test_batches_refuse(arguments, received):
    with pytest.raises(ValueError, match=received):
        list(small_task().batches(*arguments))


# Digits

def test_digits_splits_are_those_of_the_fixed_order(raw_digits):
    pixels, classes = raw_digits
    order = torch.randperm(1797, generator=torch.Generator().manual_seed(0)).numpy()
    # Together all 1,797, each once.
    parts = {"train": order[:1000], "validation": order[1000:1300], "test": order[1300:]}
    mean = pixels[order[:1000]].mean()
    deviation = pixels[order[:1000]].std(ddof=1)
    task = tasks.digits()
    for name, index in parts.items():
        x, y = task.split(name)
        expected = torch.tensor((pixels[index] - mean) / deviation, dtype=torch.float32).view(-1, 1, 8, 8)
        torch.testing.assert_close(x, expected)
        assert y.tolist() == classes[index].tolist()


def test_digits_sizes_do_not_move_the_test_split():
    whole, part = tasks.digits(), tasks.digits(train=200, validation=100)
    assert torch.equal(whole.test[1], part.test[1])
    assert torch.equal(whole.train[1][:200], part.train[1])
    assert torch.equal(whole.validation[1][-100:], part.validation[1])
    assert not torch.equal(tasks.digits(split_seed=1).test[1], whole.test[1])


def test_digits_images_belong_to_their_labels():
    """A nearest class mean, which knows nothing but the pairing, is right on most of the test split."""
    task = tasks.digits()
    x, y = task.train
    means = torch.stack([x[y == c].flatten(1).mean(0) for c in range(10)])
    x, y = task.test
    found = torch.cdist(x.flatten(1), means).argmin(1)
    assert (found == y).float().mean() > 0.8  # chance is 0.1


def test_digits_facts(raw_digits):
    task = tasks.digits(train=10, validation=10)
    pixels, classes = raw_digits
    assert (task.name, task.classes, task.input_shape, task.encoding) == ("digits", 10, (1, 8, 8), "raw")
    data = pixels.astype("float64").tobytes() + classes.astype("int64").tobytes()
    assert task.data_hash == hashlib.sha256(data).hexdigest() == tasks.fingerprint("digits")


@pytest.mark.parametrize("sizes", [
    {"train": 0}, {"train": 1001}, {"validation": 0}, {"train": 1300, "validation": 1}])
def test_digits_refuses_sizes_that_do_not_fit(sizes):
    with pytest.raises(ValueError, match="share 1300 digits") as error:
        tasks.digits(**sizes)
    assert all(f"{name}={value}" in str(error.value) for name, value in sizes.items())


# By name

def test_load_passes_options_on():
    assert len(tasks.load("digits", train=20).train[1]) == 20


@pytest.mark.parametrize("by_name", [tasks.load, tasks.fingerprint])
def test_an_unknown_name_lists_the_known(by_name):
    with pytest.raises(ValueError, match=r"'mnist'.*cifar10.*digits"):
        by_name("mnist")
