"""The command ``drift`` on stacks of small templates, each in an account of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faulty_endpoint import FaultyEndpoint
from operator_account import REGION, OperatorAccount

_SGR = re.compile(r"\x1b\[[0-9;]*m")
Deploy = Callable[..., Path]


@pytest.fixture
def assembly(tmp_path: Path) -> Callable[..., Path]:
    """Write an assembly with these stacks: their resources by name."""

    def write(environment: str = f"aws://unknown-account/{REGION}", **stacks: Any) -> Path:
        folder = tmp_path / "cdk.out"
        folder.mkdir(exist_ok=True)
        artifacts = {}
        for name, resources in stacks.items():
            artifacts[name] = {
                "type": "aws:cloudformation:stack",
                "environment": environment,
                "properties": {"templateFile": f"{name}.template.json", "stackName": name},
            }
            (folder / f"{name}.template.json").write_text(json.dumps({"Resources": resources}))
        (folder / "manifest.json").write_text(json.dumps({"version": "55.0.0", "artifacts": artifacts}))
        return folder

    return write


@pytest.fixture
def deploy(account: OperatorAccount, assembly: Callable[..., Path]) -> Deploy:
    """Deploy stacks, and write the assembly that they come from."""

    def deploy(**stacks: Any) -> Path:
        for name, resources in stacks.items():
            account.stack(name, resources)
        return assembly(**stacks)

    return deploy


def rows(account: OperatorAccount, folder: Path, *options: str, exit_code: int = 1) -> list[dict[str, str]]:
    result = account.run("drift", "--app", str(folder), *options)
    assert result.exit_code == exit_code, result.output
    names, *lines = (line.split("\t") for line in result.stdout.splitlines())
    return [dict(zip(names, line, strict=True)) for line in lines]


def changes(found: list[dict[str, str]]) -> dict[str, tuple[str, str]]:
    return {row["FIELD"]: (row["TEMPLATE"], row["ACCOUNT"]) for row in found}


def in_group(account: OperatorAccount, *names: str, **properties: Any) -> dict[str, Any]:
    """A group with schedules in it."""
    schedules = {
        name.title(): account.owned_schedule(
            name, pipeline="training", GroupName={"Ref": "Group"}, **properties
        )
        for name in names
    }
    return {
        "Group": {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": "team"}},
        **schedules,
    }


def update(account: OperatorAccount, name: str, group: str = "team", **settings: Any) -> None:
    """Change a schedule as somebody does by hand."""
    scheduler = account.aws.client("scheduler")
    now = scheduler.get_schedule(Name=name, GroupName=group)
    kept = {
        key: value
        for key, value in now.items()
        if key not in ("Arn", "CreationDate", "LastModificationDate", "ResponseMetadata")
    }
    scheduler.update_schedule(**{**kept, **settings})


def test_what_is_as_its_template_says_is_no_drift(account: OperatorAccount, deploy: Deploy) -> None:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}}
    target = {
        "Arn": {
            "Fn::Sub": "arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:pipeline/training"
        },
        "RoleArn": account.role,
        "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Queue", "Arn"]}},
        "RetryPolicy": {"MaximumRetryAttempts": "0"},
    }
    schedule = account.owned_schedule(
        "nightly",
        pipeline="training",
        Target=target,
        StartDate="2099-01-01T09:00:00+09:00",
        FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": "60"},
    )
    folder = deploy(
        Plain={
            "Nightly": schedule,
            "Queue": queue,
            "Launch": account.owned_rule("launch", pipeline="training"),
        }
    )
    result = account.run("drift", "--app", str(folder))
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 1), result.output
    assert result.stderr == "2 resources of stack Plain compared in us-east-1: no drift.\n"


def test_a_stray_in_a_group_of_the_stack_is_pointed_out(account: OperatorAccount, deploy: Deploy) -> None:
    folder = deploy(Team=in_group(account, "nightly"))
    account.schedule("by-hand", group="team")
    account.schedule("elsewhere", group="other")
    (row,) = rows(account, folder)
    assert (row["KIND"], row["GROUP"], row["NAME"], row["RESULT"]) == ("schedule", "team", "by-hand", "stray")
    assert "scheduled-pipeline orphans" in row["NOTE"]
    assert account.rows("orphans", "--reason", "unowned") != []


def test_what_another_stack_of_the_assembly_has_is_no_stray(account: OperatorAccount, deploy: Deploy) -> None:
    other = {"Late": account.owned_schedule("late", pipeline="training", GroupName="team")}
    folder = deploy(Team=in_group(account, "nightly"), Other=other)
    assert rows(account, folder, "--stack", "Team", exit_code=0) == []


def test_what_was_deleted_by_hand_is_missing(account: OperatorAccount, deploy: Deploy) -> None:
    resources = in_group(account, "nightly") | {"Launch": account.owned_rule("launch", pipeline="training")}
    folder = deploy(Team=resources)
    account.aws.client("scheduler").delete_schedule_group(Name="team")
    events = account.aws.client("events")
    events.remove_targets(Rule="launch", Ids=["Pipeline"])
    events.delete_rule(Name="launch")
    found = rows(account, folder)
    assert [(row["KIND"], row["NAME"], row["RESULT"]) for row in found] == [
        ("schedule group", "team", "missing"),
        ("schedule", "nightly", "missing"),
        ("rule", "launch", "missing"),
    ]
    assert all("change the resource" in row["NOTE"] for row in found)
    again = rows(account, folder, "--revert", "--yes")
    assert [row["RESULT"] for row in again] == ["missing"] * 3


def test_a_group_that_was_deleted_has_no_strays_and_breaks_nothing(
    account: OperatorAccount, deploy: Deploy, endpoint: FaultyEndpoint
) -> None:
    folder = deploy(Team=in_group(account))
    account.aws.client("scheduler").delete_schedule_group(Name="team")
    # As AWS answers, and the local AWS does not.
    endpoint.refuse("scheduler:ListSchedules", "ResourceNotFoundException", "No such group.", status=404)
    (row,) = rows(account, folder)
    assert (row["KIND"], row["RESULT"]) == ("schedule group", "missing")


def test_what_the_assembly_has_otherwise_than_the_deployed_template_is_not_drift(
    account: OperatorAccount, deploy: Deploy, assembly: Callable[..., Path]
) -> None:
    resources = in_group(account, "nightly", "leaving")
    deploy(Team=resources)
    changed = in_group(account, "nightly", ScheduleExpression="rate(1 hour)")
    folder = assembly(Team=changed | {"New": account.owned_rule("new", pipeline="training")})
    found = rows(account, folder, exit_code=0)
    assert [(row["NAME"], row["RESULT"], row["FIELD"]) for row in found] == [
        ("nightly", "not deployed", "ScheduleExpression"),
        ("New", "not deployed", "-"),
    ]
    rows(account, folder, "--revert", "--yes", exit_code=0)
    scheduler = account.aws.client("scheduler")
    assert (
        scheduler.get_schedule(Name="nightly", GroupName="team")["ScheduleExpression"] == "cron(0 4 * * ? *)"
    )


def test_letters_that_get_template_loses_are_no_change(
    account: OperatorAccount, deploy: Deploy, endpoint: FaultyEndpoint
) -> None:
    """CloudFormation returns a question mark for each letter that is not ASCII."""
    folder = deploy(Team=in_group(account, "nightly", Description="夜のジョブ、毎日"))
    update(account, "nightly", Description="changed")
    words = json.dumps("夜のジョブ、毎日")[1:-1]
    endpoint.replace("cloudformation:GetTemplate", words, "????????")
    (row,) = rows(account, folder)
    assert (row["RESULT"], row["TEMPLATE"]) == ("changed", "夜のジョブ、毎日")


def test_what_cannot_be_resolved_is_told_and_is_no_drift(account: OperatorAccount, deploy: Deploy) -> None:
    resources = in_group(account, "nightly")
    resources["Nightly"]["Properties"]["Description"] = {"Fn::GetAtt": ["Parameter", "Value"]}
    resources["Parameter"] = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Name": "words", "Type": "String", "Value": "at night"},
    }
    folder = deploy(Team=resources)
    (row,) = rows(account, folder, exit_code=0)
    assert row["RESULT"] == "not compared"
    assert row["NOTE"] == "not compared: Description: <Parameter.Value> is not known"
    update(account, "nightly", State="ENABLED")
    (row,) = rows(account, folder)
    assert (row["RESULT"], row["FIELD"]) == ("changed", "State")
    (row,) = rows(account, folder, "--revert", "--yes")
    assert (row["RESULT"], "<Parameter.Value> is not known" in row["NOTE"]) == ("failed", True)


def test_a_schedule_that_the_template_pauses_and_somebody_enabled_is_explained(
    account: OperatorAccount, deploy: Deploy
) -> None:
    folder = deploy(Team=in_group(account, "nightly"))
    update(account, "nightly", State="ENABLED")
    (row,) = rows(account, folder)
    assert (row["TEMPLATE"], row["ACCOUNT"]) == ("DISABLED", "ENABLED")
    assert row["NOTE"] == "the template has it disabled, and it runs nevertheless"


def test_a_rule_on_a_bus_of_its_own_is_put_back_with_its_targets(
    account: OperatorAccount, deploy: Deploy
) -> None:
    bus = {"Type": "AWS::Events::EventBus", "Properties": {"Name": "team"}}
    rule = account.owned_rule("launch", pipeline="training", EventBusName={"Ref": "Bus"})
    folder = deploy(Team={"Bus": bus, "Launch": rule})
    events = account.aws.client("events")
    place = {"EventBusName": "team"}
    events.put_rule(Name="launch", EventPattern='{"source": ["other"]}', State="DISABLED", **place)
    strange = {"Id": "Strange", "Arn": account.pipeline_arn("other"), "RoleArn": account.role}
    events.put_targets(Rule="launch", Targets=[strange], **place)
    found = rows(account, folder)
    assert {(row["GROUP"], row["NAME"]) for row in found} == {("team", "launch")}
    assert changes(found) == {
        "State": ("ENABLED", "DISABLED"),
        "EventPattern.source[0]": ("app", "other"),
        "Targets[Strange]": ("-", json.dumps(strange)),
    }
    assert found[0]["NOTE"] == "it was disabled by hand and starts nothing"
    assert {row["RESULT"] for row in rows(account, folder, "--revert", "--yes", exit_code=0)} == {"reverted"}
    assert rows(account, folder, exit_code=0) == []


def test_nested_stacks_are_compared_with_what_they_were_given(
    account: OperatorAccount, assembly: Callable[..., Path]
) -> None:
    inner = {
        "Parameters": {"Words": {"Type": "String"}},
        "Resources": in_group(account, "nightly", Description={"Ref": "Words"}),
        "Outputs": {"Name": {"Value": {"Ref": "Group"}}},
    }
    s3 = account.aws.client("s3")
    bucket = f"templates-{account.aws.account}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="inner.json", Body=json.dumps(inner).encode())
    nested = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {
            "TemplateURL": f"{account.aws.endpoint_url}/{bucket}/inner.json",
            "Parameters": {"Words": "given"},
        },
        "Metadata": {"aws:asset:path": "inner.json"},
    }
    late = account.owned_schedule(
        "late", pipeline="training", GroupName={"Fn::GetAtt": ["Inner", "Outputs.Name"]}
    )
    resources = {"Inner": nested, "Late": late}
    account.stack("Outer", resources)
    folder = assembly(Outer=resources)
    (folder / "inner.json").write_text(json.dumps(inner))
    assert rows(account, folder, exit_code=0) == []
    update(account, "nightly", Description="changed")
    (row,) = rows(account, folder)
    assert (row["STACK"], row["TEMPLATE"], row["ACCOUNT"]) == ("Outer/Inner", "given", "changed")


def test_a_stack_that_is_not_there_is_told(
    account: OperatorAccount, deploy: Deploy, assembly: Callable[..., Path]
) -> None:
    there = in_group(account, "nightly")
    deploy(Team=there)
    folder = assembly(Team=there, Absent=there)
    result = account.run("drift", "--app", str(folder))
    assert result.exit_code == 0
    assert "not compared: stack Absent: it is not deployed in us-east-1\n" in result.stderr
    result = account.run("drift", "--app", str(folder), "--stack", "Ab*")
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: nothing could be compared: stack Absent: it is not deployed in us-east-1\n"
    )


def test_a_stack_that_is_being_changed_is_told(
    account: OperatorAccount, deploy: Deploy, endpoint: FaultyEndpoint
) -> None:
    folder = deploy(Team=in_group(account, "nightly"))
    endpoint.replace("cloudformation:DescribeStacks", "CREATE_COMPLETE", "UPDATE_IN_PROGRESS")
    result = account.run("drift", "--app", str(folder))
    assert (result.exit_code, "stack Team is being changed now" in result.stderr) == (0, True)
    endpoint.replace("cloudformation:DescribeStacks", "CREATE_COMPLETE", "REVIEW_IN_PROGRESS")
    assert "stack Team: it is not deployed" in account.run("drift", "--app", str(folder)).stderr


def test_a_stack_of_another_account_is_not_compared_with_one_of_its_name_here(
    account: OperatorAccount, deploy: Deploy, assembly: Callable[..., Path]
) -> None:
    there = in_group(account, "nightly")
    deploy(Team=there)
    folder = assembly(f"aws://111122223333/{REGION}", Team=there)
    result = account.run("drift", "--app", str(folder))
    assert result.exit_code == 1
    assert f"it belongs to account 111122223333, and the credentials are those of {account.aws.account}" in (
        result.stderr
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--yes"], "--yes answers the question of --revert: add --revert"),
        (["--revert"], "--revert asks first, and there is no terminal to ask at: add --yes"),
        (["--revert", "--json"], "--revert asks first, and --json leaves no place to ask: add --yes"),
        (["--stack", "Other"], "cdk.out has no stack 'Other': there are Team"),
    ],
)
def test_wrong_usage_is_refused(
    account: OperatorAccount, assembly: Callable[..., Path], options: list[str], message: str
) -> None:
    result = account.run("drift", "--app", str(assembly(Team=in_group(account))), *options)
    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr


def test_a_folder_without_an_assembly_is_one_sentence(account: OperatorAccount, tmp_path: Path) -> None:
    assert account.run("drift", "--app", str(tmp_path / "none")).exit_code == 3


def test_a_permission_that_is_missing_is_one_sentence(
    account: OperatorAccount, deploy: Deploy, endpoint: FaultyEndpoint
) -> None:
    folder = deploy(Team=in_group(account, "nightly"))
    endpoint.refuse("scheduler:GetSchedule", status=403)
    result = account.run("drift", "--app", str(folder))
    assert result.exit_code == 4
    assert result.stderr == (
        "Error: access denied: the permission scheduler:GetSchedule is missing in us-east-1: No\n"
    )


def test_what_may_not_be_put_back_is_named_and_the_rest_is_done(
    account: OperatorAccount, deploy: Deploy, endpoint: FaultyEndpoint
) -> None:
    folder = deploy(Team=in_group(account, "one", "two"))
    for name in ("one", "two"):
        update(account, name, Description="by hand")
    endpoint.refuse("scheduler:UpdateSchedule", containing="/one", status=403)
    result = account.run("drift", "--app", str(folder), "--revert", "--yes")
    assert result.exit_code == 1
    assert "Error: the schedule team/one in us-east-1 was not put back: access denied" in result.stderr
    assert [row["NAME"] for row in rows(account, folder)] == ["one"]


def test_a_thousand_schedules_take_a_call_each_and_few_others(
    account: OperatorAccount, deploy: Deploy, endpoint: FaultyEndpoint
) -> None:
    """Here 120 of them: more than a page of anything."""
    folder = deploy(Team=in_group(account, *(f"s{number:03}" for number in range(120))))
    update(account, "s077", Description="by hand")
    (row,) = rows(account, folder)
    assert row["NAME"] == "s077"
    assert endpoint.calls["scheduler:GetSchedule"] == 120
    assert sum(endpoint.calls.values()) <= 120 + 8


def test_the_document_says_all(account: OperatorAccount, deploy: Deploy) -> None:
    folder = deploy(Team=in_group(account, "nightly"))
    update(account, "nightly", Description="by hand")
    result = account.run("drift", "--app", str(folder), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "version": 1,
        "assembly": str(folder),
        "regions": ["us-east-1"],
        "stacks": ["Team"],
        "notCompared": [],
        "changing": [],
        "compared": 2,
        "drift": True,
        "resources": [
            {
                "stack": "Team",
                "region": "us-east-1",
                "kind": "schedule",
                "group": "team",
                "name": "nightly",
                "logicalId": "Nightly",
                "result": "changed",
                "fields": [{"field": "Description", "template": None, "account": "by hand"}],
                "notCompared": [],
                "note": None,
                "error": None,
            }
        ],
    }


def test_a_terminal_is_asked_before_anything_is_put_back(
    account: OperatorAccount, deploy: Deploy, at_terminal: Callable[..., str]
) -> None:
    folder = deploy(Team=in_group(account, "nightly"))
    update(account, "nightly", Description="by hand")
    screen = _SGR.sub("", at_terminal("drift", "--app", str(folder), "--revert", answers="n\n"))
    assert "Put this 1 resource back to what the template says?" in screen
    assert "changed  schedule team/nightly" in screen
    assert len(rows(account, folder)) == 1
    at_terminal("drift", "--app", str(folder), "--revert", answers="y\n")
    assert rows(account, folder, exit_code=0) == []


def pipeline(account: OperatorAccount, definition: Any, **properties: Any) -> dict[str, Any]:
    """The resource of a pipeline."""
    usual = {"PipelineName": "Training", "RoleArn": account.role, "PipelineDefinition": definition}
    return {"Type": "AWS::SageMaker::Pipeline", "Properties": {**usual, **properties}}


def lines(step: str = "Only") -> str:
    parameters = [{"Name": "Count", "Type": "Integer", "DefaultValue": 1}]
    return json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": [{"Name": step}]})


def test_a_pipeline_is_put_back_by_its_content(account: OperatorAccount, deploy: Deploy) -> None:
    folder = deploy(
        Team={
            "Training": pipeline(account, {"PipelineDefinitionBody": lines()}, PipelineDescription="nightly")
        }
    )
    sagemaker = account.aws.client("sagemaker")
    changed = json.loads(lines())
    changed["Parameters"][0]["DefaultValue"] = "1"
    sagemaker.update_pipeline(
        PipelineName="Training", PipelineDefinition=json.dumps(changed), PipelineDescription="by hand"
    )
    assert changes(rows(account, folder)) == {
        "PipelineDescription": ("nightly", "by hand"),
        "PipelineDefinition.Parameters[Count].DefaultValue": ("1", "1"),
    }
    rows(account, folder, "--revert", "--yes", exit_code=0)
    assert rows(account, folder, exit_code=0) == []
    assert json.loads(sagemaker.describe_pipeline(PipelineName="Training")["PipelineDefinition"]) == (
        json.loads(lines())
    )


def test_a_definition_in_s3_is_compared_with_the_text_in_the_assembly(
    account: OperatorAccount, deploy: Deploy
) -> None:
    s3, bucket = account.aws.client("s3"), f"definitions-{account.aws.account}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="d.json", Body=lines(REGION).encode())
    resource = pipeline(account, {"PipelineDefinitionS3Location": {"Bucket": bucket, "Key": "d.json"}})
    resource["Metadata"] = {
        "scheduled-pipeline:definition": {
            "as": "s3",
            "path": "d.json",
            "substitutions": {"<<scheduled-pipeline-0>>": {"Ref": "AWS::Region"}},
        }
    }
    folder = deploy(Team={"Training": resource})
    (folder / "d.json").write_text(lines("<<scheduled-pipeline-0>>"))
    assert rows(account, folder, exit_code=0) == []
    account.aws.client("sagemaker").update_pipeline(
        PipelineName="Training", PipelineDefinition=lines("Other")
    )
    assert changes(rows(account, folder)) == {
        f"PipelineDefinition.Steps[{REGION}]": (json.dumps({"Name": REGION}), "-"),
        "PipelineDefinition.Steps[Other]": ("-", json.dumps({"Name": "Other"})),
    }
    rows(account, folder, "--revert", "--yes", exit_code=0)
    assert rows(account, folder, exit_code=0) == []


def test_a_definition_that_the_assembly_does_not_have_is_not_compared(
    account: OperatorAccount, deploy: Deploy
) -> None:
    s3, bucket = account.aws.client("s3"), f"definitions-{account.aws.account}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="d.json", Body=lines().encode())
    location = {"PipelineDefinitionS3Location": {"Bucket": bucket, "Key": "d.json"}}
    folder = deploy(Team={"Training": pipeline(account, location)})
    (row,) = rows(account, folder, exit_code=0)
    assert row["RESULT"] == "not compared"
    assert "its definition is not in the template but in S3" in row["NOTE"]


def test_the_default_parallelism_is_no_change(account: OperatorAccount, deploy: Deploy) -> None:
    folder = deploy(Team={"Training": pipeline(account, {"PipelineDefinitionBody": lines()})})
    account.aws.client("sagemaker").update_pipeline(
        PipelineName="Training", ParallelismConfiguration={"MaxParallelExecutionSteps": 50}
    )
    assert rows(account, folder, exit_code=0) == []


def test_what_the_api_cannot_take_back_is_said(account: OperatorAccount, deploy: Deploy) -> None:
    """UpdatePipeline keeps what it is not given."""
    folder = deploy(Team={"Training": pipeline(account, {"PipelineDefinitionBody": lines()})})
    account.aws.client("sagemaker").update_pipeline(
        PipelineName="Training", ParallelismConfiguration={"MaxParallelExecutionSteps": 2}
    )
    (row,) = rows(account, folder, "--revert", "--yes")
    assert (row["RESULT"], row["FIELD"]) == ("failed", "ParallelismConfiguration")
    assert "it still differs: ParallelismConfiguration" in row["NOTE"]


def test_a_pipeline_that_was_deleted_by_hand_is_missing(account: OperatorAccount, deploy: Deploy) -> None:
    folder = deploy(Team={"Training": pipeline(account, {"PipelineDefinitionBody": lines()})})
    account.aws.client("sagemaker").delete_pipeline(PipelineName="Training")
    (row,) = rows(account, folder)
    assert (row["KIND"], row["NAME"], row["RESULT"]) == ("pipeline", "Training", "missing")
