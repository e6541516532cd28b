"""What every tutorial repeats: which runs it shows, where they come from, and what is left in the folder."""

import json

import pandas as pd
import pytest

import guidelib as gl
from guidelib.course import Lesson, Runs
from guidelib.experiments.procedure import PROBED


@pytest.fixture
def lesson(tmp_path):
    return Lesson("02_example", profile="smoke", seeds=[7], device="cpu", out_dir=str(tmp_path), jobs=1)


def test_runs_are_made_with_seeds_of_ones_own_and_shown_with_their_origin(lesson, tmp_path):
    runs = lesson.runs("deep-fcn", "base", "guide-alone", depth=2)
    assert [r["config"]["seed"] for r in runs] == [7, 7]
    assert len(list((tmp_path / "records").glob("*.json"))) == 2
    again = lesson.runs("deep-fcn", "base", depth=2)
    assert again[0]["duration_s"] == runs[0]["duration_s"]  # reused
    lesson.accuracy(runs, "accuracy", alt="Two bars.")
    lesson.timings(runs, "timings", alt="Two panels.", guides=[], references=["base"])
    assert (tmp_path / "02_accuracy.svg").exists()
    assert (tmp_path / "02_timings.png").exists()


def test_runs_of_seconds_are_made_one_at_a_time(tmp_path):
    jobs = {profile: Lesson("02_example", profile=profile, out_dir=str(tmp_path), jobs=2).jobs
            for profile in ("smoke", "fast")}
    assert jobs == {"smoke": 1, "fast": 2}


def test_at_fast_nothing_is_made_and_what_is_missing_is_told(tmp_path):
    lesson = Lesson("02_example", profile="fast", out_dir=str(tmp_path))
    runs = lesson.runs("deep-fcn", "base", "untrained", epochs=1)  # of which the project keeps nothing
    assert list(runs) == []
    assert [c.condition for c in runs.missing] == ["base"] * 10 + ["untrained"] * 10
    assert len(runs.of("base").missing) == 10
    kept = lesson.runs("deep-fcn", "base")
    assert len(kept) >= 8
    assert len(kept) + len(kept.missing) == 10
    assert not (tmp_path / "records").exists()


