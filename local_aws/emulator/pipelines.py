"""SageMaker pipelines and their executions, kept by account and Region as MiniStack keeps its resources.

Executions are recorded, never run: no job is started. An execution is ``Executing`` until the clock, a stop
or ``LocalAws.finish`` ends it.
"""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region

from local_aws.emulator.api import Json, ServiceError, invalid
from local_aws.emulator.definition import Definition

_ID_ALPHABET: Final = string.ascii_lowercase + string.digits
COMPLETED_WITH_FAILURES: Final = "CompletedWithFailures"
ENDED: Final = frozenset({"Stopped", "Failed", "Succeeded", COMPLETED_WITH_FAILURES})


@dataclass(kw_only=True)
class Execution:
    """One pipeline execution, as DescribePipelineExecution shows it."""

    arn: str
    pipeline_arn: str
    account: str
    region: str
    definition: str
    version: int
    parameters: list[Json]
    request: Json
    status: str = "Executing"
    failure_reason: str | None = None
    failed_step: tuple[str, str | None] | None = None
    started: float = field(default_factory=time.time)
    modified: float = field(default_factory=time.time)

    @property
    def display_name(self) -> str:
        """The name given at the start; SageMaker makes one of the start time where none was given."""
        given = self.request.get("PipelineExecutionDisplayName")
        return str(given) if given is not None else f"execution-{int(self.started * 1000)}"

    @property
    def ended(self) -> bool:
        """Whether the status is final."""
        return self.status in ENDED


@dataclass(kw_only=True)
class Pipeline:
    """One pipeline and its versions; the last version is the one that a start takes."""

    name: str
    arn: str
    role_arn: str
    display_name: str | None
    description: str | None
    parallelism: Json | None
    definitions: list[str]
    tags: dict[str, str]
    token: str | None
    created: float = field(default_factory=time.time)
    modified: float = field(default_factory=time.time)
    executions: list[Execution] = field(default_factory=list)


StatusListener = Callable[[Pipeline, Execution, str | None], None]

store: Any = AccountRegionScopedDict()  # name -> Pipeline, of the request's account and Region
status_listeners: list[StatusListener] = []


def pipeline_arn(name: str) -> str:
    """The ARN of a pipeline of this account and Region; SageMaker writes the name in lower case."""
    return f"arn:aws:sagemaker:{get_region()}:{get_account_id()}:pipeline/{name.lower()}"


def running() -> Iterator[tuple[Pipeline, Execution]]:
    """Every execution that has not ended, of all accounts and Regions."""
    for pipeline in list(store.to_dict().values()):
        yield from ((pipeline, execution) for execution in pipeline.executions if not execution.ended)


def change_status(pipeline: Pipeline, execution: Execution, status: str, reason: str | None = None) -> None:
    """Move an execution to a status and tell the listeners (EventBridge hears of it as on AWS)."""
    previous, execution.status = execution.status, status
    execution.failure_reason = reason
    execution.modified = time.time()
    for listener in status_listeners:
        listener(pipeline, execution, previous)


def find_pipeline(name_or_arn: str) -> Pipeline:
    """The pipeline of this name or ARN.

    Raises:
        ServiceError: ``ResourceNotFound``.
    """
    for pipeline in store.values():
        if name_or_arn in (pipeline.name, pipeline.arn) or name_or_arn.lower() == pipeline.arn:
            return pipeline  # type: ignore[no-any-return]
    arn = name_or_arn if name_or_arn.startswith("arn:") else pipeline_arn(name_or_arn)
    raise ServiceError("ResourceNotFound", f"Pipeline '{arn}' does not exist.")


def find_execution(arn: str) -> tuple[Pipeline, Execution]:
    """The execution of this ARN and its pipeline.

    Raises:
        ServiceError: ``ResourceNotFound``.
    """
    for pipeline in store.values():
        for execution in pipeline.executions:
            if execution.arn == arn:
                return pipeline, execution
    raise ServiceError("ResourceNotFound", f"Pipeline execution '{arn}' does not exist.")


def create_pipeline(request: Json) -> Json:
    """CreatePipeline; the same ``ClientRequestToken`` gives the same pipeline."""
    name, token = request["PipelineName"], request.get("ClientRequestToken")
    existing = store.get(name)
    if existing is not None and token is not None and existing.token == token:
        return {"PipelineArn": existing.arn}
    if any(pipeline.name.lower() == name.lower() for pipeline in store.values()):
        raise invalid(
            "Pipeline names must be unique within an AWS account and region. "
            f"Pipeline with name ({name}) already exists."
        )
    definition = _definition_text(request)
    if definition is None:
        raise invalid("Either Pipeline Definition or Pipeline Definition S3 location should be provided.")
    pipeline = Pipeline(
        name=name,
        arn=pipeline_arn(name),
        role_arn=request["RoleArn"],
        display_name=request.get("PipelineDisplayName"),
        description=request.get("PipelineDescription"),
        parallelism=request.get("ParallelismConfiguration"),
        definitions=[definition],
        tags={tag["Key"]: tag["Value"] for tag in request.get("Tags") or []},
        token=token,
    )
    store[name] = pipeline
    return {"PipelineArn": pipeline.arn}


