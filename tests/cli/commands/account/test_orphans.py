import json
from typing import Any

import pytest
from faulty_endpoint import FaultyEndpoint
from operator_account import OperatorAccount


def test_a_schedule_whose_pipeline_is_gone_is_an_orphan(account: OperatorAccount) -> None:
    account.schedule("nightly", group="team")
    (row,) = account.rows("orphans")
    assert row == {
        "KIND": "schedule",
        "REGION": "us-east-1",
        "GROUP": "team",
        "NAME": "nightly",
        "STATE": "DISABLED",
        "PIPELINE": "gone",
        "REASON": "missing-pipeline,unowned",
        "OWNER": "-",
        "RESULT": "found",
        "NOTE": "pipeline gone does not exist in us-east-1; no stack owns it",
    }


def test_a_schedule_of_a_pipeline_that_exists_is_an_orphan_only_as_no_stack_owns_it(
    account: OperatorAccount,
) -> None:
    account.pipeline("Training")
    account.schedule("nightly", arn=account.pipeline_arn("training"))
    (row,) = account.rows("orphans")
    assert (row["REASON"], row["NOTE"]) == ("unowned", "no stack owns it")
    assert account.rows("orphans", "--reason", "missing-pipeline") == []


def test_what_a_stack_owns_is_no_orphan(account: OperatorAccount) -> None:
    account.pipeline("Training")
    account.stack(
        "Owned",
        {
            "Nightly": account.owned_schedule("nightly", pipeline="training"),
            "Launch": account.owned_rule("launch", pipeline="training"),
        },
    )
    assert account.rows("orphans") == []
    assert "There are no orphans in us-east-1" in account.run("orphans").stderr


def test_a_trigger_of_a_stack_is_never_deleted_even_when_its_pipeline_is_missing(
    account: OperatorAccount,
) -> None:
    account.stack("Owned", {"Nightly": account.owned_schedule("nightly", pipeline="gone")})
    every = ("--reason", "unowned", "--reason", "missing-pipeline")
    (row,) = account.rows("orphans", "--delete", "--yes", *every)
    assert (row["REASON"], row["OWNER"], row["RESULT"]) == ("missing-pipeline", "Owned", "kept")
    assert "stack Owned owns it: remove it from the stack and deploy" in row["NOTE"]
    assert account.schedules() == {"default/nightly"}


def test_deletion_leaves_what_still_starts_a_pipeline(account: OperatorAccount) -> None:
    account.pipeline("Training")
    account.schedule("alive", arn=account.pipeline_arn("training"))
    account.schedule("dead")
    results = {row["NAME"]: row["RESULT"] for row in account.rows("orphans", "--delete", "--yes")}
    assert results == {"alive": "found", "dead": "deleted"}
    assert account.schedules() == {"default/alive"}
    (row,) = account.rows("orphans", "--delete", "--yes", "--reason", "unowned")
    assert (row["NAME"], row["RESULT"]) == ("alive", "deleted")
    assert account.schedules() == set()


def test_a_dry_run_shows_what_would_be_deleted_and_changes_nothing(account: OperatorAccount) -> None:
    account.schedule("nightly")
    for options in (["--dry-run"], ["--delete", "--dry-run"], ["--delete", "--yes", "--dry-run"]):
        (row,) = account.rows("orphans", *options)
        assert row["RESULT"] == "would be deleted"
    assert account.schedules() == {"default/nightly"}


def test_without_a_terminal_nobody_is_asked_and_nothing_is_deleted(
    account: OperatorAccount, endpoint: FaultyEndpoint
) -> None:
    account.schedule("nightly")
    result = account.run("orphans", "--delete")
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: deletion asks first, and there is no terminal to ask at: add --yes or --dry-run\n"
    )
    assert (account.schedules(), endpoint.calls.total()) == ({"default/nightly"}, 0)


def test_yes_alone_is_wrong_usage(account: OperatorAccount) -> None:
    result = account.run("orphans", "--yes")
    assert (result.exit_code, result.stderr) == (
        2,
        "Error: --yes answers the question of --delete: add --delete\n",
    )


