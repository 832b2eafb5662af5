"""The runs, checked against an oracle that looks at every minute.

The oracle shares nothing with the code under test: it reads the text of the expression in its own way, walks
through UTC minute by minute, asks what the wall clock of the zone shows, and looks whether the fields match.
A wall clock that is shown for the second time does not fire.
"""

from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from scheduled_pipeline.trigger.expression import parse_expression
from scheduled_pipeline.trigger.occurrences import clock_changes, occurrences
from scheduled_pipeline.trigger.time_zone import time_zone

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
ONE_MINUTE = timedelta(minutes=1)

# Zone, and a moment in UTC about which its clocks change.
TRANSITIONS = [
    ("America/New_York", "2027-03-14T07:00"),
    ("America/New_York", "2027-11-07T06:00"),
    ("Europe/Berlin", "2027-03-28T01:00"),
    ("Europe/Berlin", "2027-10-31T01:00"),
    ("Australia/Sydney", "2027-10-02T16:00"),
    ("Australia/Sydney", "2027-04-03T16:00"),
    ("Australia/Lord_Howe", "2027-10-02T15:30"),  # half an hour
    ("Australia/Lord_Howe", "2027-04-03T15:00"),
    ("America/Santiago", "2027-09-05T04:00"),  # at midnight
    ("America/Santiago", "2027-04-04T03:00"),
    ("Pacific/Chatham", "2027-04-03T14:00"),  # 45 minutes past the hour
    ("Asia/Tokyo", "2027-03-14T07:00"),  # none
    ("Asia/Kathmandu", "2027-03-14T07:00"),  # none, 45 minutes past the hour
    ("UTC", "2027-03-14T07:00"),
    ("Pacific/Apia", "2011-12-30T10:00"),  # a day left out
    ("Pacific/Kwajalein", "1993-08-21T12:00"),  # likewise
    ("America/Caracas", "2016-05-01T07:00"),  # half an hour, no daylight saving time
]


def number(text: str, names: list[str]) -> int:
    return names.index(text) + 1 if text in names else int(text)


def expand(field: str, low: int, high: int, names: list[str]) -> set[int]:
    found: set[int] = set()
    for part in field.upper().split(","):
        span, _, step = part.partition("/")
        begin, _, end = span.partition("-")
        if begin == "*":
            lowest, highest = low, high
        else:
            lowest = number(begin, names)
            highest = number(end, names) if end else (high if step else lowest)
        if highest < lowest:  # from one end of the field on to the other
            found |= {value for value in range(low, high + 1) if value >= lowest or value <= highest}
            continue
        found |= {value for value in range(low, high + 1) if lowest <= value <= highest}.intersection(
            range(lowest, high + 1, int(step or 1))
        )
    return found


def weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def nearest_weekday(day: date) -> date:
    """By looking ever further on both sides, within the month."""
    for distance in range(4):
        for candidate in (day - timedelta(distance), day + timedelta(distance)):
            if candidate.month == day.month and candidate.isoweekday() <= 5:
                return candidate
    raise AssertionError(day)


def day_of_month_matches(field: str, day: date) -> bool:
    last = monthrange(day.year, day.month)[1]
    if field == "L":
        return day.day == last
    if field == "LW":
        return day == nearest_weekday(day.replace(day=last))
    if field.endswith("W"):
        wanted = int(field[:-1])
        return wanted <= last and day == nearest_weekday(day.replace(day=wanted))
    return day.day in expand(field, 1, 31, [])


def day_of_week_matches(field: str, day: date) -> bool:
    if field == "L":
        return weekday(day) == 7
    if field.endswith("L"):
        is_last = (day + timedelta(7)).month != day.month
        return is_last and weekday(day) == int(field[:-1])
    if "#" in field:
        name, _, week = field.partition("#")
        return weekday(day) == number(name, WEEKDAYS) and (day.day + 6) // 7 == int(week)
    return weekday(day) in expand(field, 1, 7, WEEKDAYS)


