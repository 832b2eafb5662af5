"""When a schedule runs, in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from scheduled_pipeline.trigger.checks import MAXIMUM_DESCRIPTION
from scheduled_pipeline.trigger.cron import Cron
from scheduled_pipeline.trigger.cron_field import YEAR, CronField
from scheduled_pipeline.trigger.expression import At, Expression, Rate

_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKS = ("first", "second", "third", "fourth", "fifth")
_LAST = {"last-day": "last day", "last-weekday": "last weekday"}
_EVERY_DAY = tuple(range(1, 8))
_EVERY_MONTH = tuple(range(1, 13))
_EVERY_HOUR = tuple(range(24))
_EVERY_MINUTE = tuple(range(60))
# What reads the same on the clock of any zone.
_ALL_DAY = {"every minute", *(f"every {step} minutes" for step in _EVERY_MINUTE)}
# As many clock times as a reader takes in at a glance.
_LISTED_TIMES = 6


def describe_expression(expression: Expression, timezone: str) -> str:
    """Say when an expression runs, in at most 512 characters, the most that AWS takes as a description.

    Args:
        expression: what ``parse_expression`` returned.
        timezone: IANA name of the zone whose wall clock it is; a rate has none, it counts hours on the clock.

    Returns:
        Such as ``every day at 03:00 Asia/Tokyo``, ``every 5 minutes`` or ``once on 2027-01-04 at 09:00 UTC``.
    """
    if isinstance(expression, Rate):
        return _rate(expression)
    if isinstance(expression, At):
        seconds = ":%S" if expression.moment.second else ""
        return f"once on {expression.moment.strftime(f'%Y-%m-%d at %H:%M{seconds}')} {timezone}"
    words = _cron(expression)
    text = words if words in _ALL_DAY else f"{words} {timezone}"
    return text if len(text) <= MAXIMUM_DESCRIPTION else f"{expression} {timezone}"


def _rate(rate: Rate) -> str:
    if rate.unit == "day":  # not "every day": its time of day drifts when clocks change
        return f"every {24 * rate.value} hours"
    return f"every {rate.unit}" if rate.value == 1 else f"every {rate.value} {rate.unit}s"


def _cron(cron: Cron) -> str:
    days = " ".join(part for part in (_days(cron), _years(cron)) if part)
    times = _times(cron)
    if not times.startswith("every"):
        return f"{days} {times}"
    return times if days == "every day" else f"{days}, {times}"


def _days(cron: Cron) -> str:
    day, weekday, months = cron.day_of_month, cron.day_of_week, cron.month.values
    if day.special or weekday.special:
        return f"on the {_special(day if day.special else weekday)} {_of(months)}"
    if weekday.values and weekday.values != _EVERY_DAY:
        return f"every {_weekdays(weekday.values)}{_in(months)}"
    if day.values and len(day.values) < 31:
        return f"on the {_join(_runs(day.values, _ordinal))} {_of(months)}"
    return f"every day{_in(months)}"


def _special(field: CronField) -> str:
    if field.special == "nearest-weekday":
        return f"weekday nearest to the {_ordinal(field.argument)}"
    if field.special in _LAST:
        return _LAST[field.special]
    week = "last" if field.special == "last-of" else _WEEKS[field.week - 1]
    return f"{week} {_DAYS[field.argument - 1]}"


def _weekdays(values: tuple[int, ...]) -> str:
    return _join(_runs(values, lambda value: _DAYS[value - 1]))


def _months(values: tuple[int, ...]) -> str:
    return _join(_runs(values, lambda value: _MONTHS[value - 1]))


def _of(months: tuple[int, ...]) -> str:
    return "of every month" if months == _EVERY_MONTH else f"of {_months(months)}"


def _in(months: tuple[int, ...]) -> str:
    return "" if months == _EVERY_MONTH else f" in {_months(months)}"


def _years(cron: Cron) -> str:
    years = cron.year.values
    if len(years) > YEAR.highest - YEAR.lowest:
        return ""
    step = _step(years)
    if step is not None and step > 1 and len(years) > 2:
        return f"every {step} years from {years[0]} to {years[-1]}"
    return f"in {_join(_runs(years, str))}"


def _times(cron: Cron) -> str:
    minutes, hours = cron.minutes.values, cron.hours.values
    if len(cron.times) <= _LISTED_TIMES:
        return f"at {_join([f'{time:%H:%M}' for time in cron.times])}"
    if minutes == _EVERY_MINUTE:
        return "every minute" + _within(hours)
    step = _step(minutes)
    if step is not None and 60 % step == 0 and len(minutes) == 60 // step and _is_run(hours):
        begin = f" from {cron.times[0]:%H:%M}"
        whole_day = hours == _EVERY_HOUR and minutes[0] == 0
        return f"every {step} minutes{'' if whole_day else f'{begin} to {cron.times[-1]:%H:%M}'}"
    if len(minutes) == 1:
        return _hourly(minutes[0], hours)
    return f"at minutes {_join(_runs(minutes, str))}{_within(hours) or ' of every hour'}"


def _hourly(minute: int, hours: tuple[int, ...]) -> str:
    step = _step(hours)
    if step is None:
        return f"at {_join([f'{hour:02}:{minute:02}' for hour in hours])}"
    every = "every hour" if step == 1 else f"every {step} hours"
    if hours == _EVERY_HOUR:
        return f"{every} at minute {minute}"
    return f"{every} from {hours[0]:02}:{minute:02} to {hours[-1]:02}:{minute:02}"


def _within(hours: tuple[int, ...]) -> str:
    """The hours as spans of the clock, or nothing for all of them."""
    if hours == _EVERY_HOUR:
        return ""
    return f" of the hours {_join(_runs(hours, lambda hour: f'{hour:02}'))}"


def _step(values: Sequence[int]) -> int | None:
    """The constant difference of the values, or nothing."""
    steps = {after - before for before, after in pairwise(values)}
    return steps.pop() if len(steps) == 1 else None


def _is_run(values: Sequence[int]) -> bool:
    return values[-1] - values[0] == len(values) - 1


def _runs(values: Iterable[int], word: Callable[[int], str]) -> list[str]:
    """Words for the values, three or more in a row written as a range."""
    groups: list[list[int]] = []
    for value in values:
        if groups and value == groups[-1][-1] + 1:
            groups[-1].append(value)
        else:
            groups.append([value])
    words: list[str] = []
    for group in groups:
        words += (
            [f"{word(group[0])} to {word(group[-1])}"] if len(group) > 2 else [word(value) for value in group]
        )
    return words


def _join(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _ordinal(number: int) -> str:
    teens = 10 < number % 100 < 20
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
