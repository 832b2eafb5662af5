"""The role that CloudFormation deploys with: what it lacks fails the stack, also later and in a rollback."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_aws import LocalAws

QUEUES = ["sqs:CreateQueue", "sqs:GetQueue*", "sqs:SetQueueAttributes", "sqs:*Tag*", "sqs:ListQueueTags"]


def allow(*actions: str, resource: str = "*", **statement: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **statement}


def make_role(aws: LocalAws, *statements: dict[str, Any]) -> str:
    """A role for CloudFormation; the ARN."""
    trust = allow("sts:AssumeRole")
    del trust["Resource"]
    trust["Principal"] = {"Service": "cloudformation.amazonaws.com"}
    iam = aws.client("iam")
    made = iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=document(trust))
    iam.put_role_policy(RoleName="deploy", PolicyName="Act", PolicyDocument=document(*statements))
    return str(made["Role"]["Arn"])


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def queue(**properties: Any) -> dict[str, Any]:
    return {"Queue": {"Type": "AWS::SQS::Queue", "Properties": properties}}


def deploy(stack: Any, template: dict[str, Any], role_arn: str, kind: str, **top: Any) -> str:
    """Deploy with a change set, as the CDK CLI does; the status, or why there is no change set."""
    client, name = stack.aws.client("cloudformation"), {"StackName": stack.name, "ChangeSetName": kind}
    body = json.dumps({"Resources": template, **top})
    client.create_change_set(**name, ChangeSetType=kind, TemplateBody=body, RoleARN=role_arn)
    found = client.describe_change_set(**name)
    if found["Status"] == "FAILED":
        return str(found["StatusReason"])
    client.execute_change_set(**name)
    return str(stack._settled_status())


def test_a_role_that_may_do_it_deploys(aws: LocalAws, stack: Any) -> None:
    role = make_role(aws, allow(*QUEUES, "sqs:DeleteQueue", resource="arn:aws:sqs:*:*:Stack-*"))
    assert deploy(stack, queue(), role, "CREATE") == "CREATE_COMPLETE"
    assert deploy(stack, queue(DelaySeconds=1), role, "UPDATE") == "UPDATE_COMPLETE"
    assert stack.delete() == "DELETE_COMPLETE"


def test_what_it_may_not_make_fails_the_stack(aws: LocalAws, stack: Any) -> None:
    role = make_role(aws, allow(*QUEUES, resource="arn:aws:sqs:*:*:Other-*"))
    assert deploy(stack, queue(), role, "CREATE") in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
    assert f"{role} is not authorized to perform: sqs:CreateQueue" in stack.failures
    assert aws.inventory().queues == ()


def test_the_role_holds_on_for_the_deletion(aws: LocalAws, stack: Any) -> None:
    """DeleteStack names no role here; what the stack was made with is used."""
    role = make_role(aws, allow(*QUEUES))
    assert deploy(stack, queue(), role, "CREATE") == "CREATE_COMPLETE"
    assert stack.delete() == "DELETE_FAILED"
    assert "sqs:DeleteQueue" in stack.failures


def test_a_role_is_handed_to_the_services_that_the_condition_names_alone(
    aws: LocalAws, stack: Any, pipeline: Any
) -> None:
    passed = {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
    role = make_role(aws, allow("sagemaker:*"), allow("iam:PassRole", Condition=passed))
    assert deploy(stack, {"Pipeline": pipeline()}, role, "CREATE") != "CREATE_COMPLETE"
    assert "not authorized to perform: iam:PassRole" in stack.failures


@pytest.mark.parametrize("allowed", [True, False])
def test_a_parameter_of_ssm_is_read_with_the_role(aws: LocalAws, stack: Any, allowed: bool) -> None:
    aws.client("ssm").put_parameter(Name="/cdk-bootstrap/x/version", Value="30", Type="String")
    parameter = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/cdk-bootstrap/x/version"}
    path = "arn:aws:ssm:us-east-1:*:parameter/cdk-bootstrap/*/version"
    reading = [allow("ssm:GetParameters", resource=path)] if allowed else []
    role = make_role(aws, allow("sqs:*"), *reading)
    status = deploy(stack, queue(), role, "CREATE", Parameters={"Version": parameter})
    assert status == "CREATE_COMPLETE" if allowed else "ssm:GetParameters" in status


def test_a_custom_resource_is_invoked_with_the_role(aws: LocalAws, stack: Any) -> None:
    role = make_role(aws, allow("sqs:*"))
    token = f"arn:aws:lambda:us-east-1:{aws.account}:function:Stack-empty"
    own = {"Type": "Custom::Own", "Properties": {"ServiceToken": token}}
    assert deploy(stack, {"Own": own}, role, "CREATE") != "CREATE_COMPLETE"
    assert "not authorized to perform: lambda:InvokeFunction" in stack.failures
