"""Which CloudFormation stack owns a trigger.

A schedule has no tags, so nothing on it tells. The stacks of the Region do: each lists its resources with
their physical ids. That is a call for each page of stacks and one for each stack, however many triggers there
are: ``cloudformation:ListStacks`` and ``cloudformation:ListStackResources``.

The physical id of ``AWS::Scheduler::Schedule`` is its name alone, which is unique only within its group.
Where the stack has no group of that name itself, its template is read, once a stack:
``cloudformation:GetTemplate``. The physical id of ``AWS::Events::Rule`` is its name, or the bus, a bar and
the name on a custom bus; the ARN is its primary identifier.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-scheduler-schedule.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from scheduled_pipeline.cli.account.aws import Aws
from scheduled_pipeline.cli.account.calls import listed, side_by_side
from scheduled_pipeline.cli.account.scan import Progress
from scheduled_pipeline.cli.account.trigger_records import SCHEDULE, TriggerRecord

_SCHEDULE = "AWS::Scheduler::Schedule"
_GROUP = "AWS::Scheduler::ScheduleGroup"
_RULE = "AWS::Events::Rule"
_GONE = "DELETE_COMPLETE"


@dataclass(frozen=True, kw_only=True)
class Owner:
    """What owns a trigger.

    Attributes:
        name: of the stack; of a nested stack, that of its root, which is what is deployed. For a rule that an
            AWS service made, the service.
        certain: whether it is known to own this very schedule, and not another of the same name in a group
            that the template does not tell.
    """

    name: str
    certain: bool = True

    def advice(self, record: TriggerRecord) -> str:
        """Say why a trigger of this owner is not deleted, and how to delete it."""
        if record.managed_by is not None:
            return f"the service {self.name} made it and has to remove it"
        if self.certain:
            return f"stack {self.name} owns it: remove it from the stack and deploy"
        return f"stack {self.name} owns a schedule of this name, in a group that its template does not tell"


@dataclass(frozen=True, kw_only=True)
class _Resource:
    """A resource of a stack: where it is, and what it is called."""

    stack_id: str
    root: str
    logical_id: str


class Owners:
    """Knows which stack of a Region owns a trigger. Made by ``read_owners``."""

    def __init__(
        self,
        client: Any,
        resources: Mapping[tuple[str, str], list[_Resource]],
        groups: Mapping[tuple[str, str], str],
    ) -> None:
        self._client = client
        self._resources = resources
        self._groups = groups
        self._group_names = {(stack_id, name) for (stack_id, _), name in groups.items()}
        self._templates: dict[str, Mapping[str, Any]] = {}

    def of(self, record: TriggerRecord) -> Owner | None:
        """The owner of a trigger, or nothing."""
        if record.managed_by is not None:
            return Owner(name=record.managed_by)
        if record.kind == SCHEDULE:
            return self._of_schedule(record)
        bus = record.group.rpartition("event-bus/")[2]
        ids = [record.arn, f"{bus}|{record.name}", f"{record.group}|{record.name}"]
        if bus == "default":
            ids.append(record.name)
        holders = (holder for one in ids for holder in self._resources.get((_RULE, one), ()))
        return next((Owner(name=holder.root) for holder in holders), None)

    def _of_schedule(self, record: TriggerRecord) -> Owner | None:
        uncertain = None
        for holder in self._resources.get((_SCHEDULE, record.name), ()):
            if (holder.stack_id, record.group) in self._group_names:
                return Owner(name=holder.root)
            group = self._group(holder)
            if group == record.group:
                return Owner(name=holder.root)
            if group is None:
                uncertain = Owner(name=holder.root, certain=False)
        return uncertain

    def _group(self, schedule: _Resource) -> str | None:
        """The group of a schedule by its stack's template, or nothing when the template does not tell."""
        resource = self._template(schedule.stack_id).get(schedule.logical_id)
        if not isinstance(resource, dict):
            return None
        group = (resource.get("Properties") or {}).get("GroupName", "default")
        if isinstance(group, dict) and set(group) == {"Ref"}:
            return self._groups.get((schedule.stack_id, group["Ref"]))
        return group if isinstance(group, str) else None

    def _template(self, stack_id: str) -> Mapping[str, Any]:
        """The resources of a stack's template; none when it is not JSON."""
        if stack_id not in self._templates:
            body = self._client.get_template(StackName=stack_id, TemplateStage="Processed")["TemplateBody"]
            resources = body.get("Resources") if isinstance(body, dict) else None
            kept = resources if isinstance(resources, dict) else {}
            self._templates[stack_id] = {
                logical_id: resource
                for logical_id, resource in kept.items()
                if isinstance(resource, dict) and resource.get("Type") == _SCHEDULE
            }
        return self._templates[stack_id]


def read_owners(aws: Aws, region: str, progress: Progress) -> Owners:
    """Ask every stack of a Region what it owns."""
    client = aws.client("cloudformation", region)
    statuses = client.meta.service_model.shape_for("StackStatus").enum
    stacks = listed(
        client.list_stacks, "StackSummaries", StackStatusFilter=[one for one in statuses if one != _GONE]
    )
    resources: dict[tuple[str, str], list[_Resource]] = {}
    groups: dict[tuple[str, str], str] = {}
    for number, found in enumerate(side_by_side(partial(_resources, client), stacks), start=1):
        progress(f"{region}: stacks: {number:,} looked at")
        for kind, physical_id, resource in found:
            if kind == _GROUP:
                groups[resource.stack_id, resource.logical_id] = physical_id
            else:
                resources.setdefault((kind, physical_id), []).append(resource)
    return Owners(client, resources, groups)


def _resources(client: Any, stack: Mapping[str, Any]) -> list[tuple[str, str, _Resource]]:
    """The schedules, groups and rules of a stack: type, physical id and the rest."""
    from botocore.exceptions import ClientError

    try:
        return list(_listed_resources(client, stack))
    except ClientError as error:
        details = error.response["Error"]
        if details["Code"] == "ValidationError" and "does not exist" in details["Message"]:
            return []  # deleted since it was listed
        raise


def _listed_resources(client: Any, stack: Mapping[str, Any]) -> Iterator[tuple[str, str, _Resource]]:
    # arn:aws:cloudformation:region:account:stack/name/uuid
    root = stack["RootId"].split("/")[1] if stack.get("RootId") else stack["StackName"]
    summaries = listed(client.list_stack_resources, "StackResourceSummaries", StackName=stack["StackId"])
    for summary in summaries:
        kind, physical_id = summary["ResourceType"], summary.get("PhysicalResourceId")
        if kind not in (_SCHEDULE, _GROUP, _RULE) or not physical_id or summary["ResourceStatus"] == _GONE:
            continue
        resource = _Resource(stack_id=stack["StackId"], root=root, logical_id=summary["LogicalResourceId"])
        yield kind, physical_id, resource
