import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws import LocalAws

NOW = datetime.now(UTC).replace(microsecond=0)
PIPELINE = "arn:aws:sagemaker:us-east-1:111122223333:pipeline/training"


@pytest.fixture
def role_arn(aws: LocalAws) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "scheduler.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    created = aws.client("iam").create_role(RoleName="scheduler", AssumeRolePolicyDocument=trust)
    return str(created["Role"]["Arn"])


@pytest.fixture
def settings(aws: LocalAws, role_arn: str) -> dict[str, Any]:
    """Everything a schedule can be told."""
    return {
        "Name": "Nightly",
        "GroupName": "training",
        "Description": "every night",
        "ScheduleExpression": "cron(0 3 * * ? *)",
        "ScheduleExpressionTimezone": "Asia/Tokyo",
        "StartDate": NOW + timedelta(days=1),
        "EndDate": NOW + timedelta(days=300),
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15},
        "State": "DISABLED",
        "ActionAfterCompletion": "NONE",
        "KmsKeyArn": "arn:aws:kms:us-east-1:111122223333:key/abc",
        "Target": {
            "Arn": PIPELINE,
            "RoleArn": role_arn,
            "SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "RunDate", "Value": "today"}]},
            "RetryPolicy": {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 3600},
            "DeadLetterConfig": {"Arn": "arn:aws:sqs:us-east-1:111122223333:dead"},
        },
    }


@pytest.fixture
def scheduler(aws: LocalAws) -> Any:
    client = aws.client("scheduler")
    client.create_schedule_group(Name="training")
    return client


def test_every_setting_of_a_schedule_comes_back(scheduler: Any, settings: dict[str, Any]) -> None:
    arn = scheduler.create_schedule(**settings)["ScheduleArn"]
    found = scheduler.get_schedule(Name="Nightly", GroupName="training")
    assert {name: found[name] for name in settings} == settings
    assert found["Arn"] == arn
    assert arn.endswith(":schedule/training/Nightly")


