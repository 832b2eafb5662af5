"""Schedule expressions in AWS's dialect: ``at(...)``, ``rate(...)`` and ``cron(...)``.

Two services read them, and differ: EventBridge Scheduler
(https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html) and EventBridge rules
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from scheduled_pipeline.trigger.checks import check_type
from scheduled_pipeline.trigger.cron import Cron

MAXIMUM_EXPRESSION = 256
"""Most characters that either service takes in a schedule expression."""

_FORMS = "at(yyyy-mm-ddThh:mm:ss), rate(value unit) or cron(fields)"
_CALL = re.compile(r"(at|rate|cron)\((.*)\)", re.DOTALL)
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_RATE = re.compile(r"([0-9]+)\s+([a-z]+)")
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_ONE_MINUTE = timedelta(minutes=1)


class Dialect(Enum):
    """The service that reads an expression."""

    SCHEDULER = "EventBridge Scheduler"
    RULE = "an EventBridge rule"


@dataclass(frozen=True, kw_only=True)
class At:
    """Once. ``moment`` is the naive wall clock of the schedule's zone."""

    moment: datetime

    def __str__(self) -> str:
        return f"at({self.moment.isoformat(timespec='seconds')})"


@dataclass(frozen=True, kw_only=True)
class Rate:
    """At a regular interval: ``value`` times a ``unit``, which is ``minute``, ``hour`` or ``day``."""

    value: int
    unit: str

    @classmethod
    def of(cls, interval: timedelta | tuple[int, str]) -> Rate:
        """The rate of an interval: whole minutes, or a number and a unit in the singular or the plural.

        Raises:
            ValueError: when it is not positive, not in whole minutes, or of another unit.
            TypeError: for a value of another type.
        """
        if isinstance(interval, timedelta):
            return cls._of_minutes(interval)
        check_type("rate", interval, tuple, "a timedelta or a tuple such as (5, 'minutes')")
        if len(interval) != 2:
            raise ValueError(f"rate must be a number and a unit such as (5, 'minutes'), got {interval!r}")
        value, unit = interval
        check_type("rate value", value, int, "a whole number")
        check_type("rate unit", unit, str, "a string")
        return cls._checked(value, unit.removesuffix("s"), f"({value}, {unit!r})")

    @classmethod
    def _of_minutes(cls, interval: timedelta) -> Rate:
        minutes, rest = divmod(interval, _ONE_MINUTE)
        if minutes < 1 or rest:
            raise ValueError(f"rate must be a positive number of whole minutes, got {interval}")
        unit = next(unit for unit, length in reversed(_UNITS.items()) if not interval % length)
        return cls(value=interval // _UNITS[unit], unit=unit)

    @classmethod
    def _checked(cls, value: int, unit: str, given: str) -> Rate:
        if unit not in _UNITS:
            raise ValueError(f"rate unit must be minutes, hours or days, got {given}")
        if value < 1:
            raise ValueError(f"rate value must be 1 or more, got {given}")
        if value > timedelta.max // _UNITS[unit]:
            raise ValueError(f"rate must be at most {timedelta.max.days} days, got {given}")
        return cls(value=value, unit=unit)

    @property
    def interval(self) -> timedelta:
        """The time from one run to the next; a day is 24 hours on the clock."""
        return self.value * _UNITS[self.unit]

    def __str__(self) -> str:
        return f"rate({self.value} {self.unit}{'' if self.value == 1 else 's'})"


Expression = At | Rate | Cron
"""A parsed schedule expression; ``str()`` of it is its normal form."""


def parse_expression(text: str, dialect: Dialect = Dialect.SCHEDULER) -> Expression:
    """Read a schedule expression.

    Args:
        text: as AWS takes it, at most 256 characters; blanks outside the fields are refused, as AWS refuses
            them.
        dialect: the service that will read it. A rule has no ``at``, and its cron has six fields, not five.

    Raises:
        TypeError: when the text is not a string.
        ValueError: for what the service refuses, and for an expression that can never fire; with the field,
            what was given, what is allowed and, for a common slip, a hint.
    """
    check_type("expression", text, str, "a string")
    _check_length(text)
    call = _CALL.fullmatch(text)
    if call is None:
        raise ValueError(f"expression must be {_FORMS}, got {text!r}{_hint(text)}")
    parsed = _parse_call(call[1], call[2], dialect)
    _check_length(str(parsed))
    return parsed


def _check_length(text: str) -> None:
    if len(text) > MAXIMUM_EXPRESSION:
        raise ValueError(f"expression must be at most {MAXIMUM_EXPRESSION} characters, got {len(text)}")


def _parse_call(kind: str, inner: str, dialect: Dialect) -> Expression:
    if kind == "cron":
        return Cron.parse(inner, year_required=dialect is Dialect.RULE)
    if kind == "rate":
        return _parse_rate(inner, dialect)
    if dialect is Dialect.RULE:
        raise ValueError(
            f"at is not an expression of a rule, got {inner!r}: use a PipelineSchedule for a single run"
        )
    return _parse_at(inner)


def _hint(text: str) -> str:
    bare = text.strip()
    if bare != text and _CALL.fullmatch(bare):
        return ": remove the blanks around it"
    if _CALL.fullmatch(bare.lower()):
        return f": write {bare.split('(')[0].lower()} in lower case"
    if len(bare.split()) in {5, 6} or bare.startswith("@"):
        try:
            Cron.parse(bare)
        except ValueError as error:
            return f": as the fields of cron( ), {error}"
        return f": write cron({bare}) if these are the fields of a cron expression"
    return ""


def _parse_at(inner: str) -> At:
    if not _AT.fullmatch(inner):
        hint = ": the zone is a field of its own" if re.search(r"(Z|[+-]\d\d:?\d\d)$", inner) else ""
        raise ValueError(f"at must be yyyy-mm-ddThh:mm:ss, got {inner!r}{hint}")
    try:
        return At(moment=datetime.fromisoformat(inner))
    except ValueError as error:
        raise ValueError(f"at must be a date and a time that exist, got {inner!r}: {error}") from None


def _parse_rate(inner: str, dialect: Dialect) -> Rate:
    match = _RATE.fullmatch(inner)
    if match is None:
        hint = ": write it once" if inner.startswith("rate(") else ""
        raise ValueError(
            f"rate must be a positive whole number, a blank and minutes, hours or days, got {inner!r}{hint}"
        )
    value, unit = int(match[1]), match[2]
    rate = Rate._checked(value, unit.removesuffix("s"), inner)
    # Scheduler's guide has the plural alone, its API reference both, and neither ties one to a number. For a
    # rule "rate(1 hours) and rate(5 hour) aren't valid", says eb-rate-expressions.html.
    if dialect is Dialect.RULE and str(rate) != f"rate({value} {unit})":
        raise ValueError(f"rate must be singular for 1 and plural for more, got {inner!r}: write {rate}")
    return rate
