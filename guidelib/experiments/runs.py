"""One run of an experiment, from its configuration to its record."""

import platform
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import torch

from ..training.checkpoints import Checkpoint
from . import procedure
from .guides import Store
from .lock import locked
from .progress import beside, telling
from .records import SCHEMA, path_of, read, write

# torch's global streams and thread count belong to the process, so that only one run at a time can use them.
_alone = threading.Lock()


def run(config, *, out=None, device="auto", recompute=False, checkpoint_every=5.0):
    """The record of a Config: read if it lies in `out`, else made and, with `out`, written there.

    With `out`, training leaves checkpoints beside the record, at most one in `checkpoint_every` seconds: a
    run whose process died is resumed by the same call. A process that finds another at the same run waits for
    its record. recompute: make it anew, and its trained guide, whatever lies there; or a time, time.time(),
    to make anew what is older. OSError that names the path if the record cannot be written; its checkpoints
    are then still there.

    device: "auto" (cuda, else cpu), or any torch device. On a CPU the same Config gives the same `config`,
    `metrics` and `curves` to the last bit, with `threads` torch threads whatever the process has.

    >>> from guidelib.experiments import config
    >>> record = run(config("deep-fcn", profile="smoke"), device="cpu")
    >>> sorted(record)
    ['config', 'curves', 'duration_s', 'environment', 'metrics', 'schema']
    """
    if out is None:
        return make(config, device=find_device(device))
    path = path_of(config, out)
    since = time.time() if recompute is True else float(recompute)
    there = Store(Path(out) / "guides", since)
    if there.has(path):
        return read(path)
    device = find_device(device)
    with locked(lock_of(config, out)):
        if there.has(path):
            return read(path)  # another process has made it meanwhile
        checkpoint = Checkpoint(path.with_suffix(""), every=checkpoint_every)
        if recompute:
            checkpoint.remove()
        with telling(beside(config, out)) as tell:
            record = make(config, device=device, store=there, checkpoint=checkpoint, tell=tell)
        write(record, path)
        checkpoint.remove()
    return read(path)  # what the next reader will see


def network(config, *, device="auto"):
    """The trained network of a run, in eval mode, and its Task, made anew: a record keeps no weights.

    It is the one after the last epoch.

    >>> from guidelib.experiments import config
    >>> net, task = network(config("deep-fcn", profile="smoke"), device="cpu")
    >>> net(task.test[0][:5]).shape
    torch.Size([5, 10])
    """
    with _alone, threads(config.threads):
        target, task, *_ = procedure.train_target(config.whole(), device=find_device(device))
    return target.eval(), task


def lock_of(config, out):
    """The file that lies beside the record while a process makes it."""
    return path_of(config, out).with_suffix(".lock")


def make(config, *, device, store=None, checkpoint=None, tell=None):
    """Make a run, and describe it as a record."""
    config = config.whole()
    with _alone, threads(config.threads):
        start = time.perf_counter()
        if checkpoint is not None:
            start -= checkpoint.seconds
        metrics, curves = procedure.run(config, device=device, store=store, checkpoint=checkpoint, tell=tell)
    about = environment(device)
    seconds = round(time.perf_counter() - start, 2)
    return {"config": config.facts(), "metrics": metrics, "curves": curves, "environment": about,
            "duration_s": seconds, "schema": SCHEMA}


def find_device(name="auto"):
    """The torch device of a name; "auto" is cuda where there is one, else cpu (mps if it is asked for).

    >>> find_device("cpu")
    device(type='cpu')
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        return torch.empty(0, device=name).device
    except (RuntimeError, AssertionError) as error:
        here = ["auto", "cpu", *(["cuda"] if torch.cuda.is_available() else []),
                *(["mps"] if torch.backends.mps.is_available() else [])]
        said = str(error).splitlines()[0]
        why = f" ({said})" if len(said) < 60 else ""  # of a name that is none torch lists all there are
        text = f"device {name!r} cannot be used here{why}: choose from {', '.join(here)}"
        raise ValueError(text) from error


@contextmanager
def threads(n):
    """Within, torch uses n threads: how sums are split, and so their last bit, depends on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def environment(device):
    """Versions, device and commit, for a record; of a CPU what it is and which instructions torch uses there.

    The last bits of a sum depend on it.
    """
    from .. import __version__

    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    else:
        name = f"{processor()}, {torch.backends.cpu.get_cpu_capability()}"
    return {"guidelib": __version__, "python": platform.python_version(), "torch": torch.__version__,
            "system": platform.system(), "device": device.type, "device_name": name, "commit": commit()}


def processor():
    """The model of this machine's processor, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), "") or platform.processor() or platform.machine()


def commit():
    """The commit of the checkout this file lies in, "" outside one."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    try:
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
