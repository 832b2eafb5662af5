"""A run that fails on the local AWS reaches whoever subscribed to the topic, in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Template

from local_aws import LocalAws
from scheduled_pipeline import AlertTopic, PipelineDefinition, ScheduledPipeline

ACCOUNT = "444455558888"


@pytest.fixture(scope="module")
def aws(local_aws: LocalAws, new_stack: Callable[..., Stack], small_definition: dict[str, Any]) -> LocalAws:
    """An account with a pipeline, its alerts, and a queue that subscribed to them."""
    stack = new_stack(account=ACCOUNT, region="us-east-1")
    ScheduledPipeline(
        stack,
        "Training",
        definition=PipelineDefinition.from_json(small_definition),
        pipeline_name="Training",
        notify=AlertTopic(stack, "Alerts"),
    )
    body = json.dumps({"Resources": Template.from_stack(stack).to_json()["Resources"]})
    aws = replace(local_aws, account=ACCOUNT)
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="Stack", TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
    cloudformation.get_waiter("stack_create_complete").wait(StackName="Stack", WaiterConfig={"Delay": 0.05})
    (topic,) = aws.client("sns").list_topics()["Topics"]
    aws.client("sqs").create_queue(QueueName="inbox")
    queue_arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:inbox"
    aws.client("sns").subscribe(TopicArn=topic["TopicArn"], Protocol="sqs", Endpoint=queue_arn)
    return aws


def _run(aws: LocalAws, status: str) -> str:
    started = aws.client("sagemaker").start_pipeline_execution(
        PipelineName="Training", ClientRequestToken=status.ljust(32, "-")
    )
    arn = str(started["PipelineExecutionArn"])
    aws.finish(arn, status=status, failed_step="Train" if status == "CompletedWithFailures" else None)
    return arn


def _messages(aws: LocalAws) -> list[list[str]]:
    """The messages in the inbox, line by line; each is taken out."""
    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName="inbox")["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for message in found:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"])["Message"].splitlines() for message in found]


@pytest.mark.parametrize("status", ["Failed", "Stopped", "CompletedWithFailures"])
def test_a_run_that_does_not_succeed_is_announced(aws: LocalAws, status: str) -> None:
    arn = _run(aws, status)
    (lines,) = _messages(aws)
    lines = [line.strip('"') for line in lines]
    assert lines[0] == f"SageMaker pipeline Training: {status}"
    assert lines[1] == f"Execution: {arn}"
    assert lines[3] == (
        f"Why: aws sagemaker describe-pipeline-execution --pipeline-execution-arn {arn} --region us-east-1"
    )
    assert "<" not in "".join(lines)


def test_a_run_that_succeeds_is_not(aws: LocalAws) -> None:
    _run(aws, "Succeeded")
    assert _messages(aws) == []
