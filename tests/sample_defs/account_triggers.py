"""Schedules and rules as an account has them: what AWS answers, with its defaults filled in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from scheduled_pipeline.cli.account.trigger_records import TriggerRecord

PLACE = "eu-west-1:111122223333"
PIPELINE = f"arn:aws:sagemaker:{PLACE}:pipeline/training"
CALL = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"


def schedule(
    expression: str = "cron(0 3 * * ? *)",
    *,
    name: str = "nightly",
    group: str = "default",
    target: Mapping[str, Any] | None = None,
    **answer: Any,
) -> TriggerRecord:
    """What GetSchedule answers, with AWS's defaults filled in as AWS fills them in."""
    retry = {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
    return TriggerRecord.from_schedule(
        {
            "Name": name,
            "Arn": f"arn:aws:scheduler:{PLACE}:schedule/{group}/{name}",
            "GroupName": group,
            "State": "ENABLED",
            "ScheduleExpression": expression,
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "CreationDate": datetime(2026, 1, 5, 8, 20, 30, tzinfo=UTC),
            "ActionAfterCompletion": "NONE",
            "Target": {
                "Arn": PIPELINE,
                "RoleArn": "arn:aws:iam::111122223333:role/by-hand",
                "RetryPolicy": retry,
                **(target or {}),
            },
            **answer,
        }
    )


def call(**request: Any) -> dict[str, str]:
    """A universal target."""
    return {"Arn": CALL, "Input": json.dumps({"PipelineName": "training", **request})}


def rule(
    *,
    name: str = "on-data",
    target: Mapping[str, Any] | None = None,
    other_targets: int = 0,
    **answer: Any,
) -> TriggerRecord:
    """What DescribeRule and ListTargetsByRule answer."""
    described = {"Name": name, "Arn": f"arn:aws:events:{PLACE}:rule/{name}", "State": "ENABLED", **answer}
    return TriggerRecord.from_rule(
        described, {"Id": "Target0", "Arn": PIPELINE, **(target or {})}, other_targets=other_targets
    )


def listed(**values: str) -> dict[str, Any]:
    """Parameters as both services have them."""
    return {
        "SageMakerPipelineParameters": {
            "PipelineParameterList": [{"Name": name, "Value": value} for name, value in values.items()]
        }
    }


FULL = schedule(
    "cron(30 4 ? * mon-fri *)",
    name="full",
    group="by-hand",
    target={
        **listed(Date="<aws.scheduler.scheduled-time>", Count="2"),
        "RetryPolicy": {"MaximumEventAgeInSeconds": 5400, "MaximumRetryAttempts": 0},
        "DeadLetterConfig": {"Arn": f"arn:aws:sqs:{PLACE}:dead"},
    },
    ScheduleExpressionTimezone="Europe/Berlin",
    StartDate=datetime(2027, 1, 1, 0, 0, 7, tzinfo=UTC),
    EndDate=datetime(2028, 1, 1, tzinfo=UTC),
    FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 90},
    State="DISABLED",
    Description="weekdays\nbefore \"work\" \\ 'early' \u2603",
    KmsKeyArn=f"arn:aws:kms:{PLACE}:key/k",
    ActionAfterCompletion="DELETE",
)
PATTERN = {
    "source": ["aws.s3"],
    "detail": {
        "bucket": {"name": ["data"]},
        "object": {
            "key": [{"prefix": "raw/"}, {"suffix": ".csv"}],
            "size": [{"numeric": [">", 0, "<=", 1.5]}],
        },
        "deleted": [False],
        "$or": [{"a": [1]}, {"b": [{"exists": True}]}],
    },
}
EVENT = rule(
    name="training-new-data",
    target={
        **listed(Date="$.detail.object.key", Mode="b", Count="$.resources[0]"),
        "RetryPolicy": {"MaximumEventAgeInSeconds": 60},
    },
    EventPattern=json.dumps(PATTERN),
    EventBusName="lake",
    Description="new data",
    State="DISABLED",
)
EVERYTHING = (
    FULL,
    EVENT,
    schedule("at(2027-01-04T09:00:00)", name="launch", ScheduleExpressionTimezone="America/New_York"),
    schedule("rate(90 minutes)", name="often", StartDate=datetime(2027, 1, 1, tzinfo=UTC)),
    schedule("rate(60 minutes)", name="past", StartDate=datetime(2026, 1, 1, tzinfo=UTC)),
    schedule("at(2026-01-04T09:00:00)", name="gone"),
    schedule(name="training", target=call(ClientRequestToken=32 * "t" + "<aws.scheduler.scheduled-time>")),
    rule(name="clock", ScheduleExpression="rate(1 day)"),
    rule(name="null", EventPattern='{"source": [null]}'),
)
