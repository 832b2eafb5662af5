"""What the execution role of a pipeline has to be allowed, derived from the definition alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scheduled_pipeline.definition.parsed import Outline, PlacedStep
from scheduled_pipeline.definition.permission import Permission, merged
from scheduled_pipeline.definition.permissions import data, executions, services
from scheduled_pipeline.definition.permissions.data import READ
from scheduled_pipeline.definition.resolve import Resolver
from scheduled_pipeline.definition.step_types.step_type import StepType
from scheduled_pipeline.definition.step_types.table import step_type

__all__ = ["Permission", "RunTimePlaces", "derive", "run_time_places", "unknown_resources", "unknown_steps"]


@dataclass(frozen=True)
class RunTimePlaces:
    """What of S3 a definition leaves to those who start the pipeline, or to an earlier step.

    Attributes:
        read: whether some step may be told where to read.
        written: whether some step may be told where to write.
        unknown: the steps that read or write where the definition does not say at all.
    """

    read: bool
    written: bool
    unknown: tuple[str, ...]


def derive(document: Mapping[str, Any], *, pipeline_name: str | None = None) -> tuple[Permission, ...]:
    """Return what the execution role of a pipeline needs, and no more.

    What a step's own job needs is asked of the pipeline's role, also where the step names another role. A
    value that only a run knows is covered as far as the definition tells it: a parameter by its default, a
    name by the beginning that it has. Where the definition tells nothing, nothing is granted in S3.

    Args:
        document: the definition, which should have passed validation; what is malformed is left out.
        pipeline_name: what ``Execution.PipelineName`` is. Default: not known, so a wildcard stands for it.
    """
    resolver = Resolver(Outline.of(document), pipeline_name)
    found: list[Permission] = []
    for step in resolver.outline.steps:
        found += _of_step(step, resolver)
    found.append(services.own_role())
    found += executions.experiments(document, resolver)
    found += executions.mlflow(document, resolver)
    return merged(found)


def _of_step(step: PlacedStep, resolver: Resolver) -> Iterator[Permission]:
    row = step_type(step.type).permissions
    created = () if row.created is None else (row.created.permissions,)
    for needs in (*created, *row.needs, data.permissions, services.permissions, *row.then):
        yield from needs(step, resolver)


def unknown_steps(document: Mapping[str, Any]) -> tuple[tuple[str, StepType], ...]:
    """Return the name and the row of each step whose row does not say what it needs."""
    found = ((step.name, step_type(step.type)) for step in Outline.of(document).steps)
    return tuple((name, row) for name, row in found if not row.permissions.known)


def run_time_places(document: Mapping[str, Any]) -> RunTimePlaces:
    """Say what a definition leaves to the start of an execution: what ``data_buckets`` are for."""
    resolver = Resolver(Outline.of(document))
    found = [(step.name, use) for step in resolver.outline.steps for use in data.uses(step, resolver)]
    chosen = [use for _, use in found if use.chosen]
    return RunTimePlaces(
        read=any(use.direction == READ for use in chosen),
        written=any(use.direction != READ for use in chosen),
        unknown=tuple(dict.fromkeys(name for name, use in found if use.place is None)),
    )


def unknown_resources(document: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return step and member of each image, key, role, queue or function that is not known."""
    resolver = Resolver(Outline.of(document))
    found = (
        (step.name, member) for step in resolver.outline.steps for member in services.unknown(step, resolver)
    )
    return tuple(dict.fromkeys(found))
