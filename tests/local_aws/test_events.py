import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws import LocalAws
from scheduled_pipeline import EventTrigger

Resource = Callable[..., dict[str, Any]]
INPUT = {"Name": "Input", "Type": "String", "DefaultValue": "none"}
PIPELINE_ARN = {"Fn::Sub": "arn:aws:sagemaker:${AWS::Region}:${AWS::AccountId}:pipeline/training"}
QUEUE_POLICY = {
    "Type": "AWS::SQS::QueuePolicy",
    "Properties": {
        "Queues": [{"Ref": "Queue"}],
        "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
                    "Condition": {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": ["Rule", "Arn"]}}},
                }
            ],
        },
    },
}


@pytest.fixture
def resources(role: Resource, pipeline: Resource) -> Resource:
    """A pipeline, a queue, and a rule that starts the pipeline with one parameter of the given value."""

    def make(value: str = "$.detail.key", **rule: Any) -> dict[str, Any]:
        target = {
            "Id": "Pipeline",
            "Arn": PIPELINE_ARN,
            "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "Input", "Value": value}]},
            "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Queue", "Arn"]}},
        }
        settings = {"EventPattern": {"source": ["app"], "detail": {"key": [{"prefix": "raw/"}]}}, **rule}
        return {
            "Role": role("events"),
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}},
            "QueuePolicy": QUEUE_POLICY,
            "Pipeline": pipeline(parameters=(INPUT,)),
            "Rule": {"Type": "AWS::Events::Rule", "Properties": {**settings, "Targets": [target]}},
        }

    return make


def put_event(aws: LocalAws, detail: dict[str, Any], **members: str) -> None:
    entry = {"Source": "app", "DetailType": "New data", "Detail": json.dumps(detail), **members}
    assert aws.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def started(aws: LocalAws) -> list[str]:
    """The value of the one parameter, for every execution."""
    sagemaker = aws.client("sagemaker")
    executions = sagemaker.list_pipeline_executions(PipelineName="Training")["PipelineExecutionSummaries"]
    parameters = [
        sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=run["PipelineExecutionArn"])
        for run in executions
    ]
    return [listed["PipelineParameters"][0]["Value"] for listed in parameters]


def dead_letters(aws: LocalAws) -> list[dict[str, Any]]:
    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName="dead")["QueueUrl"]
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    return received.get("Messages", [])  # type: ignore[no-any-return]


def test_an_event_that_matches_starts_the_pipeline_and_another_does_not(
    aws: LocalAws, stack: Any, resources: Resource
) -> None:
    assert stack.create(resources()) == "CREATE_COMPLETE"
    put_event(aws, {"key": "raw/a.csv"})
    put_event(aws, {"key": "cooked/a.csv"})
    assert started(aws) == ["raw/a.csv"]
    (delivery,) = aws.deliveries()
    assert delivery.source_arn.endswith(f":rule/{stack.physical_id('Rule')}")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("fixed", "fixed"),
        ("see $.detail.key", "see $.detail.key"),
        ("$.detail-type", "New data"),
        ("$.detail.size", "3"),
        ("$.detail.files[1].name", "b"),
        ("$.detail['odd key']", "odd"),
        ("$.detail.files[0]", '{"name": "a"}'),
    ],
)
def test_a_value_is_a_whole_path_into_the_event_or_itself(
    aws: LocalAws, stack: Any, resources: Resource, value: str, expected: str
) -> None:
    stack.create(resources(value))
    put_event(aws, {"key": "raw/a", "size": 3, "files": [{"name": "a"}, {"name": "b"}], "odd key": "odd"})
    assert started(aws) == [expected]


