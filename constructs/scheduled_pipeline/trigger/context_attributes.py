"""What EventBridge Scheduler fills into the values of a schedule at each run.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
"""

from __future__ import annotations

import re

from scheduled_pipeline.start_values import StartValue

SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
SCHEDULE_ARN = "<aws.scheduler.schedule-arn>"
EXECUTION_ID = "<aws.scheduler.execution-id>"
ATTEMPT_NUMBER = "<aws.scheduler.attempt-number>"

_ATTRIBUTE = re.compile(r"(<aws\.scheduler\.[^>]*>)")
_VALUES = {
    SCHEDULED_TIME: StartValue(
        words="a time", sample="2027-01-04T09:00:00Z", pattern=r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    ),
    SCHEDULE_ARN: StartValue(
        words="an ARN", sample="arn:aws:scheduler:eu-west-1:111122223333:schedule/default/a", pattern="arn:.+"
    ),
    EXECUTION_ID: StartValue(words="an identifier", sample="d32c5kddcf5bb8c3", pattern="[0-9A-Za-z-]{8,}"),
    ATTEMPT_NUMBER: StartValue(words="a number", sample="1", pattern=r"\d+"),
}


def check_attributes(field: str, value: str) -> None:
    """Refuse a context attribute that there is not.

    Raises:
        ValueError: naming the field, the attribute and those that there are.
    """
    unknown = set(_ATTRIBUTE.findall(value)) - _VALUES.keys()
    if unknown:
        known = " ".join(sorted(_VALUES))
        raise ValueError(f"{field} must use the context attributes {known}, got {min(unknown)}")


def start_value(value: str) -> StartValue | None:
    """What a value with context attributes will be; nothing for one without."""
    parts = _ATTRIBUTE.split(value)
    if len(parts) == 1:
        return None
    filled = [(part, _VALUES.get(part)) for part in parts]
    words = {attribute.words for _, attribute in filled if attribute is not None}
    alone = value in _VALUES
    return StartValue(
        words=words.pop() if alone else "a text",
        sample="".join(part if attribute is None else attribute.sample for part, attribute in filled),
        pattern="".join(
            re.escape(part) if attribute is None else attribute.pattern for part, attribute in filled
        ),
    )
