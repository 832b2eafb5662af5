"""``read_as``: takes JSON for the dataclass that it should be, or says in a sentence what does not fit."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_NOUNS = {
    str: "a string",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    NoneType: "null",
    list: "a list",
    tuple: "a list",
    dict: "an object",
    Mapping: "an object",
}


class ShapeError(ValueError):
    """A JSON value does not have the shape that is asked for; the text names the place in it."""


def read_as(kind: type[T], given: object, place: str) -> T:
    """Return a JSON value as the dataclass that it was written from with ``dataclasses.asdict``.

    Args:
        kind: the dataclass. Its fields are strings, numbers, booleans, None, other dataclasses, and lists,
            tuples, mappings and unions of them.
        given: the JSON value.
        place: names it in errors.

    Raises:
        ShapeError: it has another shape.
    """
    found: T = _read(kind, given, place)
    return found


def _read(kind: Any, given: Any, place: str) -> Any:
    if kind is Any:
        return given
    if dataclasses.is_dataclass(kind):
        return _object(kind, given, place)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return _one_of(arguments, given, place)
    if origin in {list, tuple}:
        return _entries(origin, arguments, given, place)
    if origin in {dict, Mapping}:
        entries = _checked(dict, given, place)
        return {name: _read(arguments[1], entry, f"{place}.{name}") for name, entry in entries.items()}
    return _checked(kind, given, place)


def _object(kind: Any, given: Any, place: str) -> Any:
    content = _checked(dict, given, place)
    kinds, needed = _fields(kind)
    for name in content.keys() - kinds.keys():
        raise ShapeError(f"{place} has {name!r}, which is not known")
    for name in needed:
        if name not in content:
            raise ShapeError(f"{place} has no {name!r}")
    return kind(**{name: _read(kinds[name], entry, f"{place}.{name}") for name, entry in content.items()})


@cache
def _fields(kind: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the types of a dataclass's fields, and the names of those that have no default."""
    fields, absent = dataclasses.fields(kind), dataclasses.MISSING
    needed = [field.name for field in fields if field.default is absent and field.default_factory is absent]
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields}, tuple(needed)


def _one_of(kinds: tuple[Any, ...], given: Any, place: str) -> Any:
    if type(given) in kinds:
        return given
    composed = [kind for kind in kinds if kind not in _NOUNS]
    if len(composed) == 1 and given is not None:
        return _read(composed[0], given, place)
    nouns = [_NOUNS.get(kind, "an object") for kind in kinds]
    raise ShapeError(f"{place} must be {' or '.join(nouns)}, got {given!r:.80}")


def _entries(origin: Any, kinds: tuple[Any, ...], given: Any, place: str) -> Any:
    entries = _checked(list, given, place)
    if origin is list or kinds[-1] is ...:
        kinds = (kinds[0],) * len(entries)
    if len(kinds) != len(entries):
        raise ShapeError(f"{place} must have {len(kinds)} entries, has {len(entries)}")
    pairs = enumerate(zip(kinds, entries, strict=True))
    return origin(_read(kind, entry, f"{place}[{number}]") for number, (kind, entry) in pairs)


def _checked(kind: Any, given: Any, place: str) -> Any:
    if type(given) is kind or (kind is float and type(given) is int):
        return given
    raise ShapeError(f"{place} must be {_NOUNS[kind]}, got {given!r:.80}")
