"""One AWS CDK construct that owns a SageMaker pipeline and everything that starts it.

The names in ``__all__`` are public. Every other module and name is internal and may change with any version.

Each name is loaded on first use. A build function runs where there is no CDK and may run where nothing is
installed but the SageMaker SDK; it can import ``PipelineContext`` from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scheduled_pipeline.construct import ScheduledPipeline
    from scheduled_pipeline.definition.compiler.source import PipelineDefinition
    from scheduled_pipeline.definition.compiler.warm_up import warm_up
    from scheduled_pipeline.definition.context import PipelineContext
    from scheduled_pipeline.definition.model import DefinitionError
    from scheduled_pipeline.fleet.fleet import PipelineFleet
    from scheduled_pipeline.fleet.pipeline import FleetPipeline
    from scheduled_pipeline.resources.deployer_policy import DeployerPolicy
    from scheduled_pipeline.resources.monitoring.alert_topic import AlertTopic
    from scheduled_pipeline.resources.pipeline import Pipeline
    from scheduled_pipeline.trigger.event import EventTrigger
    from scheduled_pipeline.trigger.schedule import PipelineSchedule

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

_MODULES = {
    "AlertTopic": "scheduled_pipeline.resources.monitoring.alert_topic",
    "DefinitionError": "scheduled_pipeline.definition.model",
    "DeployerPolicy": "scheduled_pipeline.resources.deployer_policy",
    "EventTrigger": "scheduled_pipeline.trigger.event",
    "FleetPipeline": "scheduled_pipeline.fleet.pipeline",
    "Pipeline": "scheduled_pipeline.resources.pipeline",
    "PipelineContext": "scheduled_pipeline.definition.context",
    "PipelineDefinition": "scheduled_pipeline.definition.compiler.source",
    "PipelineFleet": "scheduled_pipeline.fleet.fleet",
    "PipelineSchedule": "scheduled_pipeline.trigger.schedule",
    "ScheduledPipeline": "scheduled_pipeline.construct",
    "warm_up": "scheduled_pipeline.definition.compiler.warm_up",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return __all__
