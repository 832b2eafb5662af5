"""Whether a bucket of the app sends its events to EventBridge."""

from __future__ import annotations

from typing import Any

import jsii
from aws_cdk import Reference, Token, Tokenization
from aws_cdk import aws_s3 as s3
from constructs import IConstruct, IValidation

from scheduled_pipeline.trigger.event import EventTrigger


@jsii.implements(IValidation)
class BucketEventsValidation:
    """Finds, when the app is synthesized, a trigger on a bucket of the app that sends no events.

    Only then is it known what the bucket was asked to send. A bucket that is not in the app, or is
    named by a literal, cannot be seen.
    """

    def __init__(self, trigger: EventTrigger, where: str) -> None:
        self._trigger = trigger
        self._where = where

    @jsii.member(jsii_name="validate")
    def validate(self) -> list[str]:
        """Return one sentence for each bucket that sends nothing."""
        buckets = [bucket_of(name) for name in _bucket_names(self._trigger)]
        return [
            f"{self._where}: the bucket {bucket.node.path} sends no events to EventBridge, "
            "so this would never start anything; give it event_bridge_enabled=True"
            for bucket in buckets
            if bucket is not None and not _sends_events(bucket)
        ]


def bucket_of(name: str) -> s3.CfnBucket | None:
    """Return the bucket of the app that a name refers to, in whatever stack it is."""
    reference = Tokenization.reverse_string(name).first_token if Token.is_unresolved(name) else None
    target = reference.target if isinstance(reference, Reference) else None
    return target if isinstance(target, s3.CfnBucket) else None


def _bucket_names(trigger: EventTrigger) -> list[str]:
    pattern: Any = trigger.event_pattern or {}
    if pattern.get("source") != ["aws.s3"]:
        return []
    names = pattern.get("detail", {}).get("bucket", {}).get("name", [])
    return [name for name in names if isinstance(name, str)]


def _sends_events(bucket: s3.CfnBucket) -> bool:
    """Look at both ways: the property of the resource, and the custom resource that the L2 makes."""
    if bucket.notification_configuration is not None:
        return True
    owner: IConstruct | None = bucket.node.scope
    return owner is not None and owner.node.try_find_child("Notifications") is not None