def test_an_object_created_in_a_bucket_starts_the_pipeline(
    aws: LocalAws, stack: Any, resources: Resource
) -> None:
    bucket = f"raw-data-{aws.account}"
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [bucket]}, "object": {"key": [{"prefix": "raw/"}]}},
    }
    template = resources("$.detail.object.key", EventPattern=pattern)
    notify = {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    properties = {"BucketName": bucket, "NotificationConfiguration": notify}
    template["Bucket"] = {"Type": "AWS::S3::Bucket", "Properties": properties}
    assert stack.create(template) == "CREATE_COMPLETE"
    for key in ("raw/new file.csv", "other/file.csv"):
        aws.client("s3").put_object(Bucket=bucket, Key=key, Body=b"1,2")
    assert started(aws) == ["raw/new file.csv"]


def test_a_rule_on_a_custom_bus_hears_that_bus_only(aws: LocalAws, stack: Any, resources: Resource) -> None:
    template = resources(EventBusName={"Ref": "Bus"})
    template["Bus"] = {"Type": "AWS::Events::EventBus", "Properties": {"Name": "orders"}}
    stack.create(template)
    put_event(aws, {"key": "raw/default"})
    put_event(aws, {"key": "raw/orders"}, EventBusName="orders")
    assert started(aws) == ["raw/orders"]


def test_the_id_of_a_rule_on_a_custom_bus_names_the_bus(
    aws: LocalAws, stack: Any, resources: Resource
) -> None:
    template = resources(EventBusName="orders", Name="launch")
    template["Bus"] = {"Type": "AWS::Events::EventBus", "Properties": {"Name": "orders"}}
    template["Rule"]["DependsOn"] = ["Bus"]
    assert stack.create(template) == "CREATE_COMPLETE"
    assert stack.physical_id("Rule") == "orders|launch"
    template["Rule"]["Properties"]["Description"] = "changed"
    assert stack.update(template) == "UPDATE_COMPLETE"
    assert stack.physical_id("Rule") == "orders|launch"
    rule = aws.client("events").describe_rule(Name="launch", EventBusName="orders")
    assert rule["Description"] == "changed"
    stack.delete()
    with pytest.raises(ClientError, match="ResourceNotFound"):
        aws.client("events").describe_rule(Name="launch", EventBusName="orders")


def test_a_rule_with_targets_is_not_deleted(aws: LocalAws, stack: Any, resources: Resource) -> None:
    stack.create(resources())
    name = stack.physical_id("Rule")
    with pytest.raises(ClientError, match="it has targets"):
        aws.client("events").delete_rule(Name=name)
    aws.client("events").remove_targets(Rule=name, Ids=["Pipeline"])
    aws.client("events").delete_rule(Name=name)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        aws.client("events").describe_rule(Name=name)


def test_a_disabled_rule_starts_nothing(aws: LocalAws, stack: Any, resources: Resource) -> None:
    stack.create(resources(State="DISABLED"))
    put_event(aws, {"key": "raw/a"})
    assert started(aws) == []


def test_an_event_that_cannot_be_delivered_goes_to_the_dead_letter_queue(
    aws: LocalAws, stack: Any, resources: Resource
) -> None:
    stack.create(resources())
    aws.client("sagemaker").delete_pipeline(PipelineName="Training")
    put_event(aws, {"key": "raw/a"})
    (message,) = dead_letters(aws)
    attributes = {name: item["StringValue"] for name, item in message["MessageAttributes"].items()}
    target_arn = f"arn:aws:sagemaker:us-east-1:{aws.account}:pipeline/training"
    assert attributes == {
        "RULE_ARN": aws.deliveries()[0].source_arn,
        "TARGET_ARN": target_arn,
        "ERROR_CODE": "NO_RESOURCE",
        "ERROR_MESSAGE": f"Pipeline '{target_arn}' does not exist.",
        "RETRY_ATTEMPTS": "0",
    }
    body = json.loads(message["Body"])
    assert (body["source"], body["detail"]) == ("app", {"key": "raw/a"})


def test_a_queue_that_does_not_let_the_rule_send_gets_nothing(
    aws: LocalAws, stack: Any, resources: Resource
) -> None:
    template = resources("$.detail.missing")
    del template["QueuePolicy"]
    stack.create(template)
    put_event(aws, {"key": "raw/a"})
    assert [attempt.error_code for attempt in aws.deliveries()] == ["INVALID_PARAMETER"]
    assert (aws.deliveries()[0].dead_letter_queue, dead_letters(aws)) == (None, [])


@pytest.mark.parametrize(("service", "action"), [("scheduler", "sagemaker:*"), ("events", "sagemaker:Stop*")])
def test_a_role_that_cannot_be_assumed_or_may_not_start_is_no_permission(
    *, aws: LocalAws, stack: Any, resources: Resource, role: Resource, service: str, action: str
) -> None:
    template = {**resources(), "Role": role(service, action)}
    stack.create(template)
    put_event(aws, {"key": "raw/a"})
    assert [attempt.error_code for attempt in aws.deliveries()] == ["NO_PERMISSIONS"]
    assert started(aws) == []


def test_every_property_of_a_target_is_kept(aws: LocalAws, stack: Any, resources: Resource) -> None:
    template = resources(Description="new data")
    template["Rule"]["Properties"]["Targets"][0]["RetryPolicy"] = {"MaximumRetryAttempts": 3}
    stack.create(template)
    events, name = aws.client("events"), stack.physical_id("Rule")
    (target,) = events.list_targets_by_rule(Rule=name)["Targets"]
    assert target["SageMakerPipelineParameters"] == {
        "PipelineParameterList": [{"Name": "Input", "Value": "$.detail.key"}]
    }
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 3}
    assert target["DeadLetterConfig"]["Arn"].endswith(":dead")
    assert events.describe_rule(Name=name)["Description"] == "new data"


