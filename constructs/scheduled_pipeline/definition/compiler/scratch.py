"""``scratch_folder``: a folder for temporary files that does not outlive its process for long.

Whoever has such a folder holds a lock on a file in it for as long as the process lives. A folder whose lock
nobody holds was left by a process that was killed, and the next synth of the same user removes it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_PREFIX = "scheduled-pipeline-"
_LOCK = "lock"
_NEW_LOCK = "lock.new"
# A folder without a lock has just been made, or its process was killed in that moment.
_MAKING_SECONDS = 3600.0


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder among the temporary files, and remove it at the end of the block.

    A fork of the process that comes to the end of the block leaves it alone.
    """
    owner = os.getpid()
    # The real path, as of what is read in there: on macOS the folder for temporary files is behind a link.
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
    lock = _locked(folder)
    try:
        yield folder
    finally:
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def remove_abandoned() -> None:
    """Remove the folders of this user's processes that were killed; none on Windows, without such locks."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX):
                with contextlib.suppress(OSError):
                    _remove_if_abandoned(Path(entry.path))


def _locked(folder: Path) -> int | None:
    """Lock a folder; return the open file that holds the lock, which a program that is started does not get.

    The file has its name only when it is locked, so nobody takes a new folder for one that was left.
    """
    if sys.platform == "win32":
        return None
    import fcntl

    new = folder / _NEW_LOCK
    lock = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError:  # a file system without locks
        os.close(lock)
        return None
    new.rename(folder / _LOCK)
    return lock


def _remove_if_abandoned(folder: Path) -> None:
    """Remove a folder that is this user's and that no process holds.

    Raises:
        OSError: it is held, or has gone meanwhile, or cannot be removed.
    """
    found = folder.lstat()  # a link is none of ours, wherever it points
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        return
    import fcntl

    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        # On a file system without locks there is never more than the new one, also in a folder in use.
        if time.time() - found.st_mtime > _MAKING_SECONDS and not (folder / _NEW_LOCK).exists():
            shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(lock), (folder / _LOCK).stat()):
            _empty(folder)
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def _empty(folder: Path) -> None:
    """Remove all but the lock, which goes last: what cannot be removed is found again by the next synth."""
    for entry in list(os.scandir(folder)):
        if entry.name == _LOCK:
            continue
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            Path(entry.path).unlink()
