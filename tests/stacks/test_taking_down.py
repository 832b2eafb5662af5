"""What is left of a stage's data when its stack is deleted: all of it where it is kept, and else nothing.

The templates are deployed to the local AWS as they are, without the CLI.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from local_aws.server import LocalAws

_accounts = itertools.count(300_000_000_001)
_PATIENCE_SECONDS = 20
_IAM = ["CAPABILITY_IAM"]


@dataclass
class DataStack:
    """The stack with a stage's data."""

    aws: LocalAws
    template: str

    def create(self) -> None:
        self._client.create_stack(
            StackName="Data", TemplateBody=self.template, Capabilities=["CAPABILITY_IAM"]
        )
        assert self._settled() == "CREATE_COMPLETE"

    def become(self, template: str) -> None:
        self._client.update_stack(StackName="Data", TemplateBody=template, Capabilities=_IAM)
        assert self._settled() == "UPDATE_COMPLETE"

    def delete(self) -> str:
        identifier = self._client.describe_stacks(StackName="Data")["Stacks"][0]["StackId"]
        self._client.delete_stack(StackName="Data")
        status = self._settled(identifier)
        events = self._client.describe_stack_events(StackName=identifier)["StackEvents"]
        failed = [one["ResourceStatusReason"] for one in events if one["ResourceStatus"] == "DELETE_FAILED"]
        return "\n".join([status, *failed])

    def bucket(self, construct: str) -> str:
        listed = self._client.list_stack_resources(StackName="Data")["StackResourceSummaries"]
        (found,) = [
            one["PhysicalResourceId"]
            for one in listed
            if one["ResourceType"] == "AWS::S3::Bucket" and one["LogicalResourceId"].startswith(construct)
        ]
        return str(found)

    def run(self) -> None:
        """What pipelines do: write an object twice and delete another; the access log tells of it."""
        s3, bucket = self.aws.client("s3"), self.bucket("Artifacts")
        for key, body in (("models/model.tar.gz", b"one"), ("models/model.tar.gz", b"two"), ("tmp", b"")):
            s3.put_object(Bucket=bucket, Key=key, Body=body)
        s3.delete_object(Bucket=bucket, Key="tmp")
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self.objects("AccessLogs") and time.monotonic() < deadline:
            time.sleep(0.05)
        assert self.objects("AccessLogs") > 0
        assert self.objects("Artifacts") == 4

    def objects(self, construct: str) -> int:
        """How many versions and delete markers a bucket holds."""
        return count(self.aws, self.bucket(construct))

    @property
    def _client(self) -> Any:
        return self.aws.client("cloudformation")

    def _settled(self, name: str = "Data") -> str:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            status = str(self._client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.02)
        raise TimeoutError(status)


def count(aws: LocalAws, bucket: str) -> int:
    found = aws.client("s3").list_object_versions(Bucket=bucket)
    return len(found.get("Versions", [])) + len(found.get("DeleteMarkers", []))


@pytest.fixture
def data(local_aws: LocalAws, templates: dict[str, Path]) -> Callable[[str], DataStack]:
    """Deploy the data of a stage to an account of its own; what a function's code is does not matter here."""
    aws = replace(local_aws, account=str(next(_accounts)))
    aws.client("s3").create_bucket(Bucket=f"cdk-hnb659fds-assets-{aws.account}-us-east-1")
    aws.client("ssm").put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="99", Type="String")

    def deploy(stage: str) -> DataStack:
        stack = DataStack(aws, text(templates, stage))
        stack.create()
        return stack

    return deploy


def text(templates: dict[str, Path], stage: str) -> str:
    (path,) = (path for name, path in templates.items() if name.startswith(f"{stage}Artifacts"))
    return path.read_text(encoding="utf-8")


def test_nothing_is_left_of_a_stage_that_is_destroyed(data: Callable[[str], DataStack]) -> None:
    stack = data("Dev")
    before = stack.aws.inventory()
    stack.run()
    assert stack.delete() == "DELETE_COMPLETE"
    left = stack.aws.inventory()
    assert left.buckets == (f"cdk-hnb659fds-assets-{stack.aws.account}-us-east-1",)
    assert (left.functions, left.roles, left.topics, left.log_groups) == ((), (), (), ())
    assert left.added_since(before) == {}


def test_the_data_of_a_stage_that_is_kept_outlives_it_with_its_policies(
    data: Callable[[str], DataStack],
) -> None:
    stack = data("Prod")
    stack.run()
    s3, buckets = stack.aws.client("s3"), [stack.bucket("Artifacts"), stack.bucket("AccessLogs")]
    policies = [s3.get_bucket_policy(Bucket=bucket)["Policy"] for bucket in buckets]
    assert stack.delete() == "DELETE_COMPLETE"
    assert count(stack.aws, buckets[0]) == 4
    assert [s3.get_bucket_policy(Bucket=bucket)["Policy"] for bucket in buckets] == policies
    assert all("aws:SecureTransport" in policy for policy in policies)


def test_a_stage_that_is_to_be_kept_from_now_on_loses_no_data(
    data: Callable[[str], DataStack], templates: dict[str, Path]
) -> None:
    """The deployment takes away what empties the buckets, which CloudFormation does by asking it to."""
    stack = data("Dev")
    stack.run()
    stack.become(text(templates, "Prod"))
    assert stack.objects("Artifacts") == 4
    assert stack.objects("AccessLogs") > 0


def test_a_function_to_empty_buckets_is_made_where_they_are_destroyed_alone(
    templates: dict[str, Path],
) -> None:
    for stage, number in (("Dev", 1), ("Prod", 0)):
        kinds = [one["Type"] for one in json.loads(text(templates, stage))["Resources"].values()]
        assert kinds.count("AWS::Lambda::Function") == number
        assert kinds.count("Custom::S3AutoDeleteObjects") == 2 * number
