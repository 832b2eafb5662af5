"""Functions of Python's own modules that others stand in for, in the child process.

A project's module may hold one, as after ``from time import time``, and a function with ``@step`` may use it.
In its container there is the original, so that is what is pickled.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

_elsewhere: list[tuple[ModuleType, str, Any]] = []
"""Those that Python knows by another module than the one they are called in: ``os.stat`` is of ``posix``."""


def stand_in(module: ModuleType, name: str, function: Callable[..., Any]) -> None:
    """Put a function in the place of one of a module, with its name."""
    original = getattr(module, name)
    for attribute in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(function, attribute, getattr(original, attribute))
    setattr(module, name, function)
    home = sys.modules[function.__module__]
    if home is not module:
        _elsewhere.append((home, name, function))


@contextlib.contextmanager
def found_by_name() -> Iterator[None]:
    """Let a pickler find each of them under its name, so that it takes the name alone."""
    originals = [(home, name, getattr(home, name)) for home, name, _ in _elsewhere]
    for home, name, function in _elsewhere:
        setattr(home, name, function)
    try:
        yield
    finally:
        for home, name, original in originals:
            setattr(home, name, original)
