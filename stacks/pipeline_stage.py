"""One stage of the app: its stacks, and which needs which."""

from __future__ import annotations

from aws_cdk import App, Stage
from constructs import Construct

from stacks.abalone_stack import AbaloneStack
from stacks.artifact_stack import ArtifactStack
from stacks.daily_processing_stack import DailyProcessingStack
from stacks.stages import STAGES, StageSettings


class PipelineStage(Stage):
    """All stacks of one stage.

    Attributes:
        abalone: the stack of the abalone pipeline.
        daily_processing: the stack of the daily processing pipeline.
    """

    def __init__(self, scope: Construct, *, settings: StageSettings) -> None:
        super().__init__(scope, settings.name, env=settings.env)
        artifacts = ArtifactStack(self, "Artifacts", settings=settings)
        self.abalone = AbaloneStack(
            self, "Abalone", settings=settings, artifact_bucket=artifacts.bucket, alerts=artifacts.alerts
        )
        self.daily_processing = DailyProcessingStack(
            self,
            "DailyProcessing",
            settings=settings,
            artifact_bucket=artifacts.bucket,
            alerts=artifacts.alerts,
        )


def with_stages(app: App) -> App:
    """Add every stage to ``app``, and return it."""
    for settings in STAGES:
        PipelineStage(app, settings=settings)
    return app
