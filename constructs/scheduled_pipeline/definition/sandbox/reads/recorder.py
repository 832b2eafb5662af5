"""``Recorder``: what a build function reads, seen in the process that runs it.

Audit events tell of files, folders, links that are made and databases, whatever library is used, as long as
it goes through Python; where something else may have read a file, nobody knows. There are no events for
``os.stat``, on which ``exists`` and ``is_file`` are built, nor for ``lstat``, ``access`` and ``readlink``, so
those functions are wrapped. Of imports ``sys.meta_path`` tells, in which each search for a module begins.
https://docs.python.org/3/library/audit_events.html
"""

from __future__ import annotations

import contextlib
import importlib
import linecache
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from scheduled_pipeline.definition.files import absolute
from scheduled_pipeline.definition.project import Project, Reads
from scheduled_pipeline.definition.sandbox.guard.programs import Program, tell_of_programs
from scheduled_pipeline.definition.sandbox.guard.stand_ins import stand_in
from scheduled_pipeline.definition.sandbox.reads import unseen
from scheduled_pipeline.definition.sandbox.reads.databases import Databases

_stat = os.stat
_LISTINGS = {"os.listdir", "os.scandir"}
# What there is by another name afterwards.
_LINKS = {"os.link", "os.symlink", "os.rename"}
_WRITES = os.O_WRONLY | os.O_TRUNC | os.O_EXCL

_STANDARD_LIBRARY = str(Path(os.__file__).parent) + os.sep


class Recorder:
    """Records what is read for one definition, in a process that is there for nothing else.

    Made once a process: an audit hook cannot be taken out again.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._active = False
        self._busy = threading.local()
        self._first: dict[str, tuple[int, ...]] = {}
        self._listings: dict[str, str] = {}
        self._imports: dict[str, tuple[str, ...]] = {}
        self._inserted: dict[str, None] = {}
        self._unseen = False
        self._known: dict[str, ModuleType] = {}
        self._databases = Databases(self._note_opened, self._note_unseen)
        sys.addaudithook(self._hook)
        sys.meta_path.insert(0, _Imports(self._note_import))
        for name in ("stat", "lstat", "access", "readlink"):
            stand_in(os, name, self._watched(getattr(os, name)))
        _read_sources_only(project)
        tell_of_programs(self._note_program)

    def know_modules(self) -> None:
        """Take a look at what is imported by now, so that each recording looks only at what comes after."""
        self._known = {
            name: module for name, module in sys.modules.items() if not _belongs(module, self._project)
        }

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """Record until the end of the block, from a state in which no module of the project is loaded."""
        self._forget_modules()
        self._first, self._listings, self._imports, self._inserted = {}, {}, {}, {}
        self._unseen = False
        self._active = True
        try:
            yield
        finally:
            self._active = False

    def reads(self) -> Reads | None:
        """Return what was read, by name, or None if nobody knows: it has changed, or was read unseen."""
        if self._unseen or self._may_have_opened_others():
            return None
        for module in self._modules():
            self._note(str(module.__file__))
        states = {}
        for path, before in self._first.items():
            name = self._project.name(path)
            listed = path in self._listings
            state = self._project.state(path, listed=listed)
            if _signature(path) != before or (listed and state != self._listings[path]):
                return None
            if name is not None:
                states[name] = state
        for name in self._shadows():
            states.setdefault(name, self._project.state(self._project.path(name)))
        return Reads(states, self._project.importable())

    def _hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self._active or getattr(self._busy, "now", False):
            return
        if event == "open":
            if args and not (isinstance(args[2], int) and args[2] & _WRITES):
                self._note(args[0])
        elif event in _LISTINGS and not _is_importer():  # what it finds is in `_shadows`
            self._note("." if args[0] is None else args[0], listed=True)
        elif event in _LINKS:
            self._note_link(event, *args)
        elif event in unseen.PROCESSES:
            self._note_unseen()
        elif event.startswith("sqlite3."):
            self._databases.audit(event, args)

    def _note_opened(self, path: str) -> None:
        if self._active:
            self._note(path)

    def _note_program(self, program: Program) -> None:
        if not program.reads_no_files:
            self._note_unseen()

    def _note_link(self, event: str, source: Any, target: Any, *folders: int) -> None:
        """Keep what will be read by another name; what is relative to a file descriptor, nobody knows."""
        if any(folder != -1 for folder in folders):
            self._note_unseen()
        elif event == "os.symlink":
            above = os.path.dirname(os.fsdecode(target))  # noqa: PTH120 - the strings as they are
            self._note(os.path.join(above, os.fsdecode(source)))  # noqa: PTH118
        else:
            self._note(source)

    def _note_unseen(self) -> None:
        self._unseen = self._unseen or self._active

    def _note_import(self, name: str, path: Iterable[str] | None) -> None:
        """Keep a module that is looked for, and the names in folders that were put into ``sys.path``."""
        if not self._active:
            return
        self._imports.setdefault(name, tuple(path or ()))
        for folder in [entry for entry in sys.path if path is None and isinstance(entry, str)]:
            if folder not in self._inserted and absolute(folder) not in self._project.search:
                self._inserted[folder] = None
                self._note(folder, listed=True)

    def _watched(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def watched(path: Any, *args: Any, **kwargs: Any) -> Any:
            if self._active and not getattr(self._busy, "now", False):
                self._note(path, asked_by=_file_of_caller())
            return original(path, *args, **kwargs)

        for known in (
            os.supports_fd,
            os.supports_dir_fd,
            os.supports_follow_symlinks,
            os.supports_effective_ids,
        ):
            if original in known:
                known.add(watched)
        return watched

    def _note(self, path: Any, *, listed: bool = False, asked_by: str | None = None) -> None:
        """Keep the state that a path has when it is first read.

        Outside the project, only what the project itself asks for the existence of: the SDK looks for the
        machine it is on and for folders of its own, which make no difference to a definition.
        """
        if isinstance(path, int):
            return
        self._busy.now = True
        try:
            path = absolute(os.fsdecode(path))
            name = self._project.name(path)
            if name is None:
                path = self._project.behind(path)
                name = self._project.name(path)
            if name is None or (not listed and self._project.is_above(path)):
                return
            if name.startswith("-") and asked_by is not None and self._project.name(asked_by) is None:
                return
            self._first.setdefault(path, _signature(path))
            if listed and path not in self._listings:
                self._listings[path] = self._project.state(path, listed=True)
        except (TypeError, ValueError):
            return  # no path at all; whoever reads it is told so
        finally:
            self._busy.now = False

    def _new(self) -> list[tuple[str, ModuleType]]:
        """Return the modules that were not there in ``know_modules``."""
        return [(name, module) for name, module in sys.modules.items() if self._known.get(name) is not module]

    def _modules(self) -> Iterator[ModuleType]:
        return (module for _, module in self._new() if _is_of(module, self._project))

    def _may_have_opened_others(self) -> bool:
        """Whether something was imported that may open files unseen, or that no version stands for."""
        if any(name in sys.modules and unseen.opens_by_itself(name) for name in self._imports):
            return True
        files = [
            file for _, module in self._new() if isinstance(file := getattr(module, "__file__", None), str)
        ]
        if any(self._project.is_linked_in(file) for file in files):
            return True
        return any(unseen.names_one_that_does(_source(module)) for module in self._modules())

    def _forget_modules(self) -> None:
        """Forget modules of the project that came with the process, so that they are seen to be imported."""
        for name, module in self._new():
            if name != "__main__" and _belongs(module, self._project):
                del sys.modules[name]
        importlib.invalidate_caches()
        linecache.clearcache()

    def _shadows(self) -> Iterator[str]:
        """Return the names of all places at which another file would have been imported instead."""
        project = [name for name, module in self._new() if _belongs(module, self._project)]
        missing = [name for name in self._imports if name not in sys.modules and "." in name]
        for module in {*project, *missing}:
            parent = sys.modules.get(module.rpartition(".")[0])
            above = list(getattr(parent, "__path__", self._imports.get(module, ())))
            path = above if "." in module else [*self._inserted, *self._project.search]
            for place in self._project.places_of(module, path):
                name = self._project.name(place)
                if name is not None:
                    yield name


class _Imports:
    """Stands first in ``sys.meta_path``, where each search for a module begins, and finds nothing."""

    def __init__(self, note: Callable[[str, Iterable[str] | None], None]) -> None:
        self._note = note

    def find_spec(self, name: str, path: Iterable[str] | None, target: ModuleType | None = None) -> None:
        self._note(name, path)


def _source(module: ModuleType) -> str:
    """Return the source of a module, which may lie in an archive; empty where it has none."""
    spec = getattr(module, "__spec__", None)
    with contextlib.suppress(AttributeError, ImportError):
        return spec.loader.get_source(spec.name) or ""  # type: ignore[union-attr]
    with contextlib.suppress(OSError):
        return Path(str(module.__file__)).read_text(encoding="utf-8", errors="replace")
    return ""


def _belongs(module: Any, project: Project) -> bool:
    """Whether a module is the project's, or a package without a file whose folder is."""
    if _is_of(module, project):
        return True
    if getattr(module, "__file__", None) is not None:
        return False
    path = list(getattr(module, "__path__", ()))
    return any(isinstance(folder, str) and project.name(folder) is not None for folder in path)


