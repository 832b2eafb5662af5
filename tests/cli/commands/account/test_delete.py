import threading
from typing import Any

import pytest
from faulty_endpoint import FaultyEndpoint
from operator_account import OperatorAccount

from scheduled_pipeline.cli.account import deletion
from scheduled_pipeline.cli.account.trigger_records import TriggerRecord


@pytest.fixture
def cloud(account: OperatorAccount) -> OperatorAccount:
    """An account with a pipeline, three schedules and a rule."""
    account.pipeline("Training")
    training = account.pipeline_arn("training")
    for group, name in (("default", "nightly"), ("default", "hourly"), ("team", "nightly")):
        account.schedule(name, group=group, arn=training)
    account.rule("launch", training, f"arn:aws:sqs:us-east-1:{account.aws.account}:queue")
    return account


def test_triggers_are_deleted_by_name(cloud: OperatorAccount) -> None:
    rows = cloud.rows("delete", "hourly", "team/nightly", "--yes")
    assert rows[0] == {
        "KIND": "schedule",
        "REGION": "us-east-1",
        "GROUP": "default",
        "NAME": "hourly",
        "PIPELINE": "training",
        "RESULT": "deleted",
    }
    assert [row["RESULT"] for row in rows] == ["deleted", "deleted"]
    assert cloud.schedules() == {"default/nightly"}


def test_a_rule_with_other_targets_keeps_them(cloud: OperatorAccount) -> None:
    (row,) = cloud.rows("delete", "launch", "--yes")
    assert (row["KIND"], row["RESULT"]) == ("rule", "target removed")
    (target,) = cloud.aws.client("events").list_targets_by_rule(Rule="launch")["Targets"]
    assert target["Arn"].endswith(":queue")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nobody", "no schedule and no rule nobody starts a SageMaker pipeline: try scheduled-pipeline list"),
        ("nightly", "nightly is the name of 2 triggers, name one by its ARN"),
    ],
)
def test_one_wrong_name_deletes_nothing(cloud: OperatorAccount, name: str, sentence: str) -> None:
    before = cloud.schedules()
    result = cloud.run("delete", "hourly", name, "--yes")
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert cloud.schedules() == before


def test_a_name_that_nothing_has_can_be_fine(cloud: OperatorAccount) -> None:
    (row,) = cloud.rows("delete", "hourly", "nobody", "--yes", "--missing-ok")
    assert row["NAME"] == "hourly"
    assert cloud.rows("delete", "hourly", "nobody", "--yes", "--missing-ok") == []


def test_a_trigger_that_is_named_twice_is_deleted_once(cloud: OperatorAccount) -> None:
    assert len(cloud.rows("delete", "hourly", "default/hourly", "hourly", "--yes")) == 1


def test_what_a_stack_owns_is_not_deleted(cloud: OperatorAccount) -> None:
    cloud.stack("Owner", {"Owned": cloud.owned_schedule("owned", pipeline="training")})
    before = cloud.schedules()
    result = cloud.run("delete", "hourly", "owned", "--yes")
    assert (result.exit_code, result.stderr) == (
        1,
        (
            "Error: nothing was deleted: schedule default/owned in us-east-1: stack Owner owns it: remove it "
            "from the stack and deploy\n"
        ),
    )
    assert cloud.schedules() == before


def test_a_dry_run_changes_nothing(cloud: OperatorAccount) -> None:
    before = cloud.schedules()
    for options in (["--dry-run"], ["--dry-run", "--yes"]):
        (row,) = cloud.rows("delete", "hourly", *options)
        assert row["RESULT"] == "would be deleted"
    assert cloud.schedules() == before


def test_without_a_terminal_nobody_is_asked(cloud: OperatorAccount) -> None:
    result = cloud.run("delete", "hourly")
    assert (result.exit_code, result.stderr) == (
        2,
        "Error: deletion asks first, and there is no terminal to ask at: add --yes or --dry-run\n",
    )
    assert "default/hourly" in cloud.schedules()


