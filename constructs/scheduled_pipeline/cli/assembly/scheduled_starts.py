"""What starts a SageMaker pipeline on a clock: the schedules and the rules of a cloud assembly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scheduled_pipeline.cli.assembly.assembly import Stack
from scheduled_pipeline.cli.assembly.intrinsics import Text, mapping
from scheduled_pipeline.trigger.expression import Dialect
from scheduled_pipeline.trigger.start_target import unresolved_pipeline_named

_ENABLED = Text(text="ENABLED")
_UTC = Text(text="UTC")


@dataclass(frozen=True, kw_only=True)
class ScheduledStart:
    """A schedule or a rule of EventBridge that starts pipelines on a clock.

    Attributes:
        dialect: of EventBridge Scheduler or of an EventBridge rule.
        stack: name of the stack.
        logical_id: of the resource in its template.
        name: physical name; the logical id where CloudFormation makes the name.
        group: the schedule group; nothing for a rule, and for a schedule in the group ``default``.
        pipelines: the names of the pipelines that it starts.
        state: as AWS writes it.
        expression: the schedule expression.
        timezone: the zone whose wall clock it is.
        start: ``StartDate``, if there is one.
        end: ``EndDate``, if there is one.
        window: minutes within which a run may begin, if there is a flexible time window.
        condition: name of the template's condition on which it is made at all, if there is one.
    """

    dialect: Dialect
    stack: str
    logical_id: str
    name: Text
    group: Text | None = None
    pipelines: tuple[str, ...]
    state: Text
    expression: Text
    timezone: Text = _UTC
    start: Text | None = None
    end: Text | None = None
    window: Text | None = None
    condition: str | None = None

    @property
    def kind(self) -> str:
        """``schedule`` or ``rule``."""
        return "schedule" if self.dialect is Dialect.SCHEDULER else "rule"

    @property
    def enabled(self) -> bool:
        """Whether it runs, as far as the template says."""
        return self.state.text != "DISABLED"


def find_starts(stacks: Iterable[Stack]) -> tuple[ScheduledStart, ...]:
    """All of them, in the order of the templates.

    A target is a pipeline when it carries parameters for one, when its ARN is a pipeline's, or when it is the
    scheduler's own call of ``StartPipelineExecution``. An ARN that only the deployment knows is taken for
    something else.
    """
    return tuple(
        start
        for stack in stacks
        for logical_id, resource in stack.resources.items()
        for start in _start(stack, logical_id, resource)
    )


def _start(stack: Stack, logical_id: str, resource: Mapping[str, Any]) -> Iterator[ScheduledStart]:
    properties = mapping(resource.get("Properties"))
    kind = resource.get("Type")
    if kind == "AWS::Scheduler::Schedule":
        yield from _schedule(stack, logical_id, resource, properties)
    elif kind == "AWS::Events::Rule" and properties.get("ScheduleExpression") is not None:
        yield from _rule(stack, logical_id, resource, properties)


def _schedule(
    stack: Stack, logical_id: str, resource: Mapping[str, Any], properties: Mapping[str, Any]
) -> Iterator[ScheduledStart]:
    pipeline = _pipeline(stack, mapping(properties.get("Target")))
    if pipeline is None:
        return
    scope = stack.scope
    window = mapping(properties.get("FlexibleTimeWindow"))
    yield ScheduledStart(
        dialect=Dialect.SCHEDULER,
        stack=stack.name,
        logical_id=logical_id,
        name=scope.property(properties, "Name") or Text(text=logical_id),
        group=scope.property(properties, "GroupName"),
        pipelines=(pipeline,),
        state=scope.property(properties, "State") or _ENABLED,
        expression=scope.property(properties, "ScheduleExpression") or Text(text=""),
        timezone=scope.property(properties, "ScheduleExpressionTimezone") or _UTC,
        start=scope.property(properties, "StartDate"),
        end=scope.property(properties, "EndDate"),
        window=scope.property(window, "MaximumWindowInMinutes"),
        condition=resource.get("Condition"),
    )


def _rule(
    stack: Stack, logical_id: str, resource: Mapping[str, Any], properties: Mapping[str, Any]
) -> Iterator[ScheduledStart]:
    targets = properties.get("Targets")
    listed = targets if isinstance(targets, list) else []
    pipelines = [name for target in listed if (name := _pipeline(stack, mapping(target))) is not None]
    if not pipelines:
        return
    scope = stack.scope
    yield ScheduledStart(
        dialect=Dialect.RULE,
        stack=stack.name,
        logical_id=logical_id,
        name=scope.property(properties, "Name") or Text(text=logical_id),
        pipelines=tuple(dict.fromkeys(pipelines)),
        state=scope.property(properties, "State") or _ENABLED,
        expression=scope.property(properties, "ScheduleExpression") or Text(text=""),
        condition=resource.get("Condition"),
    )


def _pipeline(stack: Stack, target: Mapping[str, Any]) -> str | None:
    """The name of the pipeline that a target starts, or nothing if it starts none."""
    texts = {name: stack.scope.text(target.get(name, "")).text for name in ("Arn", "Input")}
    return unresolved_pipeline_named({**target, **texts})
