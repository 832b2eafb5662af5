"""The app of the demo: the Dev stage, and a schedule that is due every minute."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from aws_cdk import App

from scheduled_pipeline import PipelineSchedule
from stacks.pipeline_stage import PipelineStage
from stacks.stages import DEV


def main() -> None:
    """Synthesize the stage."""
    app = App()
    stage = PipelineStage(app, settings=replace(DEV, name="Demo"))
    stage.daily_processing.pipeline.add_schedule(
        "EveryMinute",
        PipelineSchedule.rate(
            timedelta(minutes=1),
            parameters={"RunDate": PipelineSchedule.SCHEDULED_TIME, "LookbackDays": 2},
        ),
    )
    app.synth()


if __name__ == "__main__":
    main()
