"""The abalone pipeline: trains a model every night and registers it when it is good enough."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from scheduled_pipeline import PipelineSchedule, ScheduledPipeline
from stacks.outputs import output_arns
from stacks.stages import StageSettings
from stacks.suppressions import acknowledge_findings


class AbaloneStack(Stack):
    """Wires the abalone pipeline to its schedule.

    Attributes:
        pipeline: the pipeline with its schedule.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        artifact_bucket: s3.IBucket,
        alerts: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id, env=settings.env, description="The abalone training pipeline")
        self.pipeline = ScheduledPipeline(
            self,
            "Abalone",
            definition="pipeline_defs.abalone.pipeline:build",
            artifact_bucket=artifact_bucket,
            notify=alerts,
            schedules={
                "Nightly": PipelineSchedule.cron(
                    "0 3 * * ? *", timezone="Asia/Tokyo", enabled=settings.schedules_enabled
                ),
            },
        )
        output_arns(self, self.pipeline)
        acknowledge_findings(self.pipeline, artifact_bucket)
