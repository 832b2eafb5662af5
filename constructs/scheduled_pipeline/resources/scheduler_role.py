"""The role that EventBridge Scheduler assumes to start a pipeline, and what it may do."""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from scheduled_pipeline.resources.jsii_cache import place_of
from scheduled_pipeline.resources.pipeline import Pipeline
from scheduled_pipeline.resources.role_policy import allow, attach_policy
from scheduled_pipeline.trigger.start_target import START_ACTION


def scheduler_policy(
    scope: Construct,
    construct_id: str,
    *,
    role: iam.IRole,
    pipeline: Pipeline,
    dead_letter_queue: sqs.IQueue,
    encryption_key: kms.IKey | None,
) -> iam.Policy:
    """Let ``role`` start the pipeline, put what cannot be delivered into the queue, and use their keys.

    The scheduler writes to the queue and reads an encrypted schedule with the schedule's role:
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html and
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/encryption-rest.html
    """
    statements = [
        allow([START_ACTION], pipeline.start_arns),
        allow(["sqs:SendMessage"], [dead_letter_queue.queue_arn]),
    ]
    keys = [key for key in (encryption_key, dead_letter_queue.encryption_master_key) if key is not None]
    if keys:
        arns = list(dict.fromkeys(key.key_arn for key in keys))
        statements.append(allow(["kms:Decrypt", "kms:GenerateDataKey"], arns))
    return attach_policy(scope, construct_id, role, statements)


def scheduler_role(scope: Construct, construct_id: str, group: scheduler.IScheduleGroup) -> iam.Role:
    """Make a role that only the schedules of ``group`` in this account can use.

    The group, not a single schedule, is what AWS documents for ``aws:SourceArn`` here:
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
    """
    principal = iam.ServicePrincipal(
        "scheduler.amazonaws.com",
        conditions={
            "StringEquals": {
                "aws:SourceAccount": place_of(scope).account,
                "aws:SourceArn": group.schedule_group_arn,
            }
        },
    )
    return iam.Role(
        scope,
        construct_id,
        assumed_by=principal,
        description="Assumed by EventBridge Scheduler to start one SageMaker pipeline",
    )
