"""The ``AWS::Events::Rule`` resources of one pipeline."""

from __future__ import annotations

from aws_cdk import Stack, Token
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from scheduled_pipeline.resources import names
from scheduled_pipeline.resources.pipeline import Pipeline
from scheduled_pipeline.resources.schedules import trigger_description
from scheduled_pipeline.trigger.event import EventTrigger

_DEFAULT_BUS = "default"


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
        names.claim(self, "rule", self.rule_name)
        self.rule_arn = self._arn()
        self.role = role or self._make_role()
        pipeline.grant_start_pipeline_execution(self.role)
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
        rule.node.add_dependency(pipeline, self.role)

    def _arn(self) -> str:
        """Return the ARN, which names the bus only where it is not the default one."""
        bus = self.trigger.event_bus_name or _DEFAULT_BUS
        # A token may turn out to be a name or an ARN; the rule's own name is unique anyway.
        bus = "*" if Token.is_unresolved(bus) else bus.rsplit("event-bus/", 1)[-1]
        name = self.rule_name if bus == _DEFAULT_BUS else f"{bus}/{self.rule_name}"
        return Stack.of(self).format_arn(service="events", resource="rule", resource_name=name)

    def _make_role(self) -> iam.Role:
        """Make a role for this rule; EventBridge sends the rule's ARN as the source.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html
        """
        principal = iam.ServicePrincipal(
            "events.amazonaws.com",
            conditions={
                "StringEquals": {"aws:SourceAccount": Stack.of(self).account},
                "ArnLike": {"aws:SourceArn": self.rule_arn},
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
        source = {"ArnLike": {"aws:SourceArn": self.rule_arn}}
        queue.add_to_resource_policy(
            iam.PolicyStatement(
                actions=["sqs:SendMessage"],
                principals=[service],
                resources=[queue.queue_arn],
                conditions=source,
            )
        )
        if queue.encryption_master_key is not None:
            _allow_key(queue.encryption_master_key, service)

    def _target(self, pipeline: Pipeline, queue: sqs.IQueue) -> events.CfnRule.TargetProperty:
        parameters = [
            events.CfnRule.SageMakerPipelineParameterProperty(name=name, value=value)
            for name, value in self.trigger.pipeline_parameters
        ]
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
            retry_policy=_retry_policy(self.trigger),
        )


def _allow_key(key: kms.IKey, service: iam.ServicePrincipal) -> None:
    key.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["kms:Decrypt", "kms:GenerateDataKey"], principals=[service], resources=["*"]
        )
    )


def _retry_policy(trigger: EventTrigger) -> events.CfnRule.RetryPolicyProperty | None:
    if trigger.maximum_retry_attempts is None and trigger.maximum_event_age is None:
        return None
    age = trigger.maximum_event_age
    return events.CfnRule.RetryPolicyProperty(
        maximum_retry_attempts=trigger.maximum_retry_attempts,
        maximum_event_age_in_seconds=None if age is None else int(age.total_seconds()),
    )
