"""Small changes to definitions, for the tests that break good ones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

# The value that takes a member away.
ABSENT = object()


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy with another value at a path; one past the end of a list appends."""
    copy: dict[str, Any] = json.loads(json.dumps(document))
    *parents, last = _tokens(path)
    place: Any = copy
    for token in parents:
        place = place[token]
    if value is ABSENT:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return copy


def paths(value: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of all that is in a definition."""
    if isinstance(value, dict):
        for name, content in value.items():
            yield f"{path}.{name}" if path else name
            yield from paths(content, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, content in enumerate(value):
            yield f"{path}[{index}]"
            yield from paths(content, f"{path}[{index}]")


def _tokens(path: str) -> list[str | int]:
    found = re.findall(r"([^.\[\]]+)|\[(\d+)\]", path)
    return [int(index) if index else name for name, index in found]
