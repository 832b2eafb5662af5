import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws import LocalAws

Resource = Callable[..., dict[str, Any]]


def bucket(name: str, **properties: Any) -> dict[str, Any]:
    return {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name, **properties}}}


def encryption(algorithm: str) -> dict[str, Any]:
    rule = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": algorithm}, "BucketKeyEnabled": True}
    return {"BucketEncryption": {"ServerSideEncryptionConfiguration": [rule]}}


@pytest.fixture
def name(aws: LocalAws) -> str:
    return f"artifacts-{aws.account}"


def test_the_properties_of_a_bucket_are_set_changed_and_reset(aws: LocalAws, stack: Any, name: str) -> None:
    s3 = aws.client("s3")

    def days() -> Any:
        return s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"][0]["Expiration"]["Days"]

    def expiring(after: int) -> dict[str, Any]:
        return {"LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "ExpirationInDays": after}]}}

    versioned = {"VersioningConfiguration": {"Status": "Enabled"}, "Tags": [{"Key": "team", "Value": "ml"}]}
    assert (
        stack.create(bucket(name, **encryption("aws:kms"), **expiring(30), **versioned)) == "CREATE_COMPLETE"
    )
    rule = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert (days(), s3.get_bucket_versioning(Bucket=name)["Status"]) == (30, "Enabled")
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "team", "Value": "ml"}]

    assert stack.update(bucket(name, **encryption("AES256"), **expiring(60))) == "UPDATE_COMPLETE"
    rule = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert (days(), s3.get_bucket_versioning(Bucket=name)["Status"]) == (60, "Suspended")

    stack.update(bucket(name))
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        days()


def test_every_kind_of_lifecycle_rule_is_kept(aws: LocalAws, stack: Any, name: str) -> None:
    rules = [
        {
            "Id": "archive",
            "Status": "Enabled",
            "Prefix": "raw/",
            "TagFilters": [{"Key": "keep", "Value": "no"}],
            "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 5}],
            "NoncurrentVersionTransitions": [{"StorageClass": "GLACIER", "TransitionInDays": 3}],
            "NoncurrentVersionExpiration": {"NoncurrentDays": 9},
            "ExpirationInDays": 30,
        },
        {"Id": "uploads", "Status": "Disabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
    ]
    assert stack.create(bucket(name, LifecycleConfiguration={"Rules": rules})) == "CREATE_COMPLETE"
    archive, uploads = aws.client("s3").get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    condition = archive.pop("Filter")["And"]
    assert (condition["Prefix"], condition["Tags"]) == ("raw/", [{"Key": "keep", "Value": "no"}])
    assert archive == {
        "ID": "archive",
        "Status": "Enabled",
        "Transitions": [{"Days": 5, "StorageClass": "GLACIER"}],
        "NoncurrentVersionTransitions": [{"NoncurrentDays": 3, "StorageClass": "GLACIER"}],
        "NoncurrentVersionExpiration": {"NoncurrentDays": 9},
        "Expiration": {"Days": 30},
    }
    assert uploads["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}


@pytest.mark.parametrize("left", ["an object", "an old version", "a delete marker"])
def test_a_bucket_that_is_not_empty_is_not_deleted(aws: LocalAws, stack: Any, name: str, left: str) -> None:
    """A deleted object is still there as a version, and a delete marker counts as one."""
    s3 = aws.client("s3")
    stack.create(bucket(name, VersioningConfiguration={"Status": "Enabled"}))
    version = s3.put_object(Bucket=name, Key="model.tar.gz", Body=b"")["VersionId"]
    if left != "an object":
        marker = s3.delete_object(Bucket=name, Key="model.tar.gz")["VersionId"]
        gone, version = (marker, version) if left == "an old version" else (version, marker)
        s3.delete_object(Bucket=name, Key="model.tar.gz", VersionId=gone)
    assert stack.delete() == "DELETE_FAILED"
    assert "BucketNotEmpty" in stack.failures
    s3.delete_object(Bucket=name, Key="model.tar.gz", VersionId=version)
    assert stack.delete() == "DELETE_COMPLETE"
    assert aws.inventory().buckets == ()


def test_the_attributes_of_a_topic_are_set_changed_and_reset(aws: LocalAws, stack: Any) -> None:
    def topic(**properties: str) -> dict[str, Any]:
        return {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "alarms", **properties}}}

    def attributes() -> dict[str, str]:
        arn = f"arn:aws:sns:us-east-1:{aws.account}:alarms"
        return aws.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]  # type: ignore[no-any-return]

    stack.create(topic(KmsMasterKeyId="alias/one", DisplayName="One"))
    assert (attributes()["KmsMasterKeyId"], attributes()["DisplayName"]) == ("alias/one", "One")
    stack.update(topic(KmsMasterKeyId="alias/two", SignatureVersion="2"))
    assert (attributes()["KmsMasterKeyId"], attributes()["DisplayName"]) == ("alias/two", "")
    stack.update(topic())
    assert not {"KmsMasterKeyId", "SignatureVersion"} & attributes().keys()


