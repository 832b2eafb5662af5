"""A target of a rule of EventBridge as calls of factories of ``EventTrigger``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from scheduled_pipeline.cli.account.trigger_records import TriggerRecord
from scheduled_pipeline.cli.adoption.schedule import interval_of, understood
from scheduled_pipeline.cli.adoption.trigger import (
    AdoptedTrigger,
    CannotAdoptError,
    common_notes,
    common_options,
    make_trigger,
)
from scheduled_pipeline.trigger.event import EventTrigger

_DEFAULT_BUS = "default"
_CRON = re.compile(r"cron\((.*)\)", re.DOTALL)


def adopt_rule(record: TriggerRecord, *, handover: datetime | None) -> tuple[AdoptedTrigger, ...]:
    """The calls for one target of a rule: two where the rule has both a pattern and a schedule.

    Args:
        record: the target.
        handover: aware; with one, the rule is written disabled, as it has no start date.

    Raises:
        CannotAdoptError: it cannot be written.
    """
    if record.managed_by is not None:
        raise CannotAdoptError(f"the service {record.managed_by} made it and keeps it")
    if record.expression is None and record.event_pattern is None:
        raise CannotAdoptError("it has neither an event pattern nor a schedule")
    waits = handover is not None and record.enabled
    options = {
        **({"event_bus_name": record.group} if record.group != _DEFAULT_BUS else {}),
        **({} if record.enabled and not waits else {"enabled": False}),
        **dict(common_options(record)),
    }
    notes = [*_notes(record, waits=waits), *common_notes(record)]
    return tuple(
        make_trigger(EventTrigger, factory, first, options, record=record, notes=notes)
        for factory, first in _events(record)
    )


def _events(record: TriggerRecord) -> Iterator[tuple[str, Any]]:
    if record.event_pattern is not None:
        yield "pattern", _pattern(record.event_pattern)
    if record.expression is None:
        return
    understood(record.expression)
    cron = _CRON.fullmatch(record.expression)
    yield ("cron", cron[1]) if cron is not None else ("rate", interval_of(record.expression))


def _pattern(text: str) -> Mapping[str, Any]:
    try:
        pattern = json.loads(text)
    except ValueError:
        pattern = None
    if not isinstance(pattern, Mapping):
        raise CannotAdoptError("its event pattern is not a JSON object")
    return pattern


def _notes(record: TriggerRecord, *, waits: bool) -> Iterator[str]:
    if waits:
        yield "it is enabled, and is written disabled: enable it once the old rule is deleted"
    if record.expression is not None and record.event_pattern is not None:
        yield "it runs on events and on a schedule: one trigger is written for each"
    if record.state not in ("ENABLED", "DISABLED"):
        yield f"its state {record.state} becomes ENABLED"
    if record.other_targets:
        yield (
            f"the rule has {record.other_targets} more target{'' if record.other_targets == 1 else 's'}, not "
            "kept here: take the pipeline out of the old rule and leave the rule where others need it"
        )
