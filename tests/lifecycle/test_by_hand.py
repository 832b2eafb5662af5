"""A stack can be deleted after somebody has deleted parts of it by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fault_matrix import Row


def test_a_schedule_deleted_by_hand_then_deploy(cloud: Any, row: Row) -> None:
    """A deploy without a change does not bring it back, as CloudFormation compares templates only."""
    cloud.be(cloud.base)
    group = cloud.schedule("Lifecycle-Weekly")["GroupName"]
    cloud.aws.client("scheduler").delete_schedule(Name="Lifecycle-Weekly", GroupName=group)
    assert "(no changes)" in cloud.deploy(cloud.base)
    assert cloud.names("schedules") == ["Lifecycle-Nightly"]
    schedules = {"Nightly": cloud.base.schedules["Nightly"], "Again": cloud.base.schedules["Weekly"]}
    cloud.deploy(replace(cloud.base, schedules=schedules))
    row.settle()
    assert cloud.names("schedules") == ["Lifecycle-Again", "Lifecycle-Nightly"]


def test_a_schedule_deleted_by_hand_then_destroy(cloud: Any, row: Row) -> None:
    if cloud.plan is None:
        cloud.deploy(cloud.base)
    (name, *_) = cloud.aws.inventory().schedules
    group, schedule = name.split("/")
    cloud.aws.client("scheduler").delete_schedule(Name=schedule, GroupName=group)
    cloud.destroy()
    row.settle()
    assert row.after == {}


def test_the_pipeline_deleted_by_hand_then_destroy(cloud: Any, row: Row) -> None:
    cloud.be(cloud.base)
    cloud.aws.client("sagemaker").delete_pipeline(PipelineName="Lifecycle")
    group = cloud.schedule("Lifecycle-Weekly")["GroupName"]
    failed = cloud.aws.deliver("Lifecycle-Weekly", group=group)
    assert failed.error_code == "ResourceNotFound"
    assert failed.dead_letter_queue is not None
    assert len(cloud.aws.dangling()) > 0
    row.forgive()
    cloud.destroy()
    row.settle()
    assert row.after == {}


def test_group_role_and_queue_deleted_by_hand_then_destroy(cloud: Any, row: Row) -> None:
    cloud.be(cloud.base)
    (group,) = cloud.names("schedule_groups")
    cloud.aws.client("scheduler").delete_schedule_group(Name=group)
    iam, sqs = cloud.aws.client("iam"), cloud.aws.client("sqs")
    (role,) = [name for name in cloud.names("roles") if "SchedulerRole" in name]
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    iam.delete_role_policy(RoleName=role, PolicyName=policy)
    iam.delete_role(RoleName=role)
    (queue,) = cloud.names("queues")
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"])
    cloud.destroy()
    row.settle()
    assert row.after == {}
