"""What is installed beside the project: distributions, and what Python runs when it starts."""

# Strings for paths, as in ``files``.
# ruff: noqa: PTH110, PTH113, PTH117, PTH118, PTH119, PTH120, PTH123

from __future__ import annotations

import ast
import contextlib
import os
import re
from collections.abc import Iterator

from scheduled_pipeline.definition.files import digest, digest_of, scan

_CUSTOMIZE = ("sitecustomize.py", "usercustomize.py")
_STRING = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")


def distributions(folder: str) -> list[str]:
    """Return the names and versions of what is installed in a folder, sorted.

    Of a distribution that came from a folder, a repository or a URL also its contents: its version may stay
    the same when it is installed anew.
    """
    return sorted(_distributions(folder))


def startup_texts(folder: str) -> list[str]:
    """Return what Python runs when it starts and finds a folder of installed packages.

    These are the lines of ``.pth`` files that begin with ``import``, and the modules that they name: so an
    editable install says where its modules are. The other lines are in ``sys.path`` by then.
    https://docs.python.org/3/library/site.html
    """
    found = []
    for name in sorted(entry.name for entry in scan(folder) if entry.name.endswith(".pth")):
        lines = [
            line for line in _text(folder, name).splitlines() if line.startswith(("import ", "import\t"))
        ]
        words = dict.fromkeys(word for line in lines for word in re.findall(r"\w+", line))
        found += [*lines, *(_text(folder, f"{word}.py") for word in words)]
    return [text for text in [*found, *(_text(folder, name) for name in _CUSTOMIZE)] if text]


def places_in(text: str) -> Iterator[tuple[str, str]]:
    """Yield each string of a Python module that is the path of a file, folder or module, with that path."""
    for written in dict.fromkeys(_STRING.findall(text)):
        with contextlib.suppress(SyntaxError, ValueError):
            path = os.path.normpath(ast.literal_eval(written))
            if os.path.isabs(path) and path.count(os.sep) > 1 and _is_there(path):
                yield written, path


def root_of(place: str) -> str:
    """Return the folder of a module, or of a package that is named by its ``__init__.py``; else the place."""
    is_in_it = os.path.basename(place).startswith("__init__.") or not os.path.exists(place)
    return os.path.dirname(place) if is_in_it else place


def _is_there(path: str) -> bool:
    return os.path.exists(path) or os.path.exists(path + ".py")


def _text(folder: str, name: str) -> str:
    try:
        with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _distributions(folder: str) -> Iterator[str]:
    for entry in scan(folder):
        if entry.name.endswith((".dist-info", ".egg-info", ".egg-link", ".egg", ".pth")):
            yield entry.name
        if entry.name.endswith(".egg"):
            yield _contents_of(entry.path)
        if entry.name.endswith(".dist-info") and os.path.exists(os.path.join(entry.path, "direct_url.json")):
            yield _record_of(entry.path)


def _record_of(folder: str) -> str:
    """Return a digest of the files of a distribution that came from a folder, a repository or a URL.

    What says where it came from does not count, and nor do the modules of an editable install that say where
    others are: they are among ``startup_texts``.
    https://packaging.python.org/en/latest/specifications/direct-url/
    """
    try:
        with open(os.path.join(folder, "RECORD"), "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return "absent"
    own = os.fsencode(os.path.basename(folder))
    return digest(b"\n".join(line for line in sorted(lines) if not _is_of_the_machine(line, own)))


def _is_of_the_machine(line: bytes, own: bytes) -> bool:
    name = line.partition(b",")[0]
    is_at_the_top = b"/" not in name
    return name.startswith((b"../", own)) or (
        is_at_the_top and (name.endswith(b".pth") or b"editable" in name)
    )


def _contents_of(egg: str) -> str:
    """Return a digest of an egg, which is a file or a folder, and may be built anew with the same version."""
    if os.path.isfile(egg):
        return digest_of(egg)
    files = sorted(os.path.join(above, name) for above, _, names in os.walk(egg) for name in names)
    contents = [(os.path.relpath(path, egg), digest_of(path)) for path in files if not path.endswith(".pyc")]
    return digest(repr(contents).encode())
