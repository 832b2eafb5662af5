"""An app with one pipeline that sweeps strays, as ``settings.json`` in the working directory says."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from aws_cdk import App, Environment, Stack

from scheduled_pipeline import PipelineDefinition, PipelineSchedule, ScheduledPipeline


def main() -> None:
    settings = json.loads(Path("settings.json").read_text(encoding="utf-8"))
    app = App()
    stack = Stack(app, "Sweep", env=Environment(region="us-east-1"))
    ScheduledPipeline(
        stack,
        "Training",
        definition=PipelineDefinition.from_json(settings["definition"]),
        pipeline_name=settings["pipeline_name"],
        schedules={"Hourly": PipelineSchedule.rate(timedelta(hours=1), enabled=False)},
        sweep_strays=settings["sweep_strays"],
    )
    app.synth()


if __name__ == "__main__":
    main()
