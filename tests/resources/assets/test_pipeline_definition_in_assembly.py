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
from scheduled_pipeline.resources.scheduling import OwnScheduling

Assembly = Callable[..., Path]


@pytest.fixture
def assembly(
    new_stack: Callable[..., Stack], small_definition: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> Assembly:
    """Synthesize a pipeline, with any definition taken for too large if ``large``; the folder."""
    text = json.dumps(small_definition).replace(
        "arn:aws:iam::111122223333:role/given", placeholders.role("aws")
    )

    def make(*, large: bool) -> Path:
        if large:
            monkeypatch.setattr(OwnScheduling, "definition_limits", DefinitionLimits(lines=0, compact=0))
        stack = new_stack()
        ScheduledPipeline(stack, "Training", definition=PipelineDefinition.from_json(json.loads(text)))
        app = stack.node.root
        assert isinstance(app, App)
        return Path(app.synth().directory)

    return make


def _permissions(folder: Path) -> Any:
    done = CliRunner().invoke(command, ["permissions", "--assembly", str(folder), "--json"])
    (pipeline,) = json.loads(done.stdout)["pipelines"]
    return pipeline


def test_permissions_are_those_of_a_definition_in_the_template(assembly: Assembly) -> None:
    in_the_template = _permissions(assembly(large=False))
    assert in_the_template["permissions"]
    assert in_the_template == _permissions(assembly(large=True))


def test_a_file_that_is_missing_is_said_to_be(assembly: Assembly) -> None:
    folder = assembly(large=True)
    for file in folder.glob("asset.*.json"):
        file.unlink()
    problem = _permissions(folder)["problem"]
    assert "cannot be read: No such file or directory" in problem
