from datetime import UTC, datetime
from typing import Any

import pytest

from scheduled_pipeline.cli.assembly.forecast import Forecast, forecast
from scheduled_pipeline.cli.assembly.intrinsics import Text, unknown
from scheduled_pipeline.cli.assembly.scheduled_starts import ScheduledStart
from scheduled_pipeline.trigger.expression import Dialect

NEW_YORK = Text(text="America/New_York")


def _forecast(expression: str, /, *, after: str = "2027-01-01", count: int = 3, **fields: Any) -> Forecast:
    usual: dict[str, Any] = {
        "dialect": Dialect.SCHEDULER,
        "stack": "Stack",
        "logical_id": "Start",
        "name": Text(text="Nightly"),
        "pipelines": ("training",),
        "state": Text(text="ENABLED"),
        "expression": Text(text=expression),
    }
    moment = datetime.fromisoformat(after).replace(tzinfo=UTC)
    return forecast(ScheduledStart(**{**usual, **fields}), after=moment, count=count)


def _walls(result: Forecast) -> list[str]:
    return [f"{run.moment:%m-%d %H:%M}" for run in result.runs]


def test_the_runs_are_in_the_zone_of_the_schedule() -> None:
    result = _forecast("cron(0 3 * * ? *)", timezone=Text(text="Asia/Tokyo"))
    assert [run.moment.isoformat() for run in result.runs] == [
        "2027-01-02T03:00:00+09:00",
        "2027-01-03T03:00:00+09:00",
        "2027-01-04T03:00:00+09:00",
    ]
    assert result.description == "every day at 03:00 Asia/Tokyo"
    assert (result.approximate, result.clock_changes, result.notes, result.problem) == (False, (), (), None)


def test_a_skipped_run_is_noted_at_the_run_after_it() -> None:
    result = _forecast("cron(30 2 * * ? *)", timezone=NEW_YORK, after="2027-03-12T12:00")
    assert _walls(result) == ["03-13 02:30", "03-15 02:30", "03-16 02:30"]
    note = "2027-03-14 02:30 America/New_York does not exist: skipped"
    assert [run.note for run in result.runs] == [None, note, None]
    assert [str(change) for change in result.clock_changes] == [note]


def test_a_skipped_run_after_the_last_shown_is_noted_with_the_schedule() -> None:
    result = _forecast("cron(30 2 * * ? *)", timezone=NEW_YORK, after="2027-03-12T12:00", count=1)
    assert result.notes == ("2027-03-14 02:30 America/New_York does not exist: skipped",)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_wall_clock_that_occurs_twice_is_noted_at_its_run(count: int) -> None:
    result = _forecast("cron(30 1 * * ? *)", timezone=NEW_YORK, after="2027-11-06T12:00", count=count)
    note = "2027-11-07 01:30 America/New_York occurs twice: runs once, at the first"
    assert [run.note for run in result.runs] == [note, *[None] * (count - 1)]
    assert result.notes == ()


def test_runs_that_end_before_the_clocks_change_are_noted_as_happening_once() -> None:
    result = _forecast("cron(0/5 1 * * ? *)", timezone=NEW_YORK, after="2027-11-07T05:00", count=2)
    assert _walls(result) == ["11-07 01:05", "11-07 01:10"]
    note = (
        "2027-11-07 01:00 to 01:55 America/New_York occurs twice: each of 12 runs happens once, at the first"
    )
    assert [run.note for run in result.runs] == [note, None]


def test_a_change_that_touches_no_run_shown_is_not_noted() -> None:
    result = _forecast("cron(30 1 * * ? *)", timezone=NEW_YORK, after="2027-11-05T12:00", count=1)
    assert _walls(result) == ["11-06 01:30"]
    assert result.clock_changes == ()


def test_changes_before_the_start_date_are_not_noted() -> None:
    start = Text(text="2027-04-01T00:00:00Z")
    result = _forecast("cron(30 2 * * ? *)", timezone=NEW_YORK, start=start, after="2027-03-01")
    assert _walls(result)[0] == "04-01 02:30"
    assert result.clock_changes == ()


