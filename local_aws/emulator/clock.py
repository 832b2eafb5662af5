"""The clock: fires what is due in real time and ends the executions that have run their time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from ministack.core.responses import request_scope
from ministack.services import eventbridge

from local_aws.emulator import delivery, events, pipelines, recurrence, scheduler
from local_aws.emulator.api import Json

_TICK_SECONDS: Final = 0.5
_logger = logging.getLogger(__name__)

Key = tuple[str, ...]


@dataclass
class Clock:
    """What is due next, for every schedule and every scheduled rule of all accounts and Regions."""

    execution_seconds: float
    _next: dict[Key, tuple[object, datetime | None]] = field(default_factory=dict)

    async def run(self, stop: asyncio.Event) -> None:
        """Tick until told to stop. A tick runs on the server's loop, so it never meets a half-made change."""
        while not stop.is_set():
            try:
                self.tick(datetime.now(UTC))
            except Exception:
                _logger.exception("the clock failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _TICK_SECONDS)

    def tick(self, now: datetime) -> None:
        """Fire everything that is due by `now`, each once for each scheduled time."""
        self._fire_schedules(now)
        self._fire_rules(now)
        for pipeline, execution in pipelines.running():
            if time.time() - execution.started >= self.execution_seconds:
                pipelines.change_status(pipeline, execution, "Succeeded")

    def _fire_schedules(self, now: datetime) -> None:
        for key, schedule in scheduler.schedules.to_dict().items():
            account, region, _ = key
            if schedule["State"] != "ENABLED":
                self._next.pop(key, None)
                continue
            with request_scope(account, region):
                revision = schedule["LastModificationDate"]
                since = datetime.fromtimestamp(revision, UTC) - timedelta.resolution
                for due in self._due(key, revision, since, schedule, now):
                    delivery.deliver(schedule, due)

    def _fire_rules(self, now: datetime) -> None:
        for key, rule in eventbridge._rules.to_dict().items():
            account, region, _ = key
            expression = rule.get("ScheduleExpression")
            if not expression or rule["State"] != "ENABLED" or rule["EventBusName"] != "default":
                self._next.pop(key, None)
                continue
            timing = {"ScheduleExpression": expression, "StartDate": _first_of_rule(rule)}
            with request_scope(account, region):
                for due in self._due(("rule", *key), expression, now, timing, now):
                    events.fire_rule(rule, eventbridge._targets._data.get(key, []), due)

    def _due(
        self, key: Key, revision: object, since: datetime, schedule: Json, now: datetime
    ) -> Iterator[datetime]:
        """The scheduled times up to `now` not yielded yet; a new revision counts from `since`."""
        known, upcoming = self._next.get(key, (None, None))
        if known != revision:
            upcoming = recurrence.next_due(schedule, since)
        while upcoming is not None and upcoming <= now:
            due, upcoming = upcoming, recurrence.next_due(schedule, upcoming)
            # Noted before it is yielded: a delivery that breaks must not be tried at every tick.
            self._next[key] = (revision, upcoming)
            yield due
        self._next[key] = (revision, upcoming)


def _first_of_rule(rule: Json) -> float:
    # "The countdown begins when you create the rule", so a rate rule first fires an interval later.
    parsed = recurrence.parse(rule["ScheduleExpression"])
    interval = parsed.interval.total_seconds() if isinstance(parsed, recurrence.Rate) else 0.0
    return float(rule["CreationTime"]) + interval
