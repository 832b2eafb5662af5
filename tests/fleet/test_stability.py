"""One pipeline that comes or goes changes its own stack, and no other by a byte."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from scheduled_pipeline.fleet.assignment import stack_id

NAMES = tuple(f"pipeline-{number}" for number in range(300))
Synth = Callable[..., Mapping[str, bytes]]


@pytest.fixture(scope="module")
def synth(
    small_definition: dict[str, Any], feature_flags: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Synth:
    """Synthesize a fleet of the names; the templates by the name of the stack."""
    definition = PipelineDefinition.from_json(small_definition)
    flags = {**feature_flags, "@aws-cdk/core:validateAgainstDefaultRules": False}

    def synth(*names: str) -> Mapping[str, bytes]:
        app = App(context=flags, outdir=str(tmp_path_factory.mktemp("cdk.out")), analytics_reporting=False)
        pipelines = {name: _pipeline(definition, name) for name in names}
        PipelineFleet(
            app, "Fleet", pipelines=pipelines, env=Environment(account="111122223333", region="eu-west-1")
        )
        return {stack.stack_name: Path(stack.template_full_path).read_bytes() for stack in app.synth().stacks}

    return synth


def _pipeline(definition: PipelineDefinition, name: str) -> FleetPipeline:
    number = int(name.rpartition("-")[2])
    trigger = EventTrigger(event_pattern={"source": [name]})
    return FleetPipeline(
        definition=definition,
        schedules={
            "Nightly": PipelineSchedule.cron(f"{number % 60} 3 * * ? *"),
            "Weekly": PipelineSchedule.cron(f"{number % 60} 5 ? * MON *"),
        },
        events={"Ready": trigger} if number % 10 == 0 else {},
    )


@pytest.fixture(scope="module")
def fleet(synth: Synth) -> Mapping[str, bytes]:
    return synth(*NAMES)


@pytest.mark.parametrize("added", ["pipeline-1000", "pipeline-1001"], ids=["with an event", "with schedules"])
def test_one_that_is_added_changes_one_stack(synth: Synth, fleet: Mapping[str, bytes], added: str) -> None:
    grown = synth(added, *reversed(NAMES))
    assert _changed(fleet, grown) == {f"Fleet-{stack_id(added, 64)}"}


def test_one_that_is_removed_changes_one_stack(synth: Synth, fleet: Mapping[str, bytes]) -> None:
    removed = NAMES[40]
    shrunk = synth(*(name for name in NAMES if name != removed))
    assert _changed(fleet, shrunk) == {f"Fleet-{stack_id(removed, 64)}"}


def _changed(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
