"""Figures: what is drawn is what the records say, files are written, no picture is without words."""

import xml.etree.ElementTree as ElementTree

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import guidelib as gl
from guidelib import figures

matplotlib.use("Agg")



def run(condition, seed, accuracy, **metrics):
    """A record, as far as a figure reads it."""
    return {"config": {"condition": condition, "seed": seed, "profile": "smoke", "data": "digits"},
            "metrics": {"test_accuracy": accuracy, "n_test": 497} | metrics, "environment": {"device": "cpu"}}


RUNS = [run("base", seed, value) for seed, value in enumerate((0.1, 0.1, 0.13))]
RUNS += [run("untrained-warm-up", seed, value) for seed, value in enumerate((0.4, 0.5, 0.6))]


@pytest.fixture(autouse=True)
def theme():
    figures.theme()
    yield
    plt.close("all")


def test_a_figure_is_saved_twice_and_carries_its_alternative_text(tmp_path):
    words = "Base at chance, warm-up above it."
    figure = figures.accuracy(RUNS, chance=0.1, note="a note")
    shown = figures.show(figure, "accuracy", alt=words, out=tmp_path)
    assert words in (tmp_path / "accuracy.svg").read_text()
    ElementTree.parse(tmp_path / "accuracy.svg")
    with Image.open(tmp_path / "accuracy.png") as image:
        assert image.text["Description"] == words
        assert image.width > 600
    data, metadata = shown._repr_mimebundle_()
    assert "image/png" in data
    assert metadata["image/png"]["alt"] == words


@pytest.mark.parametrize("alt", ["", "  "])
def test_a_figure_without_words_is_refused(tmp_path, alt):
    with pytest.raises(ValueError, match="figure 'x' needs alt="):
        figures.show(figures.accuracy(RUNS, chance=0.1), "x", alt=alt, out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_same_figure_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        figure = figures.accuracy(RUNS, chance=0.1)
        figures.show(figure, "accuracy", alt="words", out=tmp_path / name)
    assert (tmp_path / "a" / "accuracy.svg").read_bytes() == (tmp_path / "b" / "accuracy.svg").read_bytes()


def test_every_seed_is_a_point_and_the_interval_is_students():
    ax = figures.accuracy(RUNS, chance=0.1).axes[0]
    lines = [(line.get_xdata(), line.get_ydata()) for line in ax.get_lines()]
    points, mean, interval = lines[3:6]
    assert list(points[0]) == pytest.approx([40, 50, 60])
    assert set(points[1]) == {1}
    assert list(np.atleast_1d(mean[0])) == pytest.approx([50])
    half = 4.302653 * 10 / 3**0.5  # the tabulated t of 2 degrees
    assert list(interval[0]) == pytest.approx([50 - half, 50 + half])
    assert lines[-1][0] == pytest.approx([10, 10])  # chance
    labels = [gl.evidence.named(condition) for condition in ("base", "untrained-warm-up")]
    assert [t.get_text() for t in ax.get_yticklabels()] == labels
    assert "%" in ax.get_xlabel()
    assert ax.get_title() == "3 seeds, n = 497 test images (digits), profile smoke, cpu"


def test_one_seed_has_a_point_and_no_interval():
    few = [r for r in RUNS if r["config"]["seed"] == 0]
    assert len(figures.accuracy(few, chance=0.1).axes[0].get_lines()) == 2 * 2 + 1
    assert len(figures.accuracy(RUNS, chance=0.1).axes[0].get_lines()) == 2 * 3 + 1


def test_a_metric_that_is_no_share_is_drawn_as_it_is_beside_its_floor():
    perplexities = (20.0, 21.0, 22.0, 9.0, 8.0, 7.0)
    runs = [run(r["config"]["condition"], seed, 0.5, test_perplexity=value)
            for seed, (r, value) in enumerate(zip(RUNS, perplexities, strict=True))]
    figure = figures.accuracy(runs, chance=25.0, floor=5.0, metric="test_perplexity")
    ax = figure.axes[0]
    lines = [list(line.get_xdata()) for line in ax.get_lines()]
    assert lines[0] == [20, 21, 22]
    assert lines[-2:] == [[5, 5], [25, 25]]
    assert ax.get_xlabel() == "test perplexity"
    assert ax.get_xlim()[1] < 50
    sides = {text.get_text().strip(): text.get_ha() for text in ax.texts}
    assert sides == {"floor": "left", "chance": "right"}  # inside, clear of the legend


def test_influence_leaves_exact_zeros_white_and_shares_one_scale():
    past = np.tril(np.full((3, 3), 0.1))
    figure = figures.influence({"past": past, "all": np.full((3, 3), 10.0)}, words=["a", "b", "c"])
    first, second = (ax.images[0] for ax in figure.axes[:2])
    assert np.array_equal(first.get_array().mask, past == 0)
    assert not np.ma.is_masked(second.get_array())
    assert first.get_clim() == second.get_clim() == (0.1, 10.0)
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["a", "b", "c"]


def test_influence_keeps_faint_dependence_visible_as_not_zero():
    ax = figures.influence({"a": np.array([[1.0, 1e-12], [0.0, 1.0]])}).axes[0]
    image = ax.images[0]
    shown = image.cmap(image.norm(image.get_array()))
    assert shown[0, 1, 3] == 1  # opaque
    assert shown[1, 0, 3] == 0  # transparent


def test_curves_are_the_mean_of_the_seeds_cut_to_the_shortest():
    tables = [pd.DataFrame({"val": [0.1, 0.3, 0.5]}), pd.DataFrame({"val": [0.3, 0.5]})]
    figure = figures.curves({"base": tables}, columns={"val": "validation"}, ylabel="accuracy (%)", scale=100)
    ax = figure.axes[0]
    line = ax.get_lines()[0]
    assert line.get_ydata() == pytest.approx([20, 40])
    assert line.get_xdata() == pytest.approx([1, 2])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "accuracy (%)")


