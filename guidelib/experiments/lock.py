"""A file beside a record that says who is making it, so that nobody else does."""

import json
import os
import secrets
import socket
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from .screen import say

REFRESHED = 10.0  # seconds between two signs of life
FORGOTTEN = 60.0  # seconds without one, to who waits, before an owner that cannot be asked counts as dead


@contextmanager
def locked(path, *, poll=0.2):
    """Within, this process alone holds the lock file `path`; waits while another lives that holds it.

    The file is created exclusively, holds pid and host, and is touched every 10 seconds. A lock of a dead
    process of this host is taken over at once, one from elsewhere when it was not touched for a minute.
    Should two take over at the same moment, both may work: they write the same record, whole.
    """
    path = Path(path)
    token = secrets.token_hex(8)
    path.parent.mkdir(parents=True, exist_ok=True)
    watched = Watched()
    told = False
    while not created(path, token):
        owner = watched.look(path)
        if owner is None:
            continue  # it is gone: try again
        if dead(owner) or watched.seconds > FORGOTTEN:
            take_away(path, owner)
            continue
        if not told:
            pid, host = owner.get("pid"), owner.get("host")
            say(f"{path.stem} is being made by process {pid} on {host}: waiting for it")
            told = True
        time.sleep(poll)
    released = threading.Event()
    threading.Thread(target=refresh, args=(path, token, released), daemon=True).start()
    try:
        yield
    finally:
        released.set()
        if read(path).get("token") == token:
            path.unlink(missing_ok=True)


class Watched:
    """How long a lock has shown no sign of life.

    Only this process's clock counts, since those of two machines differ.
    """

    def __init__(self):
        self.sign = None
        self.since = time.monotonic()
        self.seconds = 0.0

    def look(self, path):
        """The owner that the lock names ({} if that is not written yet), or None when there is no lock."""
        try:
            sign = path.stat().st_mtime_ns
        except FileNotFoundError:
            return None
        if sign != self.sign:
            self.sign = sign
            self.since = time.monotonic()
        self.seconds = time.monotonic() - self.since
        return read(path)


def created(path, token):
    """Create the lock; False if it is there.

    OSError that names the path if the disk is full; then no lock is left.
    """
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return False
    owner = {"pid": os.getpid(), "host": socket.gethostname(), "token": token}
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(owner, file)
    except OSError as error:
        path.unlink(missing_ok=True)
        text = f"cannot write {path}: {error.strerror}; make room there, and give the same command again"
        raise OSError(error.errno, text) from error
    return True


def read(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def dead(owner):
    """Whether the owner was a process of this host that is no more.

    Windows has no harmless way to ask: there it is never known.
    """
    if owner.get("host") != socket.gethostname() or os.name == "nt":
        return False
    try:
        os.kill(owner["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


def take_away(path, owner):
    """Remove the lock of a dead owner.

    It is renamed first: if another was quicker, and the lock is now theirs, they get it back.
    """
    aside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    with suppress(FileNotFoundError):
        os.rename(path, aside)
        if read(aside) != owner:
            with suppress(FileExistsError):
                os.link(aside, path)
        aside.unlink()


def refresh(path, token, released):
    while not released.wait(REFRESHED):
        if read(path).get("token") != token:
            return
        with suppress(OSError):
            os.utime(path)
