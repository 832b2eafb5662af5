import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from faulty_endpoint import FaultyEndpoint
from operator_account import OperatorAccount

from scheduled_pipeline.cli import printing
from scheduled_pipeline.cli.account.aws import Aws
from scheduled_pipeline.cli.account.scan import scan
from scheduled_pipeline.cli.account.trigger_records import TriggerRecord

CALL = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"


def test_every_trigger_of_a_pipeline_is_listed_whatever_its_kind_and_place(account: OperatorAccount) -> None:
    training = account.pipeline_arn("training")
    account.pipeline("Training")
    account.schedule("nightly", arn=training, ScheduleExpressionTimezone="Asia/Tokyo")
    account.schedule("call", arn=CALL, group="team", target={"Input": '{"PipelineName": "Training"}'})
    account.rule("launch", training, bus="orders")
    account.rule("hourly", training, ScheduleExpression="rate(1 hour)", State="DISABLED")
    account.stack("Owner", {"Owned": account.owned_schedule("owned", pipeline="gone")})

    # Neither of these starts a pipeline.
    queue = f"arn:aws:sqs:us-east-1:{account.aws.account}:queue"
    account.schedule("other", arn=queue)
    account.schedule("stop", arn=CALL.replace("start", "stop"), target={"Input": "{}"})
    account.rule("queue", queue)

    found = {(row["KIND"], f"{row['GROUP']}/{row['NAME']}"): row for row in account.rows("list")}
    assert set(found) == {
        ("schedule", "default/nightly"),
        ("schedule", "default/owned"),
        ("schedule", "team/call"),
        ("rule", "default/hourly"),
        ("rule", "orders/launch"),
    }
    assert found["schedule", "default/nightly"] == {
        "KIND": "schedule",
        "REGION": "us-east-1",
        "GROUP": "default",
        "NAME": "nightly",
        "STATE": "DISABLED",
        "EXPRESSION": "cron(0 3 * * ? *)",
        "TIMEZONE": "Asia/Tokyo",
        "PIPELINE": "training",
        "EXISTS": "yes",
        "OWNER": "-",
    }
    owned, launch = found["schedule", "default/owned"], found["rule", "orders/launch"]
    assert (owned["EXISTS"], owned["OWNER"]) == ("no", "Owner")
    assert (launch["EXPRESSION"], launch["TIMEZONE"], launch["STATE"]) == ("on events", "-", "ENABLED")
    assert found["rule", "default/hourly"]["EXPRESSION"] == "rate(1 hour)"
    assert found["schedule", "team/call"]["PIPELINE"] == "Training"


def test_a_rule_with_two_pipelines_has_two_lines(account: OperatorAccount) -> None:
    account.rule("launch", account.pipeline_arn("a"), account.pipeline_arn("b", account="999999999999"))
    rows = account.rows("list")
    assert [(row["NAME"], row["PIPELINE"], row["EXISTS"]) for row in rows] == [
        ("launch", "a", "no"),
        ("launch", "b (999999999999)", "cannot be checked"),
    ]


def test_every_region_that_is_named_is_listed(account: OperatorAccount) -> None:
    account.schedule("here")
    account.schedule("there", region="eu-west-1")
    rows = account.rows("list", "--region", "eu-west-1", "--region", "us-east-1")
    assert [(row["REGION"], row["NAME"]) for row in rows] == [("eu-west-1", "there"), ("us-east-1", "here")]
    assert [row["NAME"] for row in account.rows("list")] == ["here"]


def test_an_account_without_triggers_has_the_names_of_the_columns(account: OperatorAccount) -> None:
    assert account.rows("list") == []
    assert account.document("list") == {"regions": ["us-east-1"], "triggers": []}


def expected(account: OperatorAccount) -> dict[str, Any]:
    """A schedule with parameters and a description, but for the moment of its creation."""
    return {
        "kind": "schedule",
        "name": "nightly",
        "group": "default",
        "arn": f"arn:aws:scheduler:us-east-1:{account.aws.account}:schedule/default/nightly",
        "region": "us-east-1",
        "account": account.aws.account,
        "state": "DISABLED",
        "expression": "cron(0 3 * * ? *)",
        "timezone": "UTC",
        "start": None,
        "end": None,
        "windowMinutes": None,
        "eventPattern": None,
        "description": "each night",
        "role": account.role,
        "target": account.pipeline_arn("gone"),
        "targetId": None,
        "otherTargets": 0,
        "pipeline": "gone",
        "pipelineRegion": "us-east-1",
        "pipelineAccount": account.aws.account,
        "parameters": [{"name": "Date", "value": "today"}],
        "input": None,
        "deadLetterQueue": None,
        "maximumRetryAttempts": None,
        "maximumEventAgeSeconds": None,
        "kmsKey": None,
        "actionAfterCompletion": "NONE",
        "managedBy": None,
        "owner": None,
        "pipelineExists": False,
    }


def test_the_document_has_all_that_aws_says(account: OperatorAccount) -> None:
    account.schedule(
        "nightly",
        target={
            "SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "Date", "Value": "today"}]}
        },
        Description="each night",
    )
    account.schedule("second")
    first, second = account.document("list")["triggers"]
    assert second["name"] == "second"
    created = first.pop("created")
    assert created.endswith("Z")
    assert first == expected(account)


