"""The targets of a schedule: what EventBridge Scheduler checks when it takes one, and what it sends.

Follows "Managing targets" in its user guide. A SageMaker pipeline can be a templated target (the pipeline's
ARN with ``SageMakerPipelineParameters``) or a universal one (``aws-sdk:sagemaker:startPipelineExecution``
with an ``Input``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from local_aws.emulator import api, permissions, pipelines, sagemaker
from local_aws.emulator.api import Json, ServiceError, invalid

_UNIVERSAL: Final = re.compile(r"arn:aws[a-z-]*:scheduler:::aws-sdk:([a-z0-9-]+):([a-zA-Z0-9]+)")
PIPELINE: Final = re.compile(r"arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\d{12}:pipeline/(.+)")
# "Unsupported actions" of "Using universal targets".
_READ_ONLY: Final = re.compile(
    "get|describe|list|poll|receive|search|scan|query|select|read|lookup|discover|validate"
    "|batchGet|batchDescribe|batchRead|transactGet|adminGet|adminList|testMigration|retrieve"
    "|testConnection|translateDocument|isAuthorized|invokeModel"
)
_START: Final = "StartPipelineExecution"


def check(target: Json, group_arn: str) -> None:
    """Check a target as CreateSchedule and UpdateSchedule do.

    Raises:
        ServiceError: the API of a universal target cannot be one, its ``Input`` is missing, or the role is
            not there for EventBridge Scheduler to assume.
    """
    universal = _UNIVERSAL.fullmatch(target["Arn"])
    if universal is not None:
        _check_universal(target, *universal.groups())
    if not permissions.role_trusts(target["RoleArn"], permissions.SCHEDULER, group_arn):
        raise invalid(
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role. "
            f"RoleArn: {target['RoleArn']}"
        )


def _check_universal(target: Json, service: str, action: str) -> None:
    if _READ_ONLY.match(action):
        raise invalid(f"{target['Arn']} is not a supported target: read-only actions cannot be targets.")
    if service == "sagemaker" and api.operation_model("sagemaker", action[:1].upper() + action[1:]) is None:
        raise invalid(f"{target['Arn']} is not a supported target: {service} has no {action}.")
    if "Input" not in target:
        raise invalid(f"Input is required for the universal target {target['Arn']}.")


def start_request(target: Json, attributes: Mapping[str, str]) -> Json | None:
    """The StartPipelineExecution request of a target, or None for a target of another kind.

    Args:
        target: the schedule's target.
        attributes: the context attributes by keyword, ``<aws.scheduler.scheduled-time>`` and the others,
            which are replaced wherever they stand in the payload.

    Raises:
        ServiceError: the ``Input`` is no JSON object, or local AWS does not have the universal target.
    """
    pipeline = PIPELINE.fullmatch(target["Arn"])
    if pipeline is not None:
        listed = target.get("SageMakerPipelineParameters", {}).get("PipelineParameterList", [])
        parameters = [{**parameter, "Value": _filled(parameter["Value"], attributes)} for parameter in listed]
        return {"PipelineName": target["Arn"], "PipelineParameters": parameters}
    universal = _UNIVERSAL.fullmatch(target["Arn"])
    if universal is None:
        return None
    if universal.groups() != ("sagemaker", "startPipelineExecution"):
        raise ServiceError("UnsupportedTarget", f"local AWS cannot call {target['Arn']}.", 501)
    try:
        request = json.loads(_filled(target["Input"], attributes))
    except ValueError as error:
        raise invalid(f"The Input of {target['Arn']} is not JSON: {error}") from error
    if not isinstance(request, dict):
        raise invalid(f"The Input of {target['Arn']} is not a JSON object.")
    return request


def start(request: Json, role_arn: str) -> str:
    """Start the pipeline with the role's permissions; the ARN of the execution.

    Raises:
        ServiceError: what SageMaker answers, or ``AccessDeniedException`` where the role's policies do not
            allow the start.
    """
    name = request.get("PipelineName", "")
    arn = name.lower() if name.startswith("arn:") else pipelines.pipeline_arn(name)
    if not permissions.role_allows(role_arn, f"sagemaker:{_START}", arn):
        raise ServiceError(
            "AccessDeniedException",
            f"{role_arn} is not authorized to perform: sagemaker:{_START} on resource: {arn}",
        )
    return str(sagemaker.call(_START, request)["PipelineExecutionArn"])


def _filled(text: str, attributes: Mapping[str, str]) -> str:
    for keyword, value in attributes.items():
        text = text.replace(keyword, value)
    return text
