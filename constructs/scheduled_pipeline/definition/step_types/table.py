"""``STEP_TYPES``: every type of step that a definition can have."""

from __future__ import annotations

from collections.abc import Mapping

from scheduled_pipeline.definition.step_types import (
    bookkeeping,
    calls,
    checks,
    control_flow,
    emr,
    endpoints,
    jobs,
    models,
    undocumented,
)
from scheduled_pipeline.definition.step_types.step_type import Permissions, StepType

_ROWS = (
    *(jobs.PROCESSING, jobs.TRAINING, jobs.TUNING, jobs.TRANSFORM, jobs.AUTOML, jobs.JOB),
    *(models.MODEL, models.REGISTER_MODEL),
    *(checks.QUALITY_CHECK, checks.CLARIFY_CHECK),
    *(control_flow.CONDITION, control_flow.FOR_EACH, control_flow.FAIL),
    *(calls.LAMBDA, calls.CALLBACK),
    *(emr.EMR, emr.EMR_SERVERLESS),
    *(endpoints.ENDPOINT_CONFIG, endpoints.ENDPOINT, endpoints.INFERENCE_COMPONENT),
    *(bookkeeping.LINEAGE, bookkeeping.CLEANUP),
    *undocumented.UNDOCUMENTED,
)

STEP_TYPES: Mapping[str, StepType] = {row.name: row for row in _ROWS}

_NO_ROW = Permissions(not_known="this version does not know the type")


def step_type(name: str) -> StepType:
    """Return the row of a type, or for one without a row what holds of any step."""
    return STEP_TYPES.get(name) or StepType(name=name, permissions=_NO_ROW)
