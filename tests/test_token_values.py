"""Values of the construct that hold what else is in the stack reach definition and policy as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import CfnParameter, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecr_assets as ecr_assets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template
from template_parts import NewStack

from scheduled_pipeline import ScheduledPipeline
from scheduled_pipeline.resources.execution_role import UNKNOWN_RESOURCE

REPOSITORY = "111122223333.dkr.ecr.eu-west-1.<AWS::URLSuffix>"


@pytest.fixture
def stack(new_stack: NewStack) -> Stack:
    return new_stack()


def _values(stack: Stack, image: str | None = None) -> dict[str, str]:
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
    key, bucket = kms.Key(stack, "Key"), s3.Bucket(stack, "Bucket")
    return {
        "Image": image or ecr.Repository(stack, "Repository").repository_uri_for_tag("1"),
        "Role": role.role_arn,
        "KeyId": key.key_id,
        "KeyArn": key.key_arn,
        "Data": bucket.s3_url_for_object("in"),
        "Queue": sqs.Queue(stack, "Queue").queue_url,
    }


def _synthesized(stack: Stack, values: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the steps by name, and the resources by action of the policy, with names for logical ids."""
    ScheduledPipeline(stack, "Training", definition="late_pipelines:trains", values=values)
    template = Template.from_stack(stack)
    names = {
        stack.get_logical_id(stack.node.find_child(name).node.default_child): name  # type: ignore[arg-type]
        for name in ("Role", "Key", "Bucket", "Queue", "Repository")
        if stack.node.try_find_child(name)
    }
    (pipeline,) = template.find_resources("AWS::SageMaker::Pipeline").values()
    body = _text(pipeline["Properties"]["PipelineDefinition"]["PipelineDefinitionBody"], names)
    statements = [
        one
        for name, policy in template.find_resources("AWS::IAM::Policy").items()
        if "ExecutionPolicy" in name
        for one in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
    granted: dict[str, list[str]] = {}
    for one in statements:
        for action in _listed(one["Action"]):
            granted.setdefault(action, []).extend(_text(each, names) for each in _listed(one["Resource"]))
    return {step["Name"]: step for step in json.loads(body)["Steps"]}, granted


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any, names: dict[str, str]) -> str:
    if isinstance(value, str):
        return value
    ((function, argument),) = value.items()
    if function == "Fn::Join":
        return str(argument[0]).join(_text(part, names) for part in argument[1])
    if function == "Fn::Select":
        place, (separator, text) = argument[0], argument[1]["Fn::Split"]
        return f"<{_text(text, names)} by {separator} at {place}>"
    parts = [argument] if isinstance(argument, str) else argument
    return f"<{'.'.join(names.get(part, part) for part in parts)}>"


def test_the_definition_has_the_values_themselves(stack: Stack) -> None:
    steps, _ = _synthesized(stack, _values(stack))
    train = steps["Train"]["Arguments"]
    assert train["RoleArn"] == "<Role.Arn>"
    assert train["ResourceConfig"]["VolumeKmsKeyId"] == "<Key>"
    assert train["OutputDataConfig"]["KmsKeyId"] == "<Key.Arn>"
    assert train["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] == "s3://<Bucket>/in"
    assert train["AlgorithmSpecification"]["TrainingImage"].endswith("<AWS::URLSuffix>/<Repository>:1")
    assert steps["Ask"]["SqsQueueUrl"] == "<Queue>"


def test_the_role_may_use_them_and_nothing_else(stack: Stack) -> None:
    _, granted = _synthesized(stack, _values(stack))
    assert "<Role.Arn>" in granted["iam:PassRole"]
    assert len(granted["iam:PassRole"]) == 2
    assert granted["kms:CreateGrant"] == ["arn:aws:kms:eu-west-1:111122223333:key/<Key>"]
    assert granted["kms:GenerateDataKey"] == ["<Key.Arn>"]
    assert "arn:aws:s3:::<Bucket>/in*" in granted["s3:GetObject"]
    assert granted["sqs:SendMessage"] == ["arn:aws:sqs:eu-west-1:111122223333:<Queue.QueueName>"]
    (repository,) = granted["ecr:BatchGetImage"]
    assert repository.endswith(":repository/<Repository>")


def test_the_image_of_an_asset_is_pulled_from_its_repository(stack: Stack) -> None:
    folder = Path(__file__).parent / "sample_defs" / "code"
    image = ecr_assets.DockerImageAsset(stack, "Image", directory=str(folder), file="step.py").image_uri
    steps, granted = _synthesized(stack, _values(stack, image))
    name = "cdk-hnb659fds-container-assets-111122223333-eu-west-1"
    uri = steps["Train"]["Arguments"]["AlgorithmSpecification"]["TrainingImage"]
    assert uri.startswith(f"{REPOSITORY}/{name}:")
    assert granted["ecr:BatchGetImage"] == [f"arn:aws:ecr:eu-west-1:111122223333:repository/{name}"]


def test_what_a_value_of_the_deployment_does_not_tell_is_warned_of(stack: Stack) -> None:
    from assembly_warnings import warnings_of

    late = CfnParameter(stack, "ImageUri").value_as_string
    _, granted = _synthesized(stack, _values(stack, late))
    assert "ecr:BatchGetImage" not in granted
    (warning,) = [one for one in warnings_of(stack) if UNKNOWN_RESOURCE in one]
    assert "TrainingImage of the step 'Train'" in warning
