import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_aws import Delivery, LocalAws

Resource = Callable[..., dict[str, Any]]
AT_FOUR = datetime(2026, 12, 1, 4, 0, tzinfo=UTC)
RUN_DATE = {"Name": "RunDate", "Type": "String"}
UNIVERSAL = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
PIPELINE_PARAMETERS = {
    "SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "RunDate", "Value": "x"}]}
}
NEVER = "cron(0 0 1 1 ? 2199)"


@pytest.fixture
def resources(role: Resource, pipeline: Resource, schedule: Resource) -> Callable[..., dict[str, Any]]:
    """A pipeline with one required parameter, a queue, and a schedule with the given target."""

    def make(target: dict[str, Any], **properties: Any) -> dict[str, Any]:
        dead_letters = {"DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}}
        settings = {"Name": "Nightly", "ScheduleExpression": NEVER, **properties}
        return {
            "Role": role(),
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}},
            "Pipeline": pipeline(parameters=(RUN_DATE,)),
            "Nightly": {**schedule(target={**dead_letters, **target}, **settings), "DependsOn": "Pipeline"},
        }

    return make


def started(aws: LocalAws) -> list[dict[str, str]]:
    """The parameters of every execution, by name."""
    sagemaker = aws.client("sagemaker")
    executions = sagemaker.list_pipeline_executions(PipelineName="Training")["PipelineExecutionSummaries"]
    found = []
    for execution in executions:
        arn = execution["PipelineExecutionArn"]
        listed = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
        found.append({item["Name"]: item["Value"] for item in listed["PipelineParameters"]})
    return found


def dead_letters(aws: LocalAws) -> list[dict[str, Any]]:
    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName="dead")["QueueUrl"]
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return received.get("Messages", [])  # type: ignore[no-any-return]


def test_a_templated_target_starts_the_pipeline_with_its_context_attributes(
    aws: LocalAws, stack: Any, resources: Resource
) -> None:
    value = "<aws.scheduler.scheduled-time> <aws.scheduler.schedule-arn> <aws.scheduler.attempt-number>"
    parameters = {"PipelineParameterList": [{"Name": "RunDate", "Value": value}]}
    assert stack.create(resources({"SageMakerPipelineParameters": parameters})) == "CREATE_COMPLETE"
    delivery = aws.deliver("Nightly", scheduled_time=AT_FOUR)
    arn = f"arn:aws:scheduler:us-east-1:{aws.account}:schedule/default/Nightly"
    assert delivery.execution_arn is not None
    assert started(aws) == [{"RunDate": f"2026-12-01T04:00:00Z {arn} 1"}]
    assert aws.deliveries() == [delivery]


def test_a_universal_target_with_a_token_starts_once_for_a_scheduled_time(
    aws: LocalAws, stack: Any, resources: Resource
) -> None:
    request = {
        "PipelineName": "Training",
        "PipelineExecutionDisplayName": "nightly",
        "PipelineParameters": [{"Name": "RunDate", "Value": "<aws.scheduler.scheduled-time>"}],
        "ClientRequestToken": "one-start-for-each-<aws.scheduler.scheduled-time>",
    }
    stack.create(resources({"Arn": UNIVERSAL, "Input": json.dumps(request)}))
    first, again = (aws.deliver("Nightly", scheduled_time=AT_FOUR) for _ in range(2))
    assert first.execution_arn == again.execution_arn is not None
    aws.deliver("Nightly", scheduled_time=AT_FOUR + timedelta(days=1))
    runs = {run["RunDate"] for run in started(aws)}
    assert (runs, len(started(aws))) == ({"2026-12-01T04:00:00Z", "2026-12-02T04:00:00Z"}, 2)


def test_a_universal_target_without_a_token_starts_each_time(
    aws: LocalAws, stack: Any, resources: Resource
) -> None:
    request = {"PipelineName": "Training", "PipelineParameters": [{"Name": "RunDate", "Value": "x"}]}
    stack.create(resources({"Arn": UNIVERSAL, "Input": json.dumps(request)}))
    for _ in range(2):
        aws.deliver("Nightly", scheduled_time=AT_FOUR)
    assert len(started(aws)) == 2


