"""Finds two schedules that fire in the same minute, and runs that are longer than their interval."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

from scheduled_pipeline.trigger.expression import Rate
from scheduled_pipeline.trigger.schedule import PipelineSchedule
from scheduled_pipeline.trigger.time_zone import time_zone
from scheduled_pipeline.trigger.timeline import MINUTES_OF_DAY, Timeline

ONE_YEAR = timedelta(days=365)
"""How far the functions look when they are not told."""

_ONE_DAY = timedelta(days=1)
_ONE_MINUTE = timedelta(minutes=1)
_ONE_SECOND = timedelta(seconds=1)


def first_overlap(
    one: PipelineSchedule, other: PipelineSchedule, *, after: datetime, horizon: timedelta = ONE_YEAR
) -> datetime | None:
    """The first minute in which both of two schedules fire.

    A rate without a start counts from a creation that is not known, so it is compared only when it fires
    every minute. A disabled schedule never fires.

    Args:
        one: a schedule.
        other: another schedule of the same pipeline.
        after: aware; runs later than this are looked at.
        horizon: for how long from then.

    Returns:
        The beginning of that minute, aware, in the zone of the first, or nothing when there is none.
    """
    if not _is_known(one) or not _is_known(other):
        return None
    lines = [_timeline(schedule, after, horizon) for schedule in (one, other)]
    # Most pairs never fire at the same time of a day; that is seen at once.
    if not lines[0].possible_minutes(after, horizon) & lines[1].possible_minutes(after, horizon):
        return None
    for day in _days(after, horizon):
        both = lines[0].minutes(day)
        both = both and both & lines[1].minutes(day)
        if both:
            return (day + _lowest(both) * _ONE_MINUTE).astimezone(time_zone(one.timezone))
    return None


def shortest_interval(
    schedule: PipelineSchedule, *, after: datetime, horizon: timedelta = ONE_YEAR
) -> timedelta | None:
    """The shortest time from one run of a schedule to the next, changes of the clocks included.

    Args:
        schedule: enabled or not.
        after: aware; runs later than this are looked at.
        horizon: for how long from then.

    Returns:
        A whole number of minutes, or nothing when there are fewer than two runs.
    """
    line = _timeline(schedule, after, horizon)
    gaps: set[int] = set()
    last: int | None = None
    for index, day in enumerate(_days(after, horizon)):
        minutes = line.minutes(day)
        if not minutes:
            continue
        if last is not None:
            gaps.add(index * MINUTES_OF_DAY + _lowest(minutes) - last)
        gaps.update(_shortest_gap(minutes))
        last = index * MINUTES_OF_DAY + minutes.bit_length() - 1
    return min(gaps) * _ONE_MINUTE if gaps else None


def overlong_run(
    schedule: PipelineSchedule, *, after: datetime, horizon: timedelta = ONE_YEAR
) -> timedelta | None:
    """The shortest interval of a schedule, when its expected duration does not fit into it.

    A run may begin as late as the flexible time window allows, which leaves so much less until the next.

    Args:
        schedule: with ``expected_duration``.
        after: aware; runs later than this are looked at.
        horizon: for how long from then.

    Returns:
        The interval, or nothing when the run fits, or when no duration is expected.
    """
    if schedule.expected_duration is None:
        return None
    interval = shortest_interval(schedule, after=after, horizon=horizon)
    if interval is None:
        return None
    left = interval - (schedule.flexible_time_window or timedelta(0))
    return interval if schedule.expected_duration > left else None


def _is_known(schedule: PipelineSchedule) -> bool:
    parsed = schedule.parsed
    unanchored = isinstance(parsed, Rate) and schedule.start is None and parsed.interval > _ONE_MINUTE
    return schedule.enabled and not unanchored


def _timeline(schedule: PipelineSchedule, after: datetime, horizon: timedelta) -> Timeline:
    if after.tzinfo is None:
        raise ValueError(f"after must be an aware datetime, got {after.isoformat()}")
    begin = after.astimezone(UTC).replace(microsecond=0)
    first, last = begin + _ONE_SECOND, begin + horizon
    start, end = schedule.start, schedule.end
    return Timeline(
        expression=schedule.parsed,
        zone=time_zone(schedule.timezone),
        first=first if start is None else max(first, start.astimezone(UTC)),
        last=last if end is None else min(last, end.astimezone(UTC)),
        anchor=first if start is None else start.astimezone(UTC),
    )


def _days(after: datetime, horizon: timedelta) -> Iterator[datetime]:
    """The days of UTC from one moment on, each by its midnight."""
    day = after.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= after + horizon:
        yield day
        day += _ONE_DAY


def _lowest(minutes: int) -> int:
    return (minutes & -minutes).bit_length() - 1


@cache
def _shortest_gap(minutes: int) -> tuple[int, ...]:
    """The shortest distance of two bits, or nothing when there is only one."""
    gap = next((gap for gap in range(1, MINUTES_OF_DAY) if minutes & minutes >> gap), None)
    return () if gap is None else (gap,)
