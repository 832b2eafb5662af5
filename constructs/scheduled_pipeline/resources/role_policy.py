"""A policy of ours on a role that may be somebody else's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aws_cdk import Annotations, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

IMMUTABLE_ROLE = "scheduled-pipeline:immutable-role"
"""Id of the warning of a role that was brought in and takes no permissions."""


Statement = Mapping[str, Any]
"""A statement of a policy, as IAM writes it; a whole policy of them is one call to the CDK."""


def allow(
    actions: Iterable[str], resources: Iterable[str], conditions: Mapping[str, Any] | None = None
) -> Statement:
    """Return a statement that allows ``actions`` on ``resources``."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return {**statement, "Condition": conditions} if conditions else statement


def attach_policy(
    scope: Construct, construct_id: str, role: iam.IRole, statements: Sequence[Statement]
) -> iam.Policy:
    """Make a policy in ``scope`` and attach it to ``role``; what needs the permissions depends on it.

    It is not added to the role's own default policy: that of a role in another stack would refer
    back to this one, a cycle. A role that takes no policy is warned of, with what it needs.
    """
    document = iam.PolicyDocument.from_json({"Version": "2012-10-17", "Statement": list(statements)})
    policy = iam.Policy(scope, construct_id, document=document)
    role.attach_inline_policy(policy)
    # A role that was made in this app takes every policy.
    if statements and not isinstance(role, iam.Role) and not _is_attached(policy):
        needed = ", ".join(sorted({action for statement in statements for action in statement["Action"]}))
        Annotations.of(scope).add_warning_v2(
            IMMUTABLE_ROLE, f"{role.node.path} takes no permissions from here; it must already have {needed}"
        )
    return policy


def _is_attached(policy: iam.Policy) -> bool:
    resource = policy.node.default_child
    assert isinstance(resource, iam.CfnPolicy)
    return bool(Stack.of(policy).resolve(resource.roles))
