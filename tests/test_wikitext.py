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
    return [tuple(" ".join(task.words[i] for i in row) for row in pair) for pair in zip(*(part.tolist() for part in task.split(split)), strict=True)]


def test_wikitext_by_hand(folder):
    task = tasks.wikitext2_small(length=2, folder=folder)
    assert task.words == ("the", "<eos>", "owl", "sees", "=", "cat", "<unk>", "Owl", "fox")  # of the training part, by frequency and then as text
    assert sorted(spoken(task, "train")) == sorted([
        ("<eos> =", "= Owl"), ("Owl =", "= <eos>"), ("<eos> <eos>", "<eos> the"), ("the owl", "owl sees"), ("sees the", "the owl"),
        ("owl <eos>", "<eos> the"), ("the cat", "cat sees"), ("sees the", "the owl"), ("owl <eos>", "<eos> the"), ("the owl", "owl sees"),
        ("sees <unk>", "<unk> the"), ("the cat", "cat <eos>"), ("<eos> the", "the fox")])
    assert spoken(task, "validation") == [("<unk> <unk>", "<unk> <eos>")]  # runs off
    assert spoken(task, "test") == [("the <unk>", "<unk> <eos>"), ("<eos> the", "the owl")]
    assert task.chance == 0.25 and task.chance_loss == pytest.approx(math.log(4), rel=1e-12) and task.floor_loss is None and task.pad is None
    assert (task.name, task.vocab, task.classes, task.input_shape) == ("wikitext-2-small", 9, 9, (2,))
    assert task.data_hash == hashlib.sha256((VALID + TEST).encode()).hexdigest()


def test_wikitext_sizes_choose_windows_and_leave_the_words(folder):
    whole, part = (tasks.wikitext2_small(length=2, train=n, test=m, folder=folder) for n, m in ((None, None), (5, 1)))
    assert spoken(part, "train") == spoken(whole, "train")[:5] and spoken(part, "test") == spoken(whole, "test")[:1] and part.words == whole.words
    other = tasks.wikitext2_small(length=2, split_seed=1, folder=folder)
    assert all(spoken(tasks.wikitext2_small(length=2, split_seed=seed, folder=folder), "test") == spoken(whole, "test") for seed in range(8))
    assert spoken(other, "train") != spoken(whole, "train") and sorted(spoken(other, "train")) == sorted(spoken(whole, "train"))


def test_wikitext_is_found_by_the_environment(folder, monkeypatch):
    monkeypatch.setenv("GUIDELIB_DATA", str(folder))
    assert tasks.load("wikitext-2-small", length=2).data_hash == tasks.fingerprint("wikitext-2-small")


def test_wikitext_missing(tmp_path):
    (tmp_path / "wikitext-2").mkdir()
    (tmp_path / "wikitext-2" / "valid.txt").write_text(VALID)
    with pytest.raises(tasks.MissingData) as error:  # one file is not enough
        tasks.wikitext2_small(folder=tmp_path)
    for part in (str(tmp_path), "valid.txt and test.txt", "1.1 and 1.3 MB", "pytorch/examples", "GUIDELIB_DATA"):
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
    names = [path.relative_to(folder / where).as_posix() for path in (place / "valid.txt", place / "test.txt")]
    sums = (f"{hashlib.sha256((folder / where / name).read_bytes()).hexdigest()}  {name}\n" for name in names)
    (folder / where / "SHA256SUMS").write_text("".join(sums))
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
    history = train(torch.nn.Sequential(torch.nn.Embedding(task.vocab, 8), torch.nn.Linear(8, task.classes)), task, epochs=1, batch_size=4, lr=0.05)
    assert history.status == "ok" and 0 < history.table["test_loss"].iloc[0] < math.log(task.classes) + 0.5


def is_there():
    return any((data_folder() / place / "valid.txt").is_file() for place in ("wikitext-2", "."))


@pytest.mark.skipif(not is_there(), reason="WikiText-2 is not on this machine: set GUIDELIB_DATA to the folder that has it")
def test_the_real_wikitext():
    """The counts that the docstring gives, by another way, and chance as that of <unk> in the test split."""
    task = tasks.wikitext2_small(length=50)
    assert task.vocab == 12_950 and [len(task.split(name)[1]) for name in SPLITS] == [3917, 435, 4911]
    words = [word for line in (wikitext._find(None)[1]).read_text(encoding="utf-8").split("\n")[:-1] for word in [*line.split(), "<eos>"]]
    known = set(task.words)
    new = sum(word not in known for word in words) / len(words)
    unknown = sum(word not in known or word == "<unk>" for word in words[1:4911 * 50 + 1]) / (4911 * 50)
    assert round(100 * new, 1) == 5.4 and task.chance == pytest.approx(unknown, rel=1e-12) and 5.5 < task.chance_loss < 6.5
