"""The sweep's function, invoked against the local AWS as CloudFormation invokes it."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from typing import Any

import boto3
import index  # the Lambda function
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from local_aws import LocalAws

Answer = dict[str, Any]
_accounts = itertools.count(300_000_000_001)
START_CALL = "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
PLENTY = 100_000


@dataclass
class Context:
    """What of Lambda's context the function uses."""

    milliseconds: Iterator[int]

    def get_remaining_time_in_millis(self) -> int:
        return next(self.milliseconds)


@pytest.fixture(scope="module")
def mailbox() -> Iterator[tuple[str, list[Answer]]]:
    """A place that answers are put to, as CloudFormation's pre-signed URL is one."""
    answers: list[Answer] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answers.append({**json.loads(body), "ContentType": self.headers["Content-Type"]})
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/answer", answers
        server.shutdown()
        thread.join()


@dataclass
class Account:
    """An account whose pipeline Training is going away: its stack has another pipeline already."""

    aws: LocalAws
    mailbox: tuple[str, list[Answer]]
    role_arn: str = ""
    stack_id: str = ""
    clients: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": ["scheduler.amazonaws.com", "events.amazonaws.com"]},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
        role = self.aws.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))
        self.role_arn = role["Role"]["Arn"]
        self.stack_id = self.deploy("Own", {"Pipeline": self.pipeline("Other")})

    def arn(self, name: str) -> str:
        return f"arn:aws:sagemaker:us-east-1:{self.aws.account}:pipeline/{name}"

    def pipeline(self, name: str) -> Answer:
        definition = json.dumps({"Version": "2020-12-01", "Steps": []})
        properties = {
            "PipelineName": name,
            "RoleArn": self.role_arn,
            "PipelineDefinition": {"PipelineDefinitionBody": definition},
        }
        return {"Type": "AWS::SageMaker::Pipeline", "Properties": properties}

    def schedule(self, name: str, *, target: str = "training", **target_members: Any) -> Answer:
        arn = target if target.startswith("arn:") else self.arn(target)
        return {
            "Name": name,
            "ScheduleExpression": "cron(0 3 * * ? *)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": "DISABLED",
            "Target": {"Arn": arn, "RoleArn": self.role_arn, **target_members},
        }

    def add_schedule(self, name: str, *, group: str | None = None, **arguments: Any) -> None:
        scheduler = self.aws.client("scheduler")
        if group is not None:
            scheduler.create_schedule_group(Name=group)
        scheduler.create_schedule(**self.schedule(name, **arguments), GroupName=group or "default")

    def add_rule(self, name: str, *targets: str, bus: str = "default") -> None:
        events = self.aws.client("events")
        if bus != "default":
            events.create_event_bus(Name=bus)
        events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps({"source": ["my.app"]}))
        listed = [
            {"Id": str(number), "Arn": arn, "RoleArn": self.role_arn} for number, arn in enumerate(targets)
        ]
        events.put_targets(Rule=name, EventBusName=bus, Targets=listed)

    def deploy(self, name: str, resources: Answer) -> str:
        client = self.aws.client("cloudformation")
        stack_id = client.create_stack(StackName=name, TemplateBody=json.dumps({"Resources": resources}))
        client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 0.05})
        return str(stack_id["StackId"])

    def invoke(self, request_type: str = "Delete", *, time_left: Iterator[int] | None = None) -> Answer:
        event = {
            "RequestType": request_type,
            "PhysicalResourceId": "Training",
            "ResourceProperties": {
                "PipelineName": "Training",
                "PipelineArns": [self.arn("training"), self.arn("Training")],
            },
        }
        return self.send(event, time_left)

    def send(self, event: Answer, time_left: Iterator[int] | None = None) -> Answer:
        url, answers = self.mailbox
        frame = {
            "StackId": self.stack_id,
            "RequestId": "request",
            "LogicalResourceId": "StraySweep",
            "ResponseURL": url,
        }
        answers.clear()
        index.handler({**frame, **event}, Context(time_left or itertools.repeat(PLENTY)))
        (answer,) = answers
        assert answer["Status"] == "SUCCESS"
        return answer

    @property
    def schedules(self) -> list[str]:
        return list(self.aws.inventory().schedules)

    def targets(self, rule: str, bus: str = "default") -> list[str]:
        listed = self.aws.client("events").list_targets_by_rule(Rule=rule, EventBusName=bus)["Targets"]
        return [target["Arn"] for target in listed]


