"""Small notebooks for the tests of the commands."""

import nbformat


def make(path, *cells, parameters="profile = 'smoke'\nout_dir = '.'\nx = 1"):
    """Write a notebook with a parameters cell and code cells."""
    nb = nbformat.v4.new_notebook()
    nb.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    if parameters is not None:
        cell = nbformat.v4.new_code_cell(parameters)
        cell.metadata["tags"] = ["parameters"]
        nb.cells.append(cell)
    nb.cells += [nbformat.v4.new_code_cell(source) for source in cells]
    nbformat.write(nb, path)
    return path


def outputs(path):
    """All text that the cells of an executed notebook printed."""
    nb = nbformat.read(path, 4)
    found = []
    for cell in nb.cells:
        found += [output.get("text", "") for output in cell.get("outputs", [])]
    return "".join(found)
