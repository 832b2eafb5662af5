import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest

from scheduled_pipeline.trigger.expression import parse_expression
from scheduled_pipeline.trigger.occurrences import clock_changes, occurrences

NOW = datetime(2026, 11, 21, tzinfo=UTC)
NEW_YORK = "America/New_York"


def runs(text: str, zone: str = "UTC", **bounds: datetime) -> Iterator[datetime]:
    return occurrences(parse_expression(text), zone, **{"after": NOW, **bounds})


def first(count: int, text: str, zone: str = "UTC", **bounds: datetime) -> list[str]:
    return [f"{run:%Y-%m-%d %H:%M}" for run in islice(runs(text, zone, **bounds), count)]


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cron(0 3 * * ? *)", ["2026-11-21 03:00", "2026-11-22 03:00"]),
        ("cron(0/15 * * * ? *)", ["2026-11-21 00:15", "2026-11-21 00:30"]),
        ("cron(0 18 ? * MON-FRI *)", ["2026-11-23 18:00", "2026-11-24 18:00"]),
        ("cron(0 8 1 * ? *)", ["2026-12-01 08:00", "2027-01-01 08:00"]),
        ("cron(0 0 ? * L *)", ["2026-11-28 00:00", "2026-12-05 00:00"]),
        ("cron(0 0 L * ? *)", ["2026-11-30 00:00", "2026-12-31 00:00"]),
        ("cron(0 0 L 2 ? *)", ["2027-02-28 00:00", "2028-02-29 00:00"]),
        ("cron(0 0 LW * ? *)", ["2026-11-30 00:00", "2026-12-31 00:00"]),
        ("cron(0 0 LW 1,2 ? 2027)", ["2027-01-29 00:00", "2027-02-26 00:00"]),
        ("cron(15 10 ? * 6L *)", ["2026-11-27 10:15", "2026-12-25 10:15"]),
        ("cron(0 0 ? * 3#2 *)", ["2026-12-08 00:00", "2027-01-12 00:00"]),
        ("cron(0 0 ? * 2#5 *)", ["2026-11-30 00:00", "2027-03-29 00:00"]),
        ("cron(0 0 31 * ? *)", ["2026-12-31 00:00", "2027-01-31 00:00"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("cron(0 0 1 1 ? 2027/100)", ["2027-01-01 00:00", "2127-01-01 00:00"]),
        ("cron(0 0 1 1 ? 2030)", ["2030-01-01 00:00"]),
        ("cron(0 0 1 1 ? 2020)", []),
        ("rate(5 minutes)", ["2026-11-21 00:05", "2026-11-21 00:10"]),
        ("rate(1 day)", ["2026-11-22 00:00", "2026-11-23 00:00"]),
        ("at(2027-01-04T09:00:00)", ["2027-01-04 09:00"]),
        ("at(2026-11-21T00:00:00)", []),
    ],
)
def test_the_next_runs(text: str, expected: list[str]) -> None:
    assert first(2, text) == expected


@pytest.mark.parametrize(
    ("month", "day", "nearest"),
    [
        ("2027-05", 1, "2027-05-03"),  # a Saturday that begins the month: the Monday after
        ("2027-08", 1, "2027-08-02"),  # a Sunday
        ("2027-07", 3, "2027-07-02"),  # a Saturday
        ("2027-07", 6, "2027-07-06"),  # a Tuesday
        ("2027-07", 31, "2027-07-30"),  # a Saturday that ends the month
        ("2027-10", 31, "2027-10-29"),  # a Sunday that ends the month: the Friday before
    ],
)
def test_the_nearest_weekday_stays_within_its_month(month: str, day: int, nearest: str) -> None:
    year, number = month.split("-")
    assert first(2, f"cron(0 0 {day}W {number} ? {year})") == [f"{nearest} 00:00"]


def test_a_month_without_the_day_has_no_nearest_weekday() -> None:
    assert first(1, "cron(0 0 31W 4-5 ? 2027)") == ["2027-05-31 00:00"]


def test_runs_are_aware_and_in_the_zone_of_the_schedule() -> None:
    run = next(runs("cron(0 3 * * ? *)", "Asia/Tokyo"))
    assert run == at("2026-11-22 03:00", "Asia/Tokyo")
    assert str(run.tzinfo) == "Asia/Tokyo"


def test_a_run_at_the_moment_itself_is_not_repeated() -> None:
    assert first(1, "cron(0 0 * * ? *)") == ["2026-11-22 00:00"]


