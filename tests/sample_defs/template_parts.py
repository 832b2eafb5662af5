"""Parts of a template that many tests look at, and what they build it from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_cdk import Stack
from aws_cdk.assertions import Template

from scheduled_pipeline import PipelineSchedule
from scheduled_pipeline.definition import placeholders

NewStack = Callable[..., Stack]
"""The fixture ``new_stack``: makes a stack in an app of its own."""

NIGHTLY = PipelineSchedule.cron("0 3 * * ? *", timezone="Asia/Tokyo")


def with_artifacts(definition: dict[str, Any]) -> dict[str, Any]:
    (step,) = definition["Steps"]
    uri = f"s3://{placeholders.ARTIFACT_BUCKET}/out"
    place = {"S3Uri": uri, "LocalPath": "/out", "S3UploadMode": "EndOfJob"}
    outputs = {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": place}]}}
    return {**definition, "Steps": [{**step, "Arguments": {**step["Arguments"], **outputs}}]}


def one_schedule(template: Template) -> dict[str, Any]:
    (schedule,) = template.find_resources("AWS::Scheduler::Schedule").values()
    return dict(schedule)


def pipeline_body(template: Template) -> dict[str, Any]:
    (pipeline,) = template.find_resources("AWS::SageMaker::Pipeline").values()
    return dict(pipeline["Properties"]["PipelineDefinition"]["PipelineDefinitionBody"])


def policy_statements(template: Template, name: str) -> list[dict[str, Any]]:
    """The statements of the one policy whose logical id has a name in it."""
    (policy,) = [
        policy
        for logical_id, policy in template.find_resources("AWS::IAM::Policy").items()
        if name in logical_id
    ]
    return list(policy["Properties"]["PolicyDocument"]["Statement"])


def text_of(value: Any) -> str:
    """A template value as text, with ``<...>`` for what only the deployment knows."""
    if isinstance(value, str):
        return value
    ((function, argument),) = value.items()
    if function == "Fn::Join":
        return str(argument[0]).join(text_of(part) for part in argument[1])
    return f"<{argument if isinstance(argument, str) else '.'.join(argument)}>"
