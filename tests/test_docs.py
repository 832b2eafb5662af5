"""The examples of the documents work as they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import Stack

DOCS = Path(__file__).resolve().parents[1] / "docs"
EXAMPLES = [
    pytest.param(block, id=f"{path.name}-{number}")
    for path in sorted(DOCS.rglob("*.md"))
    for number, block in enumerate(re.findall(r"^```python\n(.*?)^```$", path.read_text(), re.M | re.S))
]


@pytest.mark.parametrize("code", EXAMPLES)
def test_an_example_makes_triggers_that_fit_a_pipeline(
    code: str, new_stack: Callable[..., Stack], small_definition: dict[str, Any]
) -> None:
    from aws_cdk.assertions import Template

    from scheduled_pipeline import PipelineDefinition, ScheduledPipeline

    names: dict[str, Any] = {}
    exec(code, names)
    stack = new_stack()
    definition = PipelineDefinition.from_json(small_definition)
    triggers = {kind: names[kind] for kind in ("schedules", "events") if kind in names}
    assert triggers
    ScheduledPipeline(stack, "Training", definition=definition, **triggers)
    template = Template.from_stack(stack)
    for kind, resource in (("schedules", "AWS::Scheduler::Schedule"), ("events", "AWS::Events::Rule")):
        template.resource_count_is(resource, len(names.get(kind, {})))


def test_every_link_leads_somewhere() -> None:
    for path in DOCS.rglob("*.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
