"""One stack through its whole life on the local AWS, by the real CDK CLI."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fault_matrix import Row
    from lifecycle_app import Plan

ACCOUNT = "444455556666"


@pytest.fixture
def with_event(cloud: Any) -> Plan:
    from scheduled_pipeline import EventTrigger

    pattern = {"source": ["my.app"], "detail": {"kind": ["ready"]}}
    ready = EventTrigger.pattern(event_pattern=pattern, parameters={"Date": "$.detail.date"})
    base: Plan = cloud.base
    return replace(base, events={"Ready": ready})


def test_deploy(cloud: Any, row: Row) -> None:
    cloud.deploy(cloud.base)
    row.settle()
    assert cloud.names("pipelines") == ["Lifecycle"]
    assert cloud.names("schedules") == ["Lifecycle-Nightly", "Lifecycle-Weekly"]
    assert len(cloud.names("schedule_groups")) == 1
    nightly = cloud.schedule("Lifecycle-Nightly")
    assert nightly["ScheduleExpression"] == "cron(0 3 * * ? *)"
    assert nightly["ScheduleExpressionTimezone"] == "Asia/Tokyo"
    assert nightly["Target"]["Arn"] == f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:pipeline/lifecycle"


def test_the_definition_arrives_as_it_was_written(cloud: Any, small_definition: dict[str, Any]) -> None:
    cloud.be(cloud.base)
    text = cloud.aws.client("sagemaker").describe_pipeline(PipelineName="Lifecycle")["PipelineDefinition"]
    assert json.loads(text) == small_definition


def test_a_due_schedule_starts_the_pipeline_with_its_parameters(cloud: Any) -> None:
    cloud.be(cloud.base)
    group = cloud.schedule("Lifecycle-Nightly")["GroupName"]
    due = datetime(2026, 12, 1, 18, 0, tzinfo=UTC)
    delivery = cloud.aws.deliver("Lifecycle-Nightly", group=group, scheduled_time=due)
    assert delivery.error_code is None
    cloud.aws.finish(delivery.execution_arn)
    assert cloud.executions()[0]["Count"] == "2"


def test_redeploy_unchanged_executes_no_change_set(cloud: Any, row: Row) -> None:
    cloud.be(cloud.base)
    cloudformation = cloud.aws.client("cloudformation")
    before = cloudformation.describe_stack_events(StackName="Lifecycle")["StackEvents"]
    assert cloud.cdk(cloud.base).diff().returncode == 0
    assert "(no changes)" in cloud.deploy(cloud.base)
    assert cloudformation.describe_stack_events(StackName="Lifecycle")["StackEvents"] == before
    row.settle()


def test_a_changed_instance_type_is_ten_lines_of_diff_or_fewer(
    cloud: Any, small_definition: dict[str, Any]
) -> None:
    cloud.be(cloud.base)
    definition = json.loads(json.dumps(small_definition).replace("ml.m5.large", "ml.m5.xlarge"))
    done = cloud.cdk(replace(cloud.base, definition=definition)).diff()
    assert done.returncode == 1
    shown = [line for line in done.stdout.splitlines() if line.strip().startswith(("[ ]", "[-]", "[+]"))]
    assert len(shown) <= 10
    changes = [line.strip() for line in shown if not line.strip().startswith("[ ]")]
    assert changes == [
        r'[-] "            \"InstanceType\": \"ml.m5.large\",",',
        r'[+] "            \"InstanceType\": \"ml.m5.xlarge\",",',
    ]


def test_add_a_schedule(cloud: Any, row: Row) -> None:
    from scheduled_pipeline import PipelineSchedule

    hourly = PipelineSchedule.rate(timedelta(hours=1), start=datetime(2198, 1, 1, tzinfo=UTC))
    cloud.deploy(replace(cloud.base, schedules={**cloud.base.schedules, "Hourly": hourly}))
    row.settle()
    assert cloud.names("schedules") == ["Lifecycle-Hourly", "Lifecycle-Nightly", "Lifecycle-Weekly"]


def test_change_a_schedule_in_place(cloud: Any, row: Row) -> None:
    from scheduled_pipeline import PipelineSchedule

    if "Lifecycle-Nightly" not in cloud.names("schedules"):
        cloud.be(cloud.base)
    created = cloud.schedule("Lifecycle-Nightly")["CreationDate"]
    start = datetime(2198, 1, 1, tzinfo=UTC)
    changed = PipelineSchedule.cron(
        "30 4 * * ? *", timezone="Europe/Berlin", start=start, enabled=False, description="changed"
    )
    cloud.deploy(replace(cloud.base, schedules={**cloud.base.schedules, "Nightly": changed}))
    row.settle()
    nightly = cloud.schedule("Lifecycle-Nightly")
    assert nightly["CreationDate"] == created
    assert nightly["ScheduleExpression"] == "cron(30 4 * * ? *)"
    assert nightly["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert nightly["StartDate"] == start
    assert (nightly["State"], nightly["Description"]) == ("DISABLED", "changed")


def test_rename_a_schedule(cloud: Any, row: Row) -> None:
    weekly = cloud.base.schedules["Weekly"]
    cloud.deploy(replace(cloud.base, schedules={"Late": cloud.base.schedules["Nightly"], "Weekly": weekly}))
    row.settle()
    assert cloud.names("schedules") == ["Lifecycle-Late", "Lifecycle-Weekly"]


def test_remove_a_schedule_and_add_an_event(cloud: Any, with_event: Plan, row: Row) -> None:
    cloud.deploy(replace(with_event, schedules={"Weekly": cloud.base.schedules["Weekly"]}))
    row.settle()
    assert cloud.names("schedules") == ["Lifecycle-Weekly"]
    assert cloud.names("rules") == ["Lifecycle-Ready"]
    assert cloud.executions()[0]["Date"] == "2027-01-04"
    before = len(cloud.executions())
    other = {"Source": "my.app", "DetailType": "Data", "Detail": '{"kind": "other", "date": "2027-01-05"}'}
    assert cloud.aws.client("events").put_events(Entries=[other])["FailedEntryCount"] == 0
    assert len(cloud.executions()) == before


def test_switch_a_schedule_to_the_idempotent_target(cloud: Any, with_event: Plan, row: Row) -> None:
    once = replace(cloud.base.schedules["Weekly"], idempotent=True, parameters={"Count": 7})
    cloud.deploy(replace(with_event, schedules={"Weekly": once}))
    target = cloud.schedule("Lifecycle-Weekly")["Target"]
    assert target["Arn"] == "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"
    assert "SageMakerPipelineParameters" not in target
    group, before = cloud.names("schedule_groups")[0], len(cloud.executions())
    due = [datetime(2026, 12, 6, 4, 0, tzinfo=UTC), datetime(2026, 12, 13, 4, 0, tzinfo=UTC)]
    arns = [
        cloud.aws.deliver("Lifecycle-Weekly", group=group, scheduled_time=moment).execution_arn
        for moment in (due[0], due[0], due[1])
    ]
    assert arns[0] == arns[1] != arns[2]
    assert [execution["Count"] for execution in cloud.executions()][: len(cloud.executions()) - before] == [
        "7"
    ] * 2
    row.settle()


def test_rename_the_pipeline(cloud: Any, with_event: Plan, row: Row) -> None:
    once = replace(cloud.base.schedules["Weekly"], idempotent=True)
    cloud.deploy(
        replace(with_event, pipeline_name="Renamed", schedules={**cloud.base.schedules, "Once": once})
    )
    row.settle()
    assert cloud.names("pipelines") == ["Renamed"]
    assert cloud.names("schedules") == ["Renamed-Nightly", "Renamed-Once", "Renamed-Weekly"]
    assert cloud.names("rules") == ["Renamed-Ready"]
    assert cloud.schedule("Renamed-Nightly")["Target"]["Arn"].endswith(":pipeline/renamed")


def test_move_the_schedules_to_another_group(cloud: Any, row: Row) -> None:
    cloud.be(cloud.base)
    (own,) = cloud.names("schedule_groups")
    cloud.deploy(replace(cloud.base, other_group=True))
    row.settle()
    (other,) = cloud.names("schedule_groups")
    assert other != own
    assert {schedule.split("/")[0] for schedule in cloud.aws.inventory().schedules} == {other}
    assert len(cloud.names("schedules")) == 2


def test_move_the_schedules_back_to_their_own_group(cloud: Any, row: Row) -> None:
    cloud.be(replace(cloud.base, other_group=True))
    cloud.deploy(cloud.base)
    row.settle()
    assert cloud.names("schedules") == ["Lifecycle-Nightly", "Lifecycle-Weekly"]


def test_destroy(cloud: Any, row: Row) -> None:
    cloud.be(cloud.base)
    cloud.destroy()
    row.settle()
    assert row.after == {}
    assert cloud.aws.inventory().added_since(cloud.toolkit) == {}


def test_destroy_twice(cloud: Any, row: Row) -> None:
    cloud.be_gone()
    cloud.destroy()
    row.settle()
    assert cloud.aws.inventory().added_since(cloud.toolkit) == {}
