"""Mistakes of several kinds in one definition are as many findings of one synth."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Stack

from scheduled_pipeline import DefinitionError, PipelineDefinition, ScheduledPipeline


def test_all_findings_come_at_once(new_stack: Callable[..., Stack], small_definition: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError) as caught:
        ScheduledPipeline(
            new_stack(), "Training", definition=PipelineDefinition.from_json(_with_slips(small_definition))
        )
    message = str(caught.value)
    assert message.startswith("Stack/Training: SageMaker would refuse the definition:\n")
    assert len(message.splitlines()) == 7
    for expected in (
        r"'ml\.m5\.xlargee'.*ml\.m5\.xlarge",
        r"VolumeSizeInGB.*got 0",
        r"Parameters\.Undeclared",
        r"NoSuchProperty",
        r"Twice",
        r"wait for each other: Hen -> Egg -> Hen",
    ):
        assert re.search(expected, message), expected


def test_a_cycle_is_written_out(new_stack: Callable[..., Stack], small_definition: dict[str, Any]) -> None:
    (step,) = small_definition["Steps"]
    steps = [{**step, "Name": "A", "DependsOn": ["B"]}, {**step, "Name": "B", "DependsOn": ["A"]}]
    source = PipelineDefinition.from_json({**small_definition, "Steps": steps})
    with pytest.raises(DefinitionError, match=r"these steps wait for each other: (A -> B -> A|B -> A -> B)"):
        ScheduledPipeline(new_stack(), "Training", definition=source)


def test_a_finding_that_is_wrong_is_suppressed(
    new_stack: Callable[..., Stack], small_definition: dict[str, Any]
) -> None:
    definition = copy.deepcopy(small_definition)
    definition["Steps"][0]["Arguments"]["ANewMember"] = 1
    source = PipelineDefinition.from_json(definition)
    with pytest.raises(DefinitionError, match="ANewMember"):
        ScheduledPipeline(new_stack(), "Training", definition=source)
    ScheduledPipeline(
        new_stack(),
        "Training",
        definition=source,
        suppress_findings=["unknown-member:Steps.Process.Arguments.ANewMember"],
    )


def _with_slips(definition: dict[str, Any]) -> dict[str, Any]:
    (step,) = definition["Steps"]

    def process(name: str, **members: Any) -> dict[str, Any]:
        return {**copy.deepcopy(step), "Name": name, **members}

    wrong_type, no_volume = process("WrongType"), process("NoVolume")
    wrong_type["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceType"] = "ml.m5.xlargee"
    no_volume["Arguments"]["ProcessingResources"]["ClusterConfig"]["VolumeSizeInGB"] = 0
    undeclared, no_property = process("Undeclared"), process("NoProperty")
    undeclared["Arguments"]["AppSpecification"]["ImageUri"] = {"Get": "Parameters.Undeclared"}
    no_property["Arguments"]["AppSpecification"]["ImageUri"] = {"Get": "Steps.A.NoSuchProperty"}
    condition = {
        "Name": "Condition",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [
                {"Type": "GreaterThan", "LeftValue": {"Get": "Parameters.Count"}, "RightValue": 1}
            ],
            "IfSteps": [process("Twice")],
            "ElseSteps": [process("Twice")],
        },
    }
    return {
        **definition,
        "Steps": [
            process("A"),
            *(wrong_type, no_volume, undeclared, no_property, condition),
            process("Hen", DependsOn=["Egg"]),
            process("Egg", DependsOn=["Hen"]),
        ],
    }
