"""The next runs of a schedule, by calendar arithmetic, with AWS's rules for daylight saving time.

What AWS documents
(https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time):

- A cron run whose wall clock does not exist, because clocks go forward, is skipped.
- When clocks go back, a cron run happens once and is not repeated.
- A day of a rate is 24 hours on the clock, whatever the wall clock does; UTC is never adjusted.
- The first run of a rate is at its start date; a one-time schedule ignores start and end.
- Recurring runs happen on or after the start date, and on or before the end date.

What is inferred from it: the rule for clocks going back holds for each wall clock, so ``cron(0/5 * * * ? *)``
is silent for the whole of the second hour; and "once" is at the first of the two moments.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from scheduled_pipeline.trigger.cron import Cron
from scheduled_pipeline.trigger.expression import At, Expression, Rate
from scheduled_pipeline.trigger.time_zone import Transition, exists, time_zone, transitions

_ONE_SECOND = timedelta(seconds=1)


def occurrences(
    expression: Expression,
    timezone: str,
    *,
    after: datetime,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Iterator[datetime]:
    """The runs of an expression, strictly increasing, aware, in its zone; ends when it never fires again.

    Args:
        expression: what ``parse_expression`` returned.
        timezone: IANA name of the zone whose wall clock a cron or an ``at`` is read on.
        after: runs are later than this; naive means the wall clock of the zone. A rate without ``start``
            counts from here, as if the schedule were created at this moment.
        start: aware; runs are at this moment or later.
        end: aware; runs are at this moment or earlier.
    """
    zone = time_zone(timezone)
    bound = (after if after.tzinfo is not None else after.replace(tzinfo=zone)).astimezone(UTC)
    if isinstance(expression, At):
        once = expression.moment.replace(tzinfo=zone)
        found = exists(expression.moment, zone) and once.astimezone(UTC) > bound
        return iter([once] if found else [])
    if isinstance(expression, Rate):
        runs = _rate_runs(expression, zone, bound, start)
    else:
        first = bound if start is None else max(bound, start.astimezone(UTC) - _ONE_SECOND)
        runs = _cron_runs(expression, zone, first)
    if end is None:
        return runs
    last = end.astimezone(UTC)
    return takewhile(lambda run: run.astimezone(UTC) <= last, runs)


def _rate_runs(rate: Rate, zone: ZoneInfo, after: datetime, start: datetime | None) -> Iterator[datetime]:
    anchor = after if start is None else start.astimezone(UTC)
    count = max(0, (after - anchor) // rate.interval + 1)
    try:
        while True:
            yield (anchor + count * rate.interval).astimezone(zone)
            count += 1
    except OverflowError:  # past the last year that a datetime can hold
        return


def _cron_runs(cron: Cron, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    # A wall clock stands for its first moment, so wall clocks in order are moments in order; those up to
    # the wall clock of `after` are not later than it.
    for wall in walls(cron, after.astimezone(zone).replace(tzinfo=None)):
        run = wall.replace(tzinfo=zone)
        moment = run.astimezone(UTC)
        if moment > after and moment.astimezone(zone).replace(tzinfo=None) == wall:
            yield run


def walls(cron: Cron, first: datetime) -> Iterator[datetime]:
    """The wall clocks of a cron from a naive ``first`` on, in order, whether or not a zone shows them."""
    for day in cron.days_from(first.date()):
        for time in cron.times:
            wall = datetime.combine(day, time)
            if wall >= first:
                yield wall


@dataclass(frozen=True, kw_only=True)
class ClockChange:
    """Runs that a change of the clocks touches. ``str()`` is a line to show.

    Attributes:
        timezone: IANA name of the zone.
        skipped: whether the runs are skipped; otherwise their wall clock occurs twice, and they run at the
            first.
        walls: the naive wall clocks of these runs, in order, at least one.
    """

    timezone: str
    skipped: bool
    walls: tuple[datetime, ...]

    @property
    def day(self) -> date:
        """The day of the first of these wall clocks."""
        return self.walls[0].date()

    def __str__(self) -> str:
        first, last = self.walls[0], self.walls[-1]
        count = len(self.walls)
        until = f" to {last:%H:%M}" if last.date() == first.date() else f" to {last:%Y-%m-%d %H:%M}"
        when = f"{first:%Y-%m-%d %H:%M}{until if count > 1 else ''} {self.timezone}"
        if self.skipped:
            return (
                f"{when} does not exist: skipped"
                if count == 1
                else f"{when} does not exist: {count} runs skipped"
            )
        runs = "runs once" if count == 1 else f"each of {count} runs happens once"
        return f"{when} occurs twice: {runs}, at the first"


def clock_changes(
    expression: Expression, timezone: str, *, after: datetime, until: datetime
) -> tuple[ClockChange, ...]:
    """The runs between two moments that a change of the clocks skips or repeats.

    Args:
        expression: what ``parse_expression`` returned; a rate is never touched.
        timezone: IANA name of the zone.
        after: changes of the clock later than this; naive means the wall clock of the zone.
        until: changes not later than this; naive likewise.
    """
    if isinstance(expression, Rate):
        return ()
    zone = time_zone(timezone)
    bounds = [
        moment if moment.tzinfo is not None else moment.replace(tzinfo=zone) for moment in (after, until)
    ]
    changes = (
        _change(expression, zone, transition)
        for transition in transitions(zone, after=bounds[0], until=bounds[1])
    )
    return tuple(change for change in changes if change is not None)


def _change(expression: At | Cron, zone: ZoneInfo, transition: Transition) -> ClockChange | None:
    first, end = transition.walls
    if isinstance(expression, At):
        touched = tuple(wall for wall in [expression.moment] if first <= wall < end)
    else:
        touched = tuple(takewhile(lambda wall: wall < end, walls(expression, first)))
    if not touched:
        return None
    return ClockChange(timezone=zone.key, skipped=transition.forward, walls=touched)
