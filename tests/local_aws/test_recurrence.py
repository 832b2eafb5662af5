from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from local_aws.emulator import recurrence
from scheduled_pipeline.trigger.expression import parse_expression
from scheduled_pipeline.trigger.occurrences import occurrences

MADE = datetime(2026, 11, 21, 4, 0, 30, tzinfo=UTC)


def runs(expression: str, after: str, zone: str = "UTC", count: int = 3) -> list[str]:
    parsed, tz = recurrence.parse(expression), recurrence.time_zone(zone)
    moment: datetime | None = datetime.fromisoformat(after).replace(tzinfo=tz).astimezone(UTC)
    found: list[str] = []
    while moment is not None and len(found) < count:
        moment = parsed.next(moment, anchor=moment, zone=tz)
        if moment is not None:
            found.append(moment.astimezone(tz).isoformat(timespec="minutes"))
    return found


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("cron(0 3 * * ? *)", "2026-11-21T04:00", ["2026-11-22T03:00", "2026-11-23T03:00"]),
        ("cron(0/20 9 ? * MON-FRI *)", "2026-11-20T09:20", ["2026-11-20T09:40", "2026-11-23T09:00"]),
        ("cron(15 10 L * ? *)", "2027-02-01T00:00", ["2027-02-28T10:15", "2027-03-31T10:15"]),
        ("cron(0 8 1W * ? *)", "2027-04-30T00:00", ["2027-05-03T08:00", "2027-06-01T08:00"]),
        ("cron(0 8 15W * ? *)", "2027-05-01T00:00", ["2027-05-14T08:00", "2027-06-15T08:00"]),
        ("cron(0 8 31W * ? *)", "2027-04-01T00:00", ["2027-05-31T08:00", "2027-07-30T08:00"]),
        ("cron(0 8 LW * ? *)", "2027-01-01T00:00", ["2027-01-29T08:00", "2027-02-26T08:00"]),
        ("cron(0 10 ? * 6L 2027-2028)", "2027-01-01T00:00", ["2027-01-29T10:00", "2027-02-26T10:00"]),
        ("cron(0 10 ? * 3#2 *)", "2027-01-01T00:00", ["2027-01-12T10:00", "2027-02-09T10:00"]),
        ("cron(0 10 ? * 3#5 *)", "2027-01-01T00:00", ["2027-03-30T10:00", "2027-06-29T10:00"]),
        ("cron(0 0 29 2 ? *)", "2026-01-01T00:00", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("cron(0 10 * * ?)", "2026-11-21T04:00", ["2026-11-21T10:00", "2026-11-22T10:00"]),
        ("cron(0 0 31 apr ? *)", "2026-01-01T00:00", []),
        ("cron(0 20-2 ? * FRI *)", "2026-11-20T23:00", ["2026-11-27T00:00", "2026-11-27T01:00"]),
        ("cron(0 3 ? * SAT-SUN *)", "2026-11-20T00:00", ["2026-11-21T03:00", "2026-11-22T03:00"]),
        ("cron(0 3 30-1 NOV-DEC ? *)", "2026-11-20T00:00", ["2026-11-30T03:00", "2026-12-01T03:00"]),
        ("cron(0/60 3 * * ? *)", "2026-11-20T00:00", ["2026-11-20T03:00", "2026-11-21T03:00"]),
    ],
)
def test_cron_finds_the_next_wall_times(expression: str, after: str, expected: list[str]) -> None:
    assert runs(expression, after, count=2) == [f"{wall}+00:00" for wall in expected]


def test_a_wall_time_that_spring_skips_does_not_run_that_day() -> None:
    found = runs("cron(30 2 * * ? *)", "2027-03-13T00:00", "America/New_York")
    assert found == ["2027-03-13T02:30-05:00", "2027-03-15T02:30-04:00", "2027-03-16T02:30-04:00"]


def test_a_wall_time_that_autumn_repeats_runs_once_at_the_first() -> None:
    found = runs("cron(30 1 * * ? *)", "2026-10-31T12:00", "America/New_York", count=2)
    assert found == ["2026-11-01T01:30-04:00", "2026-11-02T01:30-05:00"]


def test_a_rate_counts_from_its_anchor() -> None:
    anchor = datetime(2026, 11, 21, 4, 0, 30, tzinfo=UTC)
    rate, zone = recurrence.parse("rate(15 minutes)"), recurrence.time_zone("UTC")
    assert rate.next(anchor - timedelta(days=1), anchor=anchor, zone=zone) == anchor
    assert rate.next(anchor, anchor=anchor, zone=zone) == anchor + timedelta(minutes=15)
    late = anchor + timedelta(minutes=31)
    assert rate.next(late, anchor=anchor, zone=zone) == anchor + timedelta(minutes=45)