def matcher(text: str) -> Callable[[datetime], bool]:
    minute, hour, day, month, week, year = text.removeprefix("cron(").removesuffix(")").upper().split()
    minutes, hours = expand(minute, 0, 59, []), expand(hour, 0, 23, [])
    months, years = expand(month, 1, 12, MONTHS), expand(year, 1970, 2199, [])

    def matches(wall: datetime) -> bool:
        return (
            wall.minute in minutes
            and wall.hour in hours
            and wall.month in months
            and wall.year in years
            and (day == "?" or day_of_month_matches(day, wall.date()))
            and (week == "?" or day_of_week_matches(week, wall.date()))
        )

    return matches


def oracle(text: str, zone: ZoneInfo, after: datetime, until: datetime) -> Iterator[datetime]:
    matches = matcher(text)
    moment = after.astimezone(UTC).replace(second=0, microsecond=0) + ONE_MINUTE
    while moment <= until:
        wall = moment.astimezone(zone)
        if wall.fold == 0 and matches(wall):
            yield wall
        moment += ONE_MINUTE


def steps(low: int, high: int) -> st.SearchStrategy[str]:
    value = st.integers(low, high)
    spans = st.tuples(value, value).map(sorted).map(lambda pair: f"{pair[0]}-{pair[1]}")
    over_the_end = st.tuples(value, value).map(lambda pair: f"{max(pair)}-{min(pair)}")
    step = st.integers(1, high)
    return st.one_of(
        st.just("*"),
        value.map(str),
        spans,
        over_the_end,
        st.builds("{}/{}".format, st.one_of(st.just("*"), value.map(str), spans), step),
        st.lists(st.one_of(value.map(str), spans), min_size=2, max_size=4).map(",".join),
    )


MINUTE = st.one_of(steps(0, 59), st.sampled_from(["0", "30", "*/5", "0/15", "0,30", "59"]))
HOUR = st.one_of(steps(0, 23), st.sampled_from(["*", "0", "1", "2", "3", "23", "0-3", "*/2"]))
DAY = st.one_of(
    steps(1, 31), st.sampled_from(["L", "LW", "1", "31"]), st.integers(1, 31).map(lambda day: f"{day}W")
)
MONTH = st.one_of(
    st.just("*"),
    st.just("*"),
    steps(1, 12),
    st.lists(st.sampled_from(MONTHS), min_size=1, max_size=4).map(",".join),
)
WEEK = st.one_of(
    st.integers(1, 7).map(str),
    st.sampled_from(["*", "L", "MON-FRI", "SUN", "2-6", "1,7", "mon,wed,fri", "SAT-7", "FRI-MON", "6-1"]),
    st.integers(1, 7).map(lambda day: f"{day}L"),
    st.builds(
        "{}#{}".format, st.one_of(st.integers(1, 7).map(str), st.sampled_from(WEEKDAYS)), st.integers(1, 5)
    ),
)
YEAR = st.one_of(
    st.just("*"), st.just("*"), st.sampled_from(["2027", "2011-2027", "1993/1", "2026/4", "*/2", "2011,2027"])
)
DAYS = st.one_of(DAY.map(lambda day: (day, "?")), WEEK.map(lambda week: ("?", week)), st.just(("*", "?")))


@st.composite
def crons(draw: st.DrawFn, *, dense: bool = False) -> str:
    day, week = draw(st.one_of(st.just(("*", "?")), st.just(("?", "*")), DAYS) if dense else DAYS)
    month, year = ("*", "*") if dense else (draw(MONTH), draw(YEAR))
    text = f"cron({draw(MINUTE)} {draw(HOUR)} {day} {month} {week} {year})"
    try:
        parse_expression(text)
    except ValueError as error:
        assume("must name a day that exists" not in str(error))
        raise
    return text


LENIENT = settings(deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])


@pytest.mark.parametrize(("zone", "change"), TRANSITIONS)
@given(text=crons(dense=True), shift=st.integers(0, 3 * 24 * 60))
@settings(LENIENT, max_examples=25)
def test_runs_about_a_change_of_the_clocks_are_those_of_the_oracle(
    zone: str, change: str, text: str, shift: int
) -> None:
    middle = datetime.fromisoformat(change).replace(tzinfo=UTC)
    after = middle - timedelta(minutes=shift)
    until = middle + timedelta(days=2)
    found = occurrences(parse_expression(text), zone, after=after)
    until_then = list(takewhile(lambda run: run.astimezone(UTC) <= until, found))
    event("with runs" if until_then else "without")
    assert until_then == list(oracle(text, time_zone(zone), after, until))


