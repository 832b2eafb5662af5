"""``Project``: which files count as the project's own, what they are called, and what state they are in."""

# Strings for paths: this runs many times on each hit of the cache, and pathlib takes several times as long.
# ruff: noqa: PTH100, PTH110, PTH112, PTH114, PTH115, PTH116, PTH118, PTH119, PTH120, PTH123

from __future__ import annotations

import hashlib
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.machinery import all_suffixes

# By-products that differ from machine to machine and that nobody asks for.
_CLUTTER = {"__pycache__", ".DS_Store", ".ipynb_checkpoints"}
# Where pip, and Debian, put what is installed; it counts by the names of the distributions in it.
_INSTALLED_FOLDERS = {"site-packages", "dist-packages"}
_STANDARD_LIBRARY = os.path.dirname(os.__file__)
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_INITS = [f"{os.sep}__init__{suffix}" for suffix in all_suffixes()]
_OF_THE_MACHINE = ("/proc", "/sys", "/dev")

ABSENT = "absent"
"""The state of what does not exist."""


@dataclass(frozen=True)
class Project:
    """The files that a definition may depend on and that no version number stands for.

    Those are all files but the standard library, installed packages, this package and what is told to be
    ignored. A file has a name that holds in another checkout: the number of an anchor and the path below it.

    Attributes:
        anchors: the working directory, then the folders of ``sys.path`` that hold the project's own modules.
        search: those of the anchors that modules are looked for in, in the order of ``sys.path``.
        installed: the folders of installed packages, in the order of ``sys.path``.
        ignored: what does not count, with all that is in it.
        environment: a digest of the Python version, of all installed distributions and of this package.
        mixed: whether installed packages lie among the project's modules, as after ``pip install
            --target .``; nobody can tell then which versions count.
    """

    anchors: tuple[str, ...]
    search: tuple[str, ...]
    installed: tuple[str, ...]
    ignored: tuple[str, ...]
    environment: str
    mixed: bool

    @classmethod
    def of(cls, folder: str, path: Iterable[str], ignored: Iterable[str] = ()) -> Project:
        """Find the project of a process by its working directory and ``sys.path``."""
        entries = list(dict.fromkeys(os.path.join(folder, entry) for entry in path))
        installed = [entry for entry in entries if os.path.basename(entry) in _INSTALLED_FOLDERS]
        machinery = (_STANDARD_LIBRARY, *installed)
        search = [
            entry.rstrip(os.sep)
            for entry in entries
            if not _is_below(entry, machinery) and os.path.exists(entry)
        ]
        anchors = tuple(dict.fromkeys((folder, *search)))
        return cls(
            anchors=anchors,
            search=tuple(search),
            installed=tuple(installed),
            ignored=(*machinery, _PACKAGE, *_OF_THE_MACHINE, *ignored),
            environment=_environment(installed, [anchors.index(entry) for entry in search]),
            mixed=any(entry.name.endswith(".dist-info") for folder in search for entry in _scan(folder)),
        )

    def name(self, path: str) -> str | None:
        """Return the name of a file or folder, or None where it does not count."""
        path = os.path.abspath(path)
        if _is_below(path, self.ignored):
            return None
        for number, anchor in enumerate(self.anchors):
            if _is_below(path, (anchor,)):
                return f"{number}:{path[len(anchor) :].lstrip(os.sep).replace(os.sep, '/')}"
        return f"-:{path}"

    def is_above(self, path: str) -> bool:
        """Whether a folder is above the project, and so is there wherever the project is."""
        return any(_is_below(anchor, (path,)) for anchor in self.anchors)

    def path(self, name: str) -> str:
        """Return where the file of that name is on this machine.

        Raises:
            LookupError: this project has no such anchor.
        """
        number, _, below = name.partition(":")
        if number == "-":
            return below
        return os.path.join(self.anchors[int(number)], below) if below else self.anchors[int(number)]

    def state(self, path: str, *, listed: bool = False) -> str:
        """Return what whoever reads ``path`` depends on: content, names in a folder, or existence.

        Of a file also whether it may be executed, which an archive keeps; of a link also where it points.
        """
        state = self._state(path, listed=listed)
        return f"{state} -> {os.readlink(path)}" if os.path.islink(path) else state

    def _state(self, path: str, *, listed: bool) -> str:
        try:
            mode = os.stat(path).st_mode
            if stat.S_ISDIR(mode):
                return f"listing {self._listing(path)}" if listed else "folder"
            if not stat.S_ISREG(mode):
                return "special"
            return f"file {_digest_of(path)}" + (" executable" if mode & stat.S_IXUSR else "")
        except (FileNotFoundError, NotADirectoryError):
            return ABSENT
        except (OSError, ValueError):
            return "unreadable"

    def importable(self) -> list[list[str]]:
        """Return the names that each folder of the search path could give a module, sorted.

        A folder that is no package ends in ``/``: it gives way to an installed package of that name.
        """
        return [sorted(set(_module_names(folder))) for folder in self.search]

    def places_of(self, module: str, path: Iterable[str]) -> Iterator[str]:
        """Return all paths at which a module could be in the folders of ``path``."""
        stem = module.rpartition(".")[2]
        for folder in path:
            if not _is_below(folder, self.ignored):
                yield os.path.join(folder, stem)
                for suffix in all_suffixes():
                    yield os.path.join(folder, stem + suffix)
                    yield os.path.join(folder, stem, "__init__" + suffix)

    def _listing(self, path: str) -> str:
        names = [
            entry.name + ("/" if entry.is_dir() else "")
            for entry in os.scandir(path)
            if not is_clutter(entry.name) and entry.path not in self.ignored
        ]
        return digest("\n".join(sorted(names)).encode())


