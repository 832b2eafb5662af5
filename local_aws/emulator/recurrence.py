"""When a schedule is due: ``at``, ``rate`` and ``cron`` expressions as EventBridge Scheduler reads them.

Follows "Schedule types on EventBridge Scheduler" in its user guide: cron wall times that a zone skips in
spring are skipped, and those it repeats in autumn are taken once, at the first.

The product computes this too. Nothing is shared with it on purpose: see docs/decisions/0014.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo, available_timezones

_MONTHS: Final = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS: Final = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
_UNITS: Final = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


class Recurrence(Protocol):
    """The times an expression stands for."""

    def next(self, after: datetime, *, anchor: datetime, zone: ZoneInfo) -> datetime | None:
        """The first time later than ``after``, in UTC; ``anchor`` is where a rate starts counting."""


@dataclass(frozen=True)
class At:
    """``at(yyyy-mm-ddThh:mm:ss)``: once, at a wall time of the zone."""

    wall: datetime

    def next(self, after: datetime, *, anchor: datetime, zone: ZoneInfo) -> datetime | None:
        """The one time, while it lies ahead."""
        moment = self.wall.replace(tzinfo=zone).astimezone(UTC)
        return moment if moment > after else None


@dataclass(frozen=True)
class Rate:
    """``rate(value unit)``: the anchor, and every interval after it."""

    interval: timedelta

    def next(self, after: datetime, *, anchor: datetime, zone: ZoneInfo) -> datetime | None:
        """The next multiple of the interval."""
        if after < anchor:
            return anchor
        return anchor + ((after - anchor) // self.interval + 1) * self.interval


@dataclass(frozen=True)
class Cron:
    """``cron(minutes hours day-of-month month day-of-week [year])``."""

    minutes: Sequence[int]
    hours: Sequence[int]
    day_of_month: str
    months: Sequence[int]
    day_of_week: str
    years: Sequence[int]

    def next(self, after: datetime, *, anchor: datetime, zone: ZoneInfo) -> datetime | None:
        """The next wall time that the zone has."""
        for wall in self._walls(after.astimezone(zone).replace(tzinfo=None)):
            moment = wall.replace(tzinfo=zone).astimezone(UTC)
            exists = moment.astimezone(zone).replace(tzinfo=None) == wall
            if exists and moment > after:
                return moment
        return None

    def _walls(self, after: datetime) -> Iterator[datetime]:
        for year in (year for year in self.years if year >= after.year):
            for month in self.months:
                if (year, month) < (after.year, after.month):
                    continue
                for day in self._days(year, month):
                    midnight = datetime(year, month, day)  # noqa: DTZ001 (a wall time)
                    walls = (midnight.replace(hour=h, minute=m) for h in self.hours for m in self.minutes)
                    yield from (wall for wall in walls if wall > after)

    def _days(self, year: int, month: int) -> list[int]:
        last = calendar.monthrange(year, month)[1]
        chosen: set[int] = set()
        if self.day_of_month != "?":
            for part in self.day_of_month.split(","):
                chosen.update(_days_of_month(part, year, month, last))
        else:
            for part in self.day_of_week.split(","):
                chosen.update(_days_of_week(part, year, month, last))
        return sorted(day for day in chosen if day <= last)


def next_due(schedule: Mapping[str, Any], after: datetime) -> datetime | None:
    """The first time later than ``after`` that a schedule is due, within its start and end.

    Args:
        schedule: the settings as EventBridge Scheduler's API names them, dates in seconds since the epoch;
            ``Anchor`` is where a rate without a ``StartDate`` starts counting.
        after: aware.
    """
    parsed = parse(schedule["ScheduleExpression"])
    zone = time_zone(schedule.get("ScheduleExpressionTimezone", "UTC"))
    if isinstance(parsed, At):
        return parsed.next(after, anchor=after, zone=zone)
    start, end = schedule.get("StartDate"), schedule.get("EndDate")
    anchor = datetime.fromtimestamp(start if start is not None else schedule["Anchor"], UTC)
    if start is not None:
        after = max(after, anchor - timedelta.resolution)
    due = parsed.next(after, anchor=anchor, zone=zone)
    return due if due is None or end is None or due.timestamp() <= end else None


def parse(expression: str) -> Recurrence:
    """Read an expression.

    Raises:
        ValueError: it is none of the three kinds, or out of range.
    """
    match = re.fullmatch(r"(at|rate|cron)\((.*)\)", expression)
    if match is None:
        raise ValueError(f"not an at, rate or cron expression: {expression}")
    kind, text = match.groups()
    parsers: dict[str, Callable[[str], Recurrence]] = {
        "at": _parse_at,
        "rate": _parse_rate,
        "cron": _parse_cron,
    }
    return parsers[kind](text)


@cache
def time_zone(name: str) -> ZoneInfo:
    """The IANA zone of this name.

    Raises:
        ValueError: there is none.
    """
    if name not in available_timezones():
        raise ValueError(f"unknown time zone {name}")
    return ZoneInfo(name)


def _parse_at(text: str) -> At:
    return At(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S"))  # noqa: DTZ007 (a wall time; its zone is given apart)


def is_rate_of_rule(expression: str) -> bool:
    """Whether a rate has the singular for 1 and the plural for more, which only rules insist on.

    "rate(1 hours) and rate(5 hour) aren't valid", says the reference of rules; that of Scheduler lists all
    six units, and its guide the plurals alone.
    """
    return re.fullmatch(r"rate\((1 [a-z]+[^s]|(?!1 )\d+ [a-z]+s)\)", expression) is not None


def _parse_rate(text: str) -> Rate:
    match = re.fullmatch(r"([1-9]\d*) (minute|hour|day)s?", text)
    if match is None:
        raise ValueError(f"not a rate: {text}")
    return Rate(int(match[1]) * _UNITS[match[2]])


def _parse_cron(text: str) -> Cron:
    fields = text.upper().split()
    if len(fields) == 5:
        fields.append("*")
    if len(fields) != 6:
        raise ValueError(f"a cron expression has six fields: {text}")
    minutes, hours, day_of_month, month, day_of_week, year = fields
    if (day_of_month == "?") == (day_of_week == "?"):
        raise ValueError(f"exactly one of the day fields must be ?: {text}")
    cron = Cron(
        minutes=_values(minutes, 0, 59),
        hours=_values(hours, 0, 23),
        day_of_month=day_of_month,
        months=_values(_numbered(month, _MONTHS), 1, 12),
        day_of_week=_numbered(day_of_week, _WEEKDAYS),
        years=_values(year, 1970, 2199, wraps=False),
    )
    cron._days(2024, 1)  # a month of five weeks reads every part of the day fields
    return cron


def _numbered(field: str, names: dict[str, int]) -> str:
    return re.sub(r"[A-Z]{3}", lambda match: str(names.get(match[0], match[0])), field)


def _values(field: str, low: int, high: int, *, wraps: bool = True) -> tuple[int, ...]:
    """The numbers of a field; ``20-2`` passes the end, as in an example of the EventBridge user guide."""
    chosen: set[int] = set()
    for part in field.split(","):
        match = re.fullmatch(r"(?:\*|(\d+)(?:-(\d+))?)(?:/(\d+))?", part)
        if match is None:
            raise ValueError(f"not a cron field: {field}")
        first, last, step = (int(group) if group else None for group in match.groups())
        start = low if first is None else first
        end = last if last is not None else (start if first is not None and step is None else high)
        most = high if first is None else high - low + 1  # */60 is refused by AWS, 0/60 is not
        if not (low <= start <= high and low <= end <= high) or not 1 <= (step or 1) <= most or step == 0:
            raise ValueError(f"out of range {low}-{high}: {field}")
        if start <= end:
            chosen.update(range(start, end + 1, step or 1))
        elif wraps and step is None:
            chosen.update(range(start, high + 1), range(low, end + 1))
        else:  # no guide says how steps go on behind the end
            raise ValueError(f"runs backwards: {field}")
    return tuple(sorted(chosen))


def _days_of_month(part: str, year: int, month: int, last: int) -> Iterator[int]:
    if part == "L":
        yield last
    elif part == "LW":
        yield _nearest_weekday(year, month, last, last)
    elif part.endswith("W"):
        (day,) = _values(part[:-1], 1, 31)
        if day <= last:
            yield _nearest_weekday(year, month, day, last)
    else:
        yield from _values(part, 1, 31)


def _nearest_weekday(year: int, month: int, day: int, last: int) -> int:
    weekday = calendar.weekday(year, month, day)
    if weekday == calendar.SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == calendar.SUNDAY:
        return day + 1 if day < last else day - 2
    return day


def _days_of_week(part: str, year: int, month: int, last: int) -> Iterator[int]:
    def falling_on(weekdays: Sequence[int]) -> list[int]:
        # AWS counts from Sunday = 1, the calendar module from Monday = 0.
        python_days = {(weekday - 2) % 7 for weekday in weekdays}
        return [day for day in range(1, last + 1) if calendar.weekday(year, month, day) in python_days]

    if part == "L":
        yield from falling_on([7])
    elif part.endswith("L"):
        yield falling_on(_values(part[:-1], 1, 7))[-1]
    elif "#" in part:
        weekday, _, occurrence = part.partition("#")
        (position,) = _values(occurrence, 1, 5)
        yield from falling_on(_values(weekday, 1, 7))[position - 1 : position]
    elif "/" in part:
        raise ValueError(f"a day of the week has no steps: {part}")
    else:
        yield from falling_on(_values(part, 1, 7))
