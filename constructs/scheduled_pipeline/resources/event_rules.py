"""The ``AWS::Events::Rule`` resources of one pipeline."""

from __future__ import annotations

from typing import Any

from aws_cdk import Annotations, Stack, Token
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from scheduled_pipeline.resources import names
from scheduled_pipeline.resources.dead_letter_queue import takes_all_rules
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
        if not takes_all_rules(dead_letter_queue):
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

    def _source(self) -> dict[str, Any]:
        """Return the condition on the ARN of the rule; a bus known at deploy time may be the default one."""
        arns = [self.rule_arn]
        if Token.is_unresolved(self._bus()):
            arns.append(self._arn(_DEFAULT_BUS))
        return {"ArnLike": {"aws:SourceArn": arns if len(arns) > 1 else arns[0]}}

    def _arn(self, bus: str) -> str:
        """Return the ARN, which names the bus only where it is not the default one."""
        place = "*" if Token.is_unresolved(bus) else bus
        name = self.rule_name if place == _DEFAULT_BUS else f"{place}/{self.rule_name}"
        return Stack.of(self).format_arn(service="events", resource="rule", resource_name=name)

    def _make_role(self) -> iam.Role:
        """Make a role for this rule; EventBridge sends the rule's ARN as the source.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html
        """
        principal = iam.ServicePrincipal(
            "events.amazonaws.com",
            conditions={
                "StringEquals": {"aws:SourceAccount": Stack.of(self).account},
                **self._source(),
            },
        )
        return iam.Role(
            self,
            "Role",
            assumed_by=principal,
            description="Assumed by EventBridge to start one SageMaker pipeline",
        )

    def _allow_dead_letters(self, queue: sqs.IQueue) -> None:
        """Let the rule send to the queue: for a rule it is the queue's policy that counts, not a role's.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
        """
        service = iam.ServicePrincipal("events.amazonaws.com")
        send = iam.PolicyStatement(
            actions=["sqs:SendMessage"],
            principals=[service],
            resources=[queue.queue_arn],
            conditions=self._source(),
        )
        self._allow("queue", queue.queue_arn, queue.add_to_resource_policy(send))
        if queue.encryption_master_key is not None:
            key = queue.encryption_master_key
            use = iam.PolicyStatement(
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                principals=[service],
                resources=["*"],  # of a key's own policy: this key
                conditions=self._source(),
            )
            self._allow("key", key.key_arn, key.add_to_resource_policy(use))

    def _allow(self, kind: str, arn: str, added: iam.AddToResourcePolicyResult) -> None:
        """Warn where the policy is not ours to change: what cannot be delivered would be lost."""
        if not added.statement_added:
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
