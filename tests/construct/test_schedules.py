"""The schedules as they are deployed, and their names."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from aws_cdk import aws_scheduler as scheduler
from aws_cdk.assertions import Template
from template_parts import (
    NIGHTLY,
    NewStack,
)

from scheduled_pipeline import PipelineDefinition, PipelineSchedule, ScheduledPipeline

REGION = "eu-west-1"


def test_the_sdks_own_schedule_is_taken_as_it_is(
    new_stack: NewStack, definition: PipelineDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)  # the SDK cannot be imported without one
    from sagemaker.mlops.workflow.triggers import PipelineSchedule as SdkSchedule

    stack = new_stack()
    sdk = SdkSchedule(name="from-sdk", cron="0 3 * * ? *", start_date=datetime(2027, 1, 1), enabled=False)  # noqa: DTZ001
    ScheduledPipeline(stack, "Training", definition=definition, schedules={"Sdk": sdk})
    Template.from_stack(stack).has_resource_properties(
        "AWS::Scheduler::Schedule",
        {
            "Name": "from-sdk",
            "ScheduleExpression": "cron(0 3 * * ? *)",
            "ScheduleExpressionTimezone": "UTC",
            "StartDate": "2027-01-01T00:00:00Z",
            "State": "DISABLED",
        },
    )


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2027, 1, 4, 9, 0),  # noqa: DTZ001 - the wall clock of the zone
        datetime(2027, 1, 4, 9, 0, tzinfo=ZoneInfo("America/New_York")),
        datetime(2027, 1, 4, 14, 0, tzinfo=UTC),
    ],
)
def test_nine_in_new_york_is_nine_in_new_york(
    new_stack: NewStack, definition: PipelineDefinition, moment: datetime
) -> None:
    stack = new_stack()
    launch = PipelineSchedule.at(moment, timezone="America/New_York")
    ScheduledPipeline(stack, "Training", definition=definition, schedules={"Launch": launch})
    Template.from_stack(stack).has_resource_properties(
        "AWS::Scheduler::Schedule",
        {
            "ScheduleExpression": "at(2027-01-04T09:00:00)",
            "ScheduleExpressionTimezone": "America/New_York",
        },
    )


def test_a_schedule_that_moves_to_another_group_gets_another_name(
    new_stack: NewStack, definition: PipelineDefinition
) -> None:
    """CloudFormation cannot move it in place; a new name makes it a replacement."""
    found = []
    for group in (None, "one", "other"):
        stack = new_stack()
        given = group and scheduler.ScheduleGroup.from_schedule_group_name(stack, group, group)
        training = ScheduledPipeline(
            stack,
            "Training",
            definition=definition,
            pipeline_name="training",
            schedules={"Nightly": NIGHTLY},
            schedule_group=given or None,
        )
        found.append(training.schedules["Nightly"].schedule_name)
    assert found[0] == "training-Nightly"
    assert len(set(found)) == 3


def test_a_long_name_is_cut_with_a_hash_and_keeps_its_end(
    new_stack: NewStack, definition: PipelineDefinition
) -> None:
    stack = new_stack()
    keys = ["Nightly", "x" * 64]
    name = "a" * 200
    training = ScheduledPipeline(
        stack, "Training", definition=definition, pipeline_name=name, schedules=dict.fromkeys(keys, NIGHTLY)
    )
    names = [schedule.schedule_name for schedule in training.schedules.values()]
    assert all(len(schedule_name) <= 64 for schedule_name in names)
    assert names[0].startswith("aaaa")
    assert names[0].endswith("-Nightly")
    assert len(set(names)) == 2
