"""Grids that lose workers: what was killed is resumed, what kills every worker is listed.

Nothing finished is made again.
"""

import json
import os
import signal
import threading
import time

import pandas as pd
import pytest

import guidelib as gl
from guidelib import evidence
from guidelib.__main__ import main
from guidelib.evidence import tables
from guidelib.experiments import grid, lock, records
from guidelib.experiments import run as run_
from guidelib.experiments.runs import lock_of

E = gl.experiments


def smoke(condition="base", seed=0, **overrides):
    settings = {"depth": 3, "epochs": 40, "train": 96} | overrides
    return E.config("deep-fcn", condition=condition, profile="smoke", seed=seed, **settings)


def metrics(record):
    return json.dumps(records.finite(record["metrics"]), sort_keys=True)


def are_those_of_runs_alone(made, configs):
    """Whether the records of a grid hold what each of its runs gives by itself."""
    alone = [run_(config, device="cpu") for config in configs]
    return list(map(metrics, made)) == list(map(metrics, alone))


class Killer:
    """A thread that watches a run's lock, and kills the worker whose pid it holds, `times` times."""

    def __init__(self, config, out, times):
        self.path = lock_of(config, out)
        self.times = times
        self.killed = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.over.set()
        self.thread.join()

    def watch(self):
        while not self.over.is_set() and len(self.killed) < self.times:
            pid = lock.read(self.path).get("pid")
            if pid not in (None, os.getpid(), *self.killed):
                self.killed.append(pid)
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.001)


needs_kill = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows knows no SIGKILL")


@pytest.mark.slow
@needs_kill
def test_a_lost_worker_costs_nothing(tmp_path, capfd):
    configs = [smoke(seed=seed) for seed in range(2)]
    with Killer(configs[1], tmp_path, times=1) as killer:
        found = E.run_grid(configs, out=tmp_path, jobs=2, device="cpu")
    assert len(killer.killed) == 1
    assert "a worker was lost" in capfd.readouterr().err
    assert are_those_of_runs_alone(found, configs)
    assert set(tmp_path.iterdir()) == {records.path_of(config, tmp_path) for config in configs}


@pytest.mark.slow
@needs_kill
def test_a_run_that_kills_every_worker_is_listed_and_stops_nobody(tmp_path):
    configs = [smoke(seed=seed, epochs=10) for seed in range(4)]
    listed = r"1 of 4 runs failed.*\nbase seed 0: its worker was lost 3 times"
    with Killer(configs[0], tmp_path, times=99) as killer, pytest.raises(RuntimeError, match=listed):
        E.run_grid(configs, out=tmp_path, jobs=2, device="cpu")
    assert len(killer.killed) == 3
    assert [records.path_of(config, tmp_path).exists() for config in configs] == [False, True, True, True]
    again = E.run_grid(configs, out=tmp_path, jobs=2, device="cpu")  # when the cause is gone
    assert len(again) == 4


def test_finished_runs_are_not_made_again_and_a_failure_is_listed_with_its_error(tmp_path, monkeypatch):
    configs = [smoke(seed=seed, epochs=1) for seed in range(2)]
    E.run_grid(configs, out=tmp_path, jobs=1, device="cpu")
    begun = []

    def run(config, **options):
        begun.append(config)
        return run_(config, **options)
    monkeypatch.setattr(grid, "run", run)
    bad = smoke("untrained").with_(layers="middle-3")
    new = smoke(seed=7, epochs=1)
    listed = r"1 of 4 runs failed.*\nuntrained seed 0: ValueError: no target layer .*'middle-3'"
    with pytest.raises(RuntimeError, match=listed):
        E.run_grid([bad, *configs, new], out=tmp_path, jobs=1, device="cpu")
    assert begun == [bad, new]
    assert records.path_of(new, tmp_path).exists()


def test_an_error_of_who_is_told_is_raised_and_costs_no_run(tmp_path, capfd):
    configs = [smoke(seed=seed, epochs=1) for seed in range(2)]

    def each(config):
        raise TypeError("it cannot count")

    with pytest.raises(TypeError, match="it cannot count"):
        E.run_grid(configs, out=tmp_path, jobs=1, device="cpu", each=each)
    assert all(records.path_of(config, tmp_path).exists() for config in configs)
    assert "worker was lost" not in capfd.readouterr().err


