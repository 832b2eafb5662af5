"""The daily processing pipeline: one step, once a day."""

from __future__ import annotations

from datetime import timedelta

from aws_cdk import Stack
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from scheduled_pipeline import PipelineSchedule, ScheduledPipeline
from stacks.outputs import output_arns
from stacks.stages import StageSettings
from stacks.suppressions import acknowledge_findings


class DailyProcessingStack(Stack):
    """Wires the processing pipeline to its schedule.

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
        super().__init__(scope, construct_id, env=settings.env, description="The daily processing pipeline")
        self.pipeline = ScheduledPipeline(
            self,
            "DailyProcessing",
            definition="pipeline_defs.daily_processing.pipeline:build",
            artifact_bucket=artifact_bucket,
            notify=alerts,
            schedules={
                "Daily": PipelineSchedule.cron(
                    "30 1 * * ? *",
                    timezone="America/New_York",
                    flexible_time_window=timedelta(minutes=15),
                    enabled=settings.schedules_enabled,
                    parameters={"RunDate": PipelineSchedule.SCHEDULED_TIME},
                ),
            },
        )
        output_arns(self, self.pipeline)
        acknowledge_findings(self.pipeline, artifact_bucket)
