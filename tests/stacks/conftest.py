"""The templates of the app, and of a stack with every option of the construct."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from aws_cdk import App

Synthesize = Callable[[Callable[["App"], None]], Path]


@pytest.fixture(scope="session")
def templates(own_assembly: Path) -> dict[str, Path]:
    """The templates of all stages by stack name."""
    return {path.name.split(".")[0]: path for path in sorted(own_assembly.glob("assembly-*/*.template.json"))}


@pytest.fixture(scope="session")
def nagged(feature_flags: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """Synthesize an app that is filled by a function, checked by both packs; the report is in its folder."""
    from aws_cdk import App, Validations
    from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks

    def synthesize(fill: Callable[[App], None]) -> Path:
        folder = tmp_path_factory.mktemp("cdk.out")
        app = App(context=feature_flags, outdir=str(folder), analytics_reporting=False)
        Validations.of(app).add_plugins(AwsSolutionsChecks(app), NIST80053R5Checks(app))
        fill(app)
        with contextlib.suppress(RuntimeError):  # there are findings; the report has them
            app.synth()
        return folder

    return synthesize


@pytest.fixture(scope="session")
def both_stages(nagged: Synthesize) -> Path:
    """The assembly of the app's stages."""
    from stacks.pipeline_stage import PipelineStage
    from stacks.stages import STAGES

    def fill(app: App) -> None:
        for settings in STAGES:
            PipelineStage(app, settings=settings)

    return nagged(fill)


@pytest.fixture(scope="session")
def everything(nagged: Synthesize) -> Path:
    """The assembly of a stack with every option that makes a resource, and nothing brought in."""
    return nagged(_everything)


def _everything(app: App) -> None:
    from aws_cdk import Environment, Stack
    from aws_cdk import aws_kms as kms

    from scheduled_pipeline import AlertTopic, EventTrigger, PipelineSchedule, ScheduledPipeline

    stack = Stack(app, "Everything", env=Environment(account="111122223333", region="eu-west-1"))
    ScheduledPipeline(
        stack,
        "Training",
        definition="pipeline_defs.abalone.pipeline:build",
        schedules={"Hourly": PipelineSchedule.rate(timedelta(hours=1))},
        events={"NewData": EventTrigger.s3_object_created(bucket_name="data", prefix="raw/")},
        encryption_key=kms.Key(stack, "Key", enable_key_rotation=True),
        notify=AlertTopic(stack, "Alerts"),
        dashboard=True,
        sweep_strays=True,
        max_parallel_steps=7,
        description="everything",
    )
