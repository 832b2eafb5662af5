import pickle
import re
from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from scheduled_pipeline.trigger.cron import Cron
from scheduled_pipeline.trigger.schedule import PipelineSchedule

HOUR = timedelta(hours=1)
TOKEN = "${Token[TOKEN.123]}"
NEW_YORK = "America/New_York"


def wall(text: str) -> datetime:
    """A naive wall clock."""
    return datetime.fromisoformat(text)


def hourly(**options: Any) -> PipelineSchedule:
    return PipelineSchedule.rate(HOUR, **options)


class TestFactories:
    def test_cron_wraps_its_fields(self) -> None:
        schedule = PipelineSchedule.cron("0 3 * * ? *", timezone="Asia/Tokyo")
        assert schedule.expression == "cron(0 3 * * ? *)"
        assert schedule.timezone == "Asia/Tokyo"

    def test_cron_is_normalised(self) -> None:
        assert PipelineSchedule.cron("00  3 ? * mon-fri").expression == "cron(0 3 ? * MON-FRI *)"

    def test_rate_takes_a_timedelta_or_a_number_and_a_unit(self) -> None:
        assert PipelineSchedule.rate(HOUR).expression == "rate(1 hour)"
        assert PipelineSchedule.rate((5, "minutes")).expression == "rate(5 minutes)"

    def test_a_naive_at_is_the_wall_clock_of_its_zone(self) -> None:
        schedule = PipelineSchedule.at(wall("2027-01-04T09:00"), timezone=NEW_YORK)
        assert schedule.expression == "at(2027-01-04T09:00:00)"
        assert schedule.timezone == NEW_YORK
        assert schedule.dates() == (("at", datetime(2027, 1, 4, 14, tzinfo=UTC)),)

    def test_a_naive_at_without_a_zone_is_utc(self) -> None:
        schedule = PipelineSchedule.at(wall("2027-01-04T09:00"))
        assert (schedule.expression, schedule.timezone) == ("at(2027-01-04T09:00:00)", "UTC")

    def test_an_aware_at_is_converted_to_the_zone(self) -> None:
        moment = datetime(2027, 1, 4, 9, tzinfo=ZoneInfo("Asia/Tokyo"))
        assert PipelineSchedule.at(moment, timezone=NEW_YORK).expression == "at(2027-01-03T19:00:00)"
        assert PipelineSchedule.at(moment).expression == "at(2027-01-04T00:00:00)"

    def test_at_keeps_seconds(self) -> None:
        assert PipelineSchedule.at(wall("2027-01-04T09:00:30")).expression == "at(2027-01-04T09:00:30)"

    def test_an_at_that_clocks_skip_is_refused(self) -> None:
        message = "at 2027-03-14 02:30:00 does not exist in America/New_York"
        with pytest.raises(ValueError, match=message):
            PipelineSchedule.at(wall("2027-03-14T02:30"), timezone=NEW_YORK)
        with pytest.raises(ValueError, match=message):
            PipelineSchedule(expression="at(2027-03-14T02:30:00)", timezone=NEW_YORK)

    def test_an_at_that_occurs_twice_is_the_first(self) -> None:
        schedule = PipelineSchedule.at(wall("2027-11-07T01:30"), timezone=NEW_YORK)
        assert schedule.dates()[0][1].astimezone(UTC) == datetime(2027, 11, 7, 5, 30, tzinfo=UTC)

    def test_an_at_in_the_second_of_two_hours_is_refused_because_aws_would_run_it_at_the_first(self) -> None:
        with pytest.raises(ValueError, match=re.escape("write it in UTC, 2027-11-07T06:30:00Z")):
            PipelineSchedule.at(datetime(2027, 11, 7, 6, 30, tzinfo=UTC), timezone=NEW_YORK)

    def test_a_fraction_of_a_second_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"at must be in whole seconds, got 2027-01-04T09:00:00\.500000"):
            PipelineSchedule.at(wall("2027-01-04T09:00:00.500"))

    def test_an_unknown_option_is_refused(self) -> None:
        with pytest.raises(TypeError, match="unexpected keyword argument 'flexible_window'"):
            PipelineSchedule.rate(HOUR, flexible_window=HOUR)  # type: ignore[call-arg]

    @pytest.mark.parametrize("moment", ["2027-01-04T09:00:00", 5, None])
    def test_at_wants_a_datetime(self, moment: Any) -> None:
        with pytest.raises(TypeError, match="at must be a datetime"):
            PipelineSchedule.at(moment)

    def test_cron_wants_a_string(self) -> None:
        with pytest.raises(TypeError, match="cron must be a string, got 5"):
            PipelineSchedule.cron(5)  # type: ignore[arg-type]

    @pytest.mark.parametrize("year", [2000, 2026, 2100])
    def test_a_date_in_the_past_is_no_error(self, year: int) -> None:
        PipelineSchedule.at(datetime(year, 1, 4, 9, tzinfo=UTC))
        PipelineSchedule.rate(HOUR, start=datetime(year, 1, 4, 9, tzinfo=UTC))


