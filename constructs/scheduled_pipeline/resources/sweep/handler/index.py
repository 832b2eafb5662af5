"""Removes what still starts a pipeline that is going away and that no stack owns: schedules, rule targets.

A Lambda function behind a CloudFormation custom resource, with what the Python runtime has: boto3. Whatever
happens, it answers SUCCESS, since a stray that is left is no reason to keep a stack; the log says what is
left and why. It does nothing on Create and Update, and on a Delete that leaves the pipeline in place: the
sweep was turned off, or an update was rolled back.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from start_target import is_start_call, pipeline_named

_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=5, read_timeout=15)
_SPARE_MILLISECONDS = 20_000
"""What is kept of the function's time for the answer."""
_ANSWER_SECONDS = 5
_MAX_REASON = 1_000
_GONE = "DELETE_COMPLETE"
_RETAINING = ("Retain", "RetainExceptOnCreate")

Event = Mapping[str, Any]


class OutOfTimeError(Exception):
    """The function is about to be ended."""


def handler(event: Event, context: Any) -> None:
    """Handle a request of CloudFormation.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
    """
    reason = "nothing to do"
    try:
        if event.get("RequestType") == "Delete":
            reason = _on_delete(event, context)
    except Exception as error:  # the answer has to be sent, or the stack waits for it
        reason = f"not swept: {type(error).__name__}: {error}"
    print(json.dumps({"stack": event.get("StackId"), "request": event.get("RequestType"), "result": reason}))
    _answer(event, reason)


def _on_delete(event: Event, context: Any) -> str:
    properties = event["ResourceProperties"]
    name = properties["PipelineName"]
    if not _pipeline_goes(event["StackId"], name):
        return f"not swept: the pipeline {name} stays"
    sweep = Sweep(name, properties["PipelineArns"], context.get_remaining_time_in_millis)
    sweep.run()
    removed, left = ("; ".join(found) or "nothing" for found in (sweep.removed, sweep.left))
    return f"left: {left}. removed: {removed}"


def _pipeline_goes(stack_id: str, name: str) -> bool:
    """Whether its stack is being deleted and does not retain it, or has it in the template no longer."""
    client = boto3.client("cloudformation", config=_CONFIG)
    (stack,) = client.describe_stacks(StackName=stack_id)["Stacks"]
    goes = stack["StackStatus"].startswith("DELETE_")
    template = client.get_template(StackName=stack_id)["TemplateBody"]
    if goes and isinstance(template, str):
        return True  # YAML, which the runtime cannot read
    policies = [
        resource.get("DeletionPolicy")
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::SageMaker::Pipeline"
        and str(resource["Properties"]["PipelineName"]).lower() == name.lower()
    ]
    if goes:
        return not any(policy in _RETAINING for policy in policies)
    return not policies


