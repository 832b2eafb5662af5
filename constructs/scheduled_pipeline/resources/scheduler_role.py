"""The role that EventBridge Scheduler assumes to start a pipeline."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct


def scheduler_role(scope: Construct, construct_id: str, group: scheduler.IScheduleGroup) -> iam.Role:
    """Make a role that only the schedules of ``group`` in this account can use.

    The group, not a single schedule, is what AWS documents for ``aws:SourceArn`` here:
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
    """
    principal = iam.ServicePrincipal(
        "scheduler.amazonaws.com",
        conditions={
            "StringEquals": {
                "aws:SourceAccount": Stack.of(scope).account,
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
