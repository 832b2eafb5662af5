"""``FleetPipeline`` has the options of ``ScheduledPipeline`` that the fleet does not choose itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_scheduler as scheduler

from scheduled_pipeline import (
    FleetPipeline,
    PipelineDefinition,
    PipelineFleet,
    PipelineSchedule,
    ScheduledPipeline,
)

OPTIONS = {
    parameter.name: parameter
    for parameter in inspect.signature(vars(ScheduledPipeline)["__init__"]).parameters.values()
    if parameter.kind is inspect.Parameter.KEYWORD_ONLY
}
FIELDS = {field.name: field for field in fields(FleetPipeline) if field.name != "stack"}
OF_THE_FLEET = {
    "artifact_bucket",  # one for the fleet
    "dead_letter_queue",
    "encryption_key",
    "alarms",  # one set a stack
    "schedule_group",  # one a stack
    "scheduler_role",
    "scheduling",
    "dashboard",  # cost one resource or more for each pipeline
    "event_role",
    "sweep_strays",
}


def test_an_option_is_the_fleets_or_that_of_each_pipeline() -> None:
    assert FIELDS.keys() | OF_THE_FLEET == OPTIONS.keys()
    assert not FIELDS.keys() & OF_THE_FLEET


@pytest.mark.parametrize("name", FIELDS)
def test_an_option_has_the_type_and_default_that_it_has_for_one_pipeline(name: str) -> None:
    default = FIELDS[name].default
    assert FIELDS[name].type == OPTIONS[name].annotation
    assert (inspect.Parameter.empty if default is MISSING else default) == OPTIONS[name].default


def test_the_group_of_a_stack_is_that_of_its_pipelines_with_schedules(
    feature_flags: dict[str, Any], small_definition: dict[str, Any]
) -> None:
    app = App(context=feature_flags, analytics_reporting=False)
    definition = PipelineDefinition.from_json(small_definition)
    nightly = {"Nightly": PipelineSchedule.cron("0 3 * * ? *")}
    fleet = PipelineFleet(
        app,
        "Fleet",
        pipelines={
            "a": FleetPipeline(definition=definition, schedules=nightly, stack="Shop"),
            "b": FleetPipeline(definition=definition, schedules=nightly, stack="Shop"),
            "c": FleetPipeline(definition=definition, stack="Shop"),
        },
        env=Environment(account="111122223333", region="eu-west-1"),
    )
    groups = [fleet.pipelines[name].schedule_group for name in "abc"]
    assert groups[0] is groups[1] is not None
    assert groups[2] is None


def test_a_group_beside_a_scheduling_that_has_one_is_refused(
    new_stack: Callable[..., Stack], small_definition: dict[str, Any]
) -> None:
    stack = new_stack()
    scheduling: Any = type("Scheduling", (), {"parts_for": None})()
    with pytest.raises(ValueError, match="Stack/Training: schedule_group and scheduler_role are those of"):
        ScheduledPipeline(
            stack,
            "Training",
            definition=PipelineDefinition.from_json(small_definition),
            schedule_group=scheduler.ScheduleGroup.from_schedule_group_name(stack, "Group", "my-group"),
            scheduling=scheduling,
        )
