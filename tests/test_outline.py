"""The table of the course: counted in the notebooks, timed from executed copies; and citations."""

import nbformat
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from guidelib.course import Lesson, citations, outline, timings
from guidelib.course.checkout import notebooks


def executed(folder, name, *, durations, profile="fast", total=None, failed=False, began=0):
    """An executed copy as papermill leaves one, cells of these seconds, begun at a second of an hour."""
    cells = [new_markdown_cell("# A"), new_code_cell("profile = 1", metadata={
        "tags": ["injected-parameters"], "papermill": {"duration": 99.0}})]
    for number, seconds in enumerate(durations):
        cells.append(new_code_cell(f"cell_{number}()\nmore()", metadata={"papermill": {"duration": seconds}}))
    facts = {"duration": total or sum(durations), "exception": failed, "parameters": {"profile": profile},
             "start_time": f"2026-01-01T00:00:{began:06.3f}+00:00"}
    path = folder / f"{name}.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata={"papermill": facts}), path)
    return path


def test_a_notebook_is_timed_from_its_executed_copy(tmp_path):
    paths = [executed(tmp_path, "02_a", durations=[1.0, 5.0, 2.0], total=11.04),
             executed(tmp_path, "03_b", durations=[1.0], failed=True)]
    (row,) = timings.of_copies(paths).to_dict("records")
    assert (row["notebook"], row["profile"], row["seconds"], row["cells"]) == ("02_a", "fast", 11.0, 3)
    assert (row["median_s"], row["longest_s"], row["longest"]) == (2.0, 5.0, "cell_1()")
    assert row["step_s"] > 0 and row["machine"] == timings.machine()
    assert len(timings.of_copies(paths[1:])) == len(timings.of_copies([tmp_path / "not made.ipynb"])) == 0


def test_notebooks_that_ran_side_by_side_took_less_than_their_sum(tmp_path):
    paths = [executed(tmp_path, f"0{i}", durations=[d], began=b)
             for i, (d, b) in enumerate([(6.0, 10), (9.0, 10.5), (2.5, 16.5)])]
    side = timings.of_copies(paths)
    assert list(side["from_s"]) == [0.0, 0.5, 6.5]
    assert timings.whole(side) == {"fast": 9.5} and timings.beside(side) == " beside another"
    assert timings.beside(side[side["notebook"] != "01"]) == ""


def test_the_time_of_a_page_stands_in_its_header_where_it_was_measured(tmp_path, monkeypatch):
    row = {"notebook": "02_a", "profile": "fast", "seconds": 130.0, "longest_s": 61.0, "from_s": 0.0,
           "machine": "2 cores"}
    pd.DataFrame([row]).to_csv(tmp_path / timings.FILE, index=False)
    said = timings.said("02_a", "fast", folder=tmp_path)
    assert said == ("Run headless, this page took 2.2 minutes at this profile, its longest cell 61 s "
                    "(2 cores).")
    assert timings.said("02_a", "smoke", folder=tmp_path) == timings.said("03", "fast", folder=tmp_path) == ""
    monkeypatch.setattr(timings, "said", lambda name, profile: f"{name} at {profile}")
    assert "02_a at fast" in Lesson("02_a", out_dir=tmp_path)._repr_markdown_()
    assert "02_a at" not in Lesson("02_a", out_dir=tmp_path, seeds=[1])._repr_markdown_()


def test_the_kept_timings_are_of_all_notebooks_on_one_machine():
    kept = timings.kept()
    assert len(kept["machine"].unique()) == 1
    names = {path.stem for path in notebooks()}
    for profile in ("smoke", "fast"):
        assert set(kept[kept["profile"] == profile]["notebook"]) == names


def test_the_outline_counts_what_a_learner_does():
    table = outline.outline()
    assert (table["exercises"] >= 3).all() and (table["minutes"] >= 5 * table["exercises"]).all()
    assert (table["median"] <= 5).all() and (table["longest"] <= 15).all()
    assert table["question"].str.endswith("?").all()
    nb = new_notebook(cells=[
        new_markdown_cell("# 02 A title\n\n**Question.** Why\nso?"),
        new_code_cell("gl.widgets.pairing(a)\nlesson.predict('x', 'y', [])"),
        new_markdown_cell("### Exercise: one\n\n*12 minutes, difficulty 2 of 3.*", id="exercise-one",
                          metadata={"tags": ["exercise"]})])
    assert outline.exercises_of(nb) == [("one", 12, 2)]
    assert len(outline.WIDGET.findall(nb.cells[1].source)) == 1
    assert outline.question(nb.cells[0].source) == "Why so?"


def test_a_page_holds_every_notebook_and_exercise(tmp_path):
    text = outline.page()
    for path in notebooks():
        assert f"]({path.stem}.ipynb)" in text
    assert text.count("\n| [0") == len(notebooks()) + outline.outline()["exercises"].sum()


def test_citations_in_brackets_and_lists_become_links():
    known = {"saxe2014": ("Saxe", "2014"), "hinton2015": ("Hinton", "2015")}
    text = "As Saxe et al. (2014) say.\n\n**References.** Hinton et al., *D* (2015). Saxe (2014).\n\n**Next**"
    assert citations.with_citations(text, known) == (
        "As {cite:t}`saxe2014` say.\n\n**References.** Hinton et al., *D* (2015). Saxe (2014). "
        "In full: {cite:p}`hinton2015,saxe2014`.\n\n**Next**")


def test_of_two_works_of_a_year_the_one_named_last_is_meant():
    known = {"a": ("Zhu", "2021"), "b": ("Bach", "2021")}
    assert citations.listed("Zhu et al. (2021). Bach (2021).", known) == ["a", "b"]
    with pytest.raises(ValueError, match="no work of 2021"):
        citations.listed("Nobody (2021).", known)


def test_an_author_named_twice_is_meant_where_the_year_follows():
    known = {"a": ("Zhu", "2021"), "b": ("Bach", "2021")}
    assert citations.listed("Zhu. Bach and Zhu (2021).", known) == ["a"]
