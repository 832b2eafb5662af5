import json

import pytest
from training_account import ENOUGH, Pauses, TrainingAccount

from scheduled_pipeline.cli.account import runs as run_records
from scheduled_pipeline.cli.account.runs import RunRecord


def test_a_start_prints_the_arn_of_the_run_and_nothing_else(training: TrainingAccount) -> None:
    result = training.run("start", "Training", "-p", "Date=2027-01-04", "-p", "Count=2", "-p", "Mode=b")
    (execution,) = training.executions()
    assert (result.exit_code, result.stdout) == (0, execution["PipelineExecutionArn"] + "\n")
    assert result.stderr == ""
    given = training.sagemaker.list_pipeline_parameters_for_execution(
        PipelineExecutionArn=execution["PipelineExecutionArn"]
    )["PipelineParameters"]
    assert {one["Name"]: one["Value"] for one in given} == {"Date": "2027-01-04", "Count": "2", "Mode": "b"}


def test_a_value_may_hold_equals_signs(training: TrainingAccount) -> None:
    document = json.loads(training.run("start", "Training", "-p", "Date=a=b", "--json").stdout)
    assert document["parameters"] == {"Date": "a=b"}
    assert (document["status"], document["steps"]) == ("Executing", [])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Error: Training: must give Date: a parameter without a default has to be given"),
        (
            (*ENOUGH, "-p", "Cuont=2"),
            "Error: Training: the pipeline has no parameter 'Cuont'; did you mean 'Count'?",
        ),
        ((*ENOUGH, "-p", "Count=two"), "Error: Training: parameter 'Count' is of type Integer, got 'two'"),
        ((*ENOUGH, "-p", "Mode=c"), "Error: Training: parameter 'Mode' must be one of 'a', 'b', got 'c'"),
        (("-p", f"Date={1025 * 'x'}"), "parameter 'Date' must be at most 1024 characters, got 1025"),
        (("-p", "Date=<aws.scheduler.scheduled-time>"), "only a schedule fills it in"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_before_anything_starts(
    training: TrainingAccount, arguments: tuple[str, ...], message: str
) -> None:
    result = training.run("start", "Training", *arguments)
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert training.executions() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-p", "Date"), "must be NAME=VALUE, got 'Date'"),
        (("-p", "=x"), "must be NAME=VALUE, got '=x'"),
        (("-p", "Date=1", "-p", "Date=2"), "Date is given more than once"),
        ((*ENOUGH, "--token", "short"), "must be 32 to 128 characters, got 5"),
    ],
)
def test_what_cannot_be_an_argument_is_wrong_usage(
    training: TrainingAccount, arguments: tuple[str, ...], message: str
) -> None:
    result = training.run("start", "Training", *arguments)
    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
    assert training.executions() == []


def test_an_unknown_pipeline_is_one_sentence(training: TrainingAccount) -> None:
    result = training.run("start", "Trainig")
    assert result.exit_code == 4
    assert result.stderr.startswith("Error: sagemaker:DescribePipeline in us-east-1: not found")


def test_the_same_token_starts_one_run(training: TrainingAccount) -> None:
    first, second = (training.run("start", "Training", *ENOUGH, "--token", 40 * "t") for _ in range(2))
    assert first.stdout == second.stdout
    assert len(training.executions()) == 1


def test_without_a_token_each_start_is_a_run_of_its_own(training: TrainingAccount) -> None:
    for _ in range(2):
        training.run("start", "Training", *ENOUGH)
    assert len(training.executions()) == 2


def test_a_display_name_is_passed_on(training: TrainingAccount) -> None:
    training.run("start", "Training", *ENOUGH, "--display-name", "by-hand")
    assert training.executions()[0]["PipelineExecutionDisplayName"] == "by-hand"


def test_waiting_for_a_run_that_succeeds_ends_with_0(training: TrainingAccount) -> None:
    result = training.wait(training.aws.finish)
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 1)
    told = [line.split("  ", 1)[1] for line in result.stderr.splitlines()]
    steps = ("step Prepare", "step Train", "step Check", "run")
    assert told == [f"{name}  {status}" for status in ("Executing", "Succeeded") for name in steps]


