"""The fault matrix: what each lifecycle test found before and after, and what it should have found."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from rich.console import Console
from rich.table import Table

from local_aws import Inventory, LocalAws
from local_aws.protocol import Dangling

TOOLKIT = "CDKToolkit"
_KINDS = {
    "AWS::CloudWatch::Alarm": "alarms",
    "AWS::Events::Rule": "rules",
    "AWS::IAM::Policy": "policies",
    "AWS::IAM::Role": "roles",
    "AWS::KMS::Key": "keys",
    "AWS::Lambda::Function": "functions",
    "AWS::Logs::LogGroup": "log_groups",
    "AWS::S3::Bucket": "buckets",
    "AWS::SNS::Topic": "topics",
    "AWS::SQS::Queue": "queues",
    "AWS::SageMaker::Pipeline": "pipelines",
    "AWS::Scheduler::Schedule": "schedules",
    "AWS::Scheduler::ScheduleGroup": "schedule_groups",
}
_SHOWN = (
    "pipelines",
    "schedules",
    "schedule_groups",
    "rules",
    "roles",
    "policies",
    "queues",
    "alarms",
    "topics",
    "functions",
)
_READY = {"Source": "my.app", "DetailType": "Data", "Detail": '{"kind": "ready", "date": "2027-01-04"}'}
Resource = tuple[str, str]
"""A kind of the inventory, and a name without the group, bus or role before it."""


@dataclass(kw_only=True)
class Line:
    """What is printed of one row: numbers and words, so that it can go from one process to another.

    Attributes:
        title: what happened, in words.
        before: how many there were of each kind, the toolkit's own left out.
        after: how many there are.
        left: what is there and no stack owns.
        missing: what a stack owns and is not there.
        dangled: the triggers that named a missing pipeline at any moment.
        failed: the starts that failed, when everything that was left was fired.
        expected: how much of all that there should be.
        outcome: "passed" or "failed".
    """

    title: str
    before: dict[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    dangled: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    expected: int = 0
    outcome: str = "failed"

    @property
    def seen(self) -> int:
        """How much there is of what there should be nothing of."""
        return sum(len(found) for found in (self.left, self.missing, self.dangled, self.failed))

    def with_outcome(self, outcome: str) -> dict[str, Any]:
        """The line of a test that has ended, as ``matrix`` takes it."""
        return {one.name: getattr(self, one.name) for one in fields(Line)} | {"outcome": outcome}


@dataclass(kw_only=True)
class Row(Line):
    """One row: an account before and after one fault, or one ordinary step."""

    aws: LocalAws = field(repr=False)
    toolkit: Inventory = field(repr=False)
    _dangling_before: int = 0
    _deliveries_before: int = 0

    def begin(self) -> None:
        """Count what is there before."""
        self.before = _counts(self._resources())
        self.forgive()

    def forgive(self) -> None:
        """Leave out what dangled or failed so far: it is the fault itself, made by hand."""
        self._dangling_before = len(self.aws.dangling())
        self._deliveries_before = len(self.aws.deliveries())

    def dangling(self) -> list[Dangling]:
        """The triggers that named a missing pipeline at any moment since the row began."""
        return self.aws.dangling()[self._dangling_before :]

    def settle(self, *, left: Sequence[str] = ()) -> None:
        """Fire everything that is there, count, and see that nothing is left, missing or dangling.

        Only what CloudFormation cannot delete may be ``left``, as ``kind: name``.
        """
        self.expected = len(left)
        self._fire()
        resources, owned = self._resources(), _owned(self.aws)
        self.after = _counts(resources)
        self.left = _names(resources - owned)
        self.missing = _names(owned - resources)
        self.dangled = tuple(
            f"{entry.source_arn} -> {entry.pipeline_arn} after {entry.after}" for entry in self.dangling()
        )
        failed = [entry for entry in self.aws.deliveries()[self._deliveries_before :] if entry.error_code]
        self.failed = tuple({f"{entry.source_arn}: {entry.error_message}": None for entry in failed})
        assert (self.left, self.missing, self.dangled, self.failed) == (tuple(left), (), (), ())

    def _fire(self) -> None:
        """Deliver every schedule and an event that every rule waits for, and end the executions."""
        there = self.aws.inventory()
        started = len(self.aws.deliveries())
        for schedule in there.schedules:
            group, name = schedule.split("/")
            self.aws.deliver(name, group=group)
        if there.rules:
            self.aws.client("events").put_events(Entries=[_READY])
        fired = {delivery.source_arn for delivery in self.aws.deliveries()[started:]}
        assert len(fired) == len(there.schedules) + len(there.rules)
        end_executions(self.aws)

    def _resources(self) -> Counter[Resource]:
        added = self.aws.inventory().added_since(self.toolkit)
        return Counter(
            (kind, name.rsplit("/", 1)[-1])
            for kind, names in added.items()
            if kind != "stacks"
            for name in names
        )


def end_executions(aws: LocalAws) -> None:
    """End every execution: a pipeline that is running cannot be deleted."""
    sagemaker = aws.client("sagemaker")
    for pipeline in sagemaker.list_pipelines()["PipelineSummaries"]:
        found = sagemaker.list_pipeline_executions(PipelineName=pipeline["PipelineName"])
        for execution in found["PipelineExecutionSummaries"]:
            if execution["PipelineExecutionStatus"] == "Executing":
                aws.finish(execution["PipelineExecutionArn"])


def _owned(aws: LocalAws) -> Counter[Resource]:
    """What all stacks own, of the kinds that an inventory has."""
    cloudformation = aws.client("cloudformation")
    return Counter(
        resource
        for stack in cloudformation.describe_stacks()["Stacks"]
        if stack["StackName"] != TOOLKIT
        for resource in _owned_by(cloudformation, stack["StackName"])
    )


def _owned_by(cloudformation: Any, stack: str) -> Iterator[Resource]:
    template = cloudformation.get_template(StackName=stack)["TemplateBody"]
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    for summary in (summary for page in pages for summary in page["StackResourceSummaries"]):
        kind = _KINDS.get(summary["ResourceType"])
        if kind is None or summary["ResourceStatus"] == "DELETE_COMPLETE":
            continue
        # The physical id of an inline policy is not its name.
        properties = template["Resources"][summary["LogicalResourceId"]].get("Properties", {})
        yield from (("policies", policy["PolicyName"]) for policy in properties.get("Policies", ()))
        identifier = properties["PolicyName"] if kind == "policies" else summary["PhysicalResourceId"]
        yield kind, identifier.replace("|", "/").rsplit("/", 1)[-1].rsplit(":", 1)[-1]


def _counts(resources: Counter[Resource]) -> dict[str, int]:
    return dict(Counter(kind for kind, _ in resources.elements()))


def _names(resources: Counter[Resource]) -> tuple[str, ...]:
    return tuple(sorted(f"{kind}: {name}" for kind, name in resources.elements()))


def matrix(lines: Iterable[Mapping[str, Any]]) -> str:
    """The table of all rows, each with what it found too much below it."""
    rows = [Line(**line) for line in lines]
    table = Table("row", *(kind.replace("schedule_", "") for kind in _SHOWN), title="Fault matrix")
    for heading in ("dangled", "failed", "left", "missing", "expected", "seen", ""):
        table.add_column(heading)
    for row in rows:
        counts = (_change(row.before.get(kind, 0), row.after.get(kind, 0)) for kind in _SHOWN)
        found = (row.dangled, row.failed, row.left, row.missing)
        numbers = (str(len(names)) for names in found)
        table.add_row(row.title, *counts, *numbers, str(row.expected), str(row.seen), row.outcome)
    text = io.StringIO()
    console = Console(file=text, width=200, color_system=None)
    console.print(table)
    for row in rows:
        for name in (*row.dangled, *row.failed, *row.left, *row.missing):
            console.print(f"{row.title}: {name}", markup=False)
    return text.getvalue()


def _change(before: int, after: int) -> str:
    return str(after) if before == after else f"{before} > {after}"
