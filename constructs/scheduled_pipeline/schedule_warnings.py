"""What is allowed but probably not meant: dates that have passed, runs that meet, weekdays by number.

Warnings, never errors: a commit that was good must not break because time has passed. The clock is
not read here. An app that wants to be told of dates in the past says what time it is, in the context:
``App(context={"scheduled-pipeline:now": datetime.now(UTC).isoformat()})``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from aws_cdk import Annotations
from constructs import Construct, IConstruct

from scheduled_pipeline.resources.jsii_cache import place_of
from scheduled_pipeline.trigger.cron import Cron
from scheduled_pipeline.trigger.expression import Expression
from scheduled_pipeline.trigger.overlap import first_overlap, overlong_run
from scheduled_pipeline.trigger.schedule import PipelineSchedule

NOW = "scheduled-pipeline:now"
"""Context key: the time of the synth, ISO 8601 with an offset."""
PAST_DATE = "scheduled-pipeline:past-date"
"""Id of the warning of a date in the past, for ``Annotations.of(...).acknowledge_warning``."""
OVERLAP = "scheduled-pipeline:overlap"
"""Id of the warning of two schedules that fire in the same minute."""
LONG_RUN = "scheduled-pipeline:long-run"
"""Id of the warning of a run that takes longer than the interval of its schedule."""
WEEKDAY_NUMBERS = "scheduled-pipeline:weekday-numbers"
"""Id of the warning of weekdays whose numbers are other days in a crontab."""

# CreateSchedule takes a start date that is up to five minutes old.
_GRACE = timedelta(minutes=5)
# Where to begin looking for overlaps when the app does not say what time it is; any year will do for a
# schedule that has no dates.
_ANY_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
_CONSEQUENCES = {
    "at": "AWS refuses to create it",
    "start": "AWS refuses to create it",
    "end": "it never runs",
}


def now(scope: Construct) -> datetime | None:
    """Return the time of the synth, or None if the app does not say.

    Raises:
        ValueError: the context value is not a date and time with an offset.
    """
    given = _now_of_the_app(place_of(scope).root)
    if given is None:
        return None
    try:
        moment = datetime.fromisoformat(given)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(
            f"context {NOW!r} must be a date and time with an offset, such as "
            f"'2027-01-04T09:00:00+00:00', got {given!r}"
        )
    return moment


_nows: WeakKeyDictionary[IConstruct, object] = WeakKeyDictionary()


def _now_of_the_app(app: IConstruct) -> Any:
    if app not in _nows:
        _nows[app] = app.node.try_get_context(NOW)
    return _nows[app]


def warn_of_past_dates(scope: Construct, name: str, schedule: PipelineSchedule) -> None:
    """Warn of each date of the schedule that has passed, if the app says what time it is."""
    moment = now(scope)
    if moment is None:
        return
    for field, date in schedule.dates():
        if date < moment - _GRACE:
            Annotations.of(scope).add_warning_v2(
                PAST_DATE,
                f"schedule {name!r}: {field} {date.isoformat()} is in the past: {_CONSEQUENCES[field]}",
            )


def warn_of_overlaps(
    scope: Construct, name: str, schedule: PipelineSchedule, others: Mapping[str, PipelineSchedule]
) -> None:
    """Warn of the first minute in a year in which the schedule and another of its pipeline both fire.

    Also of a run that is expected to take longer than the schedule's shortest interval.
    """
    for other_name, other in others.items():
        first = first_overlap(schedule, other, after=_begin(scope, schedule, other))
        if first is not None:
            Annotations.of(scope).add_warning_v2(
                OVERLAP,
                f"schedules {name!r} and {other_name!r} both start the pipeline at {first.isoformat()}",
            )
    interval = overlong_run(schedule, after=_begin(scope, schedule))
    if interval is not None:
        Annotations.of(scope).add_warning_v2(
            LONG_RUN,
            f"schedule {name!r}: a run is expected to take {schedule.expected_duration}, "
            f"but the next can start {interval} later",
        )


def warn_of_weekday_numbers(scope: Construct, where: str, expression: Expression) -> None:
    """Warn of ``1-5`` and ``6-7``, which a crontab reads as Monday to Friday and as the weekend.

    Args:
        scope: where the warning is put.
        where: names the schedule or the event, such as ``schedule 'Nightly'``.
        expression: of the schedule or the event.
    """
    misread = expression.misread_weekdays if isinstance(expression, Cron) else None
    if misread is not None:
        read, meant = misread
        Annotations.of(scope).add_warning_v2(
            WEEKDAY_NUMBERS,
            f"{where}: AWS counts weekdays from Sunday, so {expression} runs on {read}; write {meant} if "
            f"that is meant, else {read}",
        )


def _begin(scope: Construct, *schedules: PipelineSchedule) -> datetime:
    moment = now(scope)
    if moment is not None:
        return moment
    dates = [date for schedule in schedules for field, date in schedule.dates() if field != "end"]
    return min(dates, default=_ANY_YEAR) - timedelta(minutes=1)
