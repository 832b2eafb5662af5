import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from scheduled_pipeline.cli.account.trigger_records import PipelineReference, TriggerRecord
from scheduled_pipeline.trigger.start_target import starts_pipeline

ACCOUNT = "111122223333"
ARN = f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:pipeline/training"
CALL = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
TOKYO = timezone(timedelta(hours=9))


def schedule(**target: Any) -> dict[str, Any]:
    """An answer of GetSchedule with nothing but what every schedule has."""
    return {
        "Arn": f"arn:aws:scheduler:eu-west-1:{ACCOUNT}:schedule/team/nightly",
        "Name": "nightly",
        "GroupName": "team",
        "State": "ENABLED",
        "ScheduleExpression": "rate(2 hours)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": ARN, "RoleArn": "arn:aws:iam::111122223333:role/r", **target},
    }


def rule(**settings: Any) -> dict[str, Any]:
    """A member of an answer of ListRules."""
    arn = f"arn:aws:events:eu-west-1:{ACCOUNT}:rule/launch"
    return {"Arn": arn, "Name": "launch", "State": "ENABLED", "EventBusName": "default", **settings}


def test_a_schedule_with_little_has_nothing_where_aws_says_nothing() -> None:
    record = TriggerRecord.from_schedule(schedule())
    assert record == TriggerRecord(
        kind="schedule",
        name="nightly",
        arn=f"arn:aws:scheduler:eu-west-1:{ACCOUNT}:schedule/team/nightly",
        group="team",
        state="ENABLED",
        target_arn=ARN,
        pipeline=PipelineReference(named=ARN, name="training", region="eu-west-1", account=ACCOUNT),
        expression="rate(2 hours)",
        role_arn="arn:aws:iam::111122223333:role/r",
    )
    assert (record.region, record.account, record.path) == ("eu-west-1", ACCOUNT, "team/nightly")
    assert (record.enabled, str(record)) == (True, "schedule team/nightly in eu-west-1")


def test_a_schedule_with_everything_keeps_everything() -> None:
    answer = schedule(
        SageMakerPipelineParameters={"PipelineParameterList": [{"Name": "Date", "Value": "today"}]},
        DeadLetterConfig={"Arn": "queue"},
        RetryPolicy={"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60},
        Input="{}",
    )
    answer |= {
        "ScheduleExpressionTimezone": "Asia/Tokyo",
        "StartDate": datetime(2027, 1, 1, 9, tzinfo=TOKYO),
        "EndDate": datetime(2028, 1, 1, 9, tzinfo=TOKYO),
        "CreationDate": datetime(2026, 1, 1, 9, tzinfo=TOKYO),
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        "Description": "each night",
        "KmsKeyArn": "key",
        "ActionAfterCompletion": "DELETE",
        "State": "DISABLED",
    }
    record = TriggerRecord.from_schedule(answer)
    assert record.timezone == "Asia/Tokyo"
    assert (record.start, record.end, record.created) == tuple(
        datetime(year, 1, 1, tzinfo=UTC) for year in (2027, 2028, 2026)
    )
    assert (record.window_minutes, record.description, record.kms_key_arn) == (15, "each night", "key")
    assert (record.parameters, record.input) == ((("Date", "today"),), "{}")
    assert (record.dead_letter_arn, record.maximum_retry_attempts) == ("queue", 0)
    assert (record.maximum_event_age_seconds, record.action_after_completion) == (60, "DELETE")
    assert not record.enabled


def test_a_target_of_a_rule_is_a_record() -> None:
    target = {
        "Id": "Target0",
        "Arn": ARN,
        "RoleArn": "role",
        "SageMakerPipelineParameters": {
            "PipelineParameterList": [{"Name": "Input", "Value": "$.detail.object.key"}]
        },
        "DeadLetterConfig": {"Arn": "queue"},
        "RetryPolicy": {"MaximumRetryAttempts": 3},
    }
    settings = {"EventPattern": '{"source": ["app"]}', "ScheduleExpression": "", "Description": ""}
    record = TriggerRecord.from_rule(rule(**settings), target, other_targets=2)
    assert (record.kind, record.group, record.target_id, record.other_targets) == (
        "rule",
        "default",
        "Target0",
        2,
    )
    assert (record.expression, record.description) == (None, None)
    assert record.event_pattern == '{"source": ["app"]}'
    assert record.parameters == (("Input", "$.detail.object.key"),)
    assert (record.dead_letter_arn, record.maximum_retry_attempts) == ("queue", 3)


@pytest.mark.parametrize(
    ("request_input", "expected"),
    [
        ({"PipelineName": "Training"}, ("Training", "eu-west-1", ACCOUNT)),
        ({"PipelineName": ARN.replace(ACCOUNT, "999999999999")}, ("training", "eu-west-1", "999999999999")),
        ({"PipelineName": ""}, None),
        ({"PipelineName": "run-<aws.scheduler.execution-id>"}, None),
        ({}, None),
        ([], None),
    ],
)
def test_the_call_names_its_pipeline_in_its_input(request_input: Any, expected: Any) -> None:
    record = TriggerRecord.from_schedule(schedule(Arn=CALL, Input=json.dumps(request_input)))
    pipeline = record.pipeline
    assert (None if pipeline is None else (pipeline.name, pipeline.region, pipeline.account)) == expected
    assert record.is_start_call


def test_an_input_that_is_not_json_names_no_pipeline() -> None:
    assert TriggerRecord.from_schedule(schedule(Arn=CALL, Input="{")).pipeline is None


def test_the_call_has_its_parameters_in_its_input() -> None:
    request = {"PipelineName": "Training", "PipelineParameters": [{"Name": "Date", "Value": "today"}]}
    record = TriggerRecord.from_schedule(schedule(Arn=CALL, Input=json.dumps(request)))
    assert record.parameters == (("Date", "today"),)


@pytest.mark.parametrize(
    ("arn", "starts"),
    [
        (ARN, True),
        (ARN.replace("arn:aws:", "arn:aws-cn:"), True),
        (CALL, True),
        (CALL.replace("startPipelineExecution", "StartPipelineExecution"), True),
        (CALL.replace("arn:aws:", "arn:aws-us-gov:"), True),
        (CALL.replace("startPipelineExecution", "stopPipelineExecution"), False),
        ("arn:aws:lambda:eu-west-1:111122223333:function:pipeline/x", False),
        ("arn:aws:sagemaker:eu-west-1:111122223333:endpoint/pipeline", False),
        ("arn:aws:codepipeline:eu-west-1:111122223333:pipeline/x", False),
    ],
)
def test_a_target_starts_a_pipeline_or_not(arn: str, starts: bool) -> None:
    assert starts_pipeline(arn) is starts


def test_the_same_pipeline_has_the_same_key_whatever_the_case() -> None:
    one = PipelineReference(named="Training", name="Training", region="eu-west-1", account=ACCOUNT)
    other = PipelineReference(named=ARN, name="training", region="eu-west-1", account=ACCOUNT)
    assert one.key == other.key
