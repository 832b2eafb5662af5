"""The properties of ``AWS::S3::Bucket`` that MiniStack's CloudFormation handler drops, through S3's own API.

Encryption, lifecycle, ownership, access logs, suspended versioning and tags; and a bucket that is not empty
is not deleted, as on AWS.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import botocore.session
from botocore.serialize import create_serializer
from ministack.services import s3
from ministack.services.cloudformation import provisioners

from local_aws.emulator.api import Json

Translate = Callable[[Any], Json]
# The member names that differ between a lifecycle rule of CloudFormation and one of the S3 API.
_TRANSITION: Final = {"TransitionInDays": "Days", "TransitionDate": "Date"}
_NONCURRENT_TRANSITION: Final = {"TransitionInDays": "NoncurrentDays"}


def _encryption(configuration: Json) -> Json:
    rules = [
        _renamed(rule, {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"})
        for rule in configuration["ServerSideEncryptionConfiguration"]
    ]
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def _lifecycle(configuration: Json) -> Json:
    return {"LifecycleConfiguration": {"Rules": [_lifecycle_rule(rule) for rule in configuration["Rules"]]}}


def _lifecycle_rule(rule: Json) -> Json:
    plain = ("AbortIncompleteMultipartUpload", "NoncurrentVersionExpiration", "Status")
    result = {name: rule[name] for name in plain if name in rule}
    if "Id" in rule:
        result["ID"] = rule["Id"]
    expiration = _renamed(
        rule, {"ExpirationInDays": "Days", "ExpirationDate": "Date"}, "ExpiredObjectDeleteMarker"
    )
    if expiration:
        result["Expiration"] = expiration
    if "NoncurrentVersionExpirationInDays" in rule:
        result["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule["NoncurrentVersionExpirationInDays"]}
    for name, renames in (
        ("Transitions", _TRANSITION),
        ("NoncurrentVersionTransitions", _NONCURRENT_TRANSITION),
    ):
        if name in rule:
            kept = ("StorageClass", "NewerNoncurrentVersions")
            result[name] = [_renamed(transition, renames, *kept) for transition in rule[name]]
    result["Filter"] = _lifecycle_filter(rule)
    return result


def _lifecycle_filter(rule: Json) -> Json:
    conditions: Json = {
        name: rule[name] for name in ("Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan") if name in rule
    }
    tags = rule.get("TagFilters", [])
    if len(conditions) + len(tags) > 1:
        return {"And": {**conditions, **({"Tags": tags} if tags else {})}}
    if tags:
        return {"Tag": tags[0]}
    return conditions or {"Prefix": ""}


def _renamed(source: Json, renames: dict[str, str], *kept: str) -> Json:
    wanted = {**renames, **{name: name for name in (*kept, "BucketKeyEnabled")}}
    return {wanted[name]: value for name, value in source.items() if name in wanted}


def _logging(configuration: Json) -> Json:
    target = configuration.get("DestinationBucketName")
    enabled = {"TargetBucket": target, "TargetPrefix": configuration.get("LogFilePrefix", "")}
    return {"BucketLoggingStatus": {"LoggingEnabled": enabled} if target else {}}


# Property: the API call that sets it, the translation of its value, and what to call when it is taken out.
_PROPERTIES: Final[dict[str, tuple[str, Translate, Any, Callable[[str], object]]]] = {
    "BucketEncryption": (
        "PutBucketEncryption",
        _encryption,
        s3._put_bucket_encryption,
        s3._delete_bucket_encryption,
    ),
    "LifecycleConfiguration": (
        "PutBucketLifecycleConfiguration",
        _lifecycle,
        s3._put_bucket_lifecycle,
        s3._delete_bucket_lifecycle,
    ),
    "OwnershipControls": (
        "PutBucketOwnershipControls",
        lambda value: {"OwnershipControls": value},
        s3._put_bucket_ownership_controls,
        s3._delete_bucket_ownership_controls,
    ),
    "LoggingConfiguration": (
        "PutBucketLogging",
        _logging,
        s3._put_bucket_logging,
        lambda name: s3._bucket_logging_config.pop(name, None),
    ),
    "VersioningConfiguration": (
        "PutBucketVersioning",
        lambda value: {"VersioningConfiguration": value},
        s3._put_bucket_versioning,
        # A bucket that was once versioned can only be suspended.
        lambda name: s3._bucket_versioning.update({name: "Suspended"}),
    ),
    "Tags": (
        "PutBucketTagging",
        lambda value: {"Tagging": {"TagSet": value}},
        s3._put_bucket_tagging,
        s3._delete_bucket_tagging,
    ),
}

_MINISTACK: Final = dict(provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"])


def create(logical_id: str, properties: Json, stack_name: str) -> tuple[str, Json]:
    """``AWS::S3::Bucket``, with all of ``_PROPERTIES``."""
    name, attributes = _MINISTACK["create"](logical_id, properties, stack_name)
    try:
        _apply(name, {}, properties)
    except ValueError:
        _MINISTACK["delete"](name, properties)
        raise
    return name, attributes


def update(physical_id: str, old: Json, new: Json, stack_name: str) -> tuple[str, Json]:
    """Every property but the name is updated in place."""
    name, attributes = _MINISTACK["update"](physical_id, old, new, stack_name)
    _apply(name, old, new)
    return name, attributes


def delete(physical_id: str, properties: Json) -> None:
    """Delete the bucket, unless it holds an object or a version."""
    if physical_id not in s3._buckets:
        return
    headers = {"user-agent": "cloudformation.amazonaws.com"}
    status, _, body = s3._dispatch("DELETE", physical_id, "", headers, b"", {})
    if status >= 400:
        raise ValueError(f"The bucket {physical_id} was not deleted: {body.decode()}")
    _MINISTACK["delete"](physical_id, properties)


def _apply(name: str, old: Json, new: Json) -> None:
    for prop, (operation, translate, put, remove) in _PROPERTIES.items():
        if prop in new and new[prop] != old.get(prop):
            status, _, body = put(name, _body(operation, translate(new[prop])))
            if status >= 400:
                raise ValueError(f"{prop} of {name} was refused: {body.decode()}")
        elif prop in old and prop not in new:
            remove(name)


def _body(operation: str, request: Json) -> bytes:
    """The XML that an SDK sends for a request."""
    model = botocore.session.Session().get_service_model("s3")
    serializer = create_serializer(model.metadata["protocol"], include_validation=False)
    plain = json.loads(json.dumps(request))
    serialized = serializer.serialize_to_request(
        {"Bucket": "bucket", **plain}, model.operation_model(operation)
    )
    body = serialized["body"]
    return body if isinstance(body, bytes) else str(body).encode()
