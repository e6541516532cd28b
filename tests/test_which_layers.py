"""Guided in some layers alone, read from records: a row a choice, against the base, tuned for it or not."""

import json

import pytest
from test_ledger import SEEDS, add

from guidelib import figures
from guidelib.evidence import which_layers
from guidelib.experiments.catalogue import base, variant

REACHED = {"all": 0.6, "first-1": 0.4, "first-10": 0.7, "first-2": 0.5, "last-2": 0.35, "last-1": 0.3}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Records of guides tied to some layers, of which the first one alone was tuned for."""
    known = json.loads(base.CHOSEN.read_text())
    place = known["deep-fcn-untrainable-fast"]
    for name in [name for name in place if name.startswith(("untrained (", "data-gram ("))]:
        del place[name]
    place[variant("untrained", {"layers": "first-1"})] = {"lr": 0.1, "dose": 2.0}
    monkeypatch.setattr(base, "CHOSEN", tmp_path / "chosen.json")
    base.CHOSEN.write_text(json.dumps(known))
    add(tmp_path, "base", 0.2)
    for layers, mean in REACHED.items():
        add(tmp_path, "untrained", mean, **{"layers": layers} if layers != "all" else {})
    add(tmp_path, "untrained", 0.99, layers="first-5", dose=7.0)  # another dose: no run of a variant
    add(tmp_path, "untrained", 0.99, layers="layers.1")  # no end
    add(tmp_path, "untrained", 0.99, regime="overfit", layers="first-2")
    return tmp_path


def test_a_row_a_choice_of_layers_from_the_first_to_the_last(folder):
    table = which_layers.ordered(which_layers.reached(folder, "deep-fcn"))
    assert table["layers"].tolist() == ["first-1", "first-2", "first-10", "all", "last-2", "last-1"]
    assert table["gain"].round(6).tolist() == [0.2, 0.3, 0.5, 0.4, 0.15, 0.1]
    assert set(table["seeds"]) == {len(SEEDS)} and set(table["n"]) == {497}
    assert table.set_index("layers")["tuned"].to_dict() == dict.fromkeys(REACHED, False) | {
        "all": True, "first-1": True}
    text = which_layers.said(table).splitlines()
    assert text[2].startswith("| the first layer | 41.1 % (") and "+20.0 (+20.0 to +20.0)" in text[2]
    assert text[3].startswith("| the first 2 layers, tuned for all layers | 51.1 % (")
    assert [line.split(" | ")[0] for line in text[5:]] == [
        "| all layers", "| the last 2 layers, tuned for all layers", "| the last layer, tuned for all layers"]


def test_where_all_layers_alone_were_guided_there_is_nothing(tmp_path):
    add(tmp_path, "base", 0.2)
    add(tmp_path, "untrained", 0.6)
    assert which_layers.reached(tmp_path, "deep-fcn").empty
    assert which_layers.reached(tmp_path, "copy-paste").empty


def test_both_lines_of_the_figure_end_at_all_layers(folder):
    table = which_layers.reached(folder, "deep-fcn")
    (ax,) = figures.which_layers({"deep-fcn": table}, bases={"deep-fcn": 0.21}).axes
    first, last = (c.lines[0] for c in ax.containers)
    assert list(first.get_ydata()) == pytest.approx([41.1, 51.1, 71.1, 61.1])
    assert list(last.get_ydata()) == pytest.approx([31.1, 36.1, 61.1])
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "2", "10", "all"]
    assert [[round(x) for x in line.get_xdata()] for line in (first, last)] == [[0, 1, 2, 3], [0, 1, 3]]
    assert len(figures.which_layers({"deep-fcn": table, "again": table}).axes) == 2


def test_a_control_that_is_tied_to_the_same_layers_stands_beside_them(folder):
    table = which_layers.reached(folder, "deep-fcn")
    alone = which_layers.reached(folder, "deep-fcn", condition=which_layers.CONTROL)
    assert alone.empty and which_layers.said(table, alone) == which_layers.said(table)
    for layers in ("all", "first-10"):
        add(folder, which_layers.CONTROL, 0.5, **{"layers": layers} if layers != "all" else {})
    control = which_layers.reached(folder, "deep-fcn", condition=which_layers.CONTROL)
    lines = which_layers.said(table, control).removeprefix(which_layers.said(table)).splitlines()
    assert [line.split(" | ")[0] for line in lines[1:]] == [
        "| control: the input's own Gram matrix, the first 10 layers, tuned for all layers",
        "| control: the input's own Gram matrix, all layers"]
    (ax,) = figures.which_layers({"deep-fcn": table}, controls={"deep-fcn": control}).axes
    drawn = {c.get_label(): list(c.lines[0].get_ydata()) for c in ax.containers}
    assert set(drawn) == {"the first layers", "the last layers", "the first, control"}
    assert drawn["the first, control"] == pytest.approx([51.1, 51.1])
    assert which_layers.over_control(folder, "deep-fcn") == [
        "the first 10 layers: untrained guide minus control: the input's own Gram matrix "
        "+20.0 (+20.0 to +20.0) points"]


def test_without_a_control_on_the_same_layers_nothing_is_set_beside(folder):
    add(folder, which_layers.CONTROL, 0.5)  # on all layers
    assert which_layers.over_control(folder, "deep-fcn") == []
    add(folder, which_layers.CONTROL, 0.5, layers="last-10")  # to which no guide was tied
    assert which_layers.over_control(folder, "deep-fcn") == []
