"""Figures: what is drawn is what the records say, the files are written, and nobody is left without words for a picture."""

import xml.etree.ElementTree as ElementTree

import matplotlib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from guidelib import figures

matplotlib.use("Agg")

RUNS = pd.DataFrame({"condition": ["base"] * 3 + ["untrained-warm-up"] * 3, "test_accuracy": [0.1, 0.1, 0.13, 0.4, 0.5, 0.6]})
SUMMARY = pd.DataFrame({"condition": ["base", "untrained-warm-up"], "mean": [0.11, 0.5], "low": [0.07, 0.25], "high": [0.15, 0.75]})


@pytest.fixture(autouse=True)
def theme():
    figures.theme()


def test_a_figure_is_saved_twice_and_carries_its_alternative_text(tmp_path):
    figure = figures.accuracy(RUNS, SUMMARY, chance=0.1, note="a note")
    shown = figures.show(figure, "accuracy", alt="Base at chance, warm-up above it.", out=tmp_path)
    assert "Base at chance, warm-up above it." in (tmp_path / "accuracy.svg").read_text()
    ElementTree.parse(tmp_path / "accuracy.svg")
    with Image.open(tmp_path / "accuracy.png") as image:
        assert image.text["Description"] == "Base at chance, warm-up above it." and image.width > 600
    data, metadata = shown._repr_mimebundle_()
    assert "image/png" in data and metadata["image/png"]["alt"] == "Base at chance, warm-up above it."


@pytest.mark.parametrize("alt", ["", "  "])
def test_a_figure_without_words_is_refused(tmp_path, alt):
    with pytest.raises(ValueError, match="figure 'x' needs alt="):
        figures.show(figures.accuracy(RUNS, SUMMARY, chance=0.1), "x", alt=alt, out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        figures.show(figures.accuracy(RUNS, SUMMARY, chance=0.1), "accuracy", alt="words", out=tmp_path / name)
    assert (tmp_path / "a" / "accuracy.svg").read_bytes() == (tmp_path / "b" / "accuracy.svg").read_bytes()


def test_every_seed_is_a_point_and_the_interval_is_that_of_the_summary():
    ax = figures.accuracy(RUNS, SUMMARY, chance=0.1).axes[0]
    lines = [(line.get_xdata(), line.get_ydata()) for line in ax.get_lines()]
    points, mean, interval = lines[3:6]
    assert list(points[0]) == pytest.approx([40, 50, 60]) and set(points[1]) == {1}
    assert list(np.atleast_1d(mean[0])) == pytest.approx([50]) and list(interval[0]) == pytest.approx([25, 75])
    assert lines[-1][0] == pytest.approx([10, 10])  # chance
    assert [t.get_text() for t in ax.get_yticklabels()] == [figures.LABELS[c] for c in SUMMARY["condition"]]
    assert "%" in ax.get_xlabel()


def test_one_seed_has_a_point_and_no_interval():
    one = SUMMARY.assign(low=float("nan"), high=float("nan"))
    assert len(figures.accuracy(RUNS, one, chance=0.1).axes[0].get_lines()) == len(figures.accuracy(RUNS, SUMMARY, chance=0.1).axes[0].get_lines()) - 2


def test_curves_are_the_mean_of_the_seeds_cut_to_the_shortest():
    tables = [pd.DataFrame({"val": [0.1, 0.3, 0.5]}), pd.DataFrame({"val": [0.3, 0.5]})]
    ax = figures.curves({"base": tables}, columns={"val": "validation"}, ylabel="accuracy (%)", scale=100).axes[0]
    assert ax.get_lines()[0].get_ydata() == pytest.approx([20, 40]) and ax.get_lines()[0].get_xdata() == pytest.approx([1, 2])
    assert ax.get_xlabel() == "epoch" and ax.get_ylabel() == "accuracy (%)"


def test_alignment_draws_every_pair_and_their_mean():
    history = pd.DataFrame({"step": [0, 1], "loss": [1.5, 0.9], "a <- b": [0.9, 0.5], "c <- d": [0.6, 0.4]})
    ax = figures.alignment(history).axes[0]
    assert len(ax.get_lines()) == 3 and ax.get_lines()[-1].get_ydata() == pytest.approx([0.75, 0.45])


def test_dimension_draws_the_mean_over_seeds():
    tables = {"base": [pd.DataFrame({"layer": ["1", "2"], "effective_dimension": v}) for v in ([2.0, 4.0], [4.0, 8.0])]}
    ax = figures.dimension(tables, limit=9).axes[0]
    assert ax.get_lines()[0].get_ydata() == pytest.approx([3, 6]) and ax.get_yscale() == "log" and "participation" in ax.get_ylabel()


def test_grams_are_on_scales_symmetric_about_zero():
    outlier = np.ones((20, 20))
    outlier[3, 3] = 100  # one bright pair of examples does not make the others invisible
    figure = figures.grams({"a": outlier, "b": np.full((2, 2), -3.0), "c": np.zeros((2, 2))})
    assert [ax.images[0].get_clim() for ax in figure.axes] == [(-1, 1), (-3, 3), (-1, 1)]


def test_roles_differ_in_marker_too():
    assert len(set(figures.MARKERS.values())) == len(figures.MARKERS) == len(figures.PALETTE) == len(set(figures.PALETTE.values()))
