"""What the schedules of a pipeline share: a group, the role that the scheduler assumes, and its policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from scheduled_pipeline.resources.assets.pipeline_definition import ALONE, DefinitionLimits
from scheduled_pipeline.resources.jsii_cache import path_of
from scheduled_pipeline.resources.monitoring.monitoring import Monitoring
from scheduled_pipeline.resources.pipeline import Pipeline
from scheduled_pipeline.resources.scheduler_role import scheduler_policy, scheduler_role
from scheduled_pipeline.resources.schedules import schedule_group


@dataclass(frozen=True, kw_only=True)
class SchedulingParts:
    """What each schedule of a pipeline is made with.

    Attributes:
        group: the group it is in.
        role: the role that the scheduler assumes.
        policy: lets the role start the pipeline.
        foreign_group: the path of the group if it was given by the user, and so has schedules of others in
            it, else empty. It becomes part of the names of the schedules.
    """

    group: scheduler.IScheduleGroup
    role: iam.IRole
    policy: iam.Policy
    foreign_group: str = ""


class Scheduling(Protocol):
    """Where the group, the role and the policy come from, and what else pipelines of one stack share.

    Attributes:
        definition_limits: how much room a definition has there.
        code_folder: where their code is, from ``code_folder``.
    """

    definition_limits: DefinitionLimits
    code_folder: str

    def parts_for(self, pipeline: Pipeline) -> SchedulingParts:
        """Return what the schedules of ``pipeline`` share; called once, before its first schedule is made."""


class OwnScheduling:
    """A group, a role and a policy for one pipeline alone; what was given is used, the rest is made."""

    definition_limits = ALONE

    def __init__(
        self,
        scope: Construct,
        *,
        group: scheduler.IScheduleGroup | None,
        role: iam.IRole | None,
        dead_letter_queue: Callable[[], sqs.IQueue],
        encryption_key: kms.IKey | None,
        monitoring: Monitoring,
    ) -> None:
        self._scope = scope
        self._group = group
        self._role = role
        self._queue = dead_letter_queue
        self._key = encryption_key
        self._monitoring = monitoring

    def parts_for(self, pipeline: Pipeline) -> SchedulingParts:
        """Return what the schedules of ``pipeline`` share; what was not given is made here."""
        group = self._group or self._make_group()
        role = self._role or scheduler_role(self._scope, "SchedulerRole", group)
        policy = scheduler_policy(
            self._scope,
            "SchedulerPolicy",
            role=role,
            pipeline=pipeline,
            dead_letter_queue=self._queue(),
            encryption_key=self._key,
        )
        foreign = "" if self._group is None else path_of(self._group)
        return SchedulingParts(group=group, role=role, policy=policy, foreign_group=foreign)

    def _make_group(self) -> scheduler.IScheduleGroup:
        group = schedule_group(self._scope, "ScheduleGroup")
        self._monitoring.watch_group(group)
        return group
