from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduled_pipeline.trigger.occurrences import occurrences
from scheduled_pipeline.trigger.overlap import first_overlap, overlong_run, shortest_interval
from scheduled_pipeline.trigger.schedule import PipelineSchedule

NOW = datetime(2026, 11, 21, 12, 0, 30, tzinfo=UTC)
NEW_YORK = "America/New_York"


def cron(fields: str, timezone: str = "UTC", **options: Any) -> PipelineSchedule:
    return PipelineSchedule.cron(fields, timezone=timezone, **options)


def rate(minutes: int, **options: Any) -> PipelineSchedule:
    return PipelineSchedule.rate((minutes, "minutes"), **options)


class TestFirstOverlap:
    @pytest.mark.parametrize(
        ("one", "other", "first"),
        [
            (cron("0 3 * * ? *"), cron("0 * * * ? *"), "2026-11-22T03:00:00+00:00"),
            (cron("0 3 * * ? *", "Asia/Tokyo"), cron("0 18 * * ? *"), "2026-11-22T03:00:00+09:00"),
            (cron("0 3 1 * ? *"), cron("0 3 ? * MON *"), "2027-02-01T03:00:00+00:00"),
            (cron("0 3 1 * ? *"), cron("0 3 ? * TUE *"), "2026-12-01T03:00:00+00:00"),
            (cron("0 3 * * ? *"), cron("30 3 * * ? *"), None),
            (cron("0/2 * * * ? *"), cron("1/2 * * * ? *", "Asia/Kathmandu"), "2026-11-21T12:02:00+00:00"),
            (cron("0/2 * * * ? *"), cron("1/2 * * * ? *", "Asia/Tokyo"), None),
            (cron("0 12 29 2 ? *"), cron("0 * * * ? *"), None),  # not within a year
            (
                cron("0 12 * * ? *"),
                PipelineSchedule.at(datetime(2027, 1, 4, 12, tzinfo=UTC)),
                "2027-01-04T12:00:00+00:00",
            ),
            (
                cron("0 12 * * ? *"),
                PipelineSchedule.at(datetime(2027, 1, 4, 12, 0, 59, tzinfo=UTC)),
                "2027-01-04T12:00:00+00:00",
            ),
            (cron("0 12 * * ? *"), PipelineSchedule.at(datetime(2027, 1, 4, 12, 1, tzinfo=UTC)), None),
            (rate(7, start=NOW), cron("0 0 * * ? *"), "2026-11-25T00:00:00+00:00"),
            (rate(1), cron("0 0 * * ? *"), "2026-11-22T00:00:00+00:00"),
            (rate(60), cron("0 * * * ? *"), None),  # counts from a creation that is not known
            (rate(60, start=NOW), rate(60, start=NOW + timedelta(minutes=30)), None),
            (rate(60, start=NOW), rate(90, start=NOW + timedelta(minutes=30)), "2026-11-21T14:00:00+00:00"),
            (cron("0 3 * * ? *"), cron("0 3 * * ? *", enabled=False), None),
            (cron("0 3 * * ? *"), cron("0 3 * * ? *", end=NOW), None),
            (
                cron("0 3 * * ? *"),
                cron("0 3 * * ? *", start=NOW + timedelta(days=300)),
                "2027-09-18T03:00:00+00:00",
            ),
        ],
    )
    def test_the_first_minute_of_both(
        self, one: PipelineSchedule, other: PipelineSchedule, first: str | None
    ) -> None:
        found = first_overlap(one, other, after=NOW)
        assert (found and found.isoformat()) == first
        back = first_overlap(other, one, after=NOW)
        assert back == found

    def test_it_is_found_on_the_one_day_on_which_clocks_differ(self) -> None:
        # An hour apart for most of the year; both at 01:00 UTC only between their two changes.
        one, other = cron("0 21 * * ? *", NEW_YORK), cron("0 2 * * ? *", "Europe/Berlin")
        found = first_overlap(one, other, after=datetime(2027, 1, 1, tzinfo=UTC))
        assert found is not None
        assert found.astimezone(UTC).isoformat() == "2027-03-15T01:00:00+00:00"

    def test_a_run_that_is_skipped_meets_nothing(self) -> None:
        one, other = cron("30 2 14 3 ? *", NEW_YORK), cron("0/30 * 14 3 ? 2027")
        assert first_overlap(one, other, after=NOW) is None

    def test_a_naive_moment_is_refused(self) -> None:
        with pytest.raises(ValueError, match="after must be an aware datetime, got 2026-11-21T12:00:30"):
            first_overlap(rate(1), rate(1), after=NOW.replace(tzinfo=None))