@pytest.mark.parametrize("jobs", [0, -1, True, 1.5, "2", None])
def test_jobs_that_are_no_number_of_processes_are_refused_before_anything_runs(tmp_path, jobs):
    text = f"jobs is the number of training runs at a time, 1 or more; received {jobs!r}"
    with pytest.raises(ValueError, match=text):
        E.run_grid([smoke()], out=tmp_path / "out", jobs=jobs, device="cpu")
    assert list(tmp_path.iterdir()) == []


def test_threads_as_workers_make_the_same_records(tmp_path):
    """They share torch's global streams, so that they may not run at the same time."""
    import joblib

    configs = [smoke(seed=seed, epochs=3, dropout=0.3) for seed in range(3)]
    with joblib.parallel_config(backend="threading"):
        found = E.run_grid(configs, out=tmp_path, jobs=3, device="cpu")
    assert are_those_of_runs_alone(found, configs)


@pytest.mark.slow
@needs_kill
def test_a_dask_cluster_that_loses_a_worker_makes_the_same_records(tmp_path):
    import distributed
    import joblib

    configs = [smoke(seed=seed) for seed in range(4)]
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster), \
            Killer(configs[0], tmp_path, times=1) as killer, joblib.parallel_config(backend="dask"):
        found = E.run_grid(configs, out=tmp_path, jobs=2, device="cpu")
    assert len(killer.killed) == 1
    assert are_those_of_runs_alone(found, configs)


# The table of a folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("records")
    configs = [smoke(seed=seed, lr=lr, epochs=1) for lr in (1e-3, 3e-3) for seed in (0, 1)]
    E.run_grid(configs, out=out, jobs=1, device="cpu")
    return out


def table_of(folder):
    return evidence.results(E.read_all(folder))


def test_results_shows_settings_that_vary_and_all_metrics(folder):
    table = table_of(folder)
    assert list(table.columns[:6]) == ["experiment", "condition", "profile", "regime", "seed", "lr"]
    assert list(table.columns[-2:]) == ["device", "duration_s"]
    settings = zip(table["lr"], table["seed"], strict=True)
    assert sorted(settings) == [(1e-3, 0), (1e-3, 1), (3e-3, 0), (3e-3, 1)]
    assert {"test_accuracy", "status", "n_test"} <= set(table)
    assert not {"depth", "target_seed", "order_seed"} & set(table)


def test_a_setting_named_like_a_metric_is_told_apart():
    config = {"experiment": "e", "condition": "base", "profile": "smoke", "regime": "r", "seed": 0}
    rest = {"metrics": {"epochs": 1}, "environment": {"device": "cpu"}, "duration_s": 1.0}
    made = [rest | {"config": config | {"epochs": n}} for n in (1, 2)]
    assert evidence.results(made)[["epochs_set", "epochs"]].values.tolist() == [[1, 1], [2, 1]]


def test_a_setting_that_older_records_lack_and_a_seed_of_its_own_show():
    older = {"seed": 0, "a_seed": 5, "b_seed": 7}
    newer = {"seed": 1, "a_seed": 9, "b_seed": 8, "new": 1}
    assert tables.varying([older, newer]) == ["seed", "a_seed", "new"]


@pytest.mark.parametrize(("ending", "read"), [("csv", pd.read_csv), ("parquet", pd.read_parquet)])
def test_results_command_writes_what_it_prints(folder, tmp_path, capsys, ending, read):
    path = tmp_path / "new" / f"table.{ending}"
    assert main(["results", str(folder), "--out", str(path)]) == 0
    table = table_of(folder)
    assert f"4 runs, {len(table.columns)} columns: {path}" in capsys.readouterr().err
    pd.testing.assert_frame_equal(read(path), table, check_dtype=False)
    assert main(["results", str(folder)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 5
    assert "test_accuracy" in printed[0]


def test_results_command_names_what_is_wrong(folder, tmp_path, capsys):
    (tmp_path / "records").mkdir()
    assert main(["results", str(tmp_path)]) == 2
    assert f"no record in {tmp_path}: try {tmp_path / 'records'}" in capsys.readouterr().err
    assert main(["results", str(folder), "--out", "table.xls"]) == 2
    assert "'table.xls'" in capsys.readouterr().err


def test_a_device_that_is_not_here_is_said_once_before_any_run(tmp_path):
    with pytest.raises(ValueError, match="device 'gpu' cannot be used here: choose from auto, cpu"):
        E.run_grid([smoke()], out=tmp_path / "out", device="gpu")
    assert not (tmp_path / "out").exists()
