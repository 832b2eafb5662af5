"""Alerts: the rule for executions that failed, the alarms, the topic they go to, and the dashboard."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from assembly_warnings import warnings_of
from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Match, Template
from template_parts import NewStack

from scheduled_pipeline import (
    AlertTopic,
    EventTrigger,
    PipelineDefinition,
    PipelineSchedule,
    ScheduledPipeline,
)

ROOT = Path(__file__).resolve().parents[3]
HOURLY = PipelineSchedule.rate(timedelta(hours=1))
ALARMS = {
    "TargetErrors": ("AWS/Scheduler", "TargetErrorCount", "Sum"),
    "DroppedStarts": ("AWS/Scheduler", "InvocationDroppedCount", "Sum"),
    "LostDeadLetters": ("AWS/Scheduler", "InvocationsFailedToBeSentToDeadLetterCount", "Sum"),
    "DeadLetters": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum"),
}
TOPIC_ARN = "arn:aws:sns:eu-west-1:111122223333:theirs"


@pytest.fixture(scope="session")
def watched_stack(new_stack: NewStack, definition: PipelineDefinition) -> Stack:
    """A pipeline with a topic, a dashboard and a schedule."""
    stack = new_stack()
    ScheduledPipeline(
        stack,
        "Training",
        definition=definition,
        pipeline_name="Training",
        schedules={"Hourly": HOURLY},
        notify=AlertTopic(stack, "Alerts"),
        dashboard=True,
    )
    return stack


@pytest.fixture(scope="session")
def watched(watched_stack: Stack) -> Template:
    return Template.from_stack(watched_stack)


@pytest.fixture
def build(new_stack: NewStack, definition: PipelineDefinition) -> Callable[..., Template]:
    """Makes a pipeline of a few arguments, in a stack of its own unless one is given."""

    def build(stack: Stack | None = None, **arguments: Any) -> Template:
        stack = stack or new_stack()
        ScheduledPipeline(stack, "Training", definition=definition, pipeline_name="Training", **arguments)
        return Template.from_stack(stack)

    return build


@pytest.fixture(scope="module")
def training(new_stack: NewStack, definition: PipelineDefinition) -> ScheduledPipeline:
    return ScheduledPipeline(new_stack(), "Training", definition=definition)


class TestAnExecutionThatFails:
    def test_is_announced_whatever_the_case_of_its_arn(self, watched: Template) -> None:
        (rule,) = watched.find_resources("AWS::Events::Rule").values()
        assert rule["Properties"]["EventPattern"] == {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
            "detail": {
                "currentPipelineExecutionStatus": [{"anything-but": ["Executing", "Stopping", "Succeeded"]}],
                "pipelineArn": [{"suffix": {"equals-ignore-case": ":pipeline/Training"}}],
            },
        }
        assert rule["Properties"]["Name"] == "Training-Endings"
        assert rule["Properties"]["State"] == "ENABLED"

    def test_is_announced_in_words_for_a_person(self, watched: Template) -> None:
        (rule,) = watched.find_resources("AWS::Events::Rule").values()
        (target,) = rule["Properties"]["Targets"]
        (topic,) = watched.find_resources("AWS::SNS::Topic")
        assert target["Arn"] == {"Ref": topic}
        transformer = target["InputTransformer"]
        lines = [json.loads(line) for line in transformer["InputTemplate"].split("\n")]
        assert lines[0] == "SageMaker pipeline Training: <status>"
        assert lines[1] == "Execution: <execution>"
        assert lines[3].startswith(
            "Why: aws sagemaker describe-pipeline-execution --pipeline-execution-arn <execution>"
        )
        assert lines[5] == "Console: https://console.aws.amazon.com/sagemaker/home?region=<region>"
        assert len(lines) == 6

    @pytest.mark.parametrize(
        ("region", "console"),
        [
            ("cn-north-1", "console.amazonaws.cn"),
            ("us-gov-west-1", "console.amazonaws-us-gov.com"),
            (None, "console.aws.amazon.com"),
        ],
    )
    def test_is_shown_in_the_console_of_its_partition(
        self, region: str | None, console: str, new_stack: NewStack, build: Callable[..., Template]
    ) -> None:
        stack = new_stack(region=region)
        template = build(stack, notify=AlertTopic(stack, "Alerts"))
        (rule,) = template.find_resources("AWS::Events::Rule").values()
        text = rule["Properties"]["Targets"][0]["InputTransformer"]["InputTemplate"]
        assert f"https://{console}/sagemaker/" in text

    def test_is_not_announced_where_nobody_is_to_be_told(self, build: Callable[..., Template]) -> None:
        build(schedules={"Hourly": HOURLY}).resource_count_is("AWS::Events::Rule", 0)


class TestAlarms:
    @pytest.mark.parametrize("name", ALARMS)
    def test_go_off_with_the_first_start_that_is_lost(self, name: str, watched: Template) -> None:
        namespace, metric, statistic = ALARMS[name]
        (topic,) = watched.find_resources("AWS::SNS::Topic")
        watched.has_resource_properties(
            "AWS::CloudWatch::Alarm",
            {
                "AlarmName": f"Training-{name}",
                "AlarmDescription": Match.string_like_regexp("^Training: .+"),
                "AlarmActions": [{"Ref": topic}],
                "Namespace": namespace,
                "MetricName": metric,
                "Statistic": statistic,
                "Period": 300,
                "EvaluationPeriods": 1,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "TreatMissingData": "notBreaching",
            },
        )

    def test_watch_the_group_and_the_queue_that_the_construct_made(self, watched: Template) -> None:
        (group,) = watched.find_resources("AWS::Scheduler::ScheduleGroup").values()
        (queue,) = watched.find_resources("AWS::SQS::Queue")
        dimensions = {
            alarm["Properties"]["MetricName"]: alarm["Properties"]["Dimensions"]
            for alarm in watched.find_resources("AWS::CloudWatch::Alarm").values()
        }
        assert dimensions.pop("ApproximateNumberOfMessagesVisible") == [
            {"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}}
        ]
        by_group = [{"Name": "ScheduleGroup", "Value": group["Properties"]["Name"]}]
        assert list(dimensions.values()) == [by_group] * 3

    def test_are_there_without_anybody_to_tell(self, build: Callable[..., Template]) -> None:
        template = build(schedules={"Hourly": HOURLY})
        template.resource_count_is("AWS::CloudWatch::Alarm", 4)
        template.all_resources_properties("AWS::CloudWatch::Alarm", {"AlarmActions": Match.absent()})

    def test_can_be_turned_off(self, build: Callable[..., Template]) -> None:
        template = build(schedules={"Hourly": HOURLY}, alarms=False, dashboard=True)
        template.resource_count_is("AWS::CloudWatch::Alarm", 0)
        template.resource_count_is("AWS::CloudWatch::Dashboard", 1)

    def test_are_not_made_before_there_is_something_to_watch(self, build: Callable[..., Template]) -> None:
        build().resource_count_is("AWS::CloudWatch::Alarm", 0)

    def test_of_events_watch_the_queue_alone(self, build: Callable[..., Template]) -> None:
        template = build(events={"Rate": EventTrigger.rate(timedelta(hours=6))})
        (alarm,) = template.find_resources("AWS::CloudWatch::Alarm").values()
        assert alarm["Properties"]["AlarmName"] == "Training-DeadLetters"

    def test_leave_what_was_brought_in_to_its_owner(
        self, new_stack: NewStack, build: Callable[..., Template]
    ) -> None:
        stack = new_stack()
        template = build(
            stack,
            schedules={"Hourly": HOURLY},
            schedule_group=scheduler.ScheduleGroup.from_schedule_group_name(stack, "Group", "theirs"),
            dead_letter_queue=sqs.Queue.from_queue_arn(
                stack, "Queue", "arn:aws:sqs:eu-west-1:111122223333:theirs"
            ),
        )
        template.resource_count_is("AWS::CloudWatch::Alarm", 0)

    def test_come_with_a_schedule_that_is_added_later(
        self, new_stack: NewStack, definition: PipelineDefinition
    ) -> None:
        stack = new_stack()
        training = ScheduledPipeline(stack, "Training", definition=definition)
        training.add_schedule("Hourly", HOURLY)
        training.add_schedule("Daily", PipelineSchedule.cron("30 3 * * ? *"))
        assert sorted(training.monitoring.alarms) == sorted(ALARMS)
        Template.from_stack(stack).resource_count_is("AWS::CloudWatch::Alarm", 4)

    def test_have_short_names_for_a_long_pipeline_name(
        self, new_stack: NewStack, definition: PipelineDefinition
    ) -> None:
        stack = new_stack()
        ScheduledPipeline(
            stack,
            "Training",
            definition=definition,
            pipeline_name="p" * 200,
            schedules={"Hourly": HOURLY},
            notify=AlertTopic(stack, "Alerts"),
        )
        template = Template.from_stack(stack)
        for kind, name in (("AWS::CloudWatch::Alarm", "AlarmName"), ("AWS::Events::Rule", "Name")):
            for resource in template.find_resources(kind).values():
                assert len(resource["Properties"][name]) <= 64


class TestAnAlertTopic:
    def test_is_encrypted_with_a_key_that_is_rotated_and_goes_with_it(self, watched: Template) -> None:
        (key,) = watched.find_resources("AWS::KMS::Key")
        watched.has_resource_properties("AWS::SNS::Topic", {"KmsMasterKeyId": {"Fn::GetAtt": [key, "Arn"]}})
        watched.has_resource(
            "AWS::KMS::Key", {"Properties": {"EnableKeyRotation": True}, "DeletionPolicy": "Delete"}
        )

    def test_lets_eventbridge_and_cloudwatch_use_its_key(self, watched: Template) -> None:
        (key,) = watched.find_resources("AWS::KMS::Key").values()
        _, use = key["Properties"]["KeyPolicy"]["Statement"]
        assert use["Principal"] == {"Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]}
        assert use["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
        assert "Condition" not in use

    def test_refuses_plain_http_and_lets_eventbridge_and_the_accounts_alarms_publish(
        self, watched: Template
    ) -> None:
        (policy,) = watched.find_resources("AWS::SNS::TopicPolicy").values()
        refuse, events, alarms = policy["Properties"]["PolicyDocument"]["Statement"]
        assert refuse["Effect"] == "Deny"
        assert refuse["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert (events["Effect"], events["Principal"], events["Action"]) == (
            "Allow",
            {"Service": "events.amazonaws.com"},
            "sns:Publish",
        )
        assert "Condition" not in events
        assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": "111122223333"}}

    def test_uses_a_key_that_is_given(self, new_stack: NewStack) -> None:
        stack = new_stack()
        AlertTopic(stack, "Alerts", encryption_key=kms.Key(stack, "Mine"))
        Template.from_stack(stack).resource_count_is("AWS::KMS::Key", 1)

    def test_of_another_stack_serves_several_pipelines(
        self, feature_flags: dict[str, Any], definition: PipelineDefinition
    ) -> None:
        app = App(context=feature_flags, analytics_reporting=False)
        env = Environment(account="111122223333", region="eu-west-1")
        shared, stack = Stack(app, "Shared", env=env), Stack(app, "Stack", env=env)
        topic = AlertTopic(shared, "Alerts")
        for name in ("One", "Two"):
            ScheduledPipeline(stack, name, definition=definition, pipeline_name=name, notify=topic)
        (policy,) = Template.from_stack(shared).find_resources("AWS::SNS::TopicPolicy").values()
        assert len(policy["Properties"]["PolicyDocument"]["Statement"]) == 3
        Template.from_stack(stack).resource_count_is("AWS::Events::Rule", 2)


class TestATopicThatIsGiven:
    def test_gets_what_eventbridge_and_cloudwatch_need(
        self, new_stack: NewStack, build: Callable[..., Template]
    ) -> None:
        stack = new_stack()
        template = build(stack, notify=sns.Topic(stack, "Plain"))
        (policy,) = template.find_resources("AWS::SNS::TopicPolicy").values()
        principals = [
            statement["Principal"] for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        ]
        assert principals == [
            {"Service": "events.amazonaws.com"},
            {"Service": "cloudwatch.amazonaws.com"},
        ]
        assert warnings_of(stack) == []

    def test_of_somebody_else_is_warned_of_with_what_it_needs(
        self, new_stack: NewStack, build: Callable[..., Template]
    ) -> None:
        stack = new_stack()
        build(stack, notify=sns.Topic.from_topic_arn(stack, "Theirs", TOPIC_ARN))
        (warning,) = warnings_of(stack)
        assert (
            f"the policy of the topic {TOPIC_ARN} cannot be changed from here; let events.amazonaws.com and "
            "cloudwatch.amazonaws.com do sns:Publish, or alerts are lost"
        ) in warning

    def test_with_a_key_of_somebody_else_is_warned_of(
        self, new_stack: NewStack, build: Callable[..., Template]
    ) -> None:
        stack = new_stack()
        arn = "arn:aws:kms:eu-west-1:111122223333:key/theirs"
        topic = sns.Topic(stack, "Topic", master_key=kms.Key.from_key_arn(stack, "Key", arn))
        build(stack, notify=topic)
        (warning,) = warnings_of(stack)
        assert f"the policy of the key {arn} cannot be changed from here" in warning
        assert "kms:Decrypt and kms:GenerateDataKey*" in warning

    def test_that_is_none_is_refused(self, new_stack: NewStack, definition: PipelineDefinition) -> None:
        with pytest.raises(TypeError, match=r"Stack/Training: notify must be an sns\.ITopic.*got 'a@b\.c'"):
            ScheduledPipeline(
                new_stack(),
                "Training",
                definition=definition,
                notify="a@b.c",  # type: ignore[arg-type]
            )

    @pytest.mark.parametrize(
        ("arn", "said"),
        [
            (TOPIC_ARN.replace("eu-west-1", "us-east-1"), "a topic in eu-west-1, got one in us-east-1"),
            (f"{TOPIC_ARN}.fifo", "a standard topic, got a FIFO topic"),
        ],
    )
    def test_that_alerts_cannot_reach_is_refused(
        self, arn: str, said: str, new_stack: NewStack, build: Callable[..., Template]
    ) -> None:
        stack = new_stack()
        with pytest.raises(ValueError, match=f"Stack/Training/.*: notify must be {said}"):
            build(stack, notify=sns.Topic.from_topic_arn(stack, "Theirs", arn))

    @pytest.mark.parametrize("field", ["alarms", "dashboard"])
    def test_a_switch_is_true_or_false(
        self, field: str, new_stack: NewStack, definition: PipelineDefinition
    ) -> None:
        arguments: dict[str, Any] = {field: "yes"}
        with pytest.raises(TypeError, match=f"Stack/Training: {field} must be True or False, got 'yes'"):
            ScheduledPipeline(new_stack(), "Training", definition=definition, **arguments)


class TestMetrics:
    @pytest.mark.parametrize(
        ("verb", "name", "statistic"),
        [
            ("metric_started", "ExecutionStarted", "Sum"),
            ("metric_succeeded", "ExecutionSucceeded", "Sum"),
            ("metric_failed", "ExecutionFailed", "Sum"),
            ("metric_stopped", "ExecutionStopped", "Sum"),
            ("metric_duration", "ExecutionDuration", "Average"),
        ],
    )
    def test_are_those_that_sagemaker_counts_by_pipeline(
        self, verb: str, name: str, statistic: str, training: ScheduledPipeline
    ) -> None:
        metric = getattr(training, verb)()
        assert (metric.namespace, metric.metric_name) == ("AWS/Sagemaker/ModelBuildingPipeline", name)
        assert metric.statistic == statistic
        assert metric.period.to_seconds() == 300
        resolved = Stack.of(training).resolve(metric.dimensions)
        assert resolved == {"PipelineName": Stack.of(training).resolve(training.pipeline_name)}

    def test_take_a_period(self, training: ScheduledPipeline) -> None:
        assert training.metric_failed(period=Duration.hours(1)).period.to_seconds() == 3600


class TestTheDashboard:
    def test_shows_executions_durations_starts_and_the_queue(self, watched: Template) -> None:
        (dashboard,) = watched.find_resources("AWS::CloudWatch::Dashboard").values()
        assert dashboard["Properties"]["DashboardName"] == "Training-Pipeline"
        text = json.dumps(dashboard["Properties"]["DashboardBody"])
        for metric in (
            *("ExecutionStarted", "ExecutionSucceeded", "ExecutionFailed", "ExecutionStopped"),
            *("ExecutionDuration", "InvocationAttemptCount", "TargetErrorCount", "InvocationDroppedCount"),
            "ApproximateNumberOfMessagesVisible",
        ):
            assert metric in text

    def test_is_made_on_request_alone(self, build: Callable[..., Template]) -> None:
        build(schedules={"Hourly": HOURLY}).resource_count_is("AWS::CloudWatch::Dashboard", 0)


def test_it_passes_cfn_lint(watched_stack: Stack, watched: Template) -> None:
    app = watched_stack.node.root
    assert isinstance(app, App)
    path = Path(app.synth().directory) / "Stack.template.json"
    lint = [str(Path(sys.executable).parent / "cfn-lint"), str(path)]
    done = subprocess.run(lint, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout
