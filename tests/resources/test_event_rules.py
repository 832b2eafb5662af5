"""Events that start a pipeline: rules, their roles, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Annotations, Match, Template
from template_parts import NewStack

from scheduled_pipeline import EventTrigger, PipelineDefinition, PipelineSchedule, ScheduledPipeline

ROOT = Path(__file__).resolve().parents[2]
TRIGGERS = {
    "S3": EventTrigger.s3_object_created(
        bucket_name="my-bucket", prefix="raw/", suffix=".csv", parameters={"Date": "$.detail.object.key"}
    ),
    "Endpoint": EventTrigger.endpoint_state_change(endpoint_name="my-endpoint", status="IN_SERVICE"),
    "Training": EventTrigger.training_job_state_change(name_prefix="my-", status=["Completed", "Failed"]),
    "Pipeline": EventTrigger.pipeline_execution_status_change(pipeline_name="Other", status="Succeeded"),
    "Approval": EventTrigger.model_package_approval(model_package_group_name="my-group"),
    "Custom": EventTrigger.pattern(
        {"source": ["my.app"]}, event_bus_name="my-bus", enabled=False, name="mine"
    ),
    "Cron": EventTrigger.cron("0 3 * * ? *", description="at three"),
    "Rate": EventTrigger.rate(
        timedelta(hours=6), maximum_retry_attempts=2, maximum_event_age=timedelta(hours=1)
    ),
}


@pytest.fixture(scope="session")
def stack(new_stack: NewStack, definition: PipelineDefinition) -> Stack:
    """One rule of each kind."""
    stack = new_stack()
    ScheduledPipeline(stack, "Training", definition=definition, pipeline_name="training", events=TRIGGERS)
    return stack


@pytest.fixture(scope="session")
def template(stack: Stack) -> Template:
    return Template.from_stack(stack)


def _rule(template: Template, name: str) -> dict[str, Any]:
    """The properties of the rule with a physical name."""
    return next(
        dict(rule["Properties"])
        for rule in template.find_resources("AWS::Events::Rule").values()
        if rule["Properties"]["Name"] == name
    )


class TestARule:
    @pytest.mark.parametrize(
        ("name", "pattern"),
        [
            (
                "training-S3",
                {
                    "source": ["aws.s3"],
                    "detail-type": ["Object Created"],
                    "detail": {
                        "bucket": {"name": ["my-bucket"]},
                        "object": {"key": [{"wildcard": "raw/*.csv"}]},
                    },
                },
            ),
            ("mine", {"source": ["my.app"]}),
        ],
    )
    def test_has_the_pattern_of_its_trigger(
        self, template: Template, name: str, pattern: dict[str, Any]
    ) -> None:
        assert _rule(template, name)["EventPattern"] == pattern

    @pytest.mark.parametrize("key", TRIGGERS)
    def test_has_the_pattern_or_the_expression_that_the_trigger_has(
        self, template: Template, key: str
    ) -> None:
        trigger = TRIGGERS[key]
        rule = _rule(template, trigger.name or f"training-{key}")
        assert rule.get("EventPattern") == trigger.event_pattern
        assert rule.get("ScheduleExpression") == trigger.schedule_expression
        assert rule["State"] == ("DISABLED" if key == "Custom" else "ENABLED")
        assert rule.get("EventBusName") == ("my-bus" if key == "Custom" else None)

    def test_starts_the_pipeline_with_paths_into_the_event(self, template: Template) -> None:
        (target,) = _rule(template, "training-S3")["Targets"]
        assert target["SageMakerPipelineParameters"] == {
            "PipelineParameterList": [{"Name": "Date", "Value": "$.detail.object.key"}]
        }
        assert target["Arn"] == "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/training"

    def test_has_the_retry_policy_and_the_description_it_is_given(self, template: Template) -> None:
        (target,) = _rule(template, "training-Rate")["Targets"]
        assert target["RetryPolicy"] == {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 3600}
        assert _rule(template, "training-Cron")["Description"] == "at three"

    def test_has_a_role_for_itself_alone(self, template: Template) -> None:
        sources = [
            role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
            for logical_id, role in template.find_resources("AWS::IAM::Role").items()
            if "Events" in logical_id
        ]
        assert {source["StringEquals"]["aws:SourceAccount"] for source in sources} == {"111122223333"}
        arn = "arn:aws:events:eu-west-1:111122223333:rule/"
        assert {source["ArnLike"]["aws:SourceArn"] for source in sources} == {
            *(f"{arn}training-{key}" for key in TRIGGERS if key != "Custom"),
            f"{arn}my-bus/mine",
        }

    def test_may_send_what_it_cannot_deliver_to_the_queue(self, template: Template) -> None:
        (policy,) = template.find_resources("AWS::SQS::QueuePolicy").values()
        statements = policy["Properties"]["PolicyDocument"]["Statement"]
        (allowed,) = [statement for statement in statements if statement["Effect"] == "Allow"]
        assert len(set(allowed["Condition"]["ArnLike"]["aws:SourceArn"])) == len(TRIGGERS)
        assert all("DeadLetterConfig" in target for rule in _rules(template) for target in rule["Targets"])

    def test_brings_no_schedule_group(self, template: Template) -> None:
        template.resource_count_is("AWS::Scheduler::ScheduleGroup", 0)

    def test_passes_cfn_lint(self, stack: Stack) -> None:
        """Template.from_stack has synthesized the app, so the template is on disk."""
        app = stack.node.root
        assert isinstance(app, App)
        path = Path(app.synth().directory) / "Stack.template.json"
        lint = subprocess.run(
            [str(Path(sys.executable).parent / "cfn-lint"), str(path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (lint.returncode, lint.stdout) == (0, ""), lint.stdout


class TestARoleThatIsGiven:
    def test_is_used_by_all_rules(self, new_stack: NewStack, definition: PipelineDefinition) -> None:
        stack = new_stack()
        role = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::111122223333:role/events")
        events = {key: TRIGGERS[key] for key in ("Cron", "Rate")}
        ScheduledPipeline(stack, "Training", definition=definition, events=events, event_role=role)
        rules = _rules(Template.from_stack(stack))
        arns = {target["RoleArn"] for rule in rules for target in rule["Targets"]}
        assert arns == {"arn:aws:iam::111122223333:role/events"}


class TestAKey:
    def test_of_the_queue_may_be_used_by_eventbridge(
        self, new_stack: NewStack, definition: PipelineDefinition
    ) -> None:
        stack = new_stack()
        key = kms.Key(stack, "Key")
        ScheduledPipeline(
            stack, "Training", definition=definition, events={"Rate": TRIGGERS["Rate"]}, encryption_key=key
        )
        Template.from_stack(stack).has_resource_properties(
            "AWS::KMS::Key",
            {
                "KeyPolicy": {
                    "Statement": Match.array_with(
                        [
                            Match.object_like(
                                {
                                    "Principal": {"Service": "events.amazonaws.com"},
                                    "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
                                }
                            )
                        ]
                    )
                }
            },
        )


class TestAQueueOrKeyOfSomebodyElse:
    def test_is_warned_of_because_dead_letters_would_be_lost(
        self, new_stack: NewStack, definition: PipelineDefinition
    ) -> None:
        stack = new_stack()
        arn = "arn:aws:sqs:eu-west-1:111122223333:theirs"
        queue = sqs.Queue.from_queue_arn(stack, "Queue", arn)
        ScheduledPipeline(
            stack,
            "Training",
            definition=definition,
            events={"Rate": TRIGGERS["Rate"]},
            dead_letter_queue=queue,
        )
        Annotations.from_stack(stack).has_warning(
            "*", Match.string_like_regexp(f"the policy of the queue {arn} cannot be changed from here")
        )


class TestManyRulesOnOneQueue:
    """SQS allows 20 statements and 8,192 characters."""

    def _of(self, stack: Stack, definition: PipelineDefinition, count: int) -> None:
        queue = sqs.Queue(stack, "Queue", encryption_master_key=kms.Key(stack, "Key"))
        events = {f"Rate{number}": TRIGGERS["Rate"] for number in range(count)}
        ScheduledPipeline(stack, "Training", definition=definition, events=events, dead_letter_queue=queue)

    def test_are_in_one_statement_of_the_queue_and_of_its_key(
        self, new_stack: NewStack, definition: PipelineDefinition
    ) -> None:
        stack = new_stack()
        self._of(stack, definition, 25)
        template = Template.from_stack(stack)
        (policy,) = template.find_resources("AWS::SQS::QueuePolicy").values()
        (key,) = template.find_resources("AWS::KMS::Key").values()
        rules = {
            f"arn:aws:events:eu-west-1:111122223333:rule/stack-training-0531f6c1-rate{number}"
            for number in range(25)
        }
        for document in (policy["Properties"]["PolicyDocument"], key["Properties"]["KeyPolicy"]):
            (statement,) = [
                found
                for found in document["Statement"]
                if found["Principal"] == {"Service": "events.amazonaws.com"}
            ]
            assert {arn.lower() for arn in statement["Condition"]["ArnLike"]["aws:SourceArn"]} == {
                arn.lower() for arn in rules
            }

    def test_are_refused_where_sqs_would_refuse_them(
        self, new_stack: NewStack, definition: PipelineDefinition
    ) -> None:
        stack = new_stack()
        with pytest.raises(ValueError, match=r"Queue: \d+ rules send to this queue .* SQS allows 8,192"):
            self._of(stack, definition, 200)


class TestAPipelineThatStartsItself:
    @pytest.mark.parametrize("name", ["training", "TRAINING"])
    def test_is_refused(self, new_stack: NewStack, definition: PipelineDefinition, name: str) -> None:
        trigger = EventTrigger.pipeline_execution_status_change(pipeline_name=name, status="Succeeded")
        with pytest.raises(ValueError, match="'Training' would start itself again each time it has run"):
            ScheduledPipeline(
                new_stack(), "T", definition=definition, pipeline_name="Training", events={"After": trigger}
            )

    def test_is_warned_of_where_no_pipeline_is_named(
        self, new_stack: NewStack, definition: PipelineDefinition
    ) -> None:
        stack = new_stack()
        trigger = EventTrigger.pipeline_execution_status_change(status="Succeeded")
        ScheduledPipeline(stack, "Training", definition=definition, events={"After": trigger})
        Annotations.from_stack(stack).has_warning(
            "*", Match.string_like_regexp("the trigger names no pipeline")
        )


class TestABusThatIsKnownLate:
    def test_makes_the_role_fit_the_rule_on_any_bus(
        self, new_stack: NewStack, definition: PipelineDefinition
    ) -> None:
        stack = new_stack()
        bus = CfnParameter(stack, "Bus").value_as_string
        trigger = EventTrigger.pattern({"source": ["my.app"]}, event_bus_name=bus)
        ScheduledPipeline(
            stack, "Training", definition=definition, pipeline_name="p", events={"Own": trigger}
        )
        sources = [
            role["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]["ArnLike"]
            for logical_id, role in Template.from_stack(stack).find_resources("AWS::IAM::Role").items()
            if "Events" in logical_id
        ]
        arn = "arn:aws:events:eu-west-1:111122223333:rule/"
        assert sources == [{"aws:SourceArn": [f"{arn}*/p-Own", f"{arn}p-Own"]}]


class TestABucketOfTheApp:
    @pytest.fixture
    def synthesize(self, new_stack: NewStack, definition: PipelineDefinition) -> Callable[..., Template]:
        def synthesize(make: Callable[[Stack], str]) -> Template:
            stack = new_stack()
            trigger = EventTrigger.s3_object_created(bucket_name=make(stack))
            ScheduledPipeline(stack, "Training", definition=definition, events={"New": trigger})
            return Template.from_stack(stack)

        return synthesize

    def test_that_sends_no_events_is_named(self, synthesize: Callable[..., Template]) -> None:
        expected = (
            r"Stack/Training: event 'New': the bucket Stack/Bucket/Resource sends no events to EventBridge"
        )
        with pytest.raises(RuntimeError, match=expected):
            synthesize(lambda stack: s3.Bucket(stack, "Bucket").bucket_name)

    def test_that_sends_events_is_fine(self, synthesize: Callable[..., Template]) -> None:
        template = synthesize(lambda stack: s3.Bucket(stack, "Bucket", event_bridge_enabled=True).bucket_name)
        template.resource_count_is("AWS::Events::Rule", 1)

    def test_that_sends_events_by_its_property_is_fine(self, synthesize: Callable[..., Template]) -> None:
        notifications = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(
                event_bridge_enabled=True
            )
        )
        template = synthesize(
            lambda stack: s3.CfnBucket(stack, "Bucket", notification_configuration=notifications).ref
        )
        template.resource_count_is("AWS::Events::Rule", 1)

    def test_of_another_stack_is_seen(
        self, feature_flags: dict[str, Any], definition: PipelineDefinition
    ) -> None:
        app = App(context=feature_flags)
        env = Environment(account="111122223333", region="eu-west-1")
        data, stack = Stack(app, "Data", env=env), Stack(app, "Stack", env=env)
        trigger = EventTrigger.s3_object_created(bucket_name=s3.Bucket(data, "Bucket").bucket_name)
        ScheduledPipeline(stack, "Training", definition=definition, events={"New": trigger})
        with pytest.raises(RuntimeError, match="the bucket Data/Bucket/Resource sends no events"):
            app.synth()

    def test_of_the_same_name_elsewhere_does_not_matter(
        self, feature_flags: dict[str, Any], definition: PipelineDefinition
    ) -> None:
        app = App(context=feature_flags)
        env = Environment(account="111122223333", region="eu-west-1")
        silent, stack = Stack(app, "Silent", env=env), Stack(app, "Stack", env=env)
        s3.Bucket(silent, "Bucket")
        bucket = s3.Bucket(stack, "Bucket", event_bridge_enabled=True)
        trigger = EventTrigger.s3_object_created(bucket_name=bucket.bucket_name)
        ScheduledPipeline(stack, "Training", definition=definition, events={"New": trigger})
        app.synth()

    def test_that_is_not_in_the_app_cannot_be_seen(self, synthesize: Callable[..., Template]) -> None:
        synthesize(lambda stack: s3.Bucket.from_bucket_name(stack, "Bucket", "elsewhere").bucket_name)


class TestRefuses:
    @pytest.fixture
    def build(self, new_stack: NewStack, definition: PipelineDefinition) -> Callable[..., ScheduledPipeline]:
        stack = new_stack()
        return lambda **events: ScheduledPipeline(stack, "Training", definition=definition, events=events)

    def test_what_is_no_trigger(self, build: Callable[..., ScheduledPipeline]) -> None:
        schedule = PipelineSchedule.rate(timedelta(hours=1))
        with pytest.raises(
            TypeError, match="Stack/Training: event 'A': must be an EventTrigger, got PipelineSch"
        ):
            build(A=schedule)

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"Dat": "$.detail.date"}, "the pipeline has no parameter 'Dat'; did you mean 'Date'"),
            ({"Count": "many"}, "parameter 'Count' is of type Integer, got 'many'"),
        ],
    )
    def test_parameters_that_do_not_fit_the_pipeline(
        self, build: Callable[..., ScheduledPipeline], parameters: dict[str, str], message: str
    ) -> None:
        with pytest.raises(ValueError, match=f"Stack/Training: event 'A': {message}"):
            build(A=EventTrigger.pattern({"source": ["my.app"]}, parameters=parameters))

    def test_two_rules_of_one_name(self, build: Callable[..., ScheduledPipeline]) -> None:
        same = EventTrigger.pattern({"source": ["my.app"]}, name="same")
        with pytest.raises(ValueError, match=r"the rule name 'same' is already taken by .*/Events/A"):
            build(A=same, B=same)

    def test_a_key_that_is_taken(self, build: Callable[..., ScheduledPipeline]) -> None:
        training = build(A=TRIGGERS["Rate"])
        with pytest.raises(ValueError, match="event 'A': there is a trigger of that name already"):
            training.add_event("A", TRIGGERS["Rate"])


def test_a_pattern_stays_json(template: Template) -> None:
    assert json.dumps([rule.get("EventPattern") for rule in _rules(template)])


def _rules(template: Template) -> list[dict[str, Any]]:
    return [dict(rule["Properties"]) for rule in template.find_resources("AWS::Events::Rule").values()]
