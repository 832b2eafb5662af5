"""Which other programs may run: those that Python's own modules ask about the machine, and no others."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Asked by `platform` and `ctypes.util`.
_READ_NO_FILES = {"uname", "ldconfig"}
_HARMLESS = {*_READ_NO_FILES, "gcc", "cc", "ld", "objdump"}
# Where the system has them. A file of the project of that name is another program, as is what stands first in
# a PATH that was changed.
_SYSTEM_FOLDERS = {"/bin", "/sbin", "/usr/bin", "/usr/sbin"}

_listeners: list[Callable[[Program], None]] = []


@dataclass(frozen=True)
class Program:
    """A program that is to be started.

    Attributes:
        path: its file, or its name where there is no such file.
        of_system: whether it is where the system has programs, or nowhere.
    """

    path: str
    of_system: bool

    @property
    def is_harmless(self) -> bool:
        """Whether it may run."""
        return self.of_system and os.path.basename(self.path) in _HARMLESS  # noqa: PTH119

    @property
    def reads_no_files(self) -> bool:
        """Whether what it says depends on the machine alone, and on no file that it is given."""
        return self.of_system and os.path.basename(self.path) in _READ_NO_FILES  # noqa: PTH119


def is_harmless(event: str, args: tuple[Any, ...]) -> bool:
    """Whether the program that an audit event tells of may run."""
    if event == "subprocess.Popen":
        executable, _, folder, environment = args
        if executable is None:  # Windows finds it by the command
            return False
        return _first(_candidates(executable, environment), folder).is_harmless
    if event in {"os.exec", "os.posix_spawn"}:
        return _first([args[0]], None).is_harmless
    return False  # what a shell runs, for example


def program_of(args: tuple[Any, ...]) -> str:
    """Return the program of an audit event: its path, or the first word of its command."""
    for argument in args[:2]:
        if isinstance(argument, list | tuple) and argument:
            return os.fsdecode(argument[0])
        if isinstance(argument, str | bytes | os.PathLike):
            return os.fsdecode(argument)
    return "?"


def tell_of_programs(listener: Callable[[Program], None]) -> None:
    """Tell of each program that is started below ``subprocess``, of which there is no audit event.

    ``multiprocessing`` starts its processes so, and loky, which is part of joblib, and ``subprocess`` itself.

    Args:
        listener: is called before the program starts; an error that it raises keeps it from that.
    """
    if not _listeners:
        _wrap_fork_exec()
    _listeners.append(listener)


def _wrap_fork_exec() -> None:
    with contextlib.suppress(ImportError):  # Windows
        import _posixsubprocess
        import subprocess

        original = _posixsubprocess.fork_exec

        def fork_exec(arguments: Sequence[Any], executables: Sequence[Any], *rest: Any) -> Any:
            program = _first(executables, rest[2])
            for listener in _listeners:
                listener(program)
            return original(arguments, executables, *rest)

        for module, name in ((_posixsubprocess, "fork_exec"), (subprocess, "_fork_exec")):
            setattr(module, name, fork_exec)


def _candidates(executable: Any, environment: Mapping[Any, Any] | None) -> Iterator[str]:
    """Return where the system looks for a program, in that order."""
    name = os.fsdecode(executable)
    if os.sep in name:
        yield name
    else:
        for folder in os.get_exec_path(environment):
            yield os.path.join(os.fsdecode(folder), name)  # noqa: PTH118 - the strings as they are


def _first(candidates: Iterable[Any], folder: Any) -> Program:
    """Return the first of these files that there is; where there is none, the name of the last.

    Args:
        candidates: paths.
        folder: what those that are relative are relative to, or None for the working directory.
    """
    name = "?"
    for candidate in candidates:
        path = os.fsdecode(candidate)
        place, name = os.path.split(path)
        if os.path.lexists(os.path.join(os.fsdecode(folder or ""), path)):  # noqa: PTH118
            return Program(path, place in _SYSTEM_FOLDERS)
    return Program(name, True)
