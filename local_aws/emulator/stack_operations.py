"""Where MiniStack's stack operations differ from CloudFormation: names that are taken, and busy stacks.

Names follow "Validate stack deployments" of the CloudFormation user guide: a resource whose name is taken
fails the change set, or the stack, before anything is made. The words are those that CloudFormation answers.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from ministack.core.responses import new_uuid
from ministack.services import cloudformation
from ministack.services.cloudformation import changesets, handlers, stacks, wait_conditions

from local_aws.emulator import cleanup, deploying_role, pipelines, scheduler
from local_aws.emulator.api import Json

# A tuple of logical id, resource type, name of the validation, path and reason.
Problem = tuple[str, str, str, str, str]
Answer = tuple[int, Any, Any]

_CONFLICT: Final = "NAME_CONFLICT_VALIDATION"
_REASON: Final = (
    "The following hook(s)/validation failed: [AWS::EarlyValidation::ResourceExistenceCheck]. To "
    "troubleshoot Early Validation errors, use the DescribeEvents API for detailed failure information."
)
# The types of this package whose primary identifier is a property that a template can set.
_NAMED: Final[dict[str, tuple[str, Callable[[str], bool]]]] = {
    "AWS::SageMaker::Pipeline": (
        "PipelineName",
        lambda name: any(pipeline.name.lower() == name.lower() for pipeline in pipelines.store.values()),
    ),
    "AWS::Scheduler::ScheduleGroup": ("Name", lambda name: name in scheduler.groups),
}
# "Stack [...] cannot be deleted while in status ..."; a create, though, is cancelled by the deletion.
_BUSY: Final = frozenset(
    {
        "UPDATE_IN_PROGRESS",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    }
)
_deploying: Final[dict[str, asyncio.Task[Any]]] = {}

_ministack_problems: Final = stacks._validation_errors
_ministack_create_change_set: Final = handlers._create_change_set
_ministack_delete_stack: Final = handlers._delete_stack
_ministack_delete: Final = stacks._delete_stack_async


def problems(resources: Json, ordered: list[str], *rest: Any) -> list[Problem]:
    """What MiniStack finds before a deployment, and the names that others have."""
    found: list[Problem] = _ministack_problems(resources, ordered, *rest)
    return [*found, *_conflicts(resources, ordered, *rest)]


def _conflicts(
    resources: Json, ordered: list[str], parameters: Json, conditions: Json, mappings: Json, *rest: Any
) -> Iterator[Problem]:
    stack_name, stack_id = rest[:2]
    own = (cloudformation._stacks.get(stack_name) or {}).get("_resources", {})
    for logical_id in ordered:
        resource = resources[logical_id]
        if resource.get("Type") not in _NAMED or not conditions.get(resource.get("Condition"), True):
            continue
        name_property, exists = _NAMED[resource["Type"]]
        raw = (resource.get("Properties") or {}).get(name_property)
        name = stacks._static_property(raw, resources, parameters, conditions, mappings, stack_name, stack_id)
        is_own = own.get(logical_id, {}).get("PhysicalResourceId") == name
        if isinstance(name, str) and not is_own and exists(name):
            reason = f"Resource of type '{resource['Type']}' with identifier '{name}' already exists."
            yield logical_id, resource["Type"], _CONFLICT, f"/Resources/{logical_id}", reason


def create_change_set(params: Json) -> Answer:
    """CreateChangeSet; one that would make what is there is ``FAILED``, and DescribeEvents says why."""
    answer: Answer = _ministack_create_change_set(params)
    status, _, body = answer
    if status == 200:
        identifier = re.search(r"<Id>(.+?)</Id>", body.decode() if isinstance(body, bytes) else body)
        assert identifier is not None, body
        change_set = cloudformation._change_sets[identifier[1]]
        deploying_role.keep(change_set["StackId"], handlers._p(params, "RoleARN"))
        _validate(change_set)
        _resolve(change_set)
    return answer


def _resolve(change_set: Json) -> None:
    reason = deploying_role.refusal(change_set["StackId"], change_set["_template"], {})
    if reason is not None:
        change_set.update(Status="FAILED", ExecutionStatus="UNAVAILABLE", StatusReason=reason)


def _validate(change_set: Json) -> None:
    name, stack_id = change_set["StackName"], change_set["StackId"]
    stack, template = cloudformation._stacks[name], change_set["_template"]
    stack.pop("_operation_events", None)
    if change_set["Status"] != "CREATE_COMPLETE" or change_set["_disable_validation"]:
        return
    if change_set["ChangeSetType"] == "IMPORT" or change_set["ImportExistingResources"]:
        return
    resources, parameters = template.get("Resources", {}), change_set["_resolved_params"]
    conditions = stacks._evaluate_conditions(template, parameters)
    own = {resource.get("PhysicalResourceId") for resource in stack["_resources"].values()}
    found = problems(
        resources,
        list(resources),
        parameters,
        conditions,
        template.get("Mappings", {}),
        name,
        stack_id,
        frozenset(own),
    )
    conflicts = [problem for problem in found if problem[2] == _CONFLICT]
    if conflicts:
        change_set.update(Status="FAILED", ExecutionStatus="UNAVAILABLE", StatusReason=_REASON)
        stack["_operation_events"] = list(_events(stack_id, conflicts))


def _events(stack_id: str, conflicts: list[Problem]) -> Iterator[Json]:
    operation = new_uuid()
    for logical_id, resource_type, validation, path, reason in conflicts:
        yield stacks._operation_event(
            stack_id,
            operation,
            "VALIDATION_ERROR",
            "CREATE_CHANGESET",
            LogicalResourceId=logical_id,
            ResourceType=resource_type,
            ValidationFailureMode="FAIL",
            ValidationName=validation,
            ValidationStatus="FAILED",
            ValidationStatusReason=reason,
            ValidationPath=path,
        )


def delete_stack(params: Json) -> Answer:
    """DeleteStack; a stack that is being updated cannot be deleted."""
    stack = handlers._resolve_stack(handlers._p(params, "StackName"))
    if stack and stack["StackStatus"] in _BUSY:
        reason = f"Stack [{stack['StackId']}] cannot be deleted while in status {stack['StackStatus']}"
        return handlers._error("ValidationError", reason)  # type: ignore[no-any-return]
    if stack:
        deploying_role.keep(stack["StackId"], handlers._p(params, "RoleARN"))
    return _ministack_delete_stack(params)  # type: ignore[no-any-return]


async def deploy(stack_name: str, stack_id: str, *rest: Any, **options: Any) -> None:
    """Create or update a stack, in a task that a deletion can cancel."""
    task = asyncio.current_task()
    assert task is not None
    _deploying[stack_id] = task
    deploying_role.act(stack_id)
    try:
        await cleanup.deploy(stack_name, stack_id, *rest, **options)
    finally:
        del _deploying[stack_id]


async def delete(stack_name: str, stack_id: str, *rest: Any, **options: Any) -> None:
    """Delete a stack; one that is being created first stops where it is."""
    creating = _deploying.get(stack_id)
    if creating is not None:
        cloudformation._stacks[stack_name]["StackStatus"] = "DELETE_IN_PROGRESS"
        creating.cancel()
        for waiting_stack, waiter in list(wait_conditions._waiting.items()):
            if waiting_stack[0] == stack_id:
                signal = {
                    "Status": "FAILURE",
                    "UniqueId": "cancelled",
                    "Reason": "Resource creation cancelled",
                }
                wait_conditions.deliver_signal(waiter["token"], signal)
        await asyncio.wait({creating})
    deploying_role.act(stack_id)
    await _ministack_delete(stack_name, stack_id, *rest, **options)


def install() -> None:
    """Put the repaired operations into MiniStack's tables and modules."""
    cleanup.install()
    deploying_role.install()
    stacks._validation_errors = problems
    handlers._ACTION_HANDLERS["CreateChangeSet"] = create_change_set
    handlers._ACTION_HANDLERS["DeleteStack"] = delete_stack
    for module in (handlers, changesets):
        module._deploy_stack_async = deploy
    handlers._delete_stack_async = delete
