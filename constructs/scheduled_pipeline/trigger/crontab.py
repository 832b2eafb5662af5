"""What fields of a crontab are in AWS's dialect, for errors that say what to write.

A crontab counts the days of the week from 0 or 7, Sunday, where AWS counts them from 1, and takes a day of
the month and a day of the week at once: it runs on either, but on both at once where one of the two begins
with ``*``. See crontab(5). What is returned has names for the days of the week, which no reader can mistake.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
"""In the order in which both count them."""

MACROS = {
    "@yearly": "0 0 1 1 ? *",
    "@annually": "0 0 1 1 ? *",
    "@monthly": "0 0 1 * ? *",
    "@weekly": "0 0 ? * SUN *",
    "@daily": "0 0 * * ? *",
    "@midnight": "0 0 * * ? *",
    "@hourly": "0 * * * ? *",
}
"""The names of crontab(5) that AWS does not have, in AWS's fields."""

_EVERY_WEEKDAY = frozenset(range(7))
_DAY = rf"[0-7]|{'|'.join(WEEKDAYS)}"
_WEEKDAY_ITEM = re.compile(rf"(?P<first>\*|{_DAY})(?:-(?P<last>{_DAY}))?(?:/(?P<step>[0-9]+))?")
_DAY_ITEM = re.compile(r"(?P<first>\*|[0-9]+)(?:-(?P<last>[0-9]+))?(?:/(?P<step>[0-9]+))?")


def in_aws(fields: Sequence[str], year: str = "*") -> tuple[str, ...]:
    """The fields for AWS that run when five fields of a crontab do.

    Returns:
        One expression, two that run on either day, or none where AWS cannot say it or the fields are none of
        a crontab.
    """
    minutes, hours, day, month, weekday = fields
    weekdays = weekdays_of(weekday)
    if weekdays is None or "?" in fields:
        return ()
    on_days = f"{minutes} {hours} {day} {month} ? {year}"
    on_weekdays = f"{minutes} {hours} ? {month} {weekday_names(weekdays)} {year}"
    any_day, any_weekday = _is_any_day(day), weekdays == _EVERY_WEEKDAY
    if not day.startswith("*") and not weekday.startswith("*"):
        every_day = f"{minutes} {hours} * {month} ? {year}"
        return (every_day,) if any_day or any_weekday else (on_days, on_weekdays)
    if any_weekday:
        return (on_days,)
    return (on_weekdays,) if any_day else ()


def weekdays_of(field: str) -> frozenset[int] | None:
    """The days of the week that a field of a crontab names, 0 for Sunday; None if it is no such field."""
    found: set[int] = set()
    for item in field.upper().split(","):
        match = _WEEKDAY_ITEM.fullmatch(item)
        if match is None or (match["first"] == "*" and match["last"] is not None):
            return None
        step = int(match["step"] or 1)
        if match["first"] == "*":
            first, last = 0, 7  # so that */7 is 0 and 7, both Sunday
        else:
            first = _number(match["first"])
            last = first if match["last"] is None else _number(match["last"])
        alone = match["first"] != "*" and match["last"] is None
        if step == 0 or (alone and match["step"] is not None):
            return None
        found.update(day % 7 for day in range(first, (last if last >= first else last + 7) + 1, step))
    return frozenset(found)


def weekday_names(weekdays: Collection[int]) -> str:
    """The names of days of the week, 0 for Sunday, three or more in a row as a range: ``SUN,WED-FRI``."""
    groups: list[list[int]] = []
    for day in sorted(weekdays):
        if groups and day == groups[-1][-1] + 1:
            groups[-1].append(day)
        else:
            groups.append([day])
    words = (
        [f"{WEEKDAYS[group[0]]}-{WEEKDAYS[group[-1]]}"]
        if len(group) > 2
        else [WEEKDAYS[day] for day in group]
        for group in groups
    )
    return ",".join(word for group in words for word in group)


def _number(day: str) -> int:
    return int(day) if day.isdecimal() else WEEKDAYS.index(day)


def _is_any_day(field: str) -> bool:
    """Say whether a field of days of the month names all of them."""
    found: set[int] = set()
    for item in field.split(","):
        match = _DAY_ITEM.fullmatch(item)
        if match is None or not int(match["step"] or 1):
            return False
        first = 1 if match["first"] == "*" else int(match["first"])
        last = int(match["last"] or (31 if match["first"] == "*" else first))
        found.update(range(first, last + 1, int(match["step"] or 1)))
    return found >= set(range(1, 32))
