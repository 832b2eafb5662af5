"""Writes a definition to S3 with what is only known when the stack is deployed; runs in AWS Lambda.

CloudFormation calls it for a custom resource. This file is the function's code, so it has to be shorter than
4,096 characters and to import nothing but what a Lambda function has.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
"""

import hashlib
import json
import urllib.request
from typing import Any

import boto3


def handler(event: dict[str, Any], context: object) -> None:
    """Do what CloudFormation asks for, and tell it how that ended."""
    answer = {
        "Status": "SUCCESS",
        "PhysicalResourceId": event.get("PhysicalResourceId", "none"),
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    try:
        key = handle(event)
        answer |= {"PhysicalResourceId": key, "Data": {"Key": key}}
    except Exception as error:
        answer |= {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"[:1000]}
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
    request.add_header("Content-Type", "")
    urllib.request.urlopen(request)


def handle(event: dict[str, Any]) -> str:
    """Write the definition, or delete it; returns its key."""
    given = event["ResourceProperties"]
    s3 = boto3.client("s3")
    if event["RequestType"] == "Delete":
        key: str = event["PhysicalResourceId"]
        if key.startswith(given["Prefix"]):
            s3.delete_object(Bucket=given["Bucket"], Key=key)
        return key
    text: str = s3.get_object(Bucket=given["SourceBucket"], Key=given["SourceKey"])["Body"].read().decode()
    for marker, value in given["Substitutions"].items():
        text = text.replace(marker, json.dumps(value, ensure_ascii=False)[1:-1])
    body = text.encode()
    # The key is made from the content: CloudFormation notices a new definition by its place alone.
    key = f"{given['Prefix']}{hashlib.sha256(body).hexdigest()}.json"
    s3.put_object(Bucket=given["Bucket"], Key=key, Body=body, ContentType="application/json")
    return key
