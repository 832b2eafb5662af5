"""The templates against cdk-nag's AwsSolutions and NIST 800-53 R5: each finding has its reason here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from explained import Finding, unused, without_a_reason

# Rule, the construct it is about (its path), both as regular expressions, and why it stays so.
EXPLAINED = {
    (r"AwsSolutions-IAM5\[Resource::.*[^*]\*\]", r"Everything/Training/ExecutionPolicy/Resource"): (
        "what SageMaker names when a pipeline runs; stacks/suppressions.py has a reason for each pattern"
    ),
    (r"AwsSolutions-IAM5\[Resource::\*\]", r"Everything/Training/ExecutionPolicy/Resource"): (
        "ecr:GetAuthorizationToken and cloudwatch:PutMetricData know no resource; a namespace binds one"
    ),
    ("AwsSolutions-SQS3", r"Everything/Training/DeadLetterQueue/Resource"): "it is the dead-letter queue",
    ("AwsSolutions-S1", r"Everything/Training/ArtifactBucket/Resource"): (
        "where access is to be logged, a bucket with logs is given as artifact_bucket"
    ),
    ("NIST.800.53.R5-IAMNoInlinePolicy", r".*Policy/Resource"): (
        "a policy of one role, which is deleted with it; a managed policy could be attached elsewhere"
    ),
    ("NIST.800.53.R5-S3BucketReplicationEnabled", r".*"): (
        "the data can be made again by running a pipeline; versions are kept"
    ),
    ("NIST.800.53.R5-S3DefaultEncryptionKMS", r".*"): (
        "encrypted with S3's own keys; encryption_key chooses a key of KMS"
    ),
    ("NIST.800.53.R5-S3BucketLoggingEnabled", r".*/ArtifactBucket/Resource"): (
        "where access is to be logged, a bucket with logs is given as artifact_bucket"
    ),
    ("NIST.800.53.R5-CloudWatchLogGroupEncrypted", r".*/StraySweep/Logs/Resource"): (
        "the log of a sweep holds names of schedules and rules alone, and goes with the stack"
    ),
    ("NIST.800.53.R5-CloudWatchLogGroupEncrypted", r".*/EmptyingLogs/Resource"): (
        "the log holds the names of two buckets alone, and goes with the stack"
    ),
    ("NIST.800.53.R5-LambdaConcurrency", r".*/StraySweep/Function"): (
        "CloudFormation calls it once for each change; what is reserved for it others would lack"
    ),
    ("NIST.800.53.R5-LambdaDLQ", r".*/StraySweep/Function"): (
        "CloudFormation waits for the answer, and no longer than its timeout"
    ),
    ("NIST.800.53.R5-LambdaInsideVPC", r".*/StraySweep/Function"): (
        "it calls AWS alone, with a role that may do nothing else"
    ),
    ("NIST.800.53.R5-SNSEncryptedKMS", r".*/Artifacts/Alerts/Resource"): (
        "alerts hold names and states alone; AlertTopic is encrypted, for a deployer that may make keys"
    ),
}


@pytest.fixture(scope="module")
def findings(both_stages: Path, everything: Path) -> set[Finding]:
    """The rule and the construct of each finding, in both stages and in a stack with every option."""
    return {*_findings(both_stages), *_findings(everything)}


def test_there_is_no_finding_without_a_reason(findings: set[Finding]) -> None:
    assert without_a_reason(findings, EXPLAINED) == set()


def test_every_reason_is_needed(findings: set[Finding]) -> None:
    assert unused(findings, EXPLAINED) == set()


def _findings(assembly: Path) -> Iterator[tuple[str, str]]:
    report = json.loads((assembly / "validation-report.json").read_text(encoding="utf-8"))
    for plugin in report["pluginReports"]:
        for violation in plugin["violations"]:
            for construct in violation["violatingConstructs"]:
                yield violation["ruleName"], construct["constructPath"]
