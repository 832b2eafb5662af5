"""What the resources need that a step's arguments name: images, keys, networks, secrets, roles; and its logs.

Each is scoped to what the definition names. The actions that IAM cannot scope have no resource type in the
Service Authorization Reference (https://docs.aws.amazon.com/service-authorization/latest/reference/).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scheduled_pipeline.definition.parsed import PlacedStep, is_expression
from scheduled_pipeline.definition.permission import (
    EVERYTHING,
    EXECUTION_ROLE,
    Permission,
    allow,
    arn,
    pass_role,
)
from scheduled_pipeline.definition.resolve import Resolver, members
from scheduled_pipeline.definition.step_types.calls import invoke
from scheduled_pipeline.definition.step_types.table import step_type

# What only the deployment knows: the placeholder of a value, or what the CLI writes in its place.
_LATE = r"(?:<[^<>]+>|scheduled-pipeline-value-[a-z0-9-]+)"
_IMAGE = re.compile(
    rf"(\d{{12}}|{_LATE})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+|{_LATE})"
    r"\.(?:[a-z0-9.-]|<[^<>]+>)+/((?:[a-z0-9._/-]|<[^<>]+>)+)"
)
_SECRET = re.compile(r"arn:[^:]+:secretsmanager:[^:]*:[^:]*:secret:[^\s\"',;*?]+")

# https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html, "If you specify a private VPC".
_INTERFACE_ACTIONS = tuple(
    f"ec2:{verb}NetworkInterface{kind}" for verb in ("Create", "Delete") for kind in ("", "Permission")
)
_DESCRIBE_NETWORK = tuple(
    f"ec2:Describe{what}"
    for what in ("NetworkInterfaces", "Vpcs", "DhcpOptions", "Subnets", "SecurityGroups")
)
_IMAGE_ACTIONS = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_ROLE_MEMBERS = ("RoleArn", "ExecutionRoleArn")


def permissions(step: PlacedStep, resolver: Resolver) -> Iterator[Permission]:
    """Yield what a step needs for the resources that its arguments name, and for its containers."""
    row = step_type(step.type)
    if not row.uses_resources:
        return
    own = [(name, value) for _, name, value in members(dict(_own_arguments(step)))]
    yield from _images(step, own, resolver)
    yield from _observability(step, row.log_groups)
    yield from _keys(step, own, resolver)
    yield from _networks(step, own, resolver)
    yield from _file_systems(step, own, resolver)
    yield from _secrets(step, own, resolver)
    if row.passes_roles:
        yield from _passed_roles(step, own, resolver)


def unknown(step: PlacedStep, resolver: Resolver) -> Iterator[str]:
    """Yield the members by which a step names something that the definition does not tell."""
    for _, name, value in members(dict(_own_arguments(step))):
        if "Image" in name or name in _ROLE_MEMBERS or name.endswith("KmsKeyId"):
            found = resolver.literal(value)
            late = "Image" in name and found and re.search(_LATE, found) and not _IMAGE.match(found)
            if late or (found is None and is_expression(value)):
                yield name
    own = step_type(step.type).unknown
    if own is not None:
        yield from own(step, resolver)


def _own_arguments(step: PlacedStep) -> Iterator[tuple[str, Any]]:
    for path, value in step.own_parts():
        if path.startswith(f"{step.path}.Arguments."):
            yield path.rpartition(".Arguments.")[2], value


def _passed_roles(step: PlacedStep, own: list[tuple[str, Any]], resolver: Resolver) -> Iterator[Permission]:
    """Yield the permission to hand on the roles that jobs and models are to run with.

    "To pass any role to a SageMaker job within a pipeline, the iam:PassRole permission for the role that is
    being passed": https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-access.html
    """
    for name, value in own:
        role = resolver.literal(value) if name in _ROLE_MEMBERS else None
        if role is not None and role.startswith("arn:"):
            yield pass_role(role, "sagemaker.amazonaws.com", "the step's job runs with this role", step.name)


def _images(step: PlacedStep, own: list[tuple[str, Any]], resolver: Resolver) -> Iterator[Permission]:
    repositories = []
    for name, value in own:
        match = _IMAGE.match(resolver.text(value).text) if "Image" in name else None
        if match is not None:
            repositories.append(arn("ecr", f"repository/{match[3]}", region=match[2], account=match[1]))
    if repositories:
        reason = "the step pulls its image"
        yield allow(
            "ecr:GetAuthorizationToken", EVERYTHING, "ECR gives a token for all of it", step=step.name
        )
        yield allow(_IMAGE_ACTIONS, repositories, reason, step=step.name)


def _observability(step: PlacedStep, groups: Sequence[str]) -> Iterator[Permission]:
    if not groups:
        return
    # The group, and the streams in it.
    names = dict.fromkeys(
        f"log-group:{name}"
        for group in groups
        for name in (group, group if group.endswith("*") else f"{group}:*")
    )
    actions = [f"logs:{verb}" for verb in ("CreateLogGroup", "CreateLogStream")]
    actions += ["logs:DescribeLogStreams", "logs:PutLogEvents"]
    yield allow(actions, [arn("logs", name) for name in names], "containers write logs", step=step.name)
    namespaces = tuple(f"{group.removesuffix('/*')}*" for group in groups)
    condition = ("StringLike", "cloudwatch:namespace", namespaces)
    reason = "instances write their utilization; IAM scopes that by namespace"
    yield allow("cloudwatch:PutMetricData", EVERYTHING, reason, step=step.name, conditions=[condition])


def _keys(step: PlacedStep, own: list[tuple[str, Any]], resolver: Resolver) -> Iterator[Permission]:
    """Yield the use of each key that is named, for volumes or for what is written.

    https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html names Encrypt and CreateGrant; an
    upload in parts to S3 needs GenerateDataKey and Decrypt:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
    """
    for name, value in own:
        key = resolver.literal(value) if name.endswith("KmsKeyId") else None
        if key is None:
            continue
        resource, conditions = _key(key)
        if name.startswith("Volume"):
            for_aws = ("Bool", "kms:GrantIsForAWSResource", ("true",))
            reason = "the volumes of the instances are encrypted with the key"
            yield allow(
                "kms:CreateGrant", resource, reason, step=step.name, conditions=[for_aws, *conditions]
            )
            yield allow("kms:DescribeKey", resource, reason, step=step.name, conditions=conditions)
        else:
            actions = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey")
            reason = "what the step writes is encrypted with the key"
            yield allow(actions, resource, reason, step=step.name, conditions=conditions)


def _key(key: str) -> tuple[str, list[tuple[str, str, tuple[str, ...]]]]:
    """Return the ARN of a key, and the condition if it is named by an alias, which is no resource for IAM.

    https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
    """
    place, slash, alias = key.rpartition("alias/")
    if slash:
        condition = ("ForAnyValue:StringEquals", "kms:ResourceAliases", (f"alias/{alias}",))
        return f"{place}key/*" if place else arn("kms", "key/*"), [condition]
    # A placeholder may be an ARN, and a text of another form is none.
    is_arn = key.startswith("arn:") or re.search(_LATE, key) is not None
    return key if is_arn else arn("kms", f"key/{key}"), []


def _networks(step: PlacedStep, own: list[tuple[str, Any]], resolver: Resolver) -> Iterator[Permission]:
    for name, value in own:
        if name != "VpcConfig" or not isinstance(value, Mapping) or not value:
            continue
        places = [arn("ec2", "network-interface/*")]
        for member, kind in (("Subnets", "subnet"), ("SecurityGroupIds", "security-group")):
            ids = value.get(member)
            known = [resolver.literal(one) for one in ids] if isinstance(ids, list) else [None]
            places += [arn("ec2", f"{kind}/{one or '*'}") for one in known]
        reason = "the step's instances get an interface in the network"
        yield allow(_INTERFACE_ACTIONS, places, reason, step=step.name)
        yield allow(_DESCRIBE_NETWORK, EVERYTHING, "EC2 describes all of a network or none", step=step.name)


def _file_systems(step: PlacedStep, own: list[tuple[str, Any]], resolver: Resolver) -> Iterator[Permission]:
    """Yield the looking up of file systems that a channel reads.

    The managed policy ``AmazonSageMakerFullAccess`` has these for it; no page lists them one by one:
    https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSageMakerFullAccess.html
    """
    for name, value in own:
        if name != "FileSystemDataSource" or not isinstance(value, Mapping):
            continue
        reason = "the job looks up the file system that it mounts"
        if resolver.literal(value.get("FileSystemType")) == "EFS":
            system = resolver.literal(value.get("FileSystemId")) or "*"
            actions = ("elasticfilesystem:DescribeFileSystems", "elasticfilesystem:DescribeMountTargets")
            yield allow(actions, arn("elasticfilesystem", f"file-system/{system}"), reason, step=step.name)
        else:
            yield allow("fsx:DescribeFileSystems", EVERYTHING, reason, step=step.name)


def _secrets(step: PlacedStep, own: list[tuple[str, Any]], resolver: Resolver) -> Iterator[Permission]:
    """Yield the reading of secrets that are named, and the functions that answer for a private registry."""
    for name, value in own:
        if name.endswith("CredentialsProviderArn"):
            reason = "the function gives the credentials of a private registry"
            yield from invoke(step, value, resolver, reason)
        found = _SECRET.findall(resolver.text(value).text)
        if found:
            yield allow(
                "secretsmanager:GetSecretValue", found, "the step's container reads it", step=step.name
            )


def own_role() -> Permission:
    """Return the permission to hand on the role itself: a step that names none takes the pipeline's."""
    reason = "a step runs with the pipeline's own role unless it names another"
    return pass_role(EXECUTION_ROLE, "sagemaker.amazonaws.com", reason)
