"""What schedules and rules have in common: their keys, descriptions and retries."""

from __future__ import annotations

import re
from collections.abc import Container

from scheduled_pipeline.trigger.event import EventTrigger
from scheduled_pipeline.trigger.schedule import PipelineSchedule

_KEY = re.compile(r"[0-9a-zA-Z_.-]{1,64}")


def check_key(key: str, taken: Container[str], where: str) -> None:
    """Check the name under which a schedule or an event is added.

    Raises:
        ValueError: it is not allowed in the name of a schedule or a rule, or taken.
    """
    if not _KEY.fullmatch(key):
        raise ValueError(f"{where}: the name must be 1 to 64 of 0-9 a-z A-Z - _ and ., got {key!r}")
    if key in taken:
        raise ValueError(f"{where}: there is a trigger of that name already")


def trigger_description(trigger: PipelineSchedule | EventTrigger) -> str:
    """Return the description that was given, an empty one too, or what the trigger does in plain words."""
    return trigger.describe() if trigger.description is None else trigger.description


def retry_settings(trigger: PipelineSchedule | EventTrigger) -> dict[str, int | None] | None:
    """Return the properties of a retry policy if there is one; Scheduler and EventBridge name them alike."""
    if trigger.maximum_retry_attempts is None and trigger.maximum_event_age is None:
        return None
    age = trigger.maximum_event_age
    return {
        "maximum_retry_attempts": trigger.maximum_retry_attempts,
        "maximum_event_age_in_seconds": None if age is None else int(age.total_seconds()),
    }
