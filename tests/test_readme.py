"""The README: its numbers come from the committed records, its commands exist, its links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
sys.path.insert(0, str(ROOT / "results"))
import readme  # noqa: E402

from guidelib import evidence  # noqa: E402
from guidelib.experiments.catalogue import CATALOGUE  # noqa: E402


def test_results_are_rendered_from_the_committed_records():
    block = README.partition(readme.START)[2].partition(readme.END)[0]
    assert block == readme.block(readme.records_of(readme.FAST))


def test_the_counts_are_made_of_the_committed_records():
    said = README.partition(readme.SHORT)[2].partition(readme.LONG)[0]
    assert said == readme.short(ROOT / "results") != "\n"


def test_map_and_real_images_are_told_from_the_committed_records():
    said = README.partition(readme.ELSE)[2].partition(readme.DONE)[0]
    assert said == readme.elsewhere(readme.FAST) != ""


def test_the_time_that_all_runs_take_is_that_of_the_records():
    assert README.partition(readme.FROM)[2].partition(readme.TO)[0] == readme.spent(readme.FAST)


def test_how_long_it_took_is_what_the_kept_timings_say():
    said = README.partition(readme.MINUTES)[2].partition(readme.THESE)[0]
    assert said == readme.lasted() != ""
    kept = readme.timings.kept()
    assert readme.timings.whole(kept)["fast"] < 600  # what make figures may take


def test_a_changed_record_changes_the_block():
    records = readme.records_of(readme.FAST)
    records[0] = records[0] | {"metrics": records[0]["metrics"] | {"test_accuracy": 0.999}}
    assert readme.block(records) != README.partition(readme.START)[2].partition(readme.END)[0]


def test_the_setting_could_go_either_way_and_every_condition_is_there():
    """Seeds enough of each condition; the guide's architecture above the base; neither side at chance."""
    records = readme.records_of(readme.FAST)
    table = evidence.summary(records).set_index("condition")
    assert set(table.index) == set(readme.SHOWN)
    assert min(table["seeds"]) >= 8
    for name in readme.ASKED:
        assert evidence.effect(records, name).gate == ""


def test_results_are_one_short_table_and_a_figure_that_leaves_no_setting_out():
    """Not even one where nothing was found."""
    results = README.partition(readme.SHORT)[2].partition(readme.DONE)[0]
    rows = [line for line in results.splitlines() if line.startswith("| ") and "---" not in line]
    assert 3 < len(rows) - 1 <= 8
    drawn = evidence.at_a_glance(readme.HERE)[["experiment", "regime"]].drop_duplicates()
    places = {(name, regime): names for name, experiment in CATALOGUE.items()
              for (regime, profile), names in experiment.compared.items() if profile == "fast"}
    settings = {place for place, names in places.items()
                if readme.records_of(readme.FAST, place[0], names, regime=place[1])}
    assert set(drawn.itertuples(index=False, name=None)) == settings


def test_readme_and_ledger_show_the_same_numbers_from_the_same_records():
    claims = {"untrained": "t3-deep-fcn-untrained", "trained": "t3-deep-fcn-trained",
              "untrained-warm-up": "f4-accuracy"}
    records = readme.records_of(readme.FAST)
    block = readme.block(records)
    page = (ROOT / "results" / "ledger.md").read_text(encoding="utf-8")
    for condition, claim in claims.items():
        card = page.partition(f"- {claim}, ")[2].partition("</details>")[0]
        found = evidence.effect(records, condition)
        reached = evidence.shown(found.metric, *found.ours)
        gain = evidence.shown(found.metric, *found.gain, signed=True)
        assert f"ours: {reached};" in card and f"{gain} points against {found.against}," in card, condition
        assert f"| {reached} | {gain} |" in block, condition


def test_aligned_on_noise_is_said_only_where_the_misalignment_fell():
    runs = evidence.by_seed(readme.records_of(readme.FAST))["untrained-warm-up"]
    pages = [ROOT / "README.md", *(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "book").glob("*.md")]
    said = [path for path in pages if "ligned on noise" in path.read_text(encoding="utf-8")]
    assert evidence.treated(runs) or said == []


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_links_lead_somewhere(link):
    assert (ROOT / link).exists()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`?make ([a-z-]+)", README)) - {"lines"}))
def test_make_targets_exist(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_public_address_is_one_setting_and_empty_means_no_buttons():
    from guidelib.course.checkout import REPOSITORY

    assert REPOSITORY == ""
    assert "badge" not in README
    assert "colab.research" not in README
    assert "pip install guidelib" not in README


def test_the_snippet_prints_the_report_that_stands_below_it():
    """The same pairs; numbers to within what another processor's rounding makes of fifty steps."""
    (snippet,) = re.findall(r"```python\n(import torch\n.*?)```", README, re.DOTALL)
    below = re.search(r"^ {4}( +target guide .*(?:\n {4}.*)+)", README, re.MULTILINE)[1]
    done = subprocess.run([sys.executable, "-c", snippet], capture_output=True, text=True, timeout=120)
    ours, printed = ([line.split() for line in text.strip().splitlines()] for text in (below, done.stdout))
    assert [row[:4] for row in ours] == [row[:4] for row in printed], done.stderr
    for mine, theirs in zip(ours[1:], printed[1:], strict=True):
        assert [float(value) for value in mine[4:]] == pytest.approx(list(map(float, theirs[4:])), abs=0.05)
    assert len(ours) == 3 and len(ours[0]) == 6
