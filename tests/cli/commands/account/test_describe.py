import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from operator_account import OperatorAccount

CALL = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
AFTER = ("--after", "2099-01-01T00:00:00Z")


def facts(account: OperatorAccount, *arguments: str) -> dict[str, list[str]]:
    """The values of what is printed, by their names."""
    result = account.run("describe", *arguments)
    assert result.exit_code == 0, result.output
    found: dict[str, list[str]] = {}
    for line in result.stdout.splitlines():
        name, value = line.split("\t")
        found.setdefault(name, []).append(value)
    return found


@pytest.fixture
def whole(account: OperatorAccount) -> OperatorAccount:
    """An account with one schedule that has everything."""
    queue = account.aws.client("sqs").create_queue(QueueName="dead")
    attributes = account.aws.client("sqs").get_queue_attributes(
        QueueUrl=queue["QueueUrl"], AttributeNames=["QueueArn"]
    )
    account.pipeline("Training")
    account.schedule(
        "nightly",
        arn=account.pipeline_arn("training"),
        group="team",
        State="ENABLED",
        ScheduleExpressionTimezone="Asia/Tokyo",
        StartDate=datetime(2099, 1, 1, tzinfo=UTC),
        EndDate=datetime(2099, 6, 1, tzinfo=UTC),
        FlexibleTimeWindow={"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        Description="each night",
        target={
            "SageMakerPipelineParameters": {
                "PipelineParameterList": [{"Name": "Date", "Value": "<aws.scheduler.scheduled-time>"}]
            },
            "DeadLetterConfig": {"Arn": attributes["Attributes"]["QueueArn"]},
            "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 600},
        },
    )
    return account


def test_a_schedule_is_described_with_all_that_aws_says(whole: OperatorAccount) -> None:
    found = facts(whole, "nightly", "--count", "2", *AFTER)
    assert found == {
        "kind": ["schedule"],
        "name": ["nightly"],
        "group": ["team"],
        "arn": [f"arn:aws:scheduler:us-east-1:{whole.aws.account}:schedule/team/nightly"],
        "state": ["ENABLED"],
        "description": ["each night"],
        "expression": ["cron(0 3 * * ? *)"],
        "in words": ["every day at 03:00 Asia/Tokyo"],
        "time zone": ["Asia/Tokyo"],
        "start": ["2099-01-01T00:00:00Z"],
        "end": ["2099-06-01T00:00:00Z"],
        "flexible window": ["15 minutes"],
        "after completion": ["NONE"],
        "owner": ["no stack owns it"],
        "target": [whole.pipeline_arn("training")],
        "pipeline": ["training"],
        "pipeline exists": ["yes"],
        "role": [whole.role],
        "dead-letter queue": [f"arn:aws:sqs:us-east-1:{whole.aws.account}:dead"],
        "retry attempts": ["3"],
        "event age": ["600 seconds"],
        "parameter": ["Date=<aws.scheduler.scheduled-time>"],
        "note": ["a run may begin up to 15 minutes later"],
        "next run": [
            "2099-01-01T18:00:00Z = 2099-01-02T03:00:00+09:00",
            "2099-01-02T18:00:00Z = 2099-01-03T03:00:00+09:00",
        ],
    }


@pytest.mark.parametrize("form", ["nightly", "team/nightly", "ARN"])
def test_a_schedule_is_found_by_name_by_group_and_name_and_by_arn(whole: OperatorAccount, form: str) -> None:
    arn = f"arn:aws:scheduler:us-east-1:{whole.aws.account}:schedule/team/nightly"
    document = whole.document("describe", arn if form == "ARN" else form, "--count", "1", *AFTER)
    assert [trigger["arn"] for trigger in document["triggers"]] == [arn]
    assert document["triggers"][0]["pipelineExists"] is True
    assert document["nextRuns"] == [
        {"utc": "2099-01-01T18:00:00Z", "local": "2099-01-02T03:00:00+09:00", "note": None}
    ]
    assert (document["after"], document["approximate"]) == ("2099-01-01T00:00:00Z", False)
    assert document["schedule"] == "every day at 03:00 Asia/Tokyo"


def test_an_arn_is_looked_up_in_its_own_region(account: OperatorAccount) -> None:
    account.schedule("nightly", region="eu-west-1")
    arn = f"arn:aws:scheduler:eu-west-1:{account.aws.account}:schedule/default/nightly"
    assert facts(account, arn)["arn"] == [arn]


@pytest.mark.parametrize("bus", ["default", "orders"])
@pytest.mark.parametrize("form", ["{name}", "{bus}/{name}", "{arn}"])
def test_a_rule_on_events_is_described_without_runs(account: OperatorAccount, bus: str, form: str) -> None:
    account.rule("launch", account.pipeline_arn("gone"), bus=bus)
    path = "launch" if bus == "default" else f"{bus}/launch"
    arn = f"arn:aws:events:us-east-1:{account.aws.account}:rule/{path}"
    found = facts(account, form.format(name="launch", bus=bus, arn=arn))
    assert (found["kind"], found["event bus"], found["arn"]) == (["rule"], [bus], [arn])
    assert found["event pattern"] == ['{"source": ["app"]}']
    assert "next run" not in found
    assert "time zone" not in found


def test_a_rule_on_a_schedule_has_runs(account: OperatorAccount) -> None:
    account.rule("hourly", account.pipeline_arn("gone"), ScheduleExpression="cron(0 * * * ? *)")
    found = facts(account, "hourly", "--count", "2", *AFTER)
    assert found["next run"] == ["2099-01-01T01:00:00+00:00", "2099-01-01T02:00:00+00:00"]


def test_a_rule_with_two_pipelines_has_both(account: OperatorAccount) -> None:
    account.rule("launch", account.pipeline_arn("a"), account.pipeline_arn("b"))
    assert facts(account, "launch")["pipeline"] == ["a", "b"]
    triggers = account.document("describe", "launch")["triggers"]
    assert [trigger["targetId"] for trigger in triggers] == ["Target0", "Target1"]


def test_the_call_of_the_scheduler_shows_its_request(account: OperatorAccount) -> None:
    request = {"PipelineName": "Training", "PipelineParameters": [{"Name": "Date", "Value": "today"}]}
    account.schedule("call", arn=CALL, target={"Input": json.dumps(request)})
    found = facts(account, "call")
    assert (found["pipeline"], found["pipeline exists"], found["target"]) == (["Training"], ["no"], [CALL])
    assert (found["parameter"], found["input"]) == (["Date=today"], [json.dumps(request)])


def test_the_owner_is_named(account: OperatorAccount) -> None:
    account.stack("Owner", {"Nightly": account.owned_schedule("nightly", pipeline="gone")})
    assert facts(account, "nightly")["owner"] == ["Owner"]


def test_a_rate_without_a_start_date_is_counted_from_its_creation(account: OperatorAccount) -> None:
    account.pipeline("Training")
    account.schedule("often", arn=account.pipeline_arn("training"), ScheduleExpression="rate(2 days)")
    account.aws.client("scheduler").update_schedule(
        Name="often",
        ScheduleExpression="rate(2 days)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": account.pipeline_arn("training"), "RoleArn": account.role},
    )
    document = account.document("describe", "often", "--count", "2")
    (trigger,) = document["triggers"]
    created = datetime.fromisoformat(trigger["created"])
    first, second = (datetime.fromisoformat(run["utc"]) for run in document["nextRuns"])
    assert (second - first).days == 2
    assert (first - created).total_seconds() % (2 * 24 * 3600) == 0
    assert document["approximate"]
    assert document["notes"] == [f"approximate: counted from its creation, {trigger['created']}"]


