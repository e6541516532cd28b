"""Versions, device, data and the folder for the results: each a function of what was looked at."""

import operator
import re
import tomllib
from importlib.metadata import metadata
from pathlib import Path

from ...files import writable
from ..checkout import ROOT
from .report import Finding

GB = 1e9
LITTLE = 1 * GB  # free space below which a reader should know
FULL = 0.05 * GB  # and below which figures and records of the course may not fit
TORCH_PAGE = "https://pytorch.org/get-started/locally/"
TESTS = {">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt,
         "<": operator.lt}


def needed(name, *, root=ROOT):
    """The range of versions of "python" or of a dependency, as pyproject.toml allows it.

    Without a checkout it is that of the installed package. ValueError for what is no dependency.

    >>> needed("python")
    '>=3.11'
    """
    path = Path(root) / "pyproject.toml"
    if path.is_file():
        project = tomllib.loads(path.read_text(encoding="utf-8"))["project"]
        python, requirements = project["requires-python"], project["dependencies"]
    else:
        about = metadata("guidelib")
        python, requirements = about["Requires-Python"], about.get_all("Requires-Dist")
    if name == "python":
        return python
    for requirement in requirements:
        match = re.match(rf"{re.escape(name)}\s*([<>=!][^;]*)", requirement)
        if match:
            return match[1].strip()
    raise ValueError(f"{name!r} is no dependency of guidelib: choose from {sorted(requirements)}")


def release(version):
    """The numbers of a version, at least three.

    >>> release("2.13.0+cpu"), release("3.11")
    ((2, 13, 0), (3, 11, 0))
    """
    match = re.match(r"\d+(\.\d+)*", version)
    if not match:
        raise ValueError(f"a version begins with a number, received {version!r}")
    numbers = tuple(map(int, match[0].split(".")))
    return numbers + (0,) * (3 - len(numbers))


def within(version, allowed):
    """Whether a version is in a range such as ">=2.6,<2.14"; what follows its numbers does not count.

    >>> within("2.13.0+cpu", ">=2.6,<2.14"), within("2.5.1", ">=2.6,<2.14")
    (True, False)
    """
    for part in allowed.split(","):
        match = re.fullmatch(r"\s*([<>=!]=?)\s*([\d.]+)\s*", part)
        if not match or match[1] not in TESTS:
            raise ValueError(f"a range is made of parts such as >=2.6, received {part!r}")
        if not TESTS[match[1]](release(version), release(match[2])):
            return False
    return True


def python_version(version, allowed):
    """Whether this Python is one that the project is made for."""
    if within(version, allowed):
        return Finding("Python", "ok", f"{version} (needs {allowed})")
    return Finding("Python", "wrong", f"{version}, but guidelib needs {allowed}",
                   "install a Python in that range, then `make figures PYTHON=/path/to/it`")


def torch_version(version, allowed):
    """Whether torch is in the range that the project is tested with."""
    if within(version, allowed):
        return Finding("torch", "ok", f"{version} (needs {allowed})")
    return Finding("torch", "wrong", f"{version}, but guidelib needs {allowed}",
                   f"`python -m pip install \"torch{allowed}\"`, or a build from {TORCH_PAGE}")


def device(*, cuda, mps, cores, threads, driver=False):
    """Where networks are trained.

    cuda: (name, bytes) of the GPU, or None. mps: whether Apple's GPU can be used. driver: whether the machine
    has an NVIDIA driver.
    """
    unit = "core" if cores == 1 else "cores"
    cpu = f"CPU, {cores} {unit}, torch uses {threads}"
    if cuda:
        name, size = cuda
        return Finding("device", "ok", f"CUDA: {name}, {size / GB:.0f} GB; {cpu}")
    if driver:
        return Finding("device", "note", f"{cpu}; an NVIDIA driver is here, but this torch cannot use it",
                       f"for the GPU install a CUDA build of torch, see {TORCH_PAGE}")
    if cores < 2:
        return Finding("device", "note", f"{cpu}; the course trains two networks at a time",
                       "one at a time is kinder: `guidelib figures --jobs 1`, in a notebook jobs = 1")
    if mps:
        return Finding("device", "ok", f"mps, used where device is set to \"mps\"; {cpu}")
    return Finding("device", "ok", f"{cpu}; enough for profiles smoke and fast")


def wanted():
    """{data set: the profiles that use it}, of all experiments.

    >>> wanted()["cifar10"]
    ['full', 'overnight']
    """
    from ...experiments.catalogue import CATALOGUE

    found = {}
    for experiment in CATALOGUE.values():
        for profile, settings in experiment.sizes.items():
            found.setdefault(settings.get("data", "digits"), set()).add(profile)
    return {name: sorted(profiles) for name, profiles in found.items()}


def present():
    """({data set: None, or the error that reading it raised}) of every task there is."""
    from ... import tasks

    found = {}
    for name in tasks.TASKS:
        try:
            # The hash of CIFAR-10 needs all of its 144 MB; that its files are there is enough.
            tasks.cifar10_files.find() if name == "cifar10" else tasks.fingerprint(name)
            found[name] = None
        except Exception as error:
            found[name] = error
    return found


def data(*, present, wanted, folder, given):
    """Which data are here, and which profiles need the others.

    present: {name: None or the error}. wanted: {name: profiles}. folder: where the tasks look. given: whether
    GUIDELIB_DATA names it. Data that are not there are no fault: digits come with scikit-learn.
    """
    from ...tasks import MissingData

    absent = [name for name, error in present.items() if isinstance(error, MissingData)]
    for name, error in present.items():
        if error is not None and name not in absent:
            words = " ".join(str(error).split())
            return Finding("data", "wrong", f"{name} cannot be read: {words}",
                           "get its files again; for a missing module `python -m pip install -e .`")
    where = f"GUIDELIB_DATA is {folder}" if given else "GUIDELIB_DATA is not set"
    if given and not Path(folder).is_dir():
        return Finding("data", "wrong", f"{where}, and there is no such folder",
                       "set GUIDELIB_DATA to the folder of your data, or unset it")
    if not absent:
        return Finding("data", "ok", f"{', '.join(present)}; {where}")
    needs = []
    for name in absent:
        profiles = " and ".join(wanted.get(name, []))
        needs.append(f"{name} (for profile {profiles})" if profiles else name)
    return Finding("data", "note", f"digits are here; not here: {', '.join(needs)}; {where}",
                   "smoke and fast need none of it; for the others set GUIDELIB_DATA to their folder")


def existing(folder):
    """The folder itself, or the nearest one above it that is there already."""
    folder = Path(folder).absolute()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def results_folder(folder, *, free, write=writable):
    """Whether results can be written to a folder, and whether there is room.

    free: bytes. write: a function that raises OSError for a folder that cannot be written to. No folder is
    made.
    """
    folder = Path(folder).absolute()
    try:
        write(existing(folder))
    except OSError as error:
        return Finding("results", "wrong", str(error).partition(": choose")[0],
                       "choose another folder: out_dir in a notebook, `--out FOLDER` in a command")
    room = f"{folder}, {free / GB:.1f} GB free"
    if free < FULL:
        return Finding("results", "wrong", room, "make room, or choose another folder with `--out FOLDER`")
    if free < LITTLE:
        return Finding("results", "note", f"{room}, less than {LITTLE / GB:.0f} GB",
                       "enough to begin; make room before `make figures`, or use `--out FOLDER`")
    return Finding("results", "ok", room)
