"""Pipelines written for a machine with an account compile as they are, or say what to write instead."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scheduled_pipeline.definition.compiler.compiler import Compiler
from scheduled_pipeline.definition.compiler.source import PipelineDefinition
from scheduled_pipeline.definition.model import CompiledPipeline, DefinitionError


@pytest.fixture(scope="module")
def compiler() -> Iterator[Compiler]:
    compiler = Compiler()
    yield compiler
    compiler.close()


def _compile(compiler: Compiler, module_and_function: str) -> CompiledPipeline:
    return compiler.compile(
        PipelineDefinition.from_function(module_and_function),
        region="eu-west-1",
        partition="aws",
        pipeline_name="sample",
        values={},
    )


@pytest.mark.parametrize(
    "function",
    [
        *("own_session", "own_session_with_clients", "no_session", "role_of_the_caller"),
        *("plots", "looks_at_its_repository"),
    ],
)
def test_it_is_the_pipeline_of_the_context(compiler: Compiler, function: str) -> None:
    compiled = _compile(compiler, f"common_idioms:{function}")
    assert compiled.document == _compile(compiler, "common_idioms:session_of_the_context").document


def test_a_transform_step_takes_a_model_that_is_there(compiler: Compiler) -> None:
    compiled = _compile(compiler, "common_idioms:transforms_with_a_model_that_is_there")
    assert compiled.document["Steps"][0]["Arguments"]["ModelName"] == "existing"


@pytest.mark.parametrize("function", ["own_session_without_a_bucket", "default_bucket_of_the_account"])
def test_another_bucket_is_refused_with_what_to_write(compiler: Compiler, function: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        _compile(compiler, f"common_idioms:{function}")
    assert "pass sagemaker_session=context.session" in str(caught.value)
    assert "default_bucket=context.bucket" in str(caught.value)


def test_a_model_is_described_to_the_sdk_alone(compiler: Compiler) -> None:
    with pytest.raises(DefinitionError, match="refused the AWS call sagemaker:DescribeModel"):
        _compile(compiler, "common_idioms:describes_a_model")


def test_time_zones_are_those_of_the_package_tzdata(compiler: Compiler) -> None:
    opened = _compile(compiler, "common_idioms:reads_time_zones").parameters[0].default
    assert opened == "/tzdata/zoneinfo/Europe/Paris"


def test_a_variable_of_the_environment_is_to_be_a_value(compiler: Compiler) -> None:
    with pytest.raises(DefinitionError) as caught:
        _compile(compiler, "common_idioms:reads_the_environment")
    assert "KeyError: 'TEAM'\nthe environment is not passed to build functions" in str(caught.value)
    assert "context.value('NAME')" in str(caught.value)