@pytest.mark.parametrize(
    ("resource_type", "name_property"),
    [
        ("AWS::CloudWatch::Alarm", "AlarmName"),
        ("AWS::IAM::Role", "RoleName"),
        ("AWS::SQS::Queue", "QueueName"),
        ("AWS::SNS::Topic", "TopicName"),
    ],
)
def test_a_name_that_is_taken_fails_the_stack_and_leaves_what_was_there(
    aws: LocalAws, stack: Any, role: Resource, resource_type: str, name_property: str
) -> None:
    alarm = {"Namespace": "AWS/SQS", "MetricName": "NumberOfMessagesSent", "EvaluationPeriods": 1}
    comparison = {"ComparisonOperator": "GreaterThanThreshold", "Threshold": 1}
    required = {
        "AWS::CloudWatch::Alarm": {**alarm, **comparison},
        "AWS::IAM::Role": role()["Properties"],
    }
    properties = {**required.get(resource_type, {}), name_property: "taken"}
    template = {"Named": {"Type": resource_type, "Properties": properties}}
    stack.create(template)
    other = type(stack)(aws, "Other")
    assert other.create(template) == "ROLLBACK_COMPLETE"
    assert f"Resource of type '{resource_type}' with identifier 'taken' already exists." in other.failures
    assert "taken" in str(aws.inventory())


def test_a_change_set_says_what_is_not_replaced(aws: LocalAws, stack: Any, role: Resource, name: str) -> None:
    def template(version: str, threshold: int) -> dict[str, Any]:
        statement = {"Effect": "Allow", "Action": f"s3:{version}", "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        alarm = {
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateNumberOfMessagesVisible",
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluationPeriods": 1,
            "Threshold": threshold,
        }
        return {
            "Role": role(),
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": threshold}},
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": version}},
            "Key": {"Type": "AWS::KMS::Key", "Properties": {"KeyPolicy": document, "Description": version}},
            "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
            "Rule": {
                "Type": "AWS::Events::Rule",
                "Properties": {"EventPattern": {"source": [version]}, "Description": version},
            },
            "Policy": {
                "Type": "AWS::IAM::Policy",
                "Properties": {"PolicyName": "P", "PolicyDocument": document, "Roles": [{"Ref": "Role"}]},
            },
            "QueuePolicy": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {"PolicyDocument": document, "Queues": [{"Ref": "Queue"}]},
            },
            "TopicPolicy": {
                "Type": "AWS::SNS::TopicPolicy",
                "Properties": {"PolicyDocument": document, "Topics": [{"Ref": "Topic"}]},
            },
            "BucketPolicy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"PolicyDocument": document, "Bucket": {"Ref": "Bucket"}},
            },
            **bucket(name, Tags=[{"Key": "version", "Value": version}]),
        }

    assert stack.create(template("GetObject", 1)) == "CREATE_COMPLETE"
    changes = stack.change_set(template("PutObject", 2))
    replaced = {change["LogicalResourceId"]: change["Replacement"] for change in changes}
    assert replaced == dict.fromkeys(template("PutObject", 2).keys() - {"Role"}, "False")

    assert stack.update(template("PutObject", 2)) == "UPDATE_COMPLETE"
    assert_updated(aws, stack, name)
    assert stack.delete() == "DELETE_COMPLETE"
    assert aws.inventory().is_empty


def assert_updated(aws: LocalAws, stack: Any, name: str) -> None:
    queue = aws.client("sqs").get_queue_attributes(
        QueueUrl=stack.physical_id("Queue"), AttributeNames=["All"]
    )["Attributes"]
    assert queue["DelaySeconds"] == "2"
    assert "s3:PutObject" in queue["Policy"]
    topic = aws.client("sns").get_topic_attributes(TopicArn=stack.physical_id("Topic"))["Attributes"]
    assert topic["DisplayName"] == "PutObject"
    assert "s3:PutObject" in topic["Policy"]
    key = aws.client("kms").describe_key(KeyId=stack.physical_id("Key"))["KeyMetadata"]
    assert key["Description"] == "PutObject"
    (alarm,) = aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert alarm["Threshold"] == 2
    rule = aws.client("events").describe_rule(Name=stack.physical_id("Rule"))
    assert (rule["Description"], rule["EventPattern"]) == ("PutObject", '{"source": ["PutObject"]}')
    role = stack.physical_id("Role")
    inline = aws.client("iam").get_role_policy(RoleName=role, PolicyName="P")["PolicyDocument"]
    assert inline["Statement"][0]["Action"] == "s3:PutObject"
    s3 = aws.client("s3")
    assert "s3:PutObject" in s3.get_bucket_policy(Bucket=name)["Policy"]
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "version", "Value": "PutObject"}]


def test_a_log_group_is_named_after_its_stack(aws: LocalAws, stack: Any) -> None:
    def group(days: int) -> dict[str, Any]:
        return {"Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": days}}}

    assert stack.create(group(7)) == "CREATE_COMPLETE"
    (made,) = aws.inventory().log_groups
    assert made.startswith("Stack-Log")
    assert stack.update(group(14)) == "UPDATE_COMPLETE"
    (kept,) = aws.client("logs").describe_log_groups()["logGroups"]
    assert (kept["logGroupName"], kept["retentionInDays"]) == (made, 14)


@pytest.mark.parametrize(("given", "queues"), [("", 0), ("one,two", 1)])
def test_a_condition_may_join_a_list_as_that_of_the_bootstrap_does(
    aws: LocalAws, given: str, queues: int
) -> None:
    empty = {"Fn::Equals": ["", {"Fn::Join": ["", {"Ref": "List"}]}]}
    template = {
        "Parameters": {"List": {"Type": "CommaDelimitedList", "Default": given}},
        "Conditions": {"HasAny": {"Fn::Not": [empty]}},
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue", "Condition": "HasAny"},
            "Topic": {"Type": "AWS::SNS::Topic"},
        },
    }
    client = aws.client("cloudformation")
    client.create_stack(StackName="Joined", TemplateBody=json.dumps(template))
    client.get_waiter("stack_create_complete").wait(StackName="Joined", WaiterConfig={"Delay": 1})
    assert len(aws.inventory().queues) == queues
