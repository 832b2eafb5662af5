"""A definition as JSON: reading it strictly, and walking through its strings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from scheduled_pipeline.definition.model import DefinitionError

JsonPath = tuple[str | int, ...]


def read_json(text: str, source: str) -> Any:
    """Read JSON; ``NaN`` and the infinities, which Python would let through, are refused.

    Raises:
        DefinitionError: it is not JSON; ``source`` names it.
    """

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is no number in JSON")

    try:
        return json.loads(text, parse_constant=refuse)
    except ValueError as error:
        raise DefinitionError(f"{source}: the definition is not JSON: {error}") from None


def strings(document: Any, path: JsonPath = ()) -> Iterator[tuple[str, str]]:
    """Yield every string of a definition with its path, such as ``Steps[0].Arguments.RoleArn``."""
    if isinstance(document, str):
        yield path_text(path), document
    elif isinstance(document, Mapping):
        for key, value in document.items():
            yield from strings(value, (*path, key))
    elif isinstance(document, list):
        for index, value in enumerate(document):
            yield from strings(value, (*path, index))


def map_strings(document: Any, change: Callable[[JsonPath, str], str], path: JsonPath = ()) -> Any:
    """Return a copy of a definition with every string changed; ``change`` gets its path too."""
    if isinstance(document, str):
        return change(path, document)
    if isinstance(document, Mapping):
        return {key: map_strings(value, change, (*path, key)) for key, value in document.items()}
    if isinstance(document, list):
        return [map_strings(value, change, (*path, index)) for index, value in enumerate(document)]
    return document


def path_text(path: JsonPath) -> str:
    """Write a path as ``Steps[0].Name``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")
