"""One AWS CDK construct that owns a SageMaker pipeline and everything that starts it.

The names in ``__all__`` are public. Every other module and name is internal and may change with any version.

The names that need the CDK, or more than a moment, are loaded on first use, so that a build function,
which runs where there is no CDK, can import ``PipelineContext`` from here at no cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scheduled_pipeline.definition.compiler.source import PipelineDefinition
from scheduled_pipeline.definition.context import PipelineContext
from scheduled_pipeline.definition.model import DefinitionError
from scheduled_pipeline.fleet.pipeline import FleetPipeline
from scheduled_pipeline.trigger.event import EventTrigger
from scheduled_pipeline.trigger.schedule import PipelineSchedule

if TYPE_CHECKING:
    from scheduled_pipeline.construct import ScheduledPipeline
    from scheduled_pipeline.definition.compiler.warm_up import warm_up
    from scheduled_pipeline.fleet.fleet import PipelineFleet
    from scheduled_pipeline.resources.deployer_policy import DeployerPolicy
    from scheduled_pipeline.resources.monitoring.alert_topic import AlertTopic
    from scheduled_pipeline.resources.pipeline import Pipeline

__all__ = [
    "AlertTopic",
    "DefinitionError",
    "DeployerPolicy",
    "EventTrigger",
    "FleetPipeline",
    "Pipeline",
    "PipelineContext",
    "PipelineDefinition",
    "PipelineFleet",
    "PipelineSchedule",
    "ScheduledPipeline",
    "warm_up",
]

_ON_FIRST_USE = {
    "AlertTopic": "scheduled_pipeline.resources.monitoring.alert_topic",
    "DeployerPolicy": "scheduled_pipeline.resources.deployer_policy",
    "Pipeline": "scheduled_pipeline.resources.pipeline",
    "PipelineFleet": "scheduled_pipeline.fleet.fleet",
    "ScheduledPipeline": "scheduled_pipeline.construct",
    "warm_up": "scheduled_pipeline.definition.compiler.warm_up",
}


def __getattr__(name: str) -> object:
    if name not in _ON_FIRST_USE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_ON_FIRST_USE[name]), name)


def __dir__() -> list[str]:
    return __all__