@pytest.mark.parametrize(("answer", "there"), [("n", True), ("y", False)])
def test_at_a_terminal_the_operator_is_asked(
    cloud: OperatorAccount, at_terminal: Any, answer: str, there: bool
) -> None:
    screen = at_terminal("delete", "hourly", answers=f"{answer}\n")
    assert "Delete this 1 trigger? [y/N]" in screen
    assert ("default/hourly" in cloud.schedules()) is there


def test_a_failure_is_named_and_the_command_can_be_run_again(
    cloud: OperatorAccount, endpoint: FaultyEndpoint
) -> None:
    endpoint.refuse("scheduler:DeleteSchedule", containing="/schedules/hourly")
    names = ("delete", "hourly", "team/nightly", "--yes", "--missing-ok")
    result = cloud.run(*names)
    assert result.exit_code == 1
    assert "Error: schedule default/hourly in us-east-1 was not deleted: access denied" in result.stderr
    assert cloud.schedules() == {"default/hourly", "default/nightly"}
    endpoint.mend()
    assert cloud.run(*names).exit_code == 0
    assert cloud.schedules() == {"default/nightly"}


def test_the_document_says_how_each_ended(cloud: OperatorAccount) -> None:
    (trigger,) = cloud.document("delete", "hourly", "--yes")["triggers"]
    assert (trigger["name"], trigger["result"], trigger["error"]) == ("hourly", "deleted", None)


def test_a_document_leaves_no_place_for_a_question(cloud: OperatorAccount) -> None:
    result = cloud.run("delete", "hourly", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--json leaves no place to ask: add --yes or --dry-run" in result.stderr


@pytest.mark.parametrize("kind", ["schedule/default/hourly", "rule/launch"])
def test_the_arn_of_another_account_deletes_nothing_of_this_one(cloud: OperatorAccount, kind: str) -> None:
    service = "scheduler" if kind.startswith("schedule") else "events"
    arn = f"arn:aws:{service}:us-east-1:999999999999:{kind}"
    result = cloud.run("delete", arn, "--yes", "--missing-ok")
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: {arn} is of another account: the credentials are of {cloud.aws.account}, check --profile\n",
    )
    assert "default/hourly" in cloud.schedules()
    assert len(cloud.aws.client("events").list_targets_by_rule(Rule="launch")["Targets"]) == 2
    own = arn.replace("999999999999", cloud.aws.account)
    assert len(cloud.rows("delete", own, "--yes")) == 1


@pytest.mark.parametrize("name", ["my nightly run", "b\u00fccher", 65 * "x", "a\tb", ""])
def test_what_cannot_be_a_name_is_the_name_of_nothing(cloud: OperatorAccount, name: str) -> None:
    result = cloud.run("delete", "hourly", name, "--yes")
    assert result.exit_code == 1
    assert "starts a SageMaker pipeline: try scheduled-pipeline list" in result.stderr
    assert "default/hourly" in cloud.schedules()


def test_an_interrupt_says_what_is_gone_and_what_was_not_tried(
    cloud: OperatorAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    last_is_under_way = threading.Event()

    def delete(aws: Any, record: TriggerRecord) -> deletion.Deletion:
        if record.group == "team":
            assert last_is_under_way.wait(10)
            raise KeyboardInterrupt
        if record.name == "nightly":
            last_is_under_way.set()
        return really(aws, record)

    really = deletion._delete
    monkeypatch.setattr(deletion, "_delete", delete)
    result = cloud.run("delete", "hourly", "team/nightly", "default/nightly", "--yes")
    assert (result.exit_code, result.stderr) == (130, "Interrupted: 2 of 3 were deleted: run it again.\n")
    ends = [line.split("\t")[3:6:2] for line in result.stdout.splitlines()]
    assert ends[1:] == [["hourly", "deleted"], ["nightly", "not tried"], ["nightly", "deleted"]]
    assert cloud.schedules() == {"team/nightly"}
