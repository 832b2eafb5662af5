"""One stack of a fleet: some of its pipelines, with one schedule group and one scheduler role for them."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from scheduled_pipeline.construct import ScheduledPipeline
from scheduled_pipeline.fleet.alarms import FleetAlarms
from scheduled_pipeline.fleet.pipeline import FleetPipeline, construct_options
from scheduled_pipeline.resources.assets.pipeline_definition import IN_A_FLEET
from scheduled_pipeline.resources.pipeline import Pipeline
from scheduled_pipeline.resources.scheduler_role import scheduler_policy
from scheduled_pipeline.resources.scheduler_role import scheduler_role as make_scheduler_role
from scheduled_pipeline.resources.schedules import schedule_group
from scheduled_pipeline.resources.scheduling import SchedulingParts
from scheduled_pipeline.trigger.start_target import START_ACTION


@dataclass(frozen=True, kw_only=True)
class SharedResources:
    """What all pipelines of a fleet use.

    Attributes:
        artifact_bucket: where they read and write.
        dead_letter_queue: for starts that could not be delivered.
        encryption_key: encrypts the schedules; None for a key that AWS owns.
        alarms: watch the schedules.
        code_folder: where in the asset bucket their code is, most of which is the same.
    """

    artifact_bucket: s3.IBucket
    dead_letter_queue: sqs.IQueue
    encryption_key: kms.IKey | None
    alarms: FleetAlarms
    code_folder: str


class FleetStack(Stack):
    """A stack that holds some pipelines of a fleet.

    Its schedules are in one group, with one role that only this group can use and that may start only the
    pipelines of this stack. A group and a role for each pipeline would meet the quotas of 500 groups and
    1,000 roles.

    Attributes:
        members: its pipelines by name.
        code_folder: where in the asset bucket their code is.
    """

    definition_limits = IN_A_FLEET

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stack_name: str,
        env: Environment | None,
        shared: SharedResources,
    ) -> None:
        super().__init__(
            scope, construct_id, stack_name=stack_name, env=env, description="Scheduled SageMaker pipelines"
        )
        self.members: dict[str, ScheduledPipeline] = {}
        self._shared = shared
        self.code_folder = shared.code_folder
        self._declared_name = stack_name
        self._parts: SchedulingParts | None = None

    def add(self, name: str, settings: FleetPipeline) -> ScheduledPipeline:
        """Make the pipeline ``name`` in this stack."""
        self.members[name] = ScheduledPipeline(
            self,
            name,
            artifact_bucket=self._shared.artifact_bucket,
            dead_letter_queue=self._shared.dead_letter_queue,
            encryption_key=self._shared.encryption_key,
            scheduling=self,
            **construct_options(settings),
        )
        return self.members[name]

    def parts_for(self, pipeline: Pipeline) -> SchedulingParts:
        """Return what all schedules of this stack share; the role may start ``pipeline`` from now on."""
        if self._parts is None:
            self._parts = self._make_parts(pipeline)
        else:
            start = iam.PolicyStatement(actions=[START_ACTION], resources=pipeline.start_arns)
            self._parts.policy.add_statements(start)
        return self._parts

    def _make_parts(self, pipeline: Pipeline) -> SchedulingParts:
        group = schedule_group(self, "ScheduleGroup")
        self._shared.alarms.watch_group(self, self._declared_name, group)
        role = make_scheduler_role(self, "SchedulerRole", group)
        policy = scheduler_policy(
            self,
            "SchedulerPolicy",
            role=role,
            pipeline=pipeline,
            dead_letter_queue=self._shared.dead_letter_queue,
            encryption_key=self._shared.encryption_key,
        )
        return SchedulingParts(group=group, role=role, policy=policy)
