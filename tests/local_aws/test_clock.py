from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ministack.core.responses import request_scope
from ministack.services import eventbridge

from local_aws.emulator import clock, delivery, events, scheduler

MADE = datetime(2026, 11, 21, 4, 0, 30, tzinfo=UTC)
ACCOUNT, REGION = "111122223333", "us-east-1"


@pytest.fixture
def fired(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The scheduled times that the clock fired, in order."""
    times: list[datetime] = []
    monkeypatch.setattr(delivery, "deliver", lambda schedule, due: times.append(due))
    monkeypatch.setattr(events, "fire_rule", lambda rule, targets, due: times.append(due))
    return times


@pytest.fixture(autouse=True)
def empty_stores() -> Iterator[None]:
    yield
    scheduler.schedules.clear()
    eventbridge._rules.clear()


def put_schedule(expression: str, **settings: Any) -> None:
    record = {
        "State": "ENABLED",
        "ScheduleExpression": expression,
        "Anchor": MADE.timestamp(),
        "LastModificationDate": MADE.timestamp(),
        **settings,
    }
    with request_scope(ACCOUNT, REGION):
        scheduler.schedules["default/Nightly"] = record


def put_rule(expression: str) -> None:
    rule = {"State": "ENABLED", "EventBusName": "default", "ScheduleExpression": expression}
    with request_scope(ACCOUNT, REGION):
        eventbridge._rules["default|Nightly"] = {**rule, "CreationTime": MADE.timestamp()}


def after(**delay: int) -> datetime:
    return MADE + timedelta(**delay)


def test_a_rate_fires_when_it_is_made_and_once_for_each_interval(fired: list[datetime]) -> None:
    put_schedule("rate(5 minutes)")
    ticking = clock.Clock(execution_seconds=1)
    for seconds in (1, 2, 299, 300, 301):
        ticking.tick(after(seconds=seconds))
    assert fired == [MADE, after(minutes=5)]


def test_times_that_passed_between_two_ticks_are_all_fired(fired: list[datetime]) -> None:
    put_schedule("rate(1 minute)")
    ticking = clock.Clock(execution_seconds=1)
    ticking.tick(after(seconds=1))
    ticking.tick(after(minutes=3))
    assert fired == [after(minutes=minutes) for minutes in range(4)]


def test_a_changed_schedule_counts_from_its_change(fired: list[datetime]) -> None:
    put_schedule("cron(10 4 * * ? *)")
    ticking = clock.Clock(execution_seconds=1)
    ticking.tick(after(minutes=1))
    changed = after(minutes=2)
    put_schedule("cron(1 4 * * ? *)", LastModificationDate=changed.timestamp())
    ticking.tick(after(minutes=30))
    assert fired == []
    ticking.tick(after(days=1, minutes=30))
    assert fired == [datetime(2026, 11, 22, 4, 1, tzinfo=UTC)]


def test_a_schedule_that_is_enabled_again_does_not_catch_up(fired: list[datetime]) -> None:
    put_schedule("rate(1 minute)", State="DISABLED")
    ticking = clock.Clock(execution_seconds=1)
    ticking.tick(after(minutes=5))
    put_schedule("rate(1 minute)", LastModificationDate=after(minutes=5, seconds=1).timestamp())
    ticking.tick(after(minutes=6))
    assert fired == [after(minutes=6)]


def test_a_delivery_that_breaks_is_not_tried_again(
    fired: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(schedule: object, due: datetime) -> None:
        fired.append(due)
        raise RuntimeError

    monkeypatch.setattr(delivery, "deliver", broken)
    put_schedule("rate(1 hour)")
    ticking = clock.Clock(execution_seconds=1)
    with pytest.raises(RuntimeError):
        ticking.tick(after(seconds=1))
    ticking.tick(after(seconds=2))
    assert fired == [MADE]


def test_a_rate_rule_first_fires_an_interval_after_it_was_made(fired: list[datetime]) -> None:
    put_rule("rate(5 minutes)")
    ticking = clock.Clock(execution_seconds=1)
    for minutes in (1, 5, 6, 10):
        ticking.tick(after(minutes=minutes))
    assert fired == [after(minutes=5), after(minutes=10)]


def test_a_cron_rule_fires_in_utc(fired: list[datetime]) -> None:
    put_rule("cron(30 4 * * ? *)")
    ticking = clock.Clock(execution_seconds=1)
    for minutes in (1, 40):
        ticking.tick(after(minutes=minutes))
    assert fired == [datetime(2026, 11, 21, 4, 30, tzinfo=UTC)]
