import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from local_aws import Inventory, LocalAws

Resource = Callable[..., dict[str, Any]]


def test_a_new_account_has_nothing(aws: LocalAws) -> None:
    assert aws.inventory().is_empty


def test_every_kind_is_counted_and_named(
    aws: LocalAws, stack: Any, role: Resource, pipeline: Resource, schedule: Resource
) -> None:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    alarm = {"Namespace": "AWS/SQS", "MetricName": "NumberOfMessagesSent", "AlarmName": "alarm"}
    comparison = {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 1, "EvaluationPeriods": 1}
    template = {
        "Role": {**role(), "Properties": {**role()["Properties"], "RoleName": "role"}},
        "Policy": ("AWS::IAM::ManagedPolicy", {"ManagedPolicyName": "policy", "PolicyDocument": document}),
        "Pipeline": pipeline("pipeline"),
        "Group": ("AWS::Scheduler::ScheduleGroup", {"Name": "group"}),
        "Schedule": schedule(Name="schedule", GroupName={"Ref": "Group"}),
        "Rule": ("AWS::Events::Rule", {"Name": "rule", "EventPattern": {"source": ["app"]}}),
        "Queue": ("AWS::SQS::Queue", {"QueueName": "queue"}),
        "Topic": ("AWS::SNS::Topic", {"TopicName": "topic"}),
        "Bucket": ("AWS::S3::Bucket", {"BucketName": f"bucket-{aws.account}"}),
        "Alarm": ("AWS::CloudWatch::Alarm", {**alarm, **comparison}),
        "Key": ("AWS::KMS::Key", {"KeyPolicy": document}),
        "LogGroup": ("AWS::Logs::LogGroup", {"LogGroupName": "logs"}),
        "Function": (
            "AWS::Lambda::Function",
            {
                "FunctionName": "function",
                "Runtime": "python3.12",
                "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"ZipFile": "def handler(event, context): pass"},
            },
        ),
    }
    resources = {
        name: {"Type": resource[0], "Properties": resource[1]} if isinstance(resource, tuple) else resource
        for name, resource in template.items()
    }
    assert stack.create(resources, Capabilities=["CAPABILITY_NAMED_IAM"]) == "CREATE_COMPLETE", json.dumps(
        stack.failures
    )
    found = aws.inventory()
    assert found == Inventory(
        stacks=("Stack",),
        pipelines=("pipeline",),
        schedules=("group/schedule",),
        schedule_groups=("group",),
        rules=("default/rule",),
        roles=("role",),
        policies=("policy", "role/Act"),
        queues=("queue",),
        topics=("topic",),
        buckets=(f"bucket-{aws.account}",),
        alarms=("alarm",),
        functions=("function",),
        log_groups=("logs",),
        keys=(stack.physical_id("Key"),),
    )
    assert found.counts() == {**{kind.name: 1 for kind in fields(Inventory)}, "policies": 2}
    assert stack.delete() == "DELETE_COMPLETE"
    assert aws.inventory().is_empty


def test_what_was_added_is_told_by_kind(aws: LocalAws) -> None:
    aws.client("sqs").create_queue(QueueName="first")
    before = aws.inventory()
    aws.client("sqs").create_queue(QueueName="second")
    aws.client("scheduler").create_schedule_group(Name="group")
    assert aws.inventory().added_since(before) == {"queues": ("second",), "schedule_groups": ("group",)}
    assert before.added_since(aws.inventory()) == {}


def test_regions_are_looked_at_one_at_a_time(aws: LocalAws) -> None:
    aws.client("sqs", region="eu-west-1").create_queue(QueueName="queue")
    assert aws.inventory().is_empty
    assert aws.inventory(region="eu-west-1").queues == ("queue",)
