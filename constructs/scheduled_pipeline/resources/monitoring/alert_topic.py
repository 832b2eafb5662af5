"""The topic that alerts go to: who may publish to it, and with which key."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

from aws_cdk import Annotations, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct, IConstruct

from scheduled_pipeline.resources.jsii_cache import attribute_of, is_token, path_of, place_of

FOREIGN_TOPIC = "scheduled-pipeline:foreign-topic"
"""Id of the warning of a topic or key whose policy belongs to somebody else; the kind is put behind it."""
_PUBLISHERS = ("events.amazonaws.com", "cloudwatch.amazonaws.com")
# The accounts whose alerts a topic lets in already: each pipeline asks for the same.
_allowed: WeakKeyDictionary[sns.ITopic, set[str]] = WeakKeyDictionary()


class AlertTopic(sns.Topic):
    """A topic for the alerts of any number of pipelines: encrypted, and closed to plain HTTP.

    EventBridge and CloudWatch may publish to it and use its key. The key that AWS manages for SNS cannot be
    used: its policy does not let them, and what they send is lost without a trace
    (https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html).

    Args:
        scope: where it belongs.
        construct_id: its id there.
        encryption_key: encrypts the messages. Default: a new key, rotated every year, which goes
            with the stack.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, encryption_key: kms.IKey | None = None
    ) -> None:
        key = encryption_key or kms.Key(
            scope,
            f"{construct_id}Key",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.DESTROY,  # the topic keeps no message that it encrypts
            description="Encrypts the alerts of SageMaker pipelines",
        )
        super().__init__(scope, construct_id, master_key=key, enforce_ssl=True)
        allow_alerts(self, self)


def allow_alerts(topic: sns.ITopic, scope: IConstruct) -> None:
    """Let EventBridge and the account's CloudWatch alarms publish to ``topic``, and use its key.

    A topic with a policy of its own has lost the default one, which let CloudWatch publish.

    Args:
        topic: of this app, or brought in; then a warning says what its policy and its key's need.
        scope: what sends the alerts; the warnings are put here.

    Raises:
        ValueError: EventBridge and CloudWatch cannot send to it: it is in another Region, or FIFO.
    """
    _check_topic(topic, scope)
    account = place_of(scope).account
    if account in _allowed.setdefault(topic, set()):
        return
    publishing = [_publish(topic, account, service) for service in _PUBLISHERS]
    if _refuses(topic, publishing):
        _warn(scope, "topic", topic.topic_arn, publishing[0].actions)
    key = topic.master_key
    if key is not None:
        using = [_use(service) for service in _PUBLISHERS]
        if _refuses(key, using):
            _warn(scope, "key", key.key_arn, using[0].actions)
    _allowed[topic].add(account)


def _check_topic(topic: sns.ITopic, scope: IConstruct) -> None:
    """Refuse a topic in another Region than the rules and alarms, and a FIFO topic.

    FIFO topics deliver neither e-mail nor what comes without a message group.
    https://repost.aws/knowledge-center/sns-not-getting-eventbridge-notification
    https://docs.aws.amazon.com/sns/latest/dg/fifo-message-delivery.html
    """
    arn, own = attribute_of(topic, "topic_arn"), place_of(scope).region
    region = place_of(topic).region if is_token(arn) else arn.split(":")[3]
    if region != own and not is_token(region) and not is_token(own):
        raise ValueError(f"{path_of(scope)}: notify must be a topic in {own}, got one in {region}")
    if not isinstance(topic, AlertTopic) and topic.fifo:
        raise ValueError(f"{path_of(scope)}: notify must be a standard topic, got a FIFO topic")


def _publish(topic: sns.ITopic, account: str, service: str) -> iam.PolicyStatement:
    statement = iam.PolicyStatement(
        actions=["sns:Publish"], principals=[iam.ServicePrincipal(service)], resources=[topic.topic_arn]
    )
    # Not for EventBridge: "You can't use Condition blocks in Amazon SNS topic policies for EventBridge."
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html
    if service == "cloudwatch.amazonaws.com":
        statement.add_condition("StringEquals", {"aws:SourceAccount": account})
    return statement


def _use(service: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=["kms:Decrypt", "kms:GenerateDataKey*"],
        principals=[iam.ServicePrincipal(service)],
        resources=["*"],  # of a key's own policy: this key
    )


def _refuses(resource: sns.ITopic | kms.IKey, statements: Sequence[iam.PolicyStatement]) -> bool:
    added = [resource.add_to_resource_policy(statement) for statement in statements]
    return not all(one.statement_added for one in added)


def _warn(scope: IConstruct, kind: str, arn: str, needed: Sequence[str]) -> None:
    Annotations.of(scope).add_warning_v2(
        f"{FOREIGN_TOPIC}:{kind}",
        f"the policy of the {kind} {arn} cannot be changed from here; let {' and '.join(_PUBLISHERS)} do "
        f"{' and '.join(needed)}, or alerts are lost",
    )
