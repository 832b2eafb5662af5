"""The queue for starts that EventBridge could not deliver, and who may send to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from scheduled_pipeline.resources.role_policy import least_size

MAX_QUEUE_POLICY_CHARACTERS = 8_192
"""What SQS allows for the policy of a queue; it also allows 20 statements and 10 conditions at most.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-quotas.html
"""


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


class RuleSenders:
    """The rules that send what they cannot deliver to one queue.

    For a rule it is the queue's policy that counts, not a role's. All rules are in one statement, as a policy
    has room for 20. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html

    Attributes:
        takes_queue: whether the policy of the queue could be changed.
        takes_key: whether that of its key could be, or there is none.
    """

    def __init__(self) -> None:
        self._arns: list[str] = []
        self._statements: list[iam.PolicyStatement] = []
        self._all = False
        self.takes_queue = self.takes_key = True

    @classmethod
    def of(cls, queue: sqs.IQueue) -> RuleSenders:
        """Return those of a queue."""
        return _senders.setdefault(queue, cls())

    def add(self, queue: sqs.IQueue, rule_arns: Sequence[str]) -> None:
        """Let a rule send to the queue.

        Args:
            queue: the queue.
            rule_arns: the ARN of the rule; several if only the deployment knows which one is right.

        Raises:
            ValueError: the policy of the queue is larger than SQS allows.
        """
        if self._all:
            return
        self._arns += rule_arns
        arns = self._arns if len(self._arns) > 1 else self._arns[0]
        self._let(queue, {"ArnLike": {"aws:SourceArn": arns}})
        size = least_size([self._statements[0].to_json()])
        if self.takes_queue and size > MAX_QUEUE_POLICY_CHARACTERS:
            raise ValueError(
                f"{queue.node.path}: {len(self._arns)} rules send to this queue what they cannot "
                f"deliver; its policy has at least {size:,} characters, and SQS allows "
                f"{MAX_QUEUE_POLICY_CHARACTERS:,}; give some of the pipelines another dead_letter_queue"
            )

    def add_all(self, queue: sqs.IQueue) -> None:
        """Let every rule of the account send to the queue, which many stacks use."""
        stack = Stack.of(queue)
        rules = stack.format_arn(service="events", resource="rule", resource_name="*")
        conditions = {
            "StringEquals": {"aws:SourceAccount": stack.account},
            "ArnLike": {"aws:SourceArn": rules},
        }
        self._let(queue, conditions)
        self._all = self.takes_queue and self.takes_key

    def _let(self, queue: sqs.IQueue, conditions: Mapping[str, Any]) -> None:
        """Say in the policies of the queue and of its key under which conditions EventBridge may use them."""
        if self._statements:
            for statement in self._statements:
                statement.add_conditions(conditions)
            return
        send = _statement(["sqs:SendMessage"], queue.queue_arn, conditions)
        self._statements.append(send)
        self.takes_queue = queue.add_to_resource_policy(send).statement_added
        if (key := queue.encryption_master_key) is not None:
            # The resource of a key's own policy is this key.
            use = _statement(["kms:Decrypt", "kms:GenerateDataKey"], "*", conditions)
            self._statements.append(use)
            self.takes_key = key.add_to_resource_policy(use).statement_added


def _statement(actions: Sequence[str], resource: str, conditions: Mapping[str, Any]) -> iam.PolicyStatement:
    principal = iam.ServicePrincipal("events.amazonaws.com")
    return iam.PolicyStatement(
        actions=actions, principals=[principal], resources=[resource], conditions=conditions
    )


_senders: WeakKeyDictionary[sqs.IQueue, RuleSenders] = WeakKeyDictionary()
