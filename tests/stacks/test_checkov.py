"""The templates against checkov's checks for CloudFormation: each finding has its reason here."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from explained import Finding, unused, without_a_reason

CHECKOV = Path(__file__).resolve().parents[2] / ".venv" / "checkov" / "bin" / "checkov"

# Check, the resource it is about (a regular expression), and why it stays so.
EXPLAINED = {
    ("CKV_AWS_18", r"AWS::S3::Bucket\.AccessLogs.*"): "it is the bucket that the access is logged to",
    ("CKV_AWS_18", r"AWS::S3::Bucket\.TrainingArtifactBucket.*"): (
        "where access is to be logged, a bucket with logs is given as artifact_bucket"
    ),
    ("CKV_AWS_26", r"AWS::SNS::Topic\.Alerts.*"): (
        "alerts hold names and states alone; AlertTopic is encrypted, for a deployer that may make keys"
    ),
    ("CKV_AWS_115", r"AWS::Lambda::Function\.TrainingStraySweep.*"): (
        "CloudFormation calls it once for each change; what is reserved for it others would lack"
    ),
    ("CKV_AWS_116", r"AWS::Lambda::Function\.TrainingStraySweep.*"): (
        "CloudFormation waits for the answer, and no longer than its timeout"
    ),
    ("CKV_AWS_117", r"AWS::Lambda::Function\.TrainingStraySweep.*"): (
        "it calls AWS alone, with a role that may do nothing else"
    ),
    ("CKV_AWS_158", r"AWS::Logs::LogGroup\.TrainingStraySweep.*"): (
        "the log of a sweep holds names of schedules and rules alone, and goes with the stack"
    ),
    ("CKV_AWS_115", r"AWS::Lambda::Function\.CustomS3AutoDeleteObjects.*"): (
        "CloudFormation calls it when the stage is taken down; what is reserved for it others would lack"
    ),
    ("CKV_AWS_116", r"AWS::Lambda::Function\.CustomS3AutoDeleteObjects.*"): (
        "CloudFormation waits for the answer, and fails the deletion without one"
    ),
    ("CKV_AWS_117", r"AWS::Lambda::Function\.CustomS3AutoDeleteObjects.*"): (
        "it calls S3 alone, with a role that may do nothing else"
    ),
    ("CKV_AWS_158", r"AWS::Logs::LogGroup\.EmptyingLogs.*"): (
        "the log holds the names of two buckets alone, and goes with the stack"
    ),
    ("CKV_AWS_27", r"AWS::SQS::Queue\..*DeadLetterQueue.*"): (
        "encrypted with keys of SQS (SqsManagedSseEnabled), which the check does not know"
    ),
}


@pytest.fixture(scope="module")
def findings(templates: dict[str, Path], everything: Path) -> set[Finding]:
    """The check and the resource of each finding, in both stages and in a stack with every option."""
    assert CHECKOV.exists(), "checkov is not installed; run `make .venv/checkov/.ready`"
    paths = [*templates.values(), *everything.glob("*.template.json")]
    options = ["--quiet", "--compact", "--skip-download", "--framework", "cloudformation", "--output", "json"]
    command = [str(CHECKOV), *options, *(f"--file={path}" for path in paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 100
    return {(found["check_id"], found["resource"]) for found in report["results"]["failed_checks"]}


def test_there_is_no_finding_without_a_reason(findings: set[Finding]) -> None:
    assert without_a_reason(findings, EXPLAINED) == set()


def test_every_reason_is_needed(findings: set[Finding]) -> None:
    assert unused(findings, EXPLAINED) == set()
