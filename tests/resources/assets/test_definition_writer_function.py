"""The function that writes a definition, called as CloudFormation calls it."""

from __future__ import annotations

import hashlib
import io
import json
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import pytest

from scheduled_pipeline.resources.assets import definition_writer_function as writer

PROPERTIES = {
    "Bucket": "definitions",
    "Prefix": "definitions/c8/",
    "SourceBucket": "assets",
    "SourceKey": "abc.json",
    "Substitutions": {"<<scheduled-pipeline-0>>": 'arn:"role"'},
}
EVENT = {
    "StackId": "stack",
    "RequestId": "request",
    "LogicalResourceId": "Definition",
    "ResponseURL": "https://answer.invalid/",
    "ResourceProperties": PROPERTIES,
}


class Bucket:
    """Stands for S3: one text to read, and what was done."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.written: dict[str, bytes] = {}
        self.deleted: list[str] = []

    def get_object(self, **request: Any) -> dict[str, Any]:
        assert request == {"Bucket": "assets", "Key": "abc.json"}
        return {"Body": io.BytesIO(self.text.encode())}

    def put_object(self, **request: Any) -> None:
        assert (request["Bucket"], request["ContentType"]) == ("definitions", "application/json")
        self.written[request["Key"]] = request["Body"]

    def delete_object(self, **request: Any) -> None:
        assert request["Bucket"] == "definitions"
        self.deleted.append(request["Key"])


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    bucket = Bucket('{"RoleArn":"<<scheduled-pipeline-0>>","Name":"é"}')
    monkeypatch.setattr(boto3, "client", lambda service: bucket)
    return bucket


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []

    def urlopen(request: urllib.request.Request) -> None:
        assert request.get_method() == "PUT"
        assert isinstance(request.data, bytes)
        answers.append(json.loads(request.data))

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    return answers


def test_it_puts_the_values_in_and_names_the_object_by_its_content(
    bucket: Bucket, answers: list[dict[str, Any]]
) -> None:
    writer.handler({**EVENT, "RequestType": "Create"}, None)
    ((key, body),) = bucket.written.items()
    assert json.loads(body) == {"RoleArn": 'arn:"role"', "Name": "é"}
    assert key == f"definitions/c8/{hashlib.sha256(body).hexdigest()}.json"
    assert answers == [
        {
            "Status": "SUCCESS",
            "PhysicalResourceId": key,
            "StackId": "stack",
            "RequestId": "request",
            "LogicalResourceId": "Definition",
            "Data": {"Key": key},
        }
    ]


def test_it_deletes_what_it_wrote(bucket: Bucket, answers: list[dict[str, Any]]) -> None:
    writer.handler({**EVENT, "RequestType": "Delete", "PhysicalResourceId": "definitions/c8/x.json"}, None)
    assert bucket.deleted == ["definitions/c8/x.json"]
    assert answers[0]["Status"] == "SUCCESS"


def test_it_deletes_nothing_else(bucket: Bucket, answers: list[dict[str, Any]]) -> None:
    """CloudFormation sends such a deletion after a creation that failed."""
    writer.handler({**EVENT, "RequestType": "Delete", "PhysicalResourceId": "none"}, None)
    assert bucket.deleted == []
    assert answers[0]["Status"] == "SUCCESS"


def test_a_failure_is_told_with_its_reason(
    bucket: Bucket, answers: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**request: str) -> None:
        raise PermissionError("AccessDenied")

    monkeypatch.setattr(bucket, "get_object", refuse)
    writer.handler({**EVENT, "RequestType": "Create"}, None)
    assert (answers[0]["Status"], answers[0]["Reason"]) == ("FAILED", "PermissionError: AccessDenied")
    assert answers[0]["PhysicalResourceId"] == "none"


def test_it_is_short_enough_for_a_template() -> None:
    assert len(Path(writer.__file__).read_text(encoding="utf-8")) < 4096
