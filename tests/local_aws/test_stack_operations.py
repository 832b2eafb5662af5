import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws import LocalAws

Resource = Callable[..., dict[str, Any]]
Wait = Callable[[Callable[[], Any]], Any]
GROUP = {"Group": {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {"Name": "training"}}}
WAITING = {
    "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
    "Waiting": {
        "Type": "AWS::CloudFormation::WaitCondition",
        "DependsOn": "Group",
        "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "30"},
    },
}


def change_set(aws: LocalAws, resources: dict[str, Any], name: str = "Other", **arguments: Any) -> Any:
    client = aws.client("cloudformation")
    body = json.dumps({"Resources": resources})
    settings = {"ChangeSetType": "CREATE", **arguments}
    client.create_change_set(StackName=name, ChangeSetName="Changes", TemplateBody=body, **settings)
    return client.describe_change_set(StackName=name, ChangeSetName="Changes")


@pytest.mark.parametrize("name", ["Training", "TRAINING"])
def test_a_change_set_that_would_make_a_pipeline_that_is_there_fails(
    aws: LocalAws, stack: Any, pipeline: Resource, name: str
) -> None:
    stack.create({"Pipeline": pipeline("Training")})
    found = change_set(aws, {"Pipeline": pipeline(name), **GROUP})
    assert (found["Status"], found["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert "[AWS::EarlyValidation::ResourceExistenceCheck]" in found["StatusReason"]
    client = aws.client("cloudformation")
    (event,) = client.describe_events(StackName="Other", ChangeSetName="Changes")["OperationEvents"]
    assert event["ValidationName"] == "NAME_CONFLICT_VALIDATION"
    assert event["ValidationPath"] == "/Resources/Pipeline"
    reason = f"Resource of type 'AWS::SageMaker::Pipeline' with identifier '{name}' already exists."
    assert event["ValidationStatusReason"] == reason
    assert aws.inventory().schedule_groups == ()


def test_a_change_set_that_was_validated_before_says_nothing_of_it_the_next_time(
    aws: LocalAws, stack: Any
) -> None:
    stack.create(GROUP)
    assert change_set(aws, GROUP)["Status"] == "FAILED"
    other = {"Group": {**GROUP["Group"], "Properties": {"Name": "other"}}}
    client = aws.client("cloudformation")
    client.delete_change_set(StackName="Other", ChangeSetName="Changes")
    assert change_set(aws, other)["Status"] == "CREATE_COMPLETE"
    assert client.describe_events(StackName="Other", ChangeSetName="Changes")["OperationEvents"] == []


def test_a_stack_does_not_conflict_with_itself(aws: LocalAws, stack: Any, pipeline: Resource) -> None:
    stack.create({"Pipeline": pipeline("Training"), **GROUP})
    changed = {"Pipeline": pipeline("Training", PipelineDescription="x"), **GROUP}
    assert change_set(aws, changed, "Stack", ChangeSetType="UPDATE")["Status"] == "CREATE_COMPLETE"
    assert stack.update(changed) == "UPDATE_COMPLETE"


def test_a_stack_whose_group_is_there_already_makes_nothing(
    aws: LocalAws, stack: Any, pipeline: Resource
) -> None:
    aws.client("scheduler").create_schedule_group(Name="training")
    assert stack.create({"Pipeline": pipeline("Training"), **GROUP}) == "ROLLBACK_COMPLETE"
    assert "Validation failed with 1 error(s)." in stack.failures
    assert aws.inventory().pipelines == ()


def test_validation_can_be_left_out(aws: LocalAws, stack: Any, pipeline: Resource) -> None:
    stack.create({"Pipeline": pipeline("Training")})
    found = change_set(aws, {"Pipeline": pipeline("Training")}, DisableValidation=True)
    assert found["Status"] == "CREATE_COMPLETE"


def test_a_stack_cannot_be_deleted_while_it_is_updated(aws: LocalAws, stack: Any, eventually: Wait) -> None:
    stack.create(GROUP)
    client = aws.client("cloudformation")
    client.update_stack(StackName="Stack", TemplateBody=json.dumps({"Resources": {**GROUP, **WAITING}}))
    with pytest.raises(ClientError, match=r"Stack .* cannot be deleted while in status UPDATE_IN_PROGRESS"):
        client.delete_stack(StackName="Stack")
    client.cancel_update_stack(StackName="Stack")
    client.signal_resource(StackName="Stack", LogicalResourceId="Waiting", UniqueId="x", Status="FAILURE")
    assert eventually(lambda: stack.description["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE")
    assert stack.delete() == "DELETE_COMPLETE"
    assert aws.inventory().is_empty


def test_deleting_a_stack_that_is_created_stops_the_creation_and_leaves_nothing(
    aws: LocalAws, stack: Any, pipeline: Resource, eventually: Wait
) -> None:
    template = {**GROUP, **WAITING, "Pipeline": {**pipeline(), "DependsOn": "Waiting"}}
    client = aws.client("cloudformation")
    client.create_stack(StackName="Stack", TemplateBody=json.dumps({"Resources": template}))
    assert eventually(lambda: aws.inventory().schedule_groups == ("training",))
    assert stack.delete() == "DELETE_COMPLETE"
    assert aws.inventory().is_empty
