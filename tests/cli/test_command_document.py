"""``docs/command.md`` says what the command does."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faulty_endpoint import FaultyEndpoint
from operator_account import OperatorAccount
from typer.main import get_command

from scheduled_pipeline.cli.account import trigger_output
from scheduled_pipeline.cli.account.trigger_records import TriggerRecord
from scheduled_pipeline.cli.commands.account import list_triggers, orphans
from scheduled_pipeline.cli.drift import output
from scheduled_pipeline.cli.drift.finding import Finding, Result
from scheduled_pipeline.cli.drift.search import Drift
from scheduled_pipeline.cli.errors import ExitCode
from scheduled_pipeline.cli.main import app

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "command.md").read_text(encoding="utf-8")
RECORD = TriggerRecord(
    kind="schedule",
    name="nightly",
    arn="arn:aws:scheduler:eu-west-1:111122223333:schedule/default/nightly",
    group="default",
    state="ENABLED",
    target_arn="",
    pipeline=None,
)


def test_every_command_is_in_the_table() -> None:
    listed = re.findall(r"^\| `(\w+)", TEXT, re.MULTILINE)
    commands = list(getattr(get_command(app), "commands", {}))
    assert commands
    assert [name for name in commands if name not in listed] == []


def test_every_exit_code_is_in_the_table() -> None:
    assert re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE) == [str(code.value) for code in ExitCode]


@pytest.mark.parametrize("columns", [list_triggers.COLUMNS, orphans.COLUMNS], ids=["list", "orphans"])
def test_every_column_is_named(columns: tuple[str, ...]) -> None:
    assert [column for column in columns if f"`{column}`" not in TEXT] == []


def test_every_member_of_a_trigger_is_in_the_table() -> None:
    table = TEXT.partition("## A trigger as JSON")[2]
    whole = {*trigger_output.document(RECORD), "pipelineExists"}
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    named = re.findall(r"`(\w+)`( \*)?", "\n".join(rows))
    assert {name for name, _ in named} == whole
    assert {name for name, star in named if star} == set(trigger_output.short_document(RECORD))


def test_the_policy_allows_what_is_called_and_no_more(
    account: OperatorAccount, endpoint: FaultyEndpoint
) -> None:
    (policy,) = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL))
    account.stack("Owner", {"Owned": account.owned_schedule("owned", pipeline="gone")})
    account.schedule("nightly")
    account.rule("launch", account.pipeline_arn("gone"))
    for command in (["list"], ["orphans"], ["describe", "nightly"], ["describe", "default/launch"]):
        assert account.run(*command).exit_code == 0
    assert sorted(endpoint.calls) == policy["Statement"][0]["Action"]
    endpoint.calls.clear()
    account.rows("orphans", "--delete", "--yes")
    deleting = {"scheduler:DeleteSchedule", "events:RemoveTargets", "events:DeleteRule"}
    assert set(endpoint.calls) - set(policy["Statement"][0]["Action"]) == deleting
    assert [action for action in deleting if f"`{action}`" not in TEXT] == []


def test_what_drift_calls_is_named(
    account: OperatorAccount, endpoint: FaultyEndpoint, write_assembly: Callable[..., Path]
) -> None:
    group = {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": "team"}}
    queue = {"Type": "AWS::SQS::Queue"}
    pipeline = {
        "Type": "AWS::SageMaker::Pipeline",
        "Properties": {
            "PipelineName": "Training",
            "RoleArn": account.role,
            "PipelineDescription": {"Fn::Sub": "${AWS::Region}"},
            "PipelineDefinition": {"PipelineDefinitionBody": '{"Version": "2020-12-01", "Steps": []}'},
        },
    }
    resources: dict[str, Any] = {
        "Group": group,
        "Queue": queue,
        "Training": pipeline,
        "Nightly": account.owned_schedule("nightly", pipeline="training", GroupName="team"),
        "Launch": account.owned_rule("launch", pipeline="training"),
    }
    resources["Nightly"]["Properties"]["Description"] = {"Fn::ImportValue": "Other"}
    events = account.aws.client("events")
    account.export("Other", "words")
    account.stack("Stack", resources)
    folder = write_assembly(resources, environment="aws://unknown-account/us-east-1")
    assert account.run("drift", "--assembly", str(folder)).exit_code == 0
    reading = set(endpoint.calls)
    endpoint.calls.clear()
    account.aws.client("sagemaker").update_pipeline(PipelineName="Training", PipelineDescription="x")
    strange = {"Id": "Strange", "Arn": account.pipeline_arn("other"), "RoleArn": account.role}
    events.put_targets(Rule="launch", Targets=[strange])
    scheduler = account.aws.client("scheduler")
    now = scheduler.get_schedule(Name="nightly", GroupName="team")
    names = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    scheduler.update_schedule(**{name: now[name] for name in names}, State="ENABLED")
    assert account.run("drift", "--assembly", str(folder), "--revert", "--yes").exit_code == 0
    text = TEXT.partition("`drift` reads with")[2].partition("\n\n")[0]
    before, _, after = text.partition("`drift --revert`")
    assert set(re.findall(r"`(\w+:\w+)`", before)) == reading
    changing = {name for name in re.findall(r"`(\w+:\w+)`", after) if not name.startswith(("iam:", "kms:"))}
    assert set(endpoint.calls) - reading == changing


def test_the_document_of_drift_is_described() -> None:
    table = TEXT.partition("## Drift")[2].partition("\n## ")[0]
    head = output.document(Drift(), [], "cdk.out")
    finding = Finding(stack="Stack", region="us-east-1", kind="schedule", name="a", result=Result.CHANGED)
    whole = {*head, "resources", *output.resource_document(finding)}
    assert [name for name in whole if f"`{name}`" not in table] == []
    assert [result for result in Result if f"`{result}`" not in table and result != "not tried"] == []
    assert [column for column in output.COLUMNS if f"`{column}`" not in table] == []