def test_a_disabled_schedule_has_no_runs(account: OperatorAccount) -> None:
    account.schedule("nightly")
    found = facts(account, "nightly")
    assert (found["state"], found["note"]) == (["DISABLED"], ["disabled: it does not run"])


def test_an_ambiguous_name_lists_what_it_may_mean(account: OperatorAccount) -> None:
    account.schedule("nightly")
    account.schedule("nightly", group="team")
    account.rule("nightly", account.pipeline_arn("gone"))
    result = account.run("describe", "nightly")
    prefix = f"arn:aws:scheduler:us-east-1:{account.aws.account}:schedule"
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: nightly is the name of 3 triggers, name one by its ARN: "
        f"schedule default/nightly in us-east-1 ({prefix}/default/nightly), "
        f"schedule team/nightly in us-east-1 ({prefix}/team/nightly), "
        f"rule default/nightly in us-east-1 (arn:aws:events:us-east-1:{account.aws.account}:rule/nightly)\n"
    )
    assert account.run("describe", "team/nightly").exit_code == 0


def test_a_name_in_two_regions_is_ambiguous_too(account: OperatorAccount) -> None:
    account.schedule("nightly")
    account.schedule("nightly", region="eu-west-1")
    both = ("--region", "us-east-1", "--region", "eu-west-1")
    assert account.run("describe", "nightly", *both).exit_code == 1
    assert account.run("describe", "nightly", "--region", "eu-west-1").exit_code == 0