def test_seconds_past_the_minute_do_not_hide_the_next_run() -> None:
    assert first(1, "cron(* * * * ? *)", after=NOW + timedelta(seconds=30)) == ["2026-11-21 00:01"]


def test_a_naive_bound_is_the_wall_clock_of_the_zone() -> None:
    naive = at("2026-11-21 02:59").replace(tzinfo=None)
    assert first(1, "cron(0 3 * * ? *)", "Asia/Tokyo", after=naive) == ["2026-11-21 03:00"]


class TestDaylightSavingTime:
    def test_a_wall_clock_that_does_not_exist_is_skipped_that_day(self) -> None:
        after = at("2027-03-12 12:00", NEW_YORK)
        assert first(3, "cron(30 2 * * ? *)", NEW_YORK, after=after) == [
            "2027-03-13 02:30",
            "2027-03-15 02:30",
            "2027-03-16 02:30",
        ]

    def test_a_wall_clock_that_occurs_twice_runs_once_at_the_first(self) -> None:
        after = at("2027-11-06 12:00", NEW_YORK)
        days = list(islice(runs("cron(30 1 * * ? *)", NEW_YORK, after=after), 2))
        assert [run.isoformat() for run in days] == ["2027-11-07T01:30:00-04:00", "2027-11-08T01:30:00-05:00"]

    def test_from_within_the_second_hour_the_next_run_is_the_day_after(self) -> None:
        after = at("2027-11-07 01:10", NEW_YORK).replace(fold=1)
        assert first(1, "cron(30 1 * * ? *)", NEW_YORK, after=after) == ["2027-11-08 01:30"]

    def test_the_second_hour_is_silent_for_a_schedule_of_minutes(self) -> None:
        after = at("2027-11-07 01:50", NEW_YORK)
        found = list(islice(runs("cron(0/5 * * * ? *)", NEW_YORK, after=after), 2))
        assert [run.isoformat() for run in found] == [
            "2027-11-07T01:55:00-04:00",
            "2027-11-07T02:00:00-05:00",
        ]

    def test_utc_is_never_adjusted(self) -> None:
        found = islice(runs("cron(30 2 * * ? *)", after=at("2027-03-01")), 60)
        assert {after - before for before, after in pairwise(found)} == {timedelta(days=1)}

    def test_a_day_of_a_rate_is_24_hours_on_the_clock(self) -> None:
        start = at("2027-03-13 09:00", NEW_YORK)
        assert first(2, "rate(1 day)", NEW_YORK, start=start, after=start) == [
            "2027-03-14 10:00",
            "2027-03-15 10:00",
        ]

    def test_a_day_that_a_zone_leaves_out_has_no_run(self) -> None:
        after = at("2011-12-28 12:00", "Pacific/Apia")
        assert first(2, "cron(0 3 * * ? *)", "Pacific/Apia", after=after) == [
            "2011-12-29 03:00",
            "2011-12-31 03:00",
        ]

    def test_a_one_time_schedule_in_the_gap_never_runs(self) -> None:
        assert first(1, "at(2027-03-14T02:30:00)", NEW_YORK) == []


class TestStartAndEnd:
    def test_a_cron_begins_on_or_after_the_start(self) -> None:
        start = at("2027-01-04 03:00")
        assert first(1, "cron(0 3 * * ? *)", start=start) == ["2027-01-04 03:00"]
        assert first(1, "cron(0 3 * * ? *)", start=start + timedelta(seconds=1)) == ["2027-01-05 03:00"]

    def test_a_cron_stops_on_or_before_the_end(self) -> None:
        end = at("2026-11-22 03:00")
        assert first(9, "cron(0 3 * * ? *)", end=end) == ["2026-11-21 03:00", "2026-11-22 03:00"]
        assert first(9, "cron(0 3 * * ? *)", end=end - timedelta(seconds=1)) == ["2026-11-21 03:00"]

    def test_the_first_run_of_a_rate_is_its_start(self) -> None:
        start = at("2027-01-04 09:07")
        assert first(2, "rate(2 hours)", start=start) == ["2027-01-04 09:07", "2027-01-04 11:07"]

    def test_a_rate_keeps_counting_from_its_start(self) -> None:
        start = at("2026-01-01 00:07")
        assert first(2, "rate(6 hours)", start=start) == ["2026-11-21 00:07", "2026-11-21 06:07"]

    def test_a_rate_stops_at_its_end(self) -> None:
        assert first(9, "rate(6 hours)", start=NOW, end=at("2026-11-21 12:00")) == [
            "2026-11-21 06:00",
            "2026-11-21 12:00",
        ]

    def test_a_one_time_schedule_ignores_both(self) -> None:
        bound = at("2030-01-01")
        assert first(1, "at(2027-01-04T09:00:00)", start=bound, end=bound) == ["2027-01-04 09:00"]

    def test_a_rate_too_slow_for_the_calendar_ends(self) -> None:
        assert first(2, "rate(3000000 days)") == []


