"""CIFAR-10, on files of the same make with a few images, and on the real ones where they are."""

import hashlib
import io

import numpy as np
import pytest
import torch
from PIL import Image

from guidelib import tasks
from guidelib.tasks import _cifar10 as module
from guidelib.tasks import cifar10_files as files

NAMES = {split: f"{split}-00000-of-00001.parquet" for split in ("train", "test")}


def encode(pixels, kind="png"):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


def write(path, images, labels, *, column="img"):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{"bytes": image, "path": f"{i}.png"} for i, image in enumerate(images)]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({column: pa.array(rows, kind), "label": pa.array(labels, pa.int64())}), path)


@pytest.fixture
def few(monkeypatch):
    """Let 60 and 20 images be the whole of CIFAR-10; gives {split: (pixels (n, 32, 32, 3), labels)}."""
    monkeypatch.setitem(files.COUNTS, "train", 60)
    monkeypatch.setitem(files.COUNTS, "test", 20)
    monkeypatch.delenv("GUIDELIB_DATA", raising=False)
    random = np.random.default_rng(0)
    found = {}
    for split, n in files.COUNTS.items():
        pixels = random.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8)
        found[split] = pixels, np.arange(n) * 3 % 10
    return found


@pytest.fixture
def folder(tmp_path, few):
    for split, (pixels, labels) in few.items():
        write(tmp_path / "cifar10" / NAMES[split], map(encode, pixels), labels)
    return tmp_path


def write_sums(folder, place, *, wrong=()):
    """A SHA256SUMS in `folder` for the files in `place`."""
    lines = []
    for name in NAMES.values():
        path = place / name
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if name in wrong:
            digest = "0" * 64
        lines.append(f"{digest}  {path.relative_to(folder)}\n")
    (folder / "SHA256SUMS").write_text("".join(lines))


# What it gives

def test_splits_are_those_of_the_seeded_order(folder, few):
    pixels, labels = few["train"]
    order = torch.randperm(60, generator=torch.Generator().manual_seed(7)).numpy()
    task = tasks.cifar10(train=30, validation=20, folder=folder, split_seed=7)
    train = pixels[order[:30]].astype(float)
    mean = train.mean((0, 1, 2))
    deviation = train.std((0, 1, 2), ddof=1)
    parts = {"train": (pixels[order[:30]], labels[order[:30]]),
             "validation": (pixels[order[-20:]], labels[order[-20:]]), "test": few["test"]}
    for name, (images, classes) in parts.items():
        x, y = task.split(name)
        expected = ((images - mean) / deviation).transpose(0, 3, 1, 2)
        torch.testing.assert_close(x, torch.tensor(expected, dtype=torch.float32))
        assert y.tolist() == classes.tolist()


def test_by_default_what_is_not_for_validation_trains(folder):
    task = tasks.load("cifar10", validation=10, folder=folder)
    assert [len(task.split(name)[1]) for name in ("train", "validation", "test")] == [50, 10, 20]
    assert (task.name, task.classes, task.input_shape, task.encoding) == ("cifar10", 10, (3, 32, 32), "png")


def test_size_is_a_mean_over_boxes(folder, few):
    task, whole = (tasks.cifar10(train=20, validation=10, size=size, folder=folder) for size in (16, 32))
    assert task.input_shape == (3, 16, 16) and whole.input_shape == (3, 32, 32)
    order = torch.randperm(60, generator=torch.Generator().manual_seed(0)).numpy()
    pixels, _ = few["train"]
    boxes = pixels[order[:20]].astype(float).reshape(20, 16, 2, 16, 2, 3).mean((2, 4)).transpose(0, 3, 1, 2)
    mean = boxes.mean((0, 2, 3), keepdims=True)
    deviation = boxes.std((0, 2, 3), keepdims=True)
    # Pillow rounds to whole grey levels: half of one at most, over the deviation.
    assert np.abs(task.train[0].numpy() - (boxes - mean) / deviation).max() < 0.6 / deviation.min()


