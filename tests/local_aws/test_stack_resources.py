"""The stack of a resource, found by its physical id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws import LocalAws


def test_a_physical_id_leads_to_its_stack(
    aws: LocalAws, stack: Any, pipeline: Callable[..., Any], role: Callable[..., Any]
) -> None:
    assert stack.create({"Role": role(), "Pipeline": pipeline("Mine")}) == "CREATE_COMPLETE"
    client = aws.client("cloudformation")
    found = client.describe_stack_resources(PhysicalResourceId="Mine")["StackResources"]
    assert {one["StackName"] for one in found} == {stack.name}
    assert {one["LogicalResourceId"] for one in found} == {"Role", "Pipeline"}
    by_name = client.describe_stack_resources(StackName=stack.name)["StackResources"]
    assert [one["LogicalResourceId"] for one in by_name] == [one["LogicalResourceId"] for one in found]


def test_what_no_stack_owns_is_refused(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="Stack for Nobody does not exist"):
        aws.client("cloudformation").describe_stack_resources(PhysicalResourceId="Nobody")


def test_a_stack_and_a_physical_id_together_are_refused(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="ValidationError"):
        aws.client("cloudformation").describe_stack_resources(StackName="S", PhysicalResourceId="Nobody")