@pytest.mark.parametrize(
    "text",
    [
        "cron(0 3 * * ? *)",
        "cron(* * * * ? *)",
        "cron(0 0 L * ? *)",
        "cron(0 9 ? * 6L *)",
        "cron(0 0 31W * ? *)",
        "cron(0 0 1 1 ? *)",
        "rate(1 minute)",
    ],
)
def test_a_thousand_runs_take_50_ms_or_less(text: str) -> None:
    assert fastest(lambda: list(islice(runs(text, NEW_YORK), 1000))) <= 0.050


@pytest.mark.parametrize(
    "text",
    ["cron(0 0 29 2 ? 2196)", "cron(0 0 ? 2 2#5 2196)", "cron(0 0 ? 2 2#5 *)", "cron(0 0 29 2 ? 2000)"],
)
def test_a_sparse_expression_takes_10_ms_or_less(text: str) -> None:
    assert fastest(lambda: list(runs(text, NEW_YORK))) <= 0.010


def test_the_leap_day_on_a_monday_in_2196_is_found() -> None:
    assert first(9, "cron(0 0 ? 2 2#5 2180-2199)") == ["2196-02-29 00:00"]


def fastest(call: object) -> float:
    assert callable(call)
    times = []
    for _ in range(5):
        begin = perf_counter()
        call()
        times.append(perf_counter() - begin)
    return min(times)


@pytest.mark.parametrize(
    ("text", "zone", "lines"),
    [
        (
            "cron(30 2 * * ? *)",
            NEW_YORK,
            ["2027-03-14 02:30 America/New_York does not exist: skipped"],
        ),
        (
            "cron(30 1 * * ? *)",
            NEW_YORK,
            ["2027-11-07 01:30 America/New_York occurs twice: runs once, at the first"],
        ),
        (
            "cron(0/5 1-2 * * ? *)",
            NEW_YORK,
            [
                "2027-03-14 02:00 to 02:55 America/New_York does not exist: 12 runs skipped",
                "2027-11-07 01:00 to 01:55 America/New_York occurs twice: each of 12 runs happens once,",
            ],
        ),
        (
            "cron(15 2 * * ? *)",
            "Australia/Lord_Howe",
            ["2027-10-03 02:15 Australia/Lord_Howe does not exist: skipped"],
        ),
        ("cron(30 2 ? * MON-SAT *)", NEW_YORK, []),
        ("cron(30 12 * * ? *)", NEW_YORK, []),
        ("cron(30 2 * * ? *)", "Asia/Tokyo", []),
        ("cron(30 2 * * ? *)", "UTC", []),
        ("rate(1 day)", NEW_YORK, []),
        ("at(2027-11-07T01:30:00)", NEW_YORK, ["2027-11-07 01:30 America/New_York occurs twice"]),
    ],
)
def test_days_that_daylight_saving_time_touches_are_named(text: str, zone: str, lines: list[str]) -> None:
    found = clock_changes(parse_expression(text), zone, after=NOW, until=NOW + timedelta(days=365))
    assert len(found) == len(lines)
    for change, line in zip(found, lines, strict=True):
        assert re.match(re.escape(line), str(change))


def test_a_change_says_which_day_it_touches() -> None:
    (change,) = clock_changes(
        parse_expression("cron(0 0/6 * * ? *)"),
        "Pacific/Apia",
        after=at("2011-12-01", "Pacific/Apia"),
        until=at("2012-01-31", "Pacific/Apia"),
    )
    assert change.day.isoformat() == "2011-12-30"
    assert change.skipped
    assert len(change.walls) == 4


def test_runs_over_midnight_are_named_with_both_days() -> None:
    changes = clock_changes(
        parse_expression("cron(0/20 * * * ? *)"),
        "Atlantic/Azores",
        after=at("2027-01-01"),
        until=at("2027-12-01"),
    )
    assert [str(change)[:29] for change in changes] == [
        "2027-03-28 00:00 to 00:40 Atl",
        "2027-10-31 00:00 to 00:40 Atl",
    ]
