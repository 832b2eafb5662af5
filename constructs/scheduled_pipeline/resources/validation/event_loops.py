"""Triggers on what the pipeline itself brings about: it would start itself for ever, and each run costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aws_cdk import Annotations
from constructs import Construct

from scheduled_pipeline.definition import placeholders
from scheduled_pipeline.definition.model import CompiledPipeline
from scheduled_pipeline.definition.permissions.written import (
    WrittenPlace,
    training_job_prefixes,
    written_places,
)
from scheduled_pipeline.resources.bucket_events import bucket_of
from scheduled_pipeline.resources.jsii_cache import is_token
from scheduled_pipeline.trigger.event import EventTrigger
from scheduled_pipeline.trigger.event_pattern import is_path
from scheduled_pipeline.trigger.matching.event_shape import TRAINING_JOB
from scheduled_pipeline.trigger.matching.overlap import Overlap
from scheduled_pipeline.trigger.matching.own_events import OWN_JOBS, of_own_executions, of_own_training_jobs
from scheduled_pipeline.trigger.matching.s3_filter import WatchedObjects, WrittenKeys, watched_objects

STARTS_ITSELF = "scheduled-pipeline:starts-itself"
"""Id of the warning of a pipeline that the end of any pipeline, or the job of any, starts."""
POSSIBLE_LOOP = "scheduled-pipeline:possible-loop"
"""Id of the warning of a step that may write what starts its pipeline; the step's name is put behind it."""


def check_loops(
    scope: Construct,
    where: str,
    trigger: EventTrigger,
    *,
    compiled: CompiledPipeline,
    bindings: Mapping[str, str],
    pipeline_name: str,
) -> None:
    """Refuse a trigger on what the pipeline itself does, and warn of one that may be.

    Args:
        scope: where warnings are put.
        where: names the trigger.
        trigger: what starts the pipeline.
        compiled: its definition.
        bindings: what stands in the place of each placeholder of the definition.
        pipeline_name: the physical name.

    Raises:
        ValueError: the pipeline would start itself each time that it has run.
    """
    _check_executions(scope, where, trigger, pipeline_name)
    _check_training_jobs(scope, where, trigger, compiled)
    watched = watched_objects(trigger.event_pattern)
    if watched is not None:
        given = dict(_given(trigger, watched))
        places = written_places(compiled.document, given=given, pipeline_name=pipeline_name)
        _check_objects(scope, where, watched, places, bindings)


def _check_executions(scope: Construct, where: str, trigger: EventTrigger, pipeline_name: str) -> None:
    found = of_own_executions(trigger.event_pattern, pipeline_name)
    if found is Overlap.CERTAIN:
        raise ValueError(
            f"{where}: {pipeline_name!r} would start itself again each time it has run; name another pipeline"
        )
    if found is Overlap.POSSIBLE:
        Annotations.of(scope).add_warning_v2(
            STARTS_ITSELF,
            f"{where}: the trigger names no pipeline, so this one starts itself again each time it has run",
        )


def _check_training_jobs(
    scope: Construct, where: str, trigger: EventTrigger, compiled: CompiledPipeline
) -> None:
    if TRAINING_JOB.detail_type not in (trigger.event_pattern or {}).get("detail-type", ()):
        return
    prefixes = [prefix or OWN_JOBS for prefix in training_job_prefixes(compiled.document)]
    found = of_own_training_jobs(trigger.event_pattern, prefixes)
    if found is Overlap.CERTAIN:
        raise ValueError(
            f"{where}: the pipeline's own training jobs, {prefixes[0]}..., would start it again; give the "
            "trigger the name_prefix of other jobs"
        )
    if found is Overlap.POSSIBLE:
        Annotations.of(scope).add_warning_v2(
            STARTS_ITSELF,
            f"{where}: the pipeline's own training jobs, {prefixes[0]}..., may start it again",
        )


def _given(trigger: EventTrigger, watched: WatchedObjects) -> Iterator[tuple[str, str | None]]:
    """What the trigger gives for parameters; of the event the bucket is known where the pattern names one."""
    bucket = watched.buckets[0] if watched.named and len(watched.buckets) == 1 else None
    for name, value in trigger.pipeline_parameters:
        yield name, (bucket if value == "$.detail.bucket.name" else None) if is_path(value) else value


def _check_objects(
    scope: Construct,
    where: str,
    watched: WatchedObjects,
    places: tuple[WrittenPlace, ...],
    bindings: Mapping[str, str],
) -> None:
    for place in places:
        bucket, prefix = (placeholders.substitute(text, bindings) for text in (place.bucket, place.prefix))
        found = min(
            _same_bucket(bucket, watched),
            watched.overlap(WrittenKeys(prefix=prefix, endings=place.endings)),
            Overlap.CERTAIN if place.always else Overlap.POSSIBLE,
        )
        uri = f"s3://{_shown(bucket)}/{_shown(prefix)}"
        if found is Overlap.CERTAIN:
            raise ValueError(
                f"{where}: the step {place.step!r} writes to {uri} ({place.member}), which the trigger waits "
                "for, so the pipeline would start itself for ever; let it write to another prefix, or the "
                "trigger wait for another"
            )
        if found is Overlap.POSSIBLE:
            Annotations.of(scope).add_warning_v2(
                f"{POSSIBLE_LOOP}:{place.step}",
                f"{where}: the step {place.step!r} writes to {uri} ({place.member}), and the trigger may "
                "wait for what it writes there; then the pipeline starts itself for ever",
            )


def _same_bucket(written: str, watched: WatchedObjects) -> Overlap:
    names = _names_of(written)
    if any(names & _names_of(bucket) for bucket in watched.buckets):
        return Overlap.CERTAIN
    return Overlap.NEVER if watched.named else Overlap.POSSIBLE


def _names_of(bucket: str) -> set[str]:
    """All that tells a bucket: its name, and where it is one of the app its path and physical name."""
    resource = bucket_of(bucket)
    if resource is None:
        return {bucket}
    physical = resource.bucket_name
    return {bucket, resource.node.path, *([physical] if physical is not None else [])}


def _shown(text: str) -> str:
    """A name that only the deployment knows, by the path of its resource."""
    if not is_token(text):
        return text
    resource = bucket_of(text)
    return f"<{resource.node.path}>" if resource is not None else text
