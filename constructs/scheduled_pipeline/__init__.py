"""One AWS CDK construct that owns a SageMaker pipeline and everything that starts it.

The names that need the CDK are loaded on first use, so that a build function, which runs where
there is no CDK, can import ``PipelineContext`` from here at no cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduled_pipeline.definition.context import PipelineContext
from scheduled_pipeline.definition.model import DefinitionError
from scheduled_pipeline.definition.source import PipelineDefinition
from scheduled_pipeline.trigger.event import EventTrigger
from scheduled_pipeline.trigger.schedule import PipelineSchedule

if TYPE_CHECKING:
    from scheduled_pipeline.construct import ScheduledPipeline
    from scheduled_pipeline.resources.pipeline import Pipeline

__all__ = [
    "DefinitionError",
    "EventTrigger",
    "Pipeline",
    "PipelineContext",
    "PipelineDefinition",
    "PipelineSchedule",
    "ScheduledPipeline",
]

_NEEDS_CDK = {
    "Pipeline": "scheduled_pipeline.resources.pipeline",
    "ScheduledPipeline": "scheduled_pipeline.construct",
}


def __getattr__(name: str) -> object:
    if name not in _NEEDS_CDK:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_NEEDS_CDK[name]), name)


def __dir__() -> list[str]:
    return __all__
