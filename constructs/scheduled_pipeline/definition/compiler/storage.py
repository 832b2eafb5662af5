"""Files in a folder that others may write to as well, or that may be damaged: nothing in it does harm."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Not through a link, and not waiting for the other end of a pipe. Windows has neither flag.
_CAREFULLY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_ATTEMPTS = 20
_UNFINISHED = re.compile(r"\..+\.\d+\.\d+")


@dataclass(frozen=True, order=True)
class Found:
    """A file of a folder: when it was used last, in seconds of the clock, and its size in bytes."""

    used: float
    size: int
    path: Path


def read_file(path: Path) -> bytes | None:
    """Return the content of a file; None where there is none, or a link, a pipe or a folder is."""
    try:
        number = os.open(path, os.O_RDONLY | _CAREFULLY)
    except (OSError, ValueError):
        return None
    try:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            return None
        with os.fdopen(number, "rb", closefd=False) as file:
            return file.read()
    except OSError:
        return None
    finally:
        os.close(number)


def write_file(path: Path, content: bytes) -> None:
    """Write a file, and its folder if need be, so that nobody ever reads half of it.

    Raises:
        OSError: it cannot be written.
    """
    for _ in range(_ATTEMPTS):
        # Another process may remove the folder while it is empty: before the file is made, or while `mkdir`,
        # which has found it, looks what it is.
        with contextlib.suppress(FileNotFoundError, FileExistsError):
            _write(path, content)
            return
    _write(path, content)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        aside.unlink(missing_ok=True)  # of a process that was killed and had the same number
        number = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _CAREFULLY, 0o666)
        with os.fdopen(number, "wb") as file:
            file.write(content)
        aside.replace(path)
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)


def touch(path: Path) -> None:
    """Note that a file is used, as far as this user may: the folder may be another one's, or be read-only."""
    with contextlib.suppress(OSError):
        os.utime(path)


def files_in(folder: Path, suffix: str = "") -> list[Found]:
    """Return the files of a folder, those used last at the end; none where there is no such folder."""
    return sorted(_files_in(folder, suffix))


def folders_in(folder: Path) -> list[Path]:
    """Return the folders in a folder; none where there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def remove_unfinished(folder: Path, seconds: float) -> None:
    """Remove what a process that was killed has left of its writing, if it is so many seconds old."""
    for found in files_in(folder):
        if _UNFINISHED.fullmatch(found.path.name) and found.used < time.time() - seconds:
            remove(found.path)


def remove(path: Path) -> None:
    """Remove a file, as far as this user may."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _files_in(folder: Path, suffix: str) -> Iterator[Found]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(suffix):
                    with contextlib.suppress(OSError):  # another process may have removed it
                        state = entry.stat(follow_symlinks=False)
                        if not stat.S_ISDIR(state.st_mode):
                            yield Found(state.st_mtime, state.st_size, Path(entry.path))
    except OSError:
        return
