"""`ScheduledPipeline`: what it makes, what it takes, and what it refuses."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aws_cdk import App, CfnParameter, DefaultStackSynthesizer, Duration, Environment, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as scheduler_targets
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Annotations, Match, Template

from scheduled_pipeline import EventTrigger, PipelineDefinition, PipelineSchedule, ScheduledPipeline
from scheduled_pipeline.definition import placeholders

NewStack = Callable[..., Stack]
REGION = "eu-west-1"
NIGHTLY = PipelineSchedule.cron("0 3 * * ? *", timezone="Asia/Tokyo")


@pytest.fixture(scope="session")
def definition(small_definition: dict[str, Any]) -> PipelineDefinition:
    return PipelineDefinition.from_json(small_definition)


@pytest.fixture(scope="session")
def minimal(new_stack: NewStack, definition: PipelineDefinition) -> Template:
    """Nothing given but a definition."""
    stack = new_stack()
    ScheduledPipeline(stack, "Training", definition=definition)
    return Template.from_stack(stack)


@pytest.fixture(scope="session")
def with_schedule(new_stack: NewStack, definition: PipelineDefinition) -> Template:
    """One schedule and every default."""
    stack = new_stack()
    ScheduledPipeline(stack, "Training", definition=definition, schedules={"Nightly": NIGHTLY})
    return Template.from_stack(stack)


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
        target = _schedule(with_schedule)["Properties"]["Target"]
        assert target["Arn"] == f"arn:aws:sagemaker:eu-west-1:111122223333:pipeline/{name}"
        assert "SageMakerPipelineParameters" not in target
        assert "RetryPolicy" not in target

    def test_the_schedule_is_made_after_and_deleted_before_all_it_needs(
        self, with_schedule: Template
    ) -> None:
        resources = with_schedule.to_json()["Resources"]
        needed = {resources[logical_id]["Type"] for logical_id in _schedule(with_schedule)["DependsOn"]}
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
        statements = _statements(with_schedule, "SchedulerPolicy")
        (queue,) = with_schedule.find_resources("AWS::SQS::Queue")
        start, send = statements
        assert start["Action"] == "sagemaker:StartPipelineExecution"
        assert {arn.lower() for arn in start["Resource"]} == {
            _schedule(with_schedule)["Properties"]["Target"]["Arn"]
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
            for statement in _statements(minimal, "ExecutionPolicy")
            if statement["Resource"] == "*"
        ]
        assert unscoped == ["ecr:GetAuthorizationToken", "cloudwatch:PutMetricData"]

    def test_the_execution_role_can_be_passed_to_sagemaker_only(self, minimal: Template) -> None:
        (role,) = minimal.find_resources("AWS::IAM::Role")
        (statement,) = [s for s in _statements(minimal, "ExecutionPolicy") if s["Action"] == "iam:PassRole"]
        own = {"Fn::GetAtt": [role, "Arn"]}
        named_by_the_step = "arn:aws:iam::111122223333:role/given"
        assert statement["Resource"] == [named_by_the_step, own]
        assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}


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
        request = json.loads(_text(once["Target"]["Input"]))
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
        (statement,) = [s for s in _statements(maximal, "SchedulerPolicy") if "kms:Decrypt" in s["Action"]]
        assert statement["Resource"] == "arn:aws:kms:eu-west-1:111122223333:key/my-key"

    def test_it_passes_cfn_lint(self, maximal: Template, tmp_path: Path) -> None:
        path = tmp_path / "maximal.template.json"
        path.write_text(json.dumps(maximal.to_json()), encoding="utf-8")
        lint = subprocess.run(
            [str(Path(sys.executable).parent / "cfn-lint"), str(path)],
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (lint.returncode, lint.stdout) == (0, ""), lint.stdout


class TestTheKey:
    def test_encrypts_schedules_queue_and_bucket(
        self, new_stack: NewStack, small_definition: dict[str, Any]
    ) -> None:
        stack = new_stack()
        ScheduledPipeline(
            stack,
            "Training",
            definition=PipelineDefinition.from_json(_with_artifacts(small_definition)),
            schedules={"Nightly": NIGHTLY},
            encryption_key=kms.Key(stack, "Key"),
        )
        template = Template.from_stack(stack)
        (key,) = template.find_resources("AWS::KMS::Key")
        arn = {"Fn::GetAtt": [key, "Arn"]}
        template.has_resource_properties("AWS::Scheduler::Schedule", {"KmsKeyArn": arn})
        template.has_resource_properties("AWS::SQS::Queue", {"KmsMasterKeyId": arn})
        bucket = template.find_resources("AWS::S3::Bucket").popitem()[1]["Properties"]["BucketEncryption"]
        rule = bucket["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]
        assert rule == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}


class TestTheArtifactBucket:
    def test_is_made_where_the_definition_uses_one(
        self, new_stack: NewStack, small_definition: dict[str, Any]
    ) -> None:
        stack = new_stack()
        ScheduledPipeline(
            stack, "Training", definition=PipelineDefinition.from_json(_with_artifacts(small_definition))
        )
        template = Template.from_stack(stack)
        template.has_resource(
            "AWS::S3::Bucket",
            {
                "DeletionPolicy": "Retain",
                "Properties": {
                    "VersioningConfiguration": {"Status": "Enabled"},
                    "PublicAccessBlockConfiguration": Match.object_like({"BlockPublicPolicy": True}),
                    "BucketEncryption": Match.any_value(),
                },
            },
        )
        (bucket,) = template.find_resources("AWS::S3::Bucket")
        assert f"s3://<{bucket}>/out" in _text(_body(template))

    def test_that_is_given_is_used_and_granted(
        self, new_stack: NewStack, small_definition: dict[str, Any]
    ) -> None:
        stack = new_stack()
        ScheduledPipeline(
            stack,
            "Training",
            definition=PipelineDefinition.from_json(_with_artifacts(small_definition)),
            artifact_bucket=s3.Bucket.from_bucket_name(stack, "Bucket", "my-bucket"),
        )
        template = Template.from_stack(stack)
        assert "s3://my-bucket/out" in _text(_body(template))
        granted = [
            s["Resource"] for s in _statements(template, "ExecutionPolicy") if "s3:PutObject" in s["Action"]
        ]
        assert granted == ["arn:aws:s3:::my-bucket/out/*"]


class TestTheDefinition:
    def test_is_one_template_element_a_line(
        self, minimal: Template, small_definition: dict[str, Any]
    ) -> None:
        separator, lines = _body(minimal)["Fn::Join"]
        assert separator == "\n"
        assert lines == json.dumps(small_definition, indent=2).split("\n")

    def test_that_changes_in_one_value_changes_one_element(
        self, new_stack: NewStack, small_definition: dict[str, Any], minimal: Template
    ) -> None:
        changed = json.loads(json.dumps(small_definition).replace("ml.m5.large", "ml.m5.xlarge"))
        stack = new_stack()
        ScheduledPipeline(stack, "Training", definition=PipelineDefinition.from_json(changed))
        before, after = (_body(t)["Fn::Join"][1] for t in (minimal, Template.from_stack(stack)))
        assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == [
            ('            "InstanceType": "ml.m5.large",', '            "InstanceType": "ml.m5.xlarge",')
        ]

    def test_of_a_function_is_bound_to_role_account_and_values(self, new_stack: NewStack) -> None:
        stack = new_stack(account=None)
        parameter = CfnParameter(stack, "DataBucketName")
        training = ScheduledPipeline(
            stack,
            "Training",
            definition="sample_pipelines:with_values",
            values={"DataBucket": parameter.value_as_string, "Prefix": "a", "Count": 2},
        )
        template = Template.from_stack(stack)
        text = _text(_body(template))
        role = stack.get_logical_id(training.execution_role.node.default_child)  # type: ignore[arg-type]
        assert f'"RoleArn": "<{role}.Arn>"' in text
        assert "s3://<DataBucketName>/a/in.csv" in text
        assert "placeholder" not in text

    def test_knows_its_account_late(self, new_stack: NewStack) -> None:
        stack = new_stack(account=None)
        ScheduledPipeline(stack, "Training", definition="sample_pipelines:everything_of_the_context")
        assert '"DefaultValue": "<AWS::AccountId> eu-west-1 aws ' in _text(_body(Template.from_stack(stack)))

    def test_has_its_code_in_the_assembly_under_its_own_name(self, new_stack: NewStack) -> None:
        stack = new_stack()
        training = ScheduledPipeline(stack, "Training", definition="sample_pipelines:source_folder")
        template = Template.from_stack(stack)
        folder = Path(stack.node.root.outdir)  # type: ignore[attr-defined]
        manifest = json.loads((folder / "Stack.assets.json").read_text(encoding="utf-8"))
        keys = set()
        for file in manifest["files"].values():
            assert not Path(file["source"]["path"]).is_absolute()
            assert (folder / file["source"]["path"]).exists()
            keys |= {destination["objectKey"] for destination in file["destinations"].values()}
        code = training.definition.uploads[0]
        assert {f"{code.digest}/code/step.py", f"{code.digest}/code/library/answers.py"} <= keys
        assert f"s3://cdk-hnb659fds-assets-111122223333-eu-west-1/{code.digest}/code" in _text(
            _body(template)
        )

    def test_names_every_file_of_a_folder_so_that_none_is_collected(self, new_stack: NewStack) -> None:
        """`cdk gc` keeps what a template mentions."""
        stack = new_stack()
        training = ScheduledPipeline(stack, "Training", definition="sample_pipelines:source_folder")
        text = json.dumps(Template.from_stack(stack).to_json())
        for upload in training.definition.uploads:
            for file in upload.files:
                assert f"{upload.digest}/{upload.name}/{file.relative_path}" in text

    def test_lets_the_execution_role_read_its_code_and_list_nothing_else(self, new_stack: NewStack) -> None:
        stack = new_stack()
        training = ScheduledPipeline(stack, "Training", definition="sample_pipelines:script")
        (upload,) = training.definition.uploads
        statements = _statements(Template.from_stack(stack), "ExecutionPolicy")
        bucket = "arn:aws:s3:::cdk-hnb659fds-assets-111122223333-eu-west-1"
        assert {
            "Action": "s3:GetObject",
            "Effect": "Allow",
            "Resource": f"{bucket}/{upload.digest}/*",
        } in statements
        assert {
            "Action": "s3:ListBucket",
            "Effect": "Allow",
            "Resource": bucket,
            "Condition": {"StringLike": {"s3:prefix": [f"{upload.digest}/*"]}},
        } in statements


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
        assert _schedule(template)["Properties"]["Target"]["Arn"] == arn

    def test_can_be_started_by_whom_it_is_granted_to(
        self, new_stack: NewStack, definition: PipelineDefinition
    ) -> None:
        stack = new_stack()
        training = ScheduledPipeline(stack, "Training", definition=definition, pipeline_name="Mixed-Case")
        role = iam.Role(stack, "Starter", assumed_by=iam.AccountRootPrincipal())
        assert training.grant_start(role).success
        (statement,) = _statements(Template.from_stack(stack), "Starter")
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


class TestSynthesizers:
    def test_made_in_python_put_code_where_they_say(self, feature_flags: dict[str, Any]) -> None:
        app = App(context=feature_flags)
        stack = Stack(
            app,
            "Stack",
            env=Environment(account="111122223333", region=REGION),
            synthesizer=DefaultStackSynthesizer(qualifier="mine", bucket_prefix="pre-"),
        )
        for construct_id in ("One", "Two"):
            ScheduledPipeline(stack, construct_id, definition="sample_pipelines:script")
        assembly = Path(app.synth().directory)
        manifest = json.loads((assembly / "Stack.assets.json").read_text(encoding="utf-8"))
        keys = [
            destination["objectKey"]
            for file in manifest["files"].values()
            for destination in file["destinations"].values()
        ]
        (key,) = [key for key in keys if key.endswith("/step.py")]
        assert key.startswith("pre-")
        template = (assembly / "Stack.template.json").read_text(encoding="utf-8")
        assert f"s3://cdk-mine-assets-111122223333-eu-west-1/{key}" in template

    def test_of_two_stacks_are_refused(self, feature_flags: dict[str, Any]) -> None:
        app = App(context=feature_flags)
        shared = DefaultStackSynthesizer()
        env = Environment(account="111122223333", region=REGION)
        one, other = (Stack(app, name, env=env, synthesizer=shared) for name in ("One", "Other"))
        ScheduledPipeline(one, "Training", definition="sample_pipelines:script")
        with pytest.raises(ValueError, match="Other: its synthesizer is that of another stack"):
            ScheduledPipeline(other, "Training", definition="sample_pipelines:script")


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
        policy = json.dumps(_statements(Template.from_stack(stack), "ExecutionPolicy"))
        assert '"DataBucketName"' in policy
        assert "arn:aws:s3:::my-data" in policy or ":s3:::my-data" in policy
        assert ":repository/hello" in policy


class TestValues:
    def test_with_quotes_and_lines_stay_inside_their_string(self, new_stack: NewStack) -> None:
        stack = new_stack()
        late = CfnParameter(stack, "Late").value_as_string
        values = {"DataBucket": "b", "Prefix": 'say "' + late + '"\n\\d', "Count": 1}
        ScheduledPipeline(stack, "Training", definition="sample_pipelines:with_values", values=values)
        text = _text(_body(Template.from_stack(stack)))
        found = json.loads(text)["Steps"][0]["Arguments"]["ProcessingInputs"][0]["S3Input"]["S3Uri"]
        assert found == 's3://b/say "<Late>"\n\\d/in.csv'

    def test_that_nobody_asks_for_are_warned_of(self, new_stack: NewStack) -> None:
        stack = new_stack()
        ScheduledPipeline(stack, "Training", definition="sample_pipelines:script", values={"DataBuckte": "b"})
        Annotations.from_stack(stack).has_warning(
            "*", Match.string_like_regexp(r"values\['DataBuckte'\] is never asked for by the build function")
        )

    def test_of_the_context_that_are_changed_are_refused(self, new_stack: NewStack) -> None:
        with pytest.raises(
            ValueError, match="Stack/Training: the build function changed what the context gave it"
        ):
            ScheduledPipeline(new_stack(), "Training", definition="sample_pipelines:changes_its_context")


def test_the_name_of_an_sdk_object_is_kept(new_stack: NewStack, small_definition: dict[str, Any]) -> None:
    source = PipelineDefinition.from_json(small_definition)
    assert source.compiled is not None
    of_the_sdk = PipelineDefinition(compiled=replace(source.compiled, pipeline_name="Mine"))
    stack = new_stack()
    ScheduledPipeline(stack, "Training", definition=of_the_sdk)
    Template.from_stack(stack).has_resource_properties("AWS::SageMaker::Pipeline", {"PipelineName": "Mine"})


class TestRefuses:
    """Each slip at synth, naming the construct, the field, the value and what is allowed."""

    @pytest.fixture
    def build(self, new_stack: NewStack, definition: PipelineDefinition) -> Callable[..., ScheduledPipeline]:
        stack = new_stack()

        def build(construct_id: str = "Training", **arguments: Any) -> ScheduledPipeline:
            return ScheduledPipeline(stack, construct_id, **{"definition": definition, **arguments})

        return build

    def test_a_name_that_sagemaker_refuses(self, build: Callable[..., ScheduledPipeline]) -> None:
        with pytest.raises(
            ValueError, match=r"Stack/Training.*pipeline_name must be 1 to 256 letters, .* got 'my_name'"
        ):
            build(pipeline_name="my_name")

    def test_a_name_that_is_known_at_deploy_time_only(
        self, new_stack: NewStack, definition: PipelineDefinition
    ) -> None:
        stack = new_stack()
        name = CfnParameter(stack, "Name").value_as_string
        with pytest.raises(ValueError, match="Stack/Training: pipeline_name must be known at synth"):
            ScheduledPipeline(stack, "Training", definition=definition, pipeline_name=name)

    def test_a_description_that_is_too_long(self, build: Callable[..., ScheduledPipeline]) -> None:
        with pytest.raises(ValueError, match="description must be at most 3072 characters, got 3073"):
            build(description="x" * 3073)

    @pytest.mark.parametrize("number", [0, -1])
    def test_a_parallelism_below_one(self, build: Callable[..., ScheduledPipeline], number: int) -> None:
        with pytest.raises(ValueError, match=f"max_parallel_steps must be 1 or more, got {number}"):
            build(max_parallel_steps=number)

    def test_two_pipelines_of_one_name(self, build: Callable[..., ScheduledPipeline]) -> None:
        build(pipeline_name="same")
        expected = "Stack/Second: the pipeline name 'same' is already taken by Stack/Training"
        with pytest.raises(ValueError, match=expected):
            build("Second", pipeline_name="same")

    def test_two_pipelines_that_differ_in_letter_case_alone(
        self, build: Callable[..., ScheduledPipeline]
    ) -> None:
        build(pipeline_name="Train")
        with pytest.raises(ValueError, match="the pipeline name 'train' is already taken by Stack/Training"):
            build("Second", pipeline_name="train")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (
                {"execution_role": "arn:aws:iam::1:role/r"},
                "execution_role must be an iam.IRole, such as Role.from",
            ),
            ({"scheduler_role": "r"}, "scheduler_role must be an iam.IRole"),
            ({"artifact_bucket": "b"}, "artifact_bucket must be an s3.IBucket"),
            ({"dead_letter_queue": "q"}, "dead_letter_queue must be an sqs.IQueue"),
            ({"encryption_key": "k"}, "encryption_key must be a kms.IKey"),
            ({"schedule_group": "g"}, "schedule_group must be a scheduler.IScheduleGroup"),
            ({"schedules": [NIGHTLY]}, "schedules must be a mapping of names to schedules"),
            ({"schedules": {1: NIGHTLY}}, "schedules must have strings as names, got 1"),
            ({"events": "S3"}, "events must be a mapping of names to triggers"),
            ({"values": ["a"]}, "values must be a mapping of names to values"),
            ({"pipeline_name": 5}, "pipeline_name must be a string, got 5"),
            ({"description": 5}, "description must be a string, got 5"),
            ({"max_parallel_steps": "5"}, "max_parallel_steps must be a whole number, got '5'"),
            ({"max_parallel_steps": 2.5}, "max_parallel_steps must be a whole number, got 2.5"),
        ],
    )
    def test_an_argument_of_a_wrong_type(
        self, build: Callable[..., ScheduledPipeline], arguments: dict[str, Any], message: str
    ) -> None:
        with pytest.raises(TypeError, match=f"^Stack/Training: {message}"):
            build(**arguments)

    def test_two_schedules_of_one_name(self, build: Callable[..., ScheduledPipeline]) -> None:
        same = PipelineSchedule.rate(timedelta(hours=1), name="same")
        expected = r"Stack/Training/Schedules/B: the schedule name 'same' is already taken by .*/Schedules/A"
        with pytest.raises(ValueError, match=expected):
            build(schedules={"A": same, "B": same})

    def test_a_derived_name_that_another_schedule_has(self, build: Callable[..., ScheduledPipeline]) -> None:
        given = PipelineSchedule.rate(timedelta(hours=1), name="p-B")
        with pytest.raises(ValueError, match="the schedule name 'p-B' is already taken"):
            build(pipeline_name="p", schedules={"A": given, "B": NIGHTLY})

    @pytest.mark.parametrize("key", ["", "a b", "x" * 65, "a/b"])
    def test_a_key_that_cannot_be_in_a_name(self, build: Callable[..., ScheduledPipeline], key: str) -> None:
        with pytest.raises(ValueError, match=r"Stack/Training: schedule '.*': the name must be 1 to 64 of"):
            build(schedules={key: NIGHTLY})

    def test_a_key_that_is_taken(self, build: Callable[..., ScheduledPipeline]) -> None:
        training = build(schedules={"A": NIGHTLY})
        with pytest.raises(ValueError, match="schedule 'A': there is a trigger of that name already"):
            training.add_schedule("A", NIGHTLY)

    def test_what_is_no_schedule(self, build: Callable[..., ScheduledPipeline]) -> None:
        with pytest.raises(
            TypeError, match="Stack/Training: schedule 'A': schedule must be a PipelineSchedule"
        ):
            build(schedules={"A": "rate(1 hour)"})

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            (
                {"Dat": "x"},
                "the pipeline has no parameter 'Dat'; did you mean 'Date'. it has Date, Count, Limit",
            ),
            ({"Count": "one"}, "parameter 'Count' is of type Integer, got 'one'"),
            ({"Count": "1_000"}, "parameter 'Count' is of type Integer, got '1_000'"),
            ({"Count": 1.5}, "parameter 'Count' is of type Integer, got '1.5'"),
            ({"Limit": "high"}, "parameter 'Limit' is of type Float, got 'high'"),
            ({"Full": "yes"}, "parameter 'Full' is of type Boolean, got 'yes'"),
            ({"Mode": "c"}, "parameter 'Mode' must be one of 'a', 'b', got 'c'"),
        ],
    )
    def test_parameters_that_do_not_fit_the_pipeline(
        self, build: Callable[..., ScheduledPipeline], parameters: dict[str, Any], message: str
    ) -> None:
        schedule = PipelineSchedule.rate(timedelta(hours=1), parameters=parameters)
        with pytest.raises(ValueError, match=f"Stack/Training: schedule 'A': {message}"):
            build(schedules={"A": schedule})

    def test_a_schedule_that_leaves_out_a_parameter_without_default(
        self, build: Callable[..., ScheduledPipeline], small_definition: dict[str, Any]
    ) -> None:
        needs = [*small_definition["Parameters"], {"Name": "Needed", "Type": "String"}]
        definition = PipelineDefinition.from_json({**small_definition, "Parameters": needs})
        with pytest.raises(ValueError, match="schedule 'A': must give Needed: a parameter without a default"):
            build(definition=definition, schedules={"A": NIGHTLY})

    def test_a_value_of_another_type(self, build: Callable[..., ScheduledPipeline]) -> None:
        with pytest.raises(
            TypeError, match=r"Stack/Training: values\['A'\] must be a string, a number or a boolean"
        ):
            build(values={"A": ["list"]})

    def test_a_number_that_is_known_at_deploy_time_only(
        self, build: Callable[..., ScheduledPipeline]
    ) -> None:
        number = Token.as_number({"Ref": "Number"})
        with pytest.raises(ValueError, match=r"values\['A'\] is a number that is known at deploy time only"):
            build(values={"A": number})

    def test_a_function_in_a_stack_without_a_region(self, new_stack: NewStack) -> None:
        stack = new_stack(account=None, region=None)
        with pytest.raises(
            ValueError, match=r"Stack/Training: the Region of the stack is not known.*env=Environment"
        ):
            ScheduledPipeline(stack, "Training", definition="sample_pipelines:script")

    def test_a_build_function_that_calls_aws_naming_the_construct(self, new_stack: NewStack) -> None:
        with pytest.raises(
            ValueError, match=r"(?s)^Stack/Training: the build function .*refused the AWS call s3:"
        ):
            ScheduledPipeline(new_stack(), "Training", definition="sample_pipelines:calls_aws")

    def test_a_build_function_that_names_its_pipeline_otherwise(self, new_stack: NewStack) -> None:
        with pytest.raises(ValueError, match=r"named its pipeline 'Other', but it is deployed as 'mine'"):
            ScheduledPipeline(
                new_stack(),
                "Training",
                definition="sample_pipelines:names_it_otherwise",
                pipeline_name="mine",
            )


def test_the_sdks_own_schedule_is_taken_as_it_is(
    new_stack: NewStack, definition: PipelineDefinition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)  # the SDK cannot be imported without one
    from sagemaker.mlops.workflow.triggers import PipelineSchedule as SdkSchedule

    stack = new_stack()
    sdk = SdkSchedule(name="from-sdk", cron="0 3 * * ? *", start_date=datetime(2027, 1, 1), enabled=False)  # noqa: DTZ001
    ScheduledPipeline(stack, "Training", definition=definition, schedules={"Sdk": sdk})
    Template.from_stack(stack).has_resource_properties(
        "AWS::Scheduler::Schedule",
        {
            "Name": "from-sdk",
            "ScheduleExpression": "cron(0 3 * * ? *)",
            "ScheduleExpressionTimezone": "UTC",
            "StartDate": "2027-01-01T00:00:00Z",
            "State": "DISABLED",
        },
    )


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2027, 1, 4, 9, 0),  # noqa: DTZ001 - the wall clock of the zone
        datetime(2027, 1, 4, 9, 0, tzinfo=ZoneInfo("America/New_York")),
        datetime(2027, 1, 4, 14, 0, tzinfo=UTC),
    ],
)
def test_nine_in_new_york_is_nine_in_new_york(
    new_stack: NewStack, definition: PipelineDefinition, moment: datetime
) -> None:
    stack = new_stack()
    launch = PipelineSchedule.at(moment, timezone="America/New_York")
    ScheduledPipeline(stack, "Training", definition=definition, schedules={"Launch": launch})
    Template.from_stack(stack).has_resource_properties(
        "AWS::Scheduler::Schedule",
        {
            "ScheduleExpression": "at(2027-01-04T09:00:00)",
            "ScheduleExpressionTimezone": "America/New_York",
        },
    )


def test_a_schedule_that_moves_to_another_group_gets_another_name(
    new_stack: NewStack, definition: PipelineDefinition
) -> None:
    """CloudFormation cannot move it in place; a new name makes it a replacement."""
    found = []
    for group in (None, "one", "other"):
        stack = new_stack()
        given = group and scheduler.ScheduleGroup.from_schedule_group_name(stack, group, group)
        training = ScheduledPipeline(
            stack,
            "Training",
            definition=definition,
            pipeline_name="training",
            schedules={"Nightly": NIGHTLY},
            schedule_group=given or None,
        )
        found.append(training.schedules["Nightly"].schedule_name)
    assert found[0] == "training-Nightly"
    assert len(set(found)) == 3


def test_a_definition_made_elsewhere_needs_no_region(
    new_stack: NewStack, definition: PipelineDefinition
) -> None:
    stack = new_stack(account=None, region=None)
    ScheduledPipeline(stack, "Training", definition=definition, schedules={"Nightly": NIGHTLY})
    Template.from_stack(stack).resource_count_is("AWS::Scheduler::Schedule", 1)


def test_a_long_name_is_cut_with_a_hash_and_keeps_its_end(
    new_stack: NewStack, definition: PipelineDefinition
) -> None:
    stack = new_stack()
    keys = ["Nightly", "x" * 64]
    name = "a" * 200
    training = ScheduledPipeline(
        stack, "Training", definition=definition, pipeline_name=name, schedules=dict.fromkeys(keys, NIGHTLY)
    )
    names = [schedule.schedule_name for schedule in training.schedules.values()]
    assert all(len(schedule_name) <= 64 for schedule_name in names)
    assert names[0].startswith("aaaa")
    assert names[0].endswith("-Nightly")
    assert len(set(names)) == 2


def _with_artifacts(definition: dict[str, Any]) -> dict[str, Any]:
    from scheduled_pipeline.definition import placeholders

    (step,) = definition["Steps"]
    uri = f"s3://{placeholders.ARTIFACT_BUCKET}/out"
    place = {"S3Uri": uri, "LocalPath": "/out", "S3UploadMode": "EndOfJob"}
    outputs = {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": place}]}}
    return {**definition, "Steps": [{**step, "Arguments": {**step["Arguments"], **outputs}}]}


def _schedule(template: Template) -> dict[str, Any]:
    (schedule,) = template.find_resources("AWS::Scheduler::Schedule").values()
    return dict(schedule)


def _body(template: Template) -> dict[str, Any]:
    (pipeline,) = template.find_resources("AWS::SageMaker::Pipeline").values()
    return dict(pipeline["Properties"]["PipelineDefinition"]["PipelineDefinitionBody"])


def _statements(template: Template, name: str) -> list[dict[str, Any]]:
    """The statements of the one policy whose logical id has a name in it."""
    (policy,) = [
        policy
        for logical_id, policy in template.find_resources("AWS::IAM::Policy").items()
        if name in logical_id
    ]
    return list(policy["Properties"]["PolicyDocument"]["Statement"])


def _text(value: Any) -> str:
    """A template value as text, with `<...>` for what only the deployment knows."""
    if isinstance(value, str):
        return value
    ((function, argument),) = value.items()
    if function == "Fn::Join":
        return str(argument[0]).join(_text(part) for part in argument[1])
    return f"<{argument if isinstance(argument, str) else '.'.join(argument)}>"
