"""Runs on real images, read: a row a condition and choice of layers, against the right base; their starts."""

import math
from pathlib import Path

import pytest
from test_ledger import SEEDS, add

from guidelib import figures
from guidelib.evidence import real_images
from guidelib.experiments import initialisations
from guidelib.experiments.kept import KEPT
from guidelib.experiments.records import read

NIGHT = (20, 21, 22)


@pytest.fixture
def folder(tmp_path):
    for condition, mean in {"base": 0.2, "base-longer": 0.25, "untrained": 0.3, "shifted-init": 0.4}.items():
        add(tmp_path, condition, mean, profile="overnight", seeds=NIGHT)
    add(tmp_path, "untrained", 0.5, profile="overnight", seeds=NIGHT, layers="first-5")
    add(tmp_path, "untrained-warm-up", 0.35, profile="overnight", seeds=NIGHT)
    return tmp_path


def test_a_row_a_condition_and_choice_of_layers(folder):
    table = real_images.real_images(folder).set_index(["condition", "layers"])
    assert len(table) == 6 and set(table["seeds"]) == {3} and set(table["n"]) == {497}
    gain = table["gain"].round(6)
    assert gain["untrained", "all"] == 0.1 and gain["untrained", "first-5"] == 0.3
    assert table["against"]["untrained-warm-up", "all"] == "base-longer"
    assert gain["untrained-warm-up", "all"] == 0.1  # as many steps as the warm-up and the training
    shares = [0.2 + 0.01 * (seed % 3) for seed in NIGHT]
    assert table["mean"]["base", "all"] == pytest.approx(sum(shares) / 3)


def test_what_differs_in_more_than_its_layers_is_left_out(folder):
    before = real_images.real_images(folder)
    add(folder, "untrained", 0.9, profile="overnight", seeds=(*NIGHT, 23), dose=3.0)
    add(folder, "shifted-init", 0.9, profile="overnight", seeds=(23,), recipe=-1)
    add(folder, "untrained", 0.9, profile="fast", seeds=SEEDS)
    add(folder, "base", 0.9, profile="overnight", seeds=(*NIGHT, 23), depth=20)
    assert real_images.real_images(folder).equals(before)


def test_the_table_in_markdown_leads_with_the_most_accurate(folder):
    text = real_images.said(real_images.real_images(folder))
    head, _, first, *rest = text.splitlines()
    assert first.startswith("| untrained guide, the first 5 layers alone, tuned for all layers | 51.0 % (")
    assert "+30.0 (+30.0 to +30.0)" in first
    assert rest[-1].startswith("| base without a guide | 21.0 %") and rest[-1].endswith("|  | 3 |")
    assert len(rest) == 5


def test_the_basis_says_what_the_runs_took(folder):
    table = real_images.real_images(folder)
    assert table["seconds"].tolist() == [3.0] * 6  # three seeds of one second each
    said = real_images.basis(table.assign(seconds=1200.0))
    assert said == ("CIFAR-10, 3 seeds, n = 497 test images, profile overnight, cpu; "
                    "18 runs, 1.0 hours two at a time")


def test_without_records_there_is_nothing(tmp_path):
    assert real_images.real_images(tmp_path).empty and real_images.starts(tmp_path).empty


def test_starts_of_the_night_have_a_panel_of_their_own(tmp_path):
    facts = {"status": "ok", "n_test": 5000}
    ratios = {}
    for condition, mean in {"base": 0.2, "shifted-init": 0.4, "untrained": 0.9}.items():
        path = min((KEPT / "fast").glob(f"deep-fcn-{condition}-fast-20-*.json"))
        curves = read(Path(path))["curves"]
        curves["probe"]["geometry"] = [[0.5] * len(look) for look in curves["probe"]["gradient"]]
        first, *_, last, _ = curves["probe"]["gradient"][0]
        ratios[condition] = first / last
        add(tmp_path, condition, mean, profile="overnight", seeds=NIGHT, curves=curves, metrics=facts)
    night = real_images.starts(tmp_path)
    assert set(night["start"]) == {"default", "biases at 1"} and len(night) == 6  # guided is no start
    left, middle, right = figures.starts(initialisations.kept(), more=night).axes
    drawn = {(line.get_xdata()[0], line.get_ydata()[0]) for line in right.get_lines()
             if line.get_marker() not in ("None", None)}
    assert {round(y, 6) for _, y in drawn} == {21.0, 41.0}
    for condition in ("base", "shifted-init"):
        assert any(math.isclose(x, ratios[condition], rel_tol=1e-9) for x, _ in drawn)
    labels = [text.get_text() for text in right.get_legend().get_texts()]
    assert labels[-1] == "48 x 256, cifar10"