@pytest.mark.parametrize(("answer", "left"), [("n", {"default/nightly"}), ("y", set())])
def test_at_a_terminal_the_operator_is_asked(
    account: OperatorAccount, at_terminal: Any, answer: str, left: set[str]
) -> None:
    account.schedule("nightly")
    screen = at_terminal("orphans", "--delete", answers=f"{answer}\n")
    assert "Delete this 1 trigger? [y/N]" in screen
    assert "would be deleted" in screen
    assert account.schedules() == left


def test_what_got_a_pipeline_while_the_question_stood_is_not_deleted(
    account: OperatorAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scheduled_pipeline.cli.commands.account import orphans

    def answer(number: int) -> bool:
        account.pipeline("Gone")
        return number == 2

    monkeypatch.setattr(orphans, "check_askable", lambda as_json: None)
    monkeypatch.setattr(orphans, "confirmed", answer)
    account.schedule("saved")
    account.schedule("dead", arn=account.pipeline_arn("other"))
    result = account.run("orphans", "--delete")
    assert result.exit_code == 0, result.output
    assert account.schedules() == {"default/saved"}


def test_a_pipeline_of_another_region_is_looked_up_there(account: OperatorAccount) -> None:
    account.pipeline("There", region="eu-west-1")
    account.schedule("far", arn=account.pipeline_arn("there", region="eu-west-1"))
    account.schedule("lost", arn=account.pipeline_arn("here", region="eu-west-1"))
    reasons = {row["NAME"]: (row["REASON"], row["PIPELINE"]) for row in account.rows("orphans")}
    assert reasons == {
        "far": ("unowned", "there (eu-west-1)"),
        "lost": ("missing-pipeline,unowned", "here (eu-west-1)"),
    }


def test_a_pipeline_of_another_account_cannot_be_checked_and_is_never_deleted(
    account: OperatorAccount,
) -> None:
    account.schedule("foreign", arn=account.pipeline_arn("theirs", account="999999999999"))
    options = ("--reason", "unowned", "--reason", "missing-pipeline", "--delete", "--yes")
    (row,) = account.rows("orphans", *options)
    assert (row["REASON"], row["RESULT"]) == ("unowned", "kept")
    assert "its pipeline is in account 999999999999" in row["NOTE"]
    assert "kept, as its pipeline cannot be checked" in row["NOTE"]
    assert account.schedules() == {"default/foreign"}


@pytest.mark.parametrize(
    ("request_input", "reason", "left"),
    [
        ('{"PipelineName": "Gone"}', "missing-pipeline,unowned", set()),
        ('{"PipelineName": "Training"}', "unowned", {"default/call"}),
        ('{"PipelineName": "<aws.scheduler.schedule-arn>"}', "unowned", {"default/call"}),
        ("{}", "unowned", {"default/call"}),
        ('{"pipelineName": "Gone"}', "missing-pipeline,unowned", set()),
        ("not JSON", "unowned", {"default/call"}),
        ("[1]", "unowned", {"default/call"}),
        ('{"PipelineName": 5}', "unowned", {"default/call"}),
        ('{"PipelineName": "my pipeline"}', "unowned", {"default/call"}),
    ],
)
def test_the_pipeline_of_a_universal_target_is_read_from_its_input(
    account: OperatorAccount, request_input: str, reason: str, left: set[str]
) -> None:
    account.pipeline("Training")
    call = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
    account.schedule("call", arn=call, target={"Input": request_input})
    (row,) = account.rows("orphans", "--delete", "--yes")
    assert row["REASON"] == reason
    assert account.schedules() == left


@pytest.mark.parametrize(
    ("place", "refused"),
    [("eu-west-9", "UnrecognizedClientException"), ("eu-west-1", "AccessDeniedException"), ("eu_1", None)],
)
def test_a_region_that_cannot_be_asked_hides_no_other_trigger(
    account: OperatorAccount, endpoint: FaultyEndpoint, place: str, refused: str | None
) -> None:
    account.schedule("far", arn=account.pipeline_arn("there", region=place))
    account.schedule("gone")
    if refused is not None:
        endpoint.refuse("sagemaker:ListPipelines", refused, times=1)
    far, gone = account.rows("orphans", "--delete", "--yes")
    assert (far["RESULT"], gone["RESULT"]) == ("kept", "deleted")
    assert far["NOTE"].startswith(f"its pipeline is in {place}, which cannot be asked; no stack owns it")
    if refused is not None:
        endpoint.refuse("sagemaker:ListPipelines", refused, times=1)
    assert [row["EXISTS"] for row in account.rows("list")] == ["cannot be checked"]


def test_the_own_region_has_to_answer(account: OperatorAccount, endpoint: FaultyEndpoint) -> None:
    account.schedule("gone")
    endpoint.refuse("sagemaker:ListPipelines")
    result = account.run("orphans", "--delete", "--yes")
    assert (result.exit_code, result.stdout) == (4, "")
    assert account.schedules() == {"default/gone"}


@pytest.mark.parametrize("name", ["arn:aws:sagemaker:us-east-1:111122223333:pipeline/gone", ""])
def test_a_pipeline_is_looked_for_by_its_name_alone(account: OperatorAccount, name: str) -> None:
    result = account.run("orphans", "--pipeline", name, "--fail-on-found")
    assert (result.exit_code, result.stderr) == (
        2,
        f"Error: --pipeline must be a name, not an ARN, got {name!r}\n",
    )


def test_the_targets_of_a_rule_are_removed_before_the_rule(
    account: OperatorAccount, endpoint: FaultyEndpoint
) -> None:
    account.rule("launch", account.pipeline_arn("gone"), bus="orders")
    (row,) = account.rows("orphans", "--delete", "--yes")
    assert (row["KIND"], row["GROUP"], row["RESULT"]) == ("rule", "orders", "deleted")
    assert endpoint.order[-3:] == ["events:RemoveTargets", "events:ListTargetsByRule", "events:DeleteRule"]
    assert account.aws.client("events").list_rules(EventBusName="orders")["Rules"] == []


def test_a_rule_with_other_targets_loses_only_the_missing_pipelines(account: OperatorAccount) -> None:
    account.pipeline("Training")
    queue = f"arn:aws:sqs:us-east-1:{account.aws.account}:queue"
    gone, other = account.pipeline_arn("gone"), account.pipeline_arn("other")
    account.rule("launch", gone, account.pipeline_arn("training"), other, queue)
    results = [(row["PIPELINE"], row["RESULT"]) for row in account.rows("orphans", "--delete", "--yes")]
    assert results == [("gone", "target removed"), ("training", "found"), ("other", "target removed")]
    targets = account.aws.client("events").list_targets_by_rule(Rule="launch")["Targets"]
    assert [target["Arn"] for target in targets] == [account.pipeline_arn("training"), queue]


def test_what_is_gone_already_is_done(account: OperatorAccount, endpoint: FaultyEndpoint) -> None:
    account.schedule("nightly")
    endpoint.refuse("scheduler:DeleteSchedule", "ResourceNotFoundException", "No such.", status=404)
    (row,) = account.rows("orphans", "--delete", "--yes")
    assert row["RESULT"] == "already gone"


def test_a_throttled_deletion_is_repeated(
    account: OperatorAccount, endpoint: FaultyEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "4")
    account.schedule("nightly")
    endpoint.refuse("scheduler:DeleteSchedule", "ThrottlingException", "Rate exceeded", status=429, times=2)
    (row,) = account.rows("orphans", "--delete", "--yes")
    assert (row["RESULT"], endpoint.calls["scheduler:DeleteSchedule"]) == ("deleted", 3)


def test_a_failure_is_named_and_the_others_are_deleted(
    account: OperatorAccount, endpoint: FaultyEndpoint
) -> None:
    for name in ("a", "b", "c"):
        account.schedule(name)
    endpoint.refuse("scheduler:DeleteSchedule", containing="/schedules/b", message="Not b.")
    result = account.run("orphans", "--delete", "--yes", "--json")
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: schedule default/b in us-east-1 was not deleted: access denied: the permission "
        "scheduler:DeleteSchedule is missing in us-east-1: Not b\n"
        "2 of 3 were deleted: run it again.\n"
    )
    errors = {one["name"]: (one["result"], one["error"]) for one in json.loads(result.stdout)["orphans"]}
    assert errors["a"] == errors["c"] == ("deleted", None)
    assert errors["b"][0] == "failed"
    assert account.schedules() == {"default/b"}


