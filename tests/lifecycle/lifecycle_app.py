"""An app that deploys what `settings.json` in the working directory says."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

from aws_cdk import App, Environment, Stack

from scheduled_pipeline import EventTrigger, PipelineDefinition, PipelineSchedule, ScheduledPipeline


def main() -> None:
    settings = json.loads(Path("settings.json").read_text(encoding="utf-8"))
    app = App()
    stack = Stack(app, "Lifecycle", env=Environment(region="us-east-1"))
    ScheduledPipeline(
        stack,
        "Training",
        definition=PipelineDefinition.from_json(settings["definition"]),
        pipeline_name=settings["pipeline_name"],
        schedules={name: _schedule(schedule) for name, schedule in settings["schedules"].items()},
        events={name: EventTrigger.pattern(**event) for name, event in settings.get("events", {}).items()},
    )
    app.synth()


def _schedule(settings: dict[str, object]) -> PipelineSchedule:
    kind, value = settings.pop("kind"), settings.pop("value")
    if "start" in settings:
        settings["start"] = datetime.fromisoformat(str(settings["start"]))
    if kind == "rate":
        return PipelineSchedule.rate(timedelta(minutes=int(str(value))), **settings)  # type: ignore[arg-type]
    return PipelineSchedule.cron(str(value), **settings)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
