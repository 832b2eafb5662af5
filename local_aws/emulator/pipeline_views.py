"""How SageMaker shows pipelines and executions: Describe, List and the tags."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from local_aws.emulator import api, pipelines
from local_aws.emulator.api import Json, ServiceError
from local_aws.emulator.definition import Definition
from local_aws.emulator.pipelines import Execution, Pipeline


def describe_pipeline(request: Json) -> Json:
    """DescribePipeline, of the latest or of the given version."""
    pipeline = pipelines.find_pipeline(request["PipelineName"])
    version = request.get("PipelineVersionId", len(pipeline.definitions))
    if version > len(pipeline.definitions):
        raise ServiceError("ResourceNotFound", f"Version {version} of '{pipeline.arn}' does not exist.")
    return {
        **_pipeline_summary(pipeline),
        "PipelineDefinition": pipeline.definitions[version - 1],
        "PipelineStatus": "Active",
        "LastRunTime": _last_start(pipeline),
        "CreatedBy": {},
        "LastModifiedBy": {},
        "ParallelismConfiguration": pipeline.parallelism,
    }


def list_pipelines(request: Json) -> Json:
    """ListPipelines: filters, order and paging."""
    prefix = request.get("PipelineNamePrefix", "")
    found = [pipeline for pipeline in pipelines.store.values() if pipeline.name.startswith(prefix)]
    found = _within(found, request, lambda pipeline: pipeline.created)
    by_name = request.get("SortBy") == "Name"
    found.sort(
        key=lambda pipeline: pipeline.name if by_name else pipeline.created, reverse=_descending(request)
    )
    return _listing("PipelineSummaries", [_list_entry(pipeline) for pipeline in found], request)


def list_pipeline_versions(request: Json) -> Json:
    """ListPipelineVersions."""
    pipeline = pipelines.find_pipeline(request["PipelineName"])
    versions = [
        {"PipelineArn": pipeline.arn, "PipelineVersionId": number, "CreationTime": pipeline.created}
        for number in range(1, len(pipeline.definitions) + 1)
    ]
    return _listing("PipelineVersionSummaries", versions[::-1] if _descending(request) else versions, request)


def describe_pipeline_execution(request: Json) -> Json:
    """DescribePipelineExecution."""
    pipeline, execution = pipelines.find_execution(request["PipelineExecutionArn"])
    return {
        "PipelineArn": execution.pipeline_arn,
        "PipelineExecutionArn": execution.arn,
        "PipelineExecutionDisplayName": execution.display_name,
        "PipelineExecutionStatus": execution.status,
        "PipelineExecutionDescription": execution.request.get("PipelineExecutionDescription"),
        "FailureReason": execution.failure_reason,
        "CreationTime": execution.started,
        "LastModifiedTime": execution.modified,
        "CreatedBy": {},
        "LastModifiedBy": {},
        "ParallelismConfiguration": execution.request.get("ParallelismConfiguration", pipeline.parallelism),
        "PipelineVersionId": execution.version,
    }


def describe_pipeline_definition_for_execution(request: Json) -> Json:
    """DescribePipelineDefinitionForExecution: the definition as it was at the start."""
    _, execution = pipelines.find_execution(request["PipelineExecutionArn"])
    return {"PipelineDefinition": execution.definition, "CreationTime": execution.started}


def list_pipeline_executions(request: Json) -> Json:
    """ListPipelineExecutions: filters, order and paging."""
    pipeline = pipelines.find_pipeline(request["PipelineName"])
    found = _within(pipeline.executions, request, lambda execution: execution.started)
    found.sort(key=lambda execution: execution.started, reverse=_descending(request))
    summaries = [
        {
            "PipelineExecutionArn": execution.arn,
            "StartTime": execution.started,
            "PipelineExecutionStatus": execution.status,
            "PipelineExecutionDisplayName": execution.display_name,
            "PipelineExecutionDescription": execution.request.get("PipelineExecutionDescription"),
            "PipelineExecutionFailureReason": execution.failure_reason,
        }
        for execution in found
    ]
    return _listing("PipelineExecutionSummaries", summaries, request)


def list_pipeline_parameters_for_execution(request: Json) -> Json:
    """ListPipelineParametersForExecution: given values and defaults together."""
    _, execution = pipelines.find_execution(request["PipelineExecutionArn"])
    return _listing("PipelineParameters", execution.parameters, request)


def list_pipeline_execution_steps(request: Json) -> Json:
    """ListPipelineExecutionSteps: the definition's steps, each in the status of the execution.

    Where a step failed, those before it have succeeded and those after it have not begun, unless the
    execution completed with failures: then they have succeeded too.
    """
    _, execution = pipelines.find_execution(request["PipelineExecutionArn"])
    failed, reason = execution.failed_step or (None, None)
    with_failures = execution.status == pipelines.COMPLETED_WITH_FAILURES
    steps = []
    for step in Definition.parse(execution.definition).steps:
        name = step.get("Name")
        steps.append(
            {
                "StepName": name,
                "StepDisplayName": step.get("DisplayName"),
                "StepStatus": _step_status(execution, name, failed),
                "StartTime": execution.started,
                "EndTime": execution.modified if execution.ended else None,
                "FailureReason": reason if name == failed else None,
            }
        )
        if name == failed and not with_failures:
            break
    return _listing("PipelineExecutionSteps", steps, request)


def _step_status(execution: Execution, name: str | None, failed: str | None) -> str:
    if failed is None:
        return execution.status
    return "Failed" if name == failed else "Succeeded"


def list_tags(request: Json) -> Json:
    """ListTags of a pipeline."""
    tags = pipelines.find_pipeline(request["ResourceArn"]).tags
    return _listing("Tags", [{"Key": key, "Value": value} for key, value in tags.items()], request)


def add_tags(request: Json) -> Json:
    """AddTags to a pipeline."""
    tags = pipelines.find_pipeline(request["ResourceArn"]).tags
    tags.update({tag["Key"]: tag["Value"] for tag in request["Tags"]})
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def delete_tags(request: Json) -> Json:
    """DeleteTags from a pipeline."""
    tags = pipelines.find_pipeline(request["ResourceArn"]).tags
    for key in request["TagKeys"]:
        tags.pop(key, None)
    return {}


def _pipeline_summary(pipeline: Pipeline) -> Json:
    return {
        "PipelineArn": pipeline.arn,
        "PipelineName": pipeline.name,
        "PipelineDisplayName": pipeline.display_name or pipeline.name,
        "PipelineDescription": pipeline.description,
        "RoleArn": pipeline.role_arn,
        "CreationTime": pipeline.created,
        "LastModifiedTime": pipeline.modified,
    }


def _list_entry(pipeline: Pipeline) -> Json:
    return {**_pipeline_summary(pipeline), "LastExecutionTime": _last_start(pipeline)}


def _last_start(pipeline: Pipeline) -> float | None:
    return pipeline.executions[-1].started if pipeline.executions else None


def _descending(request: Json) -> bool:
    return bool(request.get("SortOrder", "Descending") == "Descending")


def _within(items: list[Any], request: Json, moment: Callable[[Any], float]) -> list[Any]:
    after, before = request.get("CreatedAfter", float("-inf")), request.get("CreatedBefore", float("inf"))
    return [item for item in items if after <= moment(item) <= before]


def _listing(name: str, items: list[Json], request: Json) -> Json:
    present = [{key: value for key, value in item.items() if value is not None} for item in items]
    shown, token = api.page(present, request.get("MaxResults"), request.get("NextToken"))
    return {name: shown, "NextToken": token}


ACTIONS: Final[dict[str, Callable[[Json], Json]]] = {
    "DescribePipeline": describe_pipeline,
    "ListPipelines": list_pipelines,
    "ListPipelineVersions": list_pipeline_versions,
    "DescribePipelineExecution": describe_pipeline_execution,
    "DescribePipelineDefinitionForExecution": describe_pipeline_definition_for_execution,
    "ListPipelineExecutions": list_pipeline_executions,
    "ListPipelineParametersForExecution": list_pipeline_parameters_for_execution,
    "ListPipelineExecutionSteps": list_pipeline_execution_steps,
    "ListTags": list_tags,
    "AddTags": add_tags,
    "DeleteTags": delete_tags,
}
