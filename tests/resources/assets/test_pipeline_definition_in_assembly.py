"""What the command reads of an assembly whose definition is too large for the template."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from typer.testing import CliRunner

from scheduled_pipeline import PipelineDefinition, ScheduledPipeline
from scheduled_pipeline.cli.main import app as command
from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.resources.assets.pipeline_definition import DefinitionLimits


class _Large(ScheduledPipeline):
    """Takes any definition for one that is too large for a template."""

    _definition_limits = DefinitionLimits(lines=0, compact=0)


@pytest.fixture
def assembly(new_stack: Callable[..., Stack], small_definition: dict[str, Any]) -> Callable[..., Path]:
    """Synthesize a pipeline of a class; the folder of the assembly."""
    text = json.dumps(small_definition).replace(
        "arn:aws:iam::111122223333:role/given", placeholders.role("aws")
    )

    def make(kind: type[ScheduledPipeline]) -> Path:
        stack = new_stack()
        kind(stack, "Training", definition=PipelineDefinition.from_json(json.loads(text)))
        app = stack.node.root
        assert isinstance(app, App)
        return Path(app.synth().directory)

    return make


def _permissions(folder: Path) -> Any:
    done = CliRunner().invoke(command, ["permissions", "--assembly", str(folder), "--json"])
    (pipeline,) = json.loads(done.stdout)["pipelines"]
    return pipeline


def test_permissions_are_those_of_a_definition_in_the_template(assembly: Callable[..., Path]) -> None:
    in_s3 = _permissions(assembly(_Large))
    assert in_s3["permissions"]
    assert in_s3 == _permissions(assembly(ScheduledPipeline))


def test_a_file_that_is_missing_is_said_to_be(assembly: Callable[..., Path]) -> None:
    folder = assembly(_Large)
    for file in folder.glob("asset.*.json"):
        file.unlink()
    problem = _permissions(folder)["problem"]
    assert "cannot be read: No such file or directory" in problem
