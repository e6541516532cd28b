"""WikiText-2, on a text of the same make with a few words, and on the real files where they are."""

import hashlib
import math

import pytest
import torch

from guidelib import tasks
from guidelib.tasks import wikitext
from guidelib.tasks.cifar10_files import data_folder
from guidelib.training.loop import train

SPLITS = ("train", "validation", "test")
VALID = """
 = Owl =

 the owl sees the owl
 the cat sees the owl
 the owl sees <unk> the cat
 the fox runs off
"""  # 7 lines, 30 words with an <eos> for each line: 27 to train, 3 to validate
TEST = "the dog \nthe owl\n"


def write(place, **texts):
    place.mkdir(parents=True, exist_ok=True)
    for name, text in ({"valid": VALID, "test": TEST} | texts).items():
        (place / f"{name}.txt").write_bytes(text.encode("latin-1"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(wikitext, "TOKENS", {"valid.txt": (7, 30), "test.txt": (2, 6)})
    monkeypatch.delenv("GUIDELIB_DATA", raising=False)
    write(tmp_path / "wikitext-2")
    return tmp_path


def spoken(task, split):
    """Windows (x, y) as text."""
    texts = [[" ".join(task.words[i] for i in row) for row in part] for part in task.split(split)]
    return list(zip(*texts, strict=True))


def test_wikitext_by_hand(folder):
    task = tasks.wikitext2_small(length=2, folder=folder)
    # Of the training part, by frequency and then as text.
    assert task.words == ("the", "<eos>", "owl", "sees", "=", "cat", "<unk>", "Owl", "fox")
    assert sorted(spoken(task, "train")) == sorted([
        ("<eos> =", "= Owl"), ("Owl =", "= <eos>"), ("<eos> <eos>", "<eos> the"), ("the owl", "owl sees"),
        ("sees the", "the owl"), ("owl <eos>", "<eos> the"), ("the cat", "cat sees"), ("sees the", "the owl"),
        ("owl <eos>", "<eos> the"), ("the owl", "owl sees"), ("sees <unk>", "<unk> the"),
        ("the cat", "cat <eos>"), ("<eos> the", "the fox")])
    assert spoken(task, "validation") == [("<unk> <unk>", "<unk> <eos>")]  # runs off
    assert spoken(task, "test") == [("the <unk>", "<unk> <eos>"), ("<eos> the", "the owl")]
    assert task.chance == 0.25 and task.chance_loss == pytest.approx(math.log(4), rel=1e-12)
    assert task.floor_loss is None and task.pad is None
    assert (task.name, task.vocab, task.classes, task.input_shape) == ("wikitext-2-small", 9, 9, (2,))
    assert task.data_hash == hashlib.sha256((VALID + TEST).encode()).hexdigest()


def test_wikitext_sizes_choose_windows_and_leave_the_words(folder):
    whole = tasks.wikitext2_small(length=2, folder=folder)
    part = tasks.wikitext2_small(length=2, train=5, test=1, folder=folder)
    assert part.words == whole.words
    assert spoken(part, "train") == spoken(whole, "train")[:5]
    assert spoken(part, "test") == spoken(whole, "test")[:1]


def test_wikitext_seed_orders_the_training_windows_alone(folder):
    first, *others = (tasks.wikitext2_small(length=2, split_seed=seed, folder=folder) for seed in range(8))
    for other in others:
        assert spoken(other, "test") == spoken(first, "test")
        assert spoken(other, "train") != spoken(first, "train")
        assert sorted(spoken(other, "train")) == sorted(spoken(first, "train"))


def test_wikitext_is_found_by_the_environment(folder, monkeypatch):
    monkeypatch.setenv("GUIDELIB_DATA", str(folder))
    assert tasks.load("wikitext-2-small", length=2).data_hash == tasks.fingerprint("wikitext-2-small")


def test_wikitext_missing(tmp_path):
    (tmp_path / "wikitext-2").mkdir()
    (tmp_path / "wikitext-2" / "valid.txt").write_text(VALID)
    with pytest.raises(tasks.MissingData) as error:  # one file is not enough
        tasks.wikitext2_small(folder=tmp_path)
    for part in (str(tmp_path), "valid.txt and test.txt", "1.1 and 1.3 MB", "pytorch/examples",
                 "GUIDELIB_DATA"):
        assert part in str(error.value)


@pytest.mark.parametrize(("text", "message"), [
    (VALID[:40], r"valid\.txt.*cut off: expected 7 lines and 30 words.*found 5 and 15"),
    (VALID.replace("owl\n", "owl\v\n \n", 1), "found 8 and 31"),
    (VALID.replace("cat", "c\xe2t"), r"valid\.txt is not UTF-8")])
def test_wikitext_files_that_are_not_right(folder, text, message):
    write(folder / "wikitext-2", valid=text)
    with pytest.raises(ValueError, match=message):
        tasks.wikitext2_small(length=2, folder=folder)


@pytest.mark.parametrize("where", [".", "wikitext-2"])
def test_wikitext_altered_words_are_caught_by_sums(folder, where):
    place = folder / "wikitext-2"
    lines = []
    for path in (place / "valid.txt", place / "test.txt"):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        lines.append(f"{digest}  {path.relative_to(folder / where).as_posix()}\n")
    (folder / where / "SHA256SUMS").write_text("".join(lines))
    tasks.wikitext2_small(length=2, folder=folder)
    write(place, test=TEST.replace("owl", "cat"))  # as many lines and words
    with pytest.raises(ValueError, match=r"test\.txt was altered"):
        tasks.wikitext2_small(length=2, folder=folder)


@pytest.mark.parametrize("sizes", [{"train": 14}, {"validation": 2}, {"test": 0}])
def test_wikitext_has_only_so_many_windows(folder, sizes):
    (name, n), = sizes.items()
    with pytest.raises(ValueError, match=f"{name} has .* windows of 2 words, received {name}={n}"):
        tasks.wikitext2_small(length=2, folder=folder, **sizes)


def test_one_epoch_of_a_tiny_model(folder):
    task = tasks.wikitext2_small(length=2, folder=folder)
    net = torch.nn.Sequential(torch.nn.Embedding(task.vocab, 8), torch.nn.Linear(8, task.classes))
    history = train(net, task, epochs=1, batch_size=4, lr=0.05)
    assert history.status == "ok"
    assert 0 < history.table["test_loss"].iloc[0] < math.log(task.classes) + 0.5


def is_there():
    return any((data_folder() / place / "valid.txt").is_file() for place in ("wikitext-2", "."))


@pytest.mark.skipif(not is_there(), reason="WikiText-2 is not on this machine: "
                                           "set GUIDELIB_DATA to the folder that has it")
def test_the_real_wikitext():
    """The counts that the docstring gives, by another way, and chance as that of <unk> in the test split."""
    task = tasks.wikitext2_small(length=50)
    assert task.vocab == 12_950
    assert [len(task.split(name)[1]) for name in SPLITS] == [3917, 435, 4911]
    _, path = wikitext._find(None)
    words = path.read_text(encoding="utf-8").replace("\n", " <eos> ").split()
    known = set(task.words)
    new = sum(word not in known for word in words) / len(words)
    assert round(100 * new, 1) == 5.4
    labels = words[1:4911 * 50 + 1]
    unknown = sum(word not in known or word == "<unk>" for word in labels) / len(labels)
    assert task.chance == pytest.approx(unknown, rel=1e-12)
    assert 5.5 < task.chance_loss < 6.5
