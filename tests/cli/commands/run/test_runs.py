import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from training_account import ENOUGH, TrainingAccount

from scheduled_pipeline.cli.account.runs import RunRecord


def rows(training: TrainingAccount, *arguments: str) -> list[dict[str, str]]:
    names, *lines = (
        line.split("\t") for line in training.run("runs", "Training", *arguments).stdout.splitlines()
    )
    return [dict(zip(names, line, strict=True)) for line in lines]


def start(training: TrainingAccount, name: str, **ending: Any) -> str:
    """Start a run and, if told how, end it."""
    arn = training.run("start", "Training", *ENOUGH, "--display-name", name).stdout.strip()
    if ending:
        training.aws.finish(arn, **ending)
    return arn


def test_the_latest_runs_come_first_each_with_its_end(training: TrainingAccount) -> None:
    arns = [
        start(training, "good", status="Succeeded"),
        start(training, "bad", status="Failed", failed_step="Train", failure_reason="no data"),
        start(training, "going"),
    ]
    found = rows(training)
    assert [row["ARN"] for row in found] == arns[::-1]
    assert [(row["NAME"], row["STATUS"], row["REASON"]) for row in found] == [
        ("going", "Executing", "-"),
        ("bad", "Failed", "Step failure: One or multiple steps failed."),
        ("good", "Succeeded", "-"),
    ]
    assert all(datetime.fromisoformat(row["START"]).tzinfo is UTC for row in found)
    assert all(row["SECONDS"].isdecimal() for row in found)


def test_a_run_that_did_not_succeed_is_marked_whatever_its_status(training: TrainingAccount) -> None:
    start(training, "good", status="Succeeded")
    start(training, "half", status="CompletedWithFailures", failed_step="Train", failure_reason="no data")
    start(training, "going")
    found = rows(training)
    assert [(row["NAME"], row["STATUS"], row["FAILED"]) for row in found] == [
        ("going", "Executing", "no"),
        ("half", "CompletedWithFailures", "yes"),
        ("good", "Succeeded", "no"),
    ]
    document = json.loads(training.run("runs", "Training", "--json").stdout)
    assert [(run["failed"], run["end"] is None) for run in document["runs"]] == [
        (False, True),
        (True, False),
        (False, False),
    ]


def test_no_more_are_printed_than_are_asked_for(training: TrainingAccount) -> None:
    for name in ("a", "b", "c"):
        start(training, name, status="Succeeded")
    assert [row["NAME"] for row in rows(training, "--last", "2")] == ["c", "b"]


def test_the_document_has_what_is_absent_as_null(training: TrainingAccount) -> None:
    arn = start(training, "going")
    document = json.loads(training.run("runs", "Training", "--json").stdout)
    (run,) = document["runs"]
    assert document["pipeline"] == "Training"
    assert (run["arn"], run["status"], run["end"], run["failureReason"]) == (arn, "Executing", None, None)


def test_a_terminal_gets_a_table(training: TrainingAccount, at_terminal: Callable[..., str]) -> None:
    start(training, "bad", status="Failed", failure_reason="no data")
    screen = at_terminal("runs", "Training")
    assert "Duration" in screen
    assert "no data" in screen
    assert "\t" not in screen


def test_a_pipeline_that_has_not_run_says_so(training: TrainingAccount) -> None:
    result = training.run("runs", "Training")
    assert (result.exit_code, result.stderr) == (0, "Training has not run yet.\n")


def test_an_unknown_pipeline_is_one_sentence(training: TrainingAccount) -> None:
    result = training.run("runs", "Trainig")
    assert result.exit_code == 4
    assert result.stderr.startswith("Error: sagemaker:ListPipelineExecutions in us-east-1: not found")


@pytest.mark.parametrize("last", ["0", "1001", "x"])
def test_a_number_that_cannot_be_asked_for_is_wrong_usage(training: TrainingAccount, last: str) -> None:
    assert training.run("runs", "Training", "--last", last).exit_code == 2


def test_a_duration_ends_with_the_run_or_with_now() -> None:
    begun = datetime(2027, 1, 4, tzinfo=UTC)
    going = RunRecord(arn="arn:run", status="Executing", start=begun)
    ended = RunRecord(arn="arn:run", status="Failed", start=begun, end=begun + timedelta(minutes=5))
    now = begun + timedelta(hours=1, milliseconds=600)
    assert going.duration(now) == timedelta(hours=1, seconds=1)
    assert ended.duration(now) == timedelta(minutes=5)
