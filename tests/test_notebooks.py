"""The tutorials as files, and the strict lane: a golden executed copy whose numbers must come out again."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
GOLDEN = Path(__file__).parent / "golden"


def code_cells(path):
    return [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


def test_there_are_tutorials():
    assert {path.name[:2] for path in NOTEBOOKS} >= {"02", "03", "04"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestTutorial:
    def test_is_committed_without_outputs(self, path):
        for cell in code_cells(path):
            assert cell.outputs == [] and cell.execution_count is None
        assert "widgets" not in nbformat.read(path, 4).metadata

    def test_is_valid_small_and_has_a_kernel(self, path):
        nb = nbformat.read(path, 4)
        nbformat.validate(nb)
        assert nb.metadata.kernelspec.name == "python3"
        assert path.stat().st_size < 300_000

    def test_has_one_parameters_cell_with_the_common_names(self, path):
        tagged = [cell for cell in code_cells(path) if "parameters" in cell.metadata.get("tags", [])]
        assert len(tagged) == 1
        names = [line.split("=")[0].strip() for line in tagged[0].source.splitlines() if " = " in line]
        assert {"profile", "seeds", "device", "out_dir"} <= set(names) and len(names) <= 8
        assert all("#" in line for line in tagged[0].source.splitlines() if " = " in line), "each parameter says what it is"

    def test_cells_are_short(self, path):
        lengths = sorted(len(cell.source.splitlines()) for cell in code_cells(path))
        assert lengths[len(lengths) // 2] <= 6
        assert lengths[int(0.9 * (len(lengths) - 1))] <= 20

    def test_never_trains_or_draws_by_hand(self, path):
        source = "\n".join(cell.source for cell in code_cells(path))
        assert "plt." not in source and "cross_entropy(target" not in source

    def test_ends_with_the_table_and_saves_it(self, path):
        source = "\n".join(cell.source for cell in code_cells(path))
        assert f'"{path.stem}"' in source and "claims.save(" in source and "claims.readable(" in source

    def test_links_lead_somewhere(self, path):
        import re

        for cell in nbformat.read(path, 4).cells:
            if cell.cell_type == "markdown":
                for link in re.findall(r"\]\(([^)#]+\.ipynb)\)", cell.source):
                    assert (path.parent / link).exists(), link


def strict(path):
    """pytest's exit code and words for nbval's comparing lane."""
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "--nbval-sanitize-with", GOLDEN / "sanitise.cfg", "-q",
               "-p", "no:cacheprovider", path]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"})
    return done.returncode, done.stdout


def test_golden_notebook_comes_out_again():
    code, text = strict(GOLDEN / "alignment.ipynb")
    assert code == 0, text


def test_a_changed_number_in_the_golden_notebook_fails(tmp_path):
    text = (GOLDEN / "alignment.ipynb").read_text()
    assert text.count("0.557613") == 1
    changed = tmp_path / "alignment.ipynb"
    changed.write_text(text.replace("0.557613", "0.557614"))
    code, text = strict(changed)
    assert code == 1 and "0.557614" in text
