"""Who may start the pipeline, and what roles get that come from elsewhere."""

from __future__ import annotations

import json
import re
from typing import Any

from aws_cdk import App, CfnParameter, Duration, Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as scheduler_targets
from aws_cdk.assertions import Annotations, Match, Template
from template_parts import (
    NIGHTLY,
    NewStack,
    one_schedule,
    policy_statements,
)

from scheduled_pipeline import EventTrigger, PipelineDefinition, ScheduledPipeline
from scheduled_pipeline.definition import placeholders

REGION = "eu-west-1"


class TestThePipelineConstruct:
    def test_is_a_target_of_the_cdks_own_schedule(
        self, new_stack: NewStack, definition: PipelineDefinition
    ) -> None:
        stack = new_stack()
        training = ScheduledPipeline(stack, "Training", definition=definition)
        scheduler.Schedule(
            stack,
            "Own",
            schedule=scheduler.ScheduleExpression.rate(Duration.hours(1)),
            target=scheduler_targets.SageMakerStartPipelineExecution(training.pipeline),
        )
        template = Template.from_stack(stack)
        (pipeline,) = template.find_resources("AWS::SageMaker::Pipeline").values()
        name = pipeline["Properties"]["PipelineName"].lower()
        arn = f"arn:aws:sagemaker:eu-west-1:111122223333:pipeline/{name}"
        assert one_schedule(template)["Properties"]["Target"]["Arn"] == arn

    def test_can_be_started_by_whom_it_is_granted_to(
        self, new_stack: NewStack, definition: PipelineDefinition
    ) -> None:
        stack = new_stack()
        training = ScheduledPipeline(stack, "Training", definition=definition, pipeline_name="Mixed-Case")
        role = iam.Role(stack, "Starter", assumed_by=iam.AccountRootPrincipal())
        assert training.grant_start(role).success
        (statement,) = policy_statements(Template.from_stack(stack), "Starter")
        assert statement["Action"] == "sagemaker:StartPipelineExecution"
        assert statement["Resource"] == [
            "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/Mixed-Case",
            "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/mixed-case",
        ]

    def test_may_start_itself_again(self, new_stack: NewStack, definition: PipelineDefinition) -> None:
        """A role that both runs and starts the pipeline makes no cycle."""
        stack = new_stack()
        training = ScheduledPipeline(stack, "Training", definition=definition, pipeline_name="lower")
        training.grant_start(training.execution_role)
        Template.from_stack(stack).resource_count_is("AWS::SageMaker::Pipeline", 1)


class TestRolesOfAnotherStack:
    def test_get_their_policy_from_this_one(
        self, feature_flags: dict[str, Any], definition: PipelineDefinition
    ) -> None:
        """A policy in the other stack would refer back to this one: a cycle."""
        app = App(context=feature_flags)
        env = Environment(account="111122223333", region=REGION)
        roles, stack = Stack(app, "Roles", env=env), Stack(app, "Stack", env=env)
        ScheduledPipeline(
            stack,
            "Training",
            definition=definition,
            schedules={"Nightly": NIGHTLY},
            events={"Ready": EventTrigger.pattern({"source": ["my.app"]})},
            scheduler_role=iam.Role(roles, "S", assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com")),
            event_role=iam.Role(roles, "E", assumed_by=iam.ServicePrincipal("events.amazonaws.com")),
        )
        Template.from_stack(roles).resource_count_is("AWS::IAM::Policy", 0)
        Template.from_stack(stack).resource_count_is("AWS::IAM::Policy", 3)

    def test_that_take_no_policy_are_warned_of(
        self, new_stack: NewStack, definition: PipelineDefinition
    ) -> None:
        stack = new_stack()
        arn = "arn:aws:iam::111122223333:role/fixed"
        role = iam.Role.from_role_arn(stack, "Fixed", arn, mutable=False)
        ScheduledPipeline(
            stack, "Training", definition=definition, schedules={"Nightly": NIGHTLY}, scheduler_role=role
        )
        Annotations.from_stack(stack).has_warning(
            "*",
            Match.string_like_regexp("Stack/Fixed takes no permissions .*sagemaker:StartPipelineExecution"),
        )


class TestThePolicyOfTheExecutionRole:
    def test_reaches_what_is_bound_late(self, new_stack: NewStack) -> None:
        """The account, the values and the buckets of the context, not what stands for them."""
        stack = new_stack(account=None)
        bucket = s3.Bucket.from_bucket_name(stack, "Data", "my-data")
        late = CfnParameter(stack, "DataBucketName").value_as_string
        ScheduledPipeline(
            stack,
            "Training",
            definition="sample_pipelines:reads_a_bucket_with_its_own_image",
            values={"DataBucket": late},
            data_buckets=[bucket],
        )
        text = json.dumps(Template.from_stack(stack).to_json())
        assert not re.search(placeholders.ANY, text, re.IGNORECASE)
        policy = json.dumps(policy_statements(Template.from_stack(stack), "ExecutionPolicy"))
        assert '"DataBucketName"' in policy
        assert "arn:aws:s3:::my-data" in policy or ":s3:::my-data" in policy
        assert ":repository/hello" in policy
