"""An app with a fleet: python bench/fleet_app.py <pipelines> <output folder>, with two schedules each."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from aws_cdk import App, Environment

from scheduled_pipeline import FleetPipeline, PipelineDefinition, PipelineFleet, PipelineSchedule

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Synthesize the fleet, and print what it took of memory and time."""
    count, outdir = int(sys.argv[1]), sys.argv[2]
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
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
    """Return a pipeline of its own: no two have the same definition or schedules."""
    return FleetPipeline(
        definition=PipelineDefinition.from_json(definition(number)),
        schedules={
            "Nightly": PipelineSchedule.cron(f"{number % 60} {number % 24} * * ? *", timezone="Asia/Tokyo"),
            "Weekly": PipelineSchedule.cron(f"{(number + 30) % 60} 5 ? * MON *"),
        },
    )


def definition(number: int) -> dict[str, Any]:
    """Return the definition of a pipeline of one processing step."""
    image = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/images:1"
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30 + number % 50}
    arguments = {
        "RoleArn": "arn:aws:iam::111122223333:role/given",
        "AppSpecification": {"ImageUri": image, "ContainerArguments": [f"--shard={number}"]},
        "ProcessingResources": {"ClusterConfig": cluster},
    }
    date = {"Name": "Date", "Type": "String", "DefaultValue": "today"}
    return {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": [date],
        "Steps": [{"Name": "Process", "Type": "Processing", "Arguments": arguments}],
    }


if __name__ == "__main__":
    main()
