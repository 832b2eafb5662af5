import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from operator_account import OperatorAccount

from scheduled_pipeline import EventTrigger, PipelineSchedule

HANDOVER = "2035-01-01T00:00:00Z"


@pytest.fixture
def training(account: OperatorAccount) -> OperatorAccount:
    """An account with the pipeline Training."""
    account.pipeline("Training")
    return account


def nightly(account: OperatorAccount, name: str = "nightly", **settings: Any) -> None:
    account.schedule(name, arn=account.pipeline_arn("training"), **settings)


def on_data(account: OperatorAccount, name: str = "on-data", *others: str, **settings: Any) -> None:
    """A rule that starts Training with what the event says."""
    account.rule(name, account.pipeline_arn("training"), *others, **settings)
    parameters = [{"Name": "Key", "Value": "$.detail.key"}, {"Name": "Mode", "Value": "fast"}]
    target = {
        "Id": "Target0",
        "Arn": account.pipeline_arn("training"),
        "RoleArn": account.role,
        "SageMakerPipelineParameters": {"PipelineParameterList": parameters},
        "RetryPolicy": {"MaximumRetryAttempts": 1},
    }
    bus = settings.get("bus", "default")
    account.aws.client("events").put_targets(Rule=name, EventBusName=bus, Targets=[target])


def run_code(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(code, names)
    return {name: value for name, value in names.items() if name in ("schedules", "events")}


def test_what_no_stack_owns_is_written_from_all_groups_and_buses(training: OperatorAccount) -> None:
    nightly(training)
    nightly(training, "weekly", group="team", ScheduleExpressionTimezone="Asia/Tokyo")
    on_data(training, bus="lake")
    result = training.run("adopt", "Training")
    assert result.exit_code == 0, result.output
    assert run_code(result.stdout) == {
        "schedules": {
            "Nightly": PipelineSchedule.cron("0 3 * * ? *", enabled=False),
            "Weekly": PipelineSchedule.cron("0 3 * * ? *", timezone="Asia/Tokyo", enabled=False),
        },
        "events": {
            "OnData": EventTrigger.pattern(
                {"source": ["app"]},
                event_bus_name="lake",
                parameters={"Key": "$.detail.key", "Mode": "fast"},
                maximum_retry_attempts=1,
            )
        },
    }


def test_what_a_stack_owns_or_starts_something_else_is_not_written(training: OperatorAccount) -> None:
    training.stack(
        "Owned",
        {
            "Nightly": training.owned_schedule("owned", pipeline="training"),
            "Launch": training.owned_rule("owned", pipeline="training"),
        },
    )
    nightly(training)
    training.schedule("other", arn=training.pipeline_arn("training-2"))
    document = training.document("adopt", "TRAINING")
    assert [one["name"] for one in document["adopted"]] == ["nightly"]


def test_the_pipeline_may_be_named_by_its_arn(training: OperatorAccount) -> None:
    nightly(training)
    arn = training.pipeline_arn("training")
    assert training.document("adopt", arn) == training.document("adopt", "training")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("eu-west-1:999999999999", "is of another Region than us-east-1: add --region eu-west-1"),
        ("us-east-1:999999999999", "is of another account: the credentials are of "),
    ],
)
def test_the_arn_of_another_place_is_not_taken_for_the_name(
    training: OperatorAccount, place: str, said: str
) -> None:
    nightly(training)
    result = training.run("adopt", f"arn:aws:sagemaker:{place}:pipeline/training")
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


@pytest.mark.parametrize(
    "parameters", [[{"Name": "Date"}], [{"Name": "Date", "Value": 1}], {"Date": "today"}, ["Date"], "Date"]
)
def test_no_value_is_made_up_for_parameters_that_aws_would_refuse(
    training: OperatorAccount, parameters: object
) -> None:
    arn = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
    request = json.dumps({"PipelineName": "training", "PipelineParameters": parameters})
    training.schedule("odd", arn=arn, target={"Input": request})
    result = training.run("adopt", "training")
    assert result.exit_code == 1
    assert run_code(result.stdout) == {}
    assert "PipelineParameters of its request must be a list of Name and Value" in result.stderr