@pytest.fixture
def account(
    local_aws: LocalAws, mailbox: tuple[str, list[Answer]], monkeypatch: pytest.MonkeyPatch
) -> Account:
    aws = replace(local_aws, account=str(next(_accounts)))
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    return Account(aws, mailbox)


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the calls of an operation with a text in their URL or body fail, each time."""
    new_client = boto3.client

    def refuse(service: str, operation: str, code: str, *, status: int = 400, text: str = "") -> None:
        def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
            if text not in f"{request.url} {request.body!r}":
                return None
            headers = {"x-amzn-errortype": code, "content-type": "application/json"}
            error = f"<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>"
            body = error if service == "cloudformation" else json.dumps({"__type": code})
            return AWSResponse(request.url, status, headers, _Raw(body.encode()))

        def client(name: str, **arguments: Any) -> Any:
            made = new_client(name, **arguments)
            if name == service:
                made.meta.events.register(f"before-send.{service}.{operation}", answer)
            return made

        monkeypatch.setattr(boto3, "client", client)
        monkeypatch.setattr(time, "sleep", lambda seconds: None)  # between attempts

    return refuse


class _Raw(BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def test_a_schedule_in_any_group_that_starts_the_pipeline_is_removed(account: Account) -> None:
    account.add_schedule("plain")
    account.add_schedule("spelled", target="Training", group="mine")
    account.add_schedule("other", target="other")
    answer = account.invoke()
    assert account.schedules == ["default/other"]
    assert answer["Reason"] == ("left: nothing. removed: schedule default/plain; schedule mine/spelled")


@pytest.mark.parametrize("named", ["Training", "training", "ARN"])
def test_a_schedule_with_a_request_of_its_own_is_read(account: Account, named: str) -> None:
    name = account.arn("training") if named == "ARN" else named
    account.add_schedule("ours", target=START_CALL, Input=json.dumps({"PipelineName": name}))
    account.add_schedule("small", target=START_CALL, Input=json.dumps({"pipelineName": name}))
    account.add_schedule("odd", target=START_CALL, Input="not JSON")
    account.add_schedule("theirs", target=START_CALL, Input=json.dumps({"PipelineName": "Other"}))
    account.invoke()
    assert account.schedules == ["default/odd", "default/theirs"]


def test_targets_of_rules_on_any_bus_are_removed_and_the_others_stay(account: Account) -> None:
    other = account.arn("other")
    account.add_rule("both", other, account.arn("training"))
    account.add_rule("mine", account.arn("Training"), bus="my-bus")
    answer = account.invoke()
    assert account.targets("both") == [other]
    assert account.targets("mine", "my-bus") == []
    assert "removed: targets of rule default/both; targets of rule my-bus/mine" in answer["Reason"]


def test_more_schedules_than_a_page_has_are_removed(account: Account) -> None:
    for number in range(104):
        account.add_schedule(f"s{number}")
    account.add_schedule("z", target="other")
    answer = account.invoke()
    assert account.schedules == ["default/z"]
    assert len(answer["Reason"]) == 1_000


def test_what_a_stack_owns_is_left_and_named(account: Account) -> None:
    owned = {"Type": "AWS::Scheduler::Schedule", "Properties": account.schedule("owned")}
    target = {"Id": "P", "Arn": account.arn("training"), "RoleArn": account.role_arn}
    rule = {"Name": "owned-rule", "EventPattern": {"source": ["my.app"]}, "Targets": [target]}
    account.deploy("Theirs", {"Schedule": owned, "Rule": {"Type": "AWS::Events::Rule", "Properties": rule}})
    account.add_schedule("stray")
    answer = account.invoke()
    assert account.schedules == ["default/owned"]
    assert len(account.targets("owned-rule")) == 1
    assert "left: schedule default/owned (stack Theirs owns it); " in answer["Reason"]
    assert "rule default/owned-rule (stack Theirs owns it)" in answer["Reason"]


def test_a_second_sweep_finds_nothing(account: Account) -> None:
    account.add_schedule("stray")
    account.invoke()
    assert account.invoke()["Reason"] == "left: nothing. removed: nothing"


@pytest.mark.parametrize(("code", "status"), [("AccessDeniedException", 403), ("ThrottlingException", 429)])
def test_one_that_cannot_be_deleted_does_not_keep_the_others(
    account: Account, refuse: Callable[..., None], code: str, status: int
) -> None:
    for name in ("first", "second", "third"):
        account.add_schedule(name)
    refuse("scheduler", "DeleteSchedule", code, status=status, text="second")
    answer = account.invoke()
    assert account.schedules == ["default/second"]
    assert f"left: schedule default/second ({code}). removed: schedule default/first" in answer["Reason"]


def test_one_that_is_gone_meanwhile_is_not_left(account: Account, refuse: Callable[..., None]) -> None:
    account.add_schedule("stray")
    refuse("scheduler", "DeleteSchedule", "ResourceNotFoundException", status=404)
    assert account.invoke()["Reason"] == "left: nothing. removed: nothing"


def test_a_list_that_is_refused_does_not_keep_the_other_from_being_swept(
    account: Account, refuse: Callable[..., None]
) -> None:
    account.add_schedule("stray")
    account.add_rule("stray", account.arn("training"))
    refuse("scheduler", "ListSchedules", "AccessDeniedException", status=403)
    answer = account.invoke()
    assert account.targets("stray") == []
    assert "left: schedules (AccessDeniedException)" in answer["Reason"]


@pytest.mark.parametrize(("code", "status"), [("AccessDenied", 403), ("ValidationError", 400)])
def test_what_may_be_owned_is_left_where_that_cannot_be_asked(
    account: Account, refuse: Callable[..., None], code: str, status: int
) -> None:
    account.add_schedule("stray")
    refuse("cloudformation", "DescribeStackResources", code, status=status)
    assert f"left: schedule default/stray ({code})" in account.invoke()["Reason"]
    assert account.schedules == ["default/stray"]


def test_it_stops_and_answers_before_its_time_is_up(account: Account) -> None:
    for name in ("first", "second"):
        account.add_schedule(name)
    answer = account.invoke(time_left=iter([PLENTY, PLENTY, PLENTY, 19_999]))
    assert account.schedules == ["default/second"]
    assert answer["Reason"] == (
        "left: what was not looked at before the time was up. removed: schedule default/first"
    )


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_it_does_nothing_while_the_pipeline_is_there(account: Account, request_type: str) -> None:
    account.add_schedule("stray")
    answer = account.invoke(request_type)
    assert account.schedules == ["default/stray"]
    assert (answer["Reason"], answer["PhysicalResourceId"]) == ("nothing to do", "Training")


def test_it_does_nothing_when_it_is_taken_out_of_a_stack_that_keeps_the_pipeline(account: Account) -> None:
    account.add_schedule("stray")
    account.stack_id = account.deploy("Keeps", {"Pipeline": account.pipeline("Training")})
    answer = account.invoke()
    assert account.schedules == ["default/stray"]
    assert answer["Reason"] == "not swept: the pipeline Training stays"


@pytest.mark.parametrize(("policy", "left"), [("Retain", ["default/stray"]), ("Delete", [])])
def test_it_does_nothing_when_a_stack_goes_and_retains_the_pipeline(
    account: Account, policy: str, left: list[str]
) -> None:
    account.add_schedule("stray")
    retained = {**account.pipeline("Training"), "DeletionPolicy": policy}
    account.stack_id = account.deploy("Retains", {"Pipeline": retained})
    client = account.aws.client("cloudformation")
    client.delete_stack(StackName=account.stack_id)
    client.get_waiter("stack_delete_complete").wait(StackName=account.stack_id, WaiterConfig={"Delay": 0.05})
    account.invoke()
    assert account.schedules == left


def test_a_template_in_yaml_is_swept_when_its_stack_goes(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.add_schedule("stray")
    stack = {"Stacks": [{"StackStatus": "DELETE_IN_PROGRESS"}], "TemplateBody": "Resources: {}"}
    client = boto3.client("cloudformation")
    for operation in ("describe_stacks", "get_template"):
        monkeypatch.setattr(client, operation, lambda StackName: stack)  # noqa: N803
    new_client = boto3.client
    monkeypatch.setattr(
        boto3,
        "client",
        lambda name, **options: client if name == "cloudformation" else new_client(name, **options),
    )
    account.invoke()
    assert account.schedules == []


def test_it_does_nothing_where_it_cannot_tell_whether_the_pipeline_stays(account: Account) -> None:
    account.add_schedule("stray")
    account.stack_id = "arn:aws:cloudformation:us-east-1:1:stack/Nowhere/1"
    answer = account.invoke()
    assert account.schedules == ["default/stray"]
    assert answer["Reason"].startswith("not swept: ClientError: ")


def test_an_event_that_lacks_everything_is_answered(account: Account) -> None:
    answer = account.send({"RequestType": "Delete"})
    assert answer["Reason"].startswith("not swept: KeyError: 'ResourceProperties'")
    assert answer["PhysicalResourceId"] == "StraySweep"


def test_the_answer_is_one_that_cloudformation_takes(account: Account) -> None:
    answer = account.invoke()
    assert {name: answer[name] for name in ("StackId", "RequestId", "LogicalResourceId")} == {
        "StackId": account.stack_id,
        "RequestId": "request",
        "LogicalResourceId": "StraySweep",
    }
    assert answer["ContentType"] == ""  # what the URL is signed for


def test_a_pipeline_of_another_name_is_another_resource(account: Account) -> None:
    event = {
        "RequestType": "Update",
        "PhysicalResourceId": "Training",
        "ResourceProperties": {"PipelineName": "Renamed", "PipelineArns": []},
    }
    assert account.send(event)["PhysicalResourceId"] == "Renamed"