def test_a_rule_of_more_than_five_targets_fails(aws: LocalAws, stack: Any, resources: Resource) -> None:
    template = resources()
    targets = template["Rule"]["Properties"]["Targets"]
    targets += [{**targets[0], "Id": f"Other{number}"} for number in range(5)]
    assert stack.create(template) == "ROLLBACK_COMPLETE"
    assert "A rule has at most 5 targets." in stack.failures
    assert aws.inventory().rules == ()


def test_an_update_that_breaks_a_target_restores_the_rule(
    aws: LocalAws, stack: Any, resources: Resource
) -> None:
    stack.create(resources("before"))
    broken = resources("after", Description="changed")
    broken["Rule"]["Properties"]["Targets"][0]["Id"] = "no spaces"
    assert stack.update(broken) == "UPDATE_ROLLBACK_COMPLETE"
    put_event(aws, {"key": "raw/a"})
    assert started(aws) == ["before"]


def test_an_execution_announces_its_status_on_the_default_bus(
    aws: LocalAws, stack: Any, resources: Resource
) -> None:
    template = resources()
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
        "detail": {"currentPipelineExecutionStatus": ["Failed"]},
    }
    queue = {"Id": "Queue", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}
    template["Failed"] = {
        "Type": "AWS::Events::Rule",
        "Properties": {"EventPattern": pattern, "Targets": [queue]},
    }
    stack.create(template)
    put_event(aws, {"key": "raw/a"})
    execution = aws.deliveries()[0].execution_arn
    assert execution is not None
    aws.finish(execution, status="Failed", failure_reason="no data")
    (message,) = dead_letters(aws)
    detail = json.loads(message["Body"])["detail"]
    assert detail["pipelineExecutionArn"] == execution
    assert (detail["previousPipelineExecutionStatus"], detail["currentPipelineExecutionStatus"]) == (
        "Executing",
        "Failed",
    )


@pytest.fixture
def model_package(aws: LocalAws) -> str:
    """The ARN of a package that waits for its approval, of the group models."""
    sagemaker = aws.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="models")
    made = sagemaker.create_model_package(
        ModelPackageGroupName="models", ModelApprovalStatus="PendingManualApproval"
    )
    return str(made["ModelPackageArn"])


def test_a_model_package_starts_a_pipeline_when_it_is_approved_and_not_again_when_it_changes(
    aws: LocalAws, stack: Any, resources: Resource, model_package: str
) -> None:
    pattern = EventTrigger.model_package_approval(model_package_group_name="models").event_pattern
    template = resources("$.detail.ModelPackageArn", EventPattern=pattern)
    assert stack.create(template) == "CREATE_COMPLETE"
    update = aws.client("sagemaker").update_model_package
    update(ModelPackageArn=model_package, ModelApprovalStatus="Rejected")
    assert started(aws) == []
    update(ModelPackageArn=model_package, ModelApprovalStatus="Approved", ApprovalDescription="good")
    assert started(aws) == [model_package]
    update(ModelPackageArn=model_package, CustomerMetadataProperties={"deployed": "yes"})
    assert started(aws) == [model_package]


def test_a_scheduled_rule_keeps_its_expression(aws: LocalAws, stack: Any, resources: Resource) -> None:
    template = resources("fixed", ScheduleExpression="rate(5 minutes)")
    del template["Rule"]["Properties"]["EventPattern"]
    assert stack.create(template) == "CREATE_COMPLETE"
    described = aws.client("events").describe_rule(Name=stack.physical_id("Rule"))
    assert described["ScheduleExpression"] == "rate(5 minutes)"
    assert aws.deliveries() == []


@pytest.mark.parametrize(
    "expression",
    [
        "at(2099-01-01T00:00:00)",
        "cron(0 10 * * ?)",
        "cron(60 10 * * ? *)",
        "rate(1 hours)",
        "rate(5 minute)",
    ],
)
def test_an_expression_that_rules_do_not_have_is_refused(aws: LocalAws, expression: str) -> None:
    with pytest.raises(ClientError, match="ScheduleExpression is not valid"):
        aws.client("events").put_rule(Name="scheduled", ScheduleExpression=expression)


def test_an_event_of_another_account_starts_nothing(aws: LocalAws, stack: Any, resources: Resource) -> None:
    stack.create(resources())
    aws.client("events", account="111122229999").put_events(
        Entries=[{"Source": "app", "DetailType": "x", "Detail": json.dumps({"key": "raw/a"})}]
    )
    assert started(aws) == []


def test_a_bad_pattern_is_refused(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="InvalidEventPatternException"):
        aws.client("events").put_rule(Name="bad", EventPattern='{"source": "app"}')
