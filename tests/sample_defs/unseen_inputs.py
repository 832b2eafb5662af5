"""Kinds of input that a build function reads by another way than by their names, or not by Python."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator

from kinds_of_input import Kind
from recorded import RecordedProject

# `scratch` stands for the folder of temporary files, in which nothing counts.
_BY_A_LINK = """
import os
def text():
    other = HERE / "scratch" / "other"
    other.parent.mkdir(exist_ok=True)
    other.unlink(missing_ok=True)
    {0}
    return {1}
"""
_OPENS = "ctypes.CDLL(None).open(b'data.txt', 0) > 0"


def _numbered(at: RecordedProject, code: str, file: str = "data.txt") -> Iterator[list[str]]:
    at.define(code)
    for number in (1, 2):
        at.write(file, str(number))
        yield at.path()


def _created(at: RecordedProject) -> Iterator[list[str]]:
    yield at.path()
    at.write("data.txt", "")
    yield at.path()


def _link_of_before(at: RecordedProject) -> Iterator[list[str]]:
    (at.folder / "scratch").mkdir()
    (at.folder / "scratch/other").symlink_to(at.folder / "data.txt")
    yield from _numbered(at, "(HERE / 'scratch' / 'other').read_text()")


def _symbolic_link(at: RecordedProject) -> Iterator[list[str]]:
    code = _BY_A_LINK.format("os.symlink('../link', other)", "other.read_text()")
    at.define(code)
    for number in (1, 2):
        at.write(f"v{number}.txt", str(number))
        (at.folder / "link").unlink(missing_ok=True)
        (at.folder / "link").symlink_to(f"v{number}.txt")
        yield at.path()


def _hard_link(at: RecordedProject) -> Iterator[list[str]]:
    yield from _numbered(at, _BY_A_LINK.format("os.link(HERE / 'data.txt', other)", "other.read_text()"))


def _linked_folder(at: RecordedProject) -> Iterator[list[str]]:
    at.write("folder/first.txt", "")
    at.define(_BY_A_LINK.format("os.symlink(HERE / 'folder', other)", "sorted(os.listdir(other))"))
    yield at.path()
    at.write("folder/second.txt", "")
    yield at.path()


def _moved(at: RecordedProject) -> Iterator[list[str]]:
    back = "other.read_text(), os.rename(other, HERE / 'data.txt')"
    yield from _numbered(at, _BY_A_LINK.format("os.rename(HERE / 'data.txt', other)", back))


def _of_the_process(at: RecordedProject) -> Iterator[list[str]]:
    yield from _numbered(at, "open('/proc/self/cwd/data.txt').read()")


def _program(at: RecordedProject) -> Iterator[list[str]]:
    command = "['gcc', '-E', '-P', 'data.h'], capture_output=True, check=True"
    yield from _numbered(at, f"__import__('subprocess').run({command}).stdout", "data.h")


def _name_of_the_machine(at: RecordedProject) -> Iterator[list[str]]:
    uname = "__import__('subprocess').run(['uname', '-p'], check=True).returncode"
    yield from _numbered(at, f"({uname}, (HERE / 'data.txt').read_text())")


def _second_on_its_line(at: RecordedProject) -> Iterator[list[str]]:
    at.define(f"import os; import ctypes\ndef text():\n    return {_OPENS}")
    yield from _created(at)


def _in_an_archive(at: RecordedProject) -> Iterator[list[str]]:
    at.define("__import__('opening').text()")
    with zipfile.ZipFile(at.folder / "lib.zip", "w") as archive:
        archive.writestr("opening.py", f"import ctypes\ndef text():\n    return {_OPENS}")
    yield at.path("lib.zip")
    at.write("data.txt", "")
    yield at.path("lib.zip")


UNSEEN: dict[str, Kind] = {
    "a link in scratch": _link_of_before,
    "a link in scratch to a link": _symbolic_link,
    "a hard link in scratch": _hard_link,
    "a link in scratch to a folder": _linked_folder,
    "moved to scratch and back": _moved,
    "/proc/self/cwd": _of_the_process,
    "program gcc": _program,
    "a file, after uname": _name_of_the_machine,
    "ctypes, second on its line": _second_on_its_line,
    "ctypes, in an archive": _in_an_archive,
}
