"""The forms in which triggers are printed as they are found: a table, lines for a pipe, JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from scheduled_pipeline.cli.account.trigger_records import TriggerRecord
from scheduled_pipeline.trigger.time_zone import utc_text


def document(record: TriggerRecord) -> dict[str, Any]:
    """A trigger as a JSON object; what is absent is null, ``docs/command.md`` says what is in it."""
    pipeline = record.pipeline
    return {
        "kind": record.kind,
        "name": record.name,
        "group": record.group,
        "arn": record.arn,
        "region": record.region,
        "account": record.account,
        "state": record.state,
        "expression": record.expression,
        "timezone": record.timezone if record.expression is not None else None,
        "start": _moment(record.start),
        "end": _moment(record.end),
        "created": _moment(record.created),
        "windowMinutes": record.window_minutes,
        "eventPattern": record.event_pattern,
        "description": record.description,
        "role": record.role_arn,
        "target": record.target_arn,
        "targetId": record.target_id,
        "otherTargets": record.other_targets,
        "pipeline": None if pipeline is None else pipeline.name,
        "pipelineRegion": None if pipeline is None else pipeline.region,
        "pipelineAccount": None if pipeline is None else pipeline.account,
        "parameters": [{"name": name, "value": value} for name, value in record.parameters],
        "input": record.input,
        "deadLetterQueue": record.dead_letter_arn,
        "maximumRetryAttempts": record.maximum_retry_attempts,
        "maximumEventAgeSeconds": record.maximum_event_age_seconds,
        "kmsKey": record.kms_key_arn,
        "actionAfterCompletion": record.action_after_completion,
        "managedBy": record.managed_by,
        "owner": record.owner,
    }


def short_document(record: TriggerRecord) -> dict[str, Any]:
    """What a listing of the API knows of a trigger."""
    whole = document(record)
    names = (
        "kind",
        "name",
        "group",
        "arn",
        "region",
        "account",
        "state",
        "target",
        "targetId",
        "otherTargets",
    )
    pipeline = ("pipeline", "pipelineRegion", "pipelineAccount", "owner")
    return {name: whole[name] for name in (*names, *pipeline)}


def _moment(value: datetime | None) -> str | None:
    return None if value is None else utc_text(value)


def when(record: TriggerRecord) -> str:
    """The expression of a trigger, or that it waits for events."""
    return "on events" if record.expression is None else record.expression


def pipeline_text(record: TriggerRecord) -> str:
    """The name of the pipeline, with Region or account where they are not the trigger's."""
    pipeline = record.pipeline
    if pipeline is None:
        return "unknown"
    elsewhere = [pipeline.account] if pipeline.account != record.account else []
    elsewhere += [pipeline.region] if pipeline.region != record.region else []
    return f"{pipeline.name} ({' '.join(elsewhere)})" if elsewhere else pipeline.name
