import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws import LocalAws

Resource = Callable[..., dict[str, Any]]
GROUP = {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": "training"}}


def test_the_ref_of_a_pipeline_is_its_name(
    aws: LocalAws, stack: Any, pipeline: Resource, schedule: Resource, role: Resource
) -> None:
    template = {"Pipeline": pipeline("MyTraining"), "Queue": {"Type": "AWS::SQS::Queue", "Properties": {}}}
    template["Queue"]["Properties"]["QueueName"] = {"Ref": "Pipeline"}
    assert stack.create(template) == "CREATE_COMPLETE"
    assert stack.physical_id("Pipeline") == "MyTraining"
    assert aws.inventory().queues == ("MyTraining",)


def test_a_pipeline_has_no_attributes(stack: Any, pipeline: Resource) -> None:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::GetAtt": ["Pipeline", "Arn"]}}}
    assert stack.create({"Pipeline": pipeline(), "Queue": queue}) == "ROLLBACK_COMPLETE"
    assert "attribute Arn does not exist in schema for AWS::SageMaker::Pipeline" in stack.failures


def test_every_property_of_a_pipeline_changes_in_place(aws: LocalAws, stack: Any, pipeline: Resource) -> None:
    tags = [{"Key": "team", "Value": "ml"}]
    first = {"PipelineDescription": "one", "PipelineDisplayName": "One", "Tags": tags}
    stack.create({"Pipeline": pipeline(**first, ParallelismConfiguration={"MaxParallelExecutionSteps": 2})})
    sagemaker = aws.client("sagemaker")
    before = sagemaker.describe_pipeline(PipelineName="Training")
    assert before["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 2}
    parameter = {"Name": "RunDate", "Type": "String"}
    changed = pipeline(
        parameters=(parameter,), PipelineDescription="two", Tags=[{"Key": "team", "Value": "data"}]
    )
    assert stack.update({"Pipeline": changed}) == "UPDATE_COMPLETE"
    after = sagemaker.describe_pipeline(PipelineName="Training")
    assert json.loads(after["PipelineDefinition"])["Parameters"] == [parameter]
    assert (after["PipelineDescription"], after["PipelineDisplayName"]) == ("two", "Training")
    assert "ParallelismConfiguration" not in after
    assert after["CreationTime"] == before["CreationTime"]
    tags_after = sagemaker.list_tags(ResourceArn=after["PipelineArn"])["Tags"]
    assert {"Key": "team", "Value": "data"} in tags_after


def test_a_renamed_pipeline_is_replaced(aws: LocalAws, stack: Any, pipeline: Resource) -> None:
    stack.create({"Pipeline": pipeline("Old")})
    (change,) = stack.change_set({"Pipeline": pipeline("New")})
    assert change["Replacement"] == "True"
    assert stack.update({"Pipeline": pipeline("New")}) == "UPDATE_COMPLETE"
    assert aws.inventory().pipelines == ("New",)
    assert stack.delete() == "DELETE_COMPLETE"
    assert aws.inventory().is_empty


def test_a_definition_in_s3_is_followed_by_its_location(
    aws: LocalAws, stack: Any, pipeline: Resource
) -> None:
    s3, bucket = aws.client("s3"), f"definitions-{aws.account}"
    s3.create_bucket(Bucket=bucket)

    def at(key: str) -> dict[str, Any]:
        location = {"PipelineDefinitionS3Location": {"Bucket": bucket, "Key": key}}
        return {"Pipeline": pipeline(PipelineDefinition=location)}

    def step() -> Any:
        described = aws.client("sagemaker").describe_pipeline(PipelineName="Training")
        return json.loads(described["PipelineDefinition"])["Steps"][0]["Name"]

    for name in ("one", "two"):
        body = json.dumps({"Version": "2020-12-01", "Steps": [{"Name": name}]})
        s3.put_object(Bucket=bucket, Key=f"{name}.json", Body=body.encode())
    assert stack.create(at("one.json")) == "CREATE_COMPLETE"
    assert step() == "one"
    assert stack.update(at("two.json")) == "UPDATE_COMPLETE"
    assert step() == "two"
    assert stack.update(at("three.json")) == "UPDATE_ROLLBACK_COMPLETE"
    assert f"Unable to read the pipeline definition s3://{bucket}/three.json." in stack.failures
    assert step() == "two"


@pytest.mark.parametrize(("etag", "status"), [("right", "CREATE_COMPLETE"), ("wrong", "ROLLBACK_COMPLETE")])
def test_the_etag_of_a_definition_must_match(
    aws: LocalAws, stack: Any, pipeline: Resource, etag: str, status: str
) -> None:
    s3, bucket = aws.client("s3"), f"definitions-{aws.account}"
    s3.create_bucket(Bucket=bucket)
    stored = s3.put_object(Bucket=bucket, Key="d.json", Body=b'{"Version": "2020-12-01", "Steps": []}')
    location = {"Bucket": bucket, "Key": "d.json", "ETag": stored["ETag"] if etag == "right" else "0" * 32}
    definition = {"PipelineDefinitionS3Location": location}
    assert stack.create({"Pipeline": pipeline(PipelineDefinition=definition)}) == status


def test_a_schedule_keeps_every_property(
    aws: LocalAws, stack: Any, role: Resource, schedule: Resource
) -> None:
    settings = {
        "Name": "Nightly",
        "GroupName": {"Ref": "Group"},
        "Description": "every night",
        "ScheduleExpressionTimezone": "Asia/Tokyo",
        "StartDate": "2198-01-01T00:00:00.000Z",
        "EndDate": "2199-01-01T00:00:00Z",
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": "15"},
        "State": "DISABLED",
        "KmsKeyArn": "arn:aws:kms:us-east-1:111122223333:key/abc",
    }
    parameters = {"PipelineParameterList": [{"Name": "RunDate", "Value": "today"}]}
    resource = schedule(target={"SageMakerPipelineParameters": parameters}, **settings)
    template = {"Role": role(), "Group": GROUP, "Nightly": resource}
    assert stack.create(template) == "CREATE_COMPLETE"
    found = aws.client("scheduler").get_schedule(Name="Nightly", GroupName="training")
    assert found["ScheduleExpressionTimezone"] == "Asia/Tokyo"
    assert (found["StartDate"].year, found["EndDate"].year) == (2198, 2199)
    assert found["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    assert (found["State"], found["Description"]) == ("DISABLED", "every night")
    assert found["KmsKeyArn"].endswith("key/abc")
    assert found["Target"]["SageMakerPipelineParameters"] == parameters
    assert stack.physical_id("Nightly") == "Nightly"


def test_a_changed_schedule_changes_in_place_and_a_dropped_property_is_reset(
    aws: LocalAws, stack: Any, role: Resource, schedule: Resource
) -> None:
    stack.create({"Role": role(), "Nightly": schedule(Name="Nightly", Description="x", State="DISABLED")})
    changed = schedule(Name="Nightly", ScheduleExpression="cron(0 4 * * ? *)")
    assert stack.update({"Role": role(), "Nightly": changed}) == "UPDATE_COMPLETE"
    found = aws.client("scheduler").get_schedule(Name="Nightly")
    assert (found["ScheduleExpression"], found["State"]) == ("cron(0 4 * * ? *)", "ENABLED")
    assert "Description" not in found


def test_a_renamed_schedule_is_replaced(
    aws: LocalAws, stack: Any, role: Resource, schedule: Resource
) -> None:
    stack.create({"Role": role(), "Nightly": schedule(Name="Old")})
    stack.update({"Role": role(), "Nightly": schedule(Name="New")})
    assert aws.inventory().schedules == ("default/New",)


def test_a_schedule_that_moves_to_another_group_in_place_is_not_found(
    aws: LocalAws, stack: Any, role: Resource, schedule: Resource
) -> None:
    template = {"Role": role(), "Group": GROUP, "Nightly": schedule(Name="Nightly")}
    stack.create(template)
    moved = {**template, "Nightly": schedule(Name="Nightly", GroupName={"Ref": "Group"})}
    assert stack.update(moved) == "UPDATE_ROLLBACK_COMPLETE"
    assert 'Resource handler returned message: "Schedule Nightly does not exist.' in stack.failures
    assert aws.inventory().schedules == ("default/Nightly",)


def test_a_schedule_without_a_name_gets_one_of_the_stack(
    aws: LocalAws, stack: Any, role: Resource, schedule: Resource
) -> None:
    stack.create({"Role": role(), "Nightly": schedule()})
    (name,) = aws.inventory().schedules
    assert name.startswith("default/Stack-Nightly-")
    assert stack.update({"Role": role(), "Nightly": schedule(Description="x")}) == "UPDATE_COMPLETE"
    assert aws.inventory().schedules == (name,)


def test_a_group_is_deleted_with_the_schedules_in_it(
    aws: LocalAws, stack: Any, role: Resource, schedule: Resource
) -> None:
    template = {"Role": role(), "Group": GROUP, "Nightly": schedule(GroupName={"Ref": "Group"})}
    stack.create(template)
    attributes = aws.client("scheduler").get_schedule_group(Name="training")
    assert attributes["State"] == "ACTIVE"
    aws.client("scheduler").delete_schedule_group(Name="training")
    assert aws.inventory().schedules == ()
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_schedule_taken_out_of_the_template_is_deleted_from_its_group(
    aws: LocalAws, stack: Any, role: Resource, schedule: Resource
) -> None:
    template = {"Role": role(), "Group": GROUP}
    settings = {"Name": "Nightly", "GroupName": {"Ref": "Group"}}
    stack.create({**template, "Nightly": schedule(**settings), "Kept": schedule(Name="Kept")})
    assert stack.update({**template, "Kept": schedule(Name="Kept")}) == "UPDATE_COMPLETE"
    assert aws.inventory().schedules == ("default/Kept",)


def test_the_tags_of_a_group_change_in_place(aws: LocalAws, stack: Any) -> None:
    def group(value: str) -> dict[str, Any]:
        properties = {"Name": "training", "Tags": [{"Key": "team", "Value": value}]}
        return {"Group": {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": properties}}

    stack.create(group("ml"))
    assert stack.update(group("data")) == "UPDATE_COMPLETE"
    scheduler = aws.client("scheduler")
    arn = scheduler.get_schedule_group(Name="training")["Arn"]
    tags = {tag["Key"]: tag["Value"] for tag in scheduler.list_tags_for_resource(ResourceArn=arn)["Tags"]}
    assert tags["team"] == "data"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"ScheduleExpression": "cron(nonsense)"}, r"Invalid Schedule Expression cron(nonsense)."),
        ({"ScheduleExpression": "at(2020-01-01T00:00:00)"}, "The time is in the past."),
        (
            {"ScheduleExpressionTimezone": "Mars/Olympus"},
            "Invalid Schedule Expression Timezone Mars/Olympus.",
        ),
        ({"GroupName": "gone"}, "Schedule group gone does not exist."),
        ({"Name": "no spaces"}, "Member must satisfy regular expression pattern"),
    ],
)
def test_a_stack_that_fails_half_way_leaves_nothing(
    *,
    aws: LocalAws,
    stack: Any,
    role: Resource,
    pipeline: Resource,
    schedule: Resource,
    settings: dict[str, str],
    reason: str,
) -> None:
    template = {
        "Role": role(),
        "Group": GROUP,
        "Pipeline": pipeline(),
        "Good": {**schedule(GroupName={"Ref": "Group"}), "DependsOn": "Pipeline"},
        "Bad": {**schedule(**settings), "DependsOn": "Good"},
    }
    assert stack.create(template) == "ROLLBACK_COMPLETE"
    assert reason in stack.failures
    assert aws.inventory().counts() == {kind: int(kind == "stacks") for kind in aws.inventory().counts()}


def test_an_update_that_fails_restores_what_it_had_changed(
    aws: LocalAws, stack: Any, role: Resource, pipeline: Resource, schedule: Resource
) -> None:
    before = {
        "Role": role(),
        "Pipeline": pipeline(PipelineDescription="one"),
        "Nightly": schedule(Name="Nightly"),
    }
    stack.create(before)
    changed = schedule(Name="Nightly", Description="changed", ScheduleExpression="rate(1 day)")
    after = {
        "Role": role(),
        "Pipeline": pipeline("Renamed"),
        "Nightly": {**changed, "DependsOn": "Pipeline"},
        "Extra": schedule(Name="Extra"),
        "Bad": {**schedule(ScheduleExpression="rate(0 days)"), "DependsOn": ["Nightly", "Extra"]},
    }
    assert stack.update(after) == "UPDATE_ROLLBACK_COMPLETE"
    found = aws.client("scheduler").get_schedule(Name="Nightly")
    assert found["ScheduleExpression"] == "cron(0 3 * * ? *)"
    assert "Description" not in found
    assert aws.inventory().pipelines == ("Training",)
    assert aws.inventory().schedules == ("default/Nightly",)
    described = aws.client("sagemaker").describe_pipeline(PipelineName="Training")
    assert described["PipelineDescription"] == "one"


def test_a_template_that_has_not_changed_is_no_update(
    aws: LocalAws, stack: Any, role: Resource, pipeline: Resource, schedule: Resource
) -> None:
    template = {"Role": role(), "Group": GROUP, "Pipeline": pipeline(), "Nightly": schedule()}
    stack.create(template)
    with pytest.raises(ClientError, match="No updates are to be performed"):
        stack.update(template)
    assert stack.change_set(template) == []


def test_a_pipeline_that_is_there_already_fails_the_stack_and_stays(
    aws: LocalAws, stack: Any, pipeline: Resource
) -> None:
    properties = pipeline()["Properties"]
    aws.client("sagemaker").create_pipeline(
        PipelineName="Training",
        RoleArn=properties["RoleArn"],
        PipelineDefinition=properties["PipelineDefinition"]["PipelineDefinitionBody"],
    )
    assert stack.create({"Pipeline": pipeline()}, DisableValidation=True) == "ROLLBACK_COMPLETE"
    assert "Pipeline with name (Training) already exists" in stack.failures
    assert aws.inventory().pipelines == ("Training",)


def test_what_was_deleted_by_hand_does_not_stop_a_stack_from_being_deleted(
    aws: LocalAws, stack: Any, role: Resource, pipeline: Resource, schedule: Resource
) -> None:
    stack.create({"Role": role(), "Pipeline": pipeline(), "Nightly": schedule(Name="Nightly")})
    aws.client("sagemaker").delete_pipeline(PipelineName="Training")
    aws.client("scheduler").delete_schedule(Name="Nightly")
    assert stack.delete() == "DELETE_COMPLETE"
    assert aws.inventory().is_empty
