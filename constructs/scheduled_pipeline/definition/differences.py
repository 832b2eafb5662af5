"""Where two definitions differ."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from scheduled_pipeline.definition.document import JsonPath, path_text

MISSING = object()
"""Stands for a value that only the other definition has."""


def differences(first: Any, second: Any, path: JsonPath = ()) -> Iterator[tuple[str, str, str]]:
    """Yield the path of each value that is not the same, and the value in each, shortened; order counts."""
    if isinstance(first, dict) and isinstance(second, dict):
        if list(first) != list(second) and first.keys() == second.keys():
            yield path_text(path), f"members {_short(list(first))}", f"members {_short(list(second))}"
        for key in {**first, **second}:
            yield from _compare(first.get(key, MISSING), second.get(key, MISSING), (*path, key))
    elif isinstance(first, list) and isinstance(second, list):
        for index, (one, other) in enumerate(zip_longest(first, second, fillvalue=MISSING)):
            yield from _compare(one, other, (*path, index))
    elif type(first) is not type(second) or first != second:
        yield path_text(path), _short(first), _short(second)


def _compare(first: Any, second: Any, path: JsonPath) -> Iterator[tuple[str, str, str]]:
    if first is MISSING or second is MISSING:
        yield path_text(path), _short(first), _short(second)
    else:
        yield from differences(first, second, path)


def _short(value: Any) -> str:
    text = "nothing" if value is MISSING else repr(value)
    return text if len(text) <= 100 else text[:97] + "..."
