"""The estimate of what a stack of a fleet holds is not too low, and a stack that is too full is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment

from scheduled_pipeline import (
    EventTrigger,
    FleetPipeline,
    PipelineDefinition,
    PipelineFleet,
    PipelineSchedule,
)
from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.fleet.limits import MAX_RESOURCES, load_of
from scheduled_pipeline.fleet.stack import FleetStack
from scheduled_pipeline.resources.assets.pipeline_definition import DefinitionLimits

NIGHTLY = PipelineSchedule.cron("0 3 * * ? *", parameters={"Date": PipelineSchedule.SCHEDULED_TIME})
WEEKLY = PipelineSchedule.cron("0 5 ? * MON *")


@pytest.fixture
def app(feature_flags: dict[str, Any], tmp_path: Path) -> App:
    return App(context=feature_flags, outdir=str(tmp_path / "cdk.out"), analytics_reporting=False)


def _fleet(app: App, pipelines: dict[str, FleetPipeline]) -> PipelineFleet:
    env = Environment(account="111122223333", region="eu-west-1")
    return PipelineFleet(app, "Fleet", pipelines=pipelines, stacks=1, env=env)


@pytest.mark.parametrize("steps", [1, 12, 40])
def test_the_load_is_what_is_in_the_template_or_a_little_more(
    app: App, small_definition: dict[str, Any], steps: int
) -> None:
    (step,) = small_definition["Steps"]
    named = [{**step, "Name": f"Process{number}"} for number in range(steps)]
    definition = PipelineDefinition.from_json({**small_definition, "Steps": named})
    rule = EventTrigger(event_pattern={"source": ["my.app"]})
    pipeline = FleetPipeline(
        definition=definition, schedules={"Nightly": NIGHTLY, "Weekly": WEEKLY}, events={"Ready": rule}
    )
    fleet = _fleet(app, {f"pipeline-{number}": pipeline for number in range(8)})
    load = load_of(fleet.stacks["Stack00"])
    file = Path(app.synth().get_stack_by_name("Fleet-Stack00").template_full_path)
    resources = json.loads(file.read_text(encoding="utf-8"))["Resources"]
    assert len(resources) <= load.resources <= len(resources) + 4
    assert file.stat().st_size <= load.template_bytes <= 2 * file.stat().st_size
    (policy,) = (one for name, one in resources.items() if name.startswith("SchedulerPolicy"))
    characters = len(json.dumps(policy["Properties"]["PolicyDocument"], separators=(",", ":")))
    assert characters <= load.policy_characters + 740


def test_definitions_in_s3_are_reckoned_with_what_writes_them(
    app: App, small_definition: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FleetStack, "definition_limits", DefinitionLimits(lines=0, compact=0))
    text = json.dumps(small_definition).replace(
        "arn:aws:iam::111122223333:role/given", placeholders.role("aws")
    )
    pipeline = FleetPipeline(
        definition=PipelineDefinition.from_json(json.loads(text)), schedules={"Nightly": NIGHTLY}
    )
    fleet = _fleet(app, {f"pipeline-{number}": pipeline for number in range(3)})
    load = load_of(fleet.stacks["Stack00"])
    file = Path(app.synth().get_stack_by_name("Fleet-Stack00").template_full_path)
    resources = json.loads(file.read_text(encoding="utf-8"))["Resources"]
    assert len(resources) <= load.resources <= len(resources) + 4
    assert file.stat().st_size <= load.template_bytes


def test_a_stack_that_is_too_full_is_refused_with_what_to_do(
    app: App, small_definition: dict[str, Any]
) -> None:
    definition = PipelineDefinition.from_json(small_definition)
    schedules = {f"At{hour}": PipelineSchedule.cron(f"0 {hour} * * ? *") for hour in range(24)}
    pipeline = FleetPipeline(definition=definition, schedules=schedules)
    _fleet(app, {f"pipeline-{number}": pipeline for number in range(MAX_RESOURCES // 27 + 1)})
    with pytest.raises(
        RuntimeError, match=r"Fleet/Stack00: its 17 pipelines make about \d+ resources, at most 450"
    ):
        app.synth()
