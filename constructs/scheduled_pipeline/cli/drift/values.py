"""Values of a template and of an account, made alike, and where they differ."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scheduled_pipeline.cli.assembly.intrinsics import Scope, Text
from scheduled_pipeline.trigger.time_zone import utc_text

_INTEGERS = frozenset(
    {
        *("MaximumEventAgeInSeconds", "MaximumRetryAttempts", "MaximumWindowInMinutes"),
        *("MaxParallelExecutionSteps", "TaskCount"),
    }
)
"""Properties that CloudFormation takes as text too."""
_NO_VALUE = {"Ref": "AWS::NoValue"}
_ABSENT = object()
# What only the deployment knows, within a text; the scheduler's own placeholders are no such thing.
_UNKNOWN = re.compile(r"<(?!aws\.scheduler\.)[^<>]+>")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A field that is not in the account as in the template; what is absent is None."""

    field: str
    template: str | None
    account: str | None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Where two trees differ, and which fields could not be compared, with the reason."""

    differences: tuple[Difference, ...] = ()
    not_compared: tuple[str, ...] = ()


def resolved(scope: Scope, value: Any, name: str = "") -> Any:
    """A value of a template with its functions carried out; a ``Text`` where one is not known."""
    if isinstance(value, list):
        return [resolved(scope, item) for item in value if item != _NO_VALUE]
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::")):
            return _known(scope.text(value), name)
        return {key: resolved(scope, item, key) for key, item in value.items() if item != _NO_VALUE}
    return _known(Text(text=value), name) if isinstance(value, str) else value


def _known(text: Text, name: str) -> Any:
    # CloudFormation fills in {{resolve:ssm:...}} itself.
    if not text.known or "{{resolve:" in text.text:
        return Text(text=text.text, known=False)
    return int(text.text) if name in _INTEGERS and text.text.isdecimal() else text.text


def unknown_parts(value: Any) -> Iterator[str]:
    """What is not known in a resolved value."""
    if isinstance(value, Text):
        yield value.text
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from unknown_parts(item)


def document(value: Any) -> Any:
    """The JSON object or list in a text, with a ``Text`` for each value not known; else as it is."""
    text = value.text if isinstance(value, Text) else value
    if not isinstance(text, str):
        return value
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return value
    if not isinstance(parsed, dict | list):
        return value
    return _marked(parsed) if isinstance(value, Text) else parsed


def _marked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _marked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_marked(item) for item in value]
    unknown = isinstance(value, str) and _UNKNOWN.search(value)
    return Text(text=value, known=False) if unknown else value


def moment(value: Any) -> Any:
    """A moment in UTC, of a template or of an API; what is none stays as it is."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    if not isinstance(value, datetime):
        return value
    return utc_text((value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC))


def pruned(value: Any) -> Any:
    """A value without what is empty, which AWS returns and leaves out as it likes."""
    if isinstance(value, dict):
        kept = {key: pruned(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in (None, "", [], {})}
    return [pruned(item) for item in value] if isinstance(value, list) else value


def compare(template: Any, account: Any) -> Comparison:
    """Compare field by field; the order of members, and of things that have names, does not count."""
    found = tuple(_compare("", template, account))
    return Comparison(
        differences=tuple(one for one in found if isinstance(one, Difference)),
        not_compared=tuple(one for one in found if isinstance(one, str)),
    )


def _compare(where: str, template: Any, account: Any) -> Iterator[Difference | str]:
    if isinstance(template, Text):
        if template.text != account:
            yield f"{where}: {template.text} is not known"
        return
    if isinstance(template, dict) and isinstance(account, dict):
        yield from _members(where, template, account, "{}.{}" if where else "{}{}")
    elif isinstance(template, list) and isinstance(account, list):
        named = _by_name(template), _by_name(account)
        first, second = named if None not in named else (_by_place(template), _by_place(account))
        yield from _members(where, first or {}, second or {}, "{}[{}]")
    elif not _same(template, account):
        yield Difference(field=where, template=_shown(template), account=_shown(account))


def _members(
    where: str, template: Mapping[Any, Any], account: Mapping[Any, Any], form: str
) -> Iterator[Difference | str]:
    for key in {**template, **account}:
        yield from _compare(form.format(where, key), template.get(key, _ABSENT), account.get(key, _ABSENT))


def _by_place(items: Iterable[Any]) -> dict[Any, Any]:
    return dict(enumerate(items))


def _by_name(items: Iterable[Any]) -> dict[Any, Any] | None:
    """The items by their names or ids, or nothing where one has none or two have the same."""
    listed = list(items)
    for key in ("Name", "Id"):
        names = [item.get(key) if isinstance(item, dict) else None for item in listed]
        if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
            return dict(zip(names, listed, strict=True))
    return None


def _same(one: Any, other: Any) -> bool:
    return one is other or (one == other and isinstance(one, bool) == isinstance(other, bool))


def _shown(value: Any) -> str | None:
    if value is _ABSENT:
        return None
    return value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