def test_a_single_run_at_a_wall_clock_that_does_not_exist_never_happens() -> None:
    result = _forecast("at(2027-03-14T02:30:00)", timezone=NEW_YORK)
    assert result.runs == ()
    assert result.notes == ("never again", "2027-03-14 02:30 America/New_York does not exist: skipped")


@pytest.mark.parametrize(
    ("expression", "fields"),
    [
        ("at(2026-12-31T23:59:00)", {}),
        ("at(2026-11-01T01:30:00)", {"timezone": NEW_YORK}),
        ("cron(0 0 1 1 ? 2026)", {}),
        ("cron(0 0 1 1 ? 2026)", {"timezone": NEW_YORK, "end": Text(text="9999-12-31T23:59:59Z")}),
        ("cron(0 3 * * ? *)", {"end": Text(text="2026-12-31T00:00:00Z")}),
        (
            "rate(1 day)",
            {"start": Text(text="2026-01-01T00:00:00Z"), "end": Text(text="2026-02-01T00:00:00Z")},
        ),
    ],
)
def test_what_lies_in_the_past_never_runs_again(expression: str, fields: dict[str, Any]) -> None:
    result = _forecast(expression, **fields)
    assert (result.runs, result.notes, result.problem) == ((), ("never again",), None)


def test_the_last_runs_are_said_to_be_the_last() -> None:
    result = _forecast("cron(0 3 * * ? *)", end=Text(text="2027-01-02T12:00:00Z"))
    assert _walls(result) == ["01-01 03:00", "01-02 03:00"]
    assert result.notes == ("never again after these runs",)


def test_as_many_runs_as_asked_for_are_not_said_to_be_the_last() -> None:
    assert _forecast("cron(0 3 * * ? *)", end=Text(text="2027-01-03T12:00:00Z")).notes == ()


def test_the_start_and_end_of_a_single_run_are_ignored_as_the_service_ignores_them() -> None:
    result = _forecast("at(2027-06-01T09:00:00)", end=Text(text="2027-02-01T00:00:00Z"))
    assert _walls(result) == ["06-01 09:00"]


def test_a_rate_without_a_start_date_is_approximate() -> None:
    result = _forecast("rate(6 hours)")
    assert _walls(result) == ["01-01 06:00", "01-01 12:00", "01-01 18:00"]
    assert result.approximate
    (note,) = result.notes
    assert note == (
        "approximate: counted from its deployment, which is taken to be 2027-01-01T00:00:00Z; "
        "without a start date it also runs at once when it is created"
    )


def test_a_rule_on_a_rate_first_runs_an_interval_after_its_deployment() -> None:
    result = _forecast("rate(6 hours)", dialect=Dialect.RULE)
    assert _walls(result)[0] == "01-01 06:00"
    assert result.notes == (
        "approximate: counted from its deployment, which is taken to be 2027-01-01T00:00:00Z",
    )


@pytest.mark.parametrize(
    "expression",
    ["fortnightly(2)", "cron(0 20-2/3 * * ? *)", "cron(", "rate(x)", "rate(99999999999999 days)", ""],
)
def test_an_expression_that_is_not_understood_is_shown_as_it_is(expression: str) -> None:
    result = _forecast(expression)
    assert (result.runs, result.start.expression.text) == ((), expression)
    assert result.problem


@pytest.mark.parametrize("expression", ["rate(999999999 days)", "at(9999-12-31T23:59:59)"])
def test_dates_that_no_calendar_holds_are_no_traceback(expression: str) -> None:
    result = _forecast(expression, timezone=NEW_YORK)
    assert result.problem or not result.runs


def test_a_range_over_midnight_runs_on_both_sides_of_it() -> None:
    result = _forecast("cron(0/30 22-0 ? * FRI *)", count=6)  # 2027-01-01 is a Friday
    assert _walls(result) == [
        *("01-01 00:30", "01-01 22:00", "01-01 22:30", "01-01 23:00", "01-01 23:30", "01-08 00:00"),
    ]