def test_alignment_draws_every_pair_and_their_mean():
    history = pd.DataFrame({"step": [0, 1], "loss": [1.5, 0.9], "a <- b": [0.9, 0.5], "c <- d": [0.6, 0.4]})
    lines = figures.alignment(history).axes[0].get_lines()
    assert len(lines) == 3
    assert lines[-1].get_ydata() == pytest.approx([0.75, 0.45])


def test_by_layer_draws_one_seed_as_a_line_and_several_as_mean_and_range():
    lines = {"one": [3.0, 5.0], "two": [[1.0, 2.0], [3.0, 8.0]]}
    ax = figures.by_layer(lines, ylabel="norm", note="a note").axes[0]
    one, two = ax.get_lines()
    assert one.get_xdata() == pytest.approx([1, 2])
    assert one.get_ydata() == pytest.approx([3, 5])
    assert two.get_ydata() == pytest.approx([2, 5])
    band = ax.collections[1].get_paths()[0].vertices
    assert {tuple(v) for v in band} == {(1, 1), (1, 3), (2, 2), (2, 8)}
    assert (ax.get_yscale(), ax.get_ylabel(), ax.get_title()) == ("linear", "norm", "a note")
    assert figures.by_layer(lines, ylabel="norm", log=True).axes[0].get_yscale() == "log"


def test_dimension_draws_the_mean_over_seeds():
    seeds = [pd.DataFrame({"layer": ["1", "2"], "effective_dimension": v}) for v in ([2.0, 4.0], [4.0, 8.0])]
    ax = figures.dimension({"base": seeds}).axes[0]
    assert ax.get_lines()[0].get_ydata() == pytest.approx([3, 6])
    assert ax.get_yscale() == "log"
    assert "participation" in ax.get_ylabel()


def test_grams_are_on_scales_symmetric_about_zero():
    outlier = np.ones((20, 20))
    outlier[3, 3] = 100  # one bright pair of examples does not make the others invisible
    figure = figures.grams({"a": outlier, "b": np.full((2, 2), -3.0), "c": np.zeros((2, 2))})
    assert [ax.images[0].get_clim() for ax in figure.axes] == [(-1, 1), (-3, 3), (-1, 1)]