class TestMinimalAndMaximal:
    def test_with_nothing_else_given_everything_has_its_default(self) -> None:
        schedule = hourly()
        assert (schedule.state, schedule.timezone) == ("ENABLED", "UTC")
        assert schedule.pipeline_parameters == ()
        assert schedule.dates() == ()
        assert schedule.start_date is None
        assert schedule.end_date is None
        assert schedule.flexible_time_window is None
        assert schedule.description is None
        assert schedule.name is None
        assert not schedule.idempotent

    def test_with_everything_given_everything_is_kept(self) -> None:
        schedule = PipelineSchedule.cron(
            "0 3 * * ? *",
            timezone=NEW_YORK,
            start=wall("2027-01-04T09:00"),
            end=datetime(2028, 1, 4, 9, tzinfo=UTC),
            flexible_time_window=timedelta(minutes=15),
            enabled=False,
            description="The nightly run",
            parameters={"RunDate": PipelineSchedule.SCHEDULED_TIME, "Count": 3, "Rate": 0.5, "Full": True},
            maximum_retry_attempts=3,
            maximum_event_age=timedelta(hours=2),
            name="nightly.run_1",
            expected_duration=HOUR,
            idempotent=True,
            display_name=f"nightly-{PipelineSchedule.EXECUTION_ID}",
            pipeline_version_id=7,
        )
        assert schedule.state == "DISABLED"
        assert schedule.start_date == "2027-01-04T14:00:00Z"
        assert schedule.end_date == "2028-01-04T09:00:00Z"
        assert schedule.pipeline_parameters == (
            ("RunDate", "<aws.scheduler.scheduled-time>"),
            ("Count", "3"),
            ("Rate", "0.5"),
            ("Full", "True"),
        )
        assert [name for name, _ in schedule.dates()] == ["start", "end"]
        assert isinstance(schedule.parsed, Cron)

    def test_it_cannot_be_changed(self) -> None:
        given = {"A": "1"}
        schedule = hourly(parameters=given)
        given["B"] = "2"
        assert schedule.pipeline_parameters == (("A", "1"),)
        with pytest.raises(FrozenInstanceError):
            schedule.enabled = False  # type: ignore[misc]

    def test_it_can_be_copied_with_a_change_compared_and_hashed(self) -> None:
        assert replace(hourly(), enabled=False) == hourly(enabled=False)
        assert len({hourly(), hourly(), hourly(enabled=False)}) == 2

    def test_it_can_be_pickled(self) -> None:
        schedule = hourly(parameters={"A": "1"}, start=wall("2027-01-04"))
        assert pickle.loads(pickle.dumps(schedule)) == schedule


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"timezone": "Asia/Tokio"}, "timezone must be an IANA name such as Asia/Tokyo or UTC, got 'Asia/Tokio'"),
    ({"timezone": "asia/tokyo"}, "did you mean Asia/Tokyo?"),
    ({"timezone": ""}, "timezone must be an IANA name"),
    ({"timezone": "GMT+2"}, "timezone must be an IANA name"),
    ({"timezone": "Factory"}, "timezone must be an IANA name"),
    (
        {"start": wall("2027-03-14T02:30"), "timezone": NEW_YORK},
        "start 2027-03-14 02:30:00 does not exist in",
    ),
    ({"start": wall("2027-01-01T00:00:00.000001")}, "start must be in whole seconds"),
    (
        {"start": wall("2027-01-02"), "end": wall("2027-01-01")},
        "end must be after start 2027-01-02T00:00:00+00:00, got 2027-01-01",
    ),
    ({"start": wall("2027-01-02"), "end": wall("2027-01-02")}, "end must be after start"),
    ({"flexible_time_window": timedelta(0)}, "flexible_time_window must be 1 to 1440 whole minutes, got 0"),
    ({"flexible_time_window": timedelta(minutes=1441)}, "must be 1 to 1440 whole minutes, got 1441"),
    ({"flexible_time_window": timedelta(seconds=90)}, "must be 1 to 1440 whole minutes, got 1.5"),
    ({"description": "x" * 513}, "description must be at most 512 characters, got 513"),
    ({"maximum_retry_attempts": -1}, "maximum_retry_attempts must be 0 to 185, got -1"),
    ({"maximum_retry_attempts": 186}, "maximum_retry_attempts must be 0 to 185, got 186"),
    (
        {"maximum_event_age": timedelta(seconds=59)},
        "maximum_event_age must be 60 to 86400 whole seconds, got 59",
    ),
    (
        {"maximum_event_age": timedelta(days=2)},
        "maximum_event_age must be 60 to 86400 whole seconds, got 172800",
    ),
    ({"maximum_event_age": timedelta(seconds=60.5)}, "must be 60 to 86400 whole seconds, got 60.5"),
    ({"name": ""}, "name must be 1 to 64 characters of 0-9 a-z A-Z - _ . only, got ''"),
    ({"name": "a b"}, "name must be 1 to 64 characters"),
    ({"name": "a\n"}, "name must be 1 to 64 characters"),
    ({"name": "a" * 65}, "name must be 1 to 64 characters"),
    ({"expected_duration": timedelta(0)}, "expected_duration must be longer than 0, got 0:00:00"),
    (
        {"display_name": "nightly"},
        "display_name is part of the request only with idempotent=True, got 'nightly'",
    ),
    ({"pipeline_version_id": 1}, "pipeline_version_id is part of the request only with idempotent=True"),
    ({"pipeline_version_id": 0, "idempotent": True}, "pipeline_version_id must be 1 or more, got 0"),
    ({"display_name": "", "idempotent": True}, "display_name must be 1 to 82 of"),
    ({"display_name": "-a", "idempotent": True}, "display_name must be 1 to 82 of"),
    ({"display_name": "a_b", "idempotent": True}, "display_name must be 1 to 82 of"),
    ({"display_name": "a" * 83, "idempotent": True}, "display_name must be 1 to 82 of"),
    (
        {"display_name": PipelineSchedule.SCHEDULED_TIME, "idempotent": True},
        "display_name must be 1 to 82 of",
    ),
    ({"parameters": {"a b": "1"}}, "parameters name must be 1 to 256 characters of A-Z a-z 0-9 - _ only"),
    ({"parameters": {"": "1"}}, "parameters name must be 1 to 256 characters"),
    ({"parameters": {"a" * 257: "1"}}, "parameters name must be 1 to 256 characters"),
    ({"parameters": {"A": ""}}, "parameters['A'] must be 1 to 1024 characters, got 0"),
    ({"parameters": {"A": "x" * 1025}}, "parameters['A'] must be 1 to 1024 characters, got 1025"),
    ({"parameters": {"A": float("nan")}}, "parameters['A'] must be a finite number, got nan"),
    ({"parameters": {"A": -1.8881545897087626e289}}, "pass cdk.Token.as_string(value)"),
    ({"parameters": {f"P{n}": "1" for n in range(201)}}, "parameters must have at most 200 entries, got 201"),
    ({"parameters": {"A": "$.detail.x"}}, "parameters['A'] must not be a path, a schedule has no event"),
    ({"parameters": {"A": "<aws.scheduler.schedule-time>"}}, "got <aws.scheduler.schedule-time>"),
]