@pytest.mark.parametrize(("zone", "change"), TRANSITIONS)
@pytest.mark.parametrize("text", ["cron(* * * * ? *)", "cron(0/5 0-3 * * ? *)", "cron(30 0/1 ? * * *)"])
def test_dense_runs_about_a_change_of_the_clocks_are_those_of_the_oracle(
    zone: str, change: str, text: str
) -> None:
    middle = datetime.fromisoformat(change).replace(tzinfo=UTC)
    after, until = middle - timedelta(hours=6), middle + timedelta(hours=30)
    found = occurrences(parse_expression(text), zone, after=after)
    until_then = list(takewhile(lambda run: run.astimezone(UTC) <= until, found))
    assert until_then == list(oracle(text, time_zone(zone), after, until))


@given(text=crons(), zone=st.sampled_from([zone for zone, _ in TRANSITIONS]))
@settings(LENIENT, max_examples=60)
def test_runs_strictly_increase_and_match_the_fields(text: str, zone: str) -> None:
    matches = matcher(str(parse_expression(text)))
    found = list(
        islice(occurrences(parse_expression(text), zone, after=datetime(2011, 12, 1, tzinfo=UTC)), 300)
    )
    assert all(before.astimezone(UTC) < after.astimezone(UTC) for before, after in pairwise(found))
    assert all(matches(run) and run.fold == 0 for run in found)
    assert all(str(run.tzinfo) == zone for run in found)


@given(text=crons())
@settings(LENIENT, max_examples=150)
def test_every_accepted_expression_round_trips_through_its_normal_form(text: str) -> None:
    parsed = parse_expression(text)
    assert parse_expression(str(parsed)) == parsed
    assert str(parse_expression(str(parsed))) == str(parsed)


@given(text=crons(), index=st.integers(0, 200))
@settings(LENIENT, max_examples=60)
def test_asking_from_any_run_on_continues_the_same_runs(text: str, index: int) -> None:
    begin = datetime(2027, 3, 1, tzinfo=UTC)
    zone = "America/New_York"
    found = list(islice(occurrences(parse_expression(text), zone, after=begin), 210))
    assume(index < len(found))
    later = list(islice(occurrences(parse_expression(text), zone, after=found[index]), 5))
    assert later[: len(found) - index - 1] == found[index + 1 : index + 6]


@given(
    text=crons(),
    change=st.sampled_from([pair for pair in TRANSITIONS if pair[0] not in {"UTC", "Asia/Tokyo"}]),
)
@settings(LENIENT, max_examples=60)
def test_skipped_and_repeated_wall_clocks_are_those_that_the_zone_does_not_show_once(
    text: str, change: tuple[str, str]
) -> None:
    zone, moment = time_zone(change[0]), datetime.fromisoformat(change[1]).replace(tzinfo=UTC)
    after, until = moment - timedelta(days=1), moment + timedelta(days=1)
    shown: dict[datetime, int] = {}
    for minutes in range(-3 * 24 * 60, 3 * 24 * 60):
        wall = (moment + timedelta(minutes=minutes)).astimezone(zone).replace(tzinfo=None, fold=0)
        shown[wall] = shown.get(wall, 0) + 1
    first, last = min(shown), max(shown)
    walls = [first + timedelta(minutes=minute) for minute in range((last - first) // ONE_MINUTE)]
    odd = {wall for wall in walls if shown.get(wall, 0) != 1 and matcher(text)(wall)} if shown else set()
    found = clock_changes(parse_expression(text), zone.key, after=after, until=until)
    assert {wall for change_ in found for wall in change_.walls} == odd
    assert all(change_.skipped == (shown.get(wall, 0) == 0) for change_ in found for wall in change_.walls)
