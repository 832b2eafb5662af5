"""One field of a cron expression, in AWS's dialect.

What the two user guides document is accepted, and what is known to run on AWS; a form that they leave open is
refused with a hint at the documented way to write it. See
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based.

A range may pass the end of its field: ``0/30 20-2 ? * MON-FRI *`` is an example of
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html. The guide of
EventBridge Scheduler does not say so, so that the normal form, which goes into the template, has two ranges.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from scheduled_pipeline.trigger.crontab import WEEKDAYS, weekday_names, weekdays_of

_MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_ITEM = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\w+))?")
_NEAREST = re.compile(r"(\d{1,2})W")
_LAST_WEEKDAY_OF_MONTH = re.compile(r"([1-7])L")
_NTH = re.compile(r"(\w+)#(\w+)")
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
_WEEKS = range(1, 6)


@dataclass(frozen=True, kw_only=True)
class FieldRule:
    """What AWS allows in a field: lowest and highest number, names for the numbers, and wildcards."""

    name: str
    lowest: int
    highest: int
    wildcards: str
    names: Mapping[str, int] = field(default_factory=dict, hash=False)

    @property
    def size(self) -> int:
        """How many values there are."""
        return self.highest - self.lowest + 1

    @property
    def longest_step(self) -> int:
        """The longest step after ``*``: AWS refuses ``*/60``."""
        return min(self.highest, self.size)

    def __str__(self) -> str:
        names = f" or {next(iter(self.names))}-{[*self.names][-1]}" if self.names else ""
        return f"{self.lowest}-{self.highest}{names} with {' '.join(self.wildcards)}"


MINUTES = FieldRule(name="minutes", lowest=0, highest=59, wildcards=",-*/")
HOURS = FieldRule(name="hours", lowest=0, highest=23, wildcards=",-*/")
DAY_OF_MONTH = FieldRule(name="day-of-month", lowest=1, highest=31, wildcards=",-*?/LW")
MONTH = FieldRule(
    name="month", lowest=1, highest=12, wildcards=",-*/", names={n: i for i, n in enumerate(_MONTH_NAMES, 1)}
)
DAY_OF_WEEK = FieldRule(
    name="day-of-week",
    lowest=1,
    highest=7,
    wildcards=",-*?L#",
    names={n: i for i, n in enumerate(WEEKDAYS, 1)},
)
YEAR = FieldRule(name="year", lowest=1970, highest=2199, wildcards=",-*/")
RULES = (MINUTES, HOURS, DAY_OF_MONTH, MONTH, DAY_OF_WEEK, YEAR)


@dataclass(frozen=True, kw_only=True)
class CronField:
    """A field as it was understood.

    Attributes:
        text: the normal form: capital letters, no leading zeros, no range that passes the end of the field.
        values: the numbers that it names, in order; all of them for ``*``, none for ``?`` and the special
            forms.
        special: ``last-day``, ``last-weekday``, ``nearest-weekday``, ``last-of``, ``nth-of``, or empty.
        argument: the day that ``nW``, ``nL`` and ``n#m`` name, else 0.
        week: the ``m`` of ``n#m``, else 0.
    """

    text: str
    values: tuple[int, ...] = ()
    special: str = ""
    argument: int = 0
    week: int = 0

    @property
    def is_any(self) -> bool:
        """Whether it is ``?``, so that the other day field decides."""
        return self.text == "?"


def parse_field(rule: FieldRule, given: str) -> CronField:
    """Read one field.

    Raises:
        ValueError: naming the field, what was given, what is allowed, and why or how to write it.
    """
    if not given.isascii():
        refuse(rule, given, "it has a character that is not plain ASCII")
    text = _ZEROS.sub("", given.upper())
    if text == "?" and "?" in rule.wildcards:
        return CronField(text=text)
    special = _special(rule, text, given)
    if special is not None:
        return special
    _refuse_stray(rule, text, given)
    items = [_item(rule, item, given, alone="," not in text) for item in text.split(",")]
    values = {value for _, named in items for value in named}
    return CronField(text=",".join(normal for normal, _ in items), values=tuple(sorted(values)))


def refuse(rule: FieldRule, given: str, why: str) -> NoReturn:
    """Raise the error of a field."""
    raise ValueError(f"cron {rule.name} must be {rule}, got {given!r}: {why}")


def _special(rule: FieldRule, text: str, given: str) -> CronField | None:
    """The forms that stand alone in a day field, or nothing."""
    if rule is DAY_OF_MONTH:
        return _special_day_of_month(rule, text, given)
    if rule is DAY_OF_WEEK:
        return _special_day_of_week(rule, text, given)
    return None


def _special_day_of_month(rule: FieldRule, text: str, given: str) -> CronField | None:
    if text == "L":
        return CronField(text=text, special="last-day")
    if text == "LW":
        return CronField(text=text, special="last-weekday")
    nearest = _NEAREST.fullmatch(text)
    if nearest is None:
        return None
    day = _number(rule, nearest[1], given)
    return CronField(text=text, special="nearest-weekday", argument=day)


def _special_day_of_week(rule: FieldRule, text: str, given: str) -> CronField | None:
    if text == "L":  # "the last day of the week", which in AWS's numbering is Saturday
        return CronField(text=text, values=(7,))
    last = _LAST_WEEKDAY_OF_MONTH.fullmatch(text)
    if last is not None:
        return CronField(text=text, special="last-of", argument=int(last[1]))
    nth = _NTH.fullmatch(text)
    if nth is None:
        return None
    day = _number(rule, nth[1], given)
    if not nth[2].isdecimal() or int(nth[2]) not in _WEEKS:
        refuse(rule, given, f"the number after # must be 1 to 5, got {nth[2]}")
    return CronField(text=text, special="nth-of", argument=day, week=int(nth[2]))


# What a stray wildcard most likely meant, for the fields where AWS has none or not in such a place.
_STRAY = {
    "?": "? stands alone, in day-of-month or day-of-week only",
    "#": "a day and a week such as 3#2 stand alone, in day-of-week only",
    "W": "a weekday such as 15W or LW stands alone, in day-of-month only",
    "L": "the last day, L or a number with it such as 6L, stands alone, in a day field only",
}


def _refuse_stray(rule: FieldRule, text: str, given: str) -> None:
    without_names = re.sub(r"[A-Z]{3}", "0", text)
    for character, why in _STRAY.items():
        if character in without_names:
            refuse(rule, given, why)
    if "/" in text and "/" not in rule.wildcards:
        # A name or * is the same day for all; a number is another day in a crontab.
        days = weekdays_of(text) if not re.search(r"[0-9](?=[-,/])", text) else None
        listed = "MON,WED,FRI" if days is None else weekday_names(days)
        refuse(rule, given, f"steps are not allowed here: list the days, such as {listed}")


def _item(rule: FieldRule, item: str, given: str, *, alone: bool) -> tuple[str, Collection[int]]:
    """The normal form of one item of a list, and the numbers that it names."""
    match = _ITEM.fullmatch(item)
    if match is None:
        refuse(
            rule, given, f"{item!r} is neither a value, a range nor a step" if item else "a value is missing"
        )
    first, last, step = match["first"], match["last"], match["step"]
    if first == "*":
        if last is not None or (not alone and step is None):
            refuse(rule, given, "* already means every value: write it alone")
        return item, range(rule.lowest, rule.highest + 1, _step(rule, step, given))
    low = _number(rule, first, given)
    # A step without a range runs to the end of the field; a value alone is itself.
    high = (low if step is None else rule.highest) if last is None else _number(rule, last, given)
    stride = _step(rule, step, given, whole_field=True)
    if low > high:
        return _wrapped(rule, match, given, high=high, stride=stride)
    if stride == rule.size and stride > rule.longest_step:  # 0/60, which AWS's own solutions write
        return first, (low,)
    return item, range(low, high + 1, stride)


def _wrapped(
    rule: FieldRule, match: re.Match[str], given: str, *, high: int, stride: int
) -> tuple[str, Collection[int]]:
    """A range that passes the end of its field, as two ranges.

    With a step there are two ways to read it, and no guide says which is AWS's.
    """
    first, last, low = match["first"], match["last"], _number(rule, match["first"], given)
    if rule is YEAR:
        refuse(rule, given, f"{match[0]} runs backwards")
    counting_on = [
        rule.lowest + (number - rule.lowest) % rule.size
        for number in range(low, high + rule.size + 1, stride)
    ]
    apart = [*range(low, rule.highest + 1, stride), *range(rule.lowest, high + 1, stride)]
    if set(counting_on) != set(apart):
        one, other = (",".join(map(str, numbers)) for numbers in (counting_on, apart))
        refuse(
            rule,
            given,
            f"{match[0]} passes the end of the field, and no guide says whether its steps count on, {one}, "
            f"or begin again, {other}: write the one that is meant",
        )
    ends = (
        (first, _written(rule, rule.highest, first), low == rule.highest),
        (_written(rule, rule.lowest, last), last, high == rule.lowest),
    )
    step = "" if stride == 1 else f"/{stride}"
    return ",".join(one if single else f"{one}-{other}{step}" for one, other, single in ends), apart


def _written(rule: FieldRule, number: int, like: str) -> str:
    """A number of a field, as a name where what stands beside it is one."""
    return str(number) if like.isdecimal() else [*rule.names][number - rule.lowest]


def _number(rule: FieldRule, text: str, given: str) -> int:
    if text in rule.names:
        return rule.names[text]
    if not text.isdecimal():
        refuse(rule, given, f"{text!r} is not a value of this field")
    number = int(text)
    if rule is DAY_OF_WEEK and number == 0:
        days = weekdays_of(given)
        names = "a name, such as SUN" if days is None else weekday_names(days)
        refuse(rule, given, f"only a crontab has 0 for Sunday, AWS has 1: write {names}")
    if not rule.lowest <= number <= rule.highest:
        refuse(rule, given, f"{number} is out of range")
    return number


def _step(rule: FieldRule, text: str | None, given: str, *, whole_field: bool = False) -> int:
    if text is None:
        return 1
    longest = rule.size if whole_field else rule.longest_step
    if not text.isdecimal() or not 1 <= int(text) <= longest:
        refuse(rule, given, f"the step after / must be 1 to {longest}, got {text}")
    return int(text)
