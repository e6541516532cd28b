"""Run one notebook without a front end, through papermill.

Parameters are checked, and a failure is told in a few lines.
"""

import logging
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# Nobody watches: each frame of a bar would be kept in the executed copy, and a slider could not be moved.
UNWATCHED = {"TQDM_DISABLE": "1", "GUIDELIB_STATIC": "1"}

# At its end a kernel is interrupted, and would report that as an error on the terminal.
QUIET = ["--IPKernelApp.log_level=CRITICAL"]


@dataclass(frozen=True)
class Failure:
    """The cell of a notebook that failed.

    cell: its number among the code cells, 0 if none did. line: its first line. error: the error's last lines.
    """

    notebook: str
    cell: int
    line: str
    error: str

    def __str__(self):
        return f"{self.notebook} failed in code cell {self.cell}: {self.line}\n{self.error}"


def known_parameters(path):
    """The names in the notebook's cell tagged `parameters`; ValueError if there is no such cell."""
    import papermill

    names = set(papermill.inspect_notebook(str(path)))
    if not names:
        raise ValueError(f"{Path(path).name} has no cell tagged 'parameters', "
                         "so nothing could be passed to it")
    return names


def check_parameters(paths, parameters):
    """Raise a ValueError for a name that a notebook does not know: papermill alone would only warn."""
    for path in paths:
        known = known_parameters(path)
        unknown = sorted(set(parameters) - known)
        if unknown:
            raise ValueError(f"{Path(path).name} has no parameter {unknown}: it knows {sorted(known)}")


def run_notebook(path, copy, parameters, *, environment=None, timeout=3600):
    """Execute a notebook with parameters, and leave the executed copy in the file `copy`.

    Returns None, or a Failure; the partial copy is kept then. It runs in its own folder, in a kernel of this
    Python, with one thread a process. timeout: seconds a cell.
    """
    import papermill
    from traitlets.config import Config

    check_parameters([path], parameters)
    logging.getLogger("papermill").setLevel(logging.ERROR)
    Path(copy).parent.mkdir(parents=True, exist_ok=True)
    config = Config({"KernelManager": {"transport_encryption": "auto"}})
    with environment_set(ONE_THREAD | UNWATCHED | (environment or {})):
        try:
            papermill.execute_notebook(
                str(path), str(copy), parameters=parameters, kernel_name="python3",
                cwd=str(Path(path).parent), progress_bar=False, execution_timeout=timeout, config=config,
                extra_arguments=QUIET)
        except Exception as error:  # the cell's own error, a time-out, or a kernel that died
            return failure(path, copy, error)
    return None


def own_cells(nb):
    """The cells of an executed notebook without the one that papermill put in."""
    return [cell for cell in nb.cells if "injected-parameters" not in cell.metadata.get("tags", [])]


def failure(path, copy, error):
    """Find the failing cell in the partial copy."""
    import nbformat

    name = Path(path).name
    cells = own_cells(nbformat.read(copy, 4)) if Path(copy).exists() else []
    code = [cell for cell in cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, 1):
        failed = [o for o in cell.get("outputs", []) if o.output_type == "error"]
        if not failed and not cell.metadata.get("papermill", {}).get("exception"):
            continue
        line = next((line for line in cell.source.splitlines() if line.strip()), "")
        if failed:
            return Failure(name, number, line, last_lines("\n".join(failed[-1].traceback), 8))
        return Failure(name, number, line, last_lines(str(error), 12))
    return Failure(name, 0, "(before or between its cells)", last_lines(str(error), 12))


def last_lines(text, count):
    return "\n".join(plain(text).strip().splitlines()[-count:])


def plain(text):
    """Text without terminal colours.

    >>> plain("\\x1b[31mred\\x1b[0m")
    'red'
    """
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@contextmanager
def environment_set(values):
    """Environment variables for what is started within."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
