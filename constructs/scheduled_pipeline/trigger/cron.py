"""``Cron``: a calendar of runs, in AWS's dialect of cron."""

from __future__ import annotations

import re
from calendar import isleap, monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, time
from functools import cache, cached_property

from scheduled_pipeline.trigger import crontab
from scheduled_pipeline.trigger.cron_field import (
    DAY_OF_MONTH,
    DAY_OF_WEEK,
    RULES,
    YEAR,
    CronField,
    parse_field,
    refuse,
)

_SIX_FIELDS = "minutes hours day-of-month month day-of-week year"
_SATURDAY, _SUNDAY = 7, 1
_EVERY_YEAR = "*"
# What numbers of weekdays most likely mean that are the working days or the weekend in a crontab.
_MISREAD = {(1, 2, 3, 4, 5): "MON-FRI", (6, 7): "SAT,SUN"}


@dataclass(frozen=True, kw_only=True)
class Cron:
    """The six fields of a cron expression. ``str()`` gives the normal form, year included.

    Days of the week are numbered as AWS numbers them: 1 is Sunday, 7 is Saturday.
    """

    minutes: CronField
    hours: CronField
    day_of_month: CronField
    month: CronField
    day_of_week: CronField
    year: CronField

    @classmethod
    def parse(cls, text: str, *, year_required: bool = False) -> Cron:
        """Read the fields between ``cron(`` and ``)``.

        Args:
            text: five or six fields, separated by blanks; five mean every year.
            year_required: refuse five fields, as event rules do.

        Raises:
            ValueError: for what AWS refuses, and for fields that no date can satisfy, such as 31 February.
        """
        given = _split(text, year_required=year_required)
        _refuse_seconds(text, given)
        _refuse_crontab(given, with_year=len(text.split()) == len(RULES))
        fields = [parse_field(rule, field) for rule, field in zip(RULES, given, strict=True)]
        if fields[2].is_any and fields[4].is_any:
            refuse(DAY_OF_MONTH, "?", "day-of-week is ? too: write * in one of the two")
        cron = cls(
            minutes=fields[0],
            hours=fields[1],
            day_of_month=fields[2],
            month=fields[3],
            day_of_week=fields[4],
            year=fields[5],
        )
        if not cron._ever_fires():
            raise ValueError(
                f"cron must name a day that exists, got {text!r}: no date from 1970 to 2199 is one"
            )
        return cron

    def __str__(self) -> str:
        fields = (self.minutes, self.hours, self.day_of_month, self.month, self.day_of_week, self.year)
        return f"cron({' '.join(field.text for field in fields)})"

    @cached_property
    def times(self) -> tuple[time, ...]:
        """The times of a day on which it runs, in order."""
        return tuple(time(hour, minute) for hour in self.hours.values for minute in self.minutes.values)

    @property
    def misread_weekdays(self) -> tuple[str, str] | None:
        """The weekdays by name that AWS reads and that most likely are meant, where numbers tell two things.

        ``1-5`` is Monday to Friday in a crontab, and Sunday to Thursday for AWS.
        """
        values = self.day_of_week.values
        meant = _MISREAD.get(values)
        if meant is None or re.search("[A-Z]", self.day_of_week.text):
            return None
        return crontab.weekday_names([value - 1 for value in values]), meant

    def days_from(self, first: date) -> Iterator[date]:
        """The days on which it runs, from ``first`` on, in order; ends after the last year that it names."""
        for year in self.year.values:
            if year < first.year:
                continue
            for month in self.month.values:
                if (year, month) < (first.year, first.month):
                    continue
                for day in self.days_of(year, month):
                    found = date(year, month, day)
                    if found >= first:
                        yield found

    def runs_on(self, day: date) -> bool:
        """Whether it runs on a day."""
        return (
            day.year in self.year.values
            and day.month in self.month.values
            and day.day in self.days_of(day.year, day.month)
        )

    def days_of(self, year: int, month: int) -> tuple[int, ...]:
        """The days of one month on which it runs, whether or not ``year`` and ``month`` are among its own."""
        first_weekday, length = monthrange(year, month)
        return _days(self.day_of_month, self.day_of_week, (first_weekday + 1) % 7 + 1, length)

    def _ever_fires(self) -> bool:
        # Years with the same first weekday and length have the same calendar: there are fourteen kinds.
        kinds = {(date(year, 1, 1).weekday(), isleap(year)): year for year in self.year.values}
        return any(self.days_of(year, month) for year in kinds.values() for month in self.month.values)


@cache
def _days(day_of_month: CronField, day_of_week: CronField, first: int, length: int) -> tuple[int, ...]:
    """The days of a month of ``length`` days whose first day is the weekday ``first``."""
    if not day_of_week.is_any:
        if not day_of_week.special:
            return tuple(
                sorted(
                    day
                    for value in day_of_week.values
                    for day in range((value - first) % 7 + 1, length + 1, 7)
                )
            )
        return _SPECIAL[day_of_week.special](day_of_week, first, length)
    if not day_of_month.special:
        return tuple(day for day in day_of_month.values if day <= length)
    return _SPECIAL[day_of_month.special](day_of_month, first, length)


def _weekday(day: int, first: int) -> int:
    return (first + day - 2) % 7 + 1


def _last_day(_: CronField, __: int, length: int) -> tuple[int, ...]:
    return (length,)


