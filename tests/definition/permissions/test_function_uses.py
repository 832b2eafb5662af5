"""What a function with ``@step`` may do in S3, as far as the definition of its job tells."""

from __future__ import annotations

from typing import Any

import pytest
from permission_parts import a_step, document, get, granted, join

from scheduled_pipeline.definition.permissions.derive import run_time_places

BASE = "s3://artifacts/sample"
BUCKET = "arn:${Partition}:s3:::artifacts"


def a_function(name: str, *references: Any, options: tuple[str, ...] = ()) -> dict[str, Any]:
    results = [BASE, name, "code", get("Execution.PipelineExecutionId"), "results"]
    command = ["--s3_base_uri", BASE, "--pipeline_step_name", name, "--property_references"]
    arguments = {
        "AlgorithmSpecification": {"ContainerArguments": [*command, *references, *options]},
        "OutputDataConfig": {"S3OutputPath": join(*results)},
    }
    return a_step("Training", arguments, name)


def test_writes_its_results_and_its_exception_and_no_more() -> None:
    assert granted(document(a_function("First")), "s3:PutObject") == [
        f"{BUCKET}/sample/First/code/*",
        f"{BUCKET}/sample/*/First/exception/*",
    ]


def test_reads_what_an_earlier_function_has_returned() -> None:
    name = "Steps.First.OutputDataConfig.S3OutputPath"
    second = a_function("Second", name, join(get(name), on=""))
    assert granted(document(a_function("First"), second), "s3:GetObject") == [f"{BUCKET}/sample/First/code/*"]


def test_reads_a_place_that_the_definition_or_a_parameter_names() -> None:
    parameters = [{"Name": "Place", "Type": "String", "DefaultValue": "s3://other/in"}]
    references = ["Execution.Argument0", "s3://data/raw", "Parameters.Place", get("Parameters.Place")]
    definition = {**document(a_function("First", *references)), "Parameters": parameters}
    assert granted(definition, "s3:GetObject") == [
        "arn:${Partition}:s3:::data/raw*",
        "arn:${Partition}:s3:::other/in*",
    ]
    assert run_time_places(definition).read


@pytest.mark.parametrize("value", [7, "text", get("Execution.PipelineExecutionId"), get("Parameters.Gone")])
def test_what_is_no_place_is_not_read_and_not_unknown(value: Any) -> None:
    definition = document(a_function("First", "Parameters.Value", value))
    assert granted(definition, "s3:GetObject") == []
    assert run_time_places(definition).unknown == ()


def test_options_behind_the_references_are_none() -> None:
    function = a_function("First", options=("--serialize_output_to_json", "s3://data/raw"))
    assert granted(document(function), "s3:GetObject") == []


def test_a_training_job_with_other_arguments_is_no_function() -> None:
    algorithm = {"ContainerArguments": ["--property_references", "a", "s3://data/raw"]}
    definition = document(a_step("Training", {"AlgorithmSpecification": algorithm}))
    assert granted(definition, "s3:GetObject") == []
