"""A schedule of EventBridge Scheduler as the call of a factory of ``PipelineSchedule``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from scheduled_pipeline.cli.account.trigger_records import TriggerRecord
from scheduled_pipeline.cli.adoption.trigger import (
    AdoptedTrigger,
    CannotAdoptError,
    SpentError,
    common_notes,
    common_options,
    make_trigger,
)
from scheduled_pipeline.trigger.expression import At, Expression, Rate, parse_expression
from scheduled_pipeline.trigger.schedule import PipelineSchedule
from scheduled_pipeline.trigger.start_target import members
from scheduled_pipeline.trigger.time_zone import utc_text

AHEAD = timedelta(days=1)
"""How far ahead the start of a rate is put when its own is past and no handover is given."""

_INSTANT = timedelta(microseconds=1)
_CRON = re.compile(r"cron\((.*)\)", re.DOTALL)
_NEVER_AGAIN = "it never runs again, and AWS refuses to create such a schedule"
_BEFORE_HANDOVER = "its last run is before the handover, so the old one is the one to run it"
_KEPT_IN_REQUEST = {
    *("ClientRequestToken", "PipelineExecutionDisplayName", "PipelineName"),
    *("PipelineParameters", "PipelineVersionId"),
}
_INSTEAD = {"ParallelismConfiguration": ": give max_parallel_steps= to the ScheduledPipeline"}


def adopt_schedule(record: TriggerRecord, *, now: datetime, handover: datetime | None) -> AdoptedTrigger:
    """The call for a schedule.

    Args:
        record: the schedule.
        now: aware; it has to run after this.
        handover: aware; an enabled one does not run before this.

    Raises:
        CannotAdoptError: it cannot be written, or need not be.
    """
    factory, first = _expression(record.expression or "")
    notes: list[str] = []
    start = _start(record, first, now, handover, notes) if factory != "at" else None
    end = record.end if factory != "at" else None
    _check_end(record, start, end, now, handover)
    window = record.window_minutes
    options = {
        **({"timezone": record.timezone} if record.timezone != "UTC" else {}),
        **({"start": start} if start is not None else {}),
        **({"end": end.replace(microsecond=0)} if end is not None else {}),
        **({"flexible_time_window": timedelta(minutes=window)} if window is not None else {}),
        **({} if record.enabled else {"enabled": False}),
        **dict(common_options(record)),
        **dict(_start_options(record, notes)),
    }
    notes += [*_notes(record), *common_notes(record)]
    made = make_trigger(PipelineSchedule, factory, first, options, record=record, notes=notes)
    _check_future(made, now, handover)
    return made


def _expression(text: str) -> tuple[str, Any]:
    """The factory for an expression and its first argument.

    Raises:
        CannotAdoptError: it is none that this package knows.
    """
    parsed = understood(text)
    cron = _CRON.fullmatch(text)
    if cron is not None:
        return "cron", cron[1]
    return ("at", parsed.moment) if isinstance(parsed, At) else ("rate", interval_of(text))


def understood(text: str) -> Expression:
    """An expression of an account, as a value.

    Raises:
        CannotAdoptError: this package does not know it; the error shows it as it is.
    """
    try:
        return parse_expression(text)
    except ValueError as error:
        raise CannotAdoptError(f"its expression {text} is not understood: {error}") from None


def interval_of(expression: str) -> timedelta | tuple[int, str]:
    """The interval of a rate; not as a duration where that would turn 60 minutes into an hour.

    Raises:
        CannotAdoptError: it is no rate.
    """
    rate = understood(expression)
    if not isinstance(rate, Rate):
        raise CannotAdoptError(f"its expression {expression} is no rate")
    if Rate.of(rate.interval) == rate:
        return rate.interval
    return rate.value, f"{rate.unit}{'' if rate.value == 1 else 's'}"


def _start(
    record: TriggerRecord, first: Any, now: datetime, handover: datetime | None, notes: list[str]
) -> datetime | None:
    """The start date: AWS refuses one that is past, and a rate counts from it."""
    begin = handover if record.enabled else None
    given = record.start.replace(microsecond=0) if record.start is not None else None
    if given is not None and given > max(now, begin or now):
        return given
    if isinstance(first, str):
        if given is not None and begin is None:
            notes.append(f"its start date {utc_text(given)} is past, so it says nothing any more")
        return begin
    anchor = given or record.created
    if anchor is None:
        return begin
    return _next_in_rhythm(Rate.of(first), anchor.replace(microsecond=0), begin or now + AHEAD, notes)


def _next_in_rhythm(rate: Rate, anchor: datetime, earliest: datetime, notes: list[str]) -> datetime:
    steps = -((anchor - earliest) // rate.interval) if earliest > anchor else 0
    start = anchor + steps * rate.interval
    notes.append(
        f"it counts from {utc_text(anchor)}: start is the first of its runs from {utc_text(earliest)} on, as "
        "AWS refuses a start that is past; deploy before it, or adopt again"
    )
    return start


def _start_options(record: TriggerRecord, notes: list[str]) -> Iterator[tuple[str, Any]]:
    """What the request of a universal target has beside the pipeline and its parameters.

    Raises:
        CannotAdoptError: the request is none.
    """
    if not record.is_start_call:
        return
    request = _request(record)
    _check_parameters(request.get("PipelineParameters"))
    token = str(request.get("ClientRequestToken", ""))
    named = {
        "display_name": request.get("PipelineExecutionDisplayName"),
        "pipeline_version_id": _number(request.get("PipelineVersionId")),
    }
    options = {name: value for name, value in named.items() if value is not None}
    if PipelineSchedule.SCHEDULED_TIME in token:
        options = {"idempotent": True, **options}
    elif options:
        notes.append(
            "a display name or a version needs idempotent=True, which also starts each run only once"
        )
        options = {"idempotent": True, **options}
    elif token:
        notes.append("its ClientRequestToken is not kept: it is not of the scheduled time")
    for name in sorted(request.keys() - _KEPT_IN_REQUEST):
        notes.append(f"{name} of its request is not kept{_INSTEAD.get(name, '')}")
    yield from options.items()


def _request(record: TriggerRecord) -> dict[str, Any]:
    try:
        request = json.loads(record.input or "{}")
    except (RecursionError, ValueError):
        request = None
    if not isinstance(request, Mapping):
        raise CannotAdoptError("its input is not a JSON object")
    return members(request)


def _check_parameters(parameters: object) -> None:
    """Refuse parameters with which AWS would not start the pipeline: no value is made up for them.

    Raises:
        CannotAdoptError: they are none.
    """
    pairs = parameters if isinstance(parameters, list) else [] if parameters is None else [parameters]
    for pair in pairs:
        named = members(pair) if isinstance(pair, Mapping) else {}
        if not all(isinstance(named.get(name), str) for name in ("Name", "Value")):
            raise CannotAdoptError(
                "PipelineParameters of its request must be a list of Name and Value, both strings, got "
                f"{json.dumps(pair)}"
            )


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _notes(record: TriggerRecord) -> Iterator[str]:
    if record.kms_key_arn is not None:
        yield f"it is encrypted with {record.kms_key_arn}: give encryption_key= to keep that"
    if record.action_after_completion == "DELETE":
        yield "it stays after its last run: CloudFormation has no ActionAfterCompletion"


def _check_end(
    record: TriggerRecord,
    start: datetime | None,
    end: datetime | None,
    now: datetime,
    handover: datetime | None,
) -> None:
    """Refuse what ends before the new one begins.

    Raises:
        SpentError: it has run for the last time, or does before the handover.
        CannotAdoptError: it still runs, until a moment at which a new one cannot have begun.
    """
    if start is None or end is None or end > start:
        return
    if end <= now:
        raise SpentError(_NEVER_AGAIN)
    if handover is not None and record.enabled:
        raise SpentError(_BEFORE_HANDOVER)
    raise CannotAdoptError(f"it ends at {utc_text(end)}, and a new one can begin at {utc_text(start)}")


def _check_future(made: AdoptedTrigger, now: datetime, handover: datetime | None) -> None:
    """Refuse a schedule whose last run is over, or comes before the new schedules begin.

    Raises:
        SpentError: as said.
    """
    schedule = made.trigger
    assert isinstance(schedule, PipelineSchedule)
    if not schedule.next_runs(1, after=now):
        raise SpentError(_NEVER_AGAIN)
    if handover is not None and made.record.enabled and not schedule.next_runs(1, after=handover - _INSTANT):
        raise SpentError(_BEFORE_HANDOVER)
