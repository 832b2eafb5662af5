"""Small definitions for the tests of permissions, and what is granted for them."""

from __future__ import annotations

from typing import Any

from scheduled_pipeline.definition.permission import Permission
from scheduled_pipeline.definition.permissions.derive import derive

SAGEMAKER = "arn:${Partition}:sagemaker:${Region}:${Account}:"
PARAMETERS = [
    {"Name": "Uri", "Type": "String", "DefaultValue": "s3://given/some/data.csv"},
    {"Name": "Bucket", "Type": "String", "DefaultValue": "given"},
    {"Name": "Day", "Type": "String", "DefaultValue": "monday"},
    {"Name": "Late", "Type": "String"},
]


def document(*steps: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"Version": "2020-12-01", "Parameters": PARAMETERS, "Steps": list(steps), **others}


def a_step(kind: str, arguments: Any = None, name: str = "Step", **members: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "Arguments": arguments or {}, **members}


def reading(uri: Any, name: str = "Step") -> dict[str, Any]:
    return a_step("Processing", {"ProcessingInputs": [{"InputName": "in", "S3Input": {"S3Uri": uri}}]}, name)


def writing(uri: Any, name: str = "Step", **members: Any) -> dict[str, Any]:
    outputs = [{"OutputName": "out", "S3Output": {"S3Uri": uri}}]
    return a_step("Processing", {"ProcessingOutputConfig": {"Outputs": outputs}}, name, **members)


def join(*values: Any, on: str = "/") -> dict[str, Any]:
    return {"Std:Join": {"On": on, "Values": list(values)}}


def get(reference: str) -> dict[str, str]:
    return {"Get": reference}


def granted(definition: dict[str, Any], action: str) -> list[str]:
    """The resources on which an action is granted, in order and each once."""
    found = [one for one in derive(definition, pipeline_name="My-Pipeline") if action in one.actions]
    return list(dict.fromkeys(resource for one in found for resource in one.resources))


def the(definition: dict[str, Any], action: str) -> Permission:
    (found,) = [one for one in derive(definition, pipeline_name="My-Pipeline") if action in one.actions]
    return found
