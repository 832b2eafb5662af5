"""DescribeStackResources by physical id, which MiniStack does not know.

"If PhysicalResourceId is specified, the associated resources of the stack that the resource belongs to are
returned": https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResources.html
"""

from __future__ import annotations

from typing import Any, Final

from ministack.services.cloudformation import _stacks, handlers, helpers

_by_stack: Final = handlers._describe_stack_resources


def describe_stack_resources(params: dict[str, Any]) -> Any:
    """DescribeStackResources, by the name of a stack or by the physical id of a resource."""
    physical_id = helpers._p(params, "PhysicalResourceId")
    if not physical_id:
        return _by_stack(params)
    if helpers._p(params, "StackName"):
        message = "StackName and PhysicalResourceId cannot be specified together"
        return helpers._error("ValidationError", message)
    for stack in _stacks.values():
        resources = stack.get("_resources", {}).values()
        if any(resource.get("PhysicalResourceId") == physical_id for resource in resources):
            return _by_stack({**params, "StackName": [stack["StackId"]]})
    return helpers._error("ValidationError", f"Stack for {physical_id} does not exist")


def install() -> None:
    """Put the operation into MiniStack's table."""
    handlers._ACTION_HANDLERS["DescribeStackResources"] = describe_stack_resources
