from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from scheduled_pipeline.cli.assembly.assembly import read_assembly
from scheduled_pipeline.cli.assembly.forecast import forecast
from scheduled_pipeline.cli.assembly.forecast_output import print_table
from scheduled_pipeline.cli.assembly.scheduled_starts import find_starts

Make = Callable[..., dict[str, Any]]
Show = Callable[..., str]


@pytest.fixture
def show(write_assembly: Callable[..., Path]) -> Show:
    """The table on a terminal, without the codes for colours unless asked for."""

    def run(*resources: dict[str, Any], after: str = "2027-03-12", colours: bool = False) -> str:
        folder = write_assembly({f"R{place}": resource for place, resource in enumerate(resources)})
        moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
        forecasts = [forecast(start, after=moment, count=3) for start in find_starts(read_assembly(folder))]
        target = StringIO()
        console = Console(
            file=target, width=120, force_terminal=colours, color_system="standard" if colours else None
        )
        print_table(console, forecasts)
        return "\n".join(line.rstrip() for line in target.getvalue().splitlines())

    return run


def test_a_schedule_is_a_section_with_its_runs_in_its_zone_and_in_utc(show: Show, schedule: Make) -> None:
    resource = schedule("cron(30 2 * * ? *)", ScheduleExpressionTimezone="America/New_York")
    assert show(resource).splitlines() == [
        "Stack  Nightly  ENABLED",
        "every day at 02:30 America/New_York  cron(30 2 * * ? *)  starts training",
        "America/New_York              UTC",
        *_rule_and(
            "Fri 2027-03-12 02:30 -05:00   Fri 2027-03-12 07:30",
            "Sat 2027-03-13 02:30 -05:00   Sat 2027-03-13 07:30",
            "Mon 2027-03-15 02:30 -04:00   Mon 2027-03-15 06:30   "
            "2027-03-14 02:30 America/New_York does not exist: skipped",
            text=show(resource),
        ),
    ]


def test_a_schedule_in_utc_has_one_column(show: Show, schedule: Make) -> None:
    text = show(schedule())
    assert "Fri 2027-03-12 03:00\n" in text
    assert text.count("Fri 2027-03-12") == 1


def test_a_disabled_schedule_is_marked_and_has_no_runs(show: Show, schedule: Make) -> None:
    assert show(schedule(State="DISABLED")).splitlines() == [
        "Stack  Nightly  DISABLED",
        "every day at 03:00 UTC  cron(0 3 * * ? *)  starts training",
        "disabled: it does not run",
    ]


def test_approximate_runs_are_marked(show: Show, schedule: Make) -> None:
    text = show(schedule("rate(1 hour)"))
    assert "approximate: counted from its deployment" in text
    assert "~ Fri 2027-03-12 01:00" in text


def test_seconds_are_shown_where_there_are_any(show: Show, schedule: Make) -> None:
    assert "Fri 2027-03-12 09:00:30" in show(schedule("at(2027-03-12T09:00:30)"))


def test_start_and_end_are_shown(show: Show, schedule: Make) -> None:
    text = show(schedule(StartDate="2027-01-01T00:00:00Z", EndDate="2028-01-01T00:00:00Z"))
    assert "from 2027-01-01T00:00:00Z until 2028-01-01T00:00:00Z" in text


def test_what_aws_would_refuse_is_shown(show: Show, schedule: Make) -> None:
    assert "refused: cron " in show(schedule("cron(nonsense)"))


def test_sections_are_apart(show: Show, schedule: Make) -> None:
    assert "\n\nStack  Second  ENABLED\n" in show(schedule(), schedule(Name="Second"))


def test_a_name_that_looks_like_markup_is_shown_as_it_is(show: Show, schedule: Make) -> None:
    assert "[bold]a[/bold]" in show(schedule(Name="[bold]a[/bold]"))


def test_a_terminal_gets_colours(show: Show, schedule: Make) -> None:
    assert "\x1b[32mENABLED" in show(schedule(), colours=True)


def _rule_and(*lines: str, text: str) -> list[str]:
    """The line under the heading, as long as the table is wide, and the lines after it."""
    (rule,) = (line for line in text.splitlines() if line and not line.strip("─"))
    return [rule, *lines]
