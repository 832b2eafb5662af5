"""The template made from adopted code, compared with the triggers that the account had."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from account_triggers import EVENT, FULL, call, listed, rule, schedule

from scheduled_pipeline.cli.account.trigger_records import TriggerRecord
from scheduled_pipeline.cli.adoption.adoption import adopt_triggers
from scheduled_pipeline.trigger.time_zone import utc_text

if TYPE_CHECKING:
    from aws_cdk import Stack

NOW = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)
RECORDS = (
    FULL,
    EVENT,
    schedule("at(2027-01-04T09:00:00)", name="launch", ScheduleExpressionTimezone="America/New_York"),
    schedule("rate(90 minutes)", name="often", StartDate=datetime(2027, 1, 1, tzinfo=UTC)),
    schedule(
        "cron(0 5 * * ? *)",
        name="call",
        target=call(
            ClientRequestToken="nightly-job-of-the-training-team-<aws.scheduler.scheduled-time>",
            PipelineExecutionDisplayName="by-hand",
            PipelineVersionId=2,
            PipelineParameters=[{"Name": "Date", "Value": "<aws.scheduler.scheduled-time>"}],
        ),
    ),
    schedule("cron(0 6 * * ? *)", name="plain-call", target=call()),
    rule(name="clock", ScheduleExpression="cron(0 7 * * ? *)", target=listed(Count="2")),
)


@pytest.fixture(scope="module")
def properties(
    new_stack: Callable[..., Stack], small_definition: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """The properties that the template has for each old name."""
    from aws_cdk.assertions import Template

    from scheduled_pipeline import PipelineDefinition, ScheduledPipeline

    adoption = adopt_triggers(RECORDS, pipeline="training", now=NOW)
    assert adoption.left_out == ()
    names: dict[str, Any] = {}
    exec(adoption.source, names)
    stack = new_stack()
    ScheduledPipeline(
        stack,
        "Training",
        definition=PipelineDefinition.from_json(small_definition),
        pipeline_name="training",
        schedules=names["schedules"],
        events=names["events"],
    )
    template = Template.from_stack(stack)
    made = {
        resource["Properties"]["Name"]: resource["Properties"]
        for kind in ("AWS::Scheduler::Schedule", "AWS::Events::Rule")
        for resource in template.find_resources(kind).values()
    }
    assert len(made) == len(RECORDS)
    return {one.record.name: made[f"training-{one.key}"] for one in adoption.adopted}


def of_kind(kind: str) -> list[Any]:
    return [pytest.param(record, id=record.name) for record in RECORDS if record.kind == kind]


def parameters(target: dict[str, Any]) -> list[tuple[str, str]]:
    found = target.get("SageMakerPipelineParameters", {}).get("PipelineParameterList", [])
    return [(parameter["Name"], parameter["Value"]) for parameter in found]


def text(value: Any) -> str:
    """A joined value, its references as ``<...>``."""
    if isinstance(value, str):
        return value
    return "".join(part if isinstance(part, str) else "<...>" for part in value["Fn::Join"][1])


@pytest.mark.parametrize("record", of_kind("schedule"))
def test_a_schedule_is_the_same_property_by_property(
    record: TriggerRecord, properties: dict[str, dict[str, Any]]
) -> None:
    made = properties[record.name]
    window = made["FlexibleTimeWindow"]
    assert made["ScheduleExpression"].lower() == (record.expression or "").lower()
    assert made["ScheduleExpressionTimezone"] == record.timezone
    assert made.get("StartDate") == (None if record.start is None else utc_text(record.start))
    assert made.get("EndDate") == (None if record.end is None else utc_text(record.end))
    assert made["State"] == record.state
    assert window.get("MaximumWindowInMinutes") == record.window_minutes
    assert window["Mode"] == ("OFF" if record.window_minutes is None else "FLEXIBLE")
    assert record.description in (None, made["Description"])
    retry = made["Target"].get("RetryPolicy", {})
    # EventBridge Scheduler's own defaults.
    assert retry.get("MaximumRetryAttempts", 185) == record.maximum_retry_attempts
    assert retry.get("MaximumEventAgeInSeconds", 86400) == record.maximum_event_age_seconds


@pytest.mark.parametrize("record", of_kind("schedule"))
def test_a_schedule_starts_the_same(record: TriggerRecord, properties: dict[str, dict[str, Any]]) -> None:
    target = properties[record.name]["Target"]
    if record.name != "call":
        assert text(target["Arn"]).endswith(":pipeline/training")
        assert tuple(parameters(target)) == record.parameters
        return
    request = text(target["Input"])
    assert text(target["Arn"]).endswith(":scheduler:::aws-sdk:sagemaker:startPipelineExecution")
    for part in (
        '"PipelineExecutionDisplayName":"by-hand"',
        '"PipelineVersionId":2',
        '"PipelineParameters":[{"Name":"Date","Value":"<aws.scheduler.scheduled-time>"}]',
        '-<aws.scheduler.scheduled-time>"',
    ):
        assert part in request


@pytest.mark.parametrize("record", of_kind("rule"))
def test_a_rule_is_the_same_property_by_property(
    record: TriggerRecord, properties: dict[str, dict[str, Any]]
) -> None:
    made = properties[record.name]
    (target,) = made["Targets"]
    assert made.get("ScheduleExpression") == record.expression
    pattern = None if record.event_pattern is None else json.loads(record.event_pattern)
    assert made.get("EventPattern") == pattern
    assert made.get("EventBusName", "default") == record.group
    assert made["State"] == record.state
    assert record.description in (None, made["Description"])
    assert tuple(parameters(target)) == record.parameters
    retry = target.get("RetryPolicy", {})
    assert retry.get("MaximumRetryAttempts") == record.maximum_retry_attempts
    assert retry.get("MaximumEventAgeInSeconds") == record.maximum_event_age_seconds
