"""Deployments that fail or are killed half way: what is there afterwards works, and nothing else is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fault_matrix import Row
    from lifecycle_app import Plan

Kill = Callable[["Plan", Callable[[], bool]], None]


def events(cloud: Any) -> str:
    found = cloud.aws.client("cloudformation").describe_stack_events(StackName="Lifecycle")["StackEvents"]
    return "\n".join(
        f"{event['ResourceStatus']} {event['ResourceType']} {event.get('ResourceStatusReason', '')}"
        for event in found
    )


def test_a_create_that_fails_after_the_schedules_were_made(cloud: Any, row: Row) -> None:
    from local_aws.cdk_cli import CdkError

    cloud.be_gone()
    with pytest.raises(CdkError, match="there-is-no-such-role"):
        cloud.deploy(replace(cloud.base, breaks=True))
    assert "CREATE_COMPLETE AWS::Scheduler::Schedule" in events(cloud)
    assert cloud.stack_status() == "ROLLBACK_COMPLETE"
    row.settle()
    assert row.after == {}


def test_a_deploy_after_a_create_that_failed(cloud: Any, row: Row) -> None:
    cloud.deploy(cloud.base)
    row.settle()
    assert cloud.names("schedules") == ["Lifecycle-Nightly", "Lifecycle-Weekly"]


def test_an_update_that_fails_half_way(cloud: Any, row: Row) -> None:
    from local_aws.cdk_cli import CdkError
    from scheduled_pipeline import EventTrigger

    cloud.be(cloud.base)
    before = cloud.aws.inventory()
    schedule = cloud.schedule("Lifecycle-Nightly")
    pattern = {"source": ["my.app"], "detail": {"kind": ["ready"]}}
    changed = replace(
        cloud.base,
        pipeline_name="Changed",
        schedules={"Hourly": cloud.base.schedules["Nightly"]},
        events={"Ready": EventTrigger.pattern(event_pattern=pattern)},
        breaks=True,
    )
    with pytest.raises(CdkError, match="there-is-no-such-role"):
        cloud.deploy(changed)
    assert cloud.stack_status() == "UPDATE_ROLLBACK_COMPLETE"
    assert cloud.aws.inventory() == before
    assert cloud.schedule("Lifecycle-Nightly")["Target"] == schedule["Target"]
    executions = len(cloud.executions())
    row.settle()
    assert len(cloud.executions()) == executions + 2


def test_an_update_in_place_that_fails_half_way(cloud: Any, row: Row) -> None:
    from local_aws.cdk_cli import CdkError
    from scheduled_pipeline import PipelineSchedule

    cloud.be(cloud.base)
    before = cloud.schedule("Lifecycle-Nightly")
    once = PipelineSchedule.cron("30 4 * * ? *", idempotent=True)
    schedules = {**cloud.base.schedules, "Nightly": once}
    with pytest.raises(CdkError, match="there-is-no-such-role"):
        cloud.deploy(replace(cloud.base, schedules=schedules, breaks=True))
    after = cloud.schedule("Lifecycle-Nightly")
    for setting in ("ScheduleExpression", "ScheduleExpressionTimezone", "Target", "State", "CreationDate"):
        assert after[setting] == before[setting]
    row.settle()


def test_an_update_that_is_killed_and_resumed(cloud: Any, row: Row, kill: Kill) -> None:
    """Half way the old schedules are there still, and are refused: no run is started twice."""
    cloud.be(cloud.base)
    waits = replace(cloud.base, pipeline_name="Resumed", waits=True)
    kill(waits, lambda: "Resumed-Weekly" in cloud.names("schedules"))
    assert cloud.stack_status() == "UPDATE_IN_PROGRESS"
    assert cloud.names("pipelines") == ["Lifecycle", "Resumed"]
    assert len(cloud.names("schedules")) == 4
    group = cloud.schedule("Lifecycle-Weekly")["GroupName"]
    assert cloud.aws.deliver("Resumed-Weekly", group=group).error_code is None
    assert cloud.aws.deliver("Lifecycle-Weekly", group=group).error_code == "AccessDeniedException"
    assert row.dangling() == []
    row.forgive()
    assert cloud.go_on() == "UPDATE_COMPLETE"
    assert "(no changes)" in cloud.deploy(waits)
    row.settle()
    assert cloud.names("pipelines") == ["Resumed"]
    assert cloud.names("schedules") == ["Resumed-Nightly", "Resumed-Weekly"]


def test_a_create_that_is_killed_and_resumed(cloud: Any, row: Row, kill: Kill) -> None:
    cloud.be_gone()
    waits = replace(cloud.base, waits=True)
    kill(waits, lambda: "Lifecycle-Weekly" in cloud.names("schedules"))
    assert cloud.stack_status() == "CREATE_IN_PROGRESS"
    assert cloud.go_on() == "CREATE_COMPLETE"
    cloud.deploy(cloud.base)
    row.settle()
    assert cloud.names("schedules") == ["Lifecycle-Nightly", "Lifecycle-Weekly"]


def test_a_create_that_is_killed_and_destroyed(cloud: Any, row: Row, kill: Kill) -> None:
    cloud.be_gone()
    waits = replace(cloud.base, waits=True)
    kill(waits, lambda: "Lifecycle-Weekly" in cloud.names("schedules"))
    assert cloud.stack_status() == "CREATE_IN_PROGRESS"
    cloud.destroy(waits)
    row.settle()
    assert row.after == {}
