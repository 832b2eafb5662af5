"""Which other programs may run: those that Python's own modules ask about the machine, and no others."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

# Asked by `platform` and `ctypes.util`.
_HARMLESS = {"uname", "ldconfig", "gcc", "cc", "ld", "objdump"}
# Where the system has them. A file of the project of that name is another program, as is what stands first in
# a PATH that was changed.
_SYSTEM_FOLDERS = {"/bin", "/sbin", "/usr/bin", "/usr/sbin"}


def is_harmless(event: str, args: tuple[Any, ...]) -> bool:
    """Whether the program that an audit event tells of is one of these, where the system has it."""
    if event == "subprocess.Popen":
        executable, _, folder, environment = args
        return _is_first(_candidates(executable, environment), folder)
    if event in {"os.exec", "os.posix_spawn"}:
        return _is_first([args[0]], None)
    return False  # what a shell runs, for example


def program_of(args: tuple[Any, ...]) -> str:
    """Return the program of an audit event: its path, or the first word of its command."""
    for argument in args[:2]:
        if isinstance(argument, list | tuple) and argument:
            return os.fsdecode(argument[0])
        if isinstance(argument, str | bytes | os.PathLike):
            return os.fsdecode(argument)
    return "?"


def guard_fork_exec(refuse: Callable[[str], None]) -> None:
    """Ask ``refuse`` about each program that is started below ``subprocess``, of which no event tells.

    ``multiprocessing`` starts its processes so, and loky, which is part of joblib.

    Args:
        refuse: raises an error; it is given the program.
    """
    with contextlib.suppress(ImportError):  # Windows
        import _posixsubprocess
        import subprocess

        original = _posixsubprocess.fork_exec

        def fork_exec(arguments: Sequence[Any], executables: Sequence[Any], *rest: Any) -> Any:
            if not _is_first(executables, rest[2]):
                refuse(os.fsdecode(executables[0]) if executables else "?")
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


def _is_first(candidates: Iterable[Any], folder: Any) -> bool:
    """Whether the first of these files that there is, is harmless; where there is none, by its name.

    Args:
        candidates: paths.
        folder: what those that are relative are relative to, or None for the working directory.
    """
    name = ""
    for candidate in candidates:
        path = os.fsdecode(candidate)
        place, name = os.path.split(path)
        if os.path.lexists(os.path.join(os.fsdecode(folder or ""), path)):  # noqa: PTH118
            return name in _HARMLESS and place in _SYSTEM_FOLDERS
    return name in _HARMLESS
