"""What is allowed but probably not meant is a warning that can be acknowledged, never an error."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from assembly_warnings import warnings_of
from aws_cdk import Annotations as CdkAnnotations
from aws_cdk import App, Stack

from scheduled_pipeline import EventTrigger, PipelineDefinition, PipelineSchedule, ScheduledPipeline

NOW = datetime(2027, 6, 1, 12, 0, tzinfo=UTC)
Warn = Callable[..., list[str]]


@pytest.fixture
def warn(small_definition: dict[str, Any]) -> Warn:
    """Return the warnings of a pipeline with these schedules, in an app that says what time it is."""

    def warn(
        now: str | None = NOW.isoformat(), acknowledged: str | None = None, **schedules: PipelineSchedule
    ) -> list[str]:
        app = App(context={} if now is None else {"scheduled-pipeline:now": now})
        stack = Stack(app, "Stack")
        definition = PipelineDefinition.from_json(small_definition)
        training = ScheduledPipeline(stack, "Training", definition=definition, schedules=schedules)
        if acknowledged is not None:
            CdkAnnotations.of(training).acknowledge_warning(acknowledged, "it is meant")
        return [text.split(" [ack:")[0] for text in warnings_of(stack)]

    return warn


class TestADateInThePast:
    @pytest.mark.parametrize(
        ("schedule", "warning"),
        [
            (
                PipelineSchedule.at(datetime(2027, 5, 1, 9, 0, tzinfo=UTC)),
                "schedule 'A': at 2027-05-01T09:00:00+00:00 is in the past: AWS refuses to create it",
            ),
            (
                PipelineSchedule.rate(timedelta(hours=1), start=datetime(2027, 5, 1, tzinfo=UTC)),
                "schedule 'A': start 2027-05-01T00:00:00+00:00 is in the past: AWS refuses to create it",
            ),
            (
                PipelineSchedule.cron("0 3 * * ? *", end=datetime(2027, 5, 1, tzinfo=UTC)),
                "schedule 'A': end 2027-05-01T00:00:00+00:00 is in the past: it never runs",
            ),
        ],
    )
    def test_is_named_with_its_consequence(
        self, warn: Warn, schedule: PipelineSchedule, warning: str
    ) -> None:
        assert warn(A=schedule) == [warning]

    def test_of_up_to_five_minutes_is_taken_by_aws(self, warn: Warn) -> None:
        assert warn(A=PipelineSchedule.rate(timedelta(hours=1), start=NOW - timedelta(minutes=4))) == []

    def test_is_not_looked_for_when_the_app_does_not_say_what_time_it_is(self, warn: Warn) -> None:
        assert warn(now=None, A=PipelineSchedule.at(datetime(2020, 5, 1, tzinfo=UTC))) == []

    def test_can_be_acknowledged(self, warn: Warn) -> None:
        past = PipelineSchedule.at(datetime(2027, 5, 1, tzinfo=UTC))
        assert warn(A=past, acknowledged="scheduled-pipeline:past-date") == []


class TestAnOverlap:
    def test_is_named_with_its_first_minute(self, warn: Warn) -> None:
        one = PipelineSchedule.cron("0 3 * * ? *", timezone="Asia/Tokyo")
        other = PipelineSchedule.cron("0 18 1 * ? *")
        assert warn(A=one, B=other) == [
            "schedules 'B' and 'A' both start the pipeline at 2027-06-01T18:00:00+00:00"
        ]

    def test_is_found_without_a_clock(self, warn: Warn) -> None:
        same = PipelineSchedule.cron("0 3 * * ? *")
        assert warn(now=None, A=same, B=same) == [
            "schedules 'B' and 'A' both start the pipeline at 2026-01-01T03:00:00+00:00"
        ]

    def test_is_none_when_they_never_meet(self, warn: Warn) -> None:
        assert warn(A=PipelineSchedule.cron("0 3 * * ? *"), B=PipelineSchedule.cron("1 3 * * ? *")) == []

    def test_can_be_acknowledged(self, warn: Warn) -> None:
        same = PipelineSchedule.cron("0 3 * * ? *")
        assert warn(A=same, B=same, acknowledged="scheduled-pipeline:overlap") == []


class TestWeekdaysByNumber:
    @pytest.mark.parametrize(
        ("field", "read", "meant"), [("1-5", "SUN-THU", "MON-FRI"), ("6-7", "FRI,SAT", "SAT,SUN")]
    )
    def test_that_a_crontab_counts_otherwise_are_named(
        self, warn: Warn, field: str, read: str, meant: str
    ) -> None:
        (warning,) = warn(A=PipelineSchedule.cron(f"0 3 ? * {field} *"))
        assert warning == (
            f"schedule 'A': AWS counts weekdays from Sunday, so cron(0 3 ? * {field} *) runs on {read}; "
            f"write {meant} if that is meant, else {read}"
        )

    @pytest.mark.parametrize("field", ["SUN-THU", "MON-FRI", "2-6", "7", "FRI,SAT", "*", "6L", "3#2"])
    def test_that_tell_one_thing_are_fine(self, warn: Warn, field: str) -> None:
        assert warn(A=PipelineSchedule.cron(f"0 3 ? * {field} *")) == []

    def test_of_a_rule_are_named_too(self, small_definition: dict[str, Any]) -> None:
        stack = Stack(App(), "Stack")
        definition = PipelineDefinition.from_json(small_definition)
        rule = EventTrigger.cron("0 3 ? * 1-5 *")
        ScheduledPipeline(stack, "Training", definition=definition, events={"A": rule})
        (warning,) = warnings_of(stack)
        assert warning.startswith("event 'A': AWS counts weekdays from Sunday")

    def test_can_be_acknowledged(self, warn: Warn) -> None:
        numbers = PipelineSchedule.cron("0 3 ? * 1-5 *")
        assert warn(A=numbers, acknowledged="scheduled-pipeline:weekday-numbers") == []


class TestALongRun:
    def test_is_named_with_the_interval(self, warn: Warn) -> None:
        hourly = PipelineSchedule.rate(timedelta(hours=1), expected_duration=timedelta(minutes=90))
        assert warn(A=hourly) == [
            "schedule 'A': a run is expected to take 1:30:00, but the next can start 1:00:00 later"
        ]

    def test_that_fits_is_fine(self, warn: Warn) -> None:
        assert (
            warn(A=PipelineSchedule.rate(timedelta(hours=1), expected_duration=timedelta(minutes=59))) == []
        )


@pytest.mark.parametrize("now", ["yesterday", "2027-06-01T12:00:00", 5])
def test_a_time_without_an_offset_is_refused(warn: Warn, now: Any) -> None:
    with pytest.raises(
        ValueError, match="context 'scheduled-pipeline:now' must be a date and time with an offset"
    ):
        warn(now=now, A=PipelineSchedule.cron("0 3 * * ? *"))
