"""What every pipeline stack prints after ``cdk deploy``."""

from __future__ import annotations

from aws_cdk import CfnOutput, Stack

from scheduled_pipeline import ScheduledPipeline


def output_arns(stack: Stack, pipeline: ScheduledPipeline) -> None:
    """Output the ARN of the pipeline and of each of its schedules."""
    CfnOutput(stack, "PipelineArn", value=pipeline.pipeline_arn)
    for name, schedule in pipeline.schedules.items():
        CfnOutput(stack, f"{name}ScheduleArn", value=schedule.schedule_arn)