def test_roles_differ_in_marker_too():
    markers, colours = figures.MARKERS, figures.PALETTE
    assert markers.keys() == colours.keys()
    assert len(set(markers.values())) == len(set(colours.values())) == len(markers)


def test_live_runs_are_hollow_and_count_in_no_mean():
    drawn, other = run("base", 7, 0.9), run("trained", 7, 0.8)
    plain = figures.accuracy(RUNS, chance=0.1).axes[0]
    shown = figures.accuracy(RUNS, chance=0.1, live=[drawn, other]).axes[0]
    hollow = [line for line in shown.get_lines() if line.get_markerfacecolor() == "white"]
    assert len(shown.get_lines()) == len(plain.get_lines()) + 1
    assert list(hollow[0].get_xdata()) == [90.0]
    assert shown.get_legend().get_texts()[-1].get_text() == "live run, seed 7"


def points(ax):
    """The (x, y) of all single points, rounded."""
    found = set()
    for line in ax.get_lines():
        x, y = line.get_data()
        if line.get_linestyle() == "None" or len(x) == 1:
            found |= set(zip(np.round(x, 6).tolist(), np.asarray(y, dtype=float).tolist(), strict=True))
    return found


def test_timings_stand_side_by_side_with_the_references_in_both():
    values = {"base": 0.1, "untrained": 0.5, "untrained-warm-up": 0.7, "identity-warm-up": 0.3}
    runs = [run(condition, 0, value) for condition, value in values.items()]
    figure = figures.timings(runs, guides=["untrained", "identity"], references=["base"], chance=0.1,
                             note="a note")
    throughout, warm_up = figure.axes
    assert points(throughout) == {(10.0, 0.0), (50.0, 1.0)}  # what was not run leaves its line empty
    assert points(warm_up) == {(10.0, 0.0), (70.0, 1.0), (30.0, 2.0)}
    labels = [text.get_text() for text in throughout.get_yticklabels()]
    assert labels == [gl.evidence.named(condition) for condition in ("base", "untrained", "identity")]


def test_closer_both_panels_end_near_the_points_and_chance_is_told():
    values = {"base": 0.8, "untrained": 0.9, "untrained-warm-up": 0.85}
    runs = [run(condition, 0, value) for condition, value in values.items()]
    options = {"guides": ["untrained"], "references": ["base"], "chance": 0.1, "note": "a note"}
    far, near = figures.timings(runs, **options), figures.timings(runs, **options, closer=True)
    assert [ax.get_xlim() for ax in far.axes] == [(-4, 104)] * 2
    for ax in near.axes:
        low, high = ax.get_xlim()
        assert 75 < low < 80 and 90 < high < 95
    assert far.get_suptitle() == "a note; chance dashed" and near.get_suptitle() == "a note; chance 10 %"


def test_what_comes_before_training_alone_is_drawn_beside_the_warm_ups():
    runs = [run(c, 0, v) for c, v in {"base": 0.1, "untrained": 0.5, "moved-as-far": 0.2}.items()]
    throughout, warm_up = figures.timings(runs, guides=["untrained", "moved-as-far"], references=["base"],
                                          chance=0.1).axes
    assert points(throughout) == {(10.0, 0.0), (50.0, 1.0)}
    assert points(warm_up) == {(10.0, 0.0), (20.0, 2.0)}


def started(condition, seed, accuracy, first, last):
    """A run whose gradients at its first and last hidden layer are known."""
    made = run(condition, seed, accuracy)
    moments = ["start", "warmed up"] if "warm-up" in condition else ["start"]
    gradient = [[99.0, 1.0, 99.0, 1.0]] * (len(moments) - 1) + [[first, 7.0, last, 5.0]]
    probe = {"moments": moments, "layers": ["a", "b", "c", "head"], "gradient": gradient, "misalignment": []}
    return made | {"curves": {"probe": probe}}


