"""The role that a pipeline's steps run with, and what it may do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.model import CompiledPipeline

# Which jobs a step of each type runs: the API's noun, and the resource type in an ARN.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
_JOBS = {
    "Processing": [("ProcessingJob", "processing-job")],
    "ClarifyCheck": [("ProcessingJob", "processing-job")],
    "QualityCheck": [("ProcessingJob", "processing-job")],
    "Training": [("TrainingJob", "training-job")],
    "Transform": [("TransformJob", "transform-job")],
    "Tuning": [("HyperParameterTuningJob", "hyper-parameter-tuning-job"), ("TrainingJob", "training-job")],
    "AutoML": [("AutoMLJobV2", "automl-job")],
}

_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([a-z0-9._/-]+)")

_S3_URI = re.compile(r'"s3://([a-z0-9][a-z0-9.-]+)/([^"]*)"')
_OWN_BUCKETS = {placeholders.ARTIFACT_BUCKET, placeholders.ASSET_BUCKET}


def execution_role(scope: Construct, construct_id: str) -> iam.Role:
    """Make a role that SageMaker assumes; it may do nothing yet."""
    principal = iam.ServicePrincipal(
        "sagemaker.amazonaws.com",
        conditions={"StringEqualsIfExists": {"aws:SourceAccount": Stack.of(scope).account}},
    )
    return iam.Role(
        scope,
        construct_id,
        assumed_by=principal,
        description="Assumed by SageMaker to run the steps of one pipeline",
    )


def grant_run(role: iam.IRole, compiled: CompiledPipeline, stack: Stack) -> None:
    """Let ``role`` run the steps of ``compiled``: its jobs, models, images, logs and metrics.

    Jobs that a pipeline starts are named ``pipelines-...``; the role reaches no other.
    """
    document = compiled.document
    steps = list(_all_steps(document.get("Steps", [])))
    statements = [
        *_job_statements({step["Type"] for step in steps}, stack),
        *_model_statements(steps, stack),
        *_image_statements(compiled.body, stack),
        *_data_statements(compiled.body, stack),
        *_observability_statements(stack),
        _pass_role(role),
    ]
    if document.get("PipelineExperimentConfig"):
        statements.append(_experiments(stack))
    for statement in statements:
        role.add_to_principal_policy(statement)


def grant_artifacts(role: iam.IRole, bucket: s3.IBucket) -> None:
    """Let ``role`` read and write the artifact bucket, and use its key."""
    for actions, resource in (
        (
            ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
            bucket.arn_for_objects("*"),
        ),
        (["s3:ListBucket", "s3:GetBucketLocation"], bucket.bucket_arn),
    ):
        iam.Grant.add_to_principal(grantee=role, actions=actions, resource_arns=[resource])
    if bucket.encryption_key is not None:
        bucket.encryption_key.grant_encrypt_decrypt(role)


def _all_steps(steps: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for step in steps:
        yield step
        arguments = step.get("Arguments") or {}
        for branch in ("IfSteps", "ElseSteps", "Steps"):
            yield from _all_steps(arguments.get(branch) or [])


def _job_statements(types: set[str], stack: Stack) -> Iterator[iam.PolicyStatement]:
    jobs = sorted({job for step_type in types for job in _JOBS.get(step_type, ())})
    for noun, resource in jobs:
        actions = [f"sagemaker:{verb}{noun}" for verb in ("Create", "Describe", "Stop")]
        yield _allow([*actions, "sagemaker:AddTags"], _sagemaker_arn(stack, resource, "pipelines-*"))


def _model_statements(steps: list[Mapping[str, Any]], stack: Stack) -> Iterator[iam.PolicyStatement]:
    types = {step["Type"] for step in steps}
    if types & {"Model", "Transform"}:
        actions = [f"sagemaker:{verb}Model" for verb in ("Create", "Describe")]
        yield _allow([*actions, "sagemaker:AddTags"], _sagemaker_arn(stack, "model", "pipelines-*"))
    if "RegisterModel" in types:
        verbs = ("Create", "Describe")
        actions = [
            f"sagemaker:{verb}{noun}" for noun in ("ModelPackage", "ModelPackageGroup") for verb in verbs
        ]
        yield _allow(
            [*actions, "sagemaker:UpdateModelPackage", "sagemaker:AddTags"],
            *(_sagemaker_arn(stack, "model-package-group", group) for group in _model_package_groups(steps)),
            *(_sagemaker_arn(stack, "model-package", f"{group}/*") for group in _model_package_groups(steps)),
        )


def _model_package_groups(steps: list[Mapping[str, Any]]) -> list[str]:
    """Return the groups that are registered to, in lower case as in ARNs; ``*`` for what only a run knows."""
    names = [
        step["Arguments"].get("ModelPackageGroupName") for step in steps if step["Type"] == "RegisterModel"
    ]
    return sorted({name.lower() if isinstance(name, str) else "*" for name in names})


def _image_statements(body: str, stack: Stack) -> Iterator[iam.PolicyStatement]:
    repositories = sorted(set(_IMAGE.findall(body)))
    if not repositories:
        return
    yield _allow(["ecr:GetAuthorizationToken"], "*")  # IAM knows no resource for it
    yield _allow(
        ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        *(
            stack.format_arn(
                service="ecr", region=region, account=account, resource="repository", resource_name=name
            )
            for account, region, name in repositories
        ),
    )


def _data_statements(body: str, stack: Stack) -> Iterator[iam.PolicyStatement]:
    """Allow reading what the definition names in S3 outside the artifact and the asset bucket."""
    places = sorted(place for place in set(_S3_URI.findall(body)) if place[0] not in _OWN_BUCKETS)
    for bucket in sorted({bucket for bucket, _key in places}):
        prefixes = [f"{key.rstrip('/')}*" for name, key in places if name == bucket]
        bucket_arn = stack.format_arn(service="s3", region="", account="", resource=bucket)
        yield _allow(["s3:GetObject"], *(f"{bucket_arn}/{prefix}" for prefix in prefixes))
        listing = _allow(["s3:ListBucket"], bucket_arn)
        listing.add_condition("StringLike", {"s3:prefix": prefixes})
        yield listing


def _observability_statements(stack: Stack) -> Iterator[iam.PolicyStatement]:
    yield _allow(
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        stack.format_arn(service="logs", resource="log-group:/aws/sagemaker/*"),
    )
    metrics = _allow(["cloudwatch:PutMetricData"], "*")  # IAM scopes it by namespace, not by resource
    metrics.add_condition("StringLike", {"cloudwatch:namespace": "/aws/sagemaker/*"})
    yield metrics


def _pass_role(role: iam.IRole) -> iam.PolicyStatement:
    statement = _allow(["iam:PassRole"], role.role_arn)
    statement.add_condition("StringEquals", {"iam:PassedToService": "sagemaker.amazonaws.com"})
    return statement


def _experiments(stack: Stack) -> iam.PolicyStatement:
    """Allow what ``PipelineExperimentConfig`` makes the service do: an experiment, trials, components."""
    actions = [
        f"sagemaker:{verb}{noun}"
        for noun in ("Experiment", "Trial", "TrialComponent")
        for verb in ("Create", "Describe", "Update")
    ]
    return _allow(
        [*actions, "sagemaker:AssociateTrialComponent", "sagemaker:AddTags"],
        *(
            _sagemaker_arn(stack, resource, "*")
            for resource in ("experiment", "experiment-trial", "experiment-trial-component")
        ),
    )


def _sagemaker_arn(stack: Stack, resource: str, name: str) -> str:
    return stack.format_arn(service="sagemaker", resource=resource, resource_name=name)


def _allow(actions: list[str], *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=actions, resources=list(resources))
