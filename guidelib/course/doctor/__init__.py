"""Is this machine ready for the course? Small looks at it, each with what was found and what to do."""

import os
import platform
import shutil
import sys

from .. import timings
from ..step import step_seconds
from . import jupyter, machine, pace
from .report import Finding, Findings, guarded

__all__ = ["Finding", "Findings", "examine"]
INSTALL = "install the project again: `python -m pip install -e .`"


def look_at_python():
    return machine.python_version(platform.python_version(), machine.needed("python"))


def look_at_torch():
    import torch

    return machine.torch_version(torch.__version__, machine.needed("torch"))


def look_at_device():
    import torch

    cuda = None
    if torch.cuda.is_available():
        about = torch.cuda.get_device_properties(0)
        cuda = about.name, about.total_memory
    return machine.device(cuda=cuda, mps=torch.backends.mps.is_available(), cores=timings.cores(),
                          threads=torch.get_num_threads(), driver=shutil.which("nvidia-smi") is not None)


def look_at_data():
    from ...tasks.cifar10_files import data_folder

    return machine.data(present=machine.present(), wanted=machine.wanted(), folder=data_folder(),
                        given=bool(os.environ.get("GUIDELIB_DATA")))


def look_at_kernel():
    return jupyter.kernel(jupyter.kernel_command(), python=sys.executable, prefix=sys.prefix)


def look_at_widgets():
    return jupyter.widgets(*jupyter.widgets_here())


def look_at_speed():
    return pace.speed(step_seconds(), **pace.reference(timings.kept()))


def examine(*, out_dir="figures"):
    """The Findings on this machine: versions, device, data, kernel, widgets, fonts, results folder and speed.

    out_dir: the folder that results would be written to; it is not made. A look that breaks is a finding
    "wrong" with the error's words. It takes a few seconds. As the last line of a cell it is a table.

        found = examine(out_dir="figures")
        print(found.text())
    """
    def look_at_results():
        free = shutil.disk_usage(machine.existing(out_dir)).free
        return machine.results_folder(out_dir, free=free)

    looks = {"Python": look_at_python, "torch": look_at_torch, "device": look_at_device, "data": look_at_data,
             "kernel": look_at_kernel, "widgets": look_at_widgets, "fonts": jupyter.fonts,
             "results": look_at_results, "speed": look_at_speed}
    return Findings([guarded(name, look, repair=INSTALL) for name, look in looks.items()])
