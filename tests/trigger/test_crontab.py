"""What is suggested for a crontab runs when the crontab does: an oracle that follows crontab(5) says when.

The oracle shares nothing with the code under test: it walks through a month hour by hour and asks, as Vixie
cron does, whether the fields match.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scheduled_pipeline.trigger.expression import Dialect, parse_expression
from scheduled_pipeline.trigger.occurrences import occurrences

WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
BEGIN = datetime(2027, 1, 25, tzinfo=UTC)
END = datetime(2027, 3, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
# Six fields behind the words with which errors suggest them.
SUGGESTION = re.compile(r"(?:write|schedules,|and|or|out:|first:|year:) ((?:\S+ ){5}[0-9*]+)(?=$|,| if| and)")
NO_WAY = "AWS cannot ask for both at once"


def expand(field: str, low: int, high: int, names: list[str]) -> set[int]:
    found: set[int] = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        first, _, last = span.partition("-")
        if first == "*":
            begin, end = low, high
        else:
            begin = names.index(first) + low if first in names else int(first)
            end = begin if not last else names.index(last) + low if last in names else int(last)
        found.update(range(begin, end + 1, int(step or 1)))
    return found


def crontab_runs(text: str) -> Iterator[datetime]:
    minute, hour, day, month, weekday = text.split()
    minutes, hours = expand(minute, 0, 59, []), expand(hour, 0, 23, [])
    days, months = expand(day, 1, 31, []), expand(month, 1, 12, MONTHS)
    weekdays = {number % 7 for number in expand(weekday, 0, 7, WEEKDAYS)}
    either = "*" not in (day[0], weekday[0])
    moment = BEGIN
    while moment < END:
        by_day, by_weekday = moment.day in days, moment.isoweekday() % 7 in weekdays
        matches = by_day or by_weekday if either else by_day and by_weekday
        if matches and moment.month in months and moment.hour in hours:
            yield from (moment.replace(minute=one) for one in sorted(minutes))
        moment += HOUR


class DayError(Exception):
    """No day that the fields name exists."""


def aws_runs(fields: str) -> set[datetime]:
    try:
        parsed = parse_expression(f"cron({fields})")
    except ValueError as error:
        if "must name a day that exists" in str(error):
            raise DayError from None
        raise
    runs = occurrences(parsed, "UTC", after=BEGIN - timedelta(seconds=1))
    return set(takewhile(lambda run: run < END, runs))


def suggestions(text: str) -> list[str]:
    with pytest.raises(ValueError, match="cron") as error:
        parse_expression(text)
    return SUGGESTION.findall(str(error.value)) or [str(error.value)]


def items(low: int, high: int, names: list[str]) -> st.SearchStrategy[str]:
    value = st.integers(low, high)
    written = value.map(lambda number: names[number - low] if number - low < len(names) else str(number))
    spans = st.tuples(value, value).map(sorted).map(lambda pair: f"{pair[0]}-{pair[1]}")
    stepped = st.tuples(spans, st.integers(1, high)).map(lambda pair: f"{pair[0]}/{pair[1]}")
    named = (
        st.tuples(value, value)
        .map(sorted)
        .map(lambda pair: "-".join(names[number - low] for number in pair if number - low < len(names)))
    )
    return st.one_of(value.map(str), written, spans, stepped, *([named.filter(bool)] if names else []))


def fields(low: int, high: int, names: list[str], longest_step: int) -> st.SearchStrategy[str]:
    lists = st.lists(items(low, high, names), min_size=1, max_size=3).map(",".join)
    return st.one_of(st.just("*"), st.integers(1, longest_step).map(lambda step: f"*/{step}"), lists, lists)


EXPRESSIONS = st.tuples(
    st.sampled_from(["0", "0,30", "*/20", "5-10/5"]),
    fields(0, 23, [], 23),
    fields(1, 31, [], 31),
    st.sampled_from(["*", "1-3", "jan-mar", "*/2", "feb"]),
    fields(0, 7, WEEKDAYS, 7),
).map(" ".join)


@given(EXPRESSIONS)
@settings(max_examples=150, deadline=None)
@example("0 3 * * 7")
@example("0 3 * * 1-5")
@example("0 3 * * 0,6")
@example("0 3 * * 5-7")
@example("0 3 * * */2")
@example("0 3 * * */7")
@example("0 3 * * mon-fri/2")
@example("0 3 1-31 * 1")
@example("0 3 1 * 0-6")
@example("0 3 1 * */2")
@example("0 3 */2 * *")
@example("0 3 */2 * 1")
@example("0 3 1,15 * 5")
def test_what_is_suggested_for_a_crontab_runs_when_it_does(text: str) -> None:
    found = suggestions(f"cron({text})")
    if found[0].endswith(NO_WAY):
        day, weekday = text.split()[2::2]
        assert "*" in (day[0], weekday[0])
        return
    runs: set[datetime] = set()
    for fields in found:
        # A crontab may name days that there are not, such as 31 February.
        with suppress(DayError):
            runs |= aws_runs(fields)
    assert runs == set(crontab_runs(text))
    # A rule wants the year, which is what is told first; what it says to write is the same.
    with pytest.raises(ValueError, match="cron") as error:
        parse_expression(f"cron({text})", Dialect.RULE)
    assert SUGGESTION.findall(str(error.value)) == (found if len(found) == 1 else [])


@pytest.mark.parametrize(
    ("macro", "same"),
    [
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * 0"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
    ],
)
@pytest.mark.parametrize("written", ["cron({})", "{}"])
def test_a_name_of_crontab_is_written_out(macro: str, same: str, written: str) -> None:
    (found,) = suggestions(written.format(macro.capitalize() if written == "{}" else macro))
    assert aws_runs(found) == set(crontab_runs(same))


@pytest.mark.parametrize(
    ("text", "same"),
    [
        # With seconds in front, as Spring and node-cron have them.
        ("cron(0 0 3 * * 1)", "0 3 * * 1"),
        ("cron(0 0 3 * * 1-5)", "0 3 * * 1-5"),
        ("cron(0 0 3 * * 0)", "0 3 * * 0"),
        ("cron(0 0 3 * * 1-5 *)", "0 3 * * 1-5"),
        # Without cron( ).
        ("0 3 * * 7", "0 3 * * 7"),
        ("0 3 * * 1-5", "0 3 * * 1-5"),
    ],
)
def test_other_forms_of_a_crontab_get_the_same_days(text: str, same: str) -> None:
    (found,) = suggestions(text)
    assert aws_runs(found) == set(crontab_runs(same))


def test_with_a_year_both_ways_to_count_weekdays_are_named() -> None:
    found = suggestions("cron(0 3 * * 2-4 *)")
    assert found == ["0 3 ? * TUE-THU *", "0 3 ? * MON-WED *"]


@pytest.mark.parametrize(
    ("field", "names"), [("0", "SUN"), ("0-6", "SUN-SAT"), ("0,3", "SUN,WED"), ("5-0", "SUN,FRI,SAT")]
)
def test_a_weekday_that_only_a_crontab_has_is_named(field: str, names: str) -> None:
    with pytest.raises(ValueError, match=f"write {names}$"):
        parse_expression(f"cron(0 3 ? * {field} *)")


@pytest.mark.parametrize("field", ["*/2", "*/3", "MON-FRI/2"])
def test_steps_of_weekdays_are_listed(field: str) -> None:
    with pytest.raises(ValueError, match="list the days, such as") as error:
        parse_expression(f"cron(0 3 ? * {field} *)")
    names = str(error.value).rsplit(" ", 1)[-1]
    assert aws_runs(f"0 3 ? * {names} *") == set(crontab_runs(f"0 3 * * {field.lower()}"))


def test_a_name_that_is_no_schedule_gets_no_suggestion() -> None:
    (message,) = suggestions("cron(@reboot)")
    assert message.endswith("AWS has no such names")
