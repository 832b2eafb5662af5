"""Find what starts SageMaker pipelines in a Region: schedules in all groups, and rules on all event buses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from scheduled_pipeline.cli.account.aws import Aws
from scheduled_pipeline.cli.account.aws_errors import NOT_FOUND
from scheduled_pipeline.cli.account.calls import listed, side_by_side
from scheduled_pipeline.cli.account.trigger_records import TriggerRecord
from scheduled_pipeline.trigger.start_target import is_start_call, starts_pipeline

PAGE = 100
"""The most that ListSchedules, ListRules and ListEventBuses return at once."""

TRIGGER_NAME = re.compile(r"[0-9a-zA-Z\-_.]{1,64}")
"""What the name of a schedule, of a schedule group or of a rule can be."""

Progress = Callable[[str], None]
"""Is told what is looked at, for the operator to see."""


def scan(aws: Aws, region: str, *, details: bool, progress: Progress) -> Iterator[TriggerRecord]:
    """Every trigger in a Region, one after the other: schedules as AWS lists them, then rules by bus.

    Calls ``scheduler:ListSchedules``, ``events:ListEventBuses`` and ``events:ListRules`` once a page,
    ``events:ListTargetsByRule`` once a rule, and ``scheduler:GetSchedule`` once a schedule that starts a
    pipeline; without details, only for those whose pipeline the answer of ListSchedules does not name.

    Args:
        aws: who asks.
        region: the Region.
        details: whether all of a schedule is wanted, rather than name, state, target and pipeline.
        progress: is told what is looked at.
    """
    yield from _schedules(aws, region, details, progress)
    yield from _rules(aws, region, progress)


def _schedules(aws: Aws, region: str, details: bool, progress: Progress) -> Iterator[TriggerRecord]:
    client = aws.client("scheduler", region)
    record = partial(_schedule, client, details)
    summaries = _counted(
        listed(client.list_schedules, "Schedules", MaxResults=PAGE), f"{region}: schedules", progress
    )
    candidates = (summary for summary in summaries if starts_pipeline(summary["Target"]["Arn"]))
    yield from (found for found in side_by_side(record, candidates) if found is not None)


def _schedule(client: Any, details: bool, summary: Mapping[str, Any]) -> TriggerRecord | None:
    if not details and not is_start_call(summary["Target"]["Arn"]):
        return TriggerRecord.from_summary(summary)
    return get_schedule(client, summary["GroupName"], summary["Name"])


def get_schedule(client: Any, group: str, name: str) -> TriggerRecord | None:
    """One schedule that starts a pipeline; nothing when there is none, or it starts something else."""
    if not TRIGGER_NAME.fullmatch(group) or not TRIGGER_NAME.fullmatch(name):
        return None  # Scheduler would call it invalid; it is the name of an event bus or of a rule
    try:
        answer = client.get_schedule(GroupName=group, Name=name)
    except client.exceptions.ResourceNotFoundException:
        return None
    return TriggerRecord.from_schedule(answer) if starts_pipeline(answer["Target"]["Arn"]) else None


def _rules(aws: Aws, region: str, progress: Progress) -> Iterator[TriggerRecord]:
    client = aws.client("events", region)
    rules = _counted(_listed_rules(client), f"{region}: rules", progress)
    for found in side_by_side(partial(rule_records, client), rules):
        yield from found


def _listed_rules(client: Any, **prefix: str) -> Iterator[Mapping[str, Any]]:
    for bus in listed(client.list_event_buses, "EventBuses", Limit=PAGE):
        yield from listed(client.list_rules, "Rules", EventBusName=bus["Name"], Limit=PAGE, **prefix)


def get_rule(client: Any, bus: str, name: str) -> tuple[TriggerRecord, ...]:
    """The targets of one rule that are pipelines; none when there is no such rule, or no such bus."""
    try:
        rule = client.describe_rule(EventBusName=bus, Name=name)
    except client.exceptions.ResourceNotFoundException:
        return ()
    return rule_records(client, {"EventBusName": bus, **rule})


def rule_records(client: Any, rule: Mapping[str, Any]) -> tuple[TriggerRecord, ...]:
    """The targets of a rule that are pipelines; none when the rule is gone."""
    bus = rule.get("EventBusName") or "default"
    targets = rule_targets(client, bus, rule["Name"])
    return tuple(
        TriggerRecord.from_rule(rule, target, other_targets=len(targets) - 1)
        for target in targets
        if starts_pipeline(target["Arn"])
    )


def rule_targets(client: Any, bus: str, name: str) -> list[Mapping[str, Any]]:
    """The targets of a rule; none when the rule is gone."""
    from botocore.exceptions import ClientError

    try:
        return list(listed(client.list_targets_by_rule, "Targets", Rule=name, EventBusName=bus))
    except ClientError as error:
        if error.response["Error"]["Code"] in NOT_FOUND:
            return []
        raise


def named(aws: Aws, region: str, name: str) -> Iterator[TriggerRecord]:
    """The triggers of a Region with this name, in every group and on every bus."""
    scheduler, events = aws.client("scheduler", region), aws.client("events", region)
    for summary in listed(scheduler.list_schedules, "Schedules", NamePrefix=name, MaxResults=PAGE):
        if summary["Name"] == name and (found := get_schedule(scheduler, summary["GroupName"], name)):
            yield found
    for rule in _listed_rules(events, NamePrefix=name):
        if rule["Name"] == name:
            yield from rule_records(events, rule)


def _counted(items: Iterator[Any], what: str, progress: Progress) -> Iterator[Any]:
    for number, item in enumerate(items, start=1):
        if number % PAGE == 1:
            progress(f"{what}: {number - 1:,} looked at")
        yield item