def test_the_members_of_a_request_may_begin_with_a_small_letter(training: OperatorAccount) -> None:
    arn = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
    request = {"pipelineName": "training", "pipelineParameters": [{"name": "Date", "value": "today"}]}
    training.schedule("small", arn=arn, target={"Input": json.dumps(request)})
    code = run_code(training.run("adopt", "training").stdout)
    (written,) = code["schedules"].values()
    assert written.parameters == {"Date": "today"}


def test_a_call_of_the_scheduler_is_written_as_a_start_of_the_pipeline(training: OperatorAccount) -> None:
    request = {
        "PipelineName": "Training",
        "ClientRequestToken": 32 * "t" + "<aws.scheduler.scheduled-time>",
        "PipelineExecutionDisplayName": "by-hand",
    }
    target = {"Input": json.dumps(request)}
    arn = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
    training.schedule("call", arn=arn, target=target)
    (made,) = run_code(training.run("adopt", "Training").stdout)["schedules"].values()
    assert (made.idempotent, made.display_name) == (True, "by-hand")


def test_it_works_for_a_pipeline_that_is_gone(account: OperatorAccount) -> None:
    account.schedule("nightly")
    assert run_code(account.run("adopt", "gone").stdout)["schedules"].keys() == {"Nightly"}


def test_a_pipeline_that_neither_exists_nor_is_started_is_an_error(account: OperatorAccount) -> None:
    result = account.run("adopt", "Trainig")
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.startswith("Error: sagemaker:DescribePipeline in us-east-1: not found")


def test_without_anything_to_adopt_nothing_is_written(training: OperatorAccount) -> None:
    result = training.run("adopt", "Training")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "There is nothing to adopt of Training in us-east-1: nothing starts it.\n"


def test_the_next_steps_name_the_first_run_that_would_be_doubled(training: OperatorAccount) -> None:
    nightly(training, State="ENABLED", ScheduleExpression="cron(0 3 1 1 ? 2035)")
    result = training.run("adopt", "Training")
    steps = [line for line in result.stderr.splitlines() if line[:2] in ("1.", "2.", "3.")]
    assert steps[0] == "1. Give schedules=schedules to the ScheduledPipeline and deploy it."
    assert "old and new both start a run, for the first time at 2035-01-01T03:00:00Z" in steps[2]
    assert "idempotent=True does not help" in steps[2]


def test_a_rate_that_pauses_without_a_handover_is_named(training: OperatorAccount) -> None:
    nightly(training, "often", ScheduleExpression="rate(6 hours)", State="ENABLED")
    nightly(training, "off", ScheduleExpression="rate(6 hours)")
    loss = "Often does not run from the deletion until start: with --handover nothing is lost"
    assert loss in training.document("adopt", "Training")["steps"][2]
    assert "does not run" not in training.document("adopt", "Training", "--handover", HANDOVER)["steps"][2]


def test_disabled_triggers_start_nothing_twice(training: OperatorAccount) -> None:
    nightly(training)
    assert "Nothing is started twice meanwhile" in training.run("adopt", "Training").stderr


def test_the_printed_command_deletes_the_old_ones_of_this_pipeline_alone(training: OperatorAccount) -> None:
    nightly(training)
    on_data(training)
    training.schedule("other", arn=training.pipeline_arn("training-2"), group="team")
    (command,) = training.document("adopt", "Training")["commands"]
    assert command == (
        "scheduled-pipeline orphans --pipeline Training --reason unowned --delete --region us-east-1"
    )
    result = training.run(*command.split()[1:], "--yes")
    assert result.exit_code == 0, result.output
    assert training.schedules() == {"team/other"}
    assert training.aws.inventory().rules == ()