def test_a_study_is_drawn_where_one_is_kept_and_else_told_to_be_missing(lesson, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(lesson, "display", lambda *things: shown.extend(things))
    lesson.starts("starts", alt="Two panels.")
    assert shown.pop().data == "The study of starts at other sizes is not kept at this profile."
    row = {"data": "digits", "depth": 2, "width": 8, "start": "default", "seed": 20, "gradient_ratio": 2.0,
           "geometry": 0.5, "test_accuracy": 0.3, "n_test": 497, "device": "cpu", "chosen": True}
    monkeypatch.setattr(gl.experiments.initialisations, "kept", lambda profile: pd.DataFrame([row]))
    lesson.starts("starts", alt="Two panels.")
    assert "study initialisations" in shown.pop().data and (tmp_path / "02_starts.svg").exists()


def test_a_map_of_architectures_is_drawn_where_one_is_kept_and_else_told_to_be_missing(lesson, tmp_path,
                                                                                      monkeypatch):
    shown = []
    monkeypatch.setattr(lesson, "display", lambda *things: shown.extend(things))
    lesson.nearness("fall", condition="untrained", alt="A map.")
    assert shown.pop().data == "The map of architectures is not kept at this profile."
    assert lesson.nearness_said("untrained") == []
    rows = [{"target": target, "guide": guide, "condition": condition, "lr": 0.1, "seed": seed,
             "misalignment_start": 0.5 + 0.1 * (target > guide), "misalignment_end": 0.1 * seed,
             "test_accuracy": 0.5 + 0.1 * (guide > target) * (condition == "untrained"), "chosen": True}
            for target in "AB" for guide in "AB" for condition in ("base", "untrained") for seed in (1, 2)]
    monkeypatch.setattr(gl.course.lesson.architectures, "kept", lambda profile: pd.DataFrame(rows))
    lesson.nearness("fall", condition="untrained", alt="A map.")
    assert "study architectures" in shown.pop().data and (tmp_path / "02_fall_untrained.svg").exists()
    ways, ranks = lesson.nearness_said("untrained")
    assert ways.startswith("The fall of the misalignment is") and ways.endswith("the other way round.")
    assert ranks.startswith("Over 2 seeds, the rank correlation") and ranks.endswith(").")


def test_parts_and_sums_keep_what_is_missing():
    missing = gl.experiments.config("deep-fcn", condition="untrained")
    a = Runs([{"config": {"condition": "base"}}], missing=[missing])
    a += Runs([{"config": {"condition": "untrained"}}])
    assert isinstance(a, Runs)
    assert (len(a), len(a.missing)) == (2, 1)
    assert len(a.of("untrained")) == 1
    assert len(a.of("untrained").missing) == 1
    assert a.of("base").missing == []


def test_the_live_seed_is_the_first_of_those_reported(tmp_path):
    lesson = Lesson("02_example", profile="fast", out_dir=str(tmp_path))
    assert lesson.live_seed("deep-fcn") == lesson.seeds("deep-fcn")[0] == 20
    assert lesson.config("deep-fcn", "untrained").seed == 20
    assert Lesson("02_example", seeds=[5, 3], out_dir=str(tmp_path)).live_seed("deep-fcn") == 5


def test_a_run_made_live_is_held_against_the_kept_one(lesson, tmp_path, monkeypatch):
    made = lesson.train("deep-fcn", "base", depth=2)
    assert "keeps no record" in lesson.remade(made).data
    kept = {"same": True}
    monkeypatch.setattr("guidelib.evidence.provenance.kept_record",
                        lambda r: dict(r) if kept["same"] else other)
    assert "Of 1 runs made here 1 equal the project's records to the last bit." in lesson.remade(made).data
    other = made[0] | {"metrics": made[0]["metrics"] | {"test_accuracy": 0.123}}
    kept["same"] = False
    said = lesson.remade(made).data
    assert "Of 1 runs made here 0 equal" in said
    assert made[0]["environment"]["device_name"] in said
    probe = {name: values for name, values in made[0]["curves"]["probe"].items() if name != "geometry"}
    other = made[0] | {"curves": made[0]["curves"] | {"probe": probe}}  # of before that was recorded
    assert "1 equal" in lesson.remade(made).data
    other = made[0] | {"curves": made[0]["curves"] | {"probe": probe | {"moments": []}}}
    assert "0 equal" in lesson.remade(made).data


def test_the_closing_table_counts_the_runs_once(lesson, tmp_path):
    runs = lesson.runs("deep-fcn", "base", "untrained", depth=2)
    lesson.runs("deep-fcn", "base", depth=2)  # read again
    live = lesson.train("deep-fcn", "base", depth=2)
    rows = [gl.evidence.row(runs, "it helps", "untrained", paper="yes")]
    html = lesson.close(rows).data
    table = json.loads((tmp_path / "tables" / "02_example.json").read_text())
    assert table["runs"] == {"kept": 0, "computed": 2}  # the live one is one of these
    assert live[0] == runs[0]
    assert "it helps" in html
    assert table["rows"][0]["verdict"] == rows[0]["verdict"]
    (line,) = lesson.sentences(rows).data.splitlines()
    assert line.startswith("- *it helps.* Untrained guide reaches ")


def test_words_and_tables(lesson):
    assert lesson.say("a", ["b", "c"], "").data == "a\n\n- b\n- c"
    runs = lesson.runs("deep-fcn", "base", depth=2)
    assert lesson.table(runs, "gap_last").data.startswith("| condition | training minus validation accuracy")
    assert lesson.table(Runs()).data == "No runs at this profile."
    assert "Profile smoke" in lesson._repr_markdown_()
    assert "seeds [7]" in lesson._repr_markdown_()


def test_curves_and_dimensions_are_drawn_from_the_records(lesson, tmp_path):
    runs = lesson.runs("deep-fcn", "base", "untrained-warm-up", depth=2)
    image = lesson.curves(runs, "curves", alt="Curves.", columns={"train_loss": "training"}, ylabel="nats")
    assert image.alt == "Curves."
    lines = {"before": ("untrained-warm-up", "start"), "after": ("untrained-warm-up", "warmed up"),
             "never": ("base", "warmed up")}
    lesson.dimension(runs, "dimension", alt="Dimensions.", lines=lines, title="deep-fcn")
    assert (tmp_path / "02_dimension.svg").read_text().count("before") == 1
    assert "never" not in (tmp_path / "02_dimension.svg").read_text()
    title = f"deep-fcn: 1 seed, n = {runs[0]['metrics']['n_validation']} validation images (digits)"
    assert title in (tmp_path / "02_dimension.svg").read_text()
    for r in runs:
        r["metrics"]["n_validation"] = PROBED + 1  # of which no more than PROBED are looked at
    lesson.dimension(runs, "dimension", alt="Dimensions.", lines=lines)
    assert f"n = {PROBED} validation images" in (tmp_path / "02_dimension.svg").read_text()


@pytest.mark.parametrize(("options", "words"), [
    ({"profile": "fats"}, "did you mean 'fast'"),
    ({"jobs": 0}, "received 0"),
])
def test_slips_are_told_at_once(options, words):
    with pytest.raises(ValueError, match=words):
        Lesson("02_example", **options)


def test_a_cell_that_adds_runs_may_be_run_again(lesson):
    missing = gl.experiments.config("deep-fcn", condition="untrained")
    runs = Runs([{"config": {"condition": "base", "seed": 7}}], missing=[missing])
    more = Runs([{"config": {"condition": "base", "seed": 8}}, runs[0]], missing=[missing])
    once = runs + more
    assert [r["config"]["seed"] for r in once] == [7, 8]
    assert list(once + more) == list(once) and once.missing == [missing]


@pytest.mark.parametrize(("options", "message"), [
    ({"seeds": "01"}, "seeds is a list of whole numbers.*received '01'"),
    ({"seeds": [1.5]}, r"received \[1.5\]"),
    ({"seeds": []}, r"received \[\]"), ({"seeds": [True]}, r"received \[True\]"),
    ({"device": "gpu"}, "device 'gpu' cannot be used here: choose from auto, cpu"),
    ({"profile": "paper"}, "needs several GPUs"),
    ({"profile": "overnight"}, "one of deep-fcn alone.*choose")])
def test_what_cannot_be_is_said_before_anything_is_made(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        Lesson("02_example", out_dir=tmp_path, **options)
    assert Lesson("02_example", out_dir=tmp_path, seeds=3).chosen == [3]


def test_kept_runs_are_shown_and_closed_with_the_command_that_makes_them_again(tmp_path, monkeypatch):
    lesson = Lesson("02_example", profile="fast", out_dir=str(tmp_path))
    shown = []
    monkeypatch.setattr(lesson, "display", lambda *things: shown.extend(thing.data for thing in things))
    runs = lesson.runs("deep-fcn", "base", "untrained", regime="overfit")
    lesson.origin(runs)
    lesson.close([gl.evidence.row(runs, "It helps", "untrained", paper="", overfitting=True)])
    said, closed = shown
    command = "*Made again by `python -m guidelib compare deep-fcn --regime overfit`.*"
    assert said.endswith(f"computed here: 0.* {command}") and closed == command
    shown.clear()
    lesson.origin([{"config": {"condition": "base", "seed": 0}}])  # made by the reader: nothing to make again
    assert "Made again" not in shown[0]
