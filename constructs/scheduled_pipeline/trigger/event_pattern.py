"""Event patterns of EventBridge rules, and paths into the events that they let through.

Follows https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from scheduled_pipeline.trigger.checks import check_type

MAXIMUM_EVENT_PATTERN = 4096
"""Most characters that ``PutRule`` takes; the quota of an account is 2,048 until it is raised."""

ENVELOPE = frozenset(
    {
        "version",
        "id",
        "detail-type",
        "source",
        "account",
        "time",
        "region",
        "resources",
        "detail",
        "replay-name",
    }
)
"""The fields at the top of every event."""

_FILTERS = frozenset(
    {"prefix", "suffix", "anything-but", "numeric", "exists", "cidr", "equals-ignore-case", "wildcard"}
)
_OR = "$or"
# The part of JSONPath that EventBridge reads: dots, letters, digits, - and _, array indexes, wildcards.
_PATH = re.compile(r"\$(?:\.[\w-]+(?:\[(?:\d+|\*)\])*)*", re.ASCII)
_SEGMENT = re.compile(r"[\w-]+|\[(?:\d+|\*)\]", re.ASCII)
_PATH_INSIDE = re.compile(r".+\$\.(?:" + "|".join(sorted(ENVELOPE)) + r")\b", re.DOTALL)


def event_pattern_copy(pattern: Mapping[str, object]) -> dict[str, Any]:
    """A pattern as a dictionary of its own, after refusing what ``PutRule`` refuses or no event can match.

    Args:
        pattern: fields of an event to the values that they may have, which are always in a list.

    Raises:
        TypeError: when it is not a mapping with strings as keys, or holds what JSON cannot.
        ValueError: for an empty pattern, an unknown top-level field or filter, a value outside a list, and a
            text of more than 4,096 characters.
    """
    check_type("pattern", pattern, Mapping, "a mapping of event fields to lists of values")
    for name in pattern:
        if name not in ENVELOPE and name != _OR:
            dashed = str(name).replace("_", "-")
            hint = f": write {dashed}" if dashed in ENVELOPE else ""
            raise ValueError(f"pattern must have fields of {_listed(ENVELOPE)}, got {name!r}{hint}")
    copy = _object("pattern", pattern)
    length = len(json.dumps(copy))
    if length > MAXIMUM_EVENT_PATTERN:
        raise ValueError(f"pattern must be at most {MAXIMUM_EVENT_PATTERN} characters, got {length}")
    return copy


def _object(where: str, value: Mapping[str, object]) -> dict[str, Any]:
    if not value:
        raise ValueError(f"{where} must not be empty: leave it out to match any value")
    copy: dict[str, Any] = {}
    for name, inner in value.items():
        check_type(f"{where} field", name, str, "a string")
        field = f"{where}[{name!r}]"
        if isinstance(inner, Mapping):
            copy[name] = _object(field, inner)
        elif name == _OR:
            copy[name] = _alternatives(field, inner)
        else:
            copy[name] = _values(field, inner)
    return copy


def _alternatives(where: str, value: object) -> list[dict[str, Any]]:
    copies = []
    for index, alternative in enumerate(_list(where, value)):
        check_type(f"{where}[{index}]", alternative, Mapping, "a pattern")
        assert isinstance(alternative, Mapping)
        copies.append(_object(f"{where}[{index}]", alternative))
    return copies


def _values(where: str, value: object) -> list[Any]:
    if isinstance(value, str | int | float | bool):
        raise ValueError(f"{where} must be a list of values, got {value!r}: write [{value!r}]")
    return [_value(f"{where}[{index}]", item) for index, item in enumerate(_list(where, value))]


def _value(where: str, item: object) -> Any:
    if isinstance(item, Mapping):
        if len(item) != 1 or not set(item) <= _FILTERS:
            raise ValueError(f"{where} must be one filter of {_listed(_FILTERS)}, got {dict(item)!r}")
        return deepcopy(dict(item))
    if item is None:
        raise ValueError(f"{where} must not be None: the CDK leaves null out of a template")
    check_type(where, item, (str, int, float, bool), "a string, a number or a boolean")
    return item


def _list(where: str, value: object) -> Sequence[object]:
    check_type(where, value, (list, tuple), "a list")
    assert isinstance(value, Sequence)
    if not value:
        raise ValueError(f"{where} must have at least one entry, got an empty list")
    return value


def segments_of(path: str) -> list[str]:
    """The names in a path, and its indexes in brackets, from the top of the event."""
    return _SEGMENT.findall(path)


def is_path(value: str) -> bool:
    """Whether EventBridge reads a parameter value as a path into the event, and not as itself."""
    return value == "$" or value.startswith(("$.", "$["))


def check_path(field: str, path: str, pattern: Mapping[str, object] | None) -> None:
    """Refuse a path that EventBridge cannot read, or that no event of the pattern can have.

    Args:
        field: name of the field, for the errors.
        path: such as ``$.detail.object.key`` or ``$.resources[0]``.
        pattern: of the rule, or nothing for a rule on a schedule, whose events have an empty ``detail``.

    Raises:
        ValueError: as said. A path that the pattern does not decide is accepted.
    """
    if not _PATH.fullmatch(path):
        raise ValueError(
            f"{field} must be a path of dots, letters, digits, - and _, array indexes and *, got {path!r}"
        )
    segments = segments_of(path)
    if segments and segments[0] not in ENVELOPE:
        raise ValueError(f"{field} must begin with a field of an event, {_listed(ENVELOPE)}, got {path!r}")
    if pattern is None:
        if segments[:1] == ["detail"] and len(segments) > 1:
            raise ValueError(f"{field} is never in the event, got {path!r}: a schedule has no detail")
        return
    if len(segments) > 1 and segments[0] != "detail" and not segments[1].startswith("["):
        raise ValueError(f"{field} is never in the event, got {path!r}: {segments[0]} holds no fields")
    _check_against(field, path, segments, pattern)


def _check_against(field: str, path: str, segments: Sequence[str], pattern: Mapping[str, object]) -> None:
    node: object = pattern
    for depth, segment in enumerate(segments):
        if not isinstance(node, Mapping) or segment not in node:
            return
        node = node[segment]
        if isinstance(node, Mapping):
            continue
        reached = ".".join(segments[: depth + 1])
        rest = [inner for inner in segments[depth + 1 :] if not inner.startswith("[")]
        if rest:
            raise ValueError(
                f"{field} is never in the event, got {path!r}: the pattern says that {reached} is a value, "
                f"so that it holds no {rest[0]}"
            )
        assert isinstance(node, Sequence)
        if all(item == {"exists": False} for item in node):
            raise ValueError(f"{field} is never in the event, got {path!r}: the pattern says it is absent")
        return


def check_static(field: str, value: str) -> None:
    """Refuse a text that looks like a path or a placeholder but that EventBridge would send as it is.

    Raises:
        ValueError: for a path inside a longer text, since EventBridge replaces a whole value only, and for
            the context attributes of the scheduler, which a rule does not have.
    """
    if _PATH_INSIDE.match(value):
        raise ValueError(f"{field} must be a path and nothing else to be read from the event, got {value!r}")
    if "<aws.scheduler." in value:
        raise ValueError(f"{field} must not use the context attributes of schedules, got {value!r}")


def _listed(names: Iterable[str]) -> str:
    return " ".join(sorted(names))
