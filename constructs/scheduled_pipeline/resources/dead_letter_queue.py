"""The queue for starts that EventBridge could not deliver."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct


def dead_letter_queue(scope: Construct, construct_id: str, encryption_key: kms.IKey | None) -> sqs.Queue:
    """Make an encrypted queue that refuses plain HTTP and keeps a message for 14 days, SQS's maximum."""
    return sqs.Queue(
        scope,
        construct_id,
        encryption=sqs.QueueEncryption.SQS_MANAGED if encryption_key is None else sqs.QueueEncryption.KMS,
        encryption_master_key=encryption_key,
        enforce_ssl=True,
        retention_period=Duration.days(14),
    )


def grant_dead_letters(role: iam.IRole, queue: sqs.IQueue) -> None:
    """Let ``role`` put messages into the queue; the L2's grant would also let it look at the queue.

    The scheduler writes to the queue with the schedule's role:
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
    """
    iam.Grant.add_to_principal(grantee=role, actions=["sqs:SendMessage"], resource_arns=[queue.queue_arn])
    if queue.encryption_master_key is not None:
        queue.encryption_master_key.grant_encrypt_decrypt(role)
