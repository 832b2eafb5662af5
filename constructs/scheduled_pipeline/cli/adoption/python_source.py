"""Values as plain Python source text: what has members has one a line; a formatter may do the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

LINE_LENGTH = 88
"""Of comments, which are wrapped; code is as long as its values are."""

_INDENT = "    "
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_UNITS = {
    "days": timedelta(days=1),
    "hours": timedelta(hours=1),
    "minutes": timedelta(minutes=1),
    "seconds": timedelta(seconds=1),
}


@dataclass(frozen=True)
class Name:
    """A name of the program, such as ``PipelineSchedule.SCHEDULED_TIME``."""

    text: str


@dataclass(frozen=True)
class Call:
    """A call of a function or a factory.

    Attributes:
        function: its name.
        positional: the values without a name.
        named: the values with one, in order.
    """

    function: str
    positional: Sequence[object] = ()
    named: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """A member of a dictionary that is written with comments above it."""

    key: str
    value: object
    comments: Sequence[str] = ()


def assignment(name: str, entries: Iterable[Entry]) -> str:
    """``name = {...}`` with one entry after the other, each below its comments."""
    lines = [f"{name} = {{"]
    for entry in entries:
        lines += [f"{_INDENT}{line}" for text in entry.comments for line in comment(text, indent=1)]
        lines += _item(f"{string(entry.key)}: ", entry.value, depth=1)
    return "\n".join([*lines, "}"])


def names_used(value: object) -> frozenset[str]:
    """The names that a value needs imported: of the module ``datetime``, and the classes that are called."""
    match value:
        case Name():
            return frozenset({value.text.partition(".")[0]})
        case datetime():
            return frozenset({"datetime"} if value.tzinfo is None else {"UTC", "datetime"})
        case timedelta():
            return frozenset({"timedelta"})
        case Call():
            own = frozenset({value.function.partition(".")[0]})
            return own.union(*(names_used(member) for _, member in _parts(value)[1]))
        case Mapping() | list():
            return frozenset[str]().union(*(names_used(member) for _, member in _parts(value)[1]))
    return frozenset()


def comment(text: str, *, indent: int = 0) -> list[str]:
    """A text as lines of comments; its own line breaks and what cannot be printed become blanks."""
    width = LINE_LENGTH - indent * len(_INDENT)
    words = "".join(letter if letter.isprintable() else " " for letter in text).split()
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(f"# {word}")
    return lines


def string(text: str) -> str:
    """A string literal: in double quotes, unless single ones need fewer backslashes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join(_letter(letter, quote) for letter in text) + quote


def _letter(letter: str, quote: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if letter == quote:
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    return letter.encode("unicode_escape", "surrogatepass").decode("ascii")


def _item(prefix: str, value: object, depth: int) -> list[str]:
    """Return the lines of one entry or argument: a single line, or a line for each of its members."""
    indent = depth * _INDENT
    if _is_short(value):
        return [f"{indent}{prefix}{_inline(value)},"]
    opening, members, closing = _parts(value)
    inner = [line for name, member in members for line in _item(name, member, depth + 1)]
    return [f"{indent}{prefix}{opening}", *inner, f"{indent}{closing},"]


def _has_members(value: object) -> bool:
    return isinstance(value, Call | Mapping | list)


def _is_short(value: object) -> bool:
    """Whether a value is a scalar, or has no member but one scalar."""
    if not _has_members(value):
        return True
    members = [member for _, member in _parts(value)[1]]
    return len(members) <= 1 and not any(_has_members(member) for member in members)


def _parts(value: object) -> tuple[str, list[tuple[str, object]], str]:
    """Return the opening text of a value, its members with the text before each, and the closing text."""
    if isinstance(value, Call):
        named = [(f"{name}=", member) for name, member in value.named.items()]
        return f"{value.function}(", [*(("", member) for member in value.positional), *named], ")"
    if isinstance(value, Mapping):
        return "{", [(f"{string(str(key))}: ", member) for key, member in value.items()], "}"
    assert isinstance(value, Sequence)
    return "[", [("", member) for member in value], "]"


def _inline(value: object) -> str:
    if _has_members(value):
        opening, members, closing = _parts(value)
        return opening + ", ".join(f"{name}{_inline(member)}" for name, member in members) + closing
    return _scalar(value)


def _scalar(value: object) -> str:
    match value:
        case Name():
            return value.text
        case str():
            return string(value)
        case datetime():
            return _moment(value)
        case timedelta():
            return _duration(value)
        case tuple():
            return f"({', '.join(_scalar(member) for member in value)})"
    return repr(value)


def _moment(value: datetime) -> str:
    """In UTC when it is aware; otherwise as the wall clock that it is."""
    wall = value if value.tzinfo is None else value.astimezone(UTC)
    numbers = [wall.year, wall.month, wall.day, wall.hour, wall.minute]
    if wall.second:
        numbers.append(wall.second)
    zone = "" if value.tzinfo is None else ", tzinfo=UTC"
    return f"datetime({', '.join(str(number) for number in numbers)}{zone})"


def _duration(value: timedelta) -> str:
    """In the largest unit of which it is a whole number."""
    unit, length = next((unit, length) for unit, length in _UNITS.items() if not value % length)
    return f"timedelta({unit}={value // length})"