def test_a_scheduled_time_is_told_in_utc(aws: LocalAws, stack: Any, resources: Resource) -> None:
    parameters = {"PipelineParameterList": [{"Name": "RunDate", "Value": "<aws.scheduler.scheduled-time>"}]}
    stack.create(resources({"SageMakerPipelineParameters": parameters}))
    aws.deliver("Nightly", scheduled_time=datetime.fromisoformat("2026-12-01T13:00:00+09:00"))
    assert started(aws) == [{"RunDate": "2026-12-01T04:00:00Z"}]


def test_a_start_that_fails_is_retried_and_then_goes_to_the_dead_letter_queue(
    aws: LocalAws, stack: Any, resources: Resource
) -> None:
    target = {**PIPELINE_PARAMETERS, "RetryPolicy": {"MaximumRetryAttempts": 2}}
    stack.create(resources(target))
    aws.client("sagemaker").delete_pipeline(PipelineName="Training")
    last = aws.deliver("Nightly", scheduled_time=AT_FOUR)
    assert [attempt.attempt for attempt in aws.deliveries()] == [1, 2, 3]
    assert [attempt.dead_letter_queue is not None for attempt in aws.deliveries()] == [False, False, True]
    (message,) = dead_letters(aws)
    attributes = {name: item["StringValue"] for name, item in message["MessageAttributes"].items()}
    pipeline_arn = f"arn:aws:sagemaker:us-east-1:{aws.account}:pipeline/training"
    assert attributes.pop("EXECUTION_ID")
    assert attributes == {
        "ERROR_CODE": "ResourceNotFound",
        "ERROR_MESSAGE": f"Pipeline '{pipeline_arn}' does not exist.",
        "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": "2",
        "SCHEDULED_TIME": "2026-12-01T04:00:00Z",
        "SCHEDULE_ARN": last.source_arn,
        "TARGET_ARN": pipeline_arn,
    }
    assert json.loads(message["Body"])["PipelineName"] == pipeline_arn


def test_a_start_without_a_required_parameter_fails(aws: LocalAws, stack: Any, resources: Resource) -> None:
    stack.create(resources({}))
    delivery = aws.deliver("Nightly", scheduled_time=AT_FOUR)
    assert (delivery.error_code, delivery.error_message) == (
        "ValidationException",
        "Parameter 'RunDate' is undefined.",
    )
    assert started(aws) == []


def test_a_misspelt_member_of_a_universal_request_fails(
    aws: LocalAws, stack: Any, resources: Resource
) -> None:
    stack.create(resources({"Arn": UNIVERSAL, "Input": json.dumps({"PipelineNmae": "Training"})}))
    delivery = aws.deliver("Nightly")
    assert delivery.error_code == "ValidationException"
    assert "at 'pipelineNmae' failed to satisfy constraint: Member is not known" in str(
        delivery.error_message
    )