def test_an_update_replaces_every_setting(scheduler: Any, settings: dict[str, Any]) -> None:
    scheduler.create_schedule(**settings)
    scheduler.update_schedule(
        Name="Nightly",
        GroupName="training",
        ScheduleExpression="rate(1 hour)",
        FlexibleTimeWindow={"Mode": "OFF"},
        State="DISABLED",
        Target={"Arn": PIPELINE, "RoleArn": settings["Target"]["RoleArn"]},
    )
    found = scheduler.get_schedule(Name="Nightly", GroupName="training")
    assert (found["ScheduleExpression"], found["ScheduleExpressionTimezone"]) == ("rate(1 hour)", "UTC")
    assert not {"Description", "StartDate", "EndDate", "KmsKeyArn"} & found.keys()
    assert found["Target"].keys() == {"Arn", "RoleArn"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Name": "no spaces"}, "at 'name' failed to satisfy constraint: Member must satisfy regular"),
        (
            {"Name": "n" * 65},
            "at 'name' failed to satisfy constraint: Member must have length less than or equal",
        ),
        ({"Description": "d" * 513}, "at 'description' failed to satisfy constraint"),
        ({"State": "PAUSED"}, r"enum value set: \[ENABLED, DISABLED\]"),
        ({"ScheduleExpression": "cron(nonsense)"}, r"Invalid Schedule Expression cron\(nonsense\)\."),
        ({"ScheduleExpression": "rate(0 fortnights)"}, "Invalid Schedule Expression"),
        ({"ScheduleExpression": "at(2020-01-01T00:00:00)"}, "The time is in the past"),
        ({"ScheduleExpressionTimezone": "Mars/Olympus"}, "Invalid Schedule Expression Timezone Mars/Olympus"),
        ({"StartDate": NOW - timedelta(minutes=6)}, "StartDate you specify cannot be earlier than 5 minutes"),
        ({"EndDate": NOW + timedelta(hours=1)}, "EndDate you specify must be in the future and later"),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "MaximumWindowInMinutes is required"),
        ({"FlexibleTimeWindow": {"Mode": "OFF", "MaximumWindowInMinutes": 5}}, "and for no other"),
        (
            {"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 1441}},
            "at 'flexibleTimeWindow.maximumWindowInMinutes'",
        ),
        (
            {"Target": {"Arn": PIPELINE}},
            "at 'target.roleArn' failed to satisfy constraint: Member must not be null",
        ),
    ],
)
def test_what_the_service_refuses_is_refused(
    scheduler: Any,
    settings: dict[str, Any],
    unchecked: Callable[[str], Any],
    change: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(ClientError, match=message) as error:
        unchecked("scheduler").create_schedule(**{**settings, **change})
    assert error.value.response["Error"]["Code"] == "ValidationException"
    assert scheduler.list_schedules()["Schedules"] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"RetryPolicy": {"MaximumRetryAttempts": 186}}, "at 'target.retryPolicy.maximumRetryAttempts'"),
        (
            {"RetryPolicy": {"MaximumEventAgeInSeconds": 59}},
            "at 'target.retryPolicy.maximumEventAgeInSeconds'",
        ),
        (
            {"SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "RunDate", "Value": ""}]}},
            r"pipelineParameterList\.1\.member\.value' failed to satisfy constraint: Member must have length",
        ),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:describePipeline", "Input": "{}"}, "read-only"),
        (
            {"Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:startPipeline", "Input": "{}"},
            "has no startPipeline",
        ),
        ({"Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"}, "Input is required"),
        (
            {"RoleArn": "arn:aws:iam::111122223333:role/missing"},
            "must allow AWS EventBridge Scheduler to assume",
        ),
    ],
)
def test_a_target_that_the_service_refuses_is_refused(
    scheduler: Any,
    settings: dict[str, Any],
    unchecked: Callable[[str], Any],
    change: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(ClientError, match=message):
        unchecked("scheduler").create_schedule(**{**settings, "Target": {**settings["Target"], **change}})


def test_a_start_date_up_to_five_minutes_ago_is_taken(scheduler: Any, settings: dict[str, Any]) -> None:
    recently = datetime.now(UTC) - timedelta(minutes=4)  # NOW is when the suite began, minutes ago
    scheduler.create_schedule(**{**settings, "StartDate": recently})
    assert scheduler.get_schedule(Name="Nightly", GroupName="training")


def test_start_and_end_are_ignored_for_a_one_time_schedule(scheduler: Any, settings: dict[str, Any]) -> None:
    once = f"at({NOW.year + 1}-01-04T09:00:00)"
    past = NOW - timedelta(days=9)
    scheduler.create_schedule(**{**settings, "ScheduleExpression": once, "StartDate": past, "EndDate": past})
    assert scheduler.get_schedule(Name="Nightly", GroupName="training")["ScheduleExpression"] == once


def test_a_group_that_is_not_there_is_named(scheduler: Any, settings: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match=r"Schedule group gone does not exist\.") as error:
        scheduler.create_schedule(**{**settings, "GroupName": "gone"})
    assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_second_schedule_of_a_name_is_refused_unless_the_token_is_the_same(
    scheduler: Any, settings: dict[str, Any]
) -> None:
    first = scheduler.create_schedule(**settings, ClientToken="one")
    assert scheduler.create_schedule(**settings, ClientToken="one")["ScheduleArn"] == first["ScheduleArn"]
    with pytest.raises(ClientError, match="ConflictException"):
        scheduler.create_schedule(**settings, ClientToken="two")
    scheduler.create_schedule(**{**settings, "GroupName": "default"})


def test_schedules_are_listed_by_group_prefix_and_state_in_pages(
    scheduler: Any, settings: dict[str, Any]
) -> None:
    for name, group, state in (
        ("Daily", "training", "ENABLED"),
        ("Nightly", "training", "DISABLED"),
        ("Noon", "training", "ENABLED"),
        ("Nightly", "default", "ENABLED"),
    ):
        scheduler.create_schedule(**{**settings, "Name": name, "GroupName": group, "State": state})

    def names(**filters: Any) -> list[str]:
        pages = scheduler.get_paginator("list_schedules").paginate(
            **filters, PaginationConfig={"PageSize": 1}
        )
        found = [schedule for page in pages for schedule in page["Schedules"]]
        assert all(schedule["Target"] == {"Arn": PIPELINE} for schedule in found)
        return [f"{schedule['GroupName']}/{schedule['Name']}" for schedule in found]

    assert names() == ["default/Nightly", "training/Daily", "training/Nightly", "training/Noon"]
    assert names(GroupName="training", NamePrefix="N") == ["training/Nightly", "training/Noon"]
    assert names(State="DISABLED") == ["training/Nightly"]


def test_deleting_a_group_deletes_its_schedules(scheduler: Any, settings: dict[str, Any]) -> None:
    scheduler.create_schedule(**settings)
    scheduler.create_schedule(**{**settings, "GroupName": "default"})
    scheduler.delete_schedule_group(Name="training")
    left = [schedule["GroupName"] for schedule in scheduler.list_schedules()["Schedules"]]
    assert left == ["default"]
    groups = [group["Name"] for group in scheduler.list_schedule_groups()["ScheduleGroups"]]
    assert groups == ["default"]


def test_the_default_group_is_always_there_and_stays(scheduler: Any) -> None:
    assert scheduler.get_schedule_group(Name="default")["State"] == "ACTIVE"
    with pytest.raises(ClientError, match="ValidationException"):
        scheduler.delete_schedule_group(Name="default")


def test_a_deleted_schedule_is_gone(scheduler: Any, settings: dict[str, Any]) -> None:
    scheduler.create_schedule(**settings)
    scheduler.delete_schedule(Name="Nightly", GroupName="training")
    with pytest.raises(ClientError, match=r"Schedule Nightly does not exist\."):
        scheduler.get_schedule(Name="Nightly", GroupName="training")


def test_groups_are_tagged(scheduler: Any) -> None:
    arn = scheduler.create_schedule_group(Name="tagged", Tags=[{"Key": "team", "Value": "ml"}])
    arn = arn["ScheduleGroupArn"]
    scheduler.tag_resource(ResourceArn=arn, Tags=[{"Key": "stage", "Value": "dev"}])
    tags = scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"team": "ml", "stage": "dev"}