def test_at_is_a_wall_time_of_the_zone_and_runs_once() -> None:
    found = runs("at(2027-01-04T09:00:00)", "2026-11-21T00:00", "America/New_York")
    assert found == ["2027-01-04T09:00-05:00"]


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "every day",
        "at(2027-01-04)",
        "at(2027-13-04T09:00:00)",
        "rate(0 hours)",
        "rate(3 weeks)",
        "rate(-1 minutes)",
        "cron(nonsense)",
        "cron(0 10 * * * *)",
        "cron(0 10 ? * ? *)",
        "cron(60 10 * * ? *)",
        "cron(0 24 * * ? *)",
        "cron(0 10 32 * ? *)",
        "cron(0 10 ? * 8 *)",
        "cron(0 10 ? * 3#6 *)",
        "cron(0 10 ? * 2/2 *)",
        "cron(0 10 * 13 ? *)",
        "cron(0/0 10 * * ? *)",
        "cron(0 10 * * ? 1969)",
        "cron(0 10)",
        "cron(*/60 10 * * ? *)",
        "cron(0/61 10 * * ? *)",
        "cron(0 20-2/3 * * ? *)",
        "cron(0 10 * * ? 2030-2027)",
    ],
)
def test_what_aws_refuses_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        recurrence.parse(expression)


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown time zone Mars/Olympus"):
        recurrence.time_zone("Mars/Olympus")


def due(schedule: dict[str, Any], after: datetime, count: int = 3) -> list[datetime]:
    found = [after]
    while following := recurrence.next_due({"Anchor": MADE.timestamp(), **schedule}, found[-1]):
        found.append(following)
        if len(found) > count:
            break
    return found[1:]


def test_a_rate_with_a_start_date_counts_from_it() -> None:
    start = MADE + timedelta(days=1)
    schedule = {"ScheduleExpression": "rate(2 hours)", "StartDate": start.timestamp()}
    assert due(schedule, MADE, count=2) == [start, start + timedelta(hours=2)]


def test_a_cron_runs_on_its_start_date_and_not_after_its_end_date() -> None:
    start, end = datetime(2026, 12, 1, 3, tzinfo=UTC), datetime(2026, 12, 2, 3, tzinfo=UTC)
    dates = {"StartDate": start.timestamp(), "EndDate": end.timestamp()}
    assert due({"ScheduleExpression": "cron(0 3 * * ? *)", **dates}, MADE) == [start, end]


def test_a_one_time_schedule_ignores_start_and_end() -> None:
    past = (MADE - timedelta(days=1)).timestamp()
    schedule = {"ScheduleExpression": "at(2027-01-04T09:00:00)", "StartDate": past, "EndDate": past}
    assert due(schedule, MADE) == [datetime(2027, 1, 4, 9, tzinfo=UTC)]


@pytest.mark.parametrize(("zone", "hour"), [("UTC", 3), ("Asia/Tokyo", 18), ("America/New_York", 8)])
def test_a_cron_is_read_in_its_time_zone(zone: str, hour: int) -> None:
    schedule = {"ScheduleExpression": "cron(0 3 * * ? *)", "ScheduleExpressionTimezone": zone}
    assert [moment.hour for moment in due(schedule, MADE, count=2)] == [hour, hour]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
@pytest.mark.parametrize(
    "expression",
    [
        "cron(0/15 1-3 * * ? *)",
        "cron(30 2 ? * SUN *)",
        "cron(0 8 LW * ? *)",
        "cron(0 8 15W * ? *)",
        "cron(0 10 ? * 6L *)",
        "cron(0 10 ? * 3#2 *)",
        "cron(0 0 29 2 ? *)",
        "cron(0/30 20-2 ? * FRI-MON *)",
        "cron(50-10 3 28-3 NOV-FEB ? *)",
        "cron(0/60 3 * * ? *)",
        "rate(1 hours)",
        "at(2027-11-07T01:30:00)",
    ],
)
def test_both_cron_engines_find_the_same_times(expression: str, zone: str) -> None:
    """Neither knows the other: a time that one of them reads wrongly, the other would have to misread too."""
    parsed, tz, theirs = recurrence.parse(expression), recurrence.time_zone(zone), [MADE]
    while len(theirs) <= 400 and (due := parsed.next(theirs[-1], anchor=MADE, zone=tz)):
        theirs.append(due)
    ours = islice(occurrences(parse_expression(expression), zone, after=MADE), 400)
    assert theirs[1:] == [due.astimezone(UTC) for due in ours]
