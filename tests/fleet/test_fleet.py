"""A fleet of pipelines: how it is split over stacks, what they share, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from assembly_warnings import warnings_of
from aws_cdk import App, Environment, Stack, Stage
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from scheduled_pipeline import (
    AlertTopic,
    EventTrigger,
    FleetPipeline,
    PipelineDefinition,
    PipelineFleet,
    PipelineSchedule,
    ScheduledPipeline,
)

ENV = Environment(account="111122223333", region="eu-west-1")
NIGHTLY = PipelineSchedule.cron("0 3 * * ? *")
Templates = dict[str, dict[str, Any]]
MakeFleet = Callable[..., PipelineFleet]


@pytest.fixture
def app(feature_flags: dict[str, Any], tmp_path: Path) -> App:
    return App(context=feature_flags, outdir=str(tmp_path / "cdk.out"), analytics_reporting=False)


@pytest.fixture
def make(app: App, definition: PipelineDefinition) -> MakeFleet:
    def make(pipelines: dict[str, dict[str, Any]], **settings: Any) -> PipelineFleet:
        members = {
            name: FleetPipeline(**{"definition": definition, **given}) for name, given in pipelines.items()
        }
        return PipelineFleet(app, "Fleet", pipelines=members, env=ENV, **settings)

    return make


def _values(name: str) -> dict[str, Any]:
    return {"DataBucket": "bucket", "Prefix": f"the-prefix-of-{name}", "Count": 3}


def _templates(app: App) -> Templates:
    """By the name of the stack."""
    assembly = app.synth()
    return {
        stack.stack_name: json.loads(Path(stack.template_full_path).read_text(encoding="utf-8"))
        for stack in assembly.stacks
    }


def _of_type(template: dict[str, Any], resource_type: str) -> list[dict[str, Any]]:
    return [one for one in template["Resources"].values() if one["Type"] == resource_type]


class TestStacks:
    def test_that_are_given_take_their_pipelines(self, app: App, make: MakeFleet) -> None:
        fleet = make(
            {"orders": {"stack": "Shop"}, "returns": {"stack": "Shop"}, "ledger": {"stack": "Finance"}}
        )
        assert {where: sorted(stack.members) for where, stack in fleet.stacks.items()} == {
            "Shop": ["orders", "returns"],
            "Finance": ["ledger"],
        }
        templates = _templates(app)
        assert sorted(templates) == ["Fleet-Finance", "Fleet-Shared", "Fleet-Shop"]
        assert len(_of_type(templates["Fleet-Shop"], "AWS::SageMaker::Pipeline")) == 2

    def test_are_found_by_name_where_none_is_given(self, make: MakeFleet) -> None:
        fleet = make({"orders": {}, "returns": {}})
        assert {where: list(stack.members) for where, stack in fleet.stacks.items()} == {
            "Stack18": ["orders"],
            "Stack47": ["returns"],
        }

    def test_hold_each_pipeline_under_its_own_name(self, make: MakeFleet) -> None:
        fleet = make({"orders": {"pipeline_name": "Orders"}, "returns": {"stack": "Shop"}})
        assert fleet.pipelines["orders"].pipeline.declared_name == "Orders"
        assert fleet.pipelines["returns"].pipeline.declared_name.startswith("Fleet-Shop-returns-")
        assert all(isinstance(pipeline, ScheduledPipeline) for pipeline in fleet.pipelines.values())

    def test_share_one_group_and_one_role_among_their_schedules(self, app: App, make: MakeFleet) -> None:
        schedules = {"Nightly": NIGHTLY, "Weekly": PipelineSchedule.cron("0 5 ? * MON *")}
        fleet = make({name: {"stack": "Shop", "schedules": schedules} for name in ("orders", "returns")})
        template = _templates(app)["Fleet-Shop"]
        assert len(_of_type(template, "AWS::Scheduler::Schedule")) == 4
        assert len(_of_type(template, "AWS::Scheduler::ScheduleGroup")) == 1
        assert len(_of_type(template, "AWS::IAM::Role")) == 3  # the scheduler's, and one for each pipeline
        (policy,) = (
            one["Properties"]["PolicyDocument"]["Statement"]
            for one in _of_type(template, "AWS::IAM::Policy")
            if "sagemaker:StartPipelineExecution" in json.dumps(one)
        )
        (start,) = (one for one in policy if one["Action"] == "sagemaker:StartPipelineExecution")
        arns = {arn for pipeline in fleet.pipelines.values() for arn in pipeline.pipeline.start_arns}
        assert set(start["Resource"]) == arns

    def test_make_a_schedule_wait_for_the_permission_to_start_its_pipeline(
        self, app: App, make: MakeFleet
    ) -> None:
        make({"orders": {"stack": "Shop", "schedules": {"Nightly": NIGHTLY}}})
        template = _templates(app)["Fleet-Shop"]
        (schedule,) = _of_type(template, "AWS::Scheduler::Schedule")
        kinds = {template["Resources"][one]["Type"] for one in schedule["DependsOn"]}
        assert kinds >= {"AWS::IAM::Policy", "AWS::SageMaker::Pipeline", "AWS::Scheduler::ScheduleGroup"}


class TestShared:
    def test_is_a_bucket_and_a_queue_that_all_may_import(self, app: App, make: MakeFleet) -> None:
        make({name: {"schedules": {"Nightly": NIGHTLY}} for name in ("orders", "returns")})
        templates = _templates(app)
        shared = templates.pop("Fleet-Shared")
        assert len(_of_type(shared, "AWS::S3::Bucket")) == 1
        assert len(_of_type(shared, "AWS::SQS::Queue")) == 1
        exports = {output["Export"]["Name"] for output in shared["Outputs"].values()}
        assert len(exports) == 3
        for template in templates.values():
            assert not _of_type(template, "AWS::SQS::Queue")
            assert any(name in json.dumps(template) for name in exports)

    def test_lets_every_rule_of_the_account_use_the_queue(self, app: App, make: MakeFleet) -> None:
        trigger = EventTrigger(event_pattern={"source": ["my.app"]})
        make({name: {"events": {"Ready": trigger}} for name in ("orders", "returns")})
        (policy,) = _of_type(_templates(app)["Fleet-Shared"], "AWS::SQS::QueuePolicy")
        (allowed,) = (
            statement
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Allow"
        )
        assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
        assert allowed["Condition"] == {
            "StringEquals": {"aws:SourceAccount": "111122223333"},
            "ArnLike": {"aws:SourceArn": "arn:aws:events:eu-west-1:111122223333:rule/*"},
        }

    def test_lets_rules_use_the_key_of_a_queue_that_was_given(self, app: App, make: MakeFleet) -> None:
        theirs = Stack(app, "Theirs", env=ENV)
        queue = sqs.Queue(theirs, "Queue", encryption_master_key=kms.Key(theirs, "Key"))
        make(
            {"orders": {"events": {"Ready": EventTrigger(event_pattern={"source": ["my.app"]})}}},
            dead_letter_queue=queue,
        )
        (key,) = _of_type(_templates(app)["Theirs"], "AWS::KMS::Key")
        allowed = [
            statement["Condition"]["ArnLike"]
            for statement in key["Properties"]["KeyPolicy"]["Statement"]
            if statement["Principal"] == {"Service": "events.amazonaws.com"}
        ]
        assert allowed == [{"aws:SourceArn": "arn:aws:events:eu-west-1:111122223333:rule/*"}]

    def test_warns_of_a_queue_whose_policy_is_not_ours(self, app: App, make: MakeFleet) -> None:
        theirs = Stack(app, "Theirs", env=ENV)
        fleet = make(
            {"orders": {"events": {"Ready": EventTrigger(event_pattern={"source": ["my.app"]})}}},
            dead_letter_queue=sqs.Queue.from_queue_arn(theirs, "Q", "arn:aws:sqs:eu-west-1:111122223333:q"),
        )
        sqs.Queue(theirs, "Own")
        (stack,) = fleet.stacks.values()
        assert any("the policy of the queue" in warning for warning in warnings_of(stack))

    def test_is_no_stack_when_all_was_given(self, app: App, make: MakeFleet) -> None:
        theirs = Stack(app, "Theirs", env=ENV)
        fleet = make(
            {"orders": {"stack": "Shop", "schedules": {"Nightly": NIGHTLY}}},
            artifact_bucket=s3.Bucket(theirs, "Bucket"),
            dead_letter_queue=sqs.Queue(theirs, "Queue"),
            encryption_key=kms.Key(theirs, "Key"),
        )
        assert fleet.shared is None
        templates = _templates(app)
        assert sorted(templates) == ["Fleet-Shop", "Theirs"]
        (schedule,) = _of_type(templates["Fleet-Shop"], "AWS::Scheduler::Schedule")
        assert "Fn::ImportValue" in schedule["Properties"]["KmsKeyArn"]


class TestAlarms:
    def test_watch_each_group_and_the_queue_and_tell_the_topic(self, app: App, make: MakeFleet) -> None:
        topic = AlertTopic(Stack(app, "Alerts", env=ENV), "Topic")
        schedules = {"Nightly": NIGHTLY}
        make({name: {"stack": "Shop", "schedules": schedules} for name in ("a", "b")}, notify=topic)
        templates = _templates(app)
        alarms = {
            stack: sorted(
                one["Properties"]["AlarmName"] for one in _of_type(template, "AWS::CloudWatch::Alarm")
            )
            for stack, template in templates.items()
        }
        assert alarms["Fleet-Shared"] == ["Fleet-Shared-DeadLetters"]
        assert alarms["Fleet-Shop"] == [
            "Fleet-Shop-DroppedStarts",
            "Fleet-Shop-LostDeadLetters",
            "Fleet-Shop-TargetErrors",
        ]
        (alarm,) = _of_type(templates["Fleet-Shared"], "AWS::CloudWatch::Alarm")
        assert len(alarm["Properties"]["AlarmActions"]) == 1

    def test_can_be_left_out(self, app: App, make: MakeFleet) -> None:
        make({"orders": {"schedules": {"Nightly": NIGHTLY}}}, alarms=False)
        assert not [
            one for each in _templates(app).values() for one in _of_type(each, "AWS::CloudWatch::Alarm")
        ]


class TestRefusals:
    @pytest.mark.parametrize("name", ["", "1st", "a_b", "a" * 65, "a/b"])
    def test_a_name_that_is_not_allowed(self, make: MakeFleet, name: str) -> None:
        with pytest.raises(ValueError, match="Fleet: pipelines must have 1 to 64 letters"):
            make({name: {}})

    @pytest.mark.parametrize("where", ["Shared", "a b", ""])
    def test_a_stack_that_is_not_allowed(self, make: MakeFleet, where: str) -> None:
        with pytest.raises(ValueError, match=r"pipelines\['orders'\]: stack must be 1 to 64 letters"):
            make({"orders": {"stack": where}})

    def test_a_stack_that_is_no_string(self, make: MakeFleet) -> None:
        with pytest.raises(TypeError, match=r"pipelines\['orders'\]: stack must be a string, got 5"):
            make({"orders": {"stack": 5}})

    @pytest.mark.parametrize("name", ["SchedulerRole", "Monitoring", "BootstrapVersion"])
    def test_a_name_that_each_stack_has_already(self, make: MakeFleet, name: str) -> None:
        with pytest.raises(ValueError, match=f"Fleet: pipelines must not be named '{name}'"):
            make({name: {}})

    @pytest.mark.parametrize("construct_id", ["Sales_EU", "S" * 122])
    def test_an_id_that_makes_no_name_of_a_stack(self, app: App, construct_id: str) -> None:
        with pytest.raises(ValueError, match="the name of a stack must be 1 to 128 letters"):
            PipelineFleet(app, construct_id, pipelines={}, env=ENV)

    def test_two_fleets_whose_stacks_have_one_name(self, app: App) -> None:
        PipelineFleet(Stage(app, "Sales", env=ENV), "EU", pipelines={}, alarms=False)
        with pytest.raises(ValueError, match="stack name 'Sales-EU-Shared' is already taken by Sales/EU"):
            PipelineFleet(app, "Sales-EU", pipelines={}, env=ENV, alarms=False)

    @pytest.mark.parametrize(
        ("stacks", "error"), [(0, ValueError), (2001, ValueError), (True, TypeError), ("8", TypeError)]
    )
    def test_a_number_of_stacks_that_is_not_allowed(
        self, make: MakeFleet, stacks: Any, error: type[Exception]
    ) -> None:
        with pytest.raises(error, match="Fleet: stacks must be"):
            make({"orders": {}}, stacks=stacks)

    def test_settings_that_are_none(self, app: App) -> None:
        with pytest.raises(TypeError, match=r"pipelines\['orders'\] must be a FleetPipeline, got 'x'"):
            PipelineFleet(app, "Fleet", pipelines={"orders": "x"})  # type: ignore[dict-item]

    def test_one_physical_name_in_two_stacks(self, make: MakeFleet) -> None:
        with pytest.raises(ValueError, match="'Orders' is already taken by Fleet/One/a"):
            make(
                {
                    "a": {"pipeline_name": "Orders", "stack": "One"},
                    "b": {"pipeline_name": "Orders", "stack": "Two"},
                }
            )

    def test_a_schedule_that_does_not_fit_its_pipeline(self, make: MakeFleet) -> None:
        schedule = PipelineSchedule.cron("0 3 * * ? *", parameters={"Dat": "x"})
        with pytest.raises(
            ValueError, match="Fleet/Shop/orders: schedule 'Nightly': the pipeline has no parameter 'Dat'"
        ):
            make({"orders": {"stack": "Shop", "schedules": {"Nightly": schedule}}})


class TestDefinitions:
    def test_are_made_by_one_function_with_the_values_of_each(self, app: App, make: MakeFleet) -> None:
        make(
            {
                name: {"definition": "sample_pipelines:with_values", "stack": "Shop", "values": _values(name)}
                for name in ("orders", "returns")
            }
        )
        template = _templates(app)["Fleet-Shop"]
        definitions = [json.dumps(one) for one in _of_type(template, "AWS::SageMaker::Pipeline")]
        assert ["the-prefix-of-orders" in one for one in definitions] == [True, False]

    def test_that_cannot_be_made_are_named_by_their_construct(self, make: MakeFleet) -> None:
        with pytest.raises(ValueError, match="Fleet/Shop/orders: the build function nowhere:build"):
            make({"orders": {"definition": "nowhere:build", "stack": "Shop"}})

    def test_of_another_type_are_refused_with_the_path(self, make: MakeFleet) -> None:
        with pytest.raises(TypeError, match="Fleet/Shop/orders: definition must be a function"):
            make({"orders": {"definition": 7, "stack": "Shop"}})
