"""Run one notebook without a front end, through papermill: parameters are checked, and a failure is told in a few lines."""

import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
NO_BARS = {"TQDM_DISABLE": "1"}  # nobody watches, and each frame of a bar would be kept in the executed copy


@dataclass(frozen=True)
class Failure:
    """The cell of a notebook that failed: its number among the code cells, its first line, and the error's last lines."""

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
        raise ValueError(f"{Path(path).name} has no cell tagged 'parameters', so nothing could be passed to it")
    return names


def check_parameters(paths, parameters):
    """Raise a ValueError for a name that one of the notebooks does not know: papermill alone would only warn, and go on."""
    for path in paths:
        known = known_parameters(path)
        unknown = sorted(set(parameters) - known)
        if unknown:
            raise ValueError(f"{Path(path).name} has no parameter {unknown}: it knows {sorted(known)}")


def run_notebook(path, target, parameters, *, environment=None, timeout=3600):
    """Execute a notebook into `target` with parameters; returns None, or a Failure, with the partial notebook kept.

    It runs in its own folder, in a kernel of this Python, with one thread a process. timeout: seconds a cell.
    """
    import logging

    import papermill
    from traitlets.config import Config

    check_parameters([path], parameters)
    logging.getLogger("papermill").setLevel(logging.ERROR)
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    with environment_set(ONE_THREAD | NO_BARS | (environment or {})):
        try:
            papermill.execute_notebook(str(path), str(target), parameters=parameters, kernel_name="python3", cwd=str(Path(path).parent),
                                       progress_bar=False, execution_timeout=timeout,
                                       config=Config({"KernelManager": {"transport_encryption": "auto"}}))
        except Exception as error:  # the cell's own error, a time-out, or a kernel that died
            return failure(path, target, error)
    return None


def failure(path, target, error):
    """Find the failing cell in the partial notebook."""
    import nbformat

    text = "\n".join(plain(str(error)).strip().splitlines()[-12:])
    cells = nbformat.read(target, 4).cells if Path(target).exists() else []
    code = [cell for cell in cells if cell.cell_type == "code" and "injected-parameters" not in cell.metadata.get("tags", [])]
    for number, cell in enumerate(code, 1):
        failed = [o for o in cell.get("outputs", []) if o.output_type == "error"]
        if failed or cell.metadata.get("papermill", {}).get("exception"):
            line = next((line for line in cell.source.splitlines() if line.strip()), "")
            if failed:
                text = "\n".join(plain("\n".join(failed[-1].traceback)).strip().splitlines()[-8:])
            return Failure(Path(path).name, number, line, text)
    return Failure(Path(path).name, 0, "(before or between its cells)", text)


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
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
