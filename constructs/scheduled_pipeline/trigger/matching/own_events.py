"""Whether a pattern lets the events of a pipeline's own executions and training jobs through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from scheduled_pipeline.trigger.matching.event_shape import PIPELINE_EXECUTION, TRAINING_JOB
from scheduled_pipeline.trigger.matching.overlap import Overlap

_STEP_STATUS = "SageMaker Model Building Pipeline Execution Step Status Change"
# Jobs of a pipeline are named pipelines-<execution id>-<step>-<random>.
OWN_JOBS = "pipelines-"
# A job that succeeds is in these two states.
_OF_SUCCESS = ("InProgress", "Completed")


def of_own_executions(pattern: Mapping[str, object] | None, pipeline_name: str) -> Overlap:
    """Whether the end, or another change, of an execution of a pipeline starts it again.

    ``POSSIBLE`` is what lets the executions of any pipeline through.
    """
    detail = _detail(pattern, PIPELINE_EXECUTION.detail_type, _STEP_STATUS)
    if detail is None:
        return Overlap.NEVER
    arns = detail.get("pipelineArn")
    if not isinstance(arns, Sequence):
        return Overlap.POSSIBLE
    return max((_of_arn(one, pipeline_name.lower()) for one in arns), default=Overlap.NEVER)


def of_own_training_jobs(pattern: Mapping[str, object] | None, job_prefixes: Iterable[str]) -> Overlap:
    """Whether the training jobs of a pipeline start it again.

    Args:
        pattern: of a rule.
        job_prefixes: what the names of its jobs begin with, one a step.
    """
    detail = _detail(pattern, TRAINING_JOB.detail_type)
    if detail is None:
        return Overlap.NEVER
    names = detail.get("TrainingJobName", [{"prefix": ""}])
    filters = names if isinstance(names, Sequence) else []
    found = max((_of_job(one, prefix) for one in filters for prefix in job_prefixes), default=Overlap.NEVER)
    statuses = detail.get("TrainingJobStatus", [*_OF_SUCCESS])
    succeeds = isinstance(statuses, Sequence) and any(status in statuses for status in _OF_SUCCESS)
    narrowed = bool(detail.keys() - {"TrainingJobName", "TrainingJobStatus"})
    return found if succeeds and not narrowed else min(found, Overlap.POSSIBLE)


def _detail(pattern: Mapping[str, object] | None, *detail_types: str) -> Mapping[str, object] | None:
    """The filters of the detail where the pattern lets one of the detail types of SageMaker through."""
    pattern = pattern or {}
    kinds, sources = (pattern.get(name) for name in ("detail-type", "source"))
    of_kind = isinstance(kinds, Sequence) and any(one in kinds for one in detail_types)
    of_source = sources is None or (isinstance(sources, Sequence) and "aws.sagemaker" in sources)
    if not of_kind or not of_source:
        return None
    detail = pattern.get("detail")
    return detail if isinstance(detail, Mapping) else {}


def _of_arn(one: object, pipeline_name: str) -> Overlap:
    """What a filter makes of an ARN that ends with ``:pipeline/<name>``, perhaps in lower case."""
    kind, text = ("", one)
    if isinstance(one, Mapping) and one:
        kind, text = next(iter(one.items()))
        if isinstance(text, Mapping):
            text = text.get("equals-ignore-case")
    if not isinstance(text, str) or kind in ("anything-but", "wildcard", "exists"):
        return Overlap.POSSIBLE
    text, tail = text.lower(), f":pipeline/{pipeline_name}"
    if kind == "prefix":
        # It names all before the name, of which only the deployment knows account and Region.
        begun = text.partition(":pipeline/")
        return Overlap.POSSIBLE if not begun[1] or pipeline_name.startswith(begun[2]) else Overlap.NEVER
    if kind == "suffix":
        return Overlap.CERTAIN if tail.endswith(text) or text.endswith(tail) else Overlap.NEVER
    return Overlap.CERTAIN if text.endswith(tail) else Overlap.NEVER


def _of_job(one: object, prefix: str) -> Overlap:
    if isinstance(one, str):
        return Overlap.NEVER  # no two jobs have one name
    kind, text = next(iter(one.items())) if isinstance(one, Mapping) and one else ("", None)
    if kind != "prefix" or not isinstance(text, str):
        return Overlap.POSSIBLE
    if prefix.startswith(text):
        return Overlap.CERTAIN
    return Overlap.POSSIBLE if text.startswith(prefix) else Overlap.NEVER
