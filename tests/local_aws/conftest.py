import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local_aws import LocalAws

Template = dict[str, Any]
_accounts = itertools.count(200_000_000_001)
_WAIT_SECONDS = 15.0


@pytest.fixture
def aws(local_aws: LocalAws) -> LocalAws:
    """The running local AWS, seen from an account that no other test uses."""
    return replace(local_aws, account=str(next(_accounts)))


@pytest.fixture
def unchecked(aws: LocalAws) -> Callable[[str], Any]:
    """Makes clients that send whatever they are given, so that the service is what refuses it."""

    def make(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=aws.endpoint_url,
            aws_access_key_id=aws.account,
            aws_secret_access_key="local",
            region_name="us-east-1",
            config=Config(parameter_validation=False),
        )

    return make


@dataclass
class Stack:
    """A CloudFormation stack; every verb waits for its end."""

    aws: LocalAws
    name: str = "Stack"

    def create(self, resources: Template, **arguments: Any) -> str:
        self._cloudformation.create_stack(StackName=self.name, TemplateBody=_body(resources), **arguments)
        return self._settled_status()

    def update(self, resources: Template) -> str:
        self._cloudformation.update_stack(StackName=self.name, TemplateBody=_body(resources))
        return self._settled_status()

    def delete(self) -> str:
        identifier = self.description["StackId"]
        self._cloudformation.delete_stack(StackName=self.name)
        return self._settled_status(identifier)

    def change_set(self, resources: Template) -> list[Template]:
        """The changes that CloudFormation foresees."""
        self._cloudformation.create_change_set(
            StackName=self.name, ChangeSetName="Changes", TemplateBody=_body(resources)
        )
        changes = self._cloudformation.describe_change_set(StackName=self.name, ChangeSetName="Changes")
        return [change["ResourceChange"] for change in changes["Changes"]]

    @property
    def description(self) -> Template:
        return self._cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]  # type: ignore[no-any-return]

    @property
    def failures(self) -> str:
        """The reasons of every failed resource, oldest first."""
        events = self._cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
        failed = [event for event in reversed(events) if event["ResourceStatus"].endswith("_FAILED")]
        return "\n".join(event.get("ResourceStatusReason", "") for event in failed)

    def physical_id(self, logical_id: str) -> str:
        resource = self._cloudformation.describe_stack_resource(
            StackName=self.name, LogicalResourceId=logical_id
        )
        return str(resource["StackResourceDetail"]["PhysicalResourceId"])

    @property
    def _cloudformation(self) -> Any:
        return self.aws.client("cloudformation")

    def _settled_status(self, identifier: str | None = None) -> str:
        deadline = time.monotonic() + _WAIT_SECONDS
        while time.monotonic() < deadline:
            found = self._cloudformation.describe_stacks(StackName=identifier or self.name)
            status = str(found["Stacks"][0]["StackStatus"])
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.02)
        raise TimeoutError(f"{self.name} is still {status}")


def _body(resources: Template) -> str:
    return json.dumps({"Resources": resources})


@pytest.fixture
def stack(aws: LocalAws) -> Stack:
    return Stack(aws)


def _trust(service: str) -> Template:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _allow(*actions: str) -> list[Template]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return [{"PolicyName": "Act", "PolicyDocument": document}]


@pytest.fixture
def role() -> Callable[..., Template]:
    """Makes an ``AWS::IAM::Role`` resource: the service that assumes it, and the actions it allows."""

    def make(service: str = "scheduler", *actions: str, trust: Mapping[str, Any] | None = None) -> Template:
        properties = {
            "AssumeRolePolicyDocument": trust or _trust(f"{service}.amazonaws.com"),
            "Policies": _allow(*(actions or ("sagemaker:StartPipelineExecution", "sqs:SendMessage"))),
        }
        return {"Type": "AWS::IAM::Role", "Properties": properties}

    return make


@pytest.fixture
def pipeline() -> Callable[..., Template]:
    """Makes an ``AWS::SageMaker::Pipeline`` resource with a given list of parameters."""

    def make(name: str = "Training", *, parameters: tuple[Template, ...] = (), **properties: Any) -> Template:
        definition = {"Version": "2020-12-01", "Parameters": list(parameters), "Steps": [{"Name": "Only"}]}
        return {
            "Type": "AWS::SageMaker::Pipeline",
            "Properties": {
                "PipelineName": name,
                "RoleArn": "arn:aws:iam::111122223333:role/execution",
                "PipelineDefinition": {"PipelineDefinitionBody": json.dumps(definition)},
                **properties,
            },
        }

    return make


@pytest.fixture
def schedule() -> Callable[..., Template]:
    """Makes an ``AWS::Scheduler::Schedule`` resource whose role is the resource ``Role``."""

    def make(*, target: Mapping[str, Any] | None = None, **properties: Any) -> Template:
        pipeline_arn = "arn:aws:sagemaker:${AWS::Region}:${AWS::AccountId}:pipeline/training"
        return {
            "Type": "AWS::Scheduler::Schedule",
            "Properties": {
                "ScheduleExpression": "cron(0 3 * * ? *)",
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "Target": {
                    "Arn": {"Fn::Sub": pipeline_arn},
                    "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                    "RetryPolicy": {"MaximumRetryAttempts": 0},
                    **(target or {}),
                },
                **properties,
            },
        }

    return make


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any]], Any]:
    """Waits until a function returns something truthy, and returns that."""

    def wait(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := condition():
                return found
            time.sleep(0.05)
        return condition()

    return wait


@pytest.fixture
def fresh() -> Iterator[Callable[..., LocalAws]]:
    """Starts servers of their own, for tests of starting and stopping."""
    started: list[LocalAws] = []

    def start(**arguments: Any) -> LocalAws:
        started.append(LocalAws.start(**arguments))
        return started[-1]

    yield start
    for server in started:
        server.stop()
