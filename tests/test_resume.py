"""Runs that died: killed at any moment they end with the same bits, and nothing is made twice.

Damage and full disks are told.
"""

import errno
import json
import multiprocessing
import os
import random
import time
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import guidelib as gl
from guidelib.experiments import lock, records
from guidelib.experiments import procedure as runner
from guidelib.experiments import run as run_
from guidelib.experiments.runs import lock_of
from guidelib.training import checkpoints
from guidelib.training import loop as training
from guidelib.training.checkpoints import Checkpoint

E = gl.experiments
QUICK = ("base", "fresh-noise", "distilled")
SLOW = ("base", "untrained", "untrained-warm-up", "untrained-noise-fed", "fresh-noise-stopped", "shuffled",
        "identity", "other-family", "sp-untrained", "distilled")
EPOCHS = 60


def smoke(condition="base", **overrides):
    settings = {"depth": 3, "epochs": EPOCHS, "train": 96, "schedule": "cosine", "guide_epochs": 1,
                "dropout": 0.2}
    return E.config("deep-fcn", condition=condition, profile="smoke", **settings | overrides)


def bits(record):
    """What must be the same to the last bit, as it is written."""
    parts = {name: record[name] for name in ("config", "metrics", "curves")}
    return json.dumps(parts, sort_keys=True)


@lru_cache
def uninterrupted(config):
    return bits(records.finite(run_(config, device="cpu")))


def epochs_kept(folder):
    return [int(path.name.split(".")[-2]) for path in Path(folder).glob("*.checkpoint")]


@pytest.fixture(scope="module")
def processes():
    """A context that starts real processes; with the library imported already, where the system can fork."""
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(["guidelib.experiments", "pandas", "sklearn.datasets"])
    return context


@pytest.fixture
def resumed(monkeypatch):
    """The number of epochs found by each training that began from a checkpoint."""
    found = []
    restore = Checkpoint.restore

    def noted(self, parts, *, sample):
        rows = restore(self, parts, sample=sample)
        if rows:
            found.append(len(rows))
        return rows
    monkeypatch.setattr(Checkpoint, "restore", noted)
    return found


def killed(processes, config, out, epoch):
    """Start a run and kill it when `epoch` epochs have left a checkpoint; False if it was done before."""
    options = {"out": out, "device": "cpu", "checkpoint_every": 0}
    process = processes.Process(target=run_, args=(config,), kwargs=options)

    def reached():
        begun = 0 if lock_of(config, out).exists() else -1
        return max(epochs_kept(out), default=begun)

    process.start()
    while process.is_alive() and reached() < epoch:
        time.sleep(0.001)
    process.kill()
    process.join()
    return process.exitcode != 0


