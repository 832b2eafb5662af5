"""``Project``: which files count as the project's own, what they are called, and what state they are in."""

# Strings for paths: this runs many times on each hit of the cache, and pathlib takes several times as long.
# ruff: noqa: PTH100, PTH110, PTH112, PTH113, PTH114, PTH115, PTH116, PTH118, PTH119, PTH120, PTH206

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.machinery import all_suffixes

from scheduled_pipeline.definition.files import absolute, archive_of, digest, digest_of, is_below, scan
from scheduled_pipeline.definition.installed import distributions, places_in, root_of, startup_texts

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
        anchors: the working directory, then the folders and archives of ``sys.path`` that hold the project's
            own modules, then what editable installs say their modules are in.
        search: those of the anchors that modules are looked for in, in the order of ``sys.path``.
        installed: the folders of installed packages, in the order of ``sys.path``.
        ignored: what does not count, with all that is in it.
        environment: a digest of the Python version, of all installed distributions, of this package, and of
            the order in which modules are looked for.
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
        entries = list(dict.fromkeys(absolute(entry, folder) for entry in path))
        installed = [entry for entry in entries if os.path.basename(entry) in _INSTALLED_FOLDERS]
        machinery = (_STANDARD_LIBRARY, *installed)
        search = [entry for entry in entries if not is_below(entry, machinery) and _is_searched(entry)]
        texts = [startup_texts(place) for place in installed]
        anchors = [*dict.fromkeys((folder, *search))]
        for place in [root_of(place) for text in texts for _, place in places_in("\n".join(text))]:
            if not is_below(place, (*machinery, *anchors)) and not _is_above(place, (*machinery, *anchors)):
                anchors.append(place)
        project = cls(
            anchors=tuple(anchors),
            search=tuple(search),
            installed=tuple(installed),
            ignored=(
                *machinery,
                _PACKAGE,
                # A project may lie in one of these, as in a memory disk at /dev/shm.
                *(place for place in (*_OF_THE_MACHINE, *ignored) if not _is_above(place, anchors)),
            ),
            environment="",
            mixed=any(entry.name.endswith(".dist-info") for place in search for entry in scan(place)),
        )
        order = [project._place(entry) for entry in entries]
        startup = [[project._anywhere(line) for line in text] for text in texts]
        return replace(project, environment=_environment(installed, order, startup))

    def name(self, path: str) -> str | None:
        """Return the name of a file or folder, or None where it does not count."""
        path = absolute(path)
        if is_below(path, self.ignored):
            return None
        for number, anchor in enumerate(self.anchors):
            if is_below(path, (anchor,)):
                return f"{number}:{path[len(anchor) :].lstrip(os.sep).replace(os.sep, '/')}"
        return f"-:{path}"

    def behind(self, path: str) -> str:
        """Return what a file that does not count is a link to, if it leads out of where it is.

        What is installed counts by its version, links or not.
        """
        machinery = (*self.installed, _STANDARD_LIBRARY, _PACKAGE)
        places = [] if is_below(path, machinery) else [p for p in self.ignored if is_below(path, (p,))]
        real = os.path.realpath(path) if places else path
        return path if is_below(real, map(os.path.realpath, places)) else real

    def is_above(self, path: str) -> bool:
        """Whether a folder is above the project, and so is there wherever the project is."""
        return _is_above(path, self.anchors)

    def path(self, name: str) -> str:
        """Return where the file of that name is on this machine.

        Raises:
            LookupError: this project has no such anchor.
        """
        number, _, below = name.partition(":")
        if number == "-":
            return below
        if not number.isdecimal() or int(number) >= len(self.anchors):
            raise LookupError(f"there is no anchor {number!r}")
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
            return f"file {digest_of(path)}" + (" executable" if mode & stat.S_IXUSR else "")
        except (FileNotFoundError, NotADirectoryError):
            return ABSENT
        except (OSError, ValueError):
            return "unreadable"

    def importable(self) -> list[list[str]]:
        """Return the names that each folder of the search path could give a module, sorted.

        A folder that is no package ends in ``/``: it gives way to an installed package of that name. Of an
        archive it is one name, which changes with its content.
        """
        return [_importable(entry) for entry in self.search]

    def places_of(self, module: str, path: Iterable[str]) -> Iterator[str]:
        """Return all paths at which a module could be in the folders of ``path``."""
        stem = module.rpartition(".")[2]
        for folder in path:
            if not is_below(folder, self.ignored):
                yield os.path.join(folder, stem)
                for suffix in all_suffixes():
                    yield os.path.join(folder, stem + suffix)
                    yield os.path.join(folder, stem, "__init__" + suffix)

    def is_linked_in(self, path: str) -> bool:
        """Whether a file is in an installed package that is a link to elsewhere; its version says nothing."""
        for folder in self.installed:
            if is_below(path, (folder,)):
                top = os.path.join(folder, path[len(folder) :].strip(os.sep).partition(os.sep)[0])
                real = os.path.realpath(top)
                return os.path.islink(top) and _INSTALLED_FOLDERS.isdisjoint(real.split(os.sep))
        return False

    def has_module(self, module: str) -> bool:
        """Whether a module is one of the project's own, seen from its name alone: nothing is imported."""
        return any(
            os.path.isfile(place)
            for folder in self.search
            for place in self.places_of(module, [os.path.join(folder, *module.split(".")[:-1])])
        )

    def _place(self, entry: str) -> str:
        """Return what an entry of ``sys.path`` is, in a way that holds on another machine."""
        for number, folder in enumerate(self.installed):
            if is_below(entry, (folder,)):
                return f"installed {number}{entry[len(folder) :]}"
        if is_below(entry, (_STANDARD_LIBRARY,)):
            return "standard library"
        return (self.name(entry) if entry in self.search else None) or ""

    def _anywhere(self, text: str) -> str:
        """Return what runs when Python starts, with the names of files in the place of their paths."""
        for written, path in places_in(text):
            text = text.replace(written, self.name(path) or self._place(path) or written)
        return text

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


