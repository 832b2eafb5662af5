"""When the schedules of a cloud assembly will run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice

from scheduled_pipeline.cli.assembly.intrinsics import Text
from scheduled_pipeline.cli.assembly.scheduled_starts import ScheduledStart
from scheduled_pipeline.trigger.description import describe_expression
from scheduled_pipeline.trigger.expression import At, Dialect, Expression, Rate, parse_expression
from scheduled_pipeline.trigger.occurrences import ClockChange, clock_changes, occurrences
from scheduled_pipeline.trigger.time_zone import time_zone, utc_text

FIRST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
"""The first moment of the first year that a cron expression can name."""
LAST_MOMENT = datetime(2200, 1, 1, tzinfo=UTC)
"""The end of the last year that a cron expression can name."""

_TWO_DAYS = timedelta(days=2)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One coming run.

    Attributes:
        moment: aware, in the zone of its schedule.
        note: what changing clocks do to it, or to runs just before it.
    """

    moment: datetime
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """The coming runs of one schedule.

    Attributes:
        start: the schedule or the rule.
        description: when it runs, in plain words, if the expression is known.
        runs: in order; none while it is disabled.
        approximate: whether the runs are counted from a deployment whose time is not known.
        clock_changes: what changing clocks do to these runs, and to those left out between them.
        notes: what else to know.
        problem: why AWS would refuse it, if it would.
    """

    start: ScheduledStart
    description: str | None = None
    runs: tuple[Run, ...] = ()
    approximate: bool = False
    clock_changes: tuple[ClockChange, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str | None = None


def forecast(start: ScheduledStart, *, after: datetime, count: int) -> Forecast:
    """The next runs of a schedule.

    Args:
        start: the schedule or the rule.
        after: aware; runs are later than this.
        count: how many at most.
    """
    unknown = _unknown_fields(start)
    if unknown:
        note = f"only the deployment knows its {' and '.join(unknown)}"
        return Forecast(start=start, notes=(note, *_notes(start)))
    try:
        return _forecast(start, after, count)
    except ValueError as error:
        problem = str(error)
    except OverflowError:
        problem = f"expression or dates are out of range, got {start.expression}"
    return Forecast(start=start, problem=problem, notes=_notes(start))


def _unknown_fields(start: ScheduledStart) -> list[str]:
    fields = {
        "expression": start.expression,
        "time zone": start.timezone,
        "start date": start.start,
        "end date": start.end,
    }
    return [name for name, text in fields.items() if text is not None and not text.known]


def _forecast(start: ScheduledStart, after: datetime, count: int) -> Forecast:
    expression = parse_expression(start.expression.text, start.dialect)
    zone = start.timezone.text
    time_zone(zone)
    first, last = _date("StartDate", start.start), _date("EndDate", start.end)
    base = Forecast(start=start, description=describe_expression(expression, zone), notes=_notes(start))
    if not start.enabled:
        return base
    approximate = isinstance(expression, Rate) and first is None
    # One more than is shown tells whether it goes on.
    found = list(islice(occurrences(expression, zone, after=after, start=first, end=last), count + 1))
    shown = found[:count]
    changes = _changes(expression, zone, after=max(after, first or after), last=last, runs=found, count=count)
    runs, late = _annotated(shown, changes)
    notes = (*_ending(shown, count), *late, *base.notes)
    if approximate:
        notes = (_counted_from_deployment(start, after), *notes)
    return replace(base, runs=runs, approximate=approximate, clock_changes=changes, notes=notes)


def _counted_from_deployment(start: ScheduledStart, after: datetime) -> str:
    """Say from when a rate without a start date is counted, and which is its first run.

    "If you do not provide a StartDate for a rate-based schedule, your schedule starts invoking the target
    immediately", says the guide of EventBridge Scheduler. The countdown of a rule "begins when you create the
    rule". What an update of a schedule does to its rhythm was not found in AWS's documents.
    """
    note = f"approximate: counted from its deployment, which is taken to be {utc_text(after)}"
    at_once = start.dialect is Dialect.SCHEDULER
    return f"{note}; without a start date it also runs at once when it is created" if at_once else note


def _date(field: str, value: Text | None) -> datetime | None:
    """``StartDate`` or ``EndDate``, which CloudFormation takes in UTC."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value.text)
    except ValueError:
        raise ValueError(
            f"{field} must be a moment such as 2027-01-04T14:00:00Z, got {value.text!r}"
        ) from None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _changes(
    expression: Expression,
    zone: str,
    *,
    after: datetime,
    last: datetime | None,
    runs: Sequence[datetime],
    count: int,
) -> tuple[ClockChange, ...]:
    """Return the changes of the clocks up to the first run that is no longer shown."""
    if isinstance(expression, At):
        moment = expression.moment.replace(tzinfo=time_zone(zone)).astimezone(UTC)
        if moment <= after:
            return ()
        return clock_changes(expression, zone, after=moment - _TWO_DAYS, until=moment + _TWO_DAYS)
    if len(runs) <= count:
        until = min(last or LAST_MOMENT, LAST_MOMENT)
        return clock_changes(expression, zone, after=after, until=until)
    # A wall clock that occurs twice is met before the clocks change, so look beyond the run.
    changes = clock_changes(expression, zone, after=after, until=runs[count] + _TWO_DAYS)
    wall = runs[count].replace(tzinfo=None, fold=0)
    return tuple(change for change in changes if change.walls[0] < wall)


def _annotated(
    moments: Sequence[datetime], changes: Sequence[ClockChange]
) -> tuple[tuple[Run, ...], tuple[str, ...]]:
    """Return each run with the clock changes to show beside it, and the changes after the last run."""
    notes: dict[int, list[str]] = {}
    for change in changes:
        places = (
            place
            for place, moment in enumerate(moments)
            if moment.replace(tzinfo=None, fold=0) >= change.walls[0]
        )
        notes.setdefault(next(places, len(moments)), []).append(str(change))
    runs = tuple(
        Run(moment=moment, note="; ".join(notes[place]) if place in notes else None)
        for place, moment in enumerate(moments)
    )
    return runs, tuple(notes.get(len(moments), ()))


def _ending(runs: Sequence[datetime], count: int) -> tuple[str, ...]:
    if len(runs) >= count:
        return ()
    return ("never again after these runs" if runs else "never again",)


def _notes(start: ScheduledStart) -> tuple[str, ...]:
    """What the template says besides the expression."""
    notes = [] if start.enabled else ["disabled: it does not run"]
    if start.window is not None:
        notes.append(f"a run may begin up to {start.window} minutes later")
    if not start.state.known:
        notes.append("only the deployment knows whether it is enabled")
    if start.condition is not None:
        notes.append(f"made only if the condition {start.condition} holds")
    texts = (start.expression, start.timezone, start.state, start.start, start.end)
    assumed = dict.fromkeys(name for text in texts if text is not None for name in text.assumed)
    if assumed:
        notes.append(f"with the default of the parameter {', '.join(assumed)}")
    return tuple(notes)
