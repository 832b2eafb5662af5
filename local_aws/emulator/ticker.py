"""Ticks in real time: fires what is due, ends executions that have run their time, delivers access logs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Final

from ministack.core.responses import request_scope
from ministack.services import eventbridge

from local_aws.emulator import access_logs, delivery, events, pipelines, scheduler
from local_aws.emulator.api import Json
from local_aws.emulator.clock import Clock, Entry, Key, rule_entry, schedule_entry

_TICK_SECONDS: Final = 0.5
_logger = logging.getLogger(__name__)


async def run(stop: asyncio.Event, *, execution_seconds: float) -> None:
    """Tick until told to stop. A tick runs on the server's loop, so it never meets a half-made change."""
    clock = Clock()
    while not stop.is_set():
        try:
            now = datetime.now(UTC)
            clock.tick(now, _entries(now))
            _end_executions(execution_seconds)
            access_logs.deliver()
        except Exception:
            _logger.exception("the clock failed")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _TICK_SECONDS)


def _entries(now: datetime) -> Iterator[Entry]:
    """Everything that is enabled now; the clock lists it before it fires the first."""
    for key, schedule in scheduler.schedules.to_dict().items():
        if entry := schedule_entry(key, schedule, partial(_deliver, key, schedule)):
            yield entry
    for key, rule in eventbridge._rules.to_dict().items():
        if entry := rule_entry(key, rule, now, partial(_fire_rule, key, rule)):
            yield entry


def _deliver(key: Key, schedule: Json, due: datetime) -> None:
    account, region, _ = key
    with request_scope(account, region):
        delivery.deliver(schedule, due)


def _fire_rule(key: Key, rule: Json, due: datetime) -> None:
    account, region, _ = key
    with request_scope(account, region):
        events.fire_rule(rule, eventbridge._targets._data.get(key, []), due)


def _end_executions(after_seconds: float) -> None:
    for pipeline, execution in pipelines.running():
        if time.time() - execution.started >= after_seconds:
            pipelines.change_status(pipeline, execution, "Succeeded")