def test_accuracy_stands_against_the_gradient_ratio_when_training_begins():
    runs = [started("base", 0, 0.1, 1000.0, 1.0), started("base", 1, 0.3, 10.0, 1.0),
            started("untrained-warm-up", 0, 0.7, 6.0, 2.0)]
    ax = figures.ratios(runs, chance=0.1).axes[0]
    assert points(ax) == {(1000.0, 10.0), (10.0, 30.0), (100.0, 20.0), (3.0, 70.0)}  # the mean of logarithms
    assert ax.get_xscale() == "log"
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == [gl.evidence.named("base"), gl.evidence.named("untrained-warm-up")]


def test_a_closer_look_leaves_chance_to_the_title():
    runs = [run("base", 0, 0.70), run("base", 1, 0.72), run("untrained", 0, 0.75)]
    ax = figures.accuracy(runs, chance=0.1, closer=True).axes[0]
    low, high = ax.get_xlim()
    assert 40 < low < 70 and 75 < high < 95
    assert ax.get_title().endswith("; chance 10 %")
    assert figures.accuracy(runs, chance=0.1).axes[0].get_xlim() == (-4, 104)


def test_starts_are_drawn_at_the_rate_that_was_chosen_a_shape_a_size():
    rows = []
    for depth in (20, 50):
        for start, ratio in (("default", 100.0), ("looks-linear", 1.0)):
            for seed, times in ((20, 10.0), (21, 0.1)):
                row = {"data": "digits", "depth": depth, "width": 8, "start": start, "seed": seed,
                       "gradient_ratio": times * ratio, "geometry": 0.5, "test_accuracy": depth / 100}
                rows += [row | {"lr": 1e-3, "chosen": True}, row | {"lr": 5e-3, "chosen": False,
                                                                    "test_accuracy": 0.9}]
    left, right = figures.starts(pd.DataFrame(rows)).axes
    assert points(left) == {(100.0, 20.0), (1.0, 20.0), (100.0, 50.0), (1.0, 50.0)}
    assert points(right) == {(0.5, 20.0), (0.5, 50.0)}
    labels = [text.get_text() for text in right.get_legend().get_texts()]
    assert labels == ["default", "looks-linear", "20 x 8, digits", "50 x 8, digits"]


def test_the_best_so_far_rises_with_the_trials():
    table = pd.DataFrame({"condition": ["base"] * 3, "seed": 100, "validation_accuracy": [0.5, 0.1, 0.3]})
    best = gl.experiments.tuning.best_of(table)
    by_hand = [0.3, (0.5 + 0.5 + 0.3) / 3, 0.5]  # the pairs are (0.5, 0.1), (0.5, 0.3), (0.1, 0.3)
    assert best["validation_accuracy"].tolist() == pytest.approx(by_hand)
    (line,) = figures.best_so_far(best).axes[0].get_lines()
    assert line.get_ydata() == pytest.approx([100 * v for v in by_hand])
    assert list(line.get_xdata()) == [1, 2, 3]


def test_effects_are_drawn_a_line_a_row_that_has_one():
    rows = pd.DataFrame([
        {"experiment": "deep-fcn", "regime": "untrainable", "condition": "untrained", "metric": metric,
         "effect": effect, "effect_low": effect - 0.1, "effect_high": effect + 0.1, "verdict": verdict}
        for metric, effect, verdict in (
            ("test_accuracy", 0.3, "holds"), ("test_accuracy", -0.2, "does not hold: it harms"),
            ("test_accuracy", float("nan"), "not tested"), ("train_loss", 0.3, "holds"))])
    (ax,) = figures.effects(rows).axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["deep-fcn: untrained guide"] * 2
    assert [line.get_xdata()[0] for line in ax.lines[1::2][:2]] == pytest.approx([30, -20])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["holds", "does not hold"]
    with pytest.raises(ValueError, match="no row has an effect to draw"):
        figures.effects(rows[rows["verdict"] == "not tested"])
