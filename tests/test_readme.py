"""The README: its numbers come from the committed records, its commands exist, its links lead somewhere."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
sys.path.insert(0, str(ROOT / "results"))
import readme  # noqa: E402

from guidelib import evidence  # noqa: E402
from guidelib.evidence import gates  # noqa: E402


def test_results_are_rendered_from_the_committed_records():
    block = README.partition(readme.START)[2].partition(readme.END)[0]
    assert block == readme.block(readme.records_of(readme.FAST))


def test_a_changed_record_changes_the_block():
    records = readme.records_of(readme.FAST)
    records[0] = records[0] | {"metrics": records[0]["metrics"] | {"test_accuracy": 0.999}}
    assert readme.block(records) != README.partition(readme.START)[2].partition(readme.END)[0]


def test_the_setting_could_go_either_way_and_every_condition_is_there():
    """Five seeds of each of the twenty conditions; the guide's architecture above the base; neither side at chance."""
    records = readme.records_of(readme.FAST)
    table = evidence.summary(records).set_index("condition")
    assert set(table.index) == set(readme.SHOWN) and set(table["seeds"]) == {5}
    assert sorted({r["config"]["seed"] for r in records}) == sorted({r["config"]["split_seed"] for r in records}) == [10, 11, 12, 13, 14]
    run = {c: [r for r in records if r["config"]["condition"] == c] for c in readme.SHOWN}
    assert gates.untested(run["untrained"], run["base"], alone=run["guide-alone"]) == ""
    assert gates.beats(run["guide-alone"], run["base"])


def test_readme_and_ledger_show_the_same_numbers_from_the_same_records():
    block, page = readme.block(readme.records_of(readme.FAST)), (ROOT / "results" / "ledger.md").read_text(encoding="utf-8")
    for claim, condition in (("An untrained ResNet-18 guide helps a deep", "untrained"), ("A trained ResNet-18 guide helps a deep", "trained"),
                             ("Aligned on noise to an untrained ResNet-18 for 300 steps", "untrained-warm-up")):
        row = next(line for line in page.splitlines() if claim in line and "fast, untrainable" in line)
        table = evidence.summary([r for r in readme.records_of(readme.FAST) if r["config"]["condition"] == condition])
        shown = evidence.percent(*table.loc[0, ["mean", "low", "high"]])
        assert f" | {shown} | " in row and f" {shown} |" in block, condition


def test_aligned_on_noise_is_said_only_where_the_misalignment_fell():
    run = [r for r in readme.records_of(readme.FAST) if r["config"]["condition"] == "untrained-warm-up"]
    said = [path for path in (ROOT / "README.md", *(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "book").glob("*.md"))
            if "ligned on noise" in path.read_text(encoding="utf-8")]
    assert gates.fell(run) or said == []


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_links_lead_somewhere(link):
    assert (ROOT / link).exists()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`?make ([a-z-]+)", README)) - {"lines"}))
def test_make_targets_exist(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_public_address_is_one_setting_and_empty_means_no_buttons():
    from guidelib.course.checkout import REPOSITORY

    assert REPOSITORY == ""
    assert "badge" not in README and "colab.research" not in README and "pip install guidelib" not in README