def _is_searched(entry: str) -> bool:
    """Whether modules could be found at an entry of ``sys.path``."""
    return os.path.isdir(entry) or archive_of(entry) is not None


def _is_above(path: str, places: Iterable[str]) -> bool:
    return any(is_below(place, (path,)) for place in places)


def _importable(entry: str) -> list[str]:
    archive = archive_of(entry)
    return sorted(set(_module_names(entry))) if archive is None else [f"archive {digest_of(archive)}"]


def _module_names(folder: str) -> Iterator[str]:
    suffixes = tuple(all_suffixes())
    for entry in scan(folder):
        name = entry.name
        if name.endswith(suffixes) or entry.is_dir():
            stem = name.partition(".")[0] if name.endswith(suffixes) else name
            if stem.isidentifier() and not is_clutter(stem):
                yield stem + ("/" if name == stem and not _is_package(entry.path) else "")


def _is_package(folder: str) -> bool:
    return any(os.path.exists(folder + name) for name in _INITS)


def _environment(installed: Iterable[str], order: Sequence[str], startup: Sequence[Sequence[str]]) -> str:
    python = [sys.implementation.name, sys.platform, *map(str, sys.version_info)]
    contents = [distributions(folder) for folder in installed]
    return digest(repr((python, contents, order, startup, _own_sources())).encode())


@cache
def _own_sources() -> str:
    """Return a digest of this package, which decides what a definition becomes; read once a process."""
    found = []
    for folder, folders, files in os.walk(_PACKAGE):
        folders[:] = [name for name in folders if not is_clutter(name)]
        found += [os.path.join(folder, name) for name in files if name.endswith(".py")]
    contents = [(os.path.relpath(path, _PACKAGE), digest_of(path)) for path in sorted(found)]
    return digest(repr(contents).encode())
