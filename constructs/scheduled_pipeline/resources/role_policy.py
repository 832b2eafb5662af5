"""Attaches a policy to a role, which may come from another stack or account."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aws_cdk import Annotations, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from scheduled_pipeline.resources.jsii_cache import path_of

IMMUTABLE_ROLE = "scheduled-pipeline:immutable-role"
"""Id of the warning of a role that was brought in and takes no permissions."""

MAX_INLINE_CHARACTERS = 10_240
"""What IAM allows for all inline policies of a role together, white space not counted."""
MAX_MANAGED_CHARACTERS = 6_144
"""What IAM allows for a managed policy, white space not counted."""
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html

# What only the deployment knows is hardly shorter than this: `aws`, `us-east-1`, an account, a bucket's name.
_LEAST_OF_A_TOKEN: Mapping[str, int] = {"AWS.Partition": 3, "AWS.Region": 9}
_LEAST_OF_ANOTHER = 12
_TOKEN = re.compile(r"\$\{Token\[([^\]]*?)(?:\.\d+)?\]\}")

Statement = Mapping[str, Any]
"""A statement of a policy, as IAM writes it; a whole policy of them is one call to the CDK."""


def allow(
    actions: Iterable[str], resources: Iterable[str], conditions: Mapping[str, Any] | None = None
) -> Statement:
    """Return a statement that allows ``actions`` on ``resources``."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return {**statement, "Condition": conditions} if conditions else statement


def least_size(statements: Iterable[Mapping[str, Any]]) -> int:
    """Return how many characters a policy of these statements has at least."""
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    text = json.dumps(document, separators=(",", ":"))
    return len(_TOKEN.sub(lambda match: "x" * _LEAST_OF_A_TOKEN.get(match[1], _LEAST_OF_ANOTHER), text))


def attach_policy(
    scope: Construct, construct_id: str, role: iam.IRole, statements: Sequence[Statement]
) -> iam.Policy:
    """Make a policy in ``scope`` and attach it to ``role``; what needs the permissions depends on it.

    It is not added to the role's own default policy: that of a role in another stack would refer
    back to this one, a cycle. A role that takes no policy is warned of, with what it needs.

    Raises:
        ValueError: the policy is larger than IAM allows.
    """
    document = iam.PolicyDocument.from_json({"Version": "2012-10-17", "Statement": list(statements)})
    policy = iam.Policy(scope, construct_id, document=document)
    role.attach_inline_policy(policy)
    # A role that was made in this app takes every policy.
    if not statements:
        return policy
    if not isinstance(role, iam.Role) and not _is_attached(policy):
        needed = ", ".join(sorted({action for statement in statements for action in statement["Action"]}))
        Annotations.of(scope).add_warning_v2(
            IMMUTABLE_ROLE, f"{role.node.path} takes no permissions from here; it must already have {needed}"
        )
    elif (size := least_size(statements)) > MAX_INLINE_CHARACTERS:
        raise ValueError(
            f"{path_of(policy)}: the policy has at least {size:,} characters, and IAM allows "
            f"{MAX_INLINE_CHARACTERS:,} for a role; let the steps use fewer places in S3, or make "
            "several pipelines of them"
        )
    return policy


def _is_attached(policy: iam.Policy) -> bool:
    resource = policy.node.default_child
    assert isinstance(resource, iam.CfnPolicy)
    return bool(Stack.of(policy).resolve(resource.roles))
