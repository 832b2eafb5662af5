"""The ``AWS::Scheduler::Schedule`` resources of one pipeline."""

from __future__ import annotations

import hashlib
from typing import Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from scheduled_pipeline.resources import names
from scheduled_pipeline.resources.jsii_cache import attribute_of, path_of, place_of, settle
from scheduled_pipeline.resources.pipeline import Pipeline
from scheduled_pipeline.resources.trigger_properties import retry_settings, trigger_description
from scheduled_pipeline.trigger.schedule import PipelineSchedule
from scheduled_pipeline.trigger.start_target import start_call_arn, start_request


class Schedule(Construct):
    """One schedule that starts a pipeline.

    Written with the L1 resource: the L2 cannot express a start that carries a token against
    duplicates next to the templated target, and renders a local ``at`` as UTC.

    Attributes:
        schedule: when it runs and with what.
        schedule_name: the physical name.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        schedule: PipelineSchedule,
        pipeline: Pipeline,
        declared_pipeline_name: str,
        group: scheduler.IScheduleGroup,
        foreign_group: str,
        role: iam.IRole,
        policy: iam.Policy,
        dead_letter_queue: sqs.IQueue,
        encryption_key: kms.IKey | None,
    ) -> None:
        super().__init__(scope, construct_id)
        settle(self, scope, construct_id)
        self.schedule = schedule
        self.schedule_name = schedule.name or names.derived_trigger_name(
            declared_pipeline_name, construct_id, place=foreign_group
        )
        names.claim(self, "schedule", self.schedule_name)
        resource = scheduler.CfnSchedule(
            self,
            "Resource",
            name=self.schedule_name,
            group_name=attribute_of(group, "schedule_group_name"),
            description=trigger_description(schedule),
            schedule_expression=schedule.expression,
            schedule_expression_timezone=schedule.timezone,
            start_date=schedule.start_date,
            end_date=schedule.end_date,
            state=schedule.state,
            flexible_time_window=_flexible_time_window(schedule),
            kms_key_arn=None if encryption_key is None else attribute_of(encryption_key, "key_arn"),
            target=self._target(pipeline, role, dead_letter_queue),
        )
        # The scheduler may use the role at once, so its policy comes first. The names of the group and the
        # pipeline are literals in the template, which order nothing.
        resource.node.add_dependency(pipeline, policy, group)
        self._resource = resource

    @property
    def schedule_arn(self) -> str:
        """The ARN, known after deployment."""
        return self._resource.attr_arn

    def _target(
        self, pipeline: Pipeline, role: iam.IRole, dead_letter_queue: sqs.IQueue
    ) -> scheduler.CfnSchedule.TargetProperty:
        retries = retry_settings(self.schedule)
        start = self._idempotent_start(pipeline) if self.schedule.idempotent else self._start(pipeline)
        return scheduler.CfnSchedule.TargetProperty(
            role_arn=attribute_of(role, "role_arn"),
            dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(
                arn=attribute_of(dead_letter_queue, "queue_arn")
            ),
            retry_policy=None if retries is None else scheduler.CfnSchedule.RetryPolicyProperty(**retries),
            **start,
        )

    def _start(self, pipeline: Pipeline) -> dict[str, Any]:
        """The templated target: the scheduler builds the request."""
        parameters = [
            scheduler.CfnSchedule.SageMakerPipelineParameterProperty(name=name, value=value)
            for name, value in self.schedule.pipeline_parameters
        ]
        return {
            "arn": pipeline.pipeline_arn,
            "sage_maker_pipeline_parameters": scheduler.CfnSchedule.SageMakerPipelineParametersProperty(
                pipeline_parameter_list=parameters
            )
            if parameters
            else None,
        }

    def _idempotent_start(self, pipeline: Pipeline) -> dict[str, Any]:
        """The universal target: the request is ours, with a token that is the same for one scheduled time.

        https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
        """
        place = place_of(self)
        identity = hashlib.sha256(f"{path_of(self)}/{self.schedule_name}".encode()).hexdigest()[:40]
        request = start_request(
            pipeline_name=pipeline.declared_name,
            client_request_token=f"{identity}-{PipelineSchedule.SCHEDULED_TIME}",
            parameters=self.schedule.pipeline_parameters,
            display_name=self.schedule.display_name,
            version_id=self.schedule.pipeline_version_id,
        )
        return {"arn": start_call_arn(place.partition), "input": place.stack.to_json_string(request)}


def schedule_group(scope: Construct, construct_id: str) -> scheduler.ScheduleGroup:
    """Make a group that goes with its stack; the L2's own default would leave it behind."""
    return scheduler.ScheduleGroup(scope, construct_id, removal_policy=RemovalPolicy.DESTROY)


def _flexible_time_window(schedule: PipelineSchedule) -> scheduler.CfnSchedule.FlexibleTimeWindowProperty:
    if schedule.flexible_time_window is None:
        return scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF")
    return scheduler.CfnSchedule.FlexibleTimeWindowProperty(
        mode="FLEXIBLE",
        maximum_window_in_minutes=int(schedule.flexible_time_window.total_seconds() // 60),
    )
