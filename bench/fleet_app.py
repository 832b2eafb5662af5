"""An app with a fleet: python bench/fleet_app.py <pipelines> <output folder> <cache>, two schedules each."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from aws_cdk import App, Environment

from scheduled_pipeline import FleetPipeline, PipelineFleet, PipelineSchedule

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Synthesize the fleet, and print what it took of memory and time."""
    count, outdir, cache = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    context["scheduled-pipeline:cache"] = cache
    app = App(context=context, outdir=outdir, analytics_reporting=False)
    started = time.perf_counter()
    PipelineFleet(
        app,
        "Fleet",
        pipelines={f"pipeline-{number}": fleet_pipeline(number) for number in range(count)},
        env=Environment(account="111122223333", region="eu-west-1"),
    )
    made = time.perf_counter()
    app.synth()
    ended = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"construct": made - started, "synth": ended - made, "python_megabytes": peak}))


def fleet_pipeline(number: int) -> FleetPipeline:
    """Return a pipeline of its own: no two have the same definition."""
    return FleetPipeline(
        definition="bench.fleet_definition:build",
        values={"Shard": number},
        schedules={
            "Nightly": PipelineSchedule.cron(f"{number % 60} {number % 24} * * ? *", timezone="Asia/Tokyo"),
            "Weekly": PipelineSchedule.cron(f"{(number + 30) % 60} 5 ? * MON *"),
        },
    )


if __name__ == "__main__":
    main()
