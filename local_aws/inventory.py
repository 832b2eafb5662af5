"""What an account holds in a Region, by kind and name: the check that nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """Names by kind. What every account has on AWS, the ``default`` group and AWS's own roles, is left out.

    A schedule is ``group/name``, a rule ``bus/name``, and an inline policy ``role/name``.
    """

    stacks: tuple[str, ...]
    pipelines: tuple[str, ...]
    schedules: tuple[str, ...]
    schedule_groups: tuple[str, ...]
    rules: tuple[str, ...]
    roles: tuple[str, ...]
    policies: tuple[str, ...]
    queues: tuple[str, ...]
    topics: tuple[str, ...]
    buckets: tuple[str, ...]
    alarms: tuple[str, ...]
    functions: tuple[str, ...]
    log_groups: tuple[str, ...]
    keys: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """How many there are of each kind."""
        return {kind.name: len(getattr(self, kind.name)) for kind in fields(self)}

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing of any kind."""
        return not any(self.counts().values())

    def added_since(self, earlier: Inventory) -> dict[str, tuple[str, ...]]:
        """The names that are here and were not there, for the kinds that have any."""
        added = {
            kind.name: tuple(sorted(set(getattr(self, kind.name)) - set(getattr(earlier, kind.name))))
            for kind in fields(self)
        }
        return {kind: names for kind, names in added.items() if names}


def take_inventory(client: Callable[[str], Any]) -> Inventory:
    """Ask every service for its names; ``client`` makes a boto3 client."""
    scheduler, events, sns, iam = client("scheduler"), client("events"), client("sns"), client("iam")
    return Inventory(
        stacks=_names(client("cloudformation"), "describe_stacks", "Stacks", "StackName"),
        pipelines=_names(client("sagemaker"), "list_pipelines", "PipelineSummaries", "PipelineName"),
        schedules=tuple(
            sorted(
                f"{schedule['GroupName']}/{schedule['Name']}"
                for schedule in _items(scheduler, "list_schedules", "Schedules")
            )
        ),
        schedule_groups=tuple(
            name
            for name in _names(scheduler, "list_schedule_groups", "ScheduleGroups", "Name")
            if name != "default"
        ),
        rules=tuple(sorted(_rules(events))),
        roles=_names(iam, "list_roles", "Roles", "RoleName"),
        policies=tuple(sorted(_policies(iam))),
        queues=tuple(
            sorted(url.rpartition("/")[2] for url in _items(client("sqs"), "list_queues", "QueueUrls"))
        ),
        topics=tuple(
            sorted(topic["TopicArn"].rpartition(":")[2] for topic in _items(sns, "list_topics", "Topics"))
        ),
        buckets=tuple(sorted(bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"])),
        alarms=_names(client("cloudwatch"), "describe_alarms", "MetricAlarms", "AlarmName"),
        functions=_names(client("lambda"), "list_functions", "Functions", "FunctionName"),
        log_groups=_names(client("logs"), "describe_log_groups", "logGroups", "logGroupName"),
        keys=tuple(sorted(_keys(client("kms")))),
    )


def _items(client: Any, operation: str, member: str, **arguments: Any) -> Iterator[Any]:
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page.get(member, [])


def _names(client: Any, operation: str, member: str, name: str, **arguments: Any) -> tuple[str, ...]:
    return tuple(sorted(item[name] for item in _items(client, operation, member, **arguments)))


def _policies(iam: Any) -> Iterator[str]:
    yield from _names(iam, "list_policies", "Policies", "PolicyName", Scope="Local")
    for role in _names(iam, "list_roles", "Roles", "RoleName"):
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            yield f"{role}/{name}"


def _rules(events: Any) -> Iterator[str]:
    for bus in events.list_event_buses()["EventBuses"]:
        rules = _items(events, "list_rules", "Rules", EventBusName=bus["Name"])
        yield from (f"{bus['Name']}/{rule['Name']}" for rule in rules)


def _keys(kms: Any) -> Iterator[str]:
    # A deleted key stays for its waiting period, on AWS as here.
    for key in _items(kms, "list_keys", "Keys"):
        metadata = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        if metadata["KeyState"] != "PendingDeletion" and metadata["KeyManager"] == "CUSTOMER":
            yield key["KeyId"]
