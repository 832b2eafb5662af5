"""The apps that the lifecycle tests deploy, as cloud assemblies that are made in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aws_cdk import App, CfnWaitCondition, CfnWaitConditionHandle, Environment, RemovalPolicy, Stack, Stage
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from scheduled_pipeline import EventTrigger, PipelineDefinition, PipelineSchedule, ScheduledPipeline

REGION = "us-east-1"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One app.

    Attributes:
        definition: of the pipeline, as JSON data or as the name of a build function.
        schedules: by name.
        events: by name.
        pipeline_name: physical name. Default: made from the construct's path.
        other_group: whether the schedules are in a group that the stack makes beside the construct.
        stack: the stack's id.
        stages: a stack in each of these stages. Default: one stack in no stage.
        breaks: whether the last resource of all fails at IAM: a policy for a role that is not there.
        waits: whether the last resource of all waits for a signal.
        options: further arguments of the construct.
    """

    definition: Mapping[str, Any] | str
    schedules: Mapping[str, PipelineSchedule]
    events: Mapping[str, EventTrigger] = field(default_factory=dict)
    pipeline_name: str | None = "Lifecycle"
    other_group: bool = False
    stack: str = "Lifecycle"
    stages: Sequence[str] = ()
    breaks: bool = False
    waits: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


def synthesize(plan: Plan, folder: Path, context: Mapping[str, Any]) -> None:
    """Write the cloud assembly of a plan to a folder."""
    app = App(outdir=str(folder), context=dict(context), analytics_reporting=False)
    for scope in [Stage(app, name) for name in plan.stages] or [app]:
        _add_stack(scope, plan)
    app.synth()


def _add_stack(scope: Construct, plan: Plan) -> None:
    stack = Stack(scope, plan.stack, env=Environment(region=REGION))
    options, given = dict(plan.options), plan.definition
    if plan.other_group:
        options["schedule_group"] = scheduler.ScheduleGroup(
            stack, "Other", removal_policy=RemovalPolicy.DESTROY
        )
    training = ScheduledPipeline(
        stack,
        "Training",
        definition=given if isinstance(given, str) else PipelineDefinition.from_json(dict(given)),
        pipeline_name=plan.pipeline_name,
        schedules=plan.schedules,
        events=plan.events,
        **options,
    )
    if plan.breaks:
        _add_broken(stack).node.add_dependency(training)
    if plan.waits:
        _add_waiting(stack).node.add_dependency(training)


def _add_broken(stack: Stack) -> Construct:
    """A policy that synth, the template and the change set are content with, and IAM is not."""
    statement = iam.PolicyStatement(actions=["s3:GetObject"], resources=["*"])
    return iam.CfnPolicy(
        stack,
        "Broken",
        policy_name="Broken",
        policy_document=iam.PolicyDocument(statements=[statement]),
        roles=["there-is-no-such-role"],
    )


def _add_waiting(stack: Stack) -> Construct:
    handle = CfnWaitConditionHandle(stack, "Handle")
    return CfnWaitCondition(stack, "Waiting", handle=handle.ref, timeout="60", count=1)