def test_a_universal_target_of_another_api_is_an_error_and_not_a_silent_success(
    aws: LocalAws, stack: Any, resources: Resource
) -> None:
    stack.create(resources({"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "Input": "{}"}))
    delivery = aws.deliver("Nightly")
    assert delivery.error_message == "local AWS cannot call arn:aws:scheduler:::aws-sdk:sqs:sendMessage."


def test_a_role_that_may_not_start_the_pipeline_does_not(
    aws: LocalAws, stack: Any, resources: Resource, role: Resource
) -> None:
    template = resources(PIPELINE_PARAMETERS)
    template["Role"] = role("scheduler", "sqs:SendMessage")
    stack.create(template)
    delivery = aws.deliver("Nightly", scheduled_time=AT_FOUR)
    assert delivery.error_code == "AccessDeniedException"
    assert "is not authorized to perform: sagemaker:StartPipelineExecution" in str(delivery.error_message)
    assert started(aws) == []
    assert len(dead_letters(aws)) == 1


def test_a_role_that_may_not_send_to_the_queue_loses_the_failed_start(
    aws: LocalAws, stack: Any, resources: Resource, role: Resource
) -> None:
    template = resources({})
    template["Role"] = role("scheduler", "sagemaker:StartPipelineExecution")
    stack.create(template)
    assert aws.deliver("Nightly", scheduled_time=AT_FOUR).dead_letter_queue is None
    assert dead_letters(aws) == []


def test_the_policy_of_the_role_is_read_for_the_one_pipeline(
    aws: LocalAws, stack: Any, resources: Resource
) -> None:
    template = resources(PIPELINE_PARAMETERS)
    statement = template["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]
    pipeline_arn = "arn:aws:sagemaker:${AWS::Region}:${AWS::AccountId}:pipeline/"
    statement["Resource"] = {"Fn::Sub": pipeline_arn + "Training"}
    stack.create(template)
    assert aws.deliver("Nightly").error_code == "AccessDeniedException"
    statement["Resource"] = {"Fn::Sub": pipeline_arn + "training"}
    stack.update(template)
    assert aws.deliver("Nightly").error_code is None


def clock_deliveries(aws: LocalAws, eventually: Callable[..., Any], count: int) -> list[Delivery]:
    eventually(lambda: len(aws.deliveries()) >= count)
    return aws.deliveries()


def test_the_clock_fires_a_one_time_schedule_at_its_wall_time(
    aws: LocalAws, stack: Any, resources: Resource, eventually: Callable[..., Any]
) -> None:
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    wall = due + timedelta(hours=9)
    settings = {
        "ScheduleExpression": f"at({wall:%Y-%m-%dT%H:%M:%S})",
        "ScheduleExpressionTimezone": "Asia/Tokyo",
    }
    parameters = {"PipelineParameterList": [{"Name": "RunDate", "Value": "<aws.scheduler.scheduled-time>"}]}
    assert (
        stack.create(resources({"SageMakerPipelineParameters": parameters}, **settings)) == "CREATE_COMPLETE"
    )
    assert aws.deliveries() == []
    (delivery,) = clock_deliveries(aws, eventually, 1)
    assert delivery.time == f"{due:%Y-%m-%dT%H:%M:%SZ}"
    assert started(aws) == [{"RunDate": delivery.time}]


def test_the_clock_starts_a_rate_at_once_and_not_again_within_the_interval(
    aws: LocalAws, stack: Any, resources: Resource, eventually: Callable[..., Any]
) -> None:
    stack.create(resources(PIPELINE_PARAMETERS, ScheduleExpression="rate(1 hour)"))
    assert len(clock_deliveries(aws, eventually, 1)) == 1
    stack.update(resources(PIPELINE_PARAMETERS, ScheduleExpression="rate(1 hour)", Description="changed"))
    eventually(lambda: len(aws.deliveries()) > 1, seconds=1.5)
    assert len(aws.deliveries()) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"State": "DISABLED"},
        {"StartDate": f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%S.000Z}"},
        {"ScheduleExpression": NEVER},
    ],
)
def test_the_clock_leaves_alone_what_is_not_due(
    aws: LocalAws,
    stack: Any,
    resources: Resource,
    eventually: Callable[..., Any],
    settings: dict[str, str],
) -> None:
    stack.create(resources(PIPELINE_PARAMETERS, **{"ScheduleExpression": "rate(1 minute)", **settings}))
    assert not eventually(aws.deliveries, seconds=1.5)


def test_a_deleted_schedule_does_not_fire(
    aws: LocalAws, stack: Any, resources: Resource, eventually: Callable[..., Any]
) -> None:
    due = datetime.now(UTC) + timedelta(seconds=1.5)
    stack.create(resources(PIPELINE_PARAMETERS, ScheduleExpression=f"at({due:%Y-%m-%dT%H:%M:%S})"))
    stack.delete()
    assert not eventually(aws.deliveries, seconds=2.0)
