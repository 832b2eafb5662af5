"""The clock: which times are due, whoever keeps the schedules and the rules.

Nothing here imports MiniStack, so that every interpreter can test it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from local_aws.emulator import recurrence

Key = tuple[str, ...]
Record = dict[str, Any]
Fire = Callable[[datetime], object]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One schedule or scheduled rule that is enabled.

    Attributes:
        key: the same at every tick.
        revision: another value means that it was changed, and counts anew.
        since: the time after which a new revision counts.
        timing: the expression and its limits, as ``recurrence`` reads them.
        fire: called with each time that is due.
    """

    key: Key
    revision: object
    since: datetime
    timing: Record
    fire: Fire


def schedule_entry(key: Key, schedule: Record, fire: Fire) -> Entry | None:
    """The entry of a schedule; None for a disabled one."""
    if schedule["State"] != "ENABLED":
        return None
    revision = schedule["LastModificationDate"]
    since = datetime.fromtimestamp(revision, UTC) - timedelta.resolution
    return Entry(key=key, revision=revision, since=since, timing=schedule, fire=fire)


def rule_entry(key: Key, rule: Record, now: datetime, fire: Fire) -> Entry | None:
    """The entry of a rule; None for one that is disabled or has no schedule."""
    expression = rule.get("ScheduleExpression")
    if not expression or rule["State"] != "ENABLED" or rule["EventBusName"] != "default":
        return None
    timing = {"ScheduleExpression": expression, "StartDate": _first_of_rule(rule)}
    return Entry(key=("rule", *key), revision=expression, since=now, timing=timing, fire=fire)


def _first_of_rule(rule: Record) -> float:
    # "The countdown begins when you create the rule", so a rate rule first fires an interval later.
    parsed = recurrence.parse(rule["ScheduleExpression"])
    interval = parsed.interval.total_seconds() if isinstance(parsed, recurrence.Rate) else 0.0
    return float(rule["CreationTime"]) + interval


@dataclass
class Clock:
    """What is due next, for every entry of all accounts and Regions."""

    _next: dict[Key, tuple[object, datetime | None]] = field(default_factory=dict)

    def tick(self, now: datetime, entries: Iterable[Entry]) -> None:
        """Fire everything that is due by ``now``, each once for each scheduled time."""
        enabled = list(entries)
        # What was disabled meanwhile does not catch up when it is enabled again.
        for key in self._next.keys() - {entry.key for entry in enabled}:
            del self._next[key]
        for entry in enabled:
            for due in self._due(entry, now):
                entry.fire(due)

    def _due(self, entry: Entry, now: datetime) -> Iterator[datetime]:
        """The scheduled times up to ``now`` not yielded yet."""
        known, upcoming = self._next.get(entry.key, (None, None))
        if known != entry.revision:
            upcoming = recurrence.next_due(entry.timing, entry.since)
        while upcoming is not None and upcoming <= now:
            due, upcoming = upcoming, recurrence.next_due(entry.timing, upcoming)
            # Noted before it is yielded: a delivery that breaks must not be tried at every tick.
            self._next[entry.key] = (entry.revision, upcoming)
            yield due
        self._next[entry.key] = (entry.revision, upcoming)