WRONG_TYPES: list[tuple[dict[str, Any], str]] = [
    ({"timezone": 9}, "timezone must be the name of an IANA time zone, got 9"),
    ({"start": "2027-01-01"}, "start must be a datetime"),
    ({"flexible_time_window": 15}, "flexible_time_window must be a timedelta, got 15"),
    ({"enabled": 1}, "enabled must be True or False, got 1"),
    ({"description": 1}, "description must be a string"),
    ({"maximum_retry_attempts": True}, "maximum_retry_attempts must be a whole number, got True"),
    ({"maximum_retry_attempts": 1.0}, "maximum_retry_attempts must be a whole number"),
    ({"maximum_event_age": 60}, "maximum_event_age must be a timedelta"),
    ({"name": 1}, "name must be a string"),
    ({"expected_duration": 1}, "expected_duration must be a timedelta"),
    ({"idempotent": "yes"}, "idempotent must be True or False"),
    ({"display_name": 1, "idempotent": True}, "display_name must be a string"),
    ({"pipeline_version_id": "1", "idempotent": True}, "pipeline_version_id must be a whole number"),
    ({"parameters": ["A"]}, "parameters must be a mapping"),
    ({"parameters": {1: "A"}}, "parameters name must be a string, got 1"),
    ({"parameters": {"A": None}}, "parameters['A'] must be a string, a number or a boolean, got None"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_what_aws_refuses_is_refused_on_construction(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        hourly(**options)
    assert not str(error.value).endswith(".")


@pytest.mark.parametrize(("options", "message"), WRONG_TYPES)
def test_a_value_of_another_type_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=re.escape(message)):
        hourly(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"flexible_time_window": timedelta(minutes=1)},
        {"flexible_time_window": timedelta(days=1)},
        {"maximum_retry_attempts": 0},
        {"maximum_retry_attempts": 185},
        {"maximum_event_age": timedelta(seconds=60)},
        {"maximum_event_age": timedelta(days=1)},
        {"description": "x" * 512},
        {"name": "A-b_c.9"},
        {"name": "a" * 64},
        {"display_name": "a" * 82, "idempotent": True},
        {"display_name": "a" * 66 + PipelineSchedule.EXECUTION_ID, "idempotent": True},
        {"parameters": {"a" * 256: "x" * 1024}},
        {"parameters": {f"P{n}": "1" for n in range(200)}},
        {"timezone": "Etc/GMT+2"},
        {"timezone": "America/Argentina/ComodRivadavia"},
    ],
)
def test_the_limits_themselves_are_accepted(options: dict[str, Any]) -> None:
    hourly(**options)


