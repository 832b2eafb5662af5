"""``Custom::S3AutoDeleteObjects`` of the CDK: what its function does, with the permissions of its role.

The function is JavaScript and brings no SDK, so it is not run. This is what it does, read in version 2.275 of
``aws-cdk-lib``, ``custom-resource-handlers/dist/aws-s3/auto-delete-objects-handler/index.js``:

- Nothing on create. On update the physical id becomes the name of the bucket.
- On delete, if the bucket has the tag, it first denies everybody ``s3:PutObject``, and goes on if it may not;
  then it deletes all versions and delete markers. It does not look at the errors of single objects.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree

from ministack.core.responses import new_uuid
from ministack.services import cloudwatch_logs, lambda_svc, s3

from local_aws.emulator import permissions
from local_aws.emulator.api import Json

_TAG: Final = "aws-cdk:auto-delete-objects"


class _RefusalError(Exception):
    """What S3 answers in the place of a result."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def create(logical_id: str, properties: Json, stack_name: str) -> tuple[str, Json]:
    """The physical id is that of the request, as the function names none."""
    _function(properties)
    return new_uuid(), {}


def update(physical_id: str, old: Json, new: Json, stack_name: str) -> tuple[str, Json]:
    """Another bucket is another resource: CloudFormation deletes the old one, which empties its bucket."""
    return new.get("BucketName") or old["BucketName"], {}


def delete(physical_id: str, properties: Json) -> None:
    """Empty the bucket."""
    function = _function(properties)
    _log(function, f"Delete {properties['BucketName']}")
    try:
        _Bucket(properties["BucketName"], function["Role"]).empty()
    except _RefusalError as refusal:
        if refusal.code != "NoSuchBucket":
            message = "Received response status [FAILED] from custom resource. Message returned:"
            raise ValueError(f"{message} {refusal}") from refusal


def _function(properties: Json) -> Json:
    _, configuration, _ = lambda_svc._get_func_record_for_ref(properties["ServiceToken"])
    if configuration is None:
        raise ValueError(f"Function not found: {properties['ServiceToken']}")
    return dict(configuration)


def _log(function: Json, message: str) -> None:
    """What a function writes goes to its log group, which Lambda makes if the role allows it.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
    """
    name = function.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{function['FunctionName']}"
    arn = function["FunctionArn"].replace(":lambda:", ":logs:").partition(":function:")[0]
    arn += f":log-group:{name}"
    if name not in cloudwatch_logs._log_groups:
        if not permissions.role_allows(function["Role"], "logs:CreateLogGroup", arn):
            return
        cloudwatch_logs._create_log_group({"logGroupName": name})
    stream = f"{arn}:log-stream:*"
    if all(
        permissions.role_allows(function["Role"], f"logs:{action}", stream)
        for action in ("CreateLogStream", "PutLogEvents")
    ):
        place = {"logGroupName": name, "logStreamName": new_uuid()}
        cloudwatch_logs._create_log_stream(place)
        event = {"timestamp": int(time.time() * 1000), "message": message}
        cloudwatch_logs._put_log_events({**place, "logEvents": [event]})


@dataclass(frozen=True)
class _Bucket:
    """A bucket, as the function's role sees it."""

    name: str
    role_arn: str

    def empty(self) -> None:
        tags = self._call("s3:GetBucketTagging", "GET", "tagging")
        # AWS never answers NoSuchTagSet here: a bucket of a stack has the tags of CloudFormation itself.
        pairs = {_text(tag, "Key"): _text(tag, "Value") for tag in _elements(tags, "Tag")}
        if pairs.get(_TAG) != "true":
            return
        self._deny_writing()
        truncated = True
        while truncated:
            page = self._call("s3:ListBucketVersions", "GET", "versions")
            found = [
                (_text(entry, "Key"), _text(entry, "VersionId"))
                for tag in ("Version", "DeleteMarker")
                for entry in _elements(page, tag)
            ]
            if not found:
                return
            self._delete(found)
            truncated = any(element.text == "true" for element in _elements(page, "IsTruncated"))

    def _deny_writing(self) -> None:
        deny = {"Principal": "*", "Effect": "Deny", "Action": ["s3:PutObject"]}
        try:
            policy = json.loads(self._call("s3:GetBucketPolicy", "GET", "policy"))
            policy["Statement"].append({**deny, "Resource": [f"arn:aws:s3:::{self.name}/*"]})
            self._call("s3:PutBucketPolicy", "PUT", "policy", json.dumps(policy).encode())
        except _RefusalError as refusal:
            if refusal.code == "NoSuchBucket":
                raise

    def _delete(self, found: list[tuple[str, str]]) -> None:
        root = ElementTree.Element("Delete")
        for key, version in found:
            arn = f"arn:aws:s3:::{self.name}/{key}"
            if permissions.role_may(self.role_arn, "s3:DeleteObjectVersion", arn):
                entry = ElementTree.SubElement(root, "Object")
                ElementTree.SubElement(entry, "Key").text = key
                ElementTree.SubElement(entry, "VersionId").text = version
        self._send("POST", "delete", ElementTree.tostring(root))

    def _call(self, action: str, method: str, subresource: str, body: bytes = b"") -> bytes:
        arn = f"arn:aws:s3:::{self.name}"
        if self.name in s3._buckets and not permissions.role_may(self.role_arn, action, arn):
            raise _RefusalError("AccessDenied")
        return self._send(method, subresource, body)

    def _send(self, method: str, subresource: str, body: bytes) -> bytes:
        headers, query = {"user-agent": "aws-sdk-js/3"}, {subresource: [""]}
        status, _, answer = s3._dispatch(method, self.name, "", headers, body, query)
        if status >= 400:
            code = next((element.text or "" for element in _elements(answer, "Code")), str(status))
            if code == "NoSuchTagSet":
                return b"<TagSet/>"
            raise _RefusalError(code)
        return bytes(answer)


def _elements(document: bytes, tag: str) -> list[ElementTree.Element]:
    found = ElementTree.fromstring(document).iter()
    return [element for element in found if element.tag.rpartition("}")[2] == tag]


def _text(element: ElementTree.Element, tag: str) -> str:
    return next((child.text or "" for child in element if child.tag.rpartition("}")[2] == tag), "")


def install(handlers: dict[str, Any]) -> None:
    """Put the provider into MiniStack's table of resource handlers."""
    handlers["Custom::S3AutoDeleteObjects"] = {"create": create, "update": update, "delete": delete}
