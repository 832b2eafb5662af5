"""The templates that several files look at: with nothing given, and with one schedule."""

from __future__ import annotations

import pytest
from aws_cdk.assertions import Template
from template_parts import (
    NIGHTLY,
    NewStack,
)

from scheduled_pipeline import PipelineDefinition, ScheduledPipeline


@pytest.fixture(scope="session")
def minimal(new_stack: NewStack, definition: PipelineDefinition) -> Template:
    """Nothing given but a definition."""
    stack = new_stack()
    ScheduledPipeline(stack, "Training", definition=definition)
    return Template.from_stack(stack)


@pytest.fixture(scope="session")
def with_schedule(new_stack: NewStack, definition: PipelineDefinition) -> Template:
    """One schedule and every default."""
    stack = new_stack()
    ScheduledPipeline(stack, "Training", definition=definition, schedules={"Nightly": NIGHTLY})
    return Template.from_stack(stack)
