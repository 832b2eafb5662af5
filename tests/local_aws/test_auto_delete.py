"""The function of the CDK that empties a bucket: what it does, in which order, and with which permissions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_aws import LocalAws

TAG = {"Key": "aws-cdk:auto-delete-objects", "Value": "true"}
ACTIONS = ["s3:PutBucketPolicy", "s3:GetBucket*", "s3:List*", "s3:DeleteObject*"]
WRITES_LOGS = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]


@pytest.fixture
def name(aws: LocalAws) -> str:
    return f"data-{aws.account}"


def resources(name: str, *, actions: list[str] = ACTIONS, tags: tuple[Any, ...] = (TAG,)) -> dict[str, Any]:
    """What the CDK makes of ``auto_delete_objects=True``; the bucket and its policy are kept."""
    allow = {
        "Effect": "Allow",
        "Principal": {"AWS": {"Fn::GetAtt": ["Role", "Arn"]}},
        "Action": actions,
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
    }
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    logs = {"Effect": "Allow", "Action": WRITES_LOGS, "Resource": "*"}
    return {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
                "Policies": [
                    {"PolicyName": "Log", "PolicyDocument": {"Version": "2012-10-17", "Statement": [logs]}}
                ],
            },
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": "empty",
                "Code": {"ZipFile": "exports.handler = () => {};"},
                "Handler": "index.handler",
                "Runtime": "nodejs22.x",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            },
        },
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "Retain",
            "Properties": {
                "BucketName": name,
                "Tags": list(tags),
                "VersioningConfiguration": {"Status": "Enabled"},
            },
        },
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "DeletionPolicy": "Retain",
            "Properties": {
                "Bucket": {"Ref": "Bucket"},
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [allow]},
            },
        },
        "Empty": {
            "Type": "Custom::S3AutoDeleteObjects",
            "DependsOn": "Policy",
            "Properties": {
                "ServiceToken": {"Fn::GetAtt": ["Function", "Arn"]},
                "BucketName": {"Ref": "Bucket"},
            },
        },
    }


def fill(aws: LocalAws, name: str) -> None:
    """Two versions of one object, and one that was deleted."""
    s3 = aws.client("s3")
    for key, body in (("model.tar.gz", b"one"), ("model.tar.gz", b"two"), ("gone", b"")):
        s3.put_object(Bucket=name, Key=key, Body=body)
    s3.delete_object(Bucket=name, Key="gone")


def versions(aws: LocalAws, name: str) -> int:
    found = aws.client("s3").list_object_versions(Bucket=name)
    return len(found.get("Versions", [])) + len(found.get("DeleteMarkers", []))


def statements(aws: LocalAws, name: str) -> list[dict[str, Any]]:
    policy = json.loads(aws.client("s3").get_bucket_policy(Bucket=name)["Policy"])
    return list(policy["Statement"])


def test_every_version_and_marker_goes_and_nothing_new_may_come(aws: LocalAws, stack: Any, name: str) -> None:
    assert stack.create(resources(name)) == "CREATE_COMPLETE"
    fill(aws, name)
    assert stack.delete() == "DELETE_COMPLETE"
    assert versions(aws, name) == 0
    assert statements(aws, name)[1:] == [
        {
            "Principal": "*",
            "Effect": "Deny",
            "Action": ["s3:PutObject"],
            "Resource": [f"arn:aws:s3:::{name}/*"],
        }
    ]


def test_a_bucket_that_has_lost_the_tag_is_left_alone(aws: LocalAws, stack: Any, name: str) -> None:
    """So an update that takes the option away, and the tag and the resource with it, deletes no data."""
    stack.create(resources(name))
    fill(aws, name)
    without = resources(name, tags=({"Key": "team", "Value": "ml"},))
    del without["Empty"]
    assert stack.update(without) == "UPDATE_COMPLETE"
    assert (versions(aws, name), len(statements(aws, name))) == (4, 1)


def test_a_function_that_may_not_write_the_policy_goes_on(aws: LocalAws, stack: Any, name: str) -> None:
    stack.create(resources(name, actions=[one for one in ACTIONS if one != "s3:PutBucketPolicy"]))
    fill(aws, name)
    assert stack.delete() == "DELETE_COMPLETE"
    assert (versions(aws, name), len(statements(aws, name))) == (0, 1)


@pytest.mark.parametrize("missing", ["s3:GetBucket*", "s3:List*"])
def test_a_function_that_may_not_read_fails_the_deletion(
    aws: LocalAws, stack: Any, name: str, missing: str
) -> None:
    stack.create(resources(name, actions=[one for one in ACTIONS if one != missing]))
    fill(aws, name)
    assert stack.delete() == "DELETE_FAILED"
    assert "Received response status [FAILED] from custom resource" in stack.failures
    assert "AccessDenied" in stack.failures
    assert versions(aws, name) == 4


def test_what_the_function_may_not_delete_stays_unnoticed(aws: LocalAws, stack: Any, name: str) -> None:
    """It does not look at the errors of single objects: the bucket's own deletion is what fails."""
    stack.create(resources(name, actions=[one for one in ACTIONS if one != "s3:DeleteObject*"]))
    fill(aws, name)
    assert stack.delete() == "DELETE_COMPLETE"
    assert versions(aws, name) == 4


def test_what_the_function_logs_outlives_it(aws: LocalAws, stack: Any, name: str) -> None:
    """Lambda makes the log group with the function's role, and no stack owns it."""
    stack.create(resources(name))
    assert aws.inventory().log_groups == ()
    stack.delete()
    assert aws.inventory().log_groups == ("/aws/lambda/empty",)


def test_another_bucket_is_another_resource_and_the_old_one_is_emptied(
    aws: LocalAws, stack: Any, name: str
) -> None:
    stack.create(resources(name))
    fill(aws, name)
    moved = resources(name)
    moved["Other"] = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"{name}-other"}}
    moved["Empty"]["Properties"]["BucketName"] = {"Ref": "Other"}
    assert stack.update(moved) == "UPDATE_COMPLETE"
    assert versions(aws, name) == 0
    assert stack.physical_id("Empty") == f"{name}-other"
