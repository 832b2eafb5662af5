"""What IAM decides: may a service assume a role, and may the role (or the service) act.

What is checked is the path from a trigger to its pipeline and its dead-letter queue, the role that a stack is
deployed with, the delivery of access logs, and the function that empties buckets; all else is allowed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam, s3, sqs

SCHEDULER: Final = "scheduler.amazonaws.com"
EVENTS: Final = "events.amazonaws.com"


def role_trusts(role_arn: str, service: str, source_arn: str) -> bool:
    """Whether the trust policy of the role lets the service assume it on behalf of ``source_arn``.

    Follows "Cross-service confused deputy prevention": the source is the schedule group for EventBridge
    Scheduler and the rule for EventBridge, in ``aws:SourceArn``, with its account in ``aws:SourceAccount``.
    """
    role = _role(role_arn)
    if role is None:
        return False
    context = _context("sts:AssumeRole", role_arn, source_arn)
    document = role["AssumeRolePolicyDocument"]
    decision = iam_evaluator.evaluate_resource_policy(_with_resource(document), context, service=service)
    return bool(decision.decision == "Allow")


def role_allows(role_arn: str, action: str, resource_arn: str, keys: Mapping[str, str] | None = None) -> bool:
    """Whether the role's inline and attached policies allow the action, with these condition keys."""
    role = _role(role_arn)
    if role is None:
        return False
    policies = iam_evaluator._gather_role_policies(role["RoleName"], get_account_id())
    context = _context(action, resource_arn, None)
    context.service_context.update(keys or {})
    decision = iam_evaluator.evaluate(context, policies)
    return bool(decision.decision == "Allow")


def queue_allows(queue_arn: str, service: str, source_arn: str) -> bool:
    """Whether the policy of an SQS queue lets the service send to it on behalf of ``source_arn``."""
    found = sqs.queue_policy_for_arn(queue_arn)
    return found is not None and _allows(found[0], "sqs:SendMessage", queue_arn, service, source_arn)


def bucket_allows(object_arn: str, action: str, service: str, source_arn: str) -> bool:
    """Whether the policy of the object's bucket lets the service act on behalf of ``source_arn``."""
    found = s3.bucket_policy_for_arn(object_arn)
    return found is not None and _allows(found[0], action, object_arn, service, source_arn)


def role_may(role_arn: str, action: str, resource_arn: str) -> bool:
    """Whether the role's policies or the resource's own allow the action, and neither denies it."""
    role = _role(role_arn)
    if role is None:
        return False
    context = _context(action, resource_arn, None, principal_arn=role_arn)
    own = iam_evaluator.evaluate(
        context, iam_evaluator._gather_role_policies(role["RoleName"], get_account_id())
    )
    policy, owner = iam_evaluator._resource_policy(action.partition(":")[0], resource_arn) or (None, None)
    decision = iam_evaluator.combine_resource_policy(own, context, policy, owner)
    return bool(decision.decision == "Allow")


def _allows(policy: Any, action: str, resource_arn: str, service: str, source_arn: str) -> bool:
    context = _context(action, resource_arn, source_arn)
    decision = iam_evaluator.evaluate_resource_policy(policy, context, service=service)
    return bool(decision.decision == "Allow")


def _role(role_arn: str) -> Any:
    role = iam._roles.get(role_arn.rpartition("/")[2])
    return role if role is not None and role["Arn"] == role_arn else None


def _with_resource(document: Any) -> Any:
    # A trust policy has no Resource, which the evaluator would read as "matches nothing".
    document = json.loads(document) if isinstance(document, str) else document
    statements = document.get("Statement", [])
    statements = [statements] if isinstance(statements, dict) else statements
    return {**document, "Statement": [{**statement, "Resource": "*"} for statement in statements]}


def _context(action: str, resource_arn: str, source_arn: str | None, principal_arn: str = "*") -> Any:
    source = {"aws:sourcearn": source_arn, "aws:sourceaccount": get_account_id()} if source_arn else {}
    return iam_evaluator.EvalContext(
        principal_arn=principal_arn,
        principal_type="Service" if principal_arn == "*" else "AssumedRole",
        principal_account="" if principal_arn == "*" else get_account_id(),
        action=action,
        resource_arn=resource_arn,
        region=get_region(),
        secure_transport=True,
        service_context=source,
    )
