"""The role that a pipeline's steps run with, and what it may do: what the definition shows that they need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from aws_cdk import Annotations, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.model import CompiledPipeline
from scheduled_pipeline.definition.permission import EXECUTION_ROLE, Condition, Permission, filled
from scheduled_pipeline.definition.permissions import RunTimePlaces, derive, run_time_places
from scheduled_pipeline.resources.code_assets import CodeAssets
from scheduled_pipeline.resources.role_policy import attach_policy

UNKNOWN_PLACE = "scheduled-pipeline:unknown-place"
"""Id of the warning of a step whose place in S3 only a run knows, where no data buckets are named."""

# What S3 asks of a key for reading, and for writing in parts.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
_KEY_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey")


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


def execution_policy(
    scope: Construct,
    construct_id: str,
    *,
    role: iam.IRole,
    compiled: CompiledPipeline,
    bindings: Mapping[str, str] | None = None,
    pipeline_name: str | None = None,
    artifact_bucket: s3.IBucket | None = None,
    data_buckets: Sequence[s3.IBucket] = (),
    assets: CodeAssets | None = None,
) -> iam.Policy:
    """Let ``role`` run the steps of ``compiled``, and nothing else.

    Warns if the role takes no permissions, and if a step reads or writes where neither the definition
    nor ``data_buckets`` says.

    Args:
        scope: where the policy belongs.
        construct_id: its id there.
        role: made by the construct, or brought in.
        compiled: the pipeline.
        bindings: what stands in the place of each placeholder. A bucket without one is not granted.
        pipeline_name: the physical name. Default: the one that the definition was made with.
        artifact_bucket: if it has a key, the role may use it. What it may do there is in the definition.
        data_buckets: buckets that a parameter of the definition, or the answer of an earlier step, may point
            to. They may be read; and written where some output is a parameter's or an answer's.
        assets: the construct's own uploads, which the role may read, each by its hash.
    """
    document, stack = compiled.document, Stack.of(scope)
    bound = {**_own_bindings(role, stack), **(bindings or {})}
    skipped = {placeholders.ASSET_BUCKET}
    if placeholders.ARTIFACT_BUCKET not in bound:
        skipped.add(placeholders.ARTIFACT_BUCKET)
    permissions = derive(document, pipeline_name=pipeline_name or compiled.pipeline_name)
    statements = [*_statements(permissions, stack, bound, skipped)]
    places = run_time_places(document)
    for bucket in data_buckets:
        statements += _data_statements(bucket, places)
    if assets is not None:
        statements += assets.read_statements(stack)
    statements += _key_statements([bucket for bucket in (artifact_bucket, *data_buckets) if bucket])
    if places.unknown and not data_buckets:
        _warn_of_unknown_places(role, places.unknown)
    return attach_policy(scope, construct_id, role, statements)


def _own_bindings(role: iam.IRole, stack: Stack) -> dict[str, str]:
    partitions = ("aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-eusc")
    return {
        placeholders.ACCOUNT: stack.account,
        **{placeholders.role(partition): role.role_arn for partition in partitions},
        EXECUTION_ROLE: role.role_arn,
    }


def _statements(
    permissions: Iterable[Permission], stack: Stack, bindings: Mapping[str, str], skipped: set[str]
) -> Iterator[iam.PolicyStatement]:
    """Yield as few statements as say the same; what reaches a skipped bucket is left out."""
    values = {"Partition": stack.partition, "Region": stack.region, "Account": stack.account}

    def bound(text: str) -> str:
        return placeholders.substitute(filled(text, values), bindings)

    found: dict[tuple[tuple[str, ...], tuple[Condition, ...]], dict[str, None]] = {}
    for permission in _of_one_condition(permissions):
        if not any(bucket in resource for bucket in skipped for resource in permission.resources):
            resources = map(bound, permission.resources)
            found.setdefault((permission.actions, permission.conditions), {}).update(dict.fromkeys(resources))
    for (actions, conditions), arns in found.items():
        yield _allow(actions, arns, [(one, key, tuple(map(bound, some))) for one, key, some in conditions])


def _of_one_condition(permissions: Iterable[Permission]) -> Iterator[Permission]:
    """Yield permissions, as one those that differ in nothing but the values of their only condition."""
    found: dict[tuple[object, ...], tuple[Permission, dict[str, None]]] = {}
    for permission in permissions:
        if len(permission.conditions) == 1:
            ((operator, key, values),) = permission.conditions
            same = (permission.actions, permission.resources, operator, key)
            found.setdefault(same, (permission, {}))[1].update(dict.fromkeys(values))
        else:
            found.setdefault((permission,), (permission, {}))
    for permission, every in found.values():
        if every:
            operator, key, _ = permission.conditions[0]
            yield replace(permission, conditions=((operator, key, tuple(every)),))
        else:
            yield permission


def _data_statements(bucket: s3.IBucket, places: RunTimePlaces) -> Iterator[iam.PolicyStatement]:
    yield _allow(["s3:GetObject"], [bucket.arn_for_objects("*")])
    yield _allow(["s3:GetBucketLocation", "s3:ListBucket"], [bucket.bucket_arn])
    if places.written:
        yield _allow(["s3:AbortMultipartUpload", "s3:PutObject"], [bucket.arn_for_objects("*")])


def _key_statements(buckets: Iterable[s3.IBucket]) -> Iterator[iam.PolicyStatement]:
    """Yield one statement for the keys of the buckets that have one that is known."""
    arns = dict.fromkeys(bucket.encryption_key.key_arn for bucket in buckets if bucket.encryption_key)
    if arns:
        yield _allow(_KEY_ACTIONS, arns)


def _allow(
    actions: Iterable[str], resources: Iterable[str], conditions: Iterable[Condition] = ()
) -> iam.PolicyStatement:
    statement = iam.PolicyStatement(actions=list(actions), resources=list(resources))
    for operator, key, values in conditions:
        statement.add_condition(operator, {key: list(values) if len(values) > 1 else values[0]})
    return statement


def _warn_of_unknown_places(role: iam.IRole, steps: Sequence[str]) -> None:
    Annotations.of(role).add_warning_v2(
        UNKNOWN_PLACE,
        f"the definition does not say where in S3 {', '.join(map(repr, steps))} will read or write; "
        "grant it to the execution role, or name the buckets in data_buckets",
    )