class Sweep:
    """One sweep of an account and Region.

    Attributes:
        removed: what was removed.
        left: what still starts the pipeline, and why; and what could not be looked at.
    """

    def __init__(self, name: str, arns: list[str], remaining: Callable[[], int]) -> None:
        self._arns = arns
        # SageMaker and a caller may write the name in one case or another.
        self._named = {text.lower() for text in (name, *arns)}
        self._remaining = remaining
        self._scheduler = boto3.client("scheduler", config=_CONFIG)
        self._events = boto3.client("events", config=_CONFIG)
        self._cloudformation = boto3.client("cloudformation", config=_CONFIG)
        self.removed: list[str] = []
        self.left: list[str] = []

    def run(self) -> None:
        """Remove what can be removed; one failure leaves that one stray."""
        try:
            self._attempt("schedules", self._sweep_schedules)
            self._attempt("rules", self._sweep_rules)
        except OutOfTimeError:
            self.left.append("what was not looked at before the time was up")

    def _attempt(self, what: str, action: Callable[..., None], *arguments: Any) -> None:
        self._check_time()
        try:
            action(*arguments)
        except OutOfTimeError:
            raise
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("ResourceNotFoundException", "ResourceNotFound"):
                self.left.append(f"{what} ({error.response['Error']['Code']})")
        except Exception as error:  # the others are still to be swept
            self.left.append(f"{what} ({type(error).__name__})")

    def _check_time(self) -> None:
        if self._remaining() < _SPARE_MILLISECONDS:
            raise OutOfTimeError

    def _sweep_schedules(self) -> None:
        # Listed to the end before one is deleted: a deletion may move what the next page begins with.
        for summary in list(self._suspects()):
            what = f"schedule {summary['GroupName']}/{summary['Name']}"
            self._attempt(what, self._sweep_schedule, what, summary)

    def _suspects(self) -> Iterator[Mapping[str, Any]]:
        """Yield the schedules that start the pipeline or, by a request of their own, some pipeline."""
        for page in self._scheduler.get_paginator("list_schedules").paginate():
            self._check_time()
            for summary in page["Schedules"]:
                target = summary["Target"]["Arn"].lower()
                if target in self._named or is_start_call(target):
                    yield summary

    def _sweep_schedule(self, what: str, summary: Mapping[str, Any]) -> None:
        schedule = {"GroupName": summary["GroupName"], "Name": summary["Name"]}
        if summary["Target"]["Arn"].lower() not in self._named:
            named = pipeline_named(self._scheduler.get_schedule(**schedule)["Target"])
            if named is None or named.lower() not in self._named:
                return
        if self._is_free(what, schedule["Name"]):
            self._scheduler.delete_schedule(**schedule)
            self.removed.append(what)

    def _sweep_rules(self) -> None:
        for bus in _every(self._events.list_event_buses, "EventBuses"):
            found = (
                name
                for arn in self._arns
                for name in _every(
                    self._events.list_rule_names_by_target,
                    "RuleNames",
                    TargetArn=arn,
                    EventBusName=bus["Name"],
                )
            )
            for name in sorted(set(found)):
                what = f"rule {bus['Name']}/{name}"
                self._attempt(what, self._sweep_rule, what, bus["Name"], name)

    def _sweep_rule(self, what: str, bus: str, name: str) -> None:
        """Take the pipeline from the targets of a rule; the rule itself may have others, and stays."""
        physical_id = name if bus == "default" else f"{bus}|{name}"
        if not self._is_free(what, physical_id):
            return
        rule = {"Rule": name, "EventBusName": bus}
        targets = _every(self._events.list_targets_by_rule, "Targets", **rule)
        ids = [target["Id"] for target in targets if target["Arn"].lower() in self._named]
        if not ids:
            return
        failed = self._events.remove_targets(**rule, Ids=ids)["FailedEntries"]
        if failed:
            self.left.append(f"{what} ({failed[0].get('ErrorCode')})")
        else:
            self.removed.append(f"targets of {what}")

    def _is_free(self, what: str, physical_id: str) -> bool:
        """Whether no stack owns it; what one owns is left to its people, who find it in the log."""
        owner = self._owner(physical_id)
        if owner is not None:
            self.left.append(f"{what} (stack {owner} owns it)")
        return owner is None

    def _owner(self, physical_id: str) -> str | None:
        try:
            answer = self._cloudformation.describe_stack_resources(PhysicalResourceId=physical_id)
        except ClientError as error:
            details = error.response["Error"]
            if details["Code"] == "ValidationError" and "does not exist" in details.get("Message", ""):
                return None  # "Stack for ... does not exist"
            raise
        resources = answer["StackResources"]
        same = [one for one in resources if one.get("PhysicalResourceId") == physical_id]
        if not resources or (same and all(one["ResourceStatus"] == _GONE for one in same)):
            return None
        return str(resources[0]["StackName"])


def _every(operation: Callable[..., Any], member: str, **arguments: Any) -> Iterator[Any]:
    """Yield what an operation lists, page by page; events has no paginator for each of them."""
    while True:
        page = operation(**arguments)
        yield from page[member]
        if not page.get("NextToken"):
            return
        arguments["NextToken"] = page["NextToken"]


def _answer(event: Event, reason: str) -> None:
    """Tell CloudFormation that all is well.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
    """
    properties = event.get("ResourceProperties") or {}
    # A pipeline of another name is another resource, whose predecessor is then deleted.
    identity = properties.get("PipelineName") or event.get("PhysicalResourceId") or "StraySweep"
    if event.get("RequestType") == "Delete":
        identity = event.get("PhysicalResourceId") or identity
    body = {
        "Status": "SUCCESS",
        "Reason": reason[:_MAX_REASON],
        "PhysicalResourceId": identity,
        **{member: event.get(member) for member in ("StackId", "RequestId", "LogicalResourceId")},
    }
    request = urllib.request.Request(
        event["ResponseURL"], json.dumps(body).encode(), {"Content-Type": ""}, method="PUT"
    )
    with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS):
        pass
