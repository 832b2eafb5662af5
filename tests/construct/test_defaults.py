"""What ``ScheduledPipeline`` makes when hardly anything is given."""

from __future__ import annotations

from aws_cdk.assertions import Match, Template
from template_parts import (
    one_schedule,
    policy_statements,
)


class TestByDefault:
    def test_there_is_a_pipeline_with_a_role_and_nothing_that_starts_it(self, minimal: Template) -> None:
        types = sorted(resource["Type"] for resource in minimal.to_json()["Resources"].values())
        assert types == ["AWS::IAM::Policy", "AWS::IAM::Role", "AWS::SageMaker::Pipeline"]

    def test_the_pipeline_is_named_by_its_path(self, minimal: Template) -> None:
        minimal.has_resource_properties(
            "AWS::SageMaker::Pipeline",
            {"PipelineName": Match.string_like_regexp("^Stack-Training-[0-9A-F]{8}$")},
        )

    def test_a_schedule_brings_a_group_a_role_a_queue_and_alarms(self, with_schedule: Template) -> None:
        counts = {
            "AWS::Scheduler::Schedule": 1,
            "AWS::Scheduler::ScheduleGroup": 1,
            "AWS::SQS::Queue": 1,
            "AWS::SQS::QueuePolicy": 1,
            "AWS::IAM::Role": 2,
            "AWS::IAM::Policy": 2,
            "AWS::SageMaker::Pipeline": 1,
            "AWS::CloudWatch::Alarm": 4,
        }
        for resource_type, count in counts.items():
            with_schedule.resource_count_is(resource_type, count)
        assert len(with_schedule.to_json()["Resources"]) == sum(counts.values())

    def test_the_schedule_says_when_and_what(self, with_schedule: Template) -> None:
        with_schedule.has_resource_properties(
            "AWS::Scheduler::Schedule",
            {
                "ScheduleExpression": "cron(0 3 * * ? *)",
                "ScheduleExpressionTimezone": "Asia/Tokyo",
                "State": "ENABLED",
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Description": "every day at 03:00 Asia/Tokyo",
                "Name": Match.string_like_regexp("^Stack-Training-[0-9A-F]{8}-Nightly$"),
                "StartDate": Match.absent(),
                "EndDate": Match.absent(),
                "KmsKeyArn": Match.absent(),
            },
        )

    def test_the_target_is_the_pipeline_by_its_lower_case_arn(self, with_schedule: Template) -> None:
        (pipeline,) = with_schedule.find_resources("AWS::SageMaker::Pipeline").values()
        name = pipeline["Properties"]["PipelineName"].lower()
        target = one_schedule(with_schedule)["Properties"]["Target"]
        assert target["Arn"] == f"arn:aws:sagemaker:eu-west-1:111122223333:pipeline/{name}"
        assert "SageMakerPipelineParameters" not in target
        assert "RetryPolicy" not in target

    def test_the_schedule_is_made_after_and_deleted_before_all_it_needs(
        self, with_schedule: Template
    ) -> None:
        resources = with_schedule.to_json()["Resources"]
        needed = {resources[logical_id]["Type"] for logical_id in one_schedule(with_schedule)["DependsOn"]}
        assert needed == {
            "AWS::SageMaker::Pipeline",
            "AWS::IAM::Policy",
            "AWS::Scheduler::ScheduleGroup",
        }

    def test_the_group_goes_with_the_stack(self, with_schedule: Template) -> None:
        with_schedule.has_resource("AWS::Scheduler::ScheduleGroup", {"DeletionPolicy": "Delete"})

    def test_the_scheduler_role_is_trusted_for_this_group_and_account_alone(
        self, with_schedule: Template
    ) -> None:
        (group,) = with_schedule.find_resources("AWS::Scheduler::ScheduleGroup")
        with_schedule.has_resource_properties(
            "AWS::IAM::Role",
            {
                "AssumeRolePolicyDocument": {
                    "Statement": [
                        {
                            "Action": "sts:AssumeRole",
                            "Effect": "Allow",
                            "Principal": {"Service": "scheduler.amazonaws.com"},
                            "Condition": {
                                "StringEquals": {
                                    "aws:SourceAccount": "111122223333",
                                    "aws:SourceArn": {"Fn::GetAtt": [group, "Arn"]},
                                }
                            },
                        }
                    ],
                    "Version": "2012-10-17",
                },
                "ManagedPolicyArns": Match.absent(),
            },
        )

    def test_the_scheduler_role_may_start_this_pipeline_and_use_the_queue(
        self, with_schedule: Template
    ) -> None:
        statements = policy_statements(with_schedule, "SchedulerPolicy")
        (queue,) = with_schedule.find_resources("AWS::SQS::Queue")
        start, send = statements
        assert start["Action"] == "sagemaker:StartPipelineExecution"
        assert {arn.lower() for arn in start["Resource"]} == {
            one_schedule(with_schedule)["Properties"]["Target"]["Arn"]
        }
        assert (send["Action"], send["Resource"]) == ("sqs:SendMessage", {"Fn::GetAtt": [queue, "Arn"]})

    def test_the_queue_is_encrypted_and_refuses_plain_http(self, with_schedule: Template) -> None:
        with_schedule.has_resource_properties(
            "AWS::SQS::Queue", {"SqsManagedSseEnabled": True, "MessageRetentionPeriod": 14 * 24 * 3600}
        )
        with_schedule.has_resource_properties(
            "AWS::SQS::QueuePolicy",
            {
                "PolicyDocument": {
                    "Statement": [
                        Match.object_like(
                            {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
                        )
                    ]
                }
            },
        )

    def test_the_execution_role_is_for_sagemaker_without_a_managed_policy(self, minimal: Template) -> None:
        minimal.has_resource_properties(
            "AWS::IAM::Role",
            {
                "AssumeRolePolicyDocument": {
                    "Statement": [
                        Match.object_like(
                            {"Principal": {"Service": "sagemaker.amazonaws.com"}, "Effect": "Allow"}
                        )
                    ]
                },
                "ManagedPolicyArns": Match.absent(),
            },
        )

    def test_the_execution_role_reaches_everything_by_pattern_but_what_iam_cannot_scope(
        self, minimal: Template
    ) -> None:
        unscoped = [
            statement["Action"]
            for statement in policy_statements(minimal, "ExecutionPolicy")
            if statement["Resource"] == "*"
        ]
        assert unscoped == ["ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"]

    def test_the_execution_role_can_be_passed_to_sagemaker_only(self, minimal: Template) -> None:
        (role,) = minimal.find_resources("AWS::IAM::Role")
        (statement,) = [
            s for s in policy_statements(minimal, "ExecutionPolicy") if s["Action"] == "iam:PassRole"
        ]
        own = {"Fn::GetAtt": [role, "Arn"]}
        named_by_the_step = "arn:aws:iam::111122223333:role/given"
        assert statement["Resource"] == [named_by_the_step, own]
        assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
