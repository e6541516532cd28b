"""Whether notebooks will run here: the kernel they name, widgets, and the fonts of their figures."""

import re
import shutil
from pathlib import Path

from .report import Finding

LAB = "python -m pip install -e '.[lab]'"
FONTS = ("DejaVu Sans", "Arial", "Liberation Sans", "Helvetica", "Bitstream Vera Sans")
EXTENSION = Path("@jupyter-widgets", "jupyterlab-manager", "package.json")


def kernel_command():
    """(command, folder) of the kernelspec python3 that Jupyter would take; None if there is none."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        return None
    return spec.argv, spec.resource_dir


def kernel(found, *, python, prefix):
    """Whether the kernel `python3` starts the Python of this environment.

    found: (command, folder) of its kernelspec, or None. python: this environment's, as sys.executable.
    prefix: its folder, sys.prefix. Jupyter replaces a bare `python` by the Python that it runs in itself.
    """
    inside = "`python -m ipykernel install --sys-prefix`"
    if not found or not found[0]:
        return Finding("kernel", "wrong", "no kernel python3, so no notebook can run", inside)
    (first, *_), folder = found
    # A new one has to take the place of the one at fault: it lies in this environment, or in the home folder.
    ours = not folder or Path(folder).is_relative_to(prefix)
    repair = inside if ours else "`python -m ipykernel install --user`"
    if re.fullmatch(r"python(3(\.\d+)?)?", first):
        return Finding("kernel", "ok", "python3 starts this environment's Python")
    path = Path(first if Path(first).is_absolute() else shutil.which(first) or first)
    if not path.exists():
        return Finding("kernel", "wrong", f"python3 starts {first}, which does not exist", repair)
    if path.parent.resolve() != Path(python).parent.resolve():
        return Finding("kernel", "wrong", f"python3 starts {first}, not this environment's Python", repair)
    return Finding("kernel", "ok", "python3 starts this environment's Python")


def widgets_here():
    """(version of ipywidgets or None, folders of JupyterLab's extensions, whether JupyterLab is here)."""
    from importlib.util import find_spec

    from jupyter_core.paths import jupyter_path

    try:
        import ipywidgets
    except ImportError:
        return None, [], False
    return ipywidgets.__version__, jupyter_path("labextensions"), find_spec("jupyterlab") is not None


def widgets(version, folders, lab):
    """Whether sliders and buttons of notebooks will work.

    version: of ipywidgets, None if it cannot be imported. folders: of JupyterLab's extensions. lab: whether
    JupyterLab is here.
    """
    if version is None:
        return Finding("widgets", "wrong", "ipywidgets cannot be imported: no sliders and no buttons",
                       "`python -m pip install \"ipywidgets>=8.1,<9\"`")
    if not any((Path(folder) / EXTENSION).is_file() for folder in folders):
        return Finding("widgets", "wrong", f"ipywidgets {version} is here, its part for JupyterLab is not",
                       "`python -m pip install --force-reinstall jupyterlab_widgets`, then reload the page")
    if not lab:
        return Finding("widgets", "note", f"ipywidgets {version}; JupyterLab is not in this environment",
                       f"`{LAB}`; `make figures` does without")
    return Finding("widgets", "ok", f"ipywidgets {version}, with its part for JupyterLab")


def find_font(name):
    """The file of a font; ValueError if Matplotlib does not find it."""
    from matplotlib.font_manager import findfont

    return findfont(name, fallback_to_default=False)


def fonts(find=find_font):
    """Whether Matplotlib finds a font without serifs; find: from a name to its file, or a ValueError."""
    for name in FONTS:
        try:
            find(name)
        except ValueError:
            continue
        if name == FONTS[0]:
            return Finding("fonts", "ok", f"Matplotlib finds {name}")
        return Finding("fonts", "note", f"no {FONTS[0]}; Matplotlib takes {name}",
                       "nothing need be done; figures may be set a little differently")
    return Finding("fonts", "wrong", f"Matplotlib finds none of {', '.join(FONTS)}",
                   "`python -m pip install --force-reinstall matplotlib`, which brings DejaVu Sans")
