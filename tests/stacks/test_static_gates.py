"""The templates against cdk-nag's pack for NIST 800-53 revision 5: each finding has its reason here."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from aws_cdk import App

Findings = set[tuple[str, str]]

# Rule, the construct it is about (its path, as a regular expression), and why it stays so.
EXPLAINED = {
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
}


@pytest.fixture(scope="module")
def check(feature_flags: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Findings]:
    """Synthesize an app that is filled by a function, and return the findings of the pack."""
    from aws_cdk import App, Validations
    from cdk_nag import NIST80053R5Checks

    def check(fill: Callable[[App], None]) -> Findings:
        folder = tmp_path_factory.mktemp("cdk.out")
        app = App(context=feature_flags, outdir=str(folder), analytics_reporting=False)
        Validations.of(app).add_plugins(NIST80053R5Checks(app))
        fill(app)
        with contextlib.suppress(RuntimeError):  # there are findings; the report has them
            app.synth()
        return set(_findings(folder))

    return check


def _findings(assembly: Path) -> Iterator[tuple[str, str]]:
    report = json.loads((assembly / "validation-report.json").read_text(encoding="utf-8"))
    for plugin in report["pluginReports"]:
        for violation in plugin["violations"]:
            for construct in violation["violatingConstructs"]:
                yield violation["ruleName"], construct["constructPath"]


def _both_stages(app: App) -> None:
    from stacks.pipeline_stage import PipelineStage
    from stacks.stages import STAGES

    for settings in STAGES:
        PipelineStage(app, settings=settings)


def _everything(app: App) -> None:
    """A stack with every option of the construct that makes a resource, and nothing brought in."""
    from aws_cdk import Environment, Stack
    from aws_cdk import aws_kms as kms

    from scheduled_pipeline import EventTrigger, PipelineSchedule, ScheduledPipeline

    stack = Stack(app, "Everything", env=Environment(account="111122223333", region="eu-west-1"))
    ScheduledPipeline(
        stack,
        "Training",
        definition="pipeline_defs.abalone.pipeline:build",
        schedules={"Hourly": PipelineSchedule.rate(timedelta(hours=1))},
        events={"NewData": EventTrigger.s3_object_created(bucket_name="data", prefix="raw/")},
        encryption_key=kms.Key(stack, "Key", enable_key_rotation=True),
        max_parallel_steps=7,
        description="everything",
    )


@pytest.mark.parametrize("fill", [_both_stages, _everything])
def test_there_is_no_finding_without_a_reason(
    fill: Callable[[App], None], check: Callable[..., Findings]
) -> None:
    unexplained = {
        (rule, path)
        for rule, path in check(fill)
        if not any(rule == known and re.fullmatch(where, path) for known, where in EXPLAINED)
    }
    assert unexplained == set()


def test_every_reason_is_needed(check: Callable[..., Findings]) -> None:
    found = check(_both_stages) | check(_everything)
    unused = {
        (known, where)
        for known, where in EXPLAINED
        if not any(rule == known and re.fullmatch(where, path) for rule, path in found)
    }
    assert unused == set()
