"""Compare a deployment with the templates of a cloud assembly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from scheduled_pipeline.cli.account.aws import Aws
from scheduled_pipeline.cli.account.calls import side_by_side
from scheduled_pipeline.cli.account.scan import Progress
from scheduled_pipeline.cli.assembly.assembly import Stack
from scheduled_pipeline.cli.assembly.intrinsics import mapping
from scheduled_pipeline.cli.assembly.pipeline_permissions import NotHereError, definition_of
from scheduled_pipeline.cli.drift.deployed_stack import DeployedStack, StackReader, Uncompared
from scheduled_pipeline.cli.drift.finding import Finding, Result, paused
from scheduled_pipeline.cli.drift.kind import Declared, Kind
from scheduled_pipeline.cli.drift.pipelines import PipelineKind, definition_unknown
from scheduled_pipeline.cli.drift.rules import RuleKind
from scheduled_pipeline.cli.drift.schedules import GroupKind, ScheduleKind, names_in_group
from scheduled_pipeline.cli.drift.values import resolved, unknown_parts

KINDS: dict[str, Kind] = {
    kind.template_type: kind for kind in (GroupKind(), ScheduleKind(), RuleKind(), PipelineKind())
}
"""By the type as templates write it."""

_UNKNOWN = "<"
"""Stands in the text of what is not known, and in no name."""
_STRAY = "no stack of the assembly has it: scheduled-pipeline orphans tells whether any stack does"
_MISSING = (
    "a deploy without a change does not bring it back: change the resource, for example its description, "
    "and deploy"
)
_WAITING = "the assembly is not what is deployed: deploy it"


@dataclass(kw_only=True)
class Drift:
    """All that was found.

    Attributes:
        findings: stack by stack, in the order of the templates.
        stacks: names of the stacks that were compared.
        uncompared: the stacks that were not.
        regions: where was looked.
        compared: how many resources were.
        changing: names of those stacks that CloudFormation is changing now.
    """

    findings: list[Finding] = field(default_factory=list)
    stacks: list[str] = field(default_factory=list)
    uncompared: list[Uncompared] = field(default_factory=list)
    regions: list[str] = field(default_factory=list)
    compared: int = 0
    changing: list[str] = field(default_factory=list)


def find_drift(aws: Aws, stacks: Sequence[Stack], wanted: frozenset[str], progress: Progress) -> Drift:
    """Compare the wanted stacks with what is deployed.

    Args:
        aws: who asks.
        stacks: of the whole assembly; what any of them has is no stray.
        wanted: names of the root stacks to compare.
        progress: is told what is looked at.
    """
    drift, known, declared = Drift(), _Known(), list[Declared]()
    for found in _deployed(aws, stacks, progress):
        compare = found.stack.name.partition("/")[0] in wanted
        if isinstance(found, Uncompared):
            drift.uncompared += [found] if compare else []
            continue
        its_own = list(_declared(found))
        known.add(found, its_own)
        if compare:
            drift.stacks.append(found.stack.name)
            drift.changing += [found.stack.name] if found.status.endswith("_IN_PROGRESS") else []
            drift.regions += [] if found.region in drift.regions else [found.region]
            declared += its_own
    drift.compared = len(declared)
    found_ones = side_by_side(partial(_compare, aws), declared)
    for number, finding in enumerate(found_ones, start=1):
        progress(f"{number:,} of {len(declared):,} compared")
        drift.findings += [] if finding is None else [finding]
    groups = [one for one in declared if isinstance(one.kind, GroupKind)]
    for strays in side_by_side(partial(_strays, aws, known), groups):
        drift.findings += strays
    drift.findings.sort(key=lambda finding: drift.stacks.index(finding.stack))
    return drift


class _Known:
    """The schedules that a stack of the assembly has."""

    def __init__(self) -> None:
        self._placed: set[tuple[str, str | None, str]] = set()
        self._leaving: set[tuple[str, str]] = set()

    def add(self, deployed: DeployedStack, declared: Sequence[Declared]) -> None:
        """Add those of a stack, also what the assembly has no more: the next deploy deletes it."""
        self._placed |= {(one.region, one.group, one.name) for one in declared if one.there}
        self._leaving |= {
            (deployed.region, physical_id)
            for logical_id, physical_id in deployed.physical_ids.items()
            if logical_id not in deployed.stack.resources
        }

    def has(self, region: str, group: str, name: str) -> bool:
        """Whether there is one of this name in the group."""
        return (region, group, name) in self._placed or (region, name) in self._leaving


def _deployed(aws: Aws, stacks: Sequence[Stack], progress: Progress) -> Iterator[DeployedStack | Uncompared]:
    """What there is of the stacks that have anything to compare, and of those nested in them."""
    families: list[list[Stack]] = []
    for stack in stacks:
        if "/" not in stack.name:
            families.append([])
        families[-1].append(stack)
    reader = StackReader(aws)
    relevant = [family for family in families if any(map(_is_relevant, family))]
    for number, found in enumerate(side_by_side(lambda family: list(reader.read(family)), relevant), start=1):
        progress(f"stacks: {number:,} of {len(relevant):,} read")
        yield from found


def _is_relevant(stack: Stack) -> bool:
    return any(resource.get("Type") in KINDS for resource in stack.resources.values())


def _declared(deployed: DeployedStack) -> Iterator[Declared]:
    """The resources of a stack that can be compared."""
    stack = deployed.stack
    for logical_id, resource in stack.resources.items():
        kind = KINDS.get(str(resource.get("Type")))
        if kind is None:
            continue
        physical_id = deployed.physical_ids.get(logical_id)
        waiting = logical_id in deployed.waiting
        if physical_id is None and not waiting:
            continue  # its condition does not hold
        properties = resolved(stack.scope, mapping(resource.get("Properties")))
        # A definition is compared by its text, wherever it is.
        properties.pop("PipelineDefinition", None)
        group, name = _place(kind, physical_id or logical_id, properties)
        extra = _definition(stack, resource) if isinstance(kind, PipelineKind) else None
        yield Declared(
            kind=kind,
            stack=stack.name,
            region=deployed.region,
            logical_id=logical_id,
            name=name,
            group=group,
            properties=properties,
            waiting=waiting,
            there=physical_id is not None,
            extra=extra,
        )


def _place(kind: Kind, physical_id: str, properties: Any) -> tuple[str | None, str]:
    """The group or the bus, and the name, of a resource."""
    if isinstance(kind, ScheduleKind):
        return str(properties.get("GroupName", "default")), physical_id
    if isinstance(kind, RuleKind):
        if physical_id.startswith("arn:"):
            physical_id = physical_id.partition(":rule/")[2].replace("/", "|")
        bus, _, name = physical_id.rpartition("|")
        return bus or "default", name
    return None, physical_id


def _definition(stack: Stack, resource: Any) -> Any:
    try:
        text = definition_of(stack, resource)
    except NotHereError as error:
        return definition_unknown(str(error))
    return text.text if text.known else text


def _compare(aws: Aws, declared: Declared) -> Finding | None:
    """Compare one resource; nothing when it is as its template says."""
    if declared.group is not None and _UNKNOWN in declared.group:
        return finding(
            declared, Result.UNCOMPARED, not_compared=(f"GroupName: {declared.group} is not known",)
        )
    answer = declared.kind.read(aws, declared) if declared.there else None
    if answer is None:
        result = Result.MISSING if declared.there and not declared.waiting else Result.WAITING
        return finding(declared, result, note=_MISSING if result is Result.MISSING else _WAITING)
    comparison = declared.kind.compared(declared, answer)
    if comparison.differences:
        result = Result.WAITING if declared.waiting else Result.CHANGED
        note = _WAITING if declared.waiting else paused(comparison)
    elif comparison.not_compared:
        result, note = Result.UNCOMPARED, None
    else:
        return None
    return finding(
        declared,
        result,
        fields=comparison.differences,
        not_compared=comparison.not_compared,
        note=note,
        declared=declared,
    )


def finding(of: Declared, result: Result, **details: Any) -> Finding:
    """A finding about a resource of a template."""
    return Finding(
        stack=of.stack,
        region=of.region,
        kind=of.kind.name,
        group=of.group,
        name=of.name,
        logical_id=of.logical_id,
        result=result,
        **details,
    )


def _strays(aws: Aws, known: _Known, group: Declared) -> list[Finding]:
    """The schedules in a group of a stack that no stack of the assembly has."""
    names = names_in_group(aws, group.region, group.name) if group.there else set()
    return [
        Finding(
            stack=group.stack,
            region=group.region,
            kind="schedule",
            group=group.name,
            name=name,
            result=Result.STRAY,
            note=_STRAY,
        )
        for name in sorted(names)
        if not known.has(group.region, group.name, name)
    ]


def unknown_properties(declared: Declared) -> list[str]:
    """What of a resource is not known, so that it cannot be put back."""
    return [*unknown_parts(declared.properties), *unknown_parts(declared.extra)]
