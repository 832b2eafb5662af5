"""While files move: the templates of the app, of every option and of a fleet stay the same bytes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

EXPECTED = Path(__file__).with_name("same_bytes.json")


@pytest.fixture(scope="module")
def fleet_of_fifty(
    feature_flags: dict[str, Any],
    small_definition: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    from aws_cdk import App, Environment

    from scheduled_pipeline import (
        EventTrigger,
        FleetPipeline,
        PipelineDefinition,
        PipelineFleet,
        PipelineSchedule,
    )

    folder = tmp_path_factory.mktemp("cdk.out")
    app = App(context=feature_flags, outdir=str(folder), analytics_reporting=False)
    definition = PipelineDefinition.from_json(small_definition)
    pipelines = {
        f"pipeline-{number}": FleetPipeline(
            definition=definition,
            schedules={"Nightly": PipelineSchedule.cron(f"{number} 3 * * ? *")},
            events={"Ready": EventTrigger(event_pattern={"source": [f"p{number}"]})}
            if number % 5 == 0
            else {},
        )
        for number in range(50)
    }
    env = Environment(account="111122223333", region="eu-west-1")
    PipelineFleet(app, "Fleet", pipelines=pipelines, stacks=8, env=env)
    app.synth()
    return folder


def test_the_templates_are_the_same_bytes(both_stages: Path, everything: Path, fleet_of_fifty: Path) -> None:
    folders = {"stages": both_stages, "everything": everything, "fleet": fleet_of_fifty}
    found = {
        f"{kind}/{path.relative_to(folder).as_posix()}": hashlib.sha256(path.read_bytes()).hexdigest()
        for kind, folder in folders.items()
        for path in sorted(folder.rglob("*.template.json"))
    }
    assert found == json.loads(EXPECTED.read_text(encoding="utf-8"))
