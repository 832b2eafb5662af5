"""CloudFormation's handlers for pipelines, schedules, schedule groups and event rules.

They go into MiniStack's table of handlers. Each makes the calls that the resource type's own handler makes on
AWS, so that what the service refuses fails the stack, in the service's words.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from ministack.services import eventbridge, s3
from ministack.services.cloudformation import drift, provisioners

from local_aws.emulator import events, pipelines, sagemaker, scheduler
from local_aws.emulator.api import Json, ServiceError

_NOT_FOUND: Final = frozenset({"ResourceNotFound", "ResourceNotFoundException"})
Handled = tuple[str, Json]


class HandlerError(Exception):
    """A refusal, worded as CloudFormation words what a resource handler reports."""

    def __init__(self, service: str, error: ServiceError) -> None:
        detail = f"(Service: {service}, Status Code: {error.status}, Error Code: {error.code})"
        super().__init__(f'Resource handler returned message: "{error.message} {detail}"')


def _call(service: str, api: Callable[[str, Json], Json], operation: str, request: Json) -> Json:
    try:
        return api(operation, request)
    except ServiceError as error:
        raise HandlerError(service, error) from error


def _sagemaker(operation: str, request: Json) -> Json:
    return _call("SageMaker", sagemaker.call, operation, request)


def _scheduler(operation: str, request: Json) -> Json:
    return _call("Scheduler", scheduler.call, operation, request)


def _delete(service: str, api: Callable[[str, Json], Json], operation: str, request: Json) -> None:
    # What is gone already counts as deleted.
    try:
        api(operation, request)
    except ServiceError as error:
        if error.code not in _NOT_FOUND:
            raise HandlerError(service, error) from error


def create_pipeline(logical_id: str, properties: Json, stack_name: str) -> Handled:
    """``AWS::SageMaker::Pipeline``: ``Ref`` is the name and there are no attributes."""
    request = {**_pipeline_request(properties), "Tags": properties.get("Tags", [])}
    _sagemaker("CreatePipeline", request)
    return properties["PipelineName"], {}


def update_pipeline(physical_id: str, old: Json, new: Json, stack_name: str) -> Handled:
    """Everything but the name is updated in place; a property taken out of the template is cleared."""
    _sagemaker("UpdatePipeline", _pipeline_request(new))
    pipeline = pipelines.find_pipeline(physical_id)
    pipeline.display_name = new.get("PipelineDisplayName")
    pipeline.description = new.get("PipelineDescription")
    pipeline.parallelism = new.get("ParallelismConfiguration")
    provisioners._reconcile_tag_map(pipeline.tags, old, new)
    return physical_id, {}


def delete_pipeline(physical_id: str, properties: Json) -> None:
    """Delete the pipeline."""
    _delete("SageMaker", sagemaker.call, "DeletePipeline", {"PipelineName": physical_id})


def _pipeline_request(properties: Json) -> Json:
    request = {
        name: value for name, value in properties.items() if name not in ("PipelineDefinition", "Tags")
    }
    definition = properties.get("PipelineDefinition", {})
    if "PipelineDefinitionBody" in definition:
        body = definition["PipelineDefinitionBody"]
        request["PipelineDefinition"] = body if isinstance(body, str) else json.dumps(body)
    if "PipelineDefinitionS3Location" in definition:
        location = definition["PipelineDefinitionS3Location"]
        _check_etag(location)
        request["PipelineDefinitionS3Location"] = {
            "Bucket": location["Bucket"],
            "ObjectKey": location["Key"],
            **({"VersionId": location["Version"]} if "Version" in location else {}),
        }
    return request


def _check_etag(location: Json) -> None:
    etag = location.get("ETag")
    data = s3._get_object_data(location["Bucket"], location["Key"], location.get("Version"))
    if etag is not None and data is not None and hashlib.md5(data).hexdigest() != etag.strip('"'):
        message = "At least one of the pre-conditions you specified did not hold"
        raise HandlerError("S3", ServiceError("PreconditionFailed", message, 412))


def create_schedule(logical_id: str, properties: Json, stack_name: str) -> Handled:
    """``AWS::Scheduler::Schedule``: ``Ref`` is the name, ``Arn`` the one attribute."""
    name = properties.get("Name") or provisioners._physical_name(stack_name, logical_id, max_len=64)
    arn = _scheduler("CreateSchedule", _schedule_request(name, properties))["ScheduleArn"]
    return name, {"Arn": arn}


def update_schedule(physical_id: str, old: Json, new: Json, stack_name: str) -> Handled:
    """Everything but the name is updated in place. In another group there is no such schedule to update."""
    arn = _scheduler("UpdateSchedule", _schedule_request(physical_id, new))["ScheduleArn"]
    return physical_id, {"Arn": arn}


def delete_schedule(physical_id: str, properties: Json) -> None:
    """Delete the schedule."""
    request = {"Name": physical_id, "GroupName": properties.get("GroupName", "default")}
    _delete("Scheduler", scheduler.call, "DeleteSchedule", request)


def _schedule_request(name: str, properties: Json) -> Json:
    request = {**_numbers(properties), "Name": name}
    for date in ("StartDate", "EndDate"):
        if date in request:
            request[date] = datetime.fromisoformat(request[date]).timestamp()
    return request


_INTEGERS: Final = frozenset({"MaximumWindowInMinutes", "MaximumRetryAttempts", "MaximumEventAgeInSeconds"})


def _numbers(value: Any) -> Any:
    """CloudFormation converts the text "60" to the number that the schema asks for."""
    if isinstance(value, dict):
        return {
            name: int(member) if name in _INTEGERS else _numbers(member) for name, member in value.items()
        }
    return [_numbers(item) for item in value] if isinstance(value, list) else value


def create_group(logical_id: str, properties: Json, stack_name: str) -> Handled:
    """``AWS::Scheduler::ScheduleGroup``: ``Ref`` is the name."""
    name = properties.get("Name") or provisioners._physical_name(stack_name, logical_id, max_len=64)
    _scheduler("CreateScheduleGroup", {"Name": name, "Tags": properties.get("Tags", [])})
    return name, _group_attributes(name)


def update_group(physical_id: str, old: Json, new: Json, stack_name: str) -> Handled:
    """The tags are all that can change in place."""
    arn = scheduler.find_group(physical_id)["Arn"]
    tags = scheduler.group_tags(arn)
    provisioners._reconcile_tag_map(tags, old, new)
    return physical_id, _group_attributes(physical_id)


def delete_group(physical_id: str, properties: Json) -> None:
    """Delete the group, and its schedules with it."""
    _delete("Scheduler", scheduler.call, "DeleteScheduleGroup", {"Name": physical_id})


def _group_attributes(name: str) -> Json:
    group = scheduler.find_group(name)
    attributes = {attribute: group[attribute] for attribute in ("Arn", "State")}
    for date in ("CreationDate", "LastModificationDate"):
        attributes[date] = datetime.fromtimestamp(group[date]).astimezone().isoformat()
    return attributes


def create_rule(logical_id: str, properties: Json, stack_name: str) -> Handled:
    """``AWS::Events::Rule``, through PutRule and PutTargets: MiniStack's own handler checks nothing."""
    name = properties.get("Name") or provisioners._physical_name(stack_name, logical_id, max_len=64)
    bus = provisioners._eb_rule_bus_name(properties)
    eventbridge._ensure_default_bus()
    if eventbridge._rule_key(name, bus) in eventbridge._rules:
        raise HandlerError(
            "EventBridge", ServiceError("ResourceAlreadyExistsException", f"Rule {name} exists.")
        )
    pattern = properties.get("EventPattern", "")
    settings: Json = {key: properties[key] for key in _RULE_SETTINGS if key in properties}
    if isinstance(pattern, dict):
        pattern = json.dumps(pattern)
    _events(eventbridge._put_rule, {**settings, "Name": name, "EventBusName": bus, "EventPattern": pattern})
    try:
        _check_targets(properties)
        request = {"Rule": name, "EventBusName": bus, "Targets": properties.get("Targets", [])}
        _events(eventbridge._put_targets, request)
    except Exception:
        provisioners._eb_rule_delete(name, properties)
        raise
    arn = eventbridge._rules[eventbridge._rule_key(name, bus)]["Arn"]
    provisioners._eb_rule_apply_tags(arn, [], properties.get("Tags") or [])
    return _rule_id(name, bus), {"Arn": arn, "RuleName": name}


