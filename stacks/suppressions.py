"""The findings of cdk-nag that this app accepts: which, where, and why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from scheduled_pipeline import ScheduledPipeline

# A wildcard in the execution role is accepted if one of these matches all of it; any other stays a finding.
_WILDCARDS = (
    (
        r".*:(processing-job|training-job|transform-job|model)/pipelines-\*",
        "SageMaker names what a pipeline starts pipelines-<execution id>-..., known only when it runs",
    ),
    (
        r".*:model-package/[A-Za-z0-9-]+/\*",
        "SageMaker numbers the versions in the one model package group that the pipeline registers to",
    ),
    (
        r".*:experiment-trial/\*",
        "the trial of an execution has its id, known only when it runs; it is made in the one experiment",
    ),
    (
        r".*:experiment-trial-component/pipelines-\*",
        "the component of a trial is named after its job, with the id of the execution",
    ),
    (
        r".*:log-group:/aws/sagemaker/(Processing|Training|Transform)Jobs:\*",
        "a stream for each instance of a job, in the one group of SageMaker's for that kind of job",
    ),
    (
        r".*:log-group:/aws/sagemaker/Endpoints/\*",
        "whatever serves the model logs with its role, in a group named after the endpoint",
    ),
    (
        r".*:s3:::<artifacts>/[A-Za-z0-9-]+/(models/|incoming/)?\*",
        "what the pipeline keeps under its own name in the artifact bucket, below the id of an execution",
    ),
    (
        r".*:s3:::cdk-[a-z0-9]+-assets-[^/]*/(scheduled-pipeline/[A-Za-z0-9-]+|[0-9a-f]{64})/\*",
        "the pipeline's own code, each file below the hash of its content",
    ),
    (
        r".*:s3:::sagemaker-servicecatalog-seedcode-[a-z0-9-]+/dataset/abalone-dataset(\.csv|-batch)\*",
        "AWS's public sample data, read only",
    ),
    (
        r"\*",
        "ecr:GetAuthorizationToken and cloudwatch:PutMetricData know no resource; a namespace binds one",
    ),
)


def acknowledge_findings(pipeline: ScheduledPipeline, artifact_bucket: s3.IBucket) -> None:
    """Acknowledge the findings about the roles and the queue of ``pipeline``, each with its reason."""
    stack = Stack.of(pipeline)
    # The name of a bucket in another stack, as it is now and as cdk-nag sees it.
    bucket = _flat(stack.resolve(artifact_bucket.bucket_name))
    imported = _import_name(artifact_bucket)
    accepted = [
        Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{resource.replace(bucket, imported)}]", reason=reason)
        for resource in _wildcard_resources(stack, pipeline)
        for pattern, reason in _WILDCARDS
        if re.fullmatch(pattern, resource.replace(bucket, "<artifacts>"))
    ]
    Validations.of(pipeline.node.find_child("ExecutionPolicy")).acknowledge(*accepted)
    if pipeline.dead_letter_queue is not None:
        Validations.of(pipeline.dead_letter_queue).acknowledge(
            Acknowledgment(id="AwsSolutions-SQS3", reason="it is the dead-letter queue of the schedules")
        )


def _wildcard_resources(stack: Stack, pipeline: ScheduledPipeline) -> Iterator[str]:
    """Return the resources with a wildcard in the role's policy, written as cdk-nag writes them."""
    policy = pipeline.node.find_child("ExecutionPolicy")
    assert isinstance(policy, iam.Policy)
    for statement in stack.resolve(policy.document.to_json())["Statement"]:
        resources = statement["Resource"]
        for resource in resources if isinstance(resources, list) else [resources]:
            text = _flat(resource)
            if "*" in text:
                yield text


def _flat(value: Any) -> str:
    """Return a resolved template value as text, with ``<...>`` for what only the deployment knows."""
    if isinstance(value, str):
        return value
    ((function, argument),) = value.items()
    if function == "Fn::Join":
        return str(argument[0]).join(_flat(part) for part in argument[1])
    if function == "Fn::Sub":
        return re.sub(r"\$\{([^}]+)\}", r"<\1>", argument)
    if function == "Fn::ImportValue":
        return str(argument)
    return f"<{argument if isinstance(argument, str) else '.'.join(argument)}>"


def _import_name(bucket: s3.IBucket) -> str:
    """Return the name under which another stack imports the bucket's name."""
    stack = Stack.of(bucket)
    return _flat(stack.resolve(stack.export_value(bucket.bucket_name)))