def test_data_hash_is_of_both_files(folder, monkeypatch):
    data = b"".join((folder / "cifar10" / NAMES[split]).read_bytes() for split in ("train", "test"))
    assert tasks.cifar10(validation=10, folder=folder).data_hash == hashlib.sha256(data).hexdigest()
    monkeypatch.setenv("GUIDELIB_DATA", str(folder))
    assert tasks.fingerprint("cifar10") == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(("kinds", "encoding"), [(["jpeg"], "jpeg"), (["png", "jpeg"], "jpeg+png")])
def test_encoding_is_found_out(folder, few, kinds, encoding):
    for split, (pixels, labels) in few.items():
        images = [encode(image, kinds[i % len(kinds)]) for i, image in enumerate(pixels)]
        write(folder / "cifar10" / NAMES[split], images, labels)
    assert tasks.cifar10(validation=10, folder=folder).encoding == encoding


def test_what_is_kept_in_memory_cannot_be_changed_from_outside(folder):
    first = tasks.cifar10(validation=10, folder=folder)
    x, y = (t.clone() for t in first.test)
    first.test[0].zero_()
    first.test[1].zero_()
    second = tasks.cifar10(validation=10, folder=folder)
    assert torch.equal(second.test[0], x) and torch.equal(second.test[1], y)


def test_images_are_decoded_once_in_a_process(folder, monkeypatch):
    decoded = []
    decode = module.decode

    def noted(data, size, where):
        decoded.append(where)
        return decode(data, size, where)

    monkeypatch.setattr(module, "decode", noted)
    for _ in range(2):
        tasks.cifar10(train=5, validation=10, folder=folder)
    assert len(decoded) == 5 + 10 + 20  # and no other image


def test_a_file_that_changed_is_read_again(folder, few):
    before = tasks.cifar10(validation=10, folder=folder)
    pixels, labels = few["test"]
    write(folder / "cifar10" / NAMES["test"], map(encode, 255 - pixels), labels)
    after = tasks.cifar10(validation=10, folder=folder)
    assert after.data_hash != before.data_hash and not torch.equal(after.test[0], before.test[0])


# Where it looks

@pytest.mark.parametrize("place", [".", "cifar10", "plain_text", "cifar10/plain_text"])
@pytest.mark.parametrize("way", ["argument", "variable", "current folder"])
def test_places(tmp_path, few, monkeypatch, place, way):
    root = tmp_path / "data"
    for split, (pixels, labels) in few.items():
        write(root / place / NAMES[split], map(encode, pixels), labels)
    monkeypatch.chdir(tmp_path)
    if way == "variable":
        monkeypatch.chdir("/")
        monkeypatch.setenv("GUIDELIB_DATA", str(root))
    found = files.find(root if way == "argument" else None)
    assert found["train"].resolve() == (root / place / NAMES["train"]).resolve()


def test_missing_data_say_what_where_and_how(tmp_path, few, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError) as error:
        tasks.cifar10(validation=10)
    assert isinstance(error.value, tasks.MissingData) and list(tmp_path.iterdir()) == []
    for part in (*NAMES.values(), "144 MB", "uoft-cs/cifar10", "data/cifar10", "GUIDELIB_DATA",
                 "cifar10_download()"):
        assert part in str(error.value)


def test_one_file_is_not_enough(folder):
    (folder / "cifar10" / NAMES["test"]).unlink()
    with pytest.raises(tasks.MissingData):
        tasks.cifar10(validation=10, folder=folder)


# What it refuses

@pytest.mark.parametrize(("options", "received"), [
    ({"size": 33}, "received 33"), ({"size": 0}, "received 0"), ({"train": 0}, "train=0"),
    ({"validation": 0}, "validation=0"), ({"train": 55, "validation": 6}, "train=55 and validation=6")])
def test_options_that_do_not_fit(folder, options, received):
    with pytest.raises(ValueError, match=received):
        tasks.cifar10(**({"validation": 10} | options), folder=folder)