def test_a_rate_with_a_start_date_is_exact() -> None:
    result = _forecast("rate(6 hours)", start=Text(text="2026-12-01T01:00:00Z"))
    assert _walls(result) == ["01-01 01:00", "01-01 07:00", "01-01 13:00"]
    assert (result.approximate, result.notes) == (False, ())


def test_a_disabled_schedule_has_no_runs() -> None:
    result = _forecast("rate(6 hours)", state=Text(text="DISABLED"))
    assert (result.runs, result.approximate) == ((), False)
    assert result.notes == ("disabled: it does not run",)
    assert result.description == "every 6 hours"


def test_what_only_the_deployment_knows_has_no_runs_and_is_no_problem() -> None:
    result = _forecast("", expression=unknown("Cron"), timezone=unknown("Zone"))
    assert (result.runs, result.problem) == ((), None)
    assert result.notes == ("only the deployment knows its expression and time zone",)


def test_a_state_that_only_the_deployment_knows_is_said() -> None:
    result = _forecast("cron(0 3 * * ? *)", state=unknown("ENABLED or DISABLED"))
    assert len(result.runs) == 3
    assert result.notes == ("only the deployment knows whether it is enabled",)


def test_window_condition_and_defaults_of_parameters_are_said() -> None:
    zone = Text(text="UTC", assumed=("Zone",))
    expression = Text(text="cron(0 3 * * ? *)", assumed=("Cron", "Zone"))
    result = _forecast("", expression=expression, timezone=zone, window=Text(text="15"), condition="IsProd")
    assert result.notes == (
        "a run may begin up to 15 minutes later",
        "made only if the condition IsProd holds",
        "with the default of the parameter Cron, Zone",
    )


@pytest.mark.parametrize(
    ("expression", "fields", "problem"),
    [
        ("cron(0 25 * * ? *)", {}, "hours"),
        ("", {}, "got ''"),
        ("cron(0 3 * * ? *)", {"timezone": Text(text="Asia/Tokio")}, r"did you mean Asia/Tokyo\?"),
        ("cron(0 3 * * ? *)", {"start": Text(text="soon")}, "StartDate must be a moment .*, got 'soon'"),
        (
            "cron(0 3 * * ? *)",
            {"end": Text(text="2027-13-01")},
            "EndDate must be a moment .*, got '2027-13-01'",
        ),
        ("cron(0 3 * * ?)", {"dialect": Dialect.RULE}, "cron"),
        ("at(2027-01-04T09:00:00)", {"dialect": Dialect.RULE}, "at is not an expression of a rule"),
        ("at(9999-12-31T23:59:59)", {"timezone": NEW_YORK}, "out of range"),
        ("cron(0 3 * * ? *)", {"start": Text(text="0001-01-01T00:00:00+14:00")}, "out of range"),
    ],
)
def test_what_aws_would_refuse_is_a_problem(expression: str, fields: dict[str, Any], problem: str) -> None:
    result = _forecast(expression, **fields)
    assert result.runs == ()
    assert result.problem is not None
    with pytest.raises(ValueError, match=problem):
        raise ValueError(result.problem)


def test_a_disabled_schedule_is_checked_all_the_same() -> None:
    result = _forecast("cron(nonsense)", state=Text(text="DISABLED"))
    assert result.problem is not None
    assert result.notes == ("disabled: it does not run",)


def test_an_end_date_in_the_last_year_of_all_is_no_problem() -> None:
    end = Text(text="9999-12-31T23:59:59Z")
    assert len(_forecast("cron(0 3 * * ? *)", timezone=Text(text="Asia/Tokyo"), end=end).runs) == 3


def test_a_date_without_an_offset_is_utc() -> None:
    start = Text(text="2027-02-01T03:00:00")
    result = _forecast("cron(0 3 * * ? *)", start=start)
    assert _walls(result)[0] == "02-01 03:00"
