"""Every permission that is derived, against AWS's Service Authorization Reference."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
from compiling import CompileFunction
from permission_parts import a_step, document, get

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.permission import EVERYTHING, EXECUTION_ROLE, Permission
from scheduled_pipeline.definition.permissions.derive import derive

# Actions that IAM cannot scope, and why each is granted all the same.
UNSCOPED = {
    "ecr:GetAuthorizationToken": "a token is for the whole registry; what may be pulled is scoped",
    "cloudwatch:PutMetricData": "scoped by the condition cloudwatch:namespace",
    "ec2:DescribeDhcpOptions": "EC2 describes all or none; read only, and only for steps in a network",
    "ec2:DescribeNetworkInterfaces": "EC2 describes all or none",
    "ec2:DescribeSecurityGroups": "EC2 describes all or none",
    "ec2:DescribeSubnets": "EC2 describes all or none",
    "ec2:DescribeVpcs": "EC2 describes all or none",
    "fsx:DescribeFileSystems": "FSx describes all or none; only for steps that mount one",
    "elasticmapreduce:RunJobFlow": "there is no cluster yet; only for steps that make one",
    "emr-serverless:CreateApplication": "there is no application yet; only for steps that make one",
}

STEP_TYPES = (
    *("processing", "training", "tuning", "transform", "model_create", "model_register", "condition"),
    *("callback", "lambda_with_a_function", "quality_check"),
    *("quality_check_of_a_model", "emr", "emr_with_a_cluster", "emr_serverless"),
    *("emr_serverless_with_an_application", "notebook_job", "monitor_batch_transform_step_by_step"),
    *("for_each", "endpoint", "inference_component", "lineage", "cleanup"),
)


@pytest.fixture(scope="module")
def of_the_sdk(compiled: CompileFunction) -> Callable[[str], tuple[Permission, ...]]:
    """Permissions of a pipeline that the SageMaker SDK makes, by the name of its build function."""

    @cache
    def permissions(function: str) -> tuple[Permission, ...]:
        return derive(compiled(function).document, pipeline_name="sample")

    return permissions


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    """AWS's Service Authorization Reference, as cfn-lint carries it."""
    text = (files("cfnlint") / "data" / "AdditionalSpecs" / "Policies.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


# What the SDK cannot make, or makes only with a session of its own.
BY_HAND = {
    "AutoML": a_step("AutoML", {"OutputDataConfig": {"S3OutputPath": "s3://bucket/out"}}),
    "ClarifyCheck": a_step("ClarifyCheck", ModelName="model", ModelPackageGroupName="group"),
    "Job": a_step("Job", {"JobName": "mine"}),
    "keys and networks": a_step(
        "Training",
        {
            "OutputDataConfig": {"KmsKeyId": "alias/mine"},
            "ResourceConfig": {"VolumeKmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/1"},
            "VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": [get("Parameters.Late")]},
            "Environment": {"A": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:mine-AbCdEf"},
        },
    ),
    "file systems": a_step(
        "Training",
        {
            "InputDataConfig": [
                {
                    "DataSource": {
                        "FileSystemDataSource": {"FileSystemType": kind, "FileSystemId": f"fs-{kind}"}
                    }
                }
                for kind in ("EFS", "FSxLustre")
            ]
        },
    ),
    "a package without versions": a_step("RegisterModel", {"ModelPackageName": "package"}),
}


@pytest.mark.parametrize(
    "function",
    [*(f"step_types:{name}" for name in STEP_TYPES), "pipeline_defs.abalone.pipeline:build"],
)
def test_what_the_sdk_makes_is_granted_as_the_reference_has_it(
    function: str, of_the_sdk: Any, reference: dict[str, Any]
) -> None:
    for permission in of_the_sdk(function):
        _check(permission, reference)


@pytest.mark.parametrize("step", BY_HAND.values(), ids=list(BY_HAND))
def test_what_is_made_by_hand_is_granted_as_the_reference_has_it(
    step: dict[str, Any], reference: dict[str, Any]
) -> None:
    for permission in derive(document(step, PipelineExperimentConfig={}, MlflowConfig={})):
        _check(permission, reference)


def _check(permission: Permission, reference: dict[str, Any]) -> None:
    """Every action exists and takes one of the resources, and every resource is one for some action."""
    known = {action: _patterns(action, reference) for action in permission.actions}
    for action, patterns in known.items():
        assert "*" not in action
        if permission.resources == (EVERYTHING,):
            assert action in UNSCOPED
            assert not patterns or permission.conditions
        else:
            assert any(_fits(one, patterns) for one in permission.resources), (action, permission)
    if permission.resources != (EVERYTHING,):
        for one in permission.resources:
            assert any(_fits(one, patterns) for patterns in known.values()), (one, permission)


def _patterns(action: str, reference: dict[str, Any]) -> list[re.Pattern[str]]:
    service, _, name = action.partition(":")
    assert name.lower() in reference[service]["Actions"], f"there is no action {action}"
    kinds = reference[service]["Actions"][name.lower()].get("Resources", [])
    resources = reference[service]["Resources"]
    formats = [one for kind in kinds for one in resources.get(kind.lower(), {}).get("ARNFormats", [])]
    return [re.compile(re.sub(r"\$\{[^}]+\}", "[^:]*", one)) for one in formats]


def _fits(resource: str, patterns: list[re.Pattern[str]]) -> bool:
    resource = placeholders.role("aws") if resource == EXECUTION_ROLE else resource
    return any(pattern.fullmatch(resource) for pattern in patterns)
