"""Whether a bucket of the app sends its events to EventBridge."""

from __future__ import annotations

from typing import Any

import jsii
from aws_cdk import Stack, Token
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct, IValidation

from scheduled_pipeline.trigger.event import EventTrigger


@jsii.implements(IValidation)
class BucketEventsValidation:
    """Finds, when the app is synthesized, a trigger on a bucket of the app that sends no events.

    Only then is it known what the bucket was asked to send. A bucket that is not in the app, or is
    named by a literal, cannot be seen.
    """

    def __init__(self, scope: Construct, trigger: EventTrigger, where: str) -> None:
        self._scope = scope
        self._trigger = trigger
        self._where = where

    @jsii.member(jsii_name="validate")
    def validate(self) -> list[str]:
        """Return one sentence for each bucket that sends nothing."""
        return [
            f"{self._where}: the bucket {bucket.node.path} sends no events to EventBridge, "
            "so this would never start anything; give it event_bridge_enabled=True"
            for name in _bucket_names(self._trigger)
            if Token.is_unresolved(name)
            for bucket in self._buckets(name)
            if not _sends_events(bucket)
        ]

    def _buckets(self, name: str) -> list[s3.CfnBucket]:
        wanted = Stack.of(self._scope).resolve(name)
        return [
            node
            for node in self._scope.node.root.node.find_all()
            if isinstance(node, s3.CfnBucket) and node.stack.resolve(node.ref) == wanted
        ]


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