def test_accounts_and_regions_do_not_see_each_other(
    aws: LocalAws, scheduler: Any, settings: dict[str, Any]
) -> None:
    scheduler.create_schedule(**settings)
    assert aws.client("scheduler", region="eu-west-1").list_schedules()["Schedules"] == []
    assert aws.client("scheduler", account="111122220000").list_schedules()["Schedules"] == []


@pytest.mark.parametrize(
    ("principal", "condition", "taken"),
    [
        ("scheduler.amazonaws.com", None, True),
        ("events.amazonaws.com", None, False),
        ("scheduler.amazonaws.com", {"StringEquals": {"aws:SourceAccount": "000000000000"}}, False),
        ("scheduler.amazonaws.com", {"ArnLike": {"aws:SourceArn": "*:schedule-group/training"}}, True),
        ("scheduler.amazonaws.com", {"ArnLike": {"aws:SourceArn": "*:schedule/training/Nightly"}}, False),
    ],
)
def test_the_role_must_trust_the_service_on_behalf_of_the_group(
    *,
    aws: LocalAws,
    scheduler: Any,
    settings: dict[str, Any],
    principal: str,
    condition: dict[str, Any] | None,
    taken: bool,
) -> None:
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"Service": principal}}
    statement |= {"Action": "sts:AssumeRole", **({"Condition": condition} if condition else {})}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("iam").update_assume_role_policy(RoleName="scheduler", PolicyDocument=trust)
    if taken:
        assert scheduler.create_schedule(**settings)["ScheduleArn"]
        return
    with pytest.raises(ClientError, match="must allow AWS EventBridge Scheduler to assume the role"):
        scheduler.create_schedule(**settings)
