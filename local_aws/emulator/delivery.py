"""From a due schedule to a started pipeline: attempts, retries, the dead-letter queue, and a log."""

from __future__ import annotations

import json
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from ministack.services import eventbridge, sqs

from local_aws.emulator import permissions, targets
from local_aws.emulator.api import Json, ServiceError
from local_aws.protocol import Delivery

TIME_FORMAT: Final = "%Y-%m-%dT%H:%M:%SZ"
_DEFAULT_RETRIES: Final = 185
_LOG_LENGTH: Final = 10_000


log: deque[Delivery] = deque(maxlen=_LOG_LENGTH)


def deliver(schedule: Json, scheduled_time: datetime) -> Delivery:
    """Call a schedule's target for one scheduled time; the last attempt.

    Retries follow at once, not after minutes: the outcome is what AWS comes to if nothing changes meanwhile.
    """
    target = schedule["Target"]
    retries = target.get("RetryPolicy", {}).get("MaximumRetryAttempts", _DEFAULT_RETRIES)
    for attempt in range(1, retries + 2):
        attributes = {
            "<aws.scheduler.schedule-arn>": schedule["Arn"],
            "<aws.scheduler.scheduled-time>": scheduled_time.strftime(TIME_FORMAT),
            "<aws.scheduler.execution-id>": secrets.token_hex(8),
            "<aws.scheduler.attempt-number>": str(attempt),
        }
        outcome = _attempt(schedule, attributes, last=attempt > retries)
        log.append(outcome)
        if outcome.error_code is None:
            break
    return outcome


def _attempt(schedule: Json, attributes: Mapping[str, str], *, last: bool) -> Delivery:
    target, request = schedule["Target"], None
    attempt = Delivery(
        source_arn=schedule["Arn"],
        target_arn=target["Arn"],
        time=attributes["<aws.scheduler.scheduled-time>"],
        attempt=int(attributes["<aws.scheduler.attempt-number>"]),
    )
    try:
        request = targets.start_request(target, attributes)
        if request is None:
            eventbridge._invoke_target(target, _scheduled_event(schedule), schedule)
            return attempt
        return replace(attempt, request=request, execution_arn=targets.start(request, target["RoleArn"]))
    except ServiceError as error:
        return replace(
            attempt,
            request=request,
            error_code=error.code,
            error_message=error.message,
            dead_letter_queue=_dead_letter(schedule, attributes, request, error) if last else None,
        )


def _scheduled_event(schedule: Json) -> Json:
    # What MiniStack's dispatch to Lambda, SQS and the other templated targets expects.
    arn = schedule["Arn"].split(":")
    return {
        "EventId": secrets.token_hex(16),
        "Source": "aws.scheduler",
        "DetailType": "Scheduled Event",
        "Detail": "{}",
        "Resources": [schedule["Arn"]],
        "Account": arn[4],
        "Region": arn[3],
    }


def _dead_letter(
    schedule: Json, attributes: Mapping[str, str], request: Json | None, error: ServiceError
) -> str | None:
    """Send the request to the schedule's queue, in the form of "Configuring a dead-letter queue"."""
    target = schedule["Target"]
    queue_arn = target.get("DeadLetterConfig", {}).get("Arn")
    if queue_arn is None or not permissions.role_allows(target["RoleArn"], "sqs:SendMessage", queue_arn):
        return None
    body = target.get("Input", "{}") if request is None else json.dumps(request)
    sent = send(
        queue_arn,
        body,
        {
            "ERROR_CODE": error.code,
            "ERROR_MESSAGE": error.message,
            "EXECUTION_ID": attributes["<aws.scheduler.execution-id>"],
            "EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts",
            "IS_PAYLOAD_TRUNCATED": "false",
            "RETRY_ATTEMPTS": str(int(attributes["<aws.scheduler.attempt-number>"]) - 1),
            "SCHEDULED_TIME": attributes["<aws.scheduler.scheduled-time>"],
            "SCHEDULE_ARN": schedule["Arn"],
            "TARGET_ARN": target["Arn"],
        },
    )
    return str(queue_arn) if sent else None


def send(queue_arn: str, body: str, attributes: Mapping[str, str]) -> bool:
    """Send a message to a queue; whether the queue is there."""
    queue = sqs._queue_by_arn(queue_arn)
    if queue is None:
        return False
    message_attributes = {
        name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
    }
    sqs._act_send_message(
        {"QueueUrl": queue["url"], "MessageBody": body, "MessageAttributes": message_attributes}, queue["url"]
    )
    return True