def test_what_is_left_out_and_still_runs_is_not_deleted_with_the_others(training: OperatorAccount) -> None:
    nightly(training, group="team")
    on_data(training, "both", training.pipeline_arn("other"))
    on_data(training, "null", EventPattern='{"source": [null]}')
    result = training.run("adopt", "Training")
    assert result.exit_code == 1
    assert "Error: rule default/null in us-east-1 is left out: this package does not take it" in result.stderr
    assert "# Left out: the rule default/null in us-east-1" in result.stdout
    command, other = result.stderr.splitlines()[-2:]
    assert other == (
        "aws events remove-targets --rule both --event-bus-name default --ids Target0 --region us-east-1"
    )
    deleted = training.run(*command.split()[1:], "--yes")
    assert deleted.exit_code == 0, deleted.output
    assert training.schedules() == set()
    assert training.aws.inventory().rules == ("default/both", "default/null")


def test_what_is_written_and_deleted_one_by_one_is_named_by_its_arn(training: OperatorAccount) -> None:
    nightly(training, "same")
    on_data(training, "same")
    on_data(training, "null", EventPattern='{"source": [null]}')
    (command,) = json.loads(training.run("adopt", "Training", "--json").stdout)["commands"]
    place = f"us-east-1:{training.aws.account}"
    assert command == (
        f"scheduled-pipeline delete arn:aws:scheduler:{place}:schedule/default/same "
        f"arn:aws:events:{place}:rule/same --region us-east-1"
    )


def test_with_a_handover_the_new_ones_wait_for_it(training: OperatorAccount) -> None:
    begun = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    nightly(training, "often", ScheduleExpression="rate(7 hours)", StartDate=begun, State="ENABLED")
    on_data(training)
    document = training.document("adopt", "Training", "--handover", HANDOVER)
    names = run_code(document["code"])
    start = names["schedules"]["Often"].start
    handover = datetime.fromisoformat(HANDOVER)
    assert document["handover"] == HANDOVER
    assert handover <= start < handover + timedelta(hours=7)
    assert (start - begun) % timedelta(hours=7) == timedelta(0)
    assert not names["events"]["OnData"].enabled
    assert document["steps"][2].startswith("Delete the old ones, with the commands below, shortly before")
    assert document["steps"][3] == "Then enable the rules, and deploy again."


def test_a_rate_whose_start_is_past_can_be_created_again(training: OperatorAccount) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    nightly(training, "often", ScheduleExpression="rate(6 hours)", StartDate=now - timedelta(minutes=4))
    (made,) = run_code(training.run("adopt", "Training").stdout)["schedules"].values()
    nightly(training, "again", ScheduleExpression=made.expression, StartDate=made.start)
    assert timedelta(hours=23) < made.start - now < timedelta(hours=31)


@pytest.mark.parametrize("moment", ["2020-01-01", "soon"])
def test_a_handover_that_cannot_be_is_wrong_usage(training: OperatorAccount, moment: str) -> None:
    nightly(training)
    result = training.run("adopt", "Training", "--handover", moment)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--handover" in result.stderr


def test_the_document_has_the_code_and_what_it_is_made_of(training: OperatorAccount) -> None:
    nightly(training, KmsKeyArn="arn:aws:kms:us-east-1:111122223333:key/k")
    document = training.document("adopt", "Training")
    assert document["code"] == training.run("adopt", "Training").stdout
    (one,) = document["adopted"]
    assert one == {
        "kind": "schedule",
        "group": "default",
        "name": "nightly",
        "key": "Nightly",
        "argument": "schedules",
        "notes": [
            "it is encrypted with arn:aws:kms:us-east-1:111122223333:key/k: give encryption_key= to keep that"
        ],
    }
    assert (document["pipeline"], document["region"], document["leftOut"]) == ("Training", "us-east-1", [])


def test_a_schedule_that_a_stack_may_own_is_left_out(training: OperatorAccount) -> None:
    group = {"Fn::Sub": "team"}
    resource = training.owned_schedule("nightly", pipeline="training", GroupName=group)
    training.aws.client("scheduler").create_schedule_group(Name="team")
    training.stack("Owned", {"Nightly": resource})
    nightly(training)
    result = training.run("adopt", "Training")
    assert result.exit_code == 1
    assert "the stack Owned owns a schedule of this name" in result.stderr
    assert run_code(result.stdout) == {}
