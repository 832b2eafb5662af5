"""Paths as strings and contents as digests: what ``Project`` is made of."""

# Strings for paths: this runs many times on each hit of the cache, and pathlib takes several times as long.
# ruff: noqa: PTH100, PTH109, PTH110, PTH112, PTH113, PTH118, PTH120, PTH123, PTH206

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable

_lstat = os.lstat  # the child wraps it, and what is looked at here nobody has asked for


def digest(content: bytes) -> str:
    """Return the SHA-256 of some bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def digest_of(path: str) -> str:
    """Return the SHA-256 of a file's content, in hex.

    Raises:
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_below(path: str, folders: Iterable[str]) -> bool:
    """Whether a path is one of ``folders`` or lies in one."""
    return any(path == folder or path.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders)


def scan(folder: str) -> list[os.DirEntry[str]]:
    """Return what is in a folder; nothing where it is none."""
    return list(os.scandir(folder)) if os.path.isdir(folder) else []


def absolute(path: str, folder: str = "") -> str:
    """Return a path from the root on, without ``.`` and ``..``.

    ``link/..`` is not where ``link`` is but where it points to, so such a path is left as it is.
    """
    path = os.path.join(folder, path)
    if ".." in path and _goes_back_from_a_link(os.path.join(os.getcwd(), path)):
        return os.path.join(os.getcwd(), path)
    return os.path.abspath(path)


def archive_of(path: str) -> str | None:
    """Return the file, such as a ZIP archive, that a path is, or lies in as if that were a folder."""
    while not os.path.exists(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path if os.path.isfile(path) else None


def _goes_back_from_a_link(path: str) -> bool:
    above = ""
    for part in path.split(os.sep):
        if part == "..":
            if _is_link(above):
                return True
            above = os.path.dirname(above)
        elif part not in {"", "."}:
            above = f"{above}{os.sep}{part}"
    return False


def _is_link(path: str) -> bool:
    try:
        return stat.S_ISLNK(_lstat(path).st_mode)
    except (OSError, ValueError):
        return False
