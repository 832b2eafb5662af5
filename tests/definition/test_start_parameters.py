"""What a trigger gives is checked against what the pipeline declares, also what only its start knows."""

import re

import pytest

from scheduled_pipeline.definition.model import PipelineParameter
from scheduled_pipeline.definition.start_parameters import check_parameters
from scheduled_pipeline.trigger.event import EventTrigger
from scheduled_pipeline.trigger.schedule import PipelineSchedule

TIME, ATTEMPT = PipelineSchedule.SCHEDULED_TIME, PipelineSchedule.ATTEMPT_NUMBER
RUN, ARN = PipelineSchedule.EXECUTION_ID, PipelineSchedule.SCHEDULE_ARN


def declared(kind: str, enum: tuple[str, ...] | None = None) -> PipelineParameter:
    return PipelineParameter(name="A", type=kind, default="a", enum=enum)


def check(trigger: PipelineSchedule | EventTrigger, parameter: PipelineParameter) -> None:
    check_parameters(dict(trigger.pipeline_parameters), [parameter], "Here", trigger.start_values)


def schedule(value: str) -> PipelineSchedule:
    return PipelineSchedule.cron("0 3 * * ? *", parameters={"A": value})


def event(path: str) -> EventTrigger:
    return EventTrigger.s3_object_created(bucket_name="raw", parameters={"A": path})


@pytest.mark.parametrize(
    ("trigger", "parameter", "message"),
    [
        (schedule(TIME), declared("Integer"), "of type Integer, got '<aws.scheduler.scheduled-time>', which"),
        (schedule(TIME), declared("Float"), "which is a time such as 2027-01-04T09:00:00Z"),
        (schedule(TIME), declared("Boolean"), "of type Boolean"),
        (schedule(RUN), declared("Integer"), "which is an identifier such as"),
        (schedule(ARN), declared("Float"), "which is an ARN such as arn:aws:scheduler:"),
        (schedule(f"run {ATTEMPT}"), declared("Integer"), "which is a text such as run 1"),
        (schedule(ATTEMPT), declared("Boolean"), "which is a number such as 1"),
        (schedule(TIME), declared("String", ("day", "night")), "must be one of 'day', 'night', got '<aws"),
        (schedule(f"a-{TIME}"), declared("String", ("a-b",)), "must be one of 'a-b'"),
        (event("$.detail.object.key"), declared("Integer"), "got '$.detail.object.key', which is a text"),
        (event("$.detail.object.size"), declared("Boolean"), "which is a number such as 5"),
        (event("$.time"), declared("Float"), "which is a time"),
        (event("$.time"), declared("String", ("day", "night")), "must be one of 'day', 'night'"),
        (event("$.detail.object"), declared("String", ("day",)), "which is an object"),
    ],
)
def test_what_every_start_would_refuse_is_refused(
    trigger: PipelineSchedule | EventTrigger, parameter: PipelineParameter, message: str
) -> None:
    with pytest.raises(ValueError, match=rf"Here: parameter 'A' .*{re.escape(message)}"):
        check(trigger, parameter)


@pytest.mark.parametrize(
    ("trigger", "parameter"),
    [
        (schedule(TIME), declared("String")),
        (schedule(ATTEMPT), declared("Integer")),
        (schedule(ATTEMPT), declared("Float")),
        (schedule(f"1{ATTEMPT}"), declared("Integer")),
        (schedule(f"try-{ATTEMPT}"), declared("String", ("try-1", "try-2"))),
        (event("$.detail.object.size"), declared("Integer")),
        (event("$.detail.object.size"), declared("Float")),
        (event("$.detail.object.key"), declared("String")),
        (event("$.detail.reason"), declared("String", ("PutObject", "CopyObject"))),
        (event("$.account"), declared("Integer")),
        (
            EventTrigger.pattern({"source": ["my.app"]}, parameters={"A": "$.detail.count"}),
            declared("Integer"),
        ),
    ],
)
def test_what_a_start_may_take_is_taken(
    trigger: PipelineSchedule | EventTrigger, parameter: PipelineParameter
) -> None:
    check(trigger, parameter)