@pytest.mark.parametrize("above", [False, True])
def test_checksums(folder, above):
    place = folder / "cifar10"
    write_sums(folder if above else place, place)
    assert len(tasks.cifar10(validation=10, folder=folder).data_hash) == 64
    data = bytearray((place / NAMES["train"]).read_bytes())
    data[len(data) // 3] ^= 1
    (place / NAMES["train"]).write_bytes(data)
    message = r"train-.*altered.*expects SHA-256 [0-9a-f]{64}, found [0-9a-f]{64}"
    with pytest.raises(ValueError, match=message):
        tasks.cifar10(validation=10, folder=folder)


def test_a_wrong_checksum_names_its_file(folder):
    write_sums(folder, folder / "cifar10", wrong=[NAMES["test"]])
    with pytest.raises(ValueError, match=f"{NAMES['test']} was altered.*{'0' * 64}"):
        tasks.cifar10(validation=10, folder=folder)


def test_checksums_of_other_files_do_not_matter(folder):
    name = NAMES["train"]
    (folder / "SHA256SUMS").write_text(f"{'0' * 64}  elsewhere/{name}\n\n{'1' * 64} *{name}\n")
    assert tasks.cifar10(validation=10, folder=folder).encoding == "png"


@pytest.mark.parametrize("size", [0, 100, -50])
def test_a_file_cut_off(folder, size):
    path = folder / "cifar10" / NAMES["train"]
    data = path.read_bytes()[:size]
    path.write_bytes(data)
    message = f"{path.name} cannot be read: expected a parquet file.*found {len(data):,} bytes"
    with pytest.raises(ValueError, match=message):
        tasks.cifar10(folder=folder, validation=10)


@pytest.mark.parametrize("fault", ["missing image", "other class", "negative class", "no class", "column",
                                   "no bytes", "text"])
def test_a_file_with_the_wrong_content(folder, few, fault):
    pixels, labels = few["train"]
    images = [encode(image) for image in pixels]
    labels = labels.tolist()
    column = "img"
    if fault == "missing image":
        del images[-1], labels[-1]
    elif fault in ("other class", "negative class", "no class"):
        labels[5] = {"other class": 10, "negative class": -1, "no class": None}[fault]
    elif fault == "column":
        column = "image"
    else:
        images[5] = {"no bytes": None, "text": b"not an image"}[fault]
    write(folder / "cifar10" / NAMES["train"], images, labels, column=column)
    with pytest.raises(ValueError, match=f"{NAMES['train']} .*expected.*found.*get it again"):
        tasks.cifar10(folder=folder, validation=10)


def test_class_sizes_are_reported(folder, few):
    pixels, labels = few["test"]
    write(folder / "cifar10" / NAMES["test"], map(encode, pixels), [0, *labels[1:-1], 0])
    message = (r"not the test file of CIFAR-10: expected 20 images, 2 of each class, "
               r"found 20, by class \[3, 2")
    with pytest.raises(ValueError, match=message):
        tasks.cifar10(folder=folder, validation=10)


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda pixels: encode(pixels)[:200], "cannot be decoded"),
    (lambda pixels: encode(pixels[:16]), "has 32x16 pixels")], ids=["cut off", "other shape"])
def test_an_image_that_is_not_one(folder, few, spoil, message):
    pixels, labels = few["test"]
    images = [encode(image) for image in pixels]
    images[7] = spoil(pixels[7])
    write(folder / "cifar10" / NAMES["test"], images, labels)
    with pytest.raises(ValueError, match=f"{NAMES['test']}: image 7 {message}"):
        tasks.cifar10(folder=folder, validation=10)


# Download, from a folder in the place of the network

@pytest.fixture
def source(folder, monkeypatch):
    monkeypatch.setattr(files, "SOURCE", (folder / "cifar10").as_uri() + "/" + files.FILE)
    return folder / "cifar10"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_download(source, few, tmp_path, monkeypatch):
    place = tasks.cifar10_download(tmp_path / "new", progress=False)
    assert place == tmp_path / "new" / "cifar10"
    assert contents(place) == contents(source)
    assert tasks.cifar10(validation=10, folder=tmp_path / "new").encoding == "png"


