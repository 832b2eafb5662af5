"""IANA time zones, and wall clocks that do or do not exist in them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from scheduled_pipeline.trigger.checks import check_type

MAXIMUM_TIME_ZONE = 50
"""Most characters that EventBridge Scheduler takes in ``ScheduleExpressionTimezone``."""

_ONE_DAY = timedelta(days=1)
_ONE_SECOND = timedelta(seconds=1)


@cache
def _names() -> frozenset[str]:
    return frozenset(files("tzdata").joinpath("zones").read_text("utf-8").split()) - {"Factory"}


class _Zone(ZoneInfo):
    """A zone as the package ``tzdata`` has it; ``ZoneInfo(name)`` asks the machine's database first."""

    def __reduce__(self) -> tuple[object, ...]:
        return _zone, (self.key,)


@cache
def _zone(name: str) -> ZoneInfo:
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return _Zone.from_file(file, key=name)


def time_zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name, written exactly as the time zone database writes it.

    Args:
        name: such as ``Asia/Tokyo``, ``America/New_York`` or ``UTC``; at most 50 characters.

    Raises:
        TypeError: when the name is not a string.
        ValueError: when the database has no such zone; the nearest name is given as a hint.
    """
    check_type("timezone", name, str, "the name of an IANA time zone")
    if name in _names() and len(name) <= MAXIMUM_TIME_ZONE:
        return _zone(name)
    by_lower_case = {known.lower(): known for known in _names()}
    near = get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.75)
    hint = f": did you mean {by_lower_case[near[0]]}?" if near else ""
    raise ValueError(f"timezone must be an IANA name such as Asia/Tokyo or UTC, got {name!r}{hint}")


def exists(wall: datetime, zone: ZoneInfo) -> bool:
    """Whether a naive wall clock is ever shown in a zone: false in the gap when clocks go forward."""
    aware = wall.replace(tzinfo=zone)
    return aware.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == wall


def in_zone(field: str, moment: datetime, zone: ZoneInfo) -> datetime:
    """A moment in a zone: a naive one is the wall clock of the zone, an aware one is converted.

    A naive wall clock that occurs twice is the first of the two unless its ``fold`` is 1.

    Raises:
        TypeError: when the moment is not a datetime.
        ValueError: for a fraction of a second, for which AWS has no place, and for a wall clock that the zone
            skips.
    """
    check_type(field, moment, datetime, "a datetime")
    if moment.microsecond:
        raise ValueError(f"{field} must be in whole seconds, got {moment.isoformat()}")
    if moment.tzinfo is not None:
        return _as_everywhere(moment).astimezone(zone)
    if not exists(moment, zone):
        wall = moment.isoformat(sep=" ")
        raise ValueError(f"{field} {wall} does not exist in {zone.key}: clocks go forward past it")
    return moment.replace(tzinfo=zone)


def _as_everywhere(moment: datetime) -> datetime:
    """Return an aware moment with the zone that every machine has, if it has one of this machine's."""
    key = moment.tzinfo.key if isinstance(moment.tzinfo, ZoneInfo) else None
    return moment if key not in _names() else moment.replace(tzinfo=_zone(key))


@dataclass(frozen=True, kw_only=True)
class Transition:
    """A change of a zone's offset.

    Attributes:
        moment: the first moment of the new offset, in UTC.
        before: the offset from UTC until then.
        after: the offset from then on.
    """

    moment: datetime
    before: timedelta
    after: timedelta

    @property
    def forward(self) -> bool:
        """Whether clocks go forward, so that wall clocks are skipped; otherwise they are repeated."""
        return self.after > self.before

    @property
    def walls(self) -> tuple[datetime, datetime]:
        """The naive wall clocks that are skipped or repeated: from the first up to, without, the second."""
        one, other = (self.moment.replace(tzinfo=None) + offset for offset in (self.before, self.after))
        return min(one, other), max(one, other)


def transitions(zone: ZoneInfo, *, after: datetime, until: datetime) -> Iterator[Transition]:
    """The changes of a zone's offset later than ``after`` and not later than ``until``, in order."""
    low, last = (moment.astimezone(UTC).replace(microsecond=0) for moment in (after, until))
    while low < last:
        high = min(low + _ONE_DAY, last)
        if _offset(low, zone) != _offset(high, zone):
            yield _bisect(low, high, zone)
        low = high


def _bisect(low: datetime, high: datetime, zone: ZoneInfo) -> Transition:
    """The change between two moments with different offsets, on whole seconds."""
    before, after = _offset(low, zone), _offset(high, zone)
    moments = range(1, (high - low) // _ONE_SECOND + 1)
    index = bisect_left(moments, 1, key=lambda second: _offset(low + second * _ONE_SECOND, zone) == after)
    return Transition(moment=low + moments[index] * _ONE_SECOND, before=before, after=after)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    offset = moment.astimezone(zone).utcoffset()
    assert offset is not None  # a ZoneInfo always has one
    return offset


def utc_text(moment: datetime) -> str:
    """A moment as a schedule takes ``StartDate`` and ``EndDate``: ``2027-01-04T14:00:00Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