def test_a_failed_entry_of_remove_targets_is_a_failure(
    account: OperatorAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scheduled_pipeline.cli.account import aws

    real = vars(aws)["note_calls"]

    def failing(client: Any) -> Any:
        def answer(**_others: Any) -> Any:
            entry = {"TargetId": "Target0", "ErrorCode": "Internal", "ErrorMessage": "try again"}
            return type("Http", (), {"status_code": 200}), {"FailedEntryCount": 1, "FailedEntries": [entry]}

        client.meta.events.register("before-call.eventbridge.RemoveTargets", answer)
        return real(client)

    monkeypatch.setattr(aws, "note_calls", failing)
    account.rule("launch", account.pipeline_arn("gone"))
    result = account.run("orphans", "--delete", "--yes")
    assert result.exit_code == 1
    assert "rule default/launch in us-east-1 was not deleted: events:RemoveTargets" in result.stderr
    assert len(account.aws.client("events").list_rules()["Rules"]) == 1


def test_a_listing_that_lags_behind_makes_no_orphan(
    account: OperatorAccount, endpoint: FaultyEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ListPipelines alone is not believed: what is not in it is asked for by name."""
    from scheduled_pipeline.cli.account.pipeline_lookup import PipelineLookup

    account.pipeline("Training")
    account.schedule("nightly", arn=account.pipeline_arn("training"))
    monkeypatch.setattr(PipelineLookup, "_names", lambda self, region: frozenset())
    (row,) = account.rows("orphans")
    assert (row["REASON"], endpoint.calls["sagemaker:DescribePipeline"]) == ("unowned", 1)


@pytest.mark.parametrize(
    ("options", "code"),
    [([], 0), (["--fail-on-found"], 5), (["--fail-on-found", "--delete", "--yes"], 0)],
)
def test_a_pipeline_of_ci_can_fail_on_orphans(
    account: OperatorAccount, options: list[str], code: int
) -> None:
    account.schedule("nightly")
    assert account.run("orphans", *options).exit_code == code


def test_orphans_that_are_left_fail_too(account: OperatorAccount) -> None:
    account.pipeline("Training")
    account.schedule("alive", arn=account.pipeline_arn("training"))
    account.schedule("dead")
    assert account.run("orphans", "--fail-on-found", "--delete", "--yes").exit_code == 5
    assert account.run("orphans", "--fail-on-found", "--reason", "missing-pipeline").exit_code == 0


def test_the_document_says_all_of_it(account: OperatorAccount) -> None:
    account.schedule("nightly", group="team")
    document = account.document("orphans")
    assert document["regions"] == ["us-east-1"]
    (orphan,) = document["orphans"]
    assert orphan == {
        "kind": "schedule",
        "name": "nightly",
        "group": "team",
        "arn": f"arn:aws:scheduler:us-east-1:{account.aws.account}:schedule/team/nightly",
        "region": "us-east-1",
        "account": account.aws.account,
        "state": "DISABLED",
        "target": account.pipeline_arn("gone"),
        "targetId": None,
        "otherTargets": 0,
        "pipeline": "gone",
        "pipelineRegion": "us-east-1",
        "pipelineAccount": account.aws.account,
        "owner": None,
        "pipelineExists": False,
        "reasons": ["missing-pipeline", "unowned"],
        "result": "found",
        "note": "pipeline gone does not exist in us-east-1; no stack owns it",
        "error": None,
    }


def test_finding_orphans_asks_for_no_details(account: OperatorAccount, endpoint: FaultyEndpoint) -> None:
    for number in range(5):
        account.schedule(f"nightly-{number}")
    assert len(account.rows("orphans")) == 5
    assert dict(endpoint.calls) == {
        "cloudformation:ListStacks": 1,
        "scheduler:ListSchedules": 1,
        "events:ListEventBuses": 1,
        "events:ListRules": 1,
        "sagemaker:ListPipelines": 1,
        "sagemaker:DescribePipeline": 1,
    }


def test_the_orphans_of_one_pipeline_are_found_whatever_the_case(account: OperatorAccount) -> None:
    account.schedule("nightly", arn=account.pipeline_arn("churn"))
    account.schedule("hourly", arn=account.pipeline_arn("fraud"))
    assert [row["NAME"] for row in account.rows("orphans", "--pipeline", "Churn")] == ["nightly"]
    account.rows("orphans", "--pipeline", "Churn", "--delete", "--yes")
    assert account.schedules() == {"default/hourly"}


def test_a_document_leaves_no_place_for_a_question(account: OperatorAccount) -> None:
    result = account.run("orphans", "--delete", "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--json leaves no place to ask: add --yes or --dry-run" in result.stderr