def check_kill(processes, tmp_path, condition, seed, kills, resumed):
    config = smoke(condition, seed=seed)
    chance = random.Random(seed)
    earliest = 0 if kills > 1 else 1
    epochs = sorted(chance.randint(earliest, EPOCHS // 2) for _ in range(kills))
    for attempt in range(5):  # on a busy machine a run may be done before this process is awake again
        out = tmp_path / str(attempt)
        if all(killed(processes, config, out, epoch) for epoch in epochs):
            break
    assert not records.path_of(config, out).exists()
    record = run_(config, out=out, device="cpu")
    assert max(resumed, default=0) >= epochs[-1]
    assert bits(record) == uninterrupted(config)
    assert {path.name for path in out.iterdir()} - {"guides"} == {records.path_of(config, out).name}


@pytest.mark.parametrize(("seed", "condition"), list(enumerate(QUICK)))
def test_a_killed_run_is_resumed_to_the_same_bits(processes, tmp_path, seed, condition, resumed):
    check_kill(processes, tmp_path, condition, seed, 1, resumed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_runs_killed_up_to_three_times_are_resumed_to_the_same_bits(processes, tmp_path, seed, resumed):
    check_kill(processes, tmp_path, SLOW[seed % len(SLOW)], seed, 1 + seed % 3, resumed)


class Died(Exception):
    pass


def interrupt(monkeypatch, config, out, epoch):
    """Leave the checkpoints of a run that dies, in this process, at the end of an epoch."""
    save = Checkpoint.save

    def dying(self, parts, rows, **options):
        save(self, parts, rows, **options)
        if self.stem is not None and len(rows) == epoch:
            raise Died
    with monkeypatch.context() as patched, pytest.raises(Died):
        patched.setattr(Checkpoint, "save", dying)
        run_(config, out=out, device="cpu", checkpoint_every=0)


@pytest.mark.parametrize(("condition", "epoch"), [
    ("base", 1), ("base", 4), ("untrained-warm-up", 2), ("untrained-noise-fed", 1), ("fresh-noise", 2),
    ("fresh-noise-stopped", 2), ("fresh-noise-stopped", 3), ("shuffled", 3), ("distilled-untrained", 3),
    ("dimension-kept", 2)])
def test_every_kind_of_run_goes_on_after_any_epoch(monkeypatch, tmp_path, condition, epoch, resumed):
    config = smoke(condition, epochs=4, warm_up_steps=3, stop_steps=7)
    interrupt(monkeypatch, config, tmp_path, epoch)
    record = run_(config, out=tmp_path, device="cpu")
    assert resumed == [epoch]
    assert bits(record) == uninterrupted(config)


@pytest.mark.parametrize("options", [
    {"optimizer": "sgd", "schedule": "step"}, {"optimizer": "adamw", "schedule": None, "clip": 0.1}])
def test_the_optimiser_and_its_schedule_are_resumed(monkeypatch, tmp_path, options):
    task = gl.tasks.digits(train=96, validation=60)
    options = {"batch_size": 32, "lr": 0.01} | options
    make_schedule = training.make_schedule

    def of_six_epochs(stepper, name, steps, epochs):
        return make_schedule(stepper, name, 6 * 3, 6)
    monkeypatch.setattr(training, "make_schedule", of_six_epochs)

    def trained(epochs, checkpoint=None):
        target = gl.networks.FCN(inputs=64, outputs=10, depth=2, width=16, dropout=0.2)
        history = training.train(target, task, epochs=epochs, checkpoint=checkpoint, **options)
        weights = torch.nn.utils.parameters_to_vector(target.parameters())
        return history.table.drop(columns="misalignment"), weights

    trained(4, Checkpoint(tmp_path / "x", every=0))
    table, weights = trained(6, Checkpoint(tmp_path / "x", every=0))
    whole, expected = trained(6)
    assert table.equals(whole) and torch.equal(weights, expected)


def test_a_resumed_run_does_not_warm_up_again(monkeypatch, tmp_path):
    config = smoke("untrained-warm-up", epochs=3, warm_up_steps=3)
    expected = uninterrupted(config)
    interrupt(monkeypatch, config, tmp_path, 2)

    def again(*args, **options):
        pytest.fail("it warms up again")
    monkeypatch.setattr(runner, "warm_up", again)
    assert bits(run_(config, out=tmp_path, device="cpu")) == expected


def test_seconds_of_all_processes_count(monkeypatch, tmp_path):
    config = smoke(epochs=3)
    interrupt(monkeypatch, config, tmp_path, 2)
    spent = Checkpoint(records.path_of(config, tmp_path).with_suffix("")).seconds
    assert spent > 0
    assert run_(config, out=tmp_path, device="cpu")["duration_s"] >= round(spent, 2)


def test_recompute_trusts_no_checkpoint(monkeypatch, tmp_path, resumed):
    interrupt(monkeypatch, smoke(epochs=3), tmp_path, 2)
    run_(smoke(epochs=3), out=tmp_path, device="cpu", recompute=True)
    assert resumed == []
    assert epochs_kept(tmp_path) == []


# Damage and full disks


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path):
    os.truncate(path, 1000)


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [flip, cut, empty])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(monkeypatch, tmp_path, damage, resumed):
    config = smoke(epochs=4)
    interrupt(monkeypatch, config, tmp_path, 3)
    older, newer = sorted(tmp_path.glob("*.checkpoint"))
    damage(newer)
    with pytest.warns(RuntimeWarning, match=f"{newer.name} is passed over: its checksum is wrong"):
        record = run_(config, out=tmp_path, device="cpu")
    assert resumed == [2]
    assert bits(record) == uninterrupted(config)


def test_with_no_whole_checkpoint_the_run_starts_anew(monkeypatch, tmp_path, resumed):
    config = smoke(epochs=4)
    interrupt(monkeypatch, config, tmp_path, 3)
    for path in tmp_path.glob("*.checkpoint"):
        flip(path)
    with pytest.warns(RuntimeWarning, match="passed over"), \
            pytest.warns(RuntimeWarning, match="none of 2 checkpoints is whole: the run starts anew"):
        record = run_(config, out=tmp_path, device="cpu")
    assert resumed == []
    assert bits(record) == uninterrupted(config)


def full(*args):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_costs_a_warning_for_a_checkpoint_and_an_error_for_a_record(
        monkeypatch, tmp_path, call, resumed):
    config = smoke(epochs=4)
    interrupt(monkeypatch, config, tmp_path, 2)
    before = {path: path.read_bytes() for path in tmp_path.glob("*.checkpoint")}
    third = "no checkpoint after epoch 3.*cannot write .*000003.checkpoint"
    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        with pytest.warns(RuntimeWarning, match=third), \
                pytest.warns(RuntimeWarning, match="no checkpoint after epoch 4"), \
                pytest.raises(OSError) as error:
            run_(config, out=tmp_path, device="cpu", checkpoint_every=0)
    assert error.value.errno == errno.ENOSPC
    assert str(records.path_of(config, tmp_path)) in str(error.value)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert bits(run_(config, out=tmp_path, device="cpu")) == uninterrupted(config)
    assert resumed == [2, 2]


def test_a_checkpoint_of_another_network_is_named(tmp_path):
    task = gl.tasks.digits(train=96, validation=60)

    def train(width):
        target = gl.networks.FCN(inputs=64, outputs=10, depth=2, width=width)
        training.train(target, task, epochs=1, checkpoint=Checkpoint(tmp_path / "x", every=0))

    train(16)
    with pytest.raises(RuntimeError) as error:
        train(8)
    assert "x.*.checkpoint: delete these files" in error.value.__notes__[0]


def test_a_checkpoint_without_what_is_measured_now_is_named(tmp_path):
    task = gl.tasks.digits(train=96, validation=60)
    stem = tmp_path / "x"

    def train(extras):
        checkpoint = Checkpoint(stem, every=0)
        kept = checkpoint.keep(extras)
        target = gl.networks.FCN(inputs=64, outputs=10, depth=2, width=16)
        training.train(target, task, epochs=1, checkpoint=checkpoint)
        return kept

    first = train({"probe": {"gradient": [1.0]}, "noise": {}})
    assert train({"probe": {"gradient": []}}) == first
    with pytest.raises(ValueError, match=r"x\.\*\.checkpoint has no geometry in probe: .*Delete"):
        train({"probe": {"gradient": [], "geometry": []}})


def test_checkpoints_are_rare_and_two_are_kept(monkeypatch, tmp_path):
    clock = [0.0]
    monkeypatch.setattr(checkpoints, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    checkpoint = Checkpoint(tmp_path / "x", every=5.0)
    parts = {"order": torch.Generator()}
    wrote = []
    write = checkpoints.write_whole

    def slow(path, data):
        wrote.append(clock[0])
        clock[0] += 1.0
        return write(path, data)
    monkeypatch.setattr(checkpoints, "write_whole", slow)
    for epoch in range(1, 61):
        clock[0] += 1.0
        checkpoint.save(parts, [{}] * epoch)
    # After 5 seconds; then, since a write took one, not before another 20 have passed.
    assert wrote == [5.0, 26.0, 47.0]
    assert sorted(epochs_kept(tmp_path)) == [25, 45]


def test_without_a_folder_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_(smoke(epochs=2), device="cpu", checkpoint_every=0)
    assert list(tmp_path.iterdir()) == []


# Two processes, one run


def noted_run(config, out, log):
    """In a process of its own: a run that leaves a line when it is really made."""
    make = runner.run

    def noted(*args, **options):
        with open(log, "a") as file:
            file.write(f"{os.getpid()}\n")
        return make(*args, **options)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(runner, "run", noted)
        run_(config, out=out, device="cpu")


def test_two_processes_make_a_run_once(processes, tmp_path):
    config = smoke("untrained", epochs=10)
    out, log = tmp_path / "out", tmp_path / "log"
    both = [processes.Process(target=noted_run, args=(config, out, log)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert len(log.read_text().split()) == 1
    assert bits(records.read(records.path_of(config, out))) == uninterrupted(config)


def owned(path, pid, host):
    path.write_text(json.dumps({"pid": pid, "host": host, "token": "x"}))
    return path


def test_a_full_disk_leaves_no_lock_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "json", SimpleNamespace(dump=full))
    path = tmp_path / "a.lock"
    with pytest.raises(OSError, match="cannot write .*a.lock: No space left"), lock.locked(path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_of_a_dead_process_is_taken_over(processes, tmp_path):
    process = processes.Process(target=int)
    process.start()
    process.join()
    with lock.locked(owned(tmp_path / "a.lock", process.pid, lock.socket.gethostname())):
        assert lock.read(tmp_path / "a.lock")["pid"] == os.getpid()
    assert list(tmp_path.iterdir()) == []


NEVER_WRITTEN, ELSEWHERE = "", json.dumps({"pid": 1, "host": "elsewhere", "token": "x"})


@pytest.mark.parametrize("content", [NEVER_WRITTEN, ELSEWHERE], ids=["never written", "elsewhere"])
def test_a_lock_that_cannot_be_asked_is_watched_for_a_minute(tmp_path, monkeypatch, content):
    path = tmp_path / "a.lock"
    path.write_text(content)
    clock = [0.0]
    polls = []

    def sleep(seconds):
        clock[0] += 1.0
        polls.append(clock[0])
        if clock[0] == 30.0:
            os.utime(path, (1, 1))  # a sign of life
    monkeypatch.setattr(lock, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=sleep))
    with lock.locked(path):
        assert lock.read(path)["pid"] == os.getpid()
    assert len(polls) == 91  # 30 seconds until the sign of life, then more than 60


def test_a_living_owner_shows_signs_of_life_and_a_failed_one_leaves_no_lock(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "REFRESHED", 0.001)
    path = tmp_path / "a.lock"
    with pytest.raises(Died), lock.locked(path):
        os.utime(path, (1, 1))
        until = time.monotonic() + 30
        while path.stat().st_mtime < 2 and time.monotonic() < until:
            time.sleep(0.001)
        assert path.stat().st_mtime > 2
        raise Died
    assert not path.exists()


def test_who_takes_away_the_lock_of_a_living_process_gives_it_back(tmp_path):
    path = owned(tmp_path / "a.lock", 7, "here")
    lock.take_away(path, {"pid": 6, "host": "here", "token": "dead"})
    assert lock.read(path)["pid"] == 7
    assert list(tmp_path.iterdir()) == [path]
    lock.take_away(path, lock.read(path))
    assert list(tmp_path.iterdir()) == []