def _last_weekday(_: CronField, first: int, length: int) -> tuple[int, ...]:
    return (_nearest(length, first, length),)


def _nearest_weekday(field: CronField, first: int, length: int) -> tuple[int, ...]:
    # A month without that day has no weekday nearest to it: the guides say nothing of moving to another day.
    return (_nearest(field.argument, first, length),) if field.argument <= length else ()


def _nearest(day: int, first: int, length: int) -> int:
    """The weekday nearest to a day, within its month."""
    weekday = _weekday(day, first)
    if weekday == _SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == _SUNDAY:
        return day + 1 if day < length else day - 2
    return day


def _last_of(field: CronField, first: int, length: int) -> tuple[int, ...]:
    return ((range((field.argument - first) % 7 + 1, length + 1, 7))[-1],)


def _nth_of(field: CronField, first: int, length: int) -> tuple[int, ...]:
    day = (field.argument - first) % 7 + 1 + 7 * (field.week - 1)
    return (day,) if day <= length else ()


_SPECIAL: dict[str, Callable[[CronField, int, int], tuple[int, ...]]] = {
    "last-day": _last_day,
    "last-weekday": _last_weekday,
    "nearest-weekday": _nearest_weekday,
    "last-of": _last_of,
    "nth-of": _nth_of,
}


def _split(text: str, *, year_required: bool) -> list[str]:
    """The six fields of a text, a missing year filled in."""
    if text.startswith(("cron(", "rate(", "at(")):
        raise ValueError(f"cron must be its fields alone, got {text!r}: write cron( ) once")
    if text != text.strip():
        raise ValueError(f"cron must not begin or end with a blank, got {text!r}")
    given = text.split()
    if len(given) == 5 and not year_required:
        return [*given, _EVERY_YEAR]
    if len(given) != 6:
        allowed = "six" if year_required else "five or six"
        hint = _count_hint(given)
        raise ValueError(
            f"cron must have {allowed} fields, {_SIX_FIELDS}, got {len(given)} in {text!r}"
            f"{f': {hint}' if hint else ''}"
        )
    return given


def _count_hint(given: list[str]) -> str:
    if len(given) == 7:
        return f"there is no field of seconds, leave out the first{_written(given[1:6], given[6])}"
    if len(given) == 5:
        return f"a rule needs the year{_written(given, _EVERY_YEAR)}"
    if len(given) == 1 and given[0].startswith("@"):
        fields = crontab.MACROS.get(given[0].lower())
        return f"AWS has no such names{f', write {fields}' if fields else ''}"
    return ""


def _written(five: list[str], year: str) -> str:
    """What to write for five fields, of AWS or of a crontab, or nothing where they are neither."""
    if "?" in five:
        return f": {' '.join([*five, year])}"
    written = crontab.in_aws(five, year)
    return f": {' '.join(written)}" if len(written) == 1 else ""


def _refuse_seconds(text: str, given: list[str]) -> None:
    """A cron with seconds in front has a day of the week where AWS has the year."""
    year = given[5]
    if year == "?" or re.fullmatch(r"[A-Za-z,#L-]+|[0-7]([-,/][0-7])*", year):
        refuse(
            YEAR,
            year,
            f"if {text!r} begins with seconds, leave them out{_written(given[1:], _EVERY_YEAR)}",
        )


def _refuse_crontab(given: list[str], *, with_year: bool) -> None:
    """Refuse fields without ``?``, as in a crontab, and say how AWS has them."""
    if "?" in given:
        return
    day_of_month, day_of_week = given[2], given[4]
    for rule, field in zip(RULES, given, strict=True):
        if rule is not DAY_OF_WEEK:
            parse_field(rule, field)
    if crontab.weekdays_of(day_of_week) is None:
        parse_field(DAY_OF_WEEK, day_of_week)
    hint = _days_hint(given, with_year=with_year)
    raise ValueError(
        "cron day-of-month and day-of-week cannot both be given, one of them must be ?, "
        f"got {day_of_month!r} and {day_of_week!r}{hint}"
    )


def _days_hint(given: list[str], *, with_year: bool) -> str:
    """What to write for fields without ``?``; with a year they may also be AWS's, whose 1 is Sunday."""
    as_crontab = crontab.in_aws(given[:5], given[5])
    as_aws = _as_aws(given) if with_year or not as_crontab else ""
    if len(as_crontab) == 2:
        return f": a crontab runs on either day, so write two schedules, {' and '.join(as_crontab)}"
    if as_crontab and as_aws not in ("", *as_crontab):
        return f": write {as_crontab[0]} if 1 is Monday, as in a crontab, or {as_aws} if 1 is Sunday"
    suggestion = as_crontab[0] if as_crontab else as_aws
    return f": write {suggestion}" if suggestion else ": AWS cannot ask for both at once"


def _as_aws(given: list[str]) -> str:
    """The fields with ``?`` where ``*`` stands, as AWS numbers the days; nothing where neither is ``*``."""
    try:
        weekdays = parse_field(DAY_OF_WEEK, given[4])
    except ValueError:
        return ""
    if given[4] == "*":
        return " ".join([*given[:4], "?", given[5]])
    if given[2] != "*":
        return ""
    named = crontab.weekday_names([value - 1 for value in weekdays.values])
    every = len(weekdays.values) == DAY_OF_WEEK.size
    days = ["*", given[3], "?"] if every else ["?", given[3], named or weekdays.text]
    return " ".join([*given[:2], *days, given[5]])
