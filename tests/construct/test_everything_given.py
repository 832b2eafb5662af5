"""What ``ScheduledPipeline`` makes when everything is given."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template
from template_parts import (
    NewStack,
    policy_statements,
    text_of,
)

from scheduled_pipeline import PipelineDefinition, PipelineSchedule, ScheduledPipeline


@pytest.fixture(scope="session")
def maximal(new_stack: NewStack, definition: PipelineDefinition) -> Template:
    """Everything given."""
    stack = new_stack()
    ScheduledPipeline(
        stack,
        "Training",
        definition=definition,
        pipeline_name="MyPipeline",
        schedules={"Hourly": FULL_SCHEDULE, "Once": IDEMPOTENT_SCHEDULE},
        values={"Unused": "value"},
        artifact_bucket=s3.Bucket.from_bucket_name(stack, "Bucket", "my-bucket"),
        execution_role=iam.Role.from_role_arn(stack, "Execution", "arn:aws:iam::111122223333:role/execution"),
        scheduler_role=iam.Role.from_role_arn(stack, "Scheduler", "arn:aws:iam::111122223333:role/scheduler"),
        schedule_group=scheduler.ScheduleGroup.from_schedule_group_name(stack, "Group", "my-group"),
        dead_letter_queue=sqs.Queue.from_queue_arn(
            stack, "Queue", "arn:aws:sqs:eu-west-1:111122223333:my-queue"
        ),
        encryption_key=kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:eu-west-1:111122223333:key/my-key"),
        max_parallel_steps=7,
        description="my description",
    )
    return Template.from_stack(stack)


FULL_SCHEDULE = PipelineSchedule.rate(
    timedelta(hours=1),
    timezone="Asia/Tokyo",
    start=datetime(2027, 1, 1, tzinfo=UTC),
    end=datetime(2028, 1, 1, tzinfo=UTC),
    flexible_time_window=timedelta(minutes=15),
    enabled=False,
    description="every hour",
    parameters={"Date": PipelineSchedule.SCHEDULED_TIME, "Count": 2, "Limit": 1.5, "Full": True, "Mode": "b"},
    maximum_retry_attempts=3,
    maximum_event_age=timedelta(hours=2),
    name="my-schedule",
)
IDEMPOTENT_SCHEDULE = PipelineSchedule.at(
    datetime(2027, 1, 4, 9, 0),  # noqa: DTZ001 - the wall clock of the zone
    timezone="America/New_York",
    idempotent=True,
    display_name="launch",
    pipeline_version_id=3,
    parameters={"Count": 2},
)


class TestWithEverythingGiven:
    def test_nothing_is_made_but_pipeline_schedules_and_the_grants(self, maximal: Template) -> None:
        types = sorted(resource["Type"] for resource in maximal.to_json()["Resources"].values())
        assert types == [
            "AWS::IAM::Policy",
            "AWS::IAM::Policy",
            "AWS::SageMaker::Pipeline",
            "AWS::Scheduler::Schedule",
            "AWS::Scheduler::Schedule",
        ]

    def test_the_pipeline_has_it_all(self, maximal: Template) -> None:
        maximal.has_resource_properties(
            "AWS::SageMaker::Pipeline",
            {
                "PipelineName": "MyPipeline",
                "PipelineDescription": "my description",
                "ParallelismConfiguration": {"MaxParallelExecutionSteps": 7},
                "RoleArn": "arn:aws:iam::111122223333:role/execution",
            },
        )

    def test_the_schedule_has_it_all(self, maximal: Template) -> None:
        maximal.has_resource_properties(
            "AWS::Scheduler::Schedule",
            {
                "Name": "my-schedule",
                "GroupName": "my-group",
                "Description": "every hour",
                "ScheduleExpression": "rate(1 hour)",
                "ScheduleExpressionTimezone": "Asia/Tokyo",
                "StartDate": "2027-01-01T00:00:00Z",
                "EndDate": "2028-01-01T00:00:00Z",
                "State": "DISABLED",
                "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
                "KmsKeyArn": "arn:aws:kms:eu-west-1:111122223333:key/my-key",
                "Target": {
                    "Arn": "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/mypipeline",
                    "RoleArn": "arn:aws:iam::111122223333:role/scheduler",
                    "DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-west-1:111122223333:my-queue"},
                    "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 7200},
                    "SageMakerPipelineParameters": {
                        "PipelineParameterList": [
                            {"Name": "Date", "Value": "<aws.scheduler.scheduled-time>"},
                            {"Name": "Count", "Value": "2"},
                            {"Name": "Limit", "Value": "1.5"},
                            {"Name": "Full", "Value": "True"},
                            {"Name": "Mode", "Value": "b"},
                        ]
                    },
                },
            },
        )

    def test_an_idempotent_schedule_makes_the_request_itself(self, maximal: Template) -> None:
        once = next(
            schedule["Properties"]
            for schedule in maximal.find_resources("AWS::Scheduler::Schedule").values()
            if schedule["Properties"]["ScheduleExpression"] == "at(2027-01-04T09:00:00)"
        )
        assert once["Target"]["Arn"] == "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
        request = json.loads(text_of(once["Target"]["Input"]))
        token = request.pop("ClientRequestToken")
        assert token.endswith("-<aws.scheduler.scheduled-time>")
        assert 32 <= len(token.replace("<aws.scheduler.scheduled-time>", "2027-01-04T14:00:00Z")) <= 128
        assert request == {
            "PipelineName": "MyPipeline",
            "PipelineExecutionDisplayName": "launch",
            "PipelineVersionId": 3,
            "PipelineParameters": [{"Name": "Count", "Value": "2"}],
        }

    def test_both_roles_that_were_given_get_their_grants(self, maximal: Template) -> None:
        policies = maximal.find_resources("AWS::IAM::Policy").values()
        assert {tuple(policy["Properties"]["Roles"]) for policy in policies} == {
            ("execution",),
            ("scheduler",),
        }

    def test_the_scheduler_may_use_the_key(self, maximal: Template) -> None:
        (statement,) = [
            s for s in policy_statements(maximal, "SchedulerPolicy") if "kms:Decrypt" in s["Action"]
        ]
        assert statement["Resource"] == "arn:aws:kms:eu-west-1:111122223333:key/my-key"

    def test_it_passes_cfn_lint(self, maximal: Template, tmp_path: Path) -> None:
        path = tmp_path / "maximal.template.json"
        path.write_text(json.dumps(maximal.to_json()), encoding="utf-8")
        lint = subprocess.run(
            [str(Path(sys.executable).parent / "cfn-lint"), str(path)],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (lint.returncode, lint.stdout) == (0, ""), lint.stdout
