"""Files that are written whole or not at all, and folders that can be written to."""

import os
import secrets
import tempfile
from pathlib import Path


def writable(folder):
    """The folder as a Path, made if it is not there.

    OSError in one line, with the repair, if nothing can be written to it.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(f"nothing can be written to {folder} ({error.strerror}): choose another folder, "
                      "out_dir in a notebook or --out in a command") from None
    return folder


def write_whole(path, data):
    """Write bytes so that a reader, whatever happens, finds either all of them or what was there before.

    OSError that names the path, for a full disk and the like; nothing half written stays.
    """
    path = Path(path)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            # Without it a machine that loses power may keep the new name and no content.
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        text = (f"cannot write {path}: {error.strerror or error}. What was written before is whole; "
                "make room there, and give the same command again")
        raise OSError(error.errno, text) from error
    return path
