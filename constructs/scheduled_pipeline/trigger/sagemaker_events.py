"""Patterns for the events that Amazon SageMaker sends to EventBridge.

Sources, detail types and fields are those of
https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html. SageMaker may
send an event more than once for one change. The statuses are those of the API, in the spelling of events;
a test compares them with the service's own model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from scheduled_pipeline.tokens import holds_token
from scheduled_pipeline.trigger.checks import check_type

PIPELINE_STATUS = "SageMaker Model Building Pipeline Execution Status Change"
"""The detail type of the events of pipeline executions."""
ENDPOINT_STATUSES = (
    "OUT_OF_SERVICE",
    "CREATING",
    "UPDATING",
    "SYSTEM_UPDATING",
    "ROLLING_BACK",
    "IN_SERVICE",
    "DELETING",
    "FAILED",
    "UPDATE_ROLLBACK_FAILED",
)
"""States of an endpoint as events write them; ``DescribeEndpoint`` writes them ``InService``."""

TRAINING_JOB_STATUSES = ("InProgress", "Completed", "Failed", "Stopping", "Stopped", "Deleting")
EXECUTING, STOPPED, SUCCEEDED = "Executing", "Stopped", "Succeeded"
RUNNING = (EXECUTING, "Stopping")
"""Statuses of an execution that has not ended; every other one is final, also one that is not known here."""
PIPELINE_EXECUTION_STATUSES = (*RUNNING, STOPPED, "Failed", SUCCEEDED, "CompletedWithFailures")
"""Of an execution: ``CompletedWithFailures`` is that of a run in which other steps answered a failed one."""
MODEL_APPROVAL_STATUSES = ("Approved", "Rejected", "PendingManualApproval")

_PIPELINE_NAME = re.compile(r"[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,255}")
_NAME = re.compile(r"[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62}")
_NAME_PREFIX = re.compile(r"[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62}-*")


def endpoint_state_change(endpoint_name: str | None, status: str | Sequence[str]) -> dict[str, Any]:
    """The pattern of ``SageMaker Endpoint State Change``."""
    _check("endpoint_name", endpoint_name, _NAME, "1 to 63 of a-z A-Z 0-9 and inner -")
    detail = {
        **({} if endpoint_name is None else {"EndpointName": [endpoint_name]}),
        **_status("EndpointStatus", status, ENDPOINT_STATUSES),
    }
    return _pattern("SageMaker Endpoint State Change", detail)


def training_job_state_change(name_prefix: str | None, status: str | Sequence[str]) -> dict[str, Any]:
    """The pattern of ``SageMaker Training Job State Change``."""
    _check("name_prefix", name_prefix, _NAME_PREFIX, "1 to 63 of a-z A-Z 0-9 and -, not first")
    detail = {
        **({} if name_prefix is None else {"TrainingJobName": [{"prefix": name_prefix}]}),
        **_status("TrainingJobStatus", status, TRAINING_JOB_STATUSES),
    }
    return _pattern("SageMaker Training Job State Change", detail)


def pipeline_execution_status_change(
    pipeline_name: str | None, status: str | Sequence[str]
) -> dict[str, Any]:
    """The pattern of ``SageMaker Model Building Pipeline Execution Status Change``."""
    return _execution_change(
        pipeline_name, _status("currentPipelineExecutionStatus", status, PIPELINE_EXECUTION_STATUSES)
    )


def pipeline_execution_failure(pipeline_name: str) -> dict[str, Any]:
    """The pattern of the events of executions that have ended and did not succeed.

    It leaves out what is no failure, so that a status which SageMaker adds is not missed.
    """
    no_failure = [*RUNNING, SUCCEEDED]
    return _execution_change(
        pipeline_name, {"currentPipelineExecutionStatus": [{"anything-but": no_failure}]}
    )


def has_ended(status: str) -> bool:
    """Whether an execution of this status changes no more."""
    return status not in RUNNING


def has_failed(status: str) -> bool:
    """Whether an execution of this status has ended and did not succeed: it failed, or was stopped."""
    return has_ended(status) and status != SUCCEEDED


def _execution_change(pipeline_name: str | None, detail: dict[str, Any]) -> dict[str, Any]:
    _check("pipeline_name", pipeline_name, _PIPELINE_NAME, "1 to 256 of a-z A-Z 0-9 and inner -")
    if pipeline_name is not None:
        # The event has the ARN only, in which SageMaker may write the name in lower case.
        ending = {"suffix": {"equals-ignore-case": f":pipeline/{pipeline_name}"}}
        detail = {"pipelineArn": [ending], **detail}
    return _pattern(PIPELINE_STATUS, detail)


def model_package_approval(
    model_package_group_name: str | None, status: str | Sequence[str]
) -> dict[str, Any]:
    """The pattern of ``SageMaker Model Package State Change`` for an approval status."""
    _check("model_package_group_name", model_package_group_name, _NAME, "1 to 63 of a-z A-Z 0-9 and inner -")
    group = {} if model_package_group_name is None else {"ModelPackageGroupName": [model_package_group_name]}
    detail = {
        **group,
        **_status("ModelApprovalStatus", status, MODEL_APPROVAL_STATUSES),
        # Of the list in the event one entry has to match: the event tells what was updated.
        "UpdatedModelPackageFields": ["ModelApprovalStatus"],
    }
    return _pattern("SageMaker Model Package State Change", detail)


def _pattern(detail_type: str, detail: dict[str, Any]) -> dict[str, Any]:
    pattern: dict[str, Any] = {"source": ["aws.sagemaker"], "detail-type": [detail_type]}
    return {**pattern, "detail": detail} if detail else pattern


def _check(field: str, value: str | None, form: re.Pattern[str], words: str) -> None:
    if value is None:
        return
    check_type(field, value, str, "a string")
    if not holds_token(value) and not form.fullmatch(value):
        raise ValueError(f"{field} must be {words}, got {value!r}")


def _status(field: str, status: str | Sequence[str], known: Sequence[str]) -> dict[str, list[str]]:
    check_type("status", status, (str, Sequence), "a status or several")
    statuses = [status] if isinstance(status, str) else [*status]
    for value in statuses:
        if value not in known:
            raise ValueError(
                f"status must be of {' '.join(known)}, got {value!r}{_status_hint(value, known)}"
            )
    return {field: statuses} if statuses else {}


def _status_hint(value: object, known: Sequence[str]) -> str:
    bare = str(value).replace("_", "").lower()
    near = [name for name in known if name.replace("_", "").lower() == bare]
    return f": events write it {near[0]}" if near else ""