@pytest.mark.parametrize("way", ["variable", "current folder", "checkout"])
def test_download_goes_where_it_is_looked_for(source, tmp_path, monkeypatch, way):
    inside = tmp_path / "notebooks"
    inside.mkdir()
    monkeypatch.chdir(inside if way == "checkout" else tmp_path)
    monkeypatch.setattr(files, "CHECKOUT", tmp_path if way == "checkout" else tmp_path / "no checkout")
    if way == "variable":
        monkeypatch.setenv("GUIDELIB_DATA", str(tmp_path / "other"))
    place = tasks.cifar10_download(progress=False)
    assert place.resolve() == tmp_path / ("other" if way == "variable" else "data") / "cifar10"
    assert files.find()["test"].parent.resolve() == place.resolve()


def test_download_goes_on_after_a_failure_and_keeps_what_is_there(source, tmp_path):
    (source / NAMES["test"]).rename(source / "away")
    with pytest.raises(OSError):
        tasks.cifar10_download(tmp_path / "new", progress=False)
    place = tmp_path / "new" / "cifar10"
    assert [path.name for path in place.iterdir()] == [NAMES["train"]]
    kept = (place / NAMES["train"]).stat().st_mtime_ns
    (source / "away").rename(source / NAMES["test"])
    tasks.cifar10_download(tmp_path / "new", progress=False)
    assert sorted(path.name for path in place.iterdir()) == sorted(NAMES.values())
    assert (place / NAMES["train"]).stat().st_mtime_ns == kept


def test_download_keeps_no_file_that_is_not_right(source, tmp_path):
    (source / NAMES["train"]).write_bytes(b"an error page")
    with pytest.raises(ValueError, match="found 13 bytes"):
        tasks.cifar10_download(tmp_path / "new", progress=False)
    assert list((tmp_path / "new" / "cifar10").iterdir()) == []


def test_download_that_is_cut_off(source, tmp_path, monkeypatch):
    import urllib.request

    class Answer(io.BytesIO):
        headers = {"Content-Length": "1000"}

    monkeypatch.setattr(urllib.request, "urlopen", lambda url, timeout: Answer(b"x" * 999))
    with pytest.raises(OSError, match="expected 1,000 bytes, found 999"):
        tasks.cifar10_download(tmp_path / "new", progress=False)
    assert list((tmp_path / "new" / "cifar10").iterdir()) == []


# The real files

def is_there():
    try:
        return bool(files.find())
    except tasks.MissingData:
        return False


real = pytest.mark.skipif(not is_there(), reason="CIFAR-10 is not on this machine: "
                                                 "set GUIDELIB_DATA to the folder that has it")


@real
def test_the_real_files():
    """Read, checked, and a few images decoded.

    A nearest class mean is well above chance, so images belong to their labels.
    """
    images, labels, encoding, _ = files.read(files.find())
    assert [len(images[split]) for split in ("train", "test")] == [50_000, 10_000]
    assert encoding in ("png", "jpeg")
    order = np.random.default_rng(0).permutation(10_000)[:1500]
    pixels = np.stack([module.decode(images["test"][i], 8, "") for i in order])
    x = torch.tensor(pixels, dtype=torch.float32).flatten(1)  # (1500, 192)
    y = torch.tensor(labels["test"][order])
    means = torch.stack([x[:1000][y[:1000] == c].mean(0) for c in range(10)])
    found = torch.cdist(x[1000:], means).argmin(1)
    accuracy = (found == y[1000:]).float().mean().item()
    assert accuracy > 0.1 + 4 * (0.1 * 0.9 / 500) ** 0.5  # 4 standard errors of chance


@real
@pytest.mark.slow
def test_the_real_task():
    """The training images' channel means and deviations are the published ones of all 50,000 PNG images.

    Up to what JPEG and a split change.
    """
    task = tasks.cifar10()
    assert [len(task.split(name)[1]) for name in ("train", "validation", "test")] == [45_000, 5_000, 10_000]
    assert [m / 255 for m in task.mean] == pytest.approx([0.4914, 0.4822, 0.4465], abs=0.003)
    assert [d / 255 for d in task.deviation] == pytest.approx([0.2470, 0.2435, 0.2616], abs=0.003)
    # The test split less exactly so: it is normalised by another one.
    for (x, _), tolerance in ((task.train, 1e-4), (task.test, 0.03)):
        torch.testing.assert_close(x.mean((0, 2, 3)), torch.zeros(3), atol=tolerance, rtol=0)
