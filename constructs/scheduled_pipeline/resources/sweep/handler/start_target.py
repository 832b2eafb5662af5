"""How a start of a pipeline looks: the target of a schedule or of a rule, and the request that it sends.

A target starts a pipeline in one of two ways. A templated target has the pipeline's ARN and, beside it,
``SageMakerPipelineParameters``. A universal target is EventBridge Scheduler's own call of
``StartPipelineExecution``, with the whole request as JSON in ``Input``.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html

The Lambda function that sweeps strays has a copy of this file, so it imports the standard library alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

START_ACTION = "sagemaker:StartPipelineExecution"
"""The IAM action of a start."""

PIPELINE_ARN = re.compile(
    r"arn:[^:]+:sagemaker:(?P<region>[^:]*):(?P<account>[^:]*):pipeline/(?P<name>.+)",
    re.DOTALL,
)
"""The ARN of a pipeline, in any partition."""

_START_CALL = ":scheduler:::aws-sdk:sagemaker:startPipelineExecution"
_START_CALL_ARN = re.compile(rf"arn:[^:]+{_START_CALL}", re.IGNORECASE)

# In a template the parts of an ARN may be written as <AWS::Region>, with colons of their own.
_UNRESOLVED_PIPELINE_ARN = re.compile(r":sagemaker:.*:pipeline/(?P<name>.+)", re.DOTALL)

# EventBridge Scheduler puts in a value of its own at each run.
_CONTEXT = "<aws.scheduler."


def start_call_arn(partition: str = "aws") -> str:
    """Return the ARN of the universal target that starts a pipeline."""
    return f"arn:{partition}{_START_CALL}"


def is_start_call(target_arn: str) -> bool:
    """Say whether a target is the scheduler's own call of ``StartPipelineExecution``."""
    return _START_CALL_ARN.fullmatch(target_arn) is not None


def starts_pipeline(target_arn: str) -> bool:
    """Say whether a target is a pipeline, or the scheduler's own call that starts one."""
    return PIPELINE_ARN.fullmatch(target_arn) is not None or is_start_call(target_arn)


def start_request(
    *,
    pipeline_name: str,
    client_request_token: str,
    parameters: Iterable[tuple[str, str]] = (),
    display_name: str | None = None,
    version_id: int | None = None,
) -> dict[str, Any]:
    """Return the request of the universal target, as it is written into ``Input``.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StartPipelineExecution.html

    Args:
        pipeline_name: name or ARN of the pipeline.
        client_request_token: 32 to 128 characters; the same token starts one execution.
        parameters: names and values, in their order.
        display_name: of the execution. Default: none.
        version_id: of the pipeline. Default: its latest version.
    """
    listed = [{"Name": name, "Value": value} for name, value in parameters]
    optional = {
        "PipelineExecutionDisplayName": display_name,
        "PipelineVersionId": version_id,
        "PipelineParameters": listed or None,
    }
    given = {name: value for name, value in optional.items() if value is not None}
    return {"PipelineName": pipeline_name, "ClientRequestToken": client_request_token, **given}


def pipeline_named(target: Mapping[str, Any]) -> str | None:
    """Return the name or the ARN of the pipeline that a target starts, as the target has it.

    Args:
        target: as the APIs of Scheduler and EventBridge have it, with ``Arn`` and perhaps ``Input``.

    Returns:
        None when the target does not say which pipeline it starts.
    """
    # PipelineName of StartPipelineExecution is a name or an ARN.
    named = request_of(target).get("PipelineName") if is_start_call(target["Arn"]) else target["Arn"]
    return named if isinstance(named, str) and named and _CONTEXT not in named else None


def parameters_of(target: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the names and values that a target gives the pipeline; what is no text is given as JSON.

    Args:
        target: as for ``pipeline_named``.
    """
    if is_start_call(target["Arn"]):
        listed = request_of(target).get("PipelineParameters")
    else:
        listed = (target.get("SageMakerPipelineParameters") or {}).get("PipelineParameterList")
    pairs = (members(pair) for pair in (listed if isinstance(listed, list) else []) if isinstance(pair, dict))
    return tuple((_text(pair.get("Name")), _text(pair.get("Value"))) for pair in pairs)


def request_of(target: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request of a universal target, empty when it cannot be read."""
    try:
        request = json.loads(target.get("Input") or "{}")
    except (RecursionError, TypeError, ValueError):
        return {}
    return members(request) if isinstance(request, dict) else {}


def members(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a request, or of an object in it, by their names in the API.

    AWS does not say whether EventBridge Scheduler minds the case of the first letter, so both count.
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
    """
    return {name[:1].upper() + name[1:]: value for name, value in request.items()}


def unresolved_pipeline_named(target: Mapping[str, Any]) -> str | None:
    """Return the name of the pipeline that a target in a template starts, or None if it starts none.

    Args:
        target: with ``Arn`` and ``Input`` as text in which ``<AWS::Region>`` stands for what only the
            deployment knows. An ARN that is not known at all counts where the target has parameters for a
            pipeline.
    """
    arn = target["Arn"]
    if arn.lower().endswith(_START_CALL.lower()):
        named = request_of(target).get("PipelineName")
        return named if isinstance(named, str) else "<PipelineName>"
    match = _UNRESOLVED_PIPELINE_ARN.search(arn)
    if match is not None:
        return match["name"]
    return arn if "SageMakerPipelineParameters" in target else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
