"""The queue for starts that EventBridge could not deliver."""

from __future__ import annotations

from weakref import WeakSet

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

_open: WeakSet[sqs.IQueue] = WeakSet()


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


def let_rules_send(queue: sqs.IQueue) -> None:
    """Let every rule of the account send to ``queue``, which many rules use.

    A queue's policy has room for a few rules by name: 8,192 bytes, 20 statements and 10 conditions.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-quotas.html
    """
    stack = Stack.of(queue)
    rules = stack.format_arn(service="events", resource="rule", resource_name="*")
    conditions = {"StringEquals": {"aws:SourceAccount": stack.account}, "ArnLike": {"aws:SourceArn": rules}}
    service = iam.ServicePrincipal("events.amazonaws.com")
    send = iam.PolicyStatement(
        actions=["sqs:SendMessage"], principals=[service], resources=[queue.queue_arn], conditions=conditions
    )
    added = queue.add_to_resource_policy(send).statement_added
    if queue.encryption_master_key is not None:
        use = iam.PolicyStatement(
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            principals=[service],
            resources=["*"],  # of a key's own policy: this key
            conditions=conditions,
        )
        added = queue.encryption_master_key.add_to_resource_policy(use).statement_added and added
    if added:
        _open.add(queue)


def takes_all_rules(queue: sqs.IQueue) -> bool:
    """Whether every rule of the account may send to ``queue`` already."""
    return queue in _open
