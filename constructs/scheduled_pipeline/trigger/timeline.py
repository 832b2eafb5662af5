"""``Timeline``: the minutes of a day in which a schedule fires, fast enough to look at whole years."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import takewhile
from zoneinfo import ZoneInfo

from scheduled_pipeline.trigger.cron import Cron
from scheduled_pipeline.trigger.expression import At, Expression, Rate
from scheduled_pipeline.trigger.occurrences import occurrences

MINUTES_OF_DAY = 1440

_ONE_DAY = timedelta(days=1)
_ONE_MINUTE = timedelta(minutes=1)
_ONE_SECOND = timedelta(seconds=1)
_WHOLE_DAY = (1 << MINUTES_OF_DAY) - 1


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """When an expression fires, day by day.

    Attributes:
        expression: what ``parse_expression`` returned.
        zone: whose wall clock it is.
        first: aware, on a whole second; no run is earlier.
        last: aware, on a whole second; no run is later.
        anchor: aware; the first run of a rate.
    """

    expression: Expression
    zone: ZoneInfo
    first: datetime
    last: datetime
    anchor: datetime

    def minutes(self, day: datetime) -> int:
        """The minutes of a day of UTC in which it fires, as a number whose bit ``n`` is minute ``n``.

        Args:
            day: midnight in UTC.
        """
        if isinstance(self.expression, Rate):
            return self._clipped(_rate_minutes(self.expression, self.anchor, day), day, self.anchor)
        if isinstance(self.expression, At):
            moment = self.expression.moment.replace(tzinfo=self.zone).astimezone(UTC)
            minute = (moment - day) // _ONE_MINUTE
            return self._clipped(1 << minute if 0 <= minute < MINUTES_OF_DAY else 0, day, moment)
        plain = _is_plain(day, self.zone)
        minutes = (_plain_minutes if plain else _listed_minutes)(self.expression, day, self.zone)
        return self._clipped(minutes, day, day)

    def possible_minutes(self, after: datetime, horizon: timedelta) -> int:
        """The minutes of any day of UTC in which it may fire; more than it does, never fewer."""
        if not isinstance(self.expression, Cron):
            return _WHOLE_DAY
        first = after.astimezone(UTC).date()
        offsets = _offsets(
            self.zone, first - 2 * _ONE_DAY, (after + horizon).astimezone(UTC).date() + _ONE_DAY
        )
        times, minutes = _times(self.expression), 0
        for offset in offsets:
            minutes |= times >> offset | times << (MINUTES_OF_DAY - offset)
        return minutes & _WHOLE_DAY

    def _clipped(self, minutes: int, day: datetime, run: datetime) -> int:
        """The minutes from ``first`` to ``last``; each run is as far past its minute as ``run`` is."""
        seconds = (run.astimezone(UTC) - day) % _ONE_MINUTE
        low = max(0, -((day + seconds - self.first) // _ONE_MINUTE))
        high = (self.last - day - seconds) // _ONE_MINUTE
        if high < low:
            return 0
        return minutes >> low << low & (_WHOLE_DAY if high >= MINUTES_OF_DAY else (1 << high + 1) - 1)


def _is_plain(day: datetime, zone: ZoneInfo) -> bool:
    """Whether clocks change neither on a day nor shortly before it, when wall clocks could still repeat."""
    moments = (day + days * _ONE_DAY for days in (-2, -1, 0, 1))
    return len({moment.astimezone(zone).utcoffset() for moment in moments}) == 1


def _plain_minutes(cron: Cron, day: datetime, zone: ZoneInfo) -> int:
    local = day.astimezone(zone).replace(tzinfo=None)
    shift = 60 * local.hour + local.minute
    times = _times(cron)
    minutes = times >> shift if cron.runs_on(local.date()) else 0
    if cron.runs_on(local.date() + _ONE_DAY):
        minutes |= times << (MINUTES_OF_DAY - shift)
    return minutes & _WHOLE_DAY


def _listed_minutes(cron: Cron, day: datetime, zone: ZoneInfo) -> int:
    runs = occurrences(cron, zone.key, after=day - _ONE_SECOND)
    minutes = 0
    for run in takewhile(lambda run: run.astimezone(UTC) < day + _ONE_DAY, runs):
        minutes |= 1 << ((run.astimezone(UTC) - day) // _ONE_MINUTE)
    return minutes


def _rate_minutes(rate: Rate, anchor: datetime, day: datetime) -> int:
    step = rate.interval // _ONE_MINUTE
    first = (anchor - day) // _ONE_MINUTE % step
    return _every(first, step) if first < MINUTES_OF_DAY else 0


@cache
def _offsets(zone: ZoneInfo, first: date, last: date) -> frozenset[int]:
    """By how many minutes a zone is ahead of UTC, on the days from one to another, as times of day."""
    noons = (datetime.combine(first, time(12), zone) + n * _ONE_DAY for n in range((last - first).days + 1))
    ahead = (noon.utcoffset() or timedelta(0) for noon in noons)
    return frozenset(offset // _ONE_MINUTE % MINUTES_OF_DAY for offset in ahead)


@cache
def _times(cron: Cron) -> int:
    return sum(1 << (60 * moment.hour + moment.minute) for moment in cron.times)


@cache
def _every(first: int, step: int) -> int:
    return sum(1 << minute for minute in range(first, MINUTES_OF_DAY, step))