def _rule_id(name: str, bus: str) -> str:
    # Not documented, but so on AWS: aws-cloudformation/cloudformation-coverage-roadmap issues 1131 and 1949.
    return name if bus == "default" else f"{bus}|{name}"


def update_rule(physical_id: str, old: Json, new: Json, stack_name: str, logical_id: str) -> Handled:
    """Everything but the name is updated in place, by MiniStack's own handler."""
    _check_targets(new)
    old_name = physical_id.rpartition("|")[2]
    name, attributes = provisioners._eb_rule_update(old_name, old, new, stack_name, logical_id)
    return _rule_id(name, provisioners._eb_rule_bus_name(new)), attributes


def delete_rule(physical_id: str, properties: Json) -> None:
    """Delete the rule, and its targets with it."""
    provisioners._eb_rule_delete(physical_id.rpartition("|")[2], properties)


def _read_rule(physical_id: str, properties: Json) -> Json | None:
    return drift._read_events_rule(physical_id.rpartition("|")[2], properties)  # type: ignore[no-any-return]


def _check_targets(properties: Json) -> None:
    try:
        events.check_targets(properties.get("Targets", []))
    except ServiceError as error:
        raise HandlerError("EventBridge", error) from error


_RULE_SETTINGS: Final = ("Description", "RoleArn", "ScheduleExpression", "State")


def _events(operation: Callable[[Json], Any], request: Json) -> None:
    status, _, body = operation(request)
    if status >= 400:
        document = json.loads(body)
        raise HandlerError("EventBridge", ServiceError(document["__type"], document["message"], status))


def install() -> None:
    """Put the handlers into MiniStack's tables."""
    handlers = provisioners._RESOURCE_HANDLERS
    handlers["AWS::SageMaker::Pipeline"] = {
        "create": create_pipeline,
        "update": update_pipeline,
        "delete": delete_pipeline,
    }
    handlers["AWS::Scheduler::Schedule"] = {
        "create": create_schedule,
        "update": update_schedule,
        "delete": delete_schedule,
    }
    handlers["AWS::Scheduler::ScheduleGroup"] = {
        "create": create_group,
        "update": update_group,
        "delete": delete_group,
    }
    handlers["AWS::Events::Rule"] |= {"create": create_rule, "update": update_rule, "delete": delete_rule}
    drift._DRIFT_READERS["AWS::Events::Rule"] = (_read_rule, frozenset())
    provisioners._REPLACING_PROPERTIES["AWS::SageMaker::Pipeline"] = ("PipelineName",)
    provisioners._REPLACING_PROPERTIES["AWS::Scheduler::Schedule"] = ("Name",)
    provisioners._STACK_TAG_PROPERTY["AWS::SageMaker::Pipeline"] = ("Tags", "list")
