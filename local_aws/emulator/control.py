"""The control endpoint, ``/_local_aws/``: what no AWS service offers and a test or a demo needs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from ministack.core.responses import request_scope

from local_aws.emulator import delivery, pipelines, scheduler, watch
from local_aws.emulator.api import Json, ServiceError, invalid
from local_aws.protocol import CONTROL_PREFIX


def deliver(request: Json) -> Json:
    """Deliver one schedule now, as if its scheduled time had come."""
    schedule = scheduler.find_schedule(request["name"], request["group"])
    scheduled = request.get("scheduled_time")
    moment = datetime.fromisoformat(scheduled) if scheduled else datetime.now(UTC)
    return delivery.deliver(schedule, moment.astimezone(UTC)).to_json()


def deliveries(request: Json) -> Json:
    """Every attempt so far of this account and Region, oldest first."""
    mine = f":{request['region']}:{request['account']}:"
    return {"deliveries": [entry.to_json() for entry in delivery.log if mine in entry.source_arn]}


def dangling(request: Json) -> Json:
    """Every trigger that pointed at a missing pipeline at some moment, oldest first."""
    return {"dangling": [entry.to_json() for entry in watch.seen()]}


def finish(request: Json) -> Json:
    """End an execution with a status, also one that has ended."""
    if request["status"] not in pipelines.ENDED:
        raise invalid(f"{request['status']} is not one of {', '.join(sorted(pipelines.ENDED))}.")
    reason, step = request.get("failure_reason"), request.get("failed_step")
    if step is None and request["status"] == pipelines.COMPLETED_WITH_FAILURES:
        raise invalid(f"{request['status']} needs a failed step: no step has a status of that name.")
    pipeline, execution = pipelines.find_execution(request["execution_arn"])
    if step is not None:
        execution.failed_step = (step, reason)
        reason = _STEP_FAILURE
    pipelines.change_status(pipeline, execution, request["status"], reason)
    return {}


# What SageMaker gives as the reason of a run; the step has the reason itself.
_STEP_FAILURE: Final = "Step failure: One or multiple steps failed."

_ACTIONS: Final[dict[str, Callable[[Json], Json]]] = {
    "dangling": dangling,
    "deliver": deliver,
    "deliveries": deliveries,
    "finish": finish,
}


async def handle(scope: Json, receive: Callable[[], Any], send: Callable[[Json], Any]) -> None:
    """Answer one POST with a JSON body: ``account``, ``region`` and the action's own members."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    status, answer = _run(scope["path"].removeprefix(CONTROL_PREFIX), json.loads(body or b"{}"))
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


def _run(name: str, request: Json) -> tuple[int, Json]:
    action = _ACTIONS.get(name)
    if action is None:
        return 404, {"code": "NotFound", "message": f"no action {name}; there are {', '.join(_ACTIONS)}"}
    try:
        with request_scope(request["account"], request["region"]):
            return 200, action(request)
    except ServiceError as error:
        return error.status, {"code": error.code, "message": error.message}