def update_pipeline(request: Json) -> Json:
    """UpdatePipeline: what is given changes, and a changed definition becomes a new version."""
    pipeline = find_pipeline(request["PipelineName"])
    definition = _definition_text(request)
    if definition is not None and definition != pipeline.definitions[-1]:
        pipeline.definitions.append(definition)
    pipeline.role_arn = request.get("RoleArn", pipeline.role_arn)
    pipeline.display_name = request.get("PipelineDisplayName", pipeline.display_name)
    pipeline.description = request.get("PipelineDescription", pipeline.description)
    pipeline.parallelism = request.get("ParallelismConfiguration", pipeline.parallelism)
    pipeline.modified = time.time()
    return {"PipelineArn": pipeline.arn, "PipelineVersionId": len(pipeline.definitions)}


def delete_pipeline(request: Json) -> Json:
    """DeletePipeline: refused while an execution runs; the executions go with the pipeline."""
    pipeline = find_pipeline(request["PipelineName"])
    if not all(execution.ended for execution in pipeline.executions):
        message = f"Pipeline '{pipeline.arn}' has running executions. Stop them before you delete it."
        raise ServiceError("ConflictException", message)
    store.pop(pipeline.name)
    return {"PipelineArn": pipeline.arn}


def start_pipeline_execution(request: Json) -> Json:
    """StartPipelineExecution; one ``ClientRequestToken`` starts at most one execution of a pipeline."""
    pipeline = find_pipeline(request["PipelineName"])
    token = request.get("ClientRequestToken")
    for execution in pipeline.executions:
        if token is not None and execution.request.get("ClientRequestToken") == token:
            return {"PipelineExecutionArn": execution.arn}
    version = request.get("PipelineVersionId", len(pipeline.definitions))
    if version > len(pipeline.definitions):
        raise ServiceError("ResourceNotFound", f"Version {version} of '{pipeline.arn}' does not exist.")
    definition = pipeline.definitions[version - 1]
    identifier = "".join(secrets.choice(_ID_ALPHABET) for _ in range(12))
    execution = Execution(
        arn=f"{pipeline.arn}/execution/{identifier}",
        pipeline_arn=pipeline.arn,
        account=get_account_id(),
        region=get_region(),
        definition=definition,
        version=version,
        parameters=Definition.parse(definition).arguments(request.get("PipelineParameters") or []),
        request=request,
    )
    pipeline.executions.append(execution)
    for listener in status_listeners:
        listener(pipeline, execution, None)
    return {"PipelineExecutionArn": execution.arn}


def stop_pipeline_execution(request: Json) -> Json:
    """StopPipelineExecution. Nothing runs, so the execution is ``Stopped`` at once."""
    pipeline, execution = find_execution(request["PipelineExecutionArn"])
    if execution.ended:
        raise invalid(f"Pipeline execution '{execution.arn}' in status {execution.status} cannot be stopped.")
    change_status(pipeline, execution, "Stopped")
    return {"PipelineExecutionArn": execution.arn}


def _definition_text(request: Json) -> str | None:
    body, location = request.get("PipelineDefinition"), request.get("PipelineDefinitionS3Location")
    if body is not None and location is not None:
        raise invalid("Both Pipeline Definition and Pipeline Definition S3 Location shouldn't be present.")
    if location is not None:
        body = _object_text(location["Bucket"], location["ObjectKey"], location.get("VersionId"))
    if body is not None:
        Definition.parse(body)
    return body


def _object_text(bucket: str, key: str, version: str | None) -> str:
    # Inside, as MiniStack loads each service on its first request.
    from ministack.services import s3

    data = s3._get_object_data(bucket, key, version)
    if data is None:
        raise invalid(f"Unable to read the pipeline definition s3://{bucket}/{key}.")
    return str(data, "utf-8")


ACTIONS: Final[dict[str, Callable[[Json], Json]]] = {
    "CreatePipeline": create_pipeline,
    "UpdatePipeline": update_pipeline,
    "DeletePipeline": delete_pipeline,
    "StartPipelineExecution": start_pipeline_execution,
    "StopPipelineExecution": stop_pipeline_execution,
}
