"""The README: its numbers come from the committed records, its commands exist, its links lead somewhere."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
sys.path.insert(0, str(ROOT / "results"))
import readme  # noqa: E402


def test_results_are_rendered_from_the_committed_records():
    block = README.partition(readme.START)[2].partition(readme.END)[0]
    assert block == readme.block(readme.records_of(readme.FAST))


def test_a_changed_record_changes_the_block():
    records = readme.records_of(readme.FAST)
    records[0] = records[0] | {"metrics": records[0]["metrics"] | {"test_accuracy": 0.999}}
    assert readme.block(records) != README.partition(readme.START)[2].partition(readme.END)[0]


def test_the_story_holds_on_the_committed_records():
    """The base at chance, the warm-up clearly above it, over at least three seeds, the identity control beside it."""
    table = readme.summary(readme.records_of(readme.FAST)).set_index("condition")
    assert table.loc["base", "low"] <= 0.1 and table.loc["base", "seeds"] >= 3
    assert table.loc["untrained-warm-up", "low"] > table.loc["base", "high"]
    assert "identity-warm-up" in table.index


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_links_lead_somewhere(link):
    assert (ROOT / link).exists()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`?make ([a-z-]+)", README)) - {"lines"}))
def test_make_targets_exist(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_public_address_is_one_setting_and_empty_means_no_buttons():
    from guidelib.checkout import REPOSITORY

    assert REPOSITORY == ""
    assert "badge" not in README and "colab.research" not in README and "pip install guidelib" not in README
