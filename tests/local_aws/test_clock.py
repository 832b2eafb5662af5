from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_aws.emulator.clock import Clock, rule_entry, schedule_entry

MADE = datetime(2026, 11, 21, 4, 0, 30, tzinfo=UTC)


@dataclass
class Ticking:
    """A clock over one schedule and one rule, which the tests put and change as the services do."""

    fired: list[datetime] = field(default_factory=list)
    broken: bool = False
    _clock: Clock = field(default_factory=Clock)
    _schedule: dict[str, Any] | None = None
    _rule: dict[str, Any] | None = None

    def put_schedule(self, expression: str, **settings: Any) -> None:
        self._schedule = {
            "State": "ENABLED",
            "ScheduleExpression": expression,
            "Anchor": MADE.timestamp(),
            "LastModificationDate": MADE.timestamp(),
            **settings,
        }

    def put_rule(self, expression: str, **settings: Any) -> None:
        self._rule = {
            "State": "ENABLED",
            "EventBusName": "default",
            "ScheduleExpression": expression,
            "CreationTime": MADE.timestamp(),
            **settings,
        }

    def tick(self, now: datetime) -> None:
        key = ("111122223333", "us-east-1", "Nightly")
        entries = [
            schedule_entry(key, self._schedule, self._fire) if self._schedule else None,
            rule_entry(key, self._rule, now, self._fire) if self._rule else None,
        ]
        self._clock.tick(now, filter(None, entries))

    def _fire(self, due: datetime) -> None:
        self.fired.append(due)
        if self.broken:
            raise RuntimeError


@pytest.fixture
def ticking() -> Ticking:
    return Ticking()


def after(**delay: int) -> datetime:
    return MADE + timedelta(**delay)


def test_a_rate_fires_when_it_is_made_and_once_for_each_interval(ticking: Ticking) -> None:
    ticking.put_schedule("rate(5 minutes)")
    for seconds in (1, 2, 299, 300, 301):
        ticking.tick(after(seconds=seconds))
    assert ticking.fired == [MADE, after(minutes=5)]


def test_times_that_passed_between_two_ticks_are_all_fired(ticking: Ticking) -> None:
    ticking.put_schedule("rate(1 minute)")
    ticking.tick(after(seconds=1))
    ticking.tick(after(minutes=3))
    assert ticking.fired == [after(minutes=minutes) for minutes in range(4)]


def test_a_changed_schedule_counts_from_its_change(ticking: Ticking) -> None:
    ticking.put_schedule("cron(10 4 * * ? *)")
    ticking.tick(after(minutes=1))
    changed = after(minutes=2)
    ticking.put_schedule("cron(1 4 * * ? *)", LastModificationDate=changed.timestamp())
    ticking.tick(after(minutes=30))
    assert ticking.fired == []
    ticking.tick(after(days=1, minutes=30))
    assert ticking.fired == [datetime(2026, 11, 22, 4, 1, tzinfo=UTC)]


def test_a_schedule_that_is_enabled_again_does_not_catch_up(ticking: Ticking) -> None:
    ticking.put_schedule("rate(1 minute)", State="DISABLED")
    ticking.tick(after(minutes=5))
    ticking.put_schedule("rate(1 minute)", LastModificationDate=after(minutes=5, seconds=1).timestamp())
    ticking.tick(after(minutes=6))
    assert ticking.fired == [after(minutes=6)]


def test_a_delivery_that_breaks_is_not_tried_again(ticking: Ticking) -> None:
    ticking.put_schedule("rate(1 hour)")
    ticking.broken = True
    with pytest.raises(RuntimeError):
        ticking.tick(after(seconds=1))
    ticking.tick(after(seconds=2))
    assert ticking.fired == [MADE]


def test_a_rate_rule_first_fires_an_interval_after_it_was_made(ticking: Ticking) -> None:
    ticking.put_rule("rate(5 minutes)")
    for minutes in (1, 5, 6, 10):
        ticking.tick(after(minutes=minutes))
    assert ticking.fired == [after(minutes=5), after(minutes=10)]


def test_a_cron_rule_fires_in_utc(ticking: Ticking) -> None:
    ticking.put_rule("cron(30 4 * * ? *)")
    for minutes in (1, 40):
        ticking.tick(after(minutes=minutes))
    assert ticking.fired == [datetime(2026, 11, 21, 4, 30, tzinfo=UTC)]


@pytest.mark.parametrize("settings", [{"State": "DISABLED"}, {"EventBusName": "other"}])
def test_a_rule_that_is_disabled_or_on_another_bus_does_not_fire(
    ticking: Ticking, settings: dict[str, str]
) -> None:
    ticking.put_rule("rate(5 minutes)", **settings)
    for minutes in (1, 6):
        ticking.tick(after(minutes=minutes))
    assert ticking.fired == []
