"""A trigger of an account and the call that makes the same one in a stack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from scheduled_pipeline.cli.account.trigger_records import SCHEDULE, TriggerRecord
from scheduled_pipeline.cli.adoption.python_source import Call, Name
from scheduled_pipeline.trigger.checks import MAXIMUM_EVENT_AGE, MAXIMUM_RETRY_ATTEMPTS
from scheduled_pipeline.trigger.event import EventTrigger
from scheduled_pipeline.trigger.schedule import PipelineSchedule

_CONTEXT_ATTRIBUTES = {
    getattr(PipelineSchedule, name): Name(f"PipelineSchedule.{name}")
    for name in ("SCHEDULED_TIME", "SCHEDULE_ARN", "EXECUTION_ID", "ATTEMPT_NUMBER")
}


class CannotAdoptError(Exception):
    """A trigger cannot be written as code. Its text says why."""


class SpentError(CannotAdoptError):
    """A trigger that need not be written: its last run is over, or comes before the new ones begin."""


@dataclass(frozen=True, kw_only=True)
class AdoptedTrigger:
    """A trigger of an account, as a stack would make it.

    Attributes:
        record: what there is.
        trigger: the same, as ``ScheduledPipeline`` takes it.
        factory: of its class: ``cron``, ``rate``, ``at`` or ``pattern``.
        first: what the factory takes first.
        options: what it takes by name.
        notes: what is not kept, and what else to know; sentences without a capital and a full stop.
        key: the name under which it is added.
    """

    record: TriggerRecord
    trigger: PipelineSchedule | EventTrigger
    factory: str
    first: object
    options: Mapping[str, Any]
    notes: tuple[str, ...]
    key: str = ""

    @property
    def argument(self) -> Literal["schedules", "events"]:
        """The argument of ``ScheduledPipeline`` that takes it."""
        return "schedules" if self.record.kind == SCHEDULE else "events"

    @property
    def call(self) -> Call:
        """The call that makes ``trigger``."""
        options = dict(self.options)
        if "parameters" in options:
            given = options["parameters"].items()
            options["parameters"] = {name: _CONTEXT_ATTRIBUTES.get(value, value) for name, value in given}
        return Call(f"{type(self.trigger).__name__}.{self.factory}", [self.first], options)


def make_trigger(
    kind: type[PipelineSchedule] | type[EventTrigger],
    factory: str,
    first: object,
    options: Mapping[str, Any],
    *,
    record: TriggerRecord,
    notes: Sequence[str],
) -> AdoptedTrigger:
    """Call a factory and keep what it was called with.

    Raises:
        CannotAdoptError: the class refuses a value.
    """
    try:
        trigger = getattr(kind, factory)(first, **options)
    except (TypeError, ValueError) as error:
        raise CannotAdoptError(f"this package does not take it: {error}") from None
    return AdoptedTrigger(
        record=record, trigger=trigger, factory=factory, first=first, options=options, notes=tuple(notes)
    )


def common_options(record: TriggerRecord) -> Iterator[tuple[str, Any]]:
    """What schedules and rules have in common; what is AWS's default is left out.

    Raises:
        CannotAdoptError: a parameter is given twice.
    """
    if record.description is not None:
        yield "description", record.description
    names = [name for name, _ in record.parameters]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise CannotAdoptError(f"it gives the parameter {twice} more than once")
    if names:
        yield "parameters", dict(record.parameters)
    if record.maximum_retry_attempts not in (None, MAXIMUM_RETRY_ATTEMPTS):
        yield "maximum_retry_attempts", record.maximum_retry_attempts
    if record.maximum_event_age_seconds is not None:
        age = timedelta(seconds=record.maximum_event_age_seconds)
        if age != MAXIMUM_EVENT_AGE:
            yield "maximum_event_age", age


def common_notes(record: TriggerRecord) -> Iterator[str]:
    """What neither a schedule nor a rule can keep."""
    if record.dead_letter_arn is not None:
        yield (
            f"failed starts went to {record.dead_letter_arn} and now go to the stack's queue: "
            "give dead_letter_queue= to keep that one"
        )
    if record.input is not None and not record.is_start_call:
        yield "its input is not kept: a pipeline is given parameters, never an input"
