"""The command ``drift`` on what ``ScheduledPipeline`` makes, deployed to the local AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from scheduled_pipeline.cli.main import app

if TYPE_CHECKING:
    from local_aws import LocalAws

ACCOUNT = "444455551111"
NIGHTLY = "Lifecycle-Nightly"


@dataclass
class Deployment:
    """A stack with a pipeline, two schedules and a rule, and its assembly."""

    aws: LocalAws
    assembly: Path

    def drift(self, *options: str) -> Result:
        return CliRunner().invoke(app, ["drift", "--app", str(self.assembly), *options])

    def fields(self) -> dict[str, tuple[str, str]]:
        """What differs: the template's and the account's."""
        result = self.drift("--json")
        document = json.loads(result.stdout)
        assert (result.exit_code, document["drift"]) == (1, True)
        return {
            field["field"]: (field["template"], field["account"])
            for resource in document["resources"]
            for field in resource["fields"]
        }

    def put_back(self) -> None:
        result = self.drift("--revert", "--yes")
        assert result.exit_code == 0, result.output
        assert self.drift().exit_code == 0

    def schedule(self, name: str = NIGHTLY) -> dict[str, Any]:
        """The schedule, as UpdateSchedule takes it."""
        scheduler = self.aws.client("scheduler")
        (group,) = {one["GroupName"] for one in scheduler.list_schedules(NamePrefix=name)["Schedules"]}
        answer = scheduler.get_schedule(Name=name, GroupName=group)
        left_out = ("Arn", "CreationDate", "LastModificationDate", "ResponseMetadata")
        return {name: value for name, value in answer.items() if name not in left_out}


@pytest.fixture(scope="module")
def deployed(
    local_aws: LocalAws,
    tmp_path_factory: pytest.TempPathFactory,
    feature_flags: dict[str, Any],
    small_definition: dict[str, Any],
) -> Iterator[Deployment]:
    from lifecycle_app import Plan, synthesize

    from scheduled_pipeline import EventTrigger, PipelineSchedule

    plan = Plan(
        definition=small_definition,
        schedules={
            "Nightly": PipelineSchedule.cron(
                "0 3 * * ? *",
                timezone="Asia/Tokyo",
                parameters={"Count": 2},
                flexible_time_window=timedelta(minutes=30),
            ),
            "Once": PipelineSchedule.rate(
                timedelta(hours=1), idempotent=True, start=datetime(2099, 1, 4, 9, tzinfo=UTC)
            ),
        },
        events={"Ready": EventTrigger.pattern({"source": ["my.app"]}, parameters={"Mode": "$.detail.mode"})},
        options={"max_parallel_steps": 3, "description": "夜のジョブ"},
    )
    folder = tmp_path_factory.mktemp("drift") / "cdk.out"
    synthesize(plan, folder, feature_flags)
    template = json.loads((folder / "Lifecycle.template.json").read_text(encoding="utf-8"))
    aws = replace(local_aws, account=ACCOUNT)
    cloudformation = aws.client("cloudformation")
    # Without the version of the bootstrapping, as nothing is bootstrapped here.
    body = json.dumps({"Resources": template["Resources"]})
    cloudformation.create_stack(StackName="Lifecycle", TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="Lifecycle", WaiterConfig={"Delay": 0.05}
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environment().items():
            patch.setenv(name, value)
        patch.delenv("AWS_PROFILE", raising=False)
        yield Deployment(aws, folder)


def test_what_was_just_deployed_is_no_drift_and_all_of_it_is_compared(deployed: Deployment) -> None:
    result = deployed.drift("--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["resources"], document["drift"]) == (0, [], False)
    assert document["compared"] == 5


def test_a_schedule_that_was_changed_by_hand_is_told_by_field_and_put_back(
    deployed: Deployment,
) -> None:
    was = deployed.schedule()
    (parameter,) = was["Target"]["SageMakerPipelineParameters"]["PipelineParameterList"]
    target = {
        **was["Target"],
        "SageMakerPipelineParameters": {"PipelineParameterList": [{**parameter, "Value": "3"}]},
        "RetryPolicy": {"MaximumRetryAttempts": 1},
        "RoleArn": was["Target"]["RoleArn"],
    }
    del target["DeadLetterConfig"]
    deployed.aws.client("scheduler").update_schedule(
        Name=was["Name"],
        GroupName=was["GroupName"],
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        State="DISABLED",
        ActionAfterCompletion="DELETE",
        Target=target,
    )
    parameters = "Target.SageMakerPipelineParameters.PipelineParameterList"
    assert deployed.fields() == {
        "ActionAfterCompletion": ("NONE", "DELETE"),
        "Description": (was["Description"], None),
        "FlexibleTimeWindow.MaximumWindowInMinutes": ("30", None),
        "FlexibleTimeWindow.Mode": ("FLEXIBLE", "OFF"),
        "ScheduleExpression": ("cron(0 3 * * ? *)", "rate(1 day)"),
        "ScheduleExpressionTimezone": ("Asia/Tokyo", "UTC"),
        "State": ("ENABLED", "DISABLED"),
        "Target.DeadLetterConfig": (json.dumps(was["Target"]["DeadLetterConfig"]), None),
        "Target.RetryPolicy.MaximumRetryAttempts": ("185", "1"),
        f"{parameters}[Count].Value": ("2", "3"),
    }
    assert "disabled by hand" in deployed.drift().stdout
    deployed.put_back()
    assert deployed.schedule() == was


def test_the_request_of_a_start_is_compared_as_a_document(deployed: Deployment) -> None:
    was = deployed.schedule("Lifecycle-Once")
    request = dict(reversed(json.loads(was["Target"]["Input"]).items()))
    scheduler = deployed.aws.client("scheduler")
    for changed in (request, {**request, "PipelineName": "Other"}):
        target = {**was["Target"], "Input": json.dumps(changed, indent=1)}
        scheduler.update_schedule(**{**was, "Target": target})
        if changed == request:
            assert deployed.drift().exit_code == 0
    assert deployed.fields() == {"Target.Input.PipelineName": ("Lifecycle", "Other")}
    deployed.put_back()
    assert deployed.schedule("Lifecycle-Once") == was


def test_a_rule_that_was_disabled_by_hand_is_put_back(deployed: Deployment) -> None:
    events = deployed.aws.client("events")
    events.disable_rule(Name="Lifecycle-Ready")
    assert deployed.fields() == {"State": ("ENABLED", "DISABLED")}
    deployed.put_back()
    assert events.describe_rule(Name="Lifecycle-Ready")["State"] == "ENABLED"


def test_a_definition_that_was_changed_by_hand_is_put_back(
    deployed: Deployment, small_definition: dict[str, Any]
) -> None:
    sagemaker = deployed.aws.client("sagemaker")
    changed = {**small_definition, "Steps": [{**small_definition["Steps"][0], "Name": "Other"}]}
    sagemaker.update_pipeline(PipelineName="Lifecycle", PipelineDefinition=json.dumps(changed))
    assert set(deployed.fields()) == {
        "PipelineDefinition.Steps[Process]",
        "PipelineDefinition.Steps[Other]",
    }
    deployed.put_back()


def test_a_schedule_that_was_deleted_by_hand_is_missing_and_not_made_again(deployed: Deployment) -> None:
    was = deployed.schedule()
    scheduler = deployed.aws.client("scheduler")
    scheduler.delete_schedule(Name=was["Name"], GroupName=was["GroupName"])
    result = deployed.drift("--revert", "--yes", "--json")
    (resource,) = json.loads(result.stdout)["resources"]
    assert (result.exit_code, resource["result"], resource["name"]) == (1, "missing", NIGHTLY)
    assert "change the resource" in resource["note"]
    scheduler.create_schedule(**was)
    assert deployed.drift().exit_code == 0