@pytest.mark.parametrize(
    "name",
    [
        "nobody",
        "night",
        "team/nightly",
        "nobody/nightly",
        "aws.partner/example.com/bus/nightly",
        "other",
        "arn:aws:scheduler:us-east-1:ACCOUNT:schedule/default/nobody",
        "arn:aws:events:us-east-1:ACCOUNT:rule/nobody",
    ],
)
def test_what_does_not_exist_or_starts_something_else_is_an_error(
    account: OperatorAccount, name: str
) -> None:
    account.schedule("nightly")
    account.schedule("other", arn=f"arn:aws:sqs:us-east-1:{account.aws.account}:queue")
    name = name.replace("ACCOUNT", account.aws.account)
    result = account.run("describe", name)
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: no schedule and no rule {name} starts a SageMaker pipeline: try scheduled-pipeline list\n",
    )


def test_another_arn_is_an_error(account: OperatorAccount) -> None:
    result = account.run("describe", "arn:aws:sqs:us-east-1:111122223333:queue")
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: arn:aws:sqs:us-east-1:111122223333:queue is the ARN of neither a schedule nor a rule\n",
    )


@pytest.mark.parametrize("expression", ["rate(1 days)", "rate(1 hours)"])
def test_the_plural_for_one_that_the_sdk_writes_is_read(expression: str) -> None:
    from scheduled_pipeline.cli.account.trigger_records import TriggerRecord
    from scheduled_pipeline.cli.commands.account.describe import _forecast

    arn = "arn:aws:scheduler:eu-west-1:111122223333:schedule/default/a"
    record = TriggerRecord(
        kind="schedule",
        name="a",
        arn=arn,
        group="default",
        state="ENABLED",
        target_arn="",
        pipeline=None,
        expression=expression,
        start=datetime(2027, 1, 1, tzinfo=UTC),
    )
    runs: Any = _forecast(record, datetime(2027, 1, 1, tzinfo=UTC), 1)
    assert (runs.problem, len(runs.runs)) == (None, 1)


def test_an_expression_that_is_not_understood_is_told_after_the_rest(
    account: OperatorAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scheduled_pipeline.cli.commands.account import describe

    account.schedule("nightly")
    from scheduled_pipeline.cli.account.trigger_names import find_trigger as find

    monkeypatch.setattr(
        describe,
        "find_trigger",
        lambda *given: tuple(replace(record, expression="fortnightly(2)") for record in find(*given)),
    )
    result = account.run("describe", "nightly", "--json")
    assert result.exit_code == 1
    assert "schedule default/nightly in us-east-1: its next runs are not known: expression must be" in (
        result.stderr
    )
    document = json.loads(result.stdout)
    assert document["problem"].startswith("expression must be")
    assert document["triggers"][0]["expression"] == "fortnightly(2)"


def test_a_terminal_gets_a_table(account: OperatorAccount, at_terminal: Callable[..., str]) -> None:
    account.schedule("nightly")
    screen = at_terminal("describe", "nightly")
    assert "cron(0 3 * * ? *)" in screen
    assert "\t" not in screen
