"""The types of steps that call what others have made: a Lambda function, or who reads a queue."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scheduled_pipeline.definition.parsed import PlacedStep
from scheduled_pipeline.definition.permission import Permission, allow, arn
from scheduled_pipeline.definition.resolve import Resolver
from scheduled_pipeline.definition.step_types.shape_notation import structure
from scheduled_pipeline.definition.step_types.step_type import Permissions, StepType

_QUEUE = re.compile(r"https://sqs\.([^./]+)\.[^/]+/([^/]+)/([^/]+)")


def invoke(step: PlacedStep, value: object, resolver: Resolver, reason: str) -> Iterator[Permission]:
    """Yield the call of a function, if it is known which."""
    function = resolver.literal(value)
    if function is not None:
        yield allow("lambda:InvokeFunction", function, reason, step=step.name)


def _function(step: PlacedStep, resolver: Resolver) -> Iterator[Permission]:
    yield from invoke(step, step.body.get("FunctionArn"), resolver, "the step calls the function")


def _unknown_function(step: PlacedStep, resolver: Resolver) -> Iterator[str]:
    if resolver.literal(step.body.get("FunctionArn")) is None:
        yield "FunctionArn"


LAMBDA = StepType(
    name="Lambda",
    properties=("OutputProperties",),
    shapes={
        # The role is allowed what is named here, so it is one function.
        "FunctionArn": {"type": "string", "pattern": r"arn:[^*?]+"},
        "OutputProperties": structure({"OutputParameters": "Outputs"}),
        "Outputs": {"type": "map", "key": {"shape": "String"}, "value": {"shape": "ScalarOrNothing"}},
    },
    members={"FunctionArn": "FunctionArn", "OutputParameters": "OutputParameters"},
    required=("FunctionArn",),
    cached=True,
    permissions=Permissions(then=(_function,)),
    uses_places=False,
    uses_resources=False,
    unknown=_unknown_function,
)


def _queue(step: PlacedStep, resolver: Resolver) -> Iterator[Permission]:
    match = _QUEUE.fullmatch(resolver.literal(step.body.get("SqsQueueUrl")) or "")
    if match is not None:
        queue = arn("sqs", match[3], region=match[1], account=match[2])
        yield allow("sqs:SendMessage", queue, "the step puts its token into the queue", step=step.name)


def _unknown_queue(step: PlacedStep, resolver: Resolver) -> Iterator[str]:
    url = step.body.get("SqsQueueUrl")
    if url is not None and _QUEUE.fullmatch(resolver.literal(url) or "") is None:
        yield "SqsQueueUrl"


CALLBACK = StepType(
    name="Callback",
    properties=LAMBDA.properties,
    shapes={
        # The role is allowed what is named here, so it is one queue.
        "QueueUrl": {"type": "string", "pattern": r"https?://[^*?]+"}
    },
    members={"SqsQueueUrl": "QueueUrl", "OutputParameters": "OutputParameters"},
    required=("SqsQueueUrl",),
    cached=True,
    permissions=Permissions(then=(_queue,)),
    uses_places=False,
    uses_resources=False,
    unknown=_unknown_queue,
)
