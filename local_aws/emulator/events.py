"""SageMaker pipelines as targets of EventBridge rules, and the events that SageMaker sends about executions.

Follows "Using dead-letter queues to process undelivered events" and the ``SageMakerPipelineParameters`` of
PutTargets. Matching, buses and all other targets are MiniStack's.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from ministack.core.responses import request_scope
from ministack.services import eventbridge

from local_aws.emulator import api, delivery, permissions, recurrence, targets
from local_aws.emulator.api import Json, Response, ServiceError
from local_aws.emulator.pipelines import Execution, Pipeline
from local_aws.protocol import Delivery

_STATUS_CHANGE: Final = "SageMaker Model Building Pipeline Execution Status Change"
_CRON_FIELDS: Final = 6
_MAX_TARGETS: Final = 5
_SEGMENT: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[['\"]([^'\"]+)['\"]\]")
# The names a dead-letter message gives to what can go wrong.
_ERROR_CODES: Final = {
    "AccessDeniedException": "NO_PERMISSIONS",
    "ResourceNotFound": "NO_RESOURCE",
    "ValidationException": "INVALID_PARAMETER",
}

_ministack_invoke: Final = eventbridge._invoke_target
_ministack_delete_rule: Final = eventbridge._delete_rule


def invoke_target(target: Json, event: Json, rule: Json, view: Any = None) -> None:
    """Deliver an event to a target of a rule: a pipeline is started here, the rest is MiniStack's."""
    if targets.PIPELINE.fullmatch(target["Arn"]) is None:
        _ministack_invoke(target, event, rule, view)
        return
    payload = (view or eventbridge._pattern_event_view(event)).event_with_detail()
    attempt = Delivery(source_arn=rule["Arn"], target_arn=target["Arn"], time=payload["time"], attempt=1)
    try:
        request = _start_request(target, payload)
        role_arn = target.get("RoleArn", "")
        if not permissions.role_trusts(role_arn, permissions.EVENTS, rule["Arn"]):
            raise ServiceError("AccessDeniedException", f"Unable to assume role {role_arn}.")
        delivery.log.append(replace(attempt, request=request, execution_arn=targets.start(request, role_arn)))
    except ServiceError as error:
        code = _ERROR_CODES.get(error.code, "ERROR_FROM_TARGET")
        queue = _dead_letter(target, rule, payload, code, error.message)
        delivery.log.append(
            replace(attempt, error_code=code, error_message=error.message, dead_letter_queue=queue)
        )


def check_targets(rule_targets: list[Json]) -> None:
    """Check the targets of a rule as PutTargets does, beyond what MiniStack checks.

    Raises:
        ServiceError: more than five targets, or one that breaks its published shape.
    """
    if len(rule_targets) > _MAX_TARGETS:
        raise ServiceError("LimitExceededException", f"A rule has at most {_MAX_TARGETS} targets.")
    if rule_targets:
        api.validate("events", "PutTargets", {"Rule": "rule", "Targets": rule_targets})


def is_schedule(expression: str) -> bool:
    """Whether PutRule takes this expression: none at all, a rate, or a cron of all six fields; no ``at``."""
    try:
        parsed = recurrence.parse(expression) if expression else None
    except ValueError:
        return False
    if isinstance(parsed, recurrence.Cron):
        return len(expression.split()) == _CRON_FIELDS
    if isinstance(parsed, recurrence.Rate):
        return recurrence.is_rate_of_rule(expression)
    return not isinstance(parsed, recurrence.At)


def delete_rule(request: Json) -> Response:
    """DeleteRule: "Before you can delete the rule, you must remove all targets, using RemoveTargets"."""
    key = eventbridge._rule_key(request.get("Name"), request.get("EventBusName", "default"))
    if eventbridge._targets.get(key):
        message = "Rule can't be deleted since it has targets."
        return api.refusal(ServiceError("ValidationException", message), "application/x-amz-json-1.1")
    return _ministack_delete_rule(request)  # type: ignore[no-any-return]


def _start_request(target: Json, payload: Json) -> Json:
    listed = target.get("SageMakerPipelineParameters", {}).get("PipelineParameterList", [])
    parameters = [{"Name": item["Name"], "Value": _value(item["Value"], payload)} for item in listed]
    return {"PipelineName": target["Arn"], "PipelineParameters": parameters}


def _value(text: str, payload: Json) -> str:
    """A parameter's value: text that starts with ``$.`` is a path into the event, anything else is itself."""
    if not text.startswith("$."):
        return text
    found: Any = payload
    end = 1
    for match in _SEGMENT.finditer(text, 1):
        name, index, quoted = match.groups()
        try:
            found = found[int(index)] if index is not None else found[name or quoted]
        except (KeyError, IndexError, TypeError) as error:
            raise ServiceError("ValidationException", f"The event has no {text}.") from error
        end = match.end()
    if end != len(text):
        raise ServiceError("ValidationException", f"{text} is not a JSON path.")
    return found if isinstance(found, str) else json.dumps(found)


def _dead_letter(target: Json, rule: Json, payload: Json, code: str, message: str) -> str | None:
    queue_arn = target.get("DeadLetterConfig", {}).get("Arn")
    if queue_arn is None or not permissions.queue_allows(queue_arn, permissions.EVENTS, rule["Arn"]):
        return None
    # Such errors are not retried: they go "directly to the target DLQ".
    attributes = {
        "RULE_ARN": rule["Arn"],
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": code,
        "ERROR_MESSAGE": message,
        "RETRY_ATTEMPTS": "0",
    }
    return str(queue_arn) if delivery.send(queue_arn, json.dumps(payload), attributes) else None


def fire_rule(rule: Json, rule_targets: list[Json], due: datetime) -> None:
    """Fire a scheduled rule: the "Scheduled Event" of ``aws.events``, to its targets only."""
    arn = rule["Arn"].split(":")
    event = {
        "EventId": secrets.token_hex(16),
        "Source": "aws.events",
        "DetailType": "Scheduled Event",
        "Detail": "{}",
        "EventBusName": "default",
        "Time": due.timestamp(),
        "Resources": [rule["Arn"]],
        "Account": arn[4],
        "Region": arn[3],
    }
    for target in rule_targets:
        invoke_target(target, event, rule)


def announce(pipeline: Pipeline, execution: Execution, previous: str | None) -> None:
    """Put the status change of an execution on the default bus, as SageMaker does."""
    ended = datetime.fromtimestamp(execution.modified, UTC).strftime(delivery.TIME_FORMAT)
    detail = {
        "pipelineArn": pipeline.arn,
        "pipelineExecutionArn": execution.arn,
        "pipelineExecutionDisplayName": execution.display_name,
        "currentPipelineExecutionStatus": execution.status,
        "previousPipelineExecutionStatus": previous,
        "executionStartTime": datetime.fromtimestamp(execution.started, UTC).strftime(delivery.TIME_FORMAT),
        "executionEndTime": ended if execution.ended else None,
    }
    event = {
        "EventId": secrets.token_hex(16),
        "Source": "aws.sagemaker",
        "DetailType": _STATUS_CHANGE,
        "Detail": json.dumps({name: value for name, value in detail.items() if value is not None}),
        "EventBusName": "default",
        "Time": time.time(),
        "Resources": [pipeline.arn, execution.arn],
        "Account": execution.account,
        "Region": execution.region,
    }
    with request_scope(execution.account, execution.region):
        eventbridge._dispatch_event(event)