@dataclass(frozen=True)
class Reads:
    """What a build function has read.

    Attributes:
        states: the state of each file and folder, by its name in the ``Project``.
        importable: what ``Project.importable`` said.
    """

    states: Mapping[str, str]
    importable: list[list[str]]


def is_clutter(path: str) -> bool:
    """Say whether a file is a by-product that differs from machine to machine and is of no use in S3."""
    return not _CLUTTER.isdisjoint(path.split("/"))


def digest(content: bytes) -> str:
    """Return the SHA-256 of some bytes, in hex."""
    return hashlib.sha256(content).hexdigest()


def _digest_of(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_below(path: str, folders: Sequence[str]) -> bool:
    return any(path == folder or path.startswith(folder.rstrip(os.sep) + os.sep) for folder in folders)


def _scan(folder: str) -> list[os.DirEntry[str]]:
    return list(os.scandir(folder)) if os.path.isdir(folder) else []


def _module_names(folder: str) -> Iterator[str]:
    suffixes = tuple(all_suffixes())
    for entry in _scan(folder):
        name = entry.name
        if name.endswith(suffixes) or entry.is_dir():
            stem = name.partition(".")[0] if name.endswith(suffixes) else name
            if stem.isidentifier() and not is_clutter(stem):
                yield stem + ("/" if name == stem and not _is_package(entry.path) else "")


def _is_package(folder: str) -> bool:
    return any(os.path.exists(folder + name) for name in _INITS)


def _environment(installed: Iterable[str], order: Sequence[int]) -> str:
    python = [sys.implementation.name, sys.platform, *map(str, sys.version_info)]
    distributions = [sorted(_distributions(folder)) for folder in installed]
    return digest(repr((python, distributions, order, _own_sources())).encode())


def _distributions(folder: str) -> Iterator[str]:
    for entry in _scan(folder):
        if entry.name.endswith((".dist-info", ".egg-info", ".egg-link", ".pth")):
            yield entry.name
        if entry.name.endswith(".dist-info") and os.path.exists(os.path.join(entry.path, "direct_url.json")):
            yield _record_of(entry.path)


def _record_of(folder: str) -> str:
    """Return a digest of the files of a distribution that came from a folder, a repository or a URL.

    Its version may stay the same when it is installed anew. What says where it came from does not count.
    https://packaging.python.org/en/latest/specifications/direct-url/
    """
    try:
        with open(os.path.join(folder, "RECORD"), "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return ABSENT
    left_out = (b"../", b"__editable__", os.fsencode(os.path.basename(folder)))
    return digest(
        b"\n".join(line for line in sorted(lines) if not line.startswith(left_out) and b".pth," not in line)
    )


@cache
def _own_sources() -> str:
    """Return a digest of this package, which decides what a definition becomes; read once a process."""
    found = []
    for folder, folders, files in os.walk(_PACKAGE):
        folders[:] = [name for name in folders if not is_clutter(name)]
        found += [os.path.join(folder, name) for name in files if name.endswith(".py")]
    contents = [(os.path.relpath(path, _PACKAGE), _digest_of(path)) for path in sorted(found)]
    return digest(repr(contents).encode())
