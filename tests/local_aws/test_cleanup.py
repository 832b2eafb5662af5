from collections.abc import Callable
from typing import Any

from local_aws import LocalAws

Resource = Callable[..., dict[str, Any]]


def test_what_an_update_removes_goes_before_the_replaced_resource_it_depends_on(
    aws: LocalAws, stack: Any, role: Resource, pipeline: Resource, schedule: Resource
) -> None:
    late = {"DependsOn": "Pipeline"}
    stack.create({"Role": role(), "Pipeline": pipeline(), "Nightly": {**schedule(), **late}})
    assert stack.update({"Role": role(), "Pipeline": pipeline("Renamed")}) == "UPDATE_COMPLETE"
    assert aws.dangling() == []
    assert (aws.inventory().pipelines, aws.inventory().schedules) == (("Renamed",), ())


def test_an_order_of_dependents_goes_over_what_stays(
    aws: LocalAws, stack: Any, role: Resource, pipeline: Resource, schedule: Resource
) -> None:
    between = {"Type": "AWS::SQS::Queue", "Properties": {}, "DependsOn": "Pipeline"}
    stays = {"Role": role(), "Queue": between}
    stack.create({**stays, "Pipeline": pipeline(), "Nightly": {**schedule(), "DependsOn": "Queue"}})
    assert stack.update({**stays, "Pipeline": pipeline("Renamed")}) == "UPDATE_COMPLETE"
    assert aws.dangling() == []


def test_what_an_update_removes_stays_when_the_update_is_rolled_back(
    aws: LocalAws, stack: Any, role: Resource, pipeline: Resource, schedule: Resource
) -> None:
    late = {"DependsOn": "Pipeline"}
    stack.create({"Role": role(), "Pipeline": pipeline(), "Nightly": {**schedule(), **late}})
    bad = {**schedule(ScheduleExpression="rate(0 days)"), **late}
    broken = {"Role": role(), "Pipeline": pipeline("Renamed"), "Bad": bad}
    assert stack.update(broken) == "UPDATE_ROLLBACK_COMPLETE"
    assert aws.dangling() == []
    assert aws.inventory().pipelines == ("Training",)
    assert len(aws.inventory().schedules) == 1


def test_what_is_removed_and_retained_is_not_deleted(
    aws: LocalAws, stack: Any, role: Resource, pipeline: Resource, schedule: Resource
) -> None:
    kept = {**schedule(Name="Kept"), "DependsOn": "Pipeline", "DeletionPolicy": "Retain"}
    stack.create({"Role": role(), "Pipeline": pipeline(), "Kept": kept})
    assert stack.update({"Role": role(), "Pipeline": pipeline("Renamed")}) == "UPDATE_COMPLETE"
    assert aws.inventory().schedules == ("default/Kept",)
    assert [entry.after for entry in aws.dangling()] == ["DeletePipeline"]