@pytest.mark.parametrize(
    "options",
    [
        {"name": f"prefix/{TOKEN}"},
        {"description": TOKEN * 40},
        {"parameters": {TOKEN: "1", "Bucket": f"s3://{TOKEN}/{'x' * 1024}"}},
        {"display_name": f"run_{TOKEN}", "idempotent": True},
    ],
)
def test_a_value_with_a_token_is_not_checked_before_it_is_known(options: dict[str, Any]) -> None:
    hourly(**options)


@pytest.mark.parametrize("field", ["start", "end"])
def test_a_one_time_schedule_has_no_start_and_no_end(field: str) -> None:
    with pytest.raises(ValueError, match=f"{field} has no effect on a one-time schedule"):
        PipelineSchedule.at(wall("2027-01-04"), **{field: wall("2027-01-01")})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "options", "why"),
    [
        ("30 2 14 3 ? 2027", {"timezone": NEW_YORK}, "its wall clock does not exist in America/New_York"),
        (
            "0 0 15 * ? *",
            {"start": wall("2027-01-01"), "end": wall("2027-01-02")},
            "there is no run from 2027-01-01T00:00:00Z to 2027-01-02T00:00:00Z",
        ),
        ("0 0 1 1 ? 2026", {"start": wall("2027-01-01")}, "from 2027-01-01T00:00:00Z to its end"),
        ("0 0 1 1 ? 2026", {"end": wall("2025-01-01")}, "from its creation to 2025-01-01T00:00:00Z"),
    ],
)
def test_a_schedule_that_never_runs_is_refused(fields: str, options: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match="expression must run at least once, got") as error:
        PipelineSchedule.cron(fields, **options)
    assert str(error.value).endswith(why)


def test_a_start_in_the_second_of_two_hours_may_precede_an_end_with_an_earlier_wall_clock() -> None:
    start = datetime(2027, 11, 7, 5, 45, tzinfo=UTC)
    end = datetime(2027, 11, 7, 6, 15, tzinfo=UTC)
    schedule = PipelineSchedule.rate((5, "minutes"), timezone=NEW_YORK, start=start, end=end)
    assert (schedule.start_date, schedule.end_date) == ("2027-11-07T05:45:00Z", "2027-11-07T06:15:00Z")


class TestNextRuns:
    def test_they_are_in_the_zone_of_the_schedule(self) -> None:
        schedule = PipelineSchedule.cron("0 3 * * ? *", timezone="Asia/Tokyo")
        found = schedule.next_runs(2, after=datetime(2027, 1, 1, tzinfo=UTC))
        assert [run.isoformat() for run in found] == [
            "2027-01-02T03:00:00+09:00",
            "2027-01-03T03:00:00+09:00",
        ]

    def test_they_keep_to_start_and_end(self) -> None:
        schedule = PipelineSchedule.cron("0 3 * * ? *", start=wall("2027-01-04"), end=wall("2027-01-06"))
        found = schedule.next_runs(9, after=datetime(2027, 1, 1, tzinfo=UTC))
        assert [run.day for run in found] == [4, 5]

    def test_a_negative_count_is_refused(self) -> None:
        with pytest.raises(ValueError, match="count must be 0 or more, got -1"):
            hourly().next_runs(-1, after=datetime(2027, 1, 1, tzinfo=UTC))

    def test_it_describes_itself(self) -> None:
        schedule = PipelineSchedule.cron("0 3 * * ? *", timezone="Asia/Tokyo", description="Nightly")
        assert schedule.describe() == "every day at 03:00 Asia/Tokyo"

    def test_days_with_a_change_of_the_clocks_are_named(self) -> None:
        schedule = PipelineSchedule.cron("30 2 * * ? *", timezone=NEW_YORK)
        begin = datetime(2027, 1, 1, tzinfo=UTC)
        (change,) = schedule.clock_changes(after=begin, until=begin + timedelta(days=200))
        assert str(change) == "2027-03-14 02:30 America/New_York does not exist: skipped"
