"""One stack of a fleet: some of its pipelines, with one schedule group and one scheduler role for them."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from scheduled_pipeline.construct import ScheduledPipeline
from scheduled_pipeline.fleet.alarms import FleetAlarms
from scheduled_pipeline.fleet.pipeline import FleetPipeline
from scheduled_pipeline.resources.assets.pipeline_definition import IN_A_FLEET
from scheduled_pipeline.resources.pipeline import Pipeline
from scheduled_pipeline.resources.scheduler_role import scheduler_policy
from scheduled_pipeline.resources.scheduler_role import scheduler_role as make_scheduler_role
from scheduled_pipeline.resources.schedules import schedule_group
from scheduled_pipeline.trigger.start_target import START_ACTION


@dataclass(frozen=True, kw_only=True)
class SharedResources:
    """What all pipelines of a fleet use.

    Attributes:
        artifact_bucket: where they read and write.
        dead_letter_queue: for starts that could not be delivered.
        encryption_key: encrypts the schedules; None for a key that AWS owns.
        alarms: watch the schedules.
    """

    artifact_bucket: s3.IBucket
    dead_letter_queue: sqs.IQueue
    encryption_key: kms.IKey | None
    alarms: FleetAlarms


@dataclass(frozen=True)
class _Scheduling:
    group: scheduler.ScheduleGroup
    role: iam.Role
    policy: iam.Policy


class FleetStack(Stack):
    """A stack that holds some pipelines of a fleet.

    Its schedules are in one group, with one role that only this group can use and that may start only the
    pipelines of this stack. A group and a role for each pipeline would meet the quotas of 500 groups and
    1,000 roles.

    Attributes:
        members: its pipelines by name.
    """

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
        self.members: dict[str, FleetMember] = {}
        self._shared = shared
        self._declared_name = stack_name
        self._scheduling: _Scheduling | None = None

    def add(self, name: str, settings: FleetPipeline) -> FleetMember:
        """Make the pipeline ``name`` in this stack."""
        self.members[name] = FleetMember(self, name, settings=settings, shared=self._shared)
        return self.members[name]

    def scheduling_for(self, pipeline: Pipeline) -> _Scheduling:
        """Return the group, role and policy of the schedules, which may start ``pipeline`` from now on."""
        if self._scheduling is None:
            self._scheduling = self._make_scheduling(pipeline)
        else:
            start = iam.PolicyStatement(actions=[START_ACTION], resources=pipeline.start_arns)
            self._scheduling.policy.add_statements(start)
        return self._scheduling

    def _make_scheduling(self, pipeline: Pipeline) -> _Scheduling:
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
        return _Scheduling(group, role, policy)


class FleetMember(ScheduledPipeline):
    """A pipeline of a fleet, whose schedules share a group and a role with the others of its stack."""

    _definition_limits = IN_A_FLEET

    def __init__(
        self, stack: FleetStack, name: str, *, settings: FleetPipeline, shared: SharedResources
    ) -> None:
        self._fleet_stack = stack
        super().__init__(
            stack,
            name,
            definition=settings.definition,
            pipeline_name=settings.pipeline_name,
            schedules=settings.schedules,
            events=settings.events,
            values=settings.values,
            artifact_bucket=shared.artifact_bucket,
            data_buckets=settings.data_buckets,
            execution_role=settings.execution_role,
            dead_letter_queue=shared.dead_letter_queue,
            encryption_key=shared.encryption_key,
            notify=settings.notify,
            max_parallel_steps=settings.max_parallel_steps,
            description=settings.description,
            suppress_findings=settings.suppress_findings,
        )

    def _scheduling(self) -> tuple[scheduler.IScheduleGroup, iam.IRole, iam.Policy]:
        if self._scheduler_policy is None:
            scheduling = self._fleet_stack.scheduling_for(self.pipeline)
            self.schedule_group = self._own_group = scheduling.group
            self.scheduler_role = scheduling.role
            self._scheduler_policy = scheduling.policy
        assert self.schedule_group is not None
        assert self.scheduler_role is not None
        return self.schedule_group, self.scheduler_role, self._scheduler_policy