def _is_of(module: Any, project: Project) -> bool:
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and project.name(file) is not None


def _is_importer() -> bool:
    """Whether an audit event comes from Python's own search for a module."""
    return bool(sys._getframe(2).f_globals.get("__name__") == "importlib._bootstrap_external")


def _file_of_caller() -> str:
    """Return the file of whoever asks whether another exists; pathlib and its like only pass it on."""
    frame: Any = sys._getframe(2)
    while frame is not None and _passes_on(frame.f_code.co_filename):
        frame = frame.f_back
    return __file__ if frame is None else frame.f_code.co_filename


def _passes_on(filename: str) -> bool:
    return filename.startswith("<frozen") or (
        filename.startswith(_STANDARD_LIBRARY) and "-packages" not in filename
    )


def _signature(path: str) -> tuple[int, ...]:
    """Return what changes with a file's content; a folder's changes with any file, so only its kind."""
    try:
        found = _stat(path)
    except (OSError, ValueError):
        return ()
    kind = (found.st_mode, found.st_ino)
    if stat.S_ISDIR(found.st_mode):
        return kind
    # Root who reads a write-ahead log gives it the owner that its database has, the same or not.
    touched = 0 if path.endswith("-wal") else found.st_ctime_ns
    return (*kind, found.st_size, found.st_mtime_ns, touched)


def _read_sources_only(project: Project) -> None:
    """Compile the project's modules from their sources.

    Python takes byte code for that of a source with the same size and the same second of change; the cache
    knows sources by their content, and would keep what came of the wrong one.
    """
    original = SourceFileLoader.path_stats

    def path_stats(loader: SourceFileLoader, path: Any) -> Any:
        if project.name(os.fsdecode(path)) is not None:
            raise OSError("byte code is not used here")
        return original(loader, path)

    setattr(SourceFileLoader, "path_stats", path_stats)  # noqa: B010 - mypy has it with two selves
