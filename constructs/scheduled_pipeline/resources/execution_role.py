"""The role that a pipeline's steps run with, and what it may do: what the definition shows that they need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aws_cdk import Annotations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.model import CompiledPipeline
from scheduled_pipeline.definition.permission import EXECUTION_ROLE, Condition, Permission, filled
from scheduled_pipeline.definition.permissions.derive import (
    RunTimePlaces,
    derive,
    run_time_places,
    unknown_resources,
    unknown_steps,
)
from scheduled_pipeline.resources.assets.code_assets import CodeAssets
from scheduled_pipeline.resources.jsii_cache import Place, attribute_of, path_of, place_of
from scheduled_pipeline.resources.role_policy import Statement, allow, attach_policy

UNKNOWN_PLACE = "scheduled-pipeline:unknown-place"
"""Id of the warning of a step whose place in S3 only a run knows, where no data buckets are named."""
UNKNOWN_RESOURCE = "scheduled-pipeline:unknown-resource"
"""Id of the warning of a step whose image, key, role, queue or function the definition does not tell."""
UNKNOWN_PERMISSIONS = "scheduled-pipeline:unknown-permissions"
"""Id of the warning of a step of a type of which nobody can tell what it needs; its name follows."""

# What S3 asks of a key for reading, and for writing in parts.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
_KEY_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey")


def execution_role(scope: Construct, construct_id: str) -> iam.Role:
    """Make a role that SageMaker assumes; it may do nothing yet."""
    principal = iam.ServicePrincipal(
        "sagemaker.amazonaws.com",
        conditions={"StringEqualsIfExists": {"aws:SourceAccount": place_of(scope).account}},
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

    Warns if the role takes no permissions, if a step reads or writes where neither the definition
    nor ``data_buckets`` says, if it uses an image, a key, a role, a queue or a function that the
    definition does not tell, and if nobody can tell what a step of its type needs.

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
        assets: the construct's own uploads, which the role may read, with whatever is in their folder.
    """
    document, place = compiled.document, place_of(scope)
    bound = {**_own_bindings(role, place), **(bindings or {})}
    skipped = {placeholders.ASSET_BUCKET}
    if placeholders.ARTIFACT_BUCKET not in bound:
        skipped.add(placeholders.ARTIFACT_BUCKET)
    permissions = derive(document, pipeline_name=pipeline_name or compiled.pipeline_name)
    statements = [*_statements(permissions, place, bound, skipped)]
    places = run_time_places(document)
    for bucket in data_buckets:
        statements += _data_statements(bucket, places)
    if assets is not None:
        statements += assets.read_statements(scope)
    statements += _key_statements([bucket for bucket in (artifact_bucket, *data_buckets) if bucket])
    if places.unknown and not data_buckets:
        _warn_of_unknown_places(role, places.unknown)
    _warn_of_unknown_resources(role, document)
    _warn_of_unknown_permissions(scope, role, document)
    return attach_policy(scope, construct_id, role, statements)


def _own_bindings(role: iam.IRole, place: Place) -> dict[str, str]:
    partitions = ("aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-eusc")
    return {
        placeholders.ACCOUNT: place.account,
        **{placeholders.role(partition): attribute_of(role, "role_arn") for partition in partitions},
        EXECUTION_ROLE: attribute_of(role, "role_arn"),
    }


def _statements(
    permissions: Iterable[Permission], place: Place, bindings: Mapping[str, str], skipped: set[str]
) -> Iterator[Statement]:
    """Yield the fewest statements that grant the permissions, without those for a skipped bucket."""
    values = {"Partition": place.partition, "Region": place.region, "Account": place.account}

    def bound(text: str) -> str:
        return placeholders.substitute(filled(text, values), bindings)

    found: dict[tuple[tuple[str, ...], tuple[Condition, ...]], dict[str, None]] = {}
    for permission in _of_one_condition(permissions):
        if not any(bucket in resource for bucket in skipped for resource in permission.resources):
            resources = map(bound, permission.resources)
            found.setdefault((permission.actions, permission.conditions), {}).update(dict.fromkeys(resources))
    for (actions, conditions), arns in found.items():
        filled_in = [(one, key, tuple(map(bound, some))) for one, key, some in conditions]
        yield allow(actions, arns, _as_iam_writes_them(filled_in))


def _of_one_condition(permissions: Iterable[Permission]) -> Iterator[Permission]:
    """Merge the permissions that differ only in the values of their single condition."""
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


def _data_statements(bucket: s3.IBucket, places: RunTimePlaces) -> Iterator[Statement]:
    yield allow(["s3:GetObject"], [bucket.arn_for_objects("*")])
    yield allow(["s3:GetBucketLocation", "s3:ListBucket"], [bucket.bucket_arn])
    if places.written:
        yield allow(["s3:AbortMultipartUpload", "s3:PutObject"], [bucket.arn_for_objects("*")])


def _key_statements(buckets: Iterable[s3.IBucket]) -> Iterator[Statement]:
    """Yield one statement for all known encryption keys of the buckets."""
    arns = dict.fromkeys(bucket.encryption_key.key_arn for bucket in buckets if bucket.encryption_key)
    if arns:
        yield allow(_KEY_ACTIONS, arns)


def _as_iam_writes_them(conditions: Iterable[Condition]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for operator, key, values in conditions:
        found.setdefault(operator, {})[key] = list(values) if len(values) > 1 else values[0]
    return found


def _warn_of_unknown_places(role: iam.IRole, steps: Sequence[str]) -> None:
    Annotations.of(role).add_warning_v2(
        UNKNOWN_PLACE,
        f"the definition does not say where in S3 {', '.join(map(repr, steps))} will read or write; "
        "grant it to the execution role, or name the buckets in data_buckets",
    )


def _warn_of_unknown_resources(role: iam.IRole, document: Mapping[str, Any]) -> None:
    for step, member in unknown_resources(document):
        Annotations.of(role).add_warning_v2(
            f"{UNKNOWN_RESOURCE}:{step}.{member}",
            f"the definition does not say what {member} of the step {step!r} will be; "
            "grant the use of it to the execution role",
        )


def _warn_of_unknown_permissions(scope: Construct, role: iam.IRole, document: Mapping[str, Any]) -> None:
    for step, row in unknown_steps(document):
        Annotations.of(role).add_warning_v2(
            f"{UNKNOWN_PERMISSIONS}:{step}",
            f"{path_of(scope)}: nobody can tell what the step {step!r} of type {row.name!r} needs: "
            f"{row.permissions.not_known or 'its row says nothing'}. The role may use what the step's "
            "arguments name and no more; grant the rest to execution_role, then acknowledge this",
        )
