"""Server access logs: what is written, by whose leave, and that a bucket for logs fills by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws import LocalAws

Eventually = Callable[[Callable[[], Any]], Any]
# The fields of "Amazon S3 server access log format", in their order.
LINE = re.compile(
    r"(?P<owner>[0-9a-f]{64}) (?P<bucket>\S+) \[\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} \+0000\] "
    r"(?P<ip>\S+) (?P<requester>\S+) [0-9A-F]+ (?P<operation>\S+) (?P<key>\S+) \"(?P<uri>[^\"]+)\" "
    r"(?P<status>\d+|-) (?P<error>\S+) (?P<sent>\S+) (?P<size>\S+) \S+ \S+ "
    r"\"[^\"]*\" \"[^\"]*\" (?P<version>\S+)( \S+){9}"
)


def resources(name: str, **statement: Any) -> dict[str, Any]:
    """A bucket that logs into another, whose policy has one statement for the service that delivers logs."""
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{name}-logs/*",
        **statement,
    }
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    secure = {**allow, "Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:*", "Condition": insecure}
    logging = {"DestinationBucketName": {"Ref": "Logs"}, "LogFilePrefix": "data/"}
    return {
        "Logs": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": f"{name}-logs"}},
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Logs"},
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [secure, allow]},
            },
        },
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {"BucketName": name, "LoggingConfiguration": logging},
        },
    }


@pytest.fixture
def name(aws: LocalAws) -> str:
    return f"data-{aws.account}"


def logs(aws: LocalAws, name: str) -> dict[str, str]:
    """Every log object by its key."""
    s3 = aws.client("s3")
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=f"{name}-logs").get("Contents", [])]
    return {key: s3.get_object(Bucket=f"{name}-logs", Key=key)["Body"].read().decode() for key in keys}


def test_a_request_becomes_a_line_in_the_other_bucket(
    aws: LocalAws, stack: Any, name: str, eventually: Eventually
) -> None:
    s3 = aws.client("s3")
    assert stack.create(resources(name)) == "CREATE_COMPLETE"
    s3.put_object(Bucket=name, Key="a model.tar.gz", Body=b"12345")
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=name, Key="gone")
    s3.get_bucket_versioning(Bucket=name)
    found = eventually(lambda: (entries := logs(aws, name)) and "VERSIONING" in str(entries) and entries)
    for key in found:
        assert re.fullmatch(r"data/\d{4}-\d{2}-\d{2}-\d{2}-\d{2}-\d{2}-[0-9A-F]{16}", key)
    matched = [LINE.fullmatch(line) for text in found.values() for line in text.splitlines()]
    put, get, versioning = (line.groupdict() for line in matched if line)
    assert (put["bucket"], put["operation"], put["key"]) == (name, "REST.PUT.OBJECT", "a%20model.tar.gz")
    assert (put["status"], put["error"], put["size"]) == ("200", "-", "5")
    assert put["uri"].startswith(f"PUT /{name}/a%20model.tar.gz")
    assert (get["operation"], get["status"], get["error"]) == ("REST.GET.OBJECT", "404", "NoSuchKey")
    assert (versioning["operation"], versioning["key"]) == ("REST.GET.VERSIONING", "-")


@pytest.mark.parametrize(
    "statement",
    [
        {"Principal": {"Service": "cloudtrail.amazonaws.com"}},
        {"Effect": "Deny"},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::another"}}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}},
    ],
)
def test_nothing_is_written_without_leave(
    aws: LocalAws, stack: Any, name: str, statement: dict[str, Any], eventually: Eventually
) -> None:
    """The bucket's policy has to let the service write, for this bucket and this account."""
    stack.create(resources(name, **statement))
    aws.client("s3").put_object(Bucket=name, Key="model.tar.gz", Body=b"")
    assert not eventually(lambda: logs(aws, name), 1.5)  # type: ignore[call-arg]


def test_a_bucket_for_logs_fills_by_itself_until_it_is_deleted(aws: LocalAws, stack: Any, name: str) -> None:
    """What is on its way comes at the worst moment: deleting the other bucket is a request, too."""
    kept = resources(name)
    kept["Policy"]["DeletionPolicy"] = "Retain"
    stack.create(kept)
    assert logs(aws, name) == {}
    assert stack.delete() == "DELETE_FAILED"
    assert "BucketNotEmpty" in stack.failures
    (line,) = "".join(logs(aws, name).values()).splitlines()
    assert "REST.DELETE.BUCKET" in line


def test_without_its_policy_a_bucket_for_logs_stays_empty(aws: LocalAws, stack: Any, name: str) -> None:
    gone = resources(name)
    gone["Policy"]["DependsOn"] = "Bucket"
    stack.create(gone)
    assert stack.delete() == "DELETE_COMPLETE"
    assert aws.inventory().is_empty