def test_the_number_of_calls_is_bounded(account: OperatorAccount, endpoint: FaultyEndpoint) -> None:
    """Pages for the listings, one call a schedule that starts a pipeline, one a rule, one a stack."""
    account.stack("One", {"Topic": {"Type": "AWS::SNS::Topic"}})
    account.stack("Two", {"Topic": {"Type": "AWS::SNS::Topic"}})
    queue = f"arn:aws:sqs:us-east-1:{account.aws.account}:queue"
    for number in range(120):
        account.schedule(f"nightly-{number:03}", arn=account.pipeline_arn("gone") if number % 2 else queue)
    account.rule("launch", account.pipeline_arn("gone"))
    assert len(account.rows("list")) == 61
    assert dict(endpoint.calls) == {
        "cloudformation:ListStacks": 1,
        "cloudformation:ListStackResources": 2,
        "scheduler:ListSchedules": 2,
        "scheduler:GetSchedule": 60,
        "events:ListEventBuses": 1,
        "events:ListRules": 1,
        "events:ListTargetsByRule": 1,
        "sagemaker:ListPipelines": 1,
    }


def test_records_are_passed_on_as_they_are_found(account: OperatorAccount, endpoint: FaultyEndpoint) -> None:
    """The first comes before the second page is asked for, so that memory does not grow with the account."""
    for number in range(150):
        account.schedule(f"nightly-{number:03}")
    found = scan(Aws.connect(), "us-east-1", details=True, progress=lambda text: None)
    assert next(found).name == "nightly-000"
    assert endpoint.calls["scheduler:ListSchedules"] == 1
    assert endpoint.calls["scheduler:GetSchedule"] < 50
    assert sum(1 for _ in found) == 149


def test_lines_are_written_as_rows_come(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    taken = 0

    def rows() -> Iterator[tuple[str]]:
        nonlocal taken
        for number in range(1000):
            taken = number
            yield (str(number),)

    def write(text: str) -> bool:
        written.append(text)
        return len(written) < 2

    monkeypatch.setattr(printing, "write", write)
    printing.write_lines(["NUMBER"], rows())
    assert written[0].splitlines()[:2] == ["NUMBER", "0"]
    assert taken < 250  # the reader was gone after the second batch


def test_a_reader_that_has_had_enough_is_no_error(account: OperatorAccount) -> None:
    for number in range(3):
        account.schedule(f"nightly-{number}")
    command = Path(sys.executable).parent / "scheduled-pipeline"
    done = subprocess.run(f"'{command}' list | true", shell=True, capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_a_schedule_that_is_deleted_meanwhile_is_left_out(
    account: OperatorAccount, endpoint: FaultyEndpoint
) -> None:
    account.schedule("nightly")
    account.schedule("gone")
    endpoint.refuse(
        "scheduler:GetSchedule", "ResourceNotFoundException", "No.", status=404, containing="/schedules/gone"
    )
    assert [row["NAME"] for row in account.rows("list")] == ["nightly"]


def test_what_was_found_before_an_error_is_printed(
    account: OperatorAccount, endpoint: FaultyEndpoint
) -> None:
    account.schedule("nightly")
    endpoint.refuse("events:ListRules")
    result = account.run("list")
    assert result.exit_code == 4
    assert "events:ListRules is missing" in result.stderr
    assert [line.split("\t")[3] for line in result.stdout.splitlines()] == ["NAME", "nightly"]


def test_a_terminal_gets_a_table(account: OperatorAccount, at_terminal: Callable[..., str]) -> None:
    account.schedule("nightly")
    account.stack("Owner", {"Owned": account.owned_schedule("owned", pipeline="gone")})
    screen = at_terminal("list")
    assert "Kind" in screen
    assert "nightly" in screen
    assert "Owner" in screen
    assert "\t" not in screen


def test_a_terminal_is_told_what_is_looked_at(
    account: OperatorAccount, at_terminal: Callable[..., str]
) -> None:
    account.schedule("nightly")
    assert "schedules: 0 looked at" in at_terminal("list")
    assert "looked at" not in at_terminal("list", "--json")
    assert "looked at" not in account.run("list").stderr


def test_the_document_is_json_whatever_the_number() -> None:
    for number in (0, 1, 2, 250):
        items: list[dict[str, Any]] = [{"name": str(place), "list": []} for place in range(number)]
        lines = printing._json_lines({"regions": ["a"]}, "triggers", items)
        assert json.loads("\n".join(lines)) == {"regions": ["a"], "triggers": items}


def test_a_value_cannot_break_the_columns() -> None:
    (_, line) = printing._plain_lines(["A", "B"], [("one\ttwo\nthree", None)])
    assert line == "one two three\t-"


def test_a_record_of_the_listing_alone_has_no_expression() -> None:
    summary = {
        "Arn": "arn:aws:scheduler:eu-west-1:111122223333:schedule/default/nightly",
        "Name": "nightly",
        "GroupName": "default",
        "State": "ENABLED",
        "Target": {"Arn": "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/training"},
    }
    assert TriggerRecord.from_summary(summary).expression is None


def test_output_that_cannot_be_written_is_one_line(account: OperatorAccount) -> None:
    account.schedule("nightly")
    command = [str(Path(sys.executable).parent / "scheduled-pipeline"), "list"]
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == "Error: standard output cannot be written: No space left on device\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--endpoint-url", "localhost"), "the address of the endpoint must begin with https://"),
        (("--region", ""), "'' is not the name of a Region, such as eu-west-1"),
    ],
)
def test_a_place_that_is_none_is_an_error(
    account: OperatorAccount, options: tuple[str, ...], said: str
) -> None:
    result = account.run("list", *options)
    assert (result.exit_code, result.stdout) == (4, "")
    assert said in result.stderr
