"""Checks that schedules and event triggers share.

Each check takes the name of the field and its value, raises an error that names both and says what is
allowed, and returns nothing or the value in the form that AWS takes. Limits are those of the EventBridge
Scheduler, EventBridge and SageMaker API references. A string that holds a CDK token is resolved only at
synth or at deploy, so no check of its characters or of its length can be made here: it passes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from scheduled_pipeline.tokens import holds_token

ParameterValue = str | int | float | bool
"""What a pipeline parameter may be given; SageMaker takes it as a string and converts it to the type."""

MAXIMUM_DESCRIPTION = 512
MAXIMUM_PARAMETERS = 200
MAXIMUM_PARAMETER_VALUE = 1024
MAXIMUM_RETRY_ATTEMPTS = 185
MAXIMUM_WINDOW_MINUTES = 1440
MINIMUM_EVENT_AGE = timedelta(seconds=60)
MAXIMUM_EVENT_AGE = timedelta(seconds=86_400)

_NAME = re.compile(r"[0-9a-zA-Z\-_.]{1,64}")
# A number that stands for a CDK token is about -1.888e289; no parameter is that large by intent.
_NUMBER_TOKEN = 1e280


def check_type(field: str, value: object, expected: type | tuple[type, ...], words: str) -> None:
    """Refuse a value of another type; ``bool`` is not accepted where a number is asked for.

    Raises:
        TypeError: naming the field, the type that is allowed and the value.
    """
    wanted = expected if isinstance(expected, tuple) else (expected,)
    stray_bool = isinstance(value, bool) and bool not in wanted
    if stray_bool or not isinstance(value, wanted):
        raise TypeError(f"{field} must be {words}, got {value!r} ({type(value).__name__})")


def check_name(field: str, value: str | None) -> None:
    """Refuse a name that is not 1 to 64 characters of ``0-9a-zA-Z-_.``."""
    if value is None:
        return
    check_type(field, value, str, "a string")
    if not holds_token(value) and not _NAME.fullmatch(value):
        raise ValueError(f"{field} must be 1 to 64 characters of 0-9 a-z A-Z - _ . only, got {value!r}")


def check_description(field: str, value: str | None) -> None:
    """Refuse a description of more than 512 characters."""
    if value is None:
        return
    check_type(field, value, str, "a string")
    if not holds_token(value) and len(value) > MAXIMUM_DESCRIPTION:
        raise ValueError(f"{field} must be at most {MAXIMUM_DESCRIPTION} characters, got {len(value)}")


def check_flag(field: str, value: object) -> None:
    """Refuse what is neither ``True`` nor ``False``."""
    check_type(field, value, bool, "True or False")


def check_whole_number(field: str, value: int | None, least: int, most: int | None) -> None:
    """Refuse a whole number outside ``least`` to ``most``."""
    if value is None:
        return
    check_type(field, value, int, "a whole number")
    if value < least or (most is not None and value > most):
        allowed = f"{least} or more" if most is None else f"{least} to {most}"
        raise ValueError(f"{field} must be {allowed}, got {value}")


def check_retry(maximum_retry_attempts: int | None, maximum_event_age: timedelta | None) -> None:
    """Refuse a retry policy outside 0 to 185 attempts or an event age outside 60 to 86,400 whole seconds."""
    check_whole_number("maximum_retry_attempts", maximum_retry_attempts, 0, MAXIMUM_RETRY_ATTEMPTS)
    if maximum_event_age is None:
        return
    check_type("maximum_event_age", maximum_event_age, timedelta, "a timedelta")
    allowed = (
        MINIMUM_EVENT_AGE <= maximum_event_age <= MAXIMUM_EVENT_AGE and not maximum_event_age.microseconds
    )
    if not allowed:
        raise ValueError(
            f"maximum_event_age must be 60 to 86400 whole seconds, got {maximum_event_age.total_seconds():g}"
        )


@dataclass(frozen=True, kw_only=True)
class ParameterRules:
    """What a service takes as pipeline parameters.

    Attributes:
        name: pattern of the names.
        name_words: the same for the errors.
        shortest_value: least number of characters of a value; the most is 1,024 everywhere.
    """

    name: re.Pattern[str]
    name_words: str
    shortest_value: int


SCHEDULER_PARAMETERS = ParameterRules(
    name=re.compile(r"[A-Za-z0-9\-_]{1,256}"),
    name_words="1 to 256 characters of A-Z a-z 0-9 - _ only",
    shortest_value=1,
)
"""``SageMakerPipelineParameter`` of EventBridge Scheduler."""

RULE_PARAMETERS = ParameterRules(
    name=re.compile(r"(?=.{1,256}\Z)[A-Za-z0-9](?:[A-Za-z0-9_\-]*[A-Za-z0-9])?"),
    name_words="1 to 256 characters of A-Z a-z 0-9 and inner - _ only",
    shortest_value=0,
)
"""``SageMakerPipelineParameter`` of ``AWS::Events::Rule``."""


def parameter_strings(
    parameters: Mapping[str, ParameterValue], rules: ParameterRules
) -> tuple[tuple[str, str], ...]:
    """The parameters as pairs of name and string, in the order given.

    Numbers and booleans become strings as the SageMaker SDK writes them: ``3``, ``0.5``, ``True``.

    Args:
        parameters: at most 200.
        rules: of the service that starts the pipeline.

    Raises:
        TypeError: for a mapping, name or value of another type.
        ValueError: for a name, a value or a number of parameters that AWS refuses.
    """
    check_type("parameters", parameters, Mapping, "a mapping of parameter names to values")
    if len(parameters) > MAXIMUM_PARAMETERS:
        raise ValueError(f"parameters must have at most {MAXIMUM_PARAMETERS} entries, got {len(parameters)}")
    return tuple(
        (
            _parameter_name(name, rules),
            _parameter_string(f"parameters[{name!r}]", value, rules.shortest_value),
        )
        for name, value in parameters.items()
    )


def _parameter_name(name: str, rules: ParameterRules) -> str:
    check_type("parameters name", name, str, "a string")
    if not holds_token(name) and not rules.name.fullmatch(name):
        raise ValueError(f"parameters name must be {rules.name_words}, got {name!r}")
    return name


def _parameter_string(field: str, value: ParameterValue, shortest: int) -> str:
    check_type(field, value, (str, int, float, bool), "a string, a number or a boolean")
    if isinstance(value, float | int) and not isinstance(value, bool):
        _check_number(field, value)
    text = value if isinstance(value, str) else str(value)
    if not holds_token(text) and not shortest <= len(text) <= MAXIMUM_PARAMETER_VALUE:
        raise ValueError(
            f"{field} must be {shortest} to {MAXIMUM_PARAMETER_VALUE} characters, got {len(text)}"
        )
    return text


def _check_number(field: str, value: float) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{field} must be a finite number, got {value}")
    if abs(value) > _NUMBER_TOKEN:
        raise ValueError(
            f"{field} is a number token, which has no text form: pass cdk.Token.as_string(value)"
        )


def check_minutes(field: str, window: timedelta | None, most: int) -> None:
    """Refuse a duration that is not a whole number of minutes from 1 to ``most``."""
    if window is None:
        return
    check_type(field, window, timedelta, "a timedelta")
    minutes = window / timedelta(minutes=1)
    if not 1 <= minutes <= most or not minutes.is_integer():
        raise ValueError(f"{field} must be 1 to {most} whole minutes, got {minutes:g}")


def check_duration(field: str, duration: timedelta | None) -> None:
    """Refuse a duration that is not longer than nothing."""
    if duration is None:
        return
    check_type(field, duration, timedelta, "a timedelta")
    if duration <= timedelta(0):
        raise ValueError(f"{field} must be longer than 0, got {duration}")
