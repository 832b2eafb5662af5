"""``FleetPipeline``: what one pipeline of a fleet is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from scheduled_pipeline.definition.compiler.source import BuildFunction, PipelineDefinition
from scheduled_pipeline.definition.context import Value
from scheduled_pipeline.trigger.event import EventTrigger
from scheduled_pipeline.trigger.schedule import PipelineSchedule, SdkSchedule

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_sns as sns


@dataclass(frozen=True, kw_only=True)
class FleetPipeline:
    """One pipeline of a ``PipelineFleet``. All but ``stack`` is as in ``ScheduledPipeline``.

    Attributes:
        definition: a build function, given itself or as ``"module:function"``, or a ``PipelineDefinition``.
        pipeline_name: physical name. Default: made from the construct's path, which has the stack in it.
        schedules: schedules by name. Default: none.
        events: what else starts the pipeline, by name. Default: nothing.
        values: what ``context.value(name)`` answers in the build function. Default: none.
        data_buckets: buckets that steps read or write because a parameter may point there. Default: none.
        execution_role: runs the steps. Default: a role for this pipeline alone.
        notify: a topic for executions that failed or were stopped. Default: nobody is told.
        experiment_tracking: whether executions may make an experiment and a trial each. Default: they may.
        max_parallel_steps: how many steps of a run may run at once. Default: the service's, 50.
        description: of the pipeline. Default: none.
        suppress_findings: findings about the definition to leave out. Default: none.
        stack: id of the stack that it is in, such as ``Stack07`` or ``Finance``. Default: made from its name.
    """

    definition: PipelineDefinition | BuildFunction | str
    pipeline_name: str | None = None
    schedules: Mapping[str, PipelineSchedule | SdkSchedule] | None = None
    events: Mapping[str, EventTrigger] | None = None
    values: Mapping[str, Value] | None = None
    data_buckets: Sequence[s3.IBucket] = ()
    execution_role: iam.IRole | None = None
    notify: sns.ITopic | None = None
    experiment_tracking: bool = True
    max_parallel_steps: int | None = None
    description: str | None = None
    suppress_findings: Sequence[str] = ()
    stack: str | None = None


def construct_options(settings: FleetPipeline) -> dict[str, Any]:
    """Return the options of ``ScheduledPipeline`` among those of a pipeline of a fleet: all but ``stack``."""
    return {field.name: getattr(settings, field.name) for field in fields(settings) if field.name != "stack"}