class TestShortestInterval:
    @pytest.mark.parametrize(
        ("schedule", "interval"),
        [
            (cron("0 3 * * ? *"), timedelta(days=1)),
            (cron("0 3,5,23 * * ? *"), timedelta(hours=2)),
            (cron("0 0,23 * * ? *"), timedelta(hours=1)),
            (cron("* * * * ? *"), timedelta(minutes=1)),
            (cron("*/5 * * * ? *", NEW_YORK), timedelta(minutes=5)),
            (cron("0 3 * * ? *", NEW_YORK), timedelta(hours=23)),
            (cron("0 1,3 * * ? *", NEW_YORK), timedelta(hours=1)),
            (cron("0 1 1 * ? *"), timedelta(days=28)),
            (cron("0 0 ? * MON,THU *"), timedelta(days=3)),
            (cron("0 0 29 2 ? *"), None),
            (cron("0 0 1 1 ? 2027"), None),
            (rate(7), timedelta(minutes=7)),
            (rate(3 * 1440), timedelta(days=3)),
            (rate(500 * 1440), None),
            (rate(60, start=NOW, end=NOW + timedelta(minutes=100)), None),
            (PipelineSchedule.at(datetime(2027, 1, 4, tzinfo=UTC)), None),
            (cron("0 3 * * ? *", enabled=False), timedelta(days=1)),
        ],
    )
    def test_the_shortest_time_between_two_runs(
        self, schedule: PipelineSchedule, interval: timedelta | None
    ) -> None:
        assert shortest_interval(schedule, after=NOW) == interval


class TestOverlongRun:
    def test_a_run_longer_than_its_interval_is_reported_with_the_interval(self) -> None:
        assert overlong_run(rate(60, expected_duration=timedelta(minutes=61)), after=NOW) == timedelta(
            hours=1
        )

    def test_a_run_that_fits_is_not(self) -> None:
        assert overlong_run(rate(60, expected_duration=timedelta(hours=1)), after=NOW) is None

    def test_nor_is_one_of_unknown_length(self) -> None:
        assert overlong_run(rate(60), after=NOW) is None

    def test_nor_is_a_single_run(self) -> None:
        once = PipelineSchedule.at(datetime(2027, 1, 4, tzinfo=UTC), expected_duration=timedelta(days=9))
        assert overlong_run(once, after=NOW) is None

    def test_a_late_beginning_within_the_window_counts(self) -> None:
        options = {"expected_duration": timedelta(minutes=50), "flexible_time_window": timedelta(minutes=15)}
        assert overlong_run(rate(60, **options), after=NOW) == timedelta(hours=1)

    def test_a_day_of_23_hours_counts(self) -> None:
        nightly = cron("0 3 * * ? *", NEW_YORK, expected_duration=timedelta(hours=23, minutes=30))
        assert overlong_run(nightly, after=NOW) == timedelta(hours=23)
        assert overlong_run(nightly, after=NOW, horizon=timedelta(days=60)) is None


ZONES = st.sampled_from(["UTC", NEW_YORK, "Asia/Kathmandu", "Australia/Lord_Howe", "America/Santiago"])
SCHEDULES = st.one_of(
    st.builds(
        lambda minute, hour, day, zone: cron(f"{minute} {hour} {day} *", zone),
        st.sampled_from(["0", "30", "*/7", "5,20", "0/15"]),
        st.sampled_from(["*", "0-3", "1", "2", "*/5", "23"]),
        st.sampled_from(["* * ?", "? * MON-FRI", "1-7,31 * ?", "? * SUN", "L * ?"]),
        ZONES,
    ),
    st.builds(
        lambda minutes, seconds: rate(
            minutes, start=datetime(2027, 3, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        ),
        st.integers(1, 5000),
        st.integers(0, 90_000),
    ),
)


def listed(schedule: PipelineSchedule, after: datetime, horizon: timedelta) -> list[datetime]:
    found = occurrences(schedule.parsed, schedule.timezone, after=after, start=schedule.start)
    runs = (run.astimezone(UTC) for run in found)
    return list(takewhile(lambda run: run <= after + horizon, runs))


@given(one=SCHEDULES, other=SCHEDULES, offset=st.integers(0, 20 * 86_400))
@settings(max_examples=40, deadline=None)
def test_both_functions_agree_with_the_runs_listed_one_by_one(
    one: PipelineSchedule, other: PipelineSchedule, offset: int
) -> None:
    after = datetime(2027, 3, 1, tzinfo=UTC) + timedelta(seconds=offset)
    horizon = timedelta(days=9, hours=5)
    runs, others = (listed(schedule, after, horizon) for schedule in (one, other))
    both = {run.replace(second=0) for run in runs} & {run.replace(second=0) for run in others}
    assert first_overlap(one, other, after=after, horizon=horizon) == min(both, default=None)
    gaps = [later - earlier for earlier, later in pairwise(runs)]
    assert shortest_interval(one, after=after, horizon=horizon) == min(gaps, default=None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (cron("0/2 * * * ? *", NEW_YORK), cron("1/2 * * * ? *")),
        (cron("* */2 * * ? *"), cron("* 1/2 * * ? *")),
        (rate(2, start=NOW), rate(2, start=NOW + timedelta(minutes=1))),
    ],
)
def test_a_year_in_which_nothing_meets_takes_a_tenth_of_a_second_or_less(
    one: PipelineSchedule, other: PipelineSchedule
) -> None:
    times = []
    for _ in range(3):
        begin = perf_counter()
        assert first_overlap(one, other, after=NOW) is None
        times.append(perf_counter() - begin)
    assert min(times) <= 0.1
