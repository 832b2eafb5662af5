"""The times of a day at which a cron may fire, which rules most overlaps out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduled_pipeline.trigger.expression import parse_expression
from scheduled_pipeline.trigger.timeline import Timeline

YEAR = timedelta(days=365)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def _timeline(expression: str, zone: str) -> Timeline:
    return Timeline(
        expression=parse_expression(expression),
        zone=ZoneInfo(zone),
        first=BEGIN,
        last=BEGIN + YEAR,
        anchor=BEGIN,
    )


@pytest.mark.parametrize(
    "zone",
    [
        "UTC",
        "Asia/Tokyo",
        "Asia/Kathmandu",
        "America/New_York",
        "Australia/Lord_Howe",
        "Pacific/Kiritimati",
        "Africa/Casablanca",
    ],
)
@pytest.mark.parametrize(
    "expression", ["cron(30 2 * * ? *)", "cron(0/25 0,1,23 ? * SUN *)", "cron(59 23 L * ? *)"]
)
def test_every_run_of_a_year_is_at_a_possible_time(zone: str, expression: str) -> None:
    line = _timeline(expression, zone)
    possible = line.possible_minutes(BEGIN, YEAR)
    for number in range(366):
        minutes = line.minutes(BEGIN + timedelta(days=number))
        assert minutes & ~possible == 0


def test_a_zone_without_changes_leaves_the_very_minute() -> None:
    line = _timeline("cron(30 2 * * ? *)", "Asia/Tokyo")
    assert line.possible_minutes(BEGIN, YEAR) == 1 << (17 * 60 + 30)


def test_a_rate_may_fire_at_any_time() -> None:
    assert _timeline("rate(7 minutes)", "UTC").possible_minutes(BEGIN, YEAR) == (1 << 1440) - 1