def test_what_has_not_changed_is_not_told_again(
    training: TrainingAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter(range(10))

    def end_at_last() -> None:
        if next(looks) == 3:
            training.aws.finish(training.executions()[0]["PipelineExecutionArn"])

    monkeypatch.setattr(run_records, "time", Pauses(end_at_last))
    result = training.run("start", "Training", *ENOUGH, "--wait")
    assert (result.exit_code, next(looks)) == (0, 4)
    assert len(result.stderr.splitlines()) == 8


def test_waiting_for_a_run_that_fails_names_the_step_and_the_reason(training: TrainingAccount) -> None:
    result = training.wait(
        lambda arn: training.aws.finish(arn, status="Failed", failed_step="Train", failure_reason="no data")
    )
    assert result.exit_code == 6
    lines = result.stderr.splitlines()
    assert lines[-1] == f"Error: the run {result.stdout.strip()} failed: step Train: no data"
    assert [line.split("  ", 1)[1] for line in lines[4:-1]] == [
        "step Prepare  Succeeded",
        "step Train  Failed: no data",
        "run  Failed",
    ]


def test_waiting_for_a_run_that_goes_on_after_a_failed_step_ends_as_a_failure_does(
    training: TrainingAccount,
) -> None:
    result = training.wait(
        lambda arn: training.aws.finish(
            arn, status="CompletedWithFailures", failed_step="Train", failure_reason="no data"
        )
    )
    assert result.exit_code == 6
    lines = result.stderr.splitlines()
    assert lines[-1] == (
        f"Error: the run {result.stdout.strip()} failed (CompletedWithFailures): step Train: no data"
    )
    assert [line.split("  ", 1)[1] for line in lines[4:-1]] == [
        "step Prepare  Succeeded",
        "step Train  Failed: no data",
        "step Check  Succeeded",
        "run  CompletedWithFailures",
    ]


@pytest.mark.parametrize("status", ["Executing", "Stopping"])
def test_a_run_goes_on_in_two_statuses(status: str) -> None:
    run = RunRecord(arn="arn:run", status=status)
    assert (run.ended, run.failed, run.failure) == (False, False, None)


def test_a_status_that_nobody_knows_yet_is_an_end_and_a_failure() -> None:
    run = RunRecord(arn="arn:run", status="Expired")
    assert (run.ended, run.failed, run.failure) == (True, True, "the run arn:run failed (Expired)")


def test_a_run_that_fails_without_a_failed_step_has_its_own_reason() -> None:
    run = RunRecord(arn="arn:run", status="Failed", failure_reason="no role")
    assert run.failure == "the run arn:run failed: no role"


def test_waiting_for_a_run_that_is_stopped_ends_as_a_failure_does(training: TrainingAccount) -> None:
    result = training.wait(
        lambda arn: training.sagemaker.stop_pipeline_execution(
            PipelineExecutionArn=arn, ClientRequestToken=32 * "s"
        )
    )
    assert result.exit_code == 6
    assert result.stderr.splitlines()[-1] == f"Error: the run {result.stdout.strip()} was stopped"


def test_the_document_of_a_failed_run_has_its_steps(training: TrainingAccount) -> None:
    result = training.wait(
        lambda arn: training.aws.finish(arn, status="Failed", failed_step="Train", failure_reason="no data"),
        "--json",
    )
    document = json.loads(result.stdout)
    assert result.exit_code == 6
    assert (document["status"], document["failureReason"]) == (
        "Failed",
        "Step failure: One or multiple steps failed.",
    )
    assert [(step["name"], step["status"], step["failureReason"]) for step in document["steps"]] == [
        ("Prepare", "Succeeded", None),
        ("Train", "Failed", "no data"),
    ]
    assert document["start"] <= document["end"]


def test_an_interrupt_leaves_the_run_going_and_says_how_to_see_it(
    training: TrainingAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_records, "time", Pauses(interrupt))
    result = training.run("start", "Training", *ENOUGH, "--wait")
    assert result.exit_code == 130
    arn = result.stdout.strip()
    assert result.stderr.splitlines()[-1] == (
        f"Interrupted: the run {arn} goes on; "
        "see it with: scheduled-pipeline runs Training --region us-east-1"
    )
    assert training.executions()[0]["PipelineExecutionStatus"] == "Executing"


def test_a_call_that_fails_while_waiting_says_that_the_run_goes_on(
    training: TrainingAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose() -> None:
        arn = training.executions()[0]["PipelineExecutionArn"]
        training.aws.finish(arn)
        training.sagemaker.delete_pipeline(PipelineName="Training", ClientRequestToken=32 * "d")

    monkeypatch.setattr(run_records, "time", Pauses(lose))
    result = training.run("start", "Training", *ENOUGH, "--wait")
    assert result.exit_code == 4
    assert "sagemaker:DescribePipelineExecution in us-east-1: not found" in result.stderr
    assert "goes on; see it with" in result.stderr
