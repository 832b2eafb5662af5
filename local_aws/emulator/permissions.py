"""What IAM decides about a start: may the service assume the role, and may the role (or the service) act.

Only the path from a trigger to its pipeline and its dead-letter queue is checked; all else is allowed,
whoever makes it.
"""

from __future__ import annotations

import json
from typing import Any, Final

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam, sqs

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


def role_allows(role_arn: str, action: str, resource_arn: str) -> bool:
    """Whether the role's inline and attached policies allow the action on the resource."""
    role = _role(role_arn)
    if role is None:
        return False
    policies = iam_evaluator._gather_role_policies(role["RoleName"], get_account_id())
    decision = iam_evaluator.evaluate(_context(action, resource_arn, None), policies)
    return bool(decision.decision == "Allow")


def queue_allows(queue_arn: str, service: str, source_arn: str) -> bool:
    """Whether the policy of an SQS queue lets the service send to it on behalf of ``source_arn``."""
    found = sqs.queue_policy_for_arn(queue_arn)
    if found is None:
        return False
    context = _context("sqs:SendMessage", queue_arn, source_arn)
    decision = iam_evaluator.evaluate_resource_policy(found[0], context, service=service)
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


def _context(action: str, resource_arn: str, source_arn: str | None) -> Any:
    source = {"aws:sourcearn": source_arn, "aws:sourceaccount": get_account_id()} if source_arn else {}
    return iam_evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=resource_arn,
        region=get_region(),
        service_context=source,
    )
