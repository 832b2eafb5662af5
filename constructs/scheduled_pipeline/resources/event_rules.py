"""The ``AWS::Events::Rule`` resources of one pipeline."""

from __future__ import annotations

from aws_cdk import Annotations, Stack, Token
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from scheduled_pipeline.resources import names
from scheduled_pipeline.resources.dead_letter_queue import RuleSenders
from scheduled_pipeline.resources.pipeline import Pipeline
from scheduled_pipeline.resources.role_policy import allow, attach_policy
from scheduled_pipeline.resources.trigger_properties import retry_settings, trigger_description
from scheduled_pipeline.trigger.event import EventTrigger
from scheduled_pipeline.trigger.start_target import START_ACTION

_DEFAULT_BUS = "default"
FOREIGN_POLICY = "scheduled-pipeline:foreign-policy"
"""Id of the warning of a queue or key whose policy belongs to somebody else; the kind is put behind it."""


class EventRule(Construct):
    """One EventBridge rule that starts a pipeline.

    Written with the L1 resource: aws-cdk-lib has no target with SageMaker pipeline parameters
    (https://github.com/aws/aws-cdk/issues/14887).

    Attributes:
        trigger: which events start the pipeline and with what.
        rule_name: the physical name.
        rule_arn: the ARN, made from the name, so that the role can be bound to it before the rule exists.
        role: assumed by events.amazonaws.com for this rule alone, unless it was given.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        trigger: EventTrigger,
        pipeline: Pipeline,
        declared_pipeline_name: str,
        role: iam.IRole | None,
        dead_letter_queue: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self.trigger = trigger
        self.rule_name = trigger.name or names.derived_trigger_name(declared_pipeline_name, construct_id)
        bus = self._bus()
        names.claim(self, "rule", f"{bus}/{self.rule_name}", shown=self.rule_name)
        self.rule_arn = self._arn(bus)
        self.role = role or self._make_role()
        policy = attach_policy(self, "Policy", self.role, [allow([START_ACTION], pipeline.start_arns)])
        self._allow_dead_letters(dead_letter_queue)
        rule = events.CfnRule(
            self,
            "Resource",
            name=self.rule_name,
            description=trigger_description(trigger),
            event_bus_name=trigger.event_bus_name,
            event_pattern=trigger.event_pattern,
            schedule_expression=trigger.schedule_expression,
            state=trigger.state,
            targets=[self._target(pipeline, dead_letter_queue)],
        )
        rule.node.add_dependency(pipeline, policy)

    def _bus(self) -> str:
        """Return the name of the bus; a token is taken for a name of its own, which may be an ARN."""
        bus = self.trigger.event_bus_name or _DEFAULT_BUS
        return bus if Token.is_unresolved(bus) else bus.rsplit("event-bus/", 1)[-1]

    @property
    def _source_arns(self) -> list[str]:
        """The ARN of the rule; it leaves out the default bus, which one known at deploy time may be."""
        more = [self._arn(_DEFAULT_BUS)] if Token.is_unresolved(self._bus()) else []
        return [self.rule_arn, *more]

    def _arn(self, bus: str) -> str:
        """Return the ARN, which names the bus only where it is not the default one."""
        place = "*" if Token.is_unresolved(bus) else bus
        name = self.rule_name if place == _DEFAULT_BUS else f"{place}/{self.rule_name}"
        return Stack.of(self).format_arn(service="events", resource="rule", resource_name=name)

    def _make_role(self) -> iam.Role:
        """Make a role for this rule; EventBridge sends the rule's ARN as the source.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html
        """
        arns = self._source_arns
        principal = iam.ServicePrincipal(
            "events.amazonaws.com",
            conditions={
                "StringEquals": {"aws:SourceAccount": Stack.of(self).account},
                "ArnLike": {"aws:SourceArn": arns if len(arns) > 1 else arns[0]},
            },
        )
        return iam.Role(
            self,
            "Role",
            assumed_by=principal,
            description="Assumed by EventBridge to start one SageMaker pipeline",
        )

    def _allow_dead_letters(self, queue: sqs.IQueue) -> None:
        senders = RuleSenders.of(queue)
        senders.add(queue, self._source_arns)
        self._warn_unless(senders.takes_queue, "queue", queue.queue_arn)
        if queue.encryption_master_key is not None:
            self._warn_unless(senders.takes_key, "key", queue.encryption_master_key.key_arn)

    def _warn_unless(self, allowed: bool, kind: str, arn: str) -> None:
        """Warn where the policy is not ours to change: what cannot be delivered would be lost."""
        if not allowed:
            Annotations.of(self).add_warning_v2(
                f"{FOREIGN_POLICY}:{kind}",
                f"the policy of the {kind} {arn} cannot be changed from here; let events.amazonaws.com "
                f"use it for {self.rule_arn}, or what cannot be delivered is lost",
            )

    def _target(self, pipeline: Pipeline, queue: sqs.IQueue) -> events.CfnRule.TargetProperty:
        parameters = [
            events.CfnRule.SageMakerPipelineParameterProperty(name=name, value=value)
            for name, value in self.trigger.pipeline_parameters
        ]
        retries = retry_settings(self.trigger)
        return events.CfnRule.TargetProperty(
            id="Pipeline",
            arn=pipeline.pipeline_arn,
            role_arn=self.role.role_arn,
            sage_maker_pipeline_parameters=events.CfnRule.SageMakerPipelineParametersProperty(
                pipeline_parameter_list=parameters
            )
            if parameters
            else None,
            dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=queue.queue_arn),
            retry_policy=None if retries is None else events.CfnRule.RetryPolicyProperty(**retries),
        )
